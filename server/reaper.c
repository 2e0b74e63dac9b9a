/* The reaper: ends what has passed its absolute deadline, and notices clients that left. It shuts
 * sockets down under the registry's lock and never closes one: that is libmicrohttpd's.
 * SPDX-License-Identifier: MIT */
#include "admission.h"
#include "canned.h"
#include "clock.h"
#include "connections.h"
#include "lifecycle.h"
#include "linger.h"

#include <linux/tcp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>

/* How long a connection without a request may stay when the daemon drains: who has one in use has
 * sent by then, and gets its reply with Connection: close. */
static const int64_t drain_idle_time = SERVER_SECOND;

/* How long a client that has left may go unnoticed by libmicrohttpd, whose edge-triggered epoll
 * misses an end that comes together with the last bytes. */
static const int64_t hung_up_time = SERVER_SECOND / 10;

static const int64_t longest_pause = SERVER_SECOND / 10, shortest_pause = SERVER_SECOND / 500;

static struct {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stop;
    bool stopping;
    int64_t now, nearest;   /* of the round that is under way */
    server_work *abandoned; /* taken out of the queue in this round */
    struct pollfd *polls;   /* one for each open connection, in the registry's order */
    size_t poll_limit;
    int64_t trim_at; /* when the heap is to be trimmed */
} reaper = {.mutex = PTHREAD_MUTEX_INITIALIZER, .trim_at = INT64_MAX};

static bool received_anything(int descriptor)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
           info.tcpi_bytes_received > 0;
}

static void shut(server_connection *connection, uint64_t state, server_activity why)
{
    if (atomic_compare_exchange_strong(&connection->state, &state, why))
        shutdown(connection->descriptor, SHUT_RDWR);
}

static void count_lateness(server_activity activity)
{
    server_metrics_exceed(activity == SERVER_BODY || activity == SERVER_SEND
                              ? SERVER_LIMIT_BODY_TIME
                          : activity == SERVER_IDLE ? SERVER_LIMIT_IDLE_TIME
                                                    : SERVER_LIMIT_HEAD_TIME);
}

/* A reply may be sent past libmicrohttpd where it writes nothing: while it reads a request. */
static void time_out(server_connection *connection, uint64_t state)
{
    const server_activity activity = server_state_activity(state);
    const int descriptor = connection->descriptor;
    if (!atomic_compare_exchange_strong(&connection->state, &state, SERVER_CUT))
        return;
    if (reaper.now >= server_state_deadline(state))
        count_lateness(activity);
    if (activity == SERVER_HEAD || activity == SERVER_BODY ||
        (activity == SERVER_FRESH && received_anything(descriptor)))
        server_send_canned(descriptor, SERVER_CANNED_TIMEOUT);
    shutdown(descriptor, SHUT_RDWR);
}

static void cancel(server_request *request, server_cancellation reason)
{
    int none = SERVER_NOT_CANCELLED;
    if (!__atomic_compare_exchange_n(&request->cancelled, &none, (int)reason, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return;
    if (server_workers_remove(&request->work)) {
        request->work.next = reaper.abandoned;
        reaper.abandoned = &request->work;
    }
}

static void look_at_work(server_connection *connection, short events, bool late)
{
    if (late)
        cancel(&connection->request, SERVER_CANCELLED_DEADLINE);
    else if (server_stage_now() == SERVER_STOPPING)
        cancel(&connection->request, SERVER_CANCELLED_STOPPING);
    else if (events & POLLRDHUP)
        cancel(&connection->request, SERVER_CANCELLED_GONE);
}

/* Nothing more can come, and what came has been read for a while. */
static bool has_left(server_connection *connection, uint64_t state, short events)
{
    int unread = 0;
    if (!(events & POLLRDHUP) || ioctl(connection->descriptor, FIONREAD, &unread) != 0 || unread)
        return false;
    if (connection->hung_up_state != state) {
        connection->hung_up_state = state;
        connection->hung_up_at = reaper.now;
    }
    return reaper.now - connection->hung_up_at >= hung_up_time;
}

/* Nothing may have come that the I/O thread will see in a moment. */
static bool is_idle_while_draining(const server_connection *connection, short events)
{
    return server_stage_now() >= SERVER_DRAINING && !(events & POLLIN) &&
           reaper.now - atomic_load(&connection->idle_since) >= drain_idle_time;
}

static void look_at(server_connection *connection, short events)
{
    const uint64_t state = atomic_load(&connection->state);
    const server_activity activity = server_state_activity(state);
    if (activity == SERVER_PENDING || activity == SERVER_BUSY || activity >= SERVER_CUT)
        return;
    const int64_t deadline = server_state_deadline(state);
    const bool late = reaper.now >= deadline;
    const bool between = activity == SERVER_FRESH || activity == SERVER_IDLE;
    if (activity == SERVER_WORK)
        look_at_work(connection, events, late);
    else if (late || server_stage_now() == SERVER_STOPPING)
        time_out(connection, state);
    else if ((activity != SERVER_SEND && has_left(connection, state, events)) ||
             (between && is_idle_while_draining(connection, events)))
        shut(connection, state, SERVER_LEFT);
    if (!late && deadline < reaper.nearest)
        reaper.nearest = deadline;
}

static void look_at_all(void)
{
    size_t count = 0;
    server_connection *const *const open = server_connections_lock(&count);
    if (count > reaper.poll_limit)
        count = reaper.poll_limit;
    for (size_t i = 0; i < count; i++)
        reaper.polls[i] = (struct pollfd){.fd = open[i]->descriptor, .events = POLLIN | POLLRDHUP};
    poll(reaper.polls, count, 0);
    for (size_t i = 0; i < count; i++)
        look_at(open[i], reaper.polls[i].revents);
    server_connections_unlock();
}

/* After the registry's lock is free: resuming takes libmicrohttpd's locks, under which it calls
 * back into the registry. */
static void answer_abandoned(void)
{
    while (reaper.abandoned != NULL) {
        server_work *const work = reaper.abandoned;
        reaper.abandoned = work->next;
        work->run(work);
    }
}

/* The heap of a crowd of connections too, when libmicrohttpd has had time to free it. */
static void give_memory_back(void)
{
    server_admission_shrink(reaper.now);
    if (server_connections_shrink())
        reaper.trim_at = reaper.now + SERVER_SECOND;
    if (reaper.now >= reaper.trim_at) {
        malloc_trim(0);
        reaper.trim_at = INT64_MAX;
    }
}

static void *run_reaper(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&reaper.mutex);
    while (!reaper.stopping) {
        pthread_mutex_unlock(&reaper.mutex);
        reaper.now = server_now();
        reaper.nearest = reaper.now + longest_pause;
        look_at_all();
        answer_abandoned();
        give_memory_back();
        if (server_linger_round(reaper.now))
            reaper.nearest = reaper.now;
        const int64_t soonest = server_now() + shortest_pause;
        const struct timespec until =
            server_timespec(reaper.nearest > soonest ? reaper.nearest : soonest);
        pthread_mutex_lock(&reaper.mutex);
        if (!reaper.stopping)
            pthread_cond_timedwait(&reaper.stop, &reaper.mutex, &until);
    }
    pthread_mutex_unlock(&reaper.mutex);
    return NULL;
}

bool server_reaper_start(const server_options *options)
{
    reaper.poll_limit = options->max_connections;
    reaper.polls = calloc(reaper.poll_limit, sizeof *reaper.polls);
    if (reaper.polls == NULL)
        return false;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&reaper.stop, &attributes);
    pthread_condattr_destroy(&attributes);
    return pthread_create(&reaper.thread, NULL, run_reaper, NULL) == 0;
}

void server_reaper_stop(void)
{
    pthread_mutex_lock(&reaper.mutex);
    reaper.stopping = true;
    pthread_cond_signal(&reaper.stop);
    pthread_mutex_unlock(&reaper.mutex);
    pthread_join(reaper.thread, NULL);
    free(reaper.polls);
}
