/* HTTP as clients use it: kept connections, chunks, interim replies, pipelines, crowds.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/raw_connection.h"
#include "support/tensor_forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void a_connection_is_kept(void **state)
{
    (void)state;
    http_client *const client = http_open(service_url());
    long connects = 0;
    for (int exchange = 0; exchange < 100; exchange++) {
        http_reply reply =
            http_exchange(client, &(http_request){.path = "/v1/conv", .body = LECTURE_REQUEST});
        expect_lecture(&reply);
        connects += reply.connects;
        http_free(&reply);
    }
    assert_int_equal(connects, 1);
    http_close(client);
}

static void a_connection_is_kept_after_errors(void **state)
{
    (void)state;
    http_client *const client = http_open(service_url());
    long connects = 0;
    for (int exchange = 0; exchange < 10; exchange++) {
        http_reply reply = http_exchange(client, &(http_request){.path = "/v1/conv", .body = "{}"});
        expect_problem(&reply, 422, NULL, NULL);
        connects += reply.connects;
        http_free(&reply);
        reply = http_exchange(client, &(http_request){.path = "/v1"});
        expect_status(&reply, 200);
        connects += reply.connects;
        http_free(&reply);
    }
    assert_int_equal(connects, 1);
    http_close(client);
}

static void chunked_bodies_are_read(void **state)
{
    (void)state;
    http_reply reply =
        http_send(service_url(),
                  &(http_request){.path = "/v1/conv", .body = LECTURE_REQUEST, .chunked = true});
    expect_lecture(&reply);
    http_free(&reply);
}

/* A chunk a byte, with an extension and a trailer. */
static void smallest_chunks_are_read(void **state)
{
    (void)state;
    raw_connection connection = raw_open(service_url());
    raw_write(&connection, "POST /v1/conv HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n");
    for (const char *at = LECTURE_REQUEST; *at != '\0'; at++) {
        char chunk[32];
        snprintf(chunk, sizeof chunk, "1;name=value\r\n%c\r\n", *at);
        assert_true(raw_write(&connection, chunk));
    }
    raw_write(&connection, "0\r\nX-Trailer: 1\r\n\r\n");
    http_reply reply = raw_receive(&connection);
    expect_lecture(&reply);
    http_free(&reply);
    raw_close(&connection);
}

/* A batch of large ones: the sum over a window of ones is its size. */
static void check_large(bool chunked, const char *expect)
{
    tensor input = tensor_create(2, (const size_t[]){512, 1024});
    tensor weight = tensor_create(2, (const size_t[]){2, 2});
    for (size_t index = 0; index < input.count; index++)
        input.data[index] = 1;
    for (size_t index = 0; index < weight.count; index++)
        weight.data[index] = 1;
    tensor_request request = tensor_request_open(FORM_OBJECT);
    tensor_request_add(&request, "input", &input);
    tensor_request_add(&request, "weight", &weight);
    http_request closed = tensor_request_close(&request, "/v1/conv");
    closed.chunked = chunked;
    closed.headers = expect != NULL ? HTTP_HEADERS(expect) : NULL;
    http_reply reply = http_send(service_url(), &closed);
    expect_status(&reply, 200);
    assert_int_equal(reply.continues, expect != NULL);
    tensor output;
    assert_true(tensor_read_reply(&reply, "output", &output));
    assert_int_equal(output.count, 511 * 1023);
    for (size_t index = 0; index < output.count; index++)
        assert_true(output.data[index] == 4);
    tensor_free(&output);
    tensor_free(&input);
    tensor_free(&weight);
    http_free(&reply);
    tensor_request_free(&request);
}

static void large_bodies_are_read(void **state)
{
    (void)state;
    check_large(false, NULL);
    check_large(true, NULL);
}

static void an_expected_continue_is_sent(void **state)
{
    (void)state;
    check_large(false, "Expect: 100-continue");
    check_large(true, "Expect: 100-continue");
}

/* What the head can tell is told instead of 100 Continue. */
static void a_refusal_comes_instead_of_continue(void **state)
{
    (void)state;
    raw_connection connection = raw_open(service_url());
    raw_write(&connection, "POST /v1/conv HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           "Content-Length: 999999999999\r\nExpect: 100-continue\r\n\r\n");
    http_reply reply = raw_receive(&connection);
    assert_int_equal(reply.continues, 0);
    expect_problem(&reply, 413, NULL, "999999999999");
    http_free(&reply);
    raw_close(&connection);
    expect_good(service_url());
}

static void check_pipeline(const char *url)
{
    enum { ROUNDS = 20 };
    raw_connection connection = raw_open(url);
    for (int round = 0; round < ROUNDS; round++) {
        raw_post(&connection, "/v1/conv", LECTURE_REQUEST);
        raw_write(&connection, "GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (int round = 0; round < ROUNDS; round++) {
        http_reply reply = raw_receive(&connection);
        expect_lecture(&reply);
        http_free(&reply);
        reply = raw_receive(&connection);
        expect_status(&reply, 200);
        http_free(&reply);
    }
    raw_close(&connection);
}

static void a_pipeline_is_answered_in_order(void **state)
{
    (void)state;
    check_pipeline(service_url());
}

/* The next request lies in a buffer while the connection is suspended. */
static void a_pipeline_of_work_is_answered_in_order(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--inline-multiplications", "0");
    check_pipeline(daemon->url);
    daemon_stop(daemon);
}

static void http_1_0_is_answered_and_closed(void **state)
{
    (void)state;
    raw_connection connection = raw_open(service_url());
    raw_write(&connection, "GET /v2/health/live HTTP/1.0\r\n\r\n");
    http_reply reply = raw_receive(&connection);
    expect_status(&reply, 200);
    http_free(&reply);
    assert_true(raw_ended(&connection));
    raw_close(&connection);
}

static void close_is_obeyed(void **state)
{
    (void)state;
    raw_connection connection = raw_open(service_url());
    raw_write(&connection, "GET /v1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    http_reply reply = raw_receive(&connection);
    expect_status(&reply, 200);
    http_free(&reply);
    assert_true(raw_ended(&connection));
    raw_close(&connection);
}

/* ---- Crowds ---- */

enum { CROWD = 200, ROUNDS = 10 };

struct crowd_state {
    char bodies[CROWD][128];
    int sent[CROWD], answered[CROWD];
};

static bool next_of_crowd(void *context, size_t client, http_request *request)
{
    struct crowd_state *const crowd = context;
    snprintf(crowd->bodies[client], sizeof crowd->bodies[client],
             "{\"input\":[%zu,%d],\"weight\":[3],\"bias\":[0.5]}", client, crowd->sent[client]);
    *request = (http_request){.path = "/v1/conv", .body = crowd->bodies[client]};
    return crowd->sent[client]++ < ROUNDS;
}

static void seen_by_crowd(void *context, size_t client, const http_reply *reply)
{
    struct crowd_state *const crowd = context;
    tensor output = {0};
    expect_status(reply, 200);
    assert_true(tensor_read_reply(reply, "output", &output));
    assert_int_equal(output.count, 2);
    assert_true(output.data[0] == (float)(3 * (int)client) + 0.5F);
    assert_true(output.data[1] == (float)(3 * (crowd->sent[client] - 1)) + 0.5F);
    tensor_free(&output);
    crowd->answered[client]++;
}

static void two_hundred_clients_get_their_own_answers(void **state)
{
    (void)state;
    static struct crowd_state crowd;
    http_crowd_run(&(http_crowd){.url = service_url(),
                                 .clients = CROWD,
                                 .next = next_of_crowd,
                                 .seen = seen_by_crowd,
                                 .context = &crowd});
    for (int client = 0; client < CROWD; client++)
        assert_int_equal(crowd.answered[client], ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_kept),
        cmocka_unit_test(a_connection_is_kept_after_errors),
        cmocka_unit_test(chunked_bodies_are_read),
        cmocka_unit_test(smallest_chunks_are_read),
        cmocka_unit_test(large_bodies_are_read),
        cmocka_unit_test(an_expected_continue_is_sent),
        cmocka_unit_test(a_refusal_comes_instead_of_continue),
        cmocka_unit_test(a_pipeline_is_answered_in_order),
        daemon_test(a_pipeline_of_work_is_answered_in_order),
        cmocka_unit_test(http_1_0_is_answered_and_closed),
        cmocka_unit_test(close_is_obeyed),
        cmocka_unit_test(two_hundred_clients_get_their_own_answers),
    };
    return service_run_tests(tests);
}
