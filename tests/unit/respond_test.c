/* The service as a whole: heads, limits, costs, dry runs, cancelling.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "support/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char LECTURE[] = "{\"input\":[[1,2,3],[4,5,6],[7,8,9]],\"weight\":[[1,2],[3,4]]}";

static void expect_problem(const api_response *reply, int status, const char *detail)
{
    cJSON *const json = service_read(reply);
    const char *const found = cJSON_GetStringValue(cJSON_GetObjectItem(json, "detail"));
    assert_non_null(found);
    if (reply->status != status || (detail != NULL && strcmp(found, detail) != 0))
        fail_msg("%d: %s, expected %d: %s", reply->status, found, status, detail);
    assert_string_equal(reply->content_type, "application/problem+json");
    assert_int_equal(cJSON_GetObjectItem(json, "status")->valueint, status);
    assert_string_equal(cJSON_GetObjectItem(json, "error")->valuestring, found);
    cJSON_Delete(json);
}

static double member(const api_response *reply, const char *name)
{
    cJSON *const json = service_read(reply);
    const cJSON *const found = cJSON_GetObjectItemCaseSensitive(json, name);
    assert_true(reply->status == 200 && cJSON_IsNumber(found));
    const double value = found->valuedouble;
    cJSON_Delete(json);
    return value;
}

/* ---- Heads ----------------------------------------------------------------------------------- */

static void unknown_paths_are_404(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"/", "there is no /; GET /v1 lists the operations"},
        {"/v1/", "there is no /v1/; GET /v1 lists the operations"},
        {"/v1/conv/", "there is no /v1/conv/; did you mean /v1/conv?"},
        {"/v1/convolve", "there is no /v1/convolve; did you mean /v1/conv?"},
        {"/conv", "there is no /conv; did you mean /v1/conv?"},
        {"/v1/initialise", "there is no /v1/initialise; did you mean /v1/initialize?"},
        {"", "there is no ; GET /v1 lists the operations"},
        {"/v1/\xff", "there is no /v1/\xEF\xBF\xBD; GET /v1 lists the operations"},
    };
    test_service service = service_open();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const api_response reply = service_post(&service, rows[i][0], LECTURE);
        expect_problem(&reply, 404, rows[i][1]);
        assert_null(reply.allow);
    }
    service_close(&service);
}

static void wrong_methods_are_405_with_allow(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"GET", "/v1/conv", "POST, OPTIONS"},
        {"HEAD", "/v1/initialize", "POST, OPTIONS"},
        {"post", "/v1/conv", "POST, OPTIONS"},
        {"POST", "/v1", "GET, HEAD, OPTIONS"},
        {"DELETE", "/openapi.json", "GET, HEAD, OPTIONS"},
    };
    test_service service = service_open();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const api_response reply =
            service_send(&service, &(api_request){.method = rows[i][0], .path = rows[i][1]});
        expect_problem(&reply, 405, NULL);
        assert_string_equal(reply.allow, rows[i][2]);
    }
    service_close(&service);
}

static void options_is_204_with_allow(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"/v1/conv", "POST, OPTIONS"},
                                          {"/v1", "GET, HEAD, OPTIONS"},
                                          {"*", "GET, HEAD, POST, OPTIONS"}};
    test_service service = service_open();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const api_response reply =
            service_send(&service, &(api_request){.method = "OPTIONS", .path = rows[i][0]});
        assert_int_equal(reply.status, 204);
        assert_int_equal(reply.body_size, 0);
        assert_null(reply.content_type);
        assert_string_equal(reply.allow, rows[i][1]);
    }
    service_close(&service);
}

static int status_of_type(const char *type, const char *json_length)
{
    test_service service = service_open();
    const api_response reply = service_send(&service, &(api_request){.method = "POST",
                                                                     .path = "/v1/conv",
                                                                     .content_type = type,
                                                                     .json_length = json_length,
                                                                     .body = LECTURE,
                                                                     .body_size = strlen(LECTURE)});
    service_close(&service);
    return reply.status;
}

static void content_types_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {NULL, "application/json", "Application/JSON",
                                       "application/json; charset=utf-8",
                                       "application/json ;\tCharset=\"UTF-8\" "};
    static const char *const bad[] = {"",
                                      "text/plain",
                                      "application/x-www-form-urlencoded",
                                      "application/jsonx",
                                      "application/json; charset=latin-1",
                                      "application/json; charset=",
                                      "application/json;",
                                      "application/octet-stream"};
    char length[24];
    snprintf(length, sizeof length, "%zu", strlen(LECTURE));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(status_of_type(good[i], NULL), 200);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(status_of_type(bad[i], NULL), 415);
    assert_int_equal(status_of_type("application/octet-stream", length), 200);
    assert_int_equal(status_of_type("application/octet-stream; a=b", length), 200);
    assert_int_equal(status_of_type("application/octet-streams", length), 415);
    assert_int_equal(status_of_type("text/plain", length), 415);
    assert_int_equal(status_of_type("application/octet-stream", "x"), 400);
}

static void a_good_head_lets_the_body_be_read(void **state)
{
    (void)state;
    test_service service = service_open();
    api_response reply = {0};
    assert_true(api_check_head(&(api_request){.method = "POST", .path = "/v1/conv"}, service.arena,
                               &reply));
    assert_true(
        api_check_head(&(api_request){.method = "HEAD", .path = "/v1"}, service.arena, &reply));
    assert_int_equal(reply.status, 0);
    service_close(&service);
}

/* ---- What is not a request ------------------------------------------------------------------- */

static void what_is_not_an_object_is_400(void **state)
{
    (void)state;
    static const char *const texts[] = {"3", "null", "[1,2]", "[]", "\"input\"", "true"};
    test_service service = service_open();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const api_response reply = service_post(&service, "/v1/conv", texts[i]);
        expect_problem(&reply, 400, "the request is not a JSON object");
    }
    const api_response empty =
        service_send(&service, &(api_request){.method = "POST", .path = "/v1/conv"});
    expect_problem(&empty, 400, NULL);
    service_close(&service);
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static void every_limit_says_its_value_and_what_was_asked(void **state)
{
    (void)state;
    test_service service = service_open();
    service.limits.json_size = 50;
    api_response reply = service_post(&service, "/v1/conv", LECTURE);
    expect_problem(&reply, 413, "the limit of JSON is 50 bytes; this request has 58");
    assert_int_equal(reply.limit, API_LIMIT_JSON);
    service.limits.json_size = 58;
    service.limits.multiplications = 15;
    reply = service_post(&service, "/v1/conv", LECTURE);
    expect_problem(&reply, 413, "the limit of multiplications is 15; this request takes 16");
    assert_int_equal(reply.limit, API_LIMIT_MULTIPLICATIONS);
    service.limits.multiplications = 16;
    service.limits.tensor_elements = 9;
    reply = service_post(&service, "/v1/conv", LECTURE);
    assert_int_equal(reply.status, 200);
    reply = service_post(&service, "/v1/conv", "{\"input\":[1],\"weight\":[1],\"pads\":5}");
    expect_problem(&reply, 413, "the limit of a tensor is 9 elements; output of shape 11 has 11");
    assert_int_equal(reply.limit, API_LIMIT_ELEMENTS);
    reply = service_post(&service, "/v1/initialize", "{\"method\":\"orthogonal\",\"shape\":[2,5]}");
    expect_problem(&reply, 413, "the limit of a tensor is 9 elements; weight of shape 2x5 has 10");
    service_close(&service);
}

/* A transform of a large tile for one output costs more than its one multiplication. */
static void an_algorithm_that_is_asked_for_is_held_to_its_own_work(void **state)
{
    (void)state;
    static const char json[] =
        "{\"input\":[[1]],\"weight\":[[2]],\"algorithm\":\"%s\",\"dry_run\":%s}";
    char text[128];
    test_service service = service_open();
    service.limits.multiplications = 1000;
    snprintf(text, sizeof text, json, "fft", "false");
    api_response reply = service_post(&service, "/v1/conv", text);
    expect_problem(&reply, 413, NULL);
    assert_int_equal(reply.limit, API_LIMIT_MULTIPLICATIONS);
    snprintf(text, sizeof text, json, "auto", "false");
    reply = service_post(&service, "/v1/conv", text);
    assert_int_equal(reply.status, 200);
    service.limits.multiplications = 1000000;
    snprintf(text, sizeof text, json, "fft", "true");
    reply = service_post(&service, "/v1/conv", text);
    assert_int_equal((int)member(&reply, "multiplications"), 1);
    service_close(&service);
}

static void too_many_multiplications_for_64_bits_are_too_many(void **state)
{
    (void)state;
    test_service service = service_open();
    const api_response reply =
        service_post(&service, "/v1/initialize",
                     "{\"method\":\"orthogonal\",\"shape\":[65536,65536],\"dry_run\":true}");
    expect_problem(&reply, 413, NULL);
    service_close(&service);
}

/* A request whose memory is just what its dry run says is computed; with a byte less, refused. */
static void check_memory(const char *path, const char *json, const char *dry_json)
{
    test_service service = service_open();
    api_response reply = service_post(&service, path, dry_json);
    const size_t memory = (size_t)member(&reply, "memory_bytes");
    service.limits.memory_size = memory;
    assert_int_equal(service_post(&service, path, json).status, 200);
    service.limits.memory_size = memory - 4096;
    char detail[128];
    snprintf(detail, sizeof detail, "the limit of memory is %zu bytes; this request takes %zu",
             memory - 4096, memory);
    reply = service_post(&service, path, json);
    expect_problem(&reply, 413, detail);
    service_close(&service);
}

static void memory_is_enough_as_a_dry_run_says_it(void **state)
{
    (void)state;
    static const char conv[] = "{\"input\":[[1,2,3],[4,5,6],[7,8,9]],\"weight\":[[1,2,3],[3,4,5],"
                               "[0,1,2]],\"algorithm\":\"%s\",\"auto_pad\":\"FULL\","
                               "\"output_format\":\"%s\",\"dry_run\":%s}";
    static const char draw[] = "{\"method\":\"%s\",\"shape\":[40,30],\"seed\":1,\"output_format\":"
                               "\"%s\",\"dry_run\":%s}";
    static const char *const forms[] = {"nested", "flat", "binary"};
    static const char *const algorithms[] = {"auto", "depthwise", "fft", "winograd4", "im2col"};
    char json[256], dry[256];
    for (int form = 0; form < 3; form++) {
        for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
            snprintf(json, sizeof json, conv, algorithms[i], forms[form], "false");
            snprintf(dry, sizeof dry, conv, algorithms[i], forms[form], "true ");
            check_memory("/v1/conv", json, dry);
        }
        snprintf(json, sizeof json, draw, "orthogonal", forms[form], "false");
        snprintf(dry, sizeof dry, draw, "orthogonal", forms[form], "true ");
        check_memory("/v1/initialize", json, dry);
    }
}

static void threads_are_part_of_the_memory(void **state)
{
    (void)state;
    static const char dry[] = "{\"input\":{\"shape\":[1,1,3,3],\"data\":[1,2,3,4,5,6,7,8,9]},"
                              "\"weight\":{\"shape\":[1,1,2,2],\"data\":[1,2,3,4]},"
                              "\"algorithm\":\"im2col\",\"dry_run\":true}";
    test_service service = service_open();
    api_response reply = service_post(&service, "/v1/conv", dry);
    const double one = member(&reply, "memory_bytes");
    service.limits.threads = 8;
    reply = service_post(&service, "/v1/conv", dry);
    assert_true(member(&reply, "memory_bytes") > one);
    service_close(&service);
}

/* ---- The steps apart ------------------------------------------------------------------------- */

static api_job *parse(test_service *service, const char *json)
{
    api_response reply = {0};
    api_job *const job = api_parse(
        &(api_request){
            .method = "POST", .path = "/v1/conv", .body = json, .body_size = strlen(json)},
        &service->limits, service->arena, &reply);
    assert_non_null(job);
    return job;
}

static void the_cost_is_known_before_computing(void **state)
{
    (void)state;
    test_service service = service_open();
    api_response reply = {0};
    api_job *const job = parse(&service, LECTURE);
    const size_t used = api_arena_used(service.arena);
    assert_string_equal(api_job_operation(job), "conv");
    assert_int_equal(api_job_cost(job).multiplications, 16);
    assert_true(api_compute(job, &service.run, &reply));
    api_write(job, &service.run, &reply);
    assert_int_equal(reply.status, 200);
    assert_true(api_arena_used(service.arena) <= used + api_job_cost(job).memory_size);
    service_close(&service);
}

static void a_cancelled_job_is_504(void **state)
{
    (void)state;
    const int cancelled = 1;
    test_service service = service_open();
    service.run.cancelled = &cancelled;
    const api_response reply = service_post(&service, "/v1/conv", LECTURE);
    expect_problem(&reply, 504, "the deadline passed before the computation was done");
    service_close(&service);
}

static void run_backwards(void *context, size_t tasks, api_task *function, void *argument)
{
    for (size_t task = tasks; task-- > 0;)
        function(argument, task, (int)(task % 3));
    *(size_t *)context += tasks;
}

static void the_callers_pool_is_used(void **state)
{
    (void)state;
    size_t tasks = 0;
    test_service service = service_open();
    service.limits.threads = 3;
    service.run = (api_run){.parallel_for = run_backwards, .context = &tasks, .threads = 3};
    const api_response reply = service_post(&service, "/v1/initialize",
                                            "{\"method\":\"xavier_normal\",\"shape\":[200,300],"
                                            "\"seed\":4,\"output_format\":\"binary\"}");
    assert_int_equal(reply.status, 200);
    assert_true(tasks > 0);
    test_service alone = service_open();
    const api_response same = service_post(&alone, "/v1/initialize",
                                           "{\"method\":\"xavier_normal\",\"shape\":[200,300],"
                                           "\"seed\":4,\"output_format\":\"binary\"}");
    assert_int_equal(same.body_size, reply.body_size);
    assert_memory_equal(same.body, reply.body, reply.body_size);
    assert_int_equal(same.tensors->size, reply.tensors->size);
    assert_memory_equal(same.tensors->bytes, reply.tensors->bytes, reply.tensors->size);
    service_close(&alone);
    service_close(&service);
}

static void operations_are_listed(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_operation_count(); i++)
        assert_string_equal(api_operation_name(i), api_operation_at(i)->name);
}

static void a_drawn_seed_is_told_and_draws_the_same(void **state)
{
    (void)state;
    test_service service = service_open();
    api_response reply =
        service_post(&service, "/v1/initialize", "{\"method\":\"xavier_uniform\",\"shape\":[4,4]}");
    const double seed = member(&reply, "seed");
    char *const first = strndup(reply.body, reply.body_size), json[128];
    assert_true(seed >= 0 && seed <= API_MAX_SEED);
    snprintf(json, sizeof json, "{\"method\":\"xavier_uniform\",\"shape\":[4,4],\"seed\":%.0f}",
             seed);
    reply = service_post(&service, "/v1/initialize", json);
    assert_int_equal(reply.body_size, strlen(first));
    assert_memory_equal(reply.body, first, reply.body_size);
    reply =
        service_post(&service, "/v1/initialize", "{\"method\":\"xavier_uniform\",\"shape\":[4,4]}");
    assert_true(member(&reply, "seed") != seed);
    free(first);
    service_close(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_paths_are_404),
        cmocka_unit_test(wrong_methods_are_405_with_allow),
        cmocka_unit_test(options_is_204_with_allow),
        cmocka_unit_test(content_types_are_checked),
        cmocka_unit_test(a_good_head_lets_the_body_be_read),
        cmocka_unit_test(what_is_not_an_object_is_400),
        cmocka_unit_test(every_limit_says_its_value_and_what_was_asked),
        cmocka_unit_test(an_algorithm_that_is_asked_for_is_held_to_its_own_work),
        cmocka_unit_test(too_many_multiplications_for_64_bits_are_too_many),
        cmocka_unit_test(memory_is_enough_as_a_dry_run_says_it),
        cmocka_unit_test(threads_are_part_of_the_memory),
        cmocka_unit_test(the_cost_is_known_before_computing),
        cmocka_unit_test(a_cancelled_job_is_504),
        cmocka_unit_test(the_callers_pool_is_used),
        cmocka_unit_test(operations_are_listed),
        cmocka_unit_test(a_drawn_seed_is_told_and_draws_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
