/* Accepts connections, holds them against the caps and hands them to libmicrohttpd, whose own
 * accepting cannot be stopped under load without losing connections.
 * SPDX-License-Identifier: MIT */
#include "listener.h"

#include "canned.h"
#include "connections.h"
#include "http.h"
#include "log.h"
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SOCKETS = 16, BACKLOG = 4096, URL_SIZE = 96 };

static struct {
    struct pollfd sockets[MAX_SOCKETS + 1]; /* the last one in use is the eventfd */
    nfds_t count;                           /* without the eventfd */
    char url[URL_SIZE];
    bool exposed; /* other machines can reach one of them */
    pthread_t thread;
} listener;

static bool is_port(const char *text)
{
    const size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits < 6 && text[digits] == '\0' && strtoul(text, NULL, 10) <= 65535;
}

bool server_split_address(char *text, const char **host, const char **port)
{
    char *const colon = strrchr(text, ':');
    if (colon == NULL || !is_port(colon + 1))
        return false;
    *colon = '\0';
    *port = colon + 1;
    *host = text;
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        *host = text + 1;
    } else if (strchr(text, ':') != NULL) {
        return false;
    }
    if (**host == '\0')
        *host = NULL;
    return true;
}

static void keep_url(int descriptor)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(descriptor, (struct sockaddr *)&address, &size) != 0 ||
        getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    const bool six = address.ss_family == AF_INET6;
    snprintf(listener.url, URL_SIZE, six ? "http%s://[%.60s]:%s" : "http%s://%.60s:%s",
             server_tls_enabled() ? "s" : "", host, port);
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    const struct sockaddr_in *const four = (const struct sockaddr_in *)(const void *)address;
    return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* A listening socket, or -1 and errno. */
static int listen_on(const struct addrinfo *address)
{
    const int yes = 1;
    const int descriptor =
        socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (descriptor < 0)
        return -1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address->ai_family == AF_INET6)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    if (bind(descriptor, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(descriptor, BACKLOG) == 0)
        return descriptor;
    const int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

/* Listens on every address of a name. One that this machine does not have, such as IPv6's where it
 * is switched off, is no error as long as there is another. */
static const char *listen_on_all(const struct addrinfo *addresses)
{
    const char *reason = "no address";
    bool any = false;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
        if (listener.count == MAX_SOCKETS)
            return "too many addresses";
        const int descriptor = listen_on(at);
        if (descriptor < 0 && errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT)
            return strerror(errno);
        if (descriptor < 0) {
            reason = strerror(errno);
            continue;
        }
        listener.sockets[listener.count++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
        any = true;
        listener.exposed = listener.exposed || !is_loopback(at->ai_addr);
        if (listener.count == 1)
            keep_url(descriptor);
    }
    return any ? NULL : reason;
}

static bool open_address(const char *text)
{
    char copy[URL_SIZE];
    const char *host = NULL, *port = NULL;
    snprintf(copy, sizeof copy, "%s", text);
    if (strlen(text) >= sizeof copy || !server_split_address(copy, &host, &port)) {
        fprintf(stderr,
                "layerd: --listen '%s': expected HOST:PORT or [IPV6]:PORT, PORT at most 65535\n",
                text);
        return false;
    }
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    const int status = getaddrinfo(host, port, &wanted, &addresses);
    const char *const reason = status != 0 ? gai_strerror(status) : listen_on_all(addresses);
    if (reason != NULL)
        fprintf(stderr, "layerd: cannot listen on '%s': %s\n", text, reason);
    if (addresses != NULL)
        freeaddrinfo(addresses);
    return reason == NULL;
}

bool server_listener_open(const char *addresses)
{
    char *const copy = strdup(addresses);
    bool opened = copy != NULL;
    char *rest = NULL;
    for (char *at = opened ? strtok_r(copy, ",", &rest) : NULL; at != NULL && opened;
         at = strtok_r(NULL, ",", &rest))
        opened = open_address(at);
    free(copy);
    if (opened && listener.count == 0)
        fprintf(stderr, "layerd: --listen '%s': expected an address\n", addresses);
    return opened && listener.count > 0;
}

bool server_listener_is_local(void)
{
    return !listener.exposed;
}

const char *server_listener_url(void)
{
    return listener.url;
}

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

/* New connections are dropped unseen first, so that none can come between the last accept and the
 * closing, which would reset it. */
static void close_socket(int descriptor)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog program = {.len = 1, .filter = &drop};
    setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
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
        close_socket(listener.sockets[i].fd);
    return NULL;
}

bool server_listener_start(void)
{
    const int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
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
