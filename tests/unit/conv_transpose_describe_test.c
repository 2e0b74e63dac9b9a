/* Describing transposed convolutions: what is derived, and every refusal.
 * SPDX-License-Identifier: MIT */
#include "layer/conv_transpose.h"
#include "support/refusal.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void outputs_are_derived(void **state)
{
    (void)state;
    static const struct {
        layer_shape input, weight;
        layer_conv_transpose_options options;
        layer_shape output;
        int pads[4]; /* of the last two axes: begins, then ends */
        uint64_t multiplications;
    } cases[] = {
        {{4, {1, 1, 3, 3}},
         {4, {1, 2, 3, 3}},
         {.group = 0},
         {4, {1, 2, 5, 5}},
         {0, 0, 0, 0},
         9 * 2 * 9},
        {{4, {2, 6, 4, 5}},
         {4, {6, 3, 4, 4}},
         {.group = 2,
          .geometry.strides = {2, 2},
          .geometry.pads_begin = {1, 1},
          .geometry.pads_end = {1, 1}},
         {4, {2, 6, 8, 10}},
         {1, 1, 1, 1},
         2 * 6 * 20 * 3 * 16},
        {{4, {1, 1, 3, 3}},
         {4, {1, 2, 3, 3}},
         {.geometry.strides = {3, 2}, .output_shape = {10, 8}},
         {4, {1, 2, 10, 8}},
         {0, 0, -1, -1},
         9 * 2 * 9},
        {{4, {1, 1, 3, 3}},
         {4, {1, 2, 3, 3}},
         {.geometry.strides = {3, 2}, .output_padding = {1, 1}},
         {4, {1, 2, 10, 8}},
         {0, 0, 0, 0},
         9 * 2 * 9},
        {{4, {1, 1, 3, 3}},
         {4, {1, 2, 3, 3}},
         {.geometry.strides = {2, 2}, .geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER},
         {4, {1, 2, 6, 6}},
         {0, 0, 1, 1},
         9 * 2 * 9},
        {{4, {1, 1, 3, 3}},
         {4, {1, 2, 3, 3}},
         {.geometry.strides = {2, 5}, .geometry.auto_pad = LAYER_AUTO_PAD_SAME_LOWER},
         {4, {1, 2, 6, 15}},
         {1, -1, 0, -1},
         9 * 2 * 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer_conv_transpose transpose;
        layer_error error;
        assert_int_equal(layer_conv_transpose_describe(&transpose, &cases[i].input,
                                                       &cases[i].weight, &cases[i].options, &error),
                         LAYER_OK);
        const layer_window *const window = transpose.adjoint.window + 1;
        assert_memory_equal(&transpose.output, &cases[i].output, sizeof transpose.output);
        assert_int_equal(transpose.multiplications, cases[i].multiplications);
        for (int axis = 0; axis < 2; axis++) {
            assert_int_equal(window[axis].pad_begin, cases[i].pads[axis]);
            assert_int_equal(window[axis].pad_end, cases[i].pads[2 + axis]);
        }
    }
}

static void no_options_are_the_defaults(void **state)
{
    (void)state;
    const layer_shape input = {3, {2, 3, 5}}, weight = {3, {3, 4, 2}}, output = {3, {2, 4, 6}};
    layer_conv_transpose transpose;
    layer_error error;
    assert_int_equal(layer_conv_transpose_describe(&transpose, &input, &weight, NULL, &error),
                     LAYER_OK);
    assert_memory_equal(&transpose.output, &output, sizeof output);
    const layer_window trivial = {1, 1, 1, 1, 0, 0, 1};
    assert_memory_equal(&transpose.adjoint.window[0], &trivial, sizeof trivial);
    assert_memory_equal(&transpose.adjoint.window[1], &trivial, sizeof trivial);
}

static const struct {
    layer_shape input, weight;
    layer_conv_transpose_options options;
    layer_status status;
    const char *argument, *reason;
} refusals[] = {
    {{2, {3, 3}},
     {2, {2, 2}},
     {.group = 0},
     LAYER_INVALID,
     "weight",
     "weight has rank 2, expected 3 to 5: [C, K/group, 1 to 3 spatial axes]"},
    {{3, {1, 1, 3}},
     {4, {1, 1, 2, 2}},
     {.group = 0},
     LAYER_INVALID,
     "input",
     "input has rank 3, expected 4 as weight has"},
    {{3, {1, 0, 3}},
     {3, {1, 1, 2}},
     {.group = 0},
     LAYER_INVALID,
     "input",
     "input has extent 0 along axis 1, expected at least 1"},
    {{3, {1, 3, 3}},
     {3, {2, 1, 2}},
     {.group = 0},
     LAYER_INVALID,
     "weight",
     "input has 3 channels, but weight takes 2"},
    {{3, {1, 3, 3}},
     {3, {3, 1, 2}},
     {.group = 2},
     LAYER_INVALID,
     "group",
     "weight's 3 input channels do not divide into 2 groups"},
    {{3, {1, 3, 3}},
     {3, {3, 1, 2}},
     {.group = -3},
     LAYER_INVALID,
     "group",
     "group is -3, expected at least 1"},
    {{3, {1, 65536, 1}},
     {3, {65536, 32768, 1}},
     {.group = 65536},
     LAYER_TOO_LARGE,
     "weight",
     "weight has more than 2147483647 elements, the most a tensor holds"},
    {{3, {1, 1, 3}},
     {3, {1, 1, 2}},
     {.geometry.strides = {-1}},
     LAYER_INVALID,
     "strides",
     "stride is -1 along axis 0, expected at least 1"},
    {{4, {1, 1, 3, 3}},
     {4, {1, 1, 2, 2}},
     {.geometry.dilations = {1, -2}},
     LAYER_INVALID,
     "dilations",
     "dilation is -2 along axis 1, expected at least 1"},
    {{3, {1, 1, 3}},
     {3, {1, 1, 2}},
     {.geometry.pads_begin = {-1}},
     LAYER_INVALID,
     "pads",
     "padding at the beginning is -1 along axis 0, expected at least 0"},
    {{3, {1, 1, 3}},
     {3, {1, 1, 2}},
     {.geometry.pads_end = {-1}},
     LAYER_INVALID,
     "pads",
     "padding at the end is -1 along axis 0, expected at least 0"},
    {{3, {1, 1, 3}},
     {3, {1, 1, 2}},
     {.geometry.pads_begin = {2}, .geometry.pads_end = {2}},
     LAYER_INVALID,
     "pads",
     "pads of 2 and 2 leave nothing of the output of 4 along axis 0"},
    {{3, {1, 1, 3}},
     {3, {1, 1, 2}},
     {.geometry.pads_begin = {1}, .geometry.auto_pad = LAYER_AUTO_PAD_VALID},
     LAYER_INVALID,
     "pads",
     "pads are 1 and 0 along axis 0, expected none: auto_pad decides them"},
    {{3, {1, 1, 3}},
     {3, {1, 1, 2}},
     {.geometry.pads_end = {1}, .output_shape = {4}},
     LAYER_INVALID,
     "pads",
     "pads are 0 and 1 along axis 0, expected none: output_shape decides them"},
    {{3, {1, 1, 3}},
     {3, {1, 1, 2}},
     {.geometry.auto_pad = LAYER_AUTO_PAD_FULL},
     LAYER_INVALID,
     "auto_pad",
     "auto_pad FULL is for convolution, not for its transpose"},
    {{3, {1, 1, 3}},
     {3, {1, 1, 2}},
     {.output_padding = {-1}},
     LAYER_INVALID,
     "output_padding",
     "output_padding is -1 along axis 0, expected at least 0"},
    {{3, {1, 1, 3}},
     {3, {1, 1, 2}},
     {.geometry.strides = {2}, .geometry.dilations = {3}, .output_padding = {3}},
     LAYER_INVALID,
     "output_padding",
     "output_padding is 3 along axis 0, expected less than the stride of 2 or the dilation of 3"},
    {{3, {1, 1, 3}},
     {3, {1, 1, 2}},
     {.output_shape = {-4}},
     LAYER_INVALID,
     "output_shape",
     "output_shape is -4 along axis 0, expected at least 0"},
    {{3, {1, 1, INT_MAX}},
     {3, {1, 1, 1}},
     {.geometry.strides = {INT_MAX}},
     LAYER_TOO_LARGE,
     "input",
     "the output is 4611686011984936963 long along axis 0 before it is cut, expected at most "
     "2147483647"},
    {{3, {1, 1, 3}},
     {3, {1, 1, INT_MAX}},
     {.geometry.dilations = {INT_MAX}},
     LAYER_TOO_LARGE,
     "input",
     "the output is 4611686011984936965 long along axis 0 before it is cut, expected at most "
     "2147483647"},
    {{3, {1, 1, 1 << 16}},
     {3, {1, 1, 1}},
     {.geometry.strides = {1 << 15}, .geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER},
     LAYER_TOO_LARGE,
     "input",
     "the output is 2147483648 long along axis 0, expected at most 2147483647"},
    {{4, {4, 1, 1, 1}},
     {4, {1, 1, 1, 1}},
     {.output_shape = {1 << 15, 1 << 15}},
     LAYER_TOO_LARGE,
     "input",
     "the output of 4x1x32768x32768 has more than 2147483647 elements, the most a tensor holds"},
};

static void refusals_name_the_argument(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        layer_conv_transpose transpose;
        layer_error error;
        spoil(&transpose, sizeof transpose);
        const layer_status status = layer_conv_transpose_describe(
            &transpose, &refusals[i].input, &refusals[i].weight, &refusals[i].options, &error);
        expect_refusal(status, &error,
                       &(refusal){refusals[i].status, refusals[i].argument, refusals[i].reason});
        expect_spoilt(&transpose, sizeof transpose);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_derived),
        cmocka_unit_test(no_options_are_the_defaults),
        cmocka_unit_test(refusals_name_the_argument),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
