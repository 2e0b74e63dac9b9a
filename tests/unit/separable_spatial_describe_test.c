/* Describing spatially separable convolutions: what is derived, every refusal.
 * SPDX-License-Identifier: MIT */
#include "layer/separable_spatial.h"
#include "support/refusal.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static layer_separable_spatial describe(layer_shape input, layer_shape column, layer_shape row,
                                        layer_conv_options options)
{
    layer_separable_spatial separable;
    layer_error error;
    assert_int_equal(
        layer_separable_spatial_describe(&separable, &input, &column, &row, &options, &error),
        LAYER_OK);
    return separable;
}

static void kernels_by_themselves_are_described(void **state)
{
    (void)state;
    const layer_separable_spatial separable =
        describe((layer_shape){4, {2, 3, 20, 30}}, (layer_shape){4, {5, 3, 2, 7}},
                 (layer_shape){4, {5, 3, 2, 9}}, (layer_conv_options){.geometry.strides = {1, 2}});
    const layer_shape output = {4, {2, 5, 14, 11}};
    assert_false(separable.is_shared);
    expect_shape(&separable.output, &output);
    const uint64_t forward = 2 * 5 * 3 * 2 * (14 * 30 * 7 + 14 * 11 * 9);
    assert_int_equal(separable.multiplications, forward);
    assert_int_equal(separable.backward_multiplications, 3 * forward);
    assert_int_equal(separable.full_multiplications, 2 * 5 * 14 * 11 * 3 * 63);
}

static void shared_factors_are_described(void **state)
{
    (void)state;
    const layer_separable_spatial separable = describe(
        (layer_shape){4, {2, 4, 20, 30}}, (layer_shape){3, {6, 2, 7}}, (layer_shape){3, {8, 3, 9}},
        (layer_conv_options){.group = 2, .geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER});
    const layer_shape middle = {4, {2, 6, 20, 30}}, output = {4, {2, 8, 20, 30}};
    assert_true(separable.is_shared);
    expect_shape(&separable.vertical.output, &middle);
    expect_shape(&separable.output, &output);
    const uint64_t vertical = 2 * 600 * 6 * 2 * 7, horizontal = 2 * 600 * 8 * 3 * 9;
    assert_int_equal(separable.multiplications, vertical + horizontal);
    assert_int_equal(separable.backward_multiplications, 3 * vertical + 2 * horizontal);
    assert_int_equal(separable.full_multiplications, 2 * 600 * 8 * 2 * 63);
}

/* Padding of a SAME output is that of the whole kernel along each axis, not of a 1. */
static void padding_is_that_of_the_whole_kernel(void **state)
{
    (void)state;
    const layer_separable_spatial separable =
        describe((layer_shape){4, {1, 1, 7, 7}}, (layer_shape){4, {1, 1, 1, 3}},
                 (layer_shape){4, {1, 1, 1, 5}},
                 (layer_conv_options){
                     .geometry = {.auto_pad = LAYER_AUTO_PAD_SAME_LOWER, .strides = {2, 3}}});
    const layer_window height = {7, 3, 2, 1, 1, 1, 4}, width = {7, 5, 3, 1, 2, 2, 3};
    assert_memory_equal(&separable.window[1], &height, sizeof height);
    assert_memory_equal(&separable.window[2], &width, sizeof width);
}

static void an_algorithm_is_that_of_both(void **state)
{
    (void)state;
    const layer_separable_spatial separable = describe(
        (layer_shape){4, {1, 1, 9, 9}}, (layer_shape){4, {1, 1, 1, 3}},
        (layer_shape){4, {1, 1, 1, 3}}, (layer_conv_options){.algorithm = LAYER_CONV_IM2COL});
    assert_int_equal(separable.vertical.algorithm, LAYER_CONV_IM2COL);
    assert_int_equal(separable.horizontal.algorithm, LAYER_CONV_IM2COL);
}

static const struct {
    layer_shape input, column, row;
    layer_conv_options options;
    layer_status status;
    const char *argument, *reason;
} refusals[] = {
    {{2, {8, 8}},
     {4, {1, 1, 1, 3}},
     {4, {1, 1, 1, 3}},
     {.group = 0},
     LAYER_INVALID,
     "input",
     "input has rank 2, expected 4: [N, C, H, W]"},
    {{4, {1, 1, 8, 8}},
     {2, {1, 3}},
     {2, {1, 3}},
     {.group = 0},
     LAYER_INVALID,
     "column",
     "column has rank 2, expected 3, [M, C/group, R], or 4, [K, C/group, M, R]"},
    {{4, {1, 1, 8, 8}},
     {3, {1, 1, 3}},
     {4, {1, 1, 1, 3}},
     {.group = 0},
     LAYER_INVALID,
     "row",
     "row has rank 4, expected 3 as column has"},
    {{4, {1, 1, 8, 0}},
     {3, {1, 1, 3}},
     {3, {1, 1, 3}},
     {.group = 0},
     LAYER_INVALID,
     "input",
     "input has extent 0 along axis 3, expected at least 1"},
    {{4, {1, 1, 8, 8}},
     {3, {1, 1, -3}},
     {3, {1, 1, 3}},
     {.group = 0},
     LAYER_INVALID,
     "column",
     "column has extent -3 along axis 2, expected at least 1"},
    {{4, {1, 1, 8, 8}},
     {3, {1, 1, 3}},
     {3, {0, 1, 3}},
     {.group = 0},
     LAYER_INVALID,
     "row",
     "row has extent 0 along axis 0, expected at least 1"},
    {{4, {1, 1, 8, 8}},
     {4, {50000, 1, 50000, 1}},
     {4, {50000, 1, 50000, 1}},
     {.group = 0},
     LAYER_TOO_LARGE,
     "column",
     "column has more than 2147483647 elements, the most a tensor holds"},
    {{4, {1, 1, 8, 8}},
     {3, {1, 1, 3}},
     {3, {1, 1, 3}},
     {.group = -1},
     LAYER_INVALID,
     "group",
     "group is -1, expected at least 1"},
    {{4, {1, 4, 8, 8}},
     {3, {1, 2, 3}},
     {3, {1, 1, 3}},
     {.group = INT_MAX},
     LAYER_INVALID,
     "column",
     "input has 4 channels, but column takes 2 channels in each of 2147483647 groups"},
    {{4, {1, 4, 8, 8}},
     {4, {3, 2, 1, 3}},
     {4, {3, 2, 1, 3}},
     {.group = 2},
     LAYER_INVALID,
     "group",
     "row's 3 output channels do not divide into 2 groups"},
    {{4, {1, 4, 8, 8}},
     {3, {3, 2, 3}},
     {3, {2, 1, 3}},
     {.group = 2},
     LAYER_INVALID,
     "group",
     "column's 3 intermediate channels do not divide into 2 groups"},
    {{4, {1, 4, 8, 8}},
     {3, {4, 2, 3}},
     {3, {2, 3, 3}},
     {.group = 2},
     LAYER_INVALID,
     "row",
     "column makes 4 intermediate channels, but row takes 3 in each of 2 groups"},
    {{4, {1, 4, 8, 8}},
     {4, {2, 4, 1, 3}},
     {4, {3, 4, 1, 3}},
     {.group = 0},
     LAYER_INVALID,
     "row",
     "row has 3 output channels, expected 2 as column has"},
    {{4, {1, 4, 8, 8}},
     {4, {2, 4, 1, 3}},
     {4, {2, 3, 1, 3}},
     {.group = 0},
     LAYER_INVALID,
     "row",
     "row has 3 channels, expected 4 as column has"},
    {{4, {1, 4, 8, 8}},
     {4, {2, 4, 1, 3}},
     {4, {2, 4, 2, 3}},
     {.group = 0},
     LAYER_INVALID,
     "row",
     "row has 2 products, expected 1 as column has"},
    {{4, {1, 1, 2, 8}},
     {3, {1, 1, 3}},
     {3, {1, 1, 3}},
     {.group = 0},
     LAYER_INVALID,
     "column",
     "column spans 3x1, more than the padded input of 2x8"},
    {{4, {1, 1, 8, 4}},
     {3, {1, 1, 3}},
     {3, {1, 1, 3}},
     {.geometry.dilations = {1, 2}},
     LAYER_INVALID,
     "row",
     "dilated row spans 1x5, more than the padded input of 8x4"},
    {{4, {1, 1, 8, 8}},
     {3, {1, 1, 3}},
     {3, {1, 1, 3}},
     {.geometry.strides = {1, -2}},
     LAYER_INVALID,
     "strides",
     "stride is -2 along axis 1, expected at least 1"},
    {{4, {1, 1, 8, 8}},
     {3, {1, 1, 3}},
     {3, {1, 1, 3}},
     {.geometry = {.auto_pad = LAYER_AUTO_PAD_VALID, .pads_end = {1}}},
     LAYER_INVALID,
     "pads",
     "pads are 0 and 1 along axis 0, expected none: auto_pad decides them"},
    {{4, {1, 1, 8, 8}},
     {3, {1, 1, 3}},
     {3, {1, 1, 3}},
     {.algorithm = (layer_conv_algorithm)17},
     LAYER_INVALID,
     "algorithm",
     "algorithm 17 is none of the list"},
    {{4, {1, 1, 20000, 20000}},
     {3, {1, 1, 1}},
     {3, {6, 1, 1}},
     {.group = 0},
     LAYER_TOO_LARGE,
     "input",
     "the output of 1x6x20000x20000 has more than 2147483647 elements, the most a tensor holds"},
    {{4, {1, 1, 20000, 20000}},
     {3, {6, 1, 1}},
     {3, {1, 6, 1}},
     {.group = 0},
     LAYER_TOO_LARGE,
     "input",
     "the output of 1x6x20000x20000 has more than 2147483647 elements, the most a tensor holds"},
};

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        layer_separable_spatial separable;
        layer_error error = {0};
        spoil(&separable, sizeof separable);
        const layer_status status =
            layer_separable_spatial_describe(&separable, &refusals[i].input, &refusals[i].column,
                                             &refusals[i].row, &refusals[i].options, &error);
        expect_refusal(status, &error,
                       &(refusal){refusals[i].status, refusals[i].argument, refusals[i].reason});
        expect_spoilt(&separable, sizeof separable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_by_themselves_are_described),
        cmocka_unit_test(shared_factors_are_described),
        cmocka_unit_test(padding_is_that_of_the_whole_kernel),
        cmocka_unit_test(an_algorithm_is_that_of_both),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
