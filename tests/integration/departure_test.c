/* Clients that leave: in the head, in the body, in the queue, in the computation, in the reply.
 * Everything that was held for them comes back.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/exposition.h"
#include "support/heavy_request.h"
#include "support/raw_connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char conv_head[] =
    "POST /v1/conv HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";

/* Half of the leavers say goodbye, the others reset the connection. */
static void leave(raw_connection *connection, int turn)
{
    if (turn % 2 == 0)
        raw_close(connection);
    else
        raw_abort(connection);
}

static void expect_at_rest(daemon_process *daemon)
{
    assert_true(daemon_is_at_rest(daemon->url));
    daemon_stop(daemon);
}

static void expect_rest(daemon_process *daemon)
{
    expect_good(daemon->url);
    expect_at_rest(daemon);
}

static void leavers_in_the_head_are_forgotten(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    for (int turn = 0; turn < 200; turn++) {
        raw_connection connection = raw_open(daemon->url);
        raw_send(&connection, conv_head, (size_t)turn % (sizeof conv_head - 1));
        leave(&connection, turn);
    }
    expect_rest(daemon);
}

static void leavers_in_the_body_are_forgotten(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    for (int turn = 0; turn < 200; turn++) {
        raw_connection connection = raw_open(daemon->url);
        raw_write(&connection, conv_head);
        raw_write(&connection, turn % 4 < 2 ? "Content-Length: 1000000\r\n\r\n{\"input\":"
                                            : "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"inp\r\n");
        leave(&connection, turn);
    }
    expect_rest(daemon);
}

/* The computation would take minutes; it ends when its client has left. */
static void check_leaver_at_work(const char *workers)
{
    daemon_process *const daemon =
        daemon_with("--workers", workers, "--deadline", "3600", "--max-multiplications", "1e15",
                    "--max-elements", "1000000000", "--max-memory", "4GiB");
    for (int turn = 0; turn < 4; turn++) {
        raw_connection connection = heavy_occupy(daemon->url, 300);
        leave(&connection, turn);
        assert_true(metric_becomes(daemon->url, "layerd_memory_in_flight_bytes", "", 0));
    }
    expect_rest(daemon);
}

static void a_leaver_ends_its_computation(void **state)
{
    (void)state;
    check_leaver_at_work("1");
    check_leaver_at_work("2");
}

static void leavers_in_the_queue_are_forgotten(void **state)
{
    (void)state;
    enum { WAITING = 20 };
    daemon_process *const daemon =
        daemon_with("--workers", "1", "--inline-multiplications", "0", "--deadline", "3600");
    heavy_request *const little = heavy_create(HEAVY_LITTLE, 1, NULL);
    raw_connection working = heavy_occupy(daemon->url, HEAVY_MOST), waiting[WAITING];
    for (int turn = 0; turn < WAITING; turn++)
        waiting[turn] = heavy_queue(little, daemon->url);
    for (int turn = 0; turn < WAITING; turn++)
        leave(&waiting[turn], turn);
    assert_true(metric_becomes(daemon->url, "layerd_queue_length", "", 0));
    assert_true(raw_silent(&working));
    raw_close(&working);
    heavy_destroy(little);
    expect_rest(daemon);
}

/* Waits for the beginning of a reply of 20 MB. */
static void ask_for_weights(raw_connection *connection)
{
    raw_post(connection, "/v1/initialize", "{\"method\":\"xavier_uniform\",\"shape\":[2000,1000]}");
    assert_true(raw_has_something(connection));
}

/* A reply of which a few bytes are taken. */
static void leavers_in_the_reply_are_forgotten(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    for (int turn = 0; turn < 10; turn++) {
        raw_connection connection = raw_open(daemon->url);
        ask_for_weights(&connection);
        leave(&connection, turn);
    }
    expect_rest(daemon);
}

/* One who takes nothing of a large reply is cut off when the time for it has passed. */
static void a_reader_that_stops_is_cut_off(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--body-timeout", "0.5", "--min-rate", "1000000000");
    raw_connection connection = raw_open(daemon->url);
    ask_for_weights(&connection);
    assert_true(daemon_is_at_rest(daemon->url));
    assert_true(metric(daemon->url, "layerd_limits_exceeded_total", "body_timeout") >= 1);
    raw_close(&connection);
    expect_good_soon(daemon->url);
    expect_at_rest(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(leavers_in_the_head_are_forgotten),
        daemon_test(leavers_in_the_body_are_forgotten),
        daemon_test(a_leaver_ends_its_computation),
        daemon_test(leavers_in_the_queue_are_forgotten),
        daemon_test(leavers_in_the_reply_are_forgotten),
        daemon_test(a_reader_that_stops_is_cut_off),
    };
    return service_run_tests(tests);
}
