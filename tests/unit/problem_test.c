/* Problems: the first one counts, and their replies.
 * SPDX-License-Identifier: MIT */
#include "arena.h"
#include "problem.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_first_one_counts(void **state)
{
    (void)state;
    api_problem problem = {0};
    assert_false(api_refuse(&problem, 422, "/weight", "%d is more than %d", 5, 3));
    assert_false(api_refuse(&problem, 413, "/input", "too large"));
    assert_int_equal(problem.status, 422);
    assert_string_equal(problem.pointer, "/weight");
    assert_string_equal(problem.detail, "5 is more than 3");
}

static void test_long_details_are_cut(void **state)
{
    (void)state;
    char text[2 * API_DETAIL_SIZE];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    api_problem problem = {0};
    api_refuse(&problem, 400, text, "%s", text);
    assert_int_equal(strlen(problem.detail), API_DETAIL_SIZE - 1);
    assert_int_equal(strlen(problem.pointer), API_POINTER_SIZE - 1);
}

static void check_reply(const api_response *response, int status, const char *expected)
{
    assert_int_equal(response->status, status);
    assert_string_equal(response->content_type, "application/problem+json");
    assert_null(response->allow);
    assert_int_equal(response->tensor_count, 0);
    assert_int_equal(response->body_size, strlen(expected));
    assert_memory_equal(response->body, expected, response->body_size);
}

static void test_reply(void **state)
{
    (void)state;
    api_arena *const arena = api_arena_create(4096);
    api_response response;
    api_problem_response(arena, 422, "a \"b\"", "/weight", &response);
    check_reply(&response, 422,
                "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\",\"status\":422,"
                "\"detail\":\"a \\\"b\\\"\",\"pointer\":\"/weight\",\"error\":\"a \\\"b\\\"\"}");
    api_problem_response(arena, 404, "no such path", NULL, &response);
    check_reply(&response, 404,
                "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                "\"detail\":\"no such path\",\"error\":\"no such path\"}");
    api_problem_response(arena, 400, "not JSON", "", &response);
    check_reply(&response, 400,
                "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
                "\"detail\":\"not JSON\",\"error\":\"not JSON\"}");
    api_arena_destroy(arena);
}

static void test_without_memory(void **state)
{
    (void)state;
    static const char fixed[] =
        "{\"type\":\"about:blank\",\"title\":\"Content Too Large\",\"status\":413,"
        "\"detail\":\"Content Too Large\",\"error\":\"Content Too Large\"}";
    for (size_t limit = 0; limit < 64; ++limit) {
        api_arena *const arena = api_arena_create(limit);
        api_response response;
        api_problem_response(arena, 413, "too much", "/input", &response);
        check_reply(&response, 413, fixed);
        api_arena_destroy(arena);
    }
    api_response response;
    api_problem_response(NULL, 413, "too much", "/input", &response);
    check_reply(&response, 413, fixed);
}

/* Every status has a title of its own and is valid JSON, with and without memory. */
static void test_statuses(void **state)
{
    (void)state;
    static const int statuses[] = {400, 401, 403, 404, 405, 406, 408, 409, 411, 413, 414,
                                   415, 417, 421, 422, 429, 431, 500, 501, 503, 504, 505};
    api_arena *const arena = api_arena_create(SIZE_MAX);
    for (size_t index = 0; index < sizeof statuses / sizeof *statuses; ++index)
        for (int full = 0; full < 2; ++full) {
            api_response response;
            api_problem_response(full ? NULL : arena, statuses[index], "why", NULL, &response);
            cJSON *const root = cJSON_ParseWithLength(response.body, response.body_size);
            assert_int_equal(response.status, statuses[index]);
            assert_int_equal(cJSON_GetObjectItem(root, "status")->valueint, statuses[index]);
            assert_true(cJSON_IsString(cJSON_GetObjectItem(root, "title")));
            cJSON_Delete(root);
        }
    api_arena_destroy(arena);
}

static void test_unknown_status(void **state)
{
    (void)state;
    api_response response;
    api_problem_response(NULL, 299, "why", NULL, &response);
    assert_int_equal(response.status, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_one_counts),
        cmocka_unit_test(test_long_details_are_cut),
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_unknown_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
