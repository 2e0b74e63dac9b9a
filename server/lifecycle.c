/* From serving to stopped, by signals and deadlines.
 * SPDX-License-Identifier: MIT */
#include "lifecycle.h"

#include "clock.h"
#include "connections.h"
#include "log.h"
#include "systemd.h"

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

/* The end that was signalled within the time, or 0. A process that was stopped and goes on finds
 * its waiting interrupted. */
static int wait_for_end(int64_t time)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    const int64_t end = server_now() + time;
    int caught = 0;
    for (int64_t left = time; caught <= 0 && left >= 0; left = end - server_now()) {
        const struct timespec limit = server_timespec(left);
        caught = sigtimedwait(&signals, NULL, &limit);
    }
    return caught > 0 ? caught : 0;
}

/* Serves until a signal for the end, and returns it. A terminal that is closed counts as ^C. */
static int serve(void (*reload)(void))
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    siginfo_t facts;
    int caught = 0;
    while (caught <= 0) {
        caught = sigwaitinfo(&signals, &facts);
        if (caught == SIGHUP && facts.si_code != SI_KERNEL) {
            reload();
            caught = 0;
        }
    }
    return caught;
}

/* True when no connection is left before the deadline and before another signal. */
static bool drain(int64_t deadline)
{
    while (server_connection_count() > 0) {
        if (server_now() >= deadline || wait_for_end(step) != 0)
            return false;
    }
    return true;
}

void server_lifecycle_run(const server_options *options, const server_lifecycle_steps *steps)
{
    const int caught = serve(steps->reload);
    enter(SERVER_LEAVING);
    server_systemd_tell("STOPPING=1");
    server_log_event(SERVER_LOG_INFO, "stopping: not ready any more");
    bool hurry = false;
    if (caught == SIGTERM) /* ^C comes from a person, who does not want to wait */
        hurry = wait_for_end(server_nanoseconds(options->drain_delay)) != 0;
    enter(SERVER_DRAINING);
    steps->stop_accepting();
    server_log_event(SERVER_LOG_INFO, "stopping: %zu connections are left",
                     server_connection_count());
    if (!hurry && drain(server_now() + server_nanoseconds(options->drain_deadline)))
        return;
    server_log_event(SERVER_LOG_ERROR, "stopping: cutting off %zu connections",
                     server_connection_count());
    enter(SERVER_STOPPING);
    drain(server_now() + stopping_time);
}
