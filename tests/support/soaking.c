/* What the long tests share.
 * SPDX-License-Identifier: MIT */
#include "support/soaking.h"

#include "support/expect.h"
#include "support/exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

bool soaking(void)
{
    return getenv("SOAK") != NULL;
}

size_t soak_count(size_t quick, size_t full)
{
    return soaking() ? full : quick;
}

bool sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(COVERAGE)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return true;
#endif
#endif
    return false;
}

void soak_figure(const char *fault, const char *wanted, const char *format, ...)
{
    char reached[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reached, sizeof reached, format, arguments);
    va_end(arguments);
    print_message("figure: | %s | %s | %s |\n", fault, wanted, reached);
}

holdings daemon_holdings(const daemon_process *daemon)
{
    http_reply reply = http_get(daemon->url, "/metrics");
    expect_status(&reply, 200);
    const holdings found = {
        .memory = metric_in(reply.body, "process_resident_memory_bytes", ""),
        .descriptors = metric_in(reply.body, "process_open_fds", ""),
        .connections = metric_in(reply.body, "layerd_connections", ""),
        .queue = metric_in(reply.body, "layerd_queue_length", ""),
        .in_flight = metric_in(reply.body, "layerd_memory_in_flight_bytes", ""),
    };
    http_free(&reply);
    return found;
}

struct return_to {
    const daemon_process *daemon;
    const holdings *then;
};

static bool holds_no_more(void *context)
{
    const struct return_to *const to = context;
    const holdings now = daemon_holdings(to->daemon);
    return now.descriptors <= to->then->descriptors && now.connections <= to->then->connections &&
           now.queue <= to->then->queue && now.in_flight <= to->then->in_flight;
}

double wait_for_holdings(const daemon_process *daemon, const holdings *then)
{
    const double begun = seconds_now();
    assert_true(wait_until(holds_no_more, &(struct return_to){daemon, then}));
    return seconds_now() - begun;
}

load_options lecture_load(const daemon_process *daemon, size_t clients)
{
    return (load_options){.url = daemon->url,
                          .clients = clients,
                          .path = "/v1/conv",
                          .body = LECTURE_REQUEST,
                          .expected = "[[37,47],[67,77]]"};
}

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void sleep_seconds(double seconds)
{
    const time_t whole = (time_t)seconds;
    nanosleep(&(struct timespec){whole, (long)((seconds - (double)whole) * 1e9)}, NULL);
}
