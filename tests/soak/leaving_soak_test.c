/* Clients that vanish, thousands of them: in mid-body, while their request waits or is computed, in
 * mid-reply. All that they held comes back.
 * SPDX-License-Identifier: MIT */
#include "support/expect.h"
#include "support/heavy_request.h"
#include "support/soaking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

enum { AT_A_TIME = 50 };

static const char weights[] =
    "{\"method\":\"xavier_uniform\",\"shape\":[1000,500],\"output_format\":\"binary\"}";

static heavy_request *heavy;

static void begin_body(raw_connection *connection)
{
    raw_write(connection, "POST /v1/conv HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
                          "{\"input\":[[1,2,3");
}

static void wait_for_worker(raw_connection *connection)
{
    (void)connection;
}

/* The first bytes of 2 MB, more than the sockets' buffers take at once. */
static void begin_reply(raw_connection *connection)
{
    raw_post(connection, "/v1/initialize", weights);
    assert_true(raw_has_something(connection));
}

/* Half of them say goodbye, the others reset the connection. */
static void leave(raw_connection *connection, size_t turn)
{
    if (turn % 2 == 0)
        raw_close(connection);
    else
        raw_abort(connection);
}

/* Several at a time, which leave in the order in which they came. */
static void come_and_leave(const daemon_process *daemon, size_t count,
                           void (*begin)(raw_connection *connection))
{
    static raw_connection here[AT_A_TIME];
    for (size_t turn = 0; turn < count + AT_A_TIME; turn++) {
        raw_connection *const place = &here[turn % AT_A_TIME];
        if (turn >= AT_A_TIME)
            leave(place, turn);
        if (turn >= count)
            continue;
        *place = begin == wait_for_worker ? heavy_send(heavy, daemon->url) : raw_open(daemon->url);
        begin(place);
    }
}

static void vanish(const char *fault, size_t count, void (*begin)(raw_connection *connection))
{
    daemon_process *const daemon = daemon_with(
        "--workers", "1", "--queue", "200", "--inline-multiplications", "0", "--log", "error",
        "--max-connections", "12000", "--max-connections-per-address", "12000");
    heavy = heavy_create(HEAVY_LITTLE, 4, NULL);
    come_and_leave(daemon, AT_A_TIME, begin);
    expect_good(daemon->url);
    sleep_seconds(0.5);
    const holdings before = daemon_holdings(daemon);
    come_and_leave(daemon, count, begin);
    const double seconds = wait_for_holdings(daemon, &before);
    sleep_seconds(soaking() ? 2 : 0);
    const holdings after = daemon_holdings(daemon);
    soak_figure(fault, "descriptors, queue, memory of requests back within 2 s",
                "%zu clients: back after %.1f s; %.0f descriptors before, %.0f after; resident "
                "memory %.1f MB, %.1f MB",
                count, seconds, before.descriptors, after.descriptors, before.memory / 1e6,
                after.memory / 1e6);
    expect_good(daemon->url);
    heavy_destroy(heavy);
    daemon_stop(daemon);
}

static void leavers_in_mid_body(void **state)
{
    (void)state;
    vanish("clients vanish in mid-body", soak_count(300, 10000), begin_body);
}

static void leavers_while_suspended(void **state)
{
    (void)state;
    vanish("clients vanish while their request waits for a worker or is computed",
           soak_count(300, 10000), wait_for_worker);
}

static void leavers_in_mid_reply(void **state)
{
    (void)state;
    vanish("clients vanish in mid-reply", soak_count(100, 10000), begin_reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(leavers_in_mid_body),
        daemon_test(leavers_while_suspended),
        daemon_test(leavers_in_mid_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
