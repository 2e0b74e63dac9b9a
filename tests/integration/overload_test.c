/* More than the daemon can do: refused at once with a time to come back, never lost, never late.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/exposition.h"
#include "support/heavy_request.h"
#include "support/raw_connection.h"
#include "support/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One worker, a short queue, nothing computed without the worker, and patience. */
#define BUSY_OPTIONS(queue)                                                                        \
    "--workers", "1", "--queue", queue, "--inline-multiplications", "0", "--deadline", "600"

static void a_full_queue_is_503(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with(BUSY_OPTIONS("1"));
    raw_connection working = heavy_occupy(daemon->url, HEAVY_MOST);
    heavy_request *const heavy = heavy_create(HEAVY_LITTLE, 1, NULL);
    raw_connection waiting = heavy_queue(heavy, daemon->url);
    http_reply reply = http_send(daemon->url, &heavy->request);
    expect_unavailable(&reply, "queue");
    http_free(&reply);
    reply = http_get(daemon->url, "/v2/health/live");
    expect_status(&reply, 200);
    http_free(&reply);
    raw_close(&working);
    reply = raw_receive(&waiting);
    expect_status(&reply, 200);
    http_free(&reply);
    raw_close(&waiting);
    expect_good(daemon->url);
    assert_true(metric(daemon->url, "layerd_refused_total", "queue") >= 1);
    heavy_destroy(heavy);
    daemon_stop(daemon);
}

#define WEIGHTS "\"method\":\"xavier_uniform\",\"shape\":[3000,2000],\"output_format\":\"binary\""

/* What the request for WEIGHTS takes by its own account. */
static size_t memory_of_weights(void)
{
    http_reply reply = http_post(service_url(), "/v1/initialize", "{\"dry_run\":true," WEIGHTS "}");
    cJSON *const answer = expect_json(&reply);
    const cJSON *const bytes = cJSON_GetObjectItemCaseSensitive(answer, "memory_bytes");
    assert_true(cJSON_IsNumber(bytes));
    const size_t size = (size_t)bytes->valuedouble;
    cJSON_Delete(answer);
    http_free(&reply);
    return size;
}

/* A reply that its client does not read holds its memory; there is not enough for another. */
static void memory_that_others_hold_is_503(void **state)
{
    (void)state;
    static const char body[] = "{" WEIGHTS "}";
    char limit[32];
    snprintf(limit, sizeof limit, "%zu", memory_of_weights() * 5 / 4);
    daemon_process *const daemon = daemon_with("--max-memory", limit);
    raw_connection holding = raw_open(daemon->url);
    raw_post(&holding, "/v1/initialize", body);
    assert_true(raw_has_something(&holding));
    http_reply reply = http_post(daemon->url, "/v1/initialize", body);
    expect_unavailable(&reply, "memory");
    http_free(&reply);
    expect_good(daemon->url);
    raw_close(&holding);
    assert_true(daemon_is_at_rest(daemon->url));
    reply = http_post(daemon->url, "/v1/initialize", body);
    expect_status(&reply, 200);
    http_free(&reply);
    assert_true(metric(daemon->url, "layerd_refused_total", "memory") >= 1);
    daemon_stop(daemon);
}

/* What is kept after several at once; nothing if it was already given back. */
static double kept_after(const char *url, const char *body)
{
    enum { MANY = 5 };
    raw_connection holding[MANY];
    for (int index = 0; index < MANY; index++) {
        holding[index] = raw_open(url);
        raw_post(&holding[index], "/v1/initialize", body);
        assert_true(raw_has_something(&holding[index]));
    }
    for (int index = 0; index < MANY; index++)
        raw_close(&holding[index]);
    assert_true(daemon_is_at_rest(url));
    return metric(url, "layerd_memory_kept_bytes", "");
}

/* What many large requests leave behind for the next ones is little, and not for long. */
static void memory_that_is_kept_is_bounded(void **state)
{
    (void)state;
    enum { LIMIT = 128 << 20 };
    static const char body[] = "{\"method\":\"xavier_uniform\",\"shape\":[1500,2000],"
                               "\"output_format\":\"binary\"}";
    char limit[32];
    snprintf(limit, sizeof limit, "%d", LIMIT);
    daemon_process *const daemon = daemon_with("--max-memory", limit);
    double kept = 0;
    for (int round = 0; kept == 0 && round < 10; round++)
        kept = kept_after(daemon->url, body);
    assert_true(kept > 0 && kept <= LIMIT / 8.0);
    assert_true(metric_becomes(daemon->url, "layerd_memory_kept_bytes", "", 0));
    expect_good(daemon->url);
    daemon_stop(daemon);
}

static void expect_too_late(const daemon_process *daemon, const char *timeout)
{
    heavy_request *const heavy =
        heavy_create(HEAVY_MUCH, HEAVY_MOST, timeout != NULL ? HTTP_HEADERS(timeout) : NULL);
    http_reply reply = http_send(daemon->url, &heavy->request);
    expect_problem(&reply, 504, NULL, NULL);
    http_free(&reply);
    heavy_destroy(heavy);
}

static void a_deadline_in_computation_is_504(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with(BUSY_OPTIONS("8"));
    expect_too_late(daemon, "X-Request-Timeout: 0.1");
    expect_good(daemon->url);
    assert_true(daemon_is_at_rest(daemon->url));
    daemon_stop(daemon);
}

static void a_deadline_in_the_queue_is_504(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with(BUSY_OPTIONS("8"));
    raw_connection working = heavy_occupy(daemon->url, HEAVY_MOST);
    expect_too_late(daemon, "X-Request-Timeout: 0.1");
    assert_true(raw_silent(&working));
    raw_close(&working);
    expect_good(daemon->url);
    assert_true(metric(daemon->url, "layerd_limits_exceeded_total", "deadline") == 1);
    daemon_stop(daemon);
}

static void the_daemons_deadline_is_the_most_there_is(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--deadline", "0.2");
    expect_too_late(daemon, NULL);
    expect_too_late(daemon, "X-Request-Timeout: 1000");
    expect_good_soon(daemon->url);
    daemon_stop(daemon);
}

/* ---- Ten times the queue ---- */

enum { QUEUE = 8, CLIENTS = 10 * QUEUE, ROUNDS = 5 };

struct overload {
    const heavy_request *heavy;
    raw_connection working; /* keeps the worker busy until somebody is refused */
    int sent[CLIENTS];
    int answered, refused;
};

static bool next_of_overload(void *context, size_t client, http_request *request)
{
    struct overload *const overload = context;
    *request = overload->heavy->request;
    return overload->sent[client]++ < ROUNDS;
}

static void seen_in_overload(void *context, size_t client, const http_reply *reply)
{
    (void)client;
    struct overload *const overload = context;
    if (reply->result == CURLE_OK && reply->status == 200) {
        tensor output;
        assert_true(tensor_read_reply(reply, "output", &output));
        tensor_free(&output);
        overload->answered++;
    } else {
        expect_unavailable(reply, "queue");
        if (overload->refused++ == 0)
            raw_close(&overload->working);
    }
}

static void ten_times_the_queue_is_answered_or_refused(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with(BUSY_OPTIONS("8"));
    heavy_request *const heavy = heavy_create(HEAVY_LITTLE, 4, NULL);
    struct overload overload = {.heavy = heavy, .working = heavy_occupy(daemon->url, HEAVY_MOST)};
    http_crowd_run(&(http_crowd){.url = daemon->url,
                                 .clients = CLIENTS,
                                 .next = next_of_overload,
                                 .seen = seen_in_overload,
                                 .context = &overload});
    print_message("%d answered, %d refused\n", overload.answered, overload.refused);
    assert_int_equal(overload.answered + overload.refused, CLIENTS * ROUNDS);
    assert_true(overload.answered >= QUEUE);
    assert_true(overload.refused > 0);
    assert_true(metric(daemon->url, "layerd_refused_total", "queue") == overload.refused);
    expect_good(daemon->url);
    assert_true(daemon_is_at_rest(daemon->url));
    heavy_destroy(heavy);
    daemon_stop(daemon);
}

/* ---- Connections ---- */

static void check_connection_limit(const char *option, const char *reason, int status)
{
    daemon_process *const daemon = daemon_with(option, "3");
    raw_connection kept[3];
    for (size_t index = 0; index < 3; index++) {
        kept[index] = raw_open(daemon->url);
        raw_write(&kept[index], "GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n");
        http_reply reply = raw_receive(&kept[index]);
        expect_status(&reply, 200);
        http_free(&reply);
    }
    raw_connection refused = raw_open(daemon->url);
    if (!transport_is_tls()) { /* before the handshake nothing can be said */
        http_reply reply = raw_receive(&refused);
        expect_problem(&reply, status, NULL, "too many connections");
        assert_string_equal(http_header(&reply, "Retry-After"), "1");
        http_free(&reply);
    }
    assert_true(raw_ended(&refused));
    raw_close(&refused);
    for (size_t index = 0; index < 3; index++)
        raw_close(&kept[index]);
    assert_true(daemon_is_at_rest(daemon->url));
    expect_good(daemon->url);
    assert_true(metric(daemon->url, "layerd_refused_total", reason) >= 1);
    daemon_stop(daemon);
}

static void too_many_connections_are_503(void **state)
{
    (void)state;
    check_connection_limit("--max-connections", "connections", 503);
}

static void too_many_connections_of_an_address_are_429(void **state)
{
    (void)state;
    check_connection_limit("--max-connections-per-address", "address", 429);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(a_full_queue_is_503),
        daemon_test(memory_that_others_hold_is_503),
        daemon_test(memory_that_is_kept_is_bounded),
        daemon_test(a_deadline_in_computation_is_504),
        daemon_test(a_deadline_in_the_queue_is_504),
        daemon_test(the_daemons_deadline_is_the_most_there_is),
        daemon_test(ten_times_the_queue_is_answered_or_refused),
        daemon_test(too_many_connections_are_503),
        daemon_test(too_many_connections_of_an_address_are_429),
    };
    return service_run_tests(tests);
}
