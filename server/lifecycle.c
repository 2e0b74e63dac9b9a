/* From serving to stopped, by signals and deadlines.
 * SPDX-License-Identifier: MIT */
#include "lifecycle.h"

#include "clock.h"
#include "connections.h"
#include "log.h"

#include <signal.h>
#include <stdatomic.h>

static _Atomic int stage = SERVER_SERVING;

/* How often to look whether all is done. */
static const int64_t step = SERVER_SECOND / 50;

/* What is cancelled gets this long to be answered. */
static const int64_t stopping_time = 5 * SERVER_SECOND;

server_stage server_stage_now(void)
{
    return (server_stage)atomic_load_explicit(&stage, memory_order_acquire);
}

static void enter(server_stage next)
{
    atomic_store_explicit(&stage, (int)next, memory_order_release);
}

/* The signal that came within the time, or 0. */
static int wait_for_signal(int64_t time)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    const struct timespec limit = server_timespec(time);
    const int caught = sigtimedwait(&signals, NULL, &limit);
    return caught > 0 ? caught : 0;
}

/* True when no connection is left before the deadline and before another signal. */
static bool drain(int64_t deadline)
{
    while (server_connection_count() > 0) {
        if (server_now() >= deadline || wait_for_signal(step) != 0)
            return false;
    }
    return true;
}

void server_lifecycle_run(const server_options *options, void (*stop_accepting)(void))
{
    int caught = 0;
    while (caught == 0)
        caught = wait_for_signal(3600 * SERVER_SECOND);
    enter(SERVER_LEAVING);
    server_log_event(SERVER_LOG_INFO, "stopping: not ready any more");
    bool hurry = false;
    if (caught == SIGTERM) /* ^C comes from a person, who does not want to wait */
        hurry = wait_for_signal(server_nanoseconds(options->drain_delay)) != 0;
    enter(SERVER_DRAINING);
    stop_accepting();
    server_log_event(SERVER_LOG_INFO, "stopping: %zu connections are left",
                     server_connection_count());
    if (!hurry && drain(server_now() + server_nanoseconds(options->drain_deadline)))
        return;
    server_log_event(SERVER_LOG_ERROR, "stopping: cutting off %zu connections",
                     server_connection_count());
    enter(SERVER_STOPPING);
    drain(server_now() + stopping_time);
}
