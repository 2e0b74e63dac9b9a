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

static struct {
    pthread_mutex_t mutex;
    size_t count;
    struct {
        int descriptor;
        int64_t until;
    } sockets[LINGER_LIMIT];
} lingering = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void server_linger(int descriptor)
{
    pthread_mutex_lock(&lingering.mutex);
    const size_t at = lingering.count;
    const int copy = at < LINGER_LIMIT ? fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : -1;
    if (copy >= 0) {
        lingering.sockets[at].descriptor = copy;
        lingering.sockets[at].until = server_now() + linger_time;
        lingering.count++;
    }
    pthread_mutex_unlock(&lingering.mutex);
}

/* MSG_TRUNC: the kernel drops the bytes itself. True: the client may still send. */
static bool drop_input(int descriptor)
{
    ssize_t size = 0;
    do
        size = recv(descriptor, NULL, (size_t)1 << 30, MSG_DONTWAIT | MSG_TRUNC);
    while (size > 0);
    return size < 0 && (errno == EAGAIN || errno == EINTR);
}

bool server_linger_round(int64_t now)
{
    pthread_mutex_lock(&lingering.mutex);
    for (size_t i = 0; i < lingering.count;) {
        if (drop_input(lingering.sockets[i].descriptor) && now < lingering.sockets[i].until) {
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
