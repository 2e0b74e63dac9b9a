/* Heads that could be read in two ways, and others that no client of good will sends: refused, and
 * nothing of them is taken for a request.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/raw_connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POST_CONV   "POST /v1/conv HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
#define GET_SMUGGLE "GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n"

/* Sends a head and expects one problem, then the end of the connection: the rest of what was sent
 * is never answered as a request of its own. */
static void check_refused(const char *text, int status, const char *detail)
{
    raw_connection connection = raw_open(service_url());
    print_message("%.200s\n", text);
    raw_write(&connection, text);
    http_reply reply = raw_receive(&connection);
    expect_problem(&reply, status, NULL, detail);
    http_free(&reply);
    reply = raw_receive(&connection);
    assert_int_equal(reply.status, 0);
    http_free(&reply);
    raw_close(&connection);
    expect_good(service_url());
}

static void two_framings_are_refused(void **state)
{
    (void)state;
    check_refused(POST_CONV "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "0\r\n\r\n" GET_SMUGGLE,
                  400, "Content-Length|Transfer-Encoding");
    check_refused(POST_CONV "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
                            "0\r\n\r\n" GET_SMUGGLE,
                  400, "Content-Length|Transfer-Encoding");
}

static void two_lengths_are_refused(void **state)
{
    (void)state;
    check_refused(POST_CONV "Content-Length: 2\r\nContent-Length: 50\r\n\r\n{}" GET_SMUGGLE, 400,
                  "Content-Length");
}

static void none_or_two_hosts_are_refused(void **state)
{
    (void)state;
    check_refused("GET /v1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "Host");
    check_refused("GET /v1 HTTP/1.1\r\n\r\n", 400, "Host");
}

/* Who took the first one and who took the last one would disagree. */
static void repeated_headers_are_refused(void **state)
{
    (void)state;
    check_refused(POST_CONV "Content-Length: 2\r\nContent-type: text/plain\r\n\r\n{}", 400,
                  "more than one|Content-Type");
    check_refused("GET /v1 HTTP/1.1\r\nHost: a\r\nX-Request-Id: b\r\nx-request-id: c\r\n\r\n", 400,
                  "more than one|X-Request-Id");
}

static void unknown_transfer_encodings_are_501(void **state)
{
    (void)state;
    check_refused(POST_CONV "Transfer-Encoding: gzip\r\n\r\n", 501, "Transfer-Encoding");
    check_refused(POST_CONV "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501,
                  "Transfer-Encoding");
}

/* The HTTP library answers these itself, before there is a request: the status and the end of the
 * connection are what can be had. */
static void check_closed_with(const char *text, size_t size, long status)
{
    raw_connection connection = raw_open(service_url());
    raw_send(&connection, text, size);
    http_reply reply = raw_receive(&connection);
    assert_int_equal(reply.status, status);
    http_free(&reply);
    raw_close(&connection);
    expect_good(service_url());
}

static void lengths_that_are_no_number_are_400(void **state)
{
    (void)state;
    static const char *const lengths[] = {"2, 2", "-5", "1e3", "0x10", "99999999999999999999999"};
    for (size_t index = 0; index < sizeof lengths / sizeof *lengths; index++) {
        char text[256];
        const int size =
            snprintf(text, sizeof text, POST_CONV "Content-Length: %s\r\n\r\n{}", lengths[index]);
        check_closed_with(text, (size_t)size, index < 4 ? 400 : 413);
    }
}

static char *long_text(const char *before, size_t count, const char *after, size_t *size)
{
    char *text = NULL;
    *size = 0;
    text_append(&text, size, before, strlen(before));
    for (size_t index = 0; index < count; index++)
        text_append(&text, size, "a", 1);
    text_append(&text, size, after, strlen(after));
    return text;
}

static void long_targets_are_414(void **state)
{
    (void)state;
    size_t size;
    char *const text = long_text("GET /", 100000, " HTTP/1.1\r\nHost: a\r\n\r\n", &size);
    check_closed_with(text, size, 414);
    free(text);
}

static void long_headers_are_431(void **state)
{
    (void)state;
    size_t size;
    char *const text =
        long_text("GET /v1 HTTP/1.1\r\nHost: a\r\nX-Long: ", 100000, "\r\n\r\n", &size);
    check_closed_with(text, size, 431);
    free(text);
}

static void many_headers_are_431(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    static const char first[] = "GET /v1 HTTP/1.1\r\nHost: a\r\n";
    text_append(&text, &size, first, sizeof first - 1);
    for (int line = 0; line < 150; line++)
        text_append(&text, &size, "A: b\r\n", 6);
    text_append(&text, &size, "\r\n", 2);
    check_closed_with(text, size, 431);
    free(text);
}

static void noise_is_no_request(void **state)
{
    (void)state;
    static const char *const noises[] = {
        "\r\n\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "POST /v1/conv HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /v1/conv HTTP/1.1\r\nHost: a\r\nContent-Length: 1e3\r\n\r\n",
    };
    for (size_t index = 0; index < sizeof noises / sizeof *noises; index++) {
        raw_connection connection = raw_open(service_url());
        raw_write(&connection, noises[index]);
        raw_close(&connection);
        expect_good(service_url());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_framings_are_refused),
        cmocka_unit_test(two_lengths_are_refused),
        cmocka_unit_test(none_or_two_hosts_are_refused),
        cmocka_unit_test(repeated_headers_are_refused),
        cmocka_unit_test(unknown_transfer_encodings_are_501),
        cmocka_unit_test(lengths_that_are_no_number_are_400),
        cmocka_unit_test(long_targets_are_414),
        cmocka_unit_test(long_headers_are_431),
        cmocka_unit_test(many_headers_are_431),
        cmocka_unit_test(noise_is_no_request),
    };
    return service_run_tests(tests);
}
