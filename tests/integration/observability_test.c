/* What the daemon tells of itself: request ids, timings, log, metrics, health, its own description.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Request ids and timings ---- */

static http_reply post_with(const char *url, const char *header)
{
    return http_send(url, &(http_request){.path = "/v1/conv",
                                          .headers = HTTP_HEADERS(header),
                                          .body = LECTURE_REQUEST});
}

static void a_request_id_is_echoed_and_logged(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    http_reply reply = post_with(daemon->url, "X-Request-Id: walnut-7");
    expect_lecture(&reply);
    assert_string_equal(http_header(&reply, "X-Request-Id"), "walnut-7");
    http_free(&reply);
    cJSON *const line = daemon_log_line(daemon, "request_id", "walnut-7");
    assert_non_null(line);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(line, "status")->valueint, 200);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(line, "path")->valuestring, "/v1/conv");
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(line, "method")->valuestring, "POST");
    cJSON_Delete(line);
    assert_int_equal(daemon_log_count(daemon, "request_id", "walnut-7"), 1);
    daemon_stop(daemon);
}

static void a_missing_or_malformed_request_id_is_made(void **state)
{
    (void)state;
    char header[600] = "X-Request-Id: ", before[200] = "";
    memset(header + strlen(header), 'x', 500);
    const char *const headers[] = {"X-None: 1", "X-Request-Id;", "X-Request-Id: \xc3\xa4", header};
    for (size_t index = 0; index < sizeof headers / sizeof *headers; index++) {
        http_reply reply = post_with(service_url(), headers[index]);
        expect_lecture(&reply);
        const char *const id = http_header(&reply, "X-Request-Id");
        assert_non_null(id);
        assert_true(strlen(id) >= 8 && strlen(id) < sizeof before);
        assert_true(strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz-") == strlen(id));
        assert_string_not_equal(id, before);
        strcpy(before, id);
        http_free(&reply);
    }
}

static void errors_carry_a_request_id_too(void **state)
{
    (void)state;
    const http_request requests[] = {
        {.path = "/nothing", .headers = HTTP_HEADERS("X-Request-Id: acorn")},
        {.path = "/v1/conv", .headers = HTTP_HEADERS("X-Request-Id: acorn"), .body = "{"},
        {.path = "/v1/conv", .headers = HTTP_HEADERS("X-Request-Id: acorn"), .body = "{}"},
    };
    for (size_t index = 0; index < sizeof requests / sizeof *requests; index++) {
        http_reply reply = http_send(service_url(), &requests[index]);
        assert_true(reply.status >= 400);
        assert_string_equal(http_header(&reply, "X-Request-Id"), "acorn");
        http_free(&reply);
    }
}

static void server_timing_has_four_phases(void **state)
{
    (void)state;
    static const char *const phases[] = {"parse", "queue", "compute", "write"};
    http_reply reply = http_post(service_url(), "/v1/conv", LECTURE_REQUEST);
    expect_lecture(&reply);
    const char *const timing = http_header(&reply, "Server-Timing");
    assert_non_null(timing);
    for (size_t index = 0; index < sizeof phases / sizeof *phases; index++) {
        char form[32];
        double milliseconds = -1;
        const char *const at = strstr(timing, phases[index]);
        assert_non_null(at);
        snprintf(form, sizeof form, "%s;dur=%%lf", phases[index]);
        assert_int_equal(sscanf(at, form, &milliseconds), 1);
        assert_true(milliseconds >= 0);
    }
    http_free(&reply);
}

static void a_malformed_timeout_is_400(void **state)
{
    (void)state;
    static const char *const headers[] = {"X-Request-Timeout: soon", "X-Request-Timeout: -1",
                                          "X-Request-Timeout: 1s", "X-Request-Timeout: nan"};
    for (size_t index = 0; index < sizeof headers / sizeof *headers; index++) {
        http_reply reply = post_with(service_url(), headers[index]);
        expect_problem(&reply, 400, NULL, "X-Request-Timeout");
        http_free(&reply);
        expect_good(service_url());
    }
}

/* ---- The log ---- */

static void there_is_one_line_per_request(void **state)
{
    (void)state;
    enum { REQUESTS = 50 };
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    char header[64], id[32];
    for (int request = 0; request < REQUESTS; request++) {
        snprintf(header, sizeof header, "X-Request-Id: line-%d", request);
        http_reply reply = post_with(daemon->url, header);
        http_free(&reply);
    }
    for (int request = 0; request < REQUESTS; request++) {
        snprintf(id, sizeof id, "line-%d", request);
        cJSON *const line = daemon_log_line(daemon, "request_id", id);
        assert_non_null(line);
        cJSON_Delete(line);
        assert_int_equal(daemon_log_count(daemon, "request_id", id), 1);
    }
    daemon_stop(daemon);
}

/* Whatever a client puts into the head, a line of the log stays one JSON object. */
static void the_log_cannot_be_forged(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    static const char *const paths[] = {"/\"}{\"request_id\":\"forged\"}", "/%0a%22", "/\\\\",
                                        "/\xff\xfe", "/?a=\"b\""};
    for (size_t index = 0; index < sizeof paths / sizeof *paths; index++) {
        http_reply reply = http_send(
            daemon->url,
            &(http_request){.path = paths[index],
                            .headers = HTTP_HEADERS("X-Request-Id: a\",\"request_id\":\"forged")});
        assert_true(reply.status == 400 || reply.status == 404);
        http_free(&reply);
    }
    http_reply reply = post_with(daemon->url, "X-Request-Id: last");
    http_free(&reply);
    cJSON *const line = daemon_log_line(daemon, "request_id", "last");
    assert_non_null(line);
    cJSON_Delete(line);
    assert_int_equal(daemon_log_count(daemon, "request_id", "forged"), 0);
    daemon_check_log(daemon);
    daemon_stop(daemon);
}

/* ---- Metrics ---- */

static void metrics_are_prometheus_text(void **state)
{
    (void)state;
    expect_good(service_url());
    http_reply reply = http_get(service_url(), "/metrics");
    expect_status(&reply, 200);
    assert_int_equal(strncmp(http_header(&reply, "Content-Type"), "text/plain; version=0.0.4", 25),
                     0);
    exposition_check(reply.body);
    http_free(&reply);
}

static void counters_count(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    static const char good[] = "operation=\"conv\",status=\"200\"",
                      bad[] = "operation=\"conv\",status=\"422\"",
                      phase[] = "operation=\"conv\",phase=\"compute\"";
    for (int round = 0; round < 5; round++)
        expect_good(daemon->url);
    for (int round = 0; round < 3; round++) {
        http_reply reply = http_post(daemon->url, "/v1/conv", "{}");
        http_free(&reply);
    }
    assert_true(metric_becomes(daemon->url, "layerd_requests_total", good, 5));
    assert_true(metric_becomes(daemon->url, "layerd_requests_total", bad, 3));
    assert_true(metric_becomes(daemon->url, "layerd_request_phase_seconds_count", phase, 5));
    assert_true(metric(daemon->url, "layerd_request_phase_seconds_sum", phase) > 0);
    assert_true(metric(daemon->url, "layerd_memory_limit_bytes", "") > 0);
    assert_true(metric(daemon->url, "process_resident_memory_bytes", "") > 0);
    assert_true(daemon_is_at_rest(daemon->url));
    daemon_stop(daemon);
}

/* ---- Health and descriptions ---- */

/* What a large request took is kept for the next one, and given back when none comes. */
static void idle_memory_is_given_back(void **state)
{
    (void)state;
    static const char memory[] = "process_resident_memory_bytes",
                      request[] = "{\"method\":\"constant\",\"shape\":[1000,3000],"
                                  "\"output_format\":\"binary\"}";
    static const double tensor_size = 12e6;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* sanitizers keep memory of their own for each byte, and what was freed */
#endif
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    const double before = metric(daemon->url, memory, "");
    double after = before; /* on a busy machine it may be given back before we look */
    for (int round = 0; after <= before + tensor_size / 2 && round < 10; round++) {
        http_reply reply = http_post(daemon->url, "/v1/initialize", request);
        expect_status(&reply, 200);
        http_free(&reply);
        after = metric(daemon->url, memory, "");
    }
    assert_true(after > before + tensor_size / 2);
    assert_true(metric_falls_below(daemon->url, memory, "", after - tensor_size / 2));
    daemon_stop(daemon);
}

static void health_is_told(void **state)
{
    (void)state;
    static const char *const paths[] = {"/v2/health/live", "/v2/health/ready"};
    for (size_t index = 0; index < 2; index++) {
        http_reply reply = http_get(service_url(), paths[index]);
        expect_status(&reply, 200);
        http_free(&reply);
    }
}

static void the_server_describes_itself(void **state)
{
    (void)state;
    http_reply reply = http_get(service_url(), "/v2");
    cJSON *const server = expect_json(&reply);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(server, "name")->valuestring, "layerd");
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(server, "version")->valuestring,
                        LAYERD_VERSION);
    assert_true(cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(server, "extensions")));
    cJSON_Delete(server);
    http_free(&reply);
}

static void operations_are_listed(void **state)
{
    (void)state;
    http_reply reply = http_get(service_url(), "/v1");
    cJSON *const list = expect_json(&reply);
    assert_non_null(strstr(reply.body, "/v1/conv"));
    assert_non_null(strstr(reply.body, "/v1/initialize"));
    cJSON_Delete(list);
    http_free(&reply);
}

static void the_openapi_document_has_every_path(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "/v1", "/v1/conv",        "/v1/initialize", "/openapi.json",
        "/v2", "/v2/health/live", "/metrics",       "/v2/health/ready"};
    http_reply reply = http_get(service_url(), "/openapi.json");
    cJSON *const document = expect_json(&reply);
    const cJSON *const version = cJSON_GetObjectItemCaseSensitive(document, "openapi");
    assert_int_equal(strncmp(version->valuestring, "3.1.", 4), 0);
    const cJSON *const paths = cJSON_GetObjectItemCaseSensitive(document, "paths");
    for (size_t index = 0; index < sizeof expected / sizeof *expected; index++)
        if (cJSON_GetObjectItemCaseSensitive(paths, expected[index]) == NULL)
            fail_msg("openapi.json does not describe %s", expected[index]);
    cJSON_Delete(document);
    http_free(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(a_request_id_is_echoed_and_logged),
        cmocka_unit_test(a_missing_or_malformed_request_id_is_made),
        cmocka_unit_test(errors_carry_a_request_id_too),
        cmocka_unit_test(server_timing_has_four_phases),
        cmocka_unit_test(a_malformed_timeout_is_400),
        daemon_test(there_is_one_line_per_request),
        daemon_test(the_log_cannot_be_forged),
        cmocka_unit_test(metrics_are_prometheus_text),
        daemon_test(counters_count),
        daemon_test(idle_memory_is_given_back),
        cmocka_unit_test(health_is_told),
        cmocka_unit_test(the_server_describes_itself),
        cmocka_unit_test(operations_are_listed),
        cmocka_unit_test(the_openapi_document_has_every_path),
    };
    return service_run_tests(tests);
}
