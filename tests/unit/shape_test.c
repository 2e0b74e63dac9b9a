/* Counting the elements of shapes, and the names of statuses.
 * SPDX-License-Identifier: MIT */
#include "layer/tensor.h"
#include "support/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void shapes_are_counted(void **state)
{
    (void)state;
    static const struct {
        layer_shape shape;
        size_t count;
    } cases[] = {
        {{1, {7}}, 7},
        {{2, {3, 4}}, 12},
        {{5, {2, 3, 4, 5, 6}}, 720},
        {{5, {1, 1, 1, 1, 1}}, 1},
        {{1, {INT32_MAX}}, INT32_MAX},
        {{2, {1, INT32_MAX}}, INT32_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = 0;
        layer_error error;
        assert_int_equal(layer_shape_count(&cases[i].shape, "input", &count, &error), LAYER_OK);
        assert_int_equal(count, cases[i].count);
    }
}

static void shapes_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const struct {
        layer_shape shape;
        layer_status status;
        const char *reason;
    } cases[] = {
        {{0, {0}}, LAYER_INVALID, "input has rank 0, expected 1 to 5"},
        {{6, {1, 1, 1, 1, 1}}, LAYER_INVALID, "input has rank 6, expected 1 to 5"},
        {{2, {3, 0}}, LAYER_INVALID, "input has extent 0 along axis 1, expected at least 1"},
        {{2, {-1, 3}}, LAYER_INVALID, "input has extent -1 along axis 0, expected at least 1"},
        {{2, {INT32_MAX, 2}},
         LAYER_TOO_LARGE,
         "input has more than 2147483647 elements, the most a tensor holds"},
        {{5, {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX}},
         LAYER_TOO_LARGE,
         "input has more than 2147483647 elements, the most a tensor holds"},
        {{3, {INT32_MAX, INT32_MAX, 0}},
         LAYER_INVALID,
         "input has extent 0 along axis 2, expected at least 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = 12345;
        layer_error error = {0};
        const layer_status status = layer_shape_count(&cases[i].shape, "input", &count, &error);
        expect_refusal(status, &error, &(refusal){cases[i].status, "input", cases[i].reason});
        assert_int_equal(count, 12345);
    }
}

static void statuses_have_names_and_sentences(void **state)
{
    (void)state;
#define CHECK_STATUS(name, sentence)                                                               \
    assert_string_equal(layer_status_name(LAYER_##name), #name);                                   \
    assert_string_equal(layer_status_sentence(LAYER_##name), sentence);
    LAYER_STATUS_LIST(CHECK_STATUS)
#undef CHECK_STATUS
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_counted),
        cmocka_unit_test(shapes_that_make_no_sense_are_refused),
        cmocka_unit_test(statuses_have_names_and_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
