/* Describing linear layers: the shapes that follow, every refusal.
 * SPDX-License-Identifier: MIT */
#include "layer/linear.h"
#include "support/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void shapes_follow(void **state)
{
    (void)state;
    layer_linear linear;
    layer_error error;
    const layer_shape weight = {2, {5, 3}}, batched = {2, {7, 3}}, single = {1, {3}};
    assert_int_equal(layer_linear_describe(&linear, &batched, &weight, &error), LAYER_OK);
    assert_true(linear.batch == 7 && linear.inputs == 3 && linear.outputs == 5);
    assert_true(linear.output.rank == 2 && linear.output.extent[0] == 7 &&
                linear.output.extent[1] == 5);
    assert_true(linear.multiplications == 105);
    assert_int_equal(layer_linear_describe(&linear, &single, &weight, &error), LAYER_OK);
    assert_true(linear.batch == 1 && linear.multiplications == 15);
    assert_true(linear.output.rank == 1 && linear.output.extent[0] == 5);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const struct {
        layer_shape input, weight;
        layer_status status;
        const char *argument, *reason;
    } cases[] = {
        {{3, {1, 2, 3}},
         {2, {4, 3}},
         LAYER_INVALID,
         "input",
         "input has rank 3, expected 2, [N, in], or 1, [in]"},
        {{0, {0}}, {2, {4, 3}}, LAYER_INVALID, "input", "input has rank 0, expected 1 to 5"},
        {{1, {3}}, {1, {3}}, LAYER_INVALID, "weight", "weight has rank 1, expected 2, [out, in]"},
        {{2, {0, 3}},
         {2, {4, 3}},
         LAYER_INVALID,
         "input",
         "input has extent 0 along axis 0, expected at least 1"},
        {{2, {2, 3}},
         {2, {-4, 3}},
         LAYER_INVALID,
         "weight",
         "weight has extent -4 along axis 0, expected at least 1"},
        {{2, {2, 3}},
         {2, {4, 5}},
         LAYER_INVALID,
         "weight",
         "weight takes 5 inputs, the input has 3"},
        {{2, {100000, 1}},
         {2, {100000, 1}},
         LAYER_TOO_LARGE,
         "input",
         "the output has more than 2147483647 elements, the most a tensor holds"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer_linear linear;
        layer_error error = {0};
        const layer_status status =
            layer_linear_describe(&linear, &cases[i].input, &cases[i].weight, &error);
        expect_refusal(status, &error,
                       &(refusal){cases[i].status, cases[i].argument, cases[i].reason});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_follow),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
