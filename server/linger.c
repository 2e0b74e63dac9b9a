/* Keeps closing sockets open until their clients have read the reply, for a bounded time.
 * SPDX-License-Identifier: MIT */
#include "linger.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

/* Beyond so many at a time, sockets are closed at once. */
enum { LINGER_LIMIT = 256 };

static const int64_t linger_time = 2 * SERVER_SECOND;

/* What one client may still send: twice the longest body by default. */
static const size_t linger_size = (size_t)128 << 20;

typedef struct {
    int descriptor;
    int64_t until;
    size_t left; /* bytes that may come */
} lingerer;

static struct {
    pthread_mutex_t mutex;
    size_t count;
    lingerer sockets[LINGER_LIMIT];
} lingering = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void server_linger(int descriptor)
{
    pthread_mutex_lock(&lingering.mutex);
    const size_t at = lingering.count;
    const int copy = at < LINGER_LIMIT ? fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : -1;
    if (copy >= 0) {
        shutdown(copy, SHUT_WR); /* with TLS libmicrohttpd leaves that to closing */
        lingering.sockets[at] = (lingerer){copy, server_now() + linger_time, linger_size};
        lingering.count++;
    }
    pthread_mutex_unlock(&lingering.mutex);
}

/* True: the client may send more. */
static bool drop_input(lingerer *socket_)
{
    static char dropped[64 << 10]; /* under the lock */
    while (socket_->left > 0) {
        const ssize_t size = recv(socket_->descriptor, dropped, sizeof dropped, MSG_DONTWAIT);
        if (size <= 0)
            return size < 0 && errno == EAGAIN;
        socket_->left -= (size_t)size < socket_->left ? (size_t)size : socket_->left;
    }
    return false;
}

bool server_linger_round(int64_t now)
{
    pthread_mutex_lock(&lingering.mutex);
    for (size_t i = 0; i < lingering.count;) {
        if (drop_input(&lingering.sockets[i]) && now < lingering.sockets[i].until) {
            i++;
            continue;
        }
        close(lingering.sockets[i].descriptor);
        lingering.sockets[i] = lingering.sockets[--lingering.count];
    }
    const bool any = lingering.count > 0;
    pthread_mutex_unlock(&lingering.mutex);
    return any;
}

void server_linger_stop(void)
{
    server_linger_round(INT64_MAX);
}
