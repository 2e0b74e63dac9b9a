/* HTTP to the letter: methods, targets, codings, and what browsers ask.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/exposition.h"
#include "support/raw_connection.h"
#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Methods ---- */

static const struct {
    const char *path, *allow;
} resources[] = {
    {"/v1/conv", "POST, OPTIONS"},
    {"/v1/initialize", "POST, OPTIONS"},
    {"/v1", "GET, HEAD, OPTIONS"},
    {"/openapi.json", "GET, HEAD, OPTIONS"},
    {"/v2", "GET, HEAD, OPTIONS"},
    {"/v2/health/live", "GET, HEAD, OPTIONS"},
    {"/v2/health/ready", "GET, HEAD, OPTIONS"},
    {"/metrics", "GET, HEAD, OPTIONS"},
    {"*", "GET, HEAD, POST, OPTIONS"},
};

enum { RESOURCE_COUNT = sizeof resources / sizeof *resources };

static void options_tells_the_methods(void **state)
{
    (void)state;
    raw_connection connection = raw_open(service_url());
    for (size_t index = 0; index < RESOURCE_COUNT; index++) {
        char text[128];
        snprintf(text, sizeof text, "OPTIONS %s HTTP/1.1\r\nHost: a\r\n\r\n",
                 resources[index].path);
        raw_write(&connection, text);
        http_reply reply = raw_receive(&connection);
        expect_status(&reply, 204);
        assert_string_equal(http_header(&reply, "Allow"), resources[index].allow);
        assert_null(http_header(&reply, "Content-Type"));
        assert_int_equal(reply.body_size, 0);
        http_free(&reply);
    }
    raw_close(&connection);
    http_reply reply =
        http_send(service_url(), &(http_request){.method = "OPTIONS", .path = "/nothing"});
    expect_problem(&reply, 404, "", NULL);
    http_free(&reply);
}

static void head_is_get_without_a_body(void **state)
{
    (void)state;
    for (size_t index = 0; index + 1 < RESOURCE_COUNT; index++) {
        const char *const path = resources[index].path;
        const bool reads = strncmp(resources[index].allow, "GET", 3) == 0;
        http_reply head = http_send(service_url(), &(http_request){.method = "HEAD", .path = path});
        expect_status(&head, reads ? 200 : 405);
        assert_int_equal(head.body_size, 0);
        http_reply get = http_get(service_url(), path);
        expect_status(&get, head.status);
        assert_string_equal(http_header(&head, "Content-Type"), http_header(&get, "Content-Type"));
        if (strcmp(path, "/metrics") != 0)
            assert_string_equal(http_header(&head, "Content-Length"),
                                http_header(&get, "Content-Length"));
        http_free(&head);
        http_free(&get);
    }
}

/* ---- Targets ---- */

static void check_target(const char *target, long status)
{
    char text[256];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    http_reply reply = raw_exchange(service_url(), text);
    print_message("%s: %ld\n", target, reply.status);
    if (status == 200)
        expect_status(&reply, 200);
    else
        expect_problem(&reply, (int)status, "", NULL);
    http_free(&reply);
}

static void percent_encoding_is_undone_where_it_means_nothing(void **state)
{
    (void)state;
    check_target("/%76%31", 200);
    check_target("/openapi%2Ejson", 200);
    check_target("/openapi%2ejson?a=%zz", 200);
    check_target("/v2/health%2Flive", 404);
    check_target("/v2%00", 404);
    check_target("/v1%25", 404);
    check_target("/%2576%31", 404);
    check_target("/v1%", 400);
    check_target("/v1%7", 400);
    check_target("/v1%7g", 400);
    check_target("/%%7631", 400);
}

static void dots_and_slashes_lead_nowhere(void **state)
{
    (void)state;
    check_target("/v2/../v1", 404);
    check_target("/./v1", 404);
    check_target("/v2/%2e%2e/v1", 404);
    check_target("/../../etc/passwd", 404);
    check_target("//v1", 404);
    check_target("/v1/", 404);
    check_target("/V1", 404);
}

static void an_authority_before_the_path_is_skipped(void **state)
{
    (void)state;
    check_target("http://a/v1", 200);
    check_target("HTTPS://a:1/v1?b", 200);
    check_target("http://a", 404);
    check_target("ftp://a/v1", 404);
}

/* ---- Codings ---- */

static void check_coding(const char *header, int status)
{
    http_reply reply = http_send(service_url(), &(http_request){.path = "/v1/conv",
                                                                .headers = HTTP_HEADERS(header),
                                                                .body = LECTURE_REQUEST});
    if (status == 200)
        expect_lecture(&reply);
    else
        expect_problem(&reply, status, "", "Content-Encoding");
    const char *const accepted = http_header(&reply, "Accept-Encoding");
    if (status == 200)
        assert_null(accepted);
    else
        assert_string_equal(accepted, "identity");
    http_free(&reply);
    expect_good(service_url());
}

static void bodies_that_are_coded_are_415(void **state)
{
    (void)state;
    check_coding("Content-Encoding: gzip", 415);
    check_coding("Content-Encoding: br", 415);
    check_coding("Content-Encoding: identity, gzip", 415);
    check_coding("Content-Encoding: Identity", 200);
    check_coding("Content-Encoding;", 200);
}

/* By the head alone. */
static void a_coded_body_is_not_waited_for(void **state)
{
    (void)state;
    http_reply reply = raw_exchange(
        service_url(), "POST /v1/conv HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                       "Content-Encoding: gzip\r\nContent-Length: 1000000\r\n\r\n");
    expect_problem(&reply, 415, "", "Content-Encoding");
    http_free(&reply);
}

/* ---- Pages of other sites ---- */

#define PAGE     "https://page.example"
#define OTHER    "http://localhost:3000"
#define STRANGER "https://stranger.example"

static http_reply ask_from(const char *url, const char *origin, const char *method,
                           const char *more)
{
    static char header[200];
    snprintf(header, sizeof header, "Origin: %s", origin);
    return http_send(url, &(http_request){.method = method,
                                          .path = "/v1/conv",
                                          .headers = HTTP_HEADERS(header, more),
                                          .body = method == NULL ? LECTURE_REQUEST : NULL});
}

static void check_readable(const char *url, const char *origin, const char *allowed)
{
    http_reply reply = ask_from(url, origin, NULL, "X-None: 1");
    expect_lecture(&reply);
    const char *const found = http_header(&reply, "Access-Control-Allow-Origin");
    if (allowed == NULL) {
        assert_null(found);
        assert_null(http_header(&reply, "Access-Control-Expose-Headers"));
    } else {
        assert_non_null(found);
        assert_string_equal(found, allowed);
        assert_non_null(strstr(http_header(&reply, "Access-Control-Expose-Headers"),
                               "Inference-Header-Content-Length"));
    }
    http_free(&reply);
}

static void pages_read_nothing_by_default(void **state)
{
    (void)state;
    check_readable(service_url(), PAGE, NULL);
    http_reply reply =
        ask_from(service_url(), PAGE, "OPTIONS", "Access-Control-Request-Method: POST");
    expect_status(&reply, 204);
    assert_null(http_header(&reply, "Access-Control-Allow-Origin"));
    assert_null(http_header(&reply, "Vary"));
    http_free(&reply);
}

static void pages_of_the_list_read(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--cors-origins", PAGE "," OTHER);
    check_readable(daemon->url, PAGE, PAGE);
    check_readable(daemon->url, OTHER, OTHER);
    check_readable(daemon->url, STRANGER, NULL);
    check_readable(daemon->url, "https://page.exampl", NULL);
    check_readable(daemon->url, PAGE ".evil", NULL);
    check_readable(daemon->url, "null", NULL);
    check_readable(daemon->url, PAGE "," OTHER, NULL);
    http_reply reply = ask_from(daemon->url, STRANGER, NULL, "X-None: 1");
    assert_string_equal(http_header(&reply, "Vary"), "Origin");
    http_free(&reply);
    daemon_stop(daemon);
}

static void a_star_is_for_all_pages(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--cors-origins", "*");
    check_readable(daemon->url, STRANGER, "*");
    http_reply reply = http_post(daemon->url, "/v1/conv", LECTURE_REQUEST);
    assert_null(http_header(&reply, "Access-Control-Allow-Origin"));
    http_free(&reply);
    daemon_stop(daemon);
}

/* A browser asks first, without a token; then it sends one. */
static void a_preflight_needs_no_token(void **state)
{
    (void)state;
    const char *const file = scratch_write("tokens", "0123456789abcdef\n");
    daemon_process *const daemon = daemon_with("--cors-origins", PAGE, "--token-file", file);
    http_reply reply =
        ask_from(daemon->url, PAGE, "OPTIONS", "Access-Control-Request-Method: POST");
    expect_status(&reply, 204);
    assert_string_equal(http_header(&reply, "Access-Control-Allow-Origin"), PAGE);
    assert_non_null(strstr(http_header(&reply, "Access-Control-Allow-Methods"), "POST"));
    assert_non_null(strstr(http_header(&reply, "Access-Control-Allow-Headers"), "Authorization"));
    assert_true(atoi(http_header(&reply, "Access-Control-Max-Age")) > 0);
    http_free(&reply);
    reply = ask_from(daemon->url, PAGE, NULL, "X-None: 1");
    expect_problem(&reply, 401, "", NULL);
    assert_string_equal(http_header(&reply, "Access-Control-Allow-Origin"), PAGE);
    http_free(&reply);
    reply = ask_from(daemon->url, PAGE, NULL, "Authorization: Bearer 0123456789abcdef");
    expect_lecture(&reply);
    http_free(&reply);
    daemon_stop(daemon);
}

static void origins_that_no_browser_sends_are_no_start(void **state)
{
    (void)state;
    static const char *const origins[] = {"page.example",     PAGE "/", "https://",
                                          "ftp://a",          PAGE ",", PAGE ", " OTHER,
                                          "https://A.example"};
    for (size_t index = 0; index < sizeof origins / sizeof *origins; index++) {
        daemon_result result =
            daemon_run((const char *const[]){"--cors-origins", origins[index], NULL}, NULL);
        print_message("%s", result.errors);
        assert_int_equal(result.status, 1);
        assert_non_null(strstr(result.errors, "--cors-origins"));
        daemon_result_free(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_tells_the_methods),
        cmocka_unit_test(head_is_get_without_a_body),
        cmocka_unit_test(percent_encoding_is_undone_where_it_means_nothing),
        cmocka_unit_test(dots_and_slashes_lead_nowhere),
        cmocka_unit_test(an_authority_before_the_path_is_skipped),
        cmocka_unit_test(bodies_that_are_coded_are_415),
        cmocka_unit_test(a_coded_body_is_not_waited_for),
        cmocka_unit_test(pages_read_nothing_by_default),
        daemon_test(pages_of_the_list_read),
        daemon_test(a_star_is_for_all_pages),
        daemon_test(a_preflight_needs_no_token),
        daemon_test(origins_that_no_browser_sends_are_no_start),
    };
    return service_run_tests(tests);
}
