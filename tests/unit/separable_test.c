/* What factorize answers is what spatial takes, and gives what the whole weight gives.
 * SPDX-License-Identifier: MIT */
#include "support/service.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The reply to a request of these members, which are left to the caller's request. */
static cJSON *ask(test_service *service, const char *path, const cJSON *request)
{
    char *const text = cJSON_PrintUnformatted(request);
    const api_response reply = service_post(service, path, text);
    assert_int_equal(reply.status, 200);
    cJSON *const body = service_read(&reply);
    assert_non_null(body);
    free(text);
    return body;
}

static void collect(const cJSON *array, double numbers[], int *count)
{
    if (cJSON_IsNumber(array)) {
        numbers[(*count)++] = array->valuedouble;
        return;
    }
    const cJSON *child;
    cJSON_ArrayForEach(child, array) collect(child, numbers, count);
}

static void expect_close(const cJSON *is, const cJSON *expected)
{
    enum { MOST = 256 };
    double numbers[MOST], wanted[MOST], largest = 0;
    int count = 0, wanted_count = 0;
    collect(is, numbers, &count);
    collect(expected, wanted, &wanted_count);
    assert_int_equal(count, wanted_count);
    for (int i = 0; i < count; i++)
        largest = fmax(largest, fabs(wanted[i]));
    assert_true(count > 0 && largest > 0);
    for (int i = 0; i < count; i++)
        assert_true(fabs(numbers[i] - wanted[i]) <= 1e-5 * largest);
}

static const struct {
    const char *weight, *scheme, *input;
} banks[] = {
    {"[[1,2,1],[2,4,2],[1,2,1]]", "each", "[[1,0,2,5],[3,1,1,2],[0,4,2,1],[1,1,3,2]]"},
    {"[[1,2],[0,3],[5,1]]", "each", "[[1,0,2,5],[3,1,1,2],[0,4,2,1],[1,1,3,2]]"},
    {"[[[[1,2],[3,4]],[[0,1],[1,0]]],[[[2,0],[0,1]],[[5,1],[1,2]]]]", "each",
     "[[[1,2,0],[3,1,2],[0,4,1]],[[1,1,5],[2,0,1],[3,2,1]]]"},
    {"[[[[1,2],[3,4]],[[0,1],[1,0]]],[[[2,0],[0,1]],[[5,1],[1,2]]]]", "shared",
     "[[[1,2,0],[3,1,2],[0,4,1]],[[1,1,5],[2,0,1],[3,2,1]]]"},
    {"[[[[1,2],[2,4]],[[3,6],[1,2]]],[[[2,4],[4,8]],[[6,12],[2,4]]]]", "auto",
     "[[[1,2,0],[3,1,2],[0,4,1]],[[1,1,5],[2,0,1],[3,2,1]]]"},
};

static void what_is_factorized_convolves(void **state)
{
    (void)state;
    test_service service = service_open();
    for (size_t i = 0; i < sizeof banks / sizeof *banks; i++) {
        cJSON *const request = cJSON_CreateObject();
        cJSON_AddItemToObject(request, "weight", cJSON_Parse(banks[i].weight));
        cJSON_AddStringToObject(request, "scheme", banks[i].scheme);
        cJSON *const factors = ask(&service, "/v1/separable/factorize", request);
        cJSON_DeleteItemFromObject(request, "scheme");
        cJSON_AddItemToObject(request, "input", cJSON_Parse(banks[i].input));
        cJSON *const expected = ask(&service, "/v1/conv", request);
        cJSON_DeleteItemFromObject(request, "weight");
        cJSON_AddItemToObject(request, "column", cJSON_DetachItemFromObject(factors, "column"));
        cJSON_AddItemToObject(request, "row", cJSON_DetachItemFromObject(factors, "row"));
        cJSON *const convolved = ask(&service, "/v1/separable/spatial", request);
        expect_close(cJSON_GetObjectItem(convolved, "output"),
                     cJSON_GetObjectItem(expected, "output"));
        cJSON_Delete(convolved);
        cJSON_Delete(expected);
        cJSON_Delete(factors);
        cJSON_Delete(request);
    }
    service_close(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_factorized_convolves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
