/* Crowds that want nothing or are slow: others are served as before, and what is too slow is gone
 * when its time is over.
 * SPDX-License-Identifier: MIT */
#include "support/expect.h"
#include "support/raw_connection.h"
#include "support/soaking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { GOOD = 8, READERS = 64 };

/* The test's own descriptors, one for each of the crowd. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* As many of these as there may be descriptors for, on both sides. */
static size_t affordable(size_t wanted)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    const size_t most = (size_t)limit.rlim_cur - 500;
    return wanted < most ? wanted : most;
}

static load_figures measure(const daemon_process *daemon)
{
    const load_options options = lecture_load(daemon, GOOD);
    return load_run(&options, soaking() ? 5 : 0.5);
}

static void expect_all_answered(const load_figures *figures)
{
    assert_int_equal(figures->failed + figures->refused, 0);
    assert_true(figures->answered > 0);
}

/* ---- Slow clients ---- */

typedef struct {
    size_t count;
    raw_connection *each;
    pthread_t dripper;
    _Atomic bool enough;
} crowd;

static const char slow_head[] = "POST /v1/conv HTTP/1.1\r\nHost: a\r\nContent-Type: "
                                "application/json\r\nContent-Length: 1000000\r\n";

/* In turn: one that says nothing, one in its head, one in its body; some that read nothing. */
static void begin_slowly(raw_connection *connection, size_t index)
{
    if (index < READERS)
        raw_post(connection, "/v1/initialize",
                 "{\"method\":\"xavier_uniform\",\"shape\":[1000,2000],"
                 "\"output_format\":\"binary\"}");
    else if (index % 3 > 0)
        raw_write(connection, slow_head);
    if (index >= READERS && index % 3 > 1)
        raw_write(connection, "\r\n{\"input\":");
}

/* A byte a second from each that is in its head or body. */
static void *drip(void *argument)
{
    crowd *const slow = argument;
    for (size_t index = 0; !atomic_load(&slow->enough); index = (index + 1) % slow->count) {
        if (index >= READERS && index % 3 > 0)
            (void)!send(slow->each[index].descriptor, index % 3 > 1 ? " " : "X", 1,
                        MSG_NOSIGNAL | MSG_DONTWAIT);
        sleep_seconds(1.0 / (double)slow->count);
    }
    return NULL;
}

static void gather(crowd *slow, const daemon_process *daemon)
{
    slow->each = calloc(slow->count, sizeof *slow->each);
    assert_non_null(slow->each);
    for (size_t index = 0; index < slow->count; index++) {
        slow->each[index] = raw_open(daemon->url);
        begin_slowly(&slow->each[index], index);
    }
    for (size_t index = 0; index < READERS; index++)
        assert_true(raw_has_something(&slow->each[index]));
    assert_int_equal(pthread_create(&slow->dripper, NULL, drip, slow), 0);
}

static void disperse(crowd *slow)
{
    atomic_store(&slow->enough, true);
    pthread_join(slow->dripper, NULL);
    for (size_t index = 0; index < slow->count; index++)
        raw_close(&slow->each[index]);
    free(slow->each);
}

static bool only_we_are_left(void *daemon)
{
    return daemon_holdings(daemon).connections <= 1;
}

static void slow_clients_beside_good_ones(void **state)
{
    (void)state;
    const double deadline = soaking() ? 8 : 4;
    char timeout[16];
    snprintf(timeout, sizeof timeout, "%g", deadline);
    daemon_process *const daemon = daemon_with(
        "--max-connections-per-address", "4000", "--head-timeout", timeout, "--body-timeout",
        timeout, "--idle-timeout", timeout, "--min-rate", "1GiB", "--log", "error");
    raise_descriptor_limit();
    crowd slow = {.count = soak_count(300, 1000)};
    const load_figures alone = measure(daemon);
    const double begun = seconds_now();
    gather(&slow, daemon);
    const double gathered = seconds_now();
    const load_figures beside = measure(daemon);
    assert_true(wait_until(only_we_are_left, daemon));
    const double gone = seconds_now();
    disperse(&slow);
    if (soaking()) { /* a busy machine may hold up good ones, too, for as long as the deadline */
        expect_all_answered(&alone);
        expect_all_answered(&beside);
    }
    assert_true(alone.answered > 0 && beside.answered > 0);
    soak_figure("slow clients: in the head, in the body, in reading the reply",
                "others' p99 at most 3 times as long; all gone by their deadline and 1 s",
                "%zu clients, gathered in %.1f s: p99 of others %.1f ms beside %.1f ms alone "
                "(median %.2f, %.2f ms); with a deadline of %g s the last was gone %.1f s after "
                "it had come",
                slow.count, gathered - begun, beside.nearly_all * 1e3, alone.nearly_all * 1e3,
                beside.half * 1e3, alone.half * 1e3, deadline, gone - gathered);
    expect_good_soon(daemon->url);
    daemon_stop(daemon);
}

/* ---- Idle ones ---- */

struct crowd_memory {
    const daemon_process *daemon;
    double before, during;
};

/* Nearly all memory that the crowd took. */
static bool has_returned(void *context)
{
    const struct crowd_memory *const of = context;
    return of->during - daemon_holdings(of->daemon).memory > 0.8 * (of->during - of->before);
}

static void idle_connections_cost_little(void **state)
{
    (void)state;
    raise_descriptor_limit();
    const size_t count = affordable(soak_count(1000, 10000));
    daemon_process *const daemon =
        daemon_with("--max-connections", "20000", "--max-connections-per-address", "20000",
                    "--head-timeout", "600", "--idle-timeout", "600", "--log", "error");
    raw_connection *const idle = calloc(count, sizeof *idle);
    assert_non_null(idle);
    const load_figures alone = measure(daemon);
    const holdings before = daemon_holdings(daemon);
    for (size_t index = 0; index < count; index++) {
        idle[index] = raw_open(daemon->url);
        raw_write(&idle[index], "GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (size_t index = 0; index < count; index++)
        assert_true(raw_has_something(&idle[index]));
    const load_figures beside = measure(daemon);
    const holdings during = daemon_holdings(daemon);
    for (size_t index = 0; index < count; index++)
        raw_close(&idle[index]);
    wait_for_holdings(daemon, &before);
    sleep_seconds(soaking() ? 6 : 0); /* the reaper tidies up now and then */
    const struct crowd_memory memory = {daemon, before.memory, during.memory};
    const bool returned = sanitized() || wait_until(has_returned, (void *)(uintptr_t)&memory);
    const holdings after = daemon_holdings(daemon);
    soak_figure("idle connections", "others' p99 at most twice as long; memory back within 20 %",
                "%zu connections: p99 of others %.1f ms beside %.1f ms alone (median %.2f, %.2f "
                "ms); resident memory %.1f MB before, %.1f MB with them, %.1f MB after",
                count, beside.nearly_all * 1e3, alone.nearly_all * 1e3, beside.half * 1e3,
                alone.half * 1e3, before.memory / 1e6, during.memory / 1e6, after.memory / 1e6);
    expect_all_answered(&alone);
    expect_all_answered(&beside);
    assert_true(during.connections >= (double)count);
    assert_true(returned);
    free(idle);
    expect_good(daemon->url);
    daemon_stop(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(slow_clients_beside_good_ones),
        daemon_test(idle_connections_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
