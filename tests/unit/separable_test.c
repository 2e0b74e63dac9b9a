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

/* The body of a reply of status 200; the caller deletes it. */
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

/* Of one matrix; those of several begin anew. */
static void expect_descending(const cJSON *values)
{
    const cJSON *value;
    double last = INFINITY;
    cJSON_ArrayForEach(value, values)
    {
        if (!cJSON_IsNumber(value))
            return;
        assert_true(value->valuedouble >= 0 && value->valuedouble <= last);
        last = value->valuedouble;
    }
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

/* Takes the weight and the input. */
static void check_convolved(test_service *service, cJSON *weight, const char *scheme, cJSON *input)
{
    cJSON *const request = cJSON_CreateObject();
    cJSON_AddItemToObject(request, "weight", weight);
    cJSON_AddStringToObject(request, "scheme", scheme);
    cJSON_AddStringToObject(request, "output_format", "nested");
    cJSON *const factors = ask(service, "/v1/separable/factorize", request);
    cJSON_DeleteItemFromObject(request, "scheme");
    expect_descending(cJSON_GetObjectItem(factors, "singular_values"));
    cJSON_AddItemToObject(request, "input", input);
    cJSON *const expected = ask(service, "/v1/conv", request);
    cJSON_DeleteItemFromObject(request, "weight");
    cJSON_AddItemToObject(request, "column", cJSON_DetachItemFromObject(factors, "column"));
    cJSON_AddItemToObject(request, "row", cJSON_DetachItemFromObject(factors, "row"));
    cJSON *const convolved = ask(service, "/v1/separable/spatial", request);
    expect_close(cJSON_GetObjectItem(convolved, "output"), cJSON_GetObjectItem(expected, "output"));
    cJSON_Delete(convolved);
    cJSON_Delete(expected);
    cJSON_Delete(factors);
    cJSON_Delete(request);
}

static void what_is_factorized_convolves(void **state)
{
    (void)state;
    test_service service = service_open();
    for (size_t i = 0; i < sizeof banks / sizeof *banks; i++)
        check_convolved(&service, cJSON_Parse(banks[i].weight), banks[i].scheme,
                        cJSON_Parse(banks[i].input));
    service_close(&service);
}

/* A bank of this shape whose kernels all are ones, or of no rank lower than the highest. */
static cJSON *bank_of(const int shape[4], bool ones)
{
    cJSON *const weight = cJSON_CreateObject(), *const data = cJSON_CreateArray();
    const int count = shape[0] * shape[1] * shape[2] * shape[3];
    for (int i = 0; i < count; i++)
        cJSON_AddItemToArray(data, cJSON_CreateNumber(ones ? 1 : -1.0 / (1 + i * i % 97)));
    cJSON_AddItemToObject(weight, "shape", cJSON_CreateIntArray(shape, 4));
    cJSON_AddItemToObject(weight, "data", data);
    return weight;
}

/* Shared columns of a flat bank, and rows of a tall one, are more than those of its kernels. */
static void shared_factors_may_be_the_larger(void **state)
{
    (void)state;
    static const int flat[] = {1, 30, 2, 6}, tall[] = {30, 1, 6, 2};
    test_service service = service_open();
    check_convolved(&service, bank_of(flat, false), "auto", bank_of(flat, false));
    cJSON *const input = cJSON_Parse("[[[[1,2],[0,3],[2,1],[1,1],[5,0],[2,4]]]]");
    check_convolved(&service, bank_of(tall, false), "auto", input);
    service_close(&service);
}

/* What a dry run says it takes is enough, whichever scheme is taken and whichever is longer. */
static void memory_is_counted_for_either_scheme(void **state)
{
    (void)state;
    static const int shapes[][4] = {
        {1, 600, 2, 6}, {600, 1, 6, 2}, {1, 60, 1, 2}, {60, 1, 2, 1}, {4, 4, 3, 3}};
    test_service service = service_open();
    for (size_t i = 0; i < 4 * sizeof shapes / sizeof *shapes; i++) {
        cJSON *const request = cJSON_CreateObject();
        cJSON_AddItemToObject(request, "weight", bank_of(shapes[i / 4], i % 2 == 0));
        cJSON_AddStringToObject(request, "output_format", i / 2 % 2 == 0 ? "nested" : "flat");
        cJSON_AddTrueToObject(request, "dry_run");
        service.limits.memory_size = SIZE_MAX;
        cJSON *const dry = ask(&service, "/v1/separable/factorize", request);
        cJSON_DeleteItemFromObject(request, "dry_run");
        service.limits.memory_size = (size_t)cJSON_GetObjectItem(dry, "memory_bytes")->valuedouble;
        cJSON_Delete(ask(&service, "/v1/separable/factorize", request));
        cJSON_Delete(dry);
        cJSON_Delete(request);
    }
    service_close(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_factorized_convolves),
        cmocka_unit_test(shared_factors_may_be_the_larger),
        cmocka_unit_test(memory_is_counted_for_either_scheme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
