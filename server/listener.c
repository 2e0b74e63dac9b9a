/* Accepts connections, holds them against the caps and hands them to libmicrohttpd, whose own
 * accepting cannot be stopped under load without losing connections.
 * SPDX-License-Identifier: MIT */
#include "listener.h"

#include "canned.h"
#include "connections.h"
#include "http.h"
#include "log.h"
#include "sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static struct {
    struct pollfd sockets[SERVER_SOCKET_LIMIT + 1]; /* the last one in use is the eventfd */
    nfds_t count;                                   /* without the eventfd */
    pthread_t thread;
} listener;

/* Bytes that came and stay unread would make the kernel reset the connection, and the client might
 * not see the reply. */
static void turn_away(int descriptor, server_welcome why)
{
    char drain[4096];
    const bool address = why == SERVER_TOO_MANY_OF_ADDRESS;
    server_metrics_refuse(address ? SERVER_REFUSED_ADDRESS : SERVER_REFUSED_CONNECTIONS);
    server_send_canned(descriptor, address ? SERVER_CANNED_ADDRESS : SERVER_CANNED_TOO_MANY);
    shutdown(descriptor, SHUT_WR);
    for (int i = 0; i < 64 && recv(descriptor, drain, sizeof drain, MSG_DONTWAIT) > 0; i++)
        continue;
    close(descriptor);
}

static void take_connection(int descriptor, const struct sockaddr_storage *address, socklen_t size)
{
    const int yes = 1;
    const server_welcome welcome = server_connections_add(descriptor, address);
    if (welcome != SERVER_WELCOME) {
        turn_away(descriptor, welcome);
        return;
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (!server_http_add(descriptor, address, size))
        server_connections_remove(server_connections_find(descriptor));
}

/* Without descriptors or memory the connections wait in the kernel, and we do not spin. */
static void rest_from_error(int error)
{
    const struct timespec pause = {0, 50000000};
    server_log_event(SERVER_LOG_ERROR, "cannot accept: %s", strerror(error));
    nanosleep(&pause, NULL);
}

static void accept_all(int socket_)
{
    for (;;) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        const int descriptor =
            accept4(socket_, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0)
            take_connection(descriptor, &address, size);
        else if (errno == EAGAIN)
            return;
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            rest_from_error(errno);
            return;
        }
    }
}

static void end(size_t index)
{
    const int descriptor = listener.sockets[index].fd;
    if (server_sockets_end(index))
        accept_all(descriptor);
    close(descriptor);
}

static void *run_listener(void *unused)
{
    (void)unused;
    const struct pollfd *const stop = &listener.sockets[listener.count];
    while (stop->revents == 0) {
        if (poll(listener.sockets, listener.count + 1, -1) < 0)
            continue;
        for (nfds_t i = 0; i < listener.count; i++)
            if (listener.sockets[i].revents != 0)
                accept_all(listener.sockets[i].fd);
    }
    for (nfds_t i = 0; i < listener.count; i++)
        end(i);
    return NULL;
}

bool server_listener_start(void)
{
    const int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    listener.count = server_sockets_count();
    for (nfds_t i = 0; i < listener.count; i++)
        listener.sockets[i] = (struct pollfd){.fd = server_sockets_descriptor(i), .events = POLLIN};
    listener.sockets[listener.count] = (struct pollfd){.fd = stop, .events = POLLIN};
    return stop >= 0 && pthread_create(&listener.thread, NULL, run_listener, NULL) == 0;
}

void server_listener_stop(void)
{
    const uint64_t one = 1;
    const int stop = listener.sockets[listener.count].fd;
    (void)!write(stop, &one, sizeof one);
    pthread_join(listener.thread, NULL);
    close(stop);
}
