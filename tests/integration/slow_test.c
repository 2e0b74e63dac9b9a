/* Clients that are slow: served within the limits, refused beyond them, and never in the way.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/exposition.h"
#include "support/raw_connection.h"
#include "support/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char conv_head[] =
    "POST /v1/conv HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";

static void wait_milliseconds(long milliseconds)
{
    nanosleep(&(struct timespec){.tv_sec = milliseconds / 1000,
                                 .tv_nsec = milliseconds % 1000 * 1000000L},
              NULL);
}

static void make_request(char *text, size_t size)
{
    snprintf(text, size, "%sContent-Length: %zu\r\n\r\n%s", conv_head, strlen(LECTURE_REQUEST),
             LECTURE_REQUEST);
}

/* Sends a byte every so often until something comes back or the connection ends. */
static size_t drip(raw_connection *connection, const char *text, size_t size, long milliseconds)
{
    size_t sent = 0;
    while (sent < size && raw_silent(connection) && raw_send(connection, text + sent, 1)) {
        wait_milliseconds(milliseconds);
        sent++;
    }
    return sent;
}

/* The reaper cannot speak TLS: it only closes. */
static void expect_refused_as_late(const daemon_process *daemon, raw_connection *connection,
                                   const char *option)
{
    if (!transport_is_tls()) {
        http_reply reply = raw_receive(connection);
        expect_problem(&reply, 408, NULL, NULL);
        http_free(&reply);
    }
    assert_true(raw_ended(connection));
    raw_close(connection);
    expect_good_soon(daemon->url);
    assert_true(metric(daemon->url, "layerd_limits_exceeded_total", option) >= 1);
}

static void a_byte_at_a_time_within_the_limits_is_served(void **state)
{
    (void)state;
    char text[512];
    make_request(text, sizeof text);
    raw_connection connection = raw_open(service_url());
    const size_t sent = drip(&connection, text, strlen(text), 5);
    assert_int_equal(sent, strlen(text));
    http_reply reply = raw_receive(&connection);
    expect_lecture(&reply);
    http_free(&reply);
    raw_close(&connection);
}

static void a_head_that_stops_is_408(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--head-timeout", "0.3");
    raw_connection connection = raw_open(daemon->url);
    raw_write(&connection, "POST /v1/conv HTTP/1.1\r\nHost:");
    expect_good_soon(daemon->url);
    expect_refused_as_late(daemon, &connection, "head_timeout");
    daemon_stop(daemon);
}

static void a_head_byte_by_byte_is_408(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--head-timeout", "0.5");
    char head[1000];
    snprintf(head, sizeof head, "%sX-Long: %0900d", conv_head, 0);
    raw_connection connection = raw_open(daemon->url);
    const size_t sent = drip(&connection, head, strlen(head), 50);
    assert_true(sent < strlen(head));
    expect_refused_as_late(daemon, &connection, "head_timeout");
    daemon_stop(daemon);
}

static void a_body_that_stops_is_408(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--body-timeout", "0.3", "--min-rate", "1000000");
    raw_connection connection = raw_open(daemon->url);
    raw_write(&connection, conv_head);
    raw_write(&connection, "Content-Length: 1000\r\n\r\n{\"input\":");
    expect_good_soon(daemon->url);
    expect_refused_as_late(daemon, &connection, "body_timeout");
    daemon_stop(daemon);
}

static void a_body_byte_by_byte_is_408(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--body-timeout", "0.5", "--min-rate", "1000000");
    raw_connection connection = raw_open(daemon->url);
    raw_write(&connection, conv_head);
    raw_write(&connection, "Content-Length: 100000\r\n\r\n");
    char blanks[1000];
    memset(blanks, ' ', sizeof blanks);
    const size_t sent = drip(&connection, blanks, sizeof blanks, 20);
    assert_true(sent < sizeof blanks);
    expect_refused_as_late(daemon, &connection, "body_timeout");
    daemon_stop(daemon);
}

static void chunks_that_stop_are_408(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--body-timeout", "0.3", "--min-rate", "1000000");
    raw_connection connection = raw_open(daemon->url);
    raw_write(&connection, conv_head);
    raw_write(&connection, "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"in");
    expect_refused_as_late(daemon, &connection, "body_timeout");
    daemon_stop(daemon);
}

/* A slow body has more time the longer it is. */
static void a_body_above_the_rate_is_served(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--body-timeout", "0.2", "--min-rate", "1");
    char text[512];
    make_request(text, sizeof text);
    const size_t head_size = (size_t)(strstr(text, "\r\n\r\n") + 4 - text);
    raw_connection connection = raw_open(daemon->url);
    raw_send(&connection, text, head_size);
    drip(&connection, text + head_size, strlen(text) - head_size, 10);
    http_reply reply = raw_receive(&connection);
    expect_lecture(&reply);
    http_free(&reply);
    raw_close(&connection);
    daemon_stop(daemon);
}

static void idle_connections_are_closed(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--idle-timeout", "0.3");
    raw_connection connection = raw_open(daemon->url);
    raw_write(&connection, "GET /v1 HTTP/1.1\r\nHost: a\r\n\r\n");
    http_reply reply = raw_receive(&connection);
    expect_status(&reply, 200);
    http_free(&reply);
    assert_true(raw_ended(&connection));
    raw_close(&connection);
    expect_good(daemon->url);
    assert_true(metric(daemon->url, "layerd_limits_exceeded_total", "idle_timeout") >= 1);
    daemon_stop(daemon);
}

static void a_connection_that_says_nothing_is_closed(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--head-timeout", "0.3", "--idle-timeout", "0.3");
    raw_connection connection = raw_open(daemon->url);
    http_reply reply = raw_receive(&connection);
    assert_true(reply.status == 0 || reply.status == 408);
    http_free(&reply);
    raw_close(&connection);
    expect_good_soon(daemon->url);
    daemon_stop(daemon);
}

/* Silent, half a head, half a body: a hundred of each, and good requests are answered meanwhile. */
static void slow_clients_are_not_in_the_way(void **state)
{
    (void)state;
    enum { SLOW = 200 };
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    static raw_connection slow[SLOW];
    for (int index = 0; index < SLOW; index++) {
        slow[index] = raw_open(daemon->url);
        if (index % 3 > 0)
            raw_write(&slow[index], conv_head);
        if (index % 3 > 1)
            raw_write(&slow[index], "Content-Length: 60000000\r\n\r\n{\"input\":");
    }
    for (int exchange = 0; exchange < 50; exchange++)
        expect_good(daemon->url);
    for (int index = 0; index < SLOW; index++)
        raw_close(&slow[index]);
    expect_good(daemon->url);
    daemon_stop(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_at_a_time_within_the_limits_is_served),
        daemon_test(a_head_that_stops_is_408),
        daemon_test(a_head_byte_by_byte_is_408),
        daemon_test(a_body_that_stops_is_408),
        daemon_test(a_body_byte_by_byte_is_408),
        daemon_test(chunks_that_stop_are_408),
        daemon_test(a_body_above_the_rate_is_served),
        daemon_test(idle_connections_are_closed),
        daemon_test(a_connection_that_says_nothing_is_closed),
        daemon_test(slow_clients_are_not_in_the_way),
    };
    return service_run_tests(tests);
}
