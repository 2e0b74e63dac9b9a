/* Requests over the limits: 413 that says which limit, its value and what was asked.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/exposition.h"
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

/* The daemon has turned clients away by this limit alone. */
static void expect_counted(const char *url, const char *option)
{
    char label[64];
    snprintf(label, sizeof label, "option=\"%s\"", option);
    assert_true(metric(url, "layerd_limits_exceeded_total", label) >= 1);
    assert_true(metric(url, "layerd_limits_exceeded_total", "") ==
                metric(url, "layerd_limits_exceeded_total", label));
}

/* A request with so many blanks after it. */
static char *padded_request(size_t size)
{
    char *const text = malloc(size + 1);
    assert_non_null(text);
    memset(text, ' ', size);
    memcpy(text, LECTURE_REQUEST, strlen(LECTURE_REQUEST));
    text[size] = '\0';
    return text;
}

static void check_too_large(const char *url, const char *path, const char *body, const char *detail)
{
    http_reply reply = http_post(url, path, body);
    expect_problem(&reply, 413, NULL, detail);
    http_free(&reply);
    expect_good(url);
}

/* Nothing of the body is sent: the head is enough. */
static void a_long_body_is_refused_by_its_head(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--max-body", "100000", "--max-json", "1MiB");
    raw_connection connection = raw_open(daemon->url);
    raw_write(&connection, conv_head);
    raw_write(&connection, "Content-Length: 100001\r\n\r\n");
    http_reply reply = raw_receive(&connection);
    expect_problem(&reply, 413, NULL, "100000|100001");
    http_free(&reply);
    raw_close(&connection);
    expect_good(daemon->url);
    expect_counted(daemon->url, "max_body");
    daemon_stop(daemon);
}

static void a_long_body_that_is_sent_is_refused(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--max-body", "100000");
    char *const just = padded_request(100000), *const over = padded_request(3000000);
    http_reply reply = http_post(daemon->url, "/v1/conv", just);
    expect_lecture(&reply);
    http_free(&reply);
    for (int round = 0; round < 20; round++)
        check_too_large(daemon->url, "/v1/conv", over, "100000|3000000");
    free(just);
    free(over);
    expect_counted(daemon->url, "max_body");
    daemon_stop(daemon);
}

static void chunks_past_the_limit_are_refused(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--max-body", "100000");
    char *const over = padded_request(300000);
    const http_request request = {.path = "/v1/conv", .body = over, .chunked = true};
    http_reply reply = http_send(daemon->url, &request);
    expect_problem(&reply, 413, NULL, "100000");
    http_free(&reply);
    expect_good(daemon->url);
    free(over);
    expect_counted(daemon->url, "max_body");
    daemon_stop(daemon);
}

/* Somebody who never stops sending is cut off, with a reply or without. */
static void chunks_without_end_are_cut_off(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--max-body", "100000");
    raw_connection connection = raw_open(daemon->url);
    raw_write(&connection, conv_head);
    raw_write(&connection, "Transfer-Encoding: chunked\r\n\r\n");
    char chunk[4096 + 8];
    memset(chunk, ' ', sizeof chunk);
    memcpy(chunk, "1000\r\n", 6);
    memcpy(chunk + 6 + 4096, "\r\n", 2);
    size_t chunks = 0;
    while (chunks < 100000 && raw_send(&connection, chunk, sizeof chunk))
        chunks++;
    assert_true(chunks < 100000);
    raw_close(&connection);
    expect_good(daemon->url);
    daemon_stop(daemon);
}

static void long_json_is_refused(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--max-json", "50000");
    char *const over = padded_request(60000);
    check_too_large(daemon->url, "/v1/conv", over, "50000|60000");
    free(over);
    expect_counted(daemon->url, "max_json");
    daemon_stop(daemon);
}

static void large_tensors_are_refused(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--max-elements", "10");
    check_too_large(daemon->url, "/v1/conv", "{\"input\":[1,2,3,4,5,6,7,8,9,10,11],\"weight\":[1]}",
                    "10");
    check_too_large(daemon->url, "/v1/conv", "{\"input\":[1,2,3,4,5,6],\"weight\":[1],\"pads\":3}",
                    "10|12");
    check_too_large(daemon->url, "/v1/initialize", "{\"method\":\"xavier_normal\",\"shape\":[3,4]}",
                    "10|12");
    expect_counted(daemon->url, "max_elements");
    daemon_stop(daemon);
}

static void long_axes_are_refused(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--max-axis", "10");
    check_too_large(daemon->url, "/v1/conv", "{\"input\":[1,2,3,4,5,6,7,8,9,10,11],\"weight\":[1]}",
                    "an axis is 10|11");
    check_too_large(daemon->url, "/v1/initialize", "{\"method\":\"constant\",\"shape\":[3,12]}",
                    "an axis is 10|12");
    expect_counted(daemon->url, "max_axis");
    daemon_stop(daemon);
}

static void many_multiplications_are_refused(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--max-multiplications", "20");
    check_too_large(daemon->url, "/v1/conv",
                    "{\"input\":[1,2,3,4,5,6,7,8,9,10],\"weight\":[1,2,3]}",
                    "multiplications|20|24");
    expect_counted(daemon->url, "max_multiplications");
    daemon_stop(daemon);
}

static void much_memory_is_refused(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--max-memory", "8MiB");
    check_too_large(daemon->url, "/v1/initialize",
                    "{\"method\":\"xavier_normal\",\"shape\":[2000,2000],"
                    "\"output_format\":\"binary\"}",
                    "memory");
    expect_counted(daemon->url, "max_memory");
    daemon_stop(daemon);
}

static void a_body_larger_than_all_memory_is_refused(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--max-memory", "8MiB");
    char *const over = padded_request(10 << 20);
    check_too_large(daemon->url, "/v1/conv", over, "memory");
    free(over);
    expect_counted(daemon->url, "max_memory");
    daemon_stop(daemon);
}

/* What is only announced keeps nobody else from being served. */
static void bodies_that_never_come_hold_no_memory(void **state)
{
    (void)state;
    enum { COUNT = 8 };
    daemon_process *const daemon = daemon_with("--max-memory", "16MiB");
    raw_connection waiting[COUNT];
    for (int i = 0; i < COUNT; i++) {
        waiting[i] = raw_open(daemon->url);
        raw_write(&waiting[i], conv_head);
        raw_write(&waiting[i], "Content-Length: 8000000\r\n\r\n{\"input\":");
    }
    expect_good(daemon->url);
    for (int i = 0; i < COUNT; i++)
        raw_close(&waiting[i]);
    expect_good(daemon->url);
    daemon_stop(daemon);
}

static void check_refused(const char *body, int status, const char *detail)
{
    http_reply reply = http_post(service_url(), "/v1/conv", body);
    expect_problem(&reply, status, NULL, detail);
    http_free(&reply);
    expect_good(service_url());
}

static char *repeated(const char *before, const char *unit, size_t count, const char *after)
{
    char *text = NULL;
    size_t size = 0;
    text_append(&text, &size, before, strlen(before));
    for (size_t index = 0; index < count; index++)
        text_append(&text, &size, unit, strlen(unit));
    text_append(&text, &size, after, strlen(after));
    return text;
}

static void json_has_limits_of_its_own(void **state)
{
    (void)state;
    char *deep = repeated("", "[", 100000, "");
    check_refused(deep, 400, "32");
    free(deep);
    deep = repeated("", "{\"a\":", 100000, "");
    check_refused(deep, 400, "32");
    free(deep);
    char *const string = repeated("{\"mode\":\"", "x", 5000, "\"}");
    check_refused(string, 413, "4096");
    free(string);
    char *members = NULL;
    size_t size = 0;
    for (int index = 0; index < 100; index++) {
        char member[32];
        const int length =
            snprintf(member, sizeof member, "%s\"a%d\":1", index > 0 ? "," : "{", index);
        text_append(&members, &size, member, (size_t)length);
    }
    text_append(&members, &size, "}", 1);
    check_refused(members, 413, "64");
    free(members);
}

static void bounds_that_are_no_option_are_counted_too(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    char *const string = repeated("{\"mode\":\"", "x", 5000, "\"}");
    check_too_large(daemon->url, "/v1/conv", string, "4096");
    free(string);
    expect_counted(daemon->url, "none");
    daemon_stop(daemon);
}

/* A head that the HTTP library has room for, and we have not. */
static void long_heads_are_counted(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--max-header", "2000");
    char header[3000] = "X-Long: ";
    memset(header + 8, 'a', 2500);
    http_reply reply =
        http_send(daemon->url, &(http_request){.path = "/v1", .headers = HTTP_HEADERS(header)});
    expect_problem(&reply, 431, "", "2000");
    http_free(&reply);
    expect_counted(daemon->url, "max_header");
    daemon_stop(daemon);
}

/* Geometry beyond the bounds: which status it is depends on the bound, that it is a problem not. */
static void extreme_geometry_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"input\":[1],\"weight\":[1],\"strides\":2147483648}",
        "{\"input\":[1],\"weight\":[1],\"pads\":2147483647}",
        "{\"input\":[1],\"weight\":[1],\"dilations\":1e30}",
        "{\"input\":[1],\"weight\":[1],\"strides\":-1}",
        "{\"input\":{\"shape\":[65537,65537,65537],\"data\":[1]},\"weight\":[1]}",
        "{\"input\":{\"shape\":[2147483647,2147483647],\"data\":[1]},\"weight\":[1]}",
        "{\"input\":{\"shape\":[1e300],\"data\":[1]},\"weight\":[1]}",
        "{\"input\":{\"shape\":[-1,-1],\"data\":[1]},\"weight\":[1]}",
        "{\"input\":[[[[[[1]]]]]],\"weight\":[[[[[1]]]]]}",
    };
    for (size_t index = 0; index < sizeof bodies / sizeof *bodies; index++) {
        http_reply reply = http_post(service_url(), "/v1/conv", bodies[index]);
        print_message("%s\n", bodies[index]);
        if (reply.status != 413)
            expect_problem(&reply, 422, NULL, NULL);
        else
            expect_problem(&reply, 413, NULL, NULL);
        http_free(&reply);
        expect_good(service_url());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(a_long_body_is_refused_by_its_head),
        daemon_test(a_long_body_that_is_sent_is_refused),
        daemon_test(chunks_past_the_limit_are_refused),
        daemon_test(chunks_without_end_are_cut_off),
        daemon_test(long_json_is_refused),
        daemon_test(large_tensors_are_refused),
        daemon_test(long_axes_are_refused),
        daemon_test(many_multiplications_are_refused),
        daemon_test(much_memory_is_refused),
        daemon_test(a_body_larger_than_all_memory_is_refused),
        daemon_test(bodies_that_never_come_hold_no_memory),
        daemon_test(bounds_that_are_no_option_are_counted_too),
        daemon_test(long_heads_are_counted),
        cmocka_unit_test(json_has_limits_of_its_own),
        cmocka_unit_test(extreme_geometry_is_refused),
    };
    return service_run_tests(tests);
}
