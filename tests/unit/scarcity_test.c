/* Scarce memory: whatever the arena's limit, the answer is whole.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "support/cases.h"
#include "support/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Whatever the arena's limit, the answer is whole: computed, or a problem. The limit that is
 * checked beforehand is left out, so that each allocation runs out in turn. */
static void sweep(const char *method, const char *path, const char *json)
{
    test_service service = service_open();
    const api_request request = {
        .method = method, .path = path, .body = json, .body_size = strlen(json)};
    int status = 0;
    for (size_t limit = 0; limit < 4 << 20 && status != 200; limit += limit < 1 << 16 ? 64 : 4096) {
        api_response reply = {0};
        api_arena_reset(service.arena, limit);
        api_respond(&request, &service.limits, &service.run, service.arena, &reply);
        cJSON *const body = service_read(&reply);
        status = reply.status;
        if (body == NULL || (status != 200 && status != 413))
            fail_msg("%s with %zu bytes: status %d", path, limit, status);
        cJSON_Delete(body);
    }
    assert_int_equal(status, 200);
    service_close(&service);
}

static void scarce_memory_is_a_problem_told_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_operation_count(); i++) {
        char path[64];
        snprintf(path, sizeof path, "/v1/%s", api_operation_name(i));
        sweep("POST", path, api_operation_at(i)->example);
    }
    sweep("POST", "/v1/initialize",
          "{\"method\":\"orthogonal\",\"shape\":[60,50],\"output_format\":\"binary\"}");
    sweep("POST", "/v1/separable/factorize",
          "{\"weight\":[[[[6,0],[3,0]],[[6,0],[0,0]]],[[[0,8],[0,4]],[[0,8],[0,0]]]]}");
    sweep("GET", "/v1", "");
    sweep("GET", "/openapi.json", "");
}

/* Refusals too, at any limit; all that changes is whether their sentence fits. */
static void scarce_memory_leaves_refusals_whole(void **state)
{
    (void)state;
    test_service service = service_open();
    static const char *const texts[] = {"{", "{}", "{\"stride\":1}", "[1]",
                                        "{\"input\":[1],\"weight\":[1,2]}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t limit = 0; limit < 1 << 15; limit += 64) {
            service.limits.memory_size = limit;
            const api_response reply = service_post(&service, "/v1/conv", texts[i]);
            cJSON *const body = service_read(&reply);
            assert_non_null(body);
            assert_true(reply.status == 400 || reply.status == 422 || reply.status == 413);
            cJSON_Delete(body);
        }
    service_close(&service);
}

/* In steps of what the case takes with enough: the right answer, or a problem, of memory if there
 * would have been none. */
static void sweep_case(test_service *service, const test_case *one)
{
    enum { STEPS = 64 };
    const size_t most = service->limits.memory_size;
    service_post(service, one->path, one->request);
    const size_t used = api_arena_used(service->arena);
    for (size_t step = 0; step < STEPS; step++) {
        char message[CASE_MESSAGE_SIZE] = "";
        service->limits.memory_size = used * step / STEPS;
        const api_response reply = service_post(service, one->path, one->request);
        const bool refused =
            reply.status == 413 || (reply.status == one->status && one->status != 200);
        if (!refused && !case_accepts(one, reply.status, reply.body, reply.body_size, message))
            fail_msg("%s with %zu bytes: %s", one->name, service->limits.memory_size, message);
    }
    service->limits.memory_size = most;
}

static void scarce_memory_spoils_no_case(void **state)
{
    (void)state;
    test_service service = service_open();
    test_cases cases = cases_load();
    for (size_t i = 0; i < cases.count; i++)
        sweep_case(&service, &cases.cases[i]);
    cases_free(&cases);
    service_close(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scarce_memory_is_a_problem_told_whole),
        cmocka_unit_test(scarce_memory_leaves_refusals_whole),
        cmocka_unit_test(scarce_memory_spoils_no_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
