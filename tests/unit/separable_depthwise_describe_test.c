/* Describing depthwise-separable convolutions: what is derived, every refusal.
 * SPDX-License-Identifier: MIT */
#include "layer/separable_depthwise.h"
#include "support/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Howard et al.: 1/K + 1/9 of the multiplications with 3x3 kernels. */
static void a_layer_of_mobilenet_is_described(void **state)
{
    (void)state;
    const layer_shape input = {4, {1, 512, 14, 14}}, depthwise = {4, {512, 1, 3, 3}},
                      pointwise = {4, {512, 512, 1, 1}};
    const layer_conv_options options = {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER};
    layer_separable_depthwise separable;
    layer_error error;
    assert_int_equal(layer_separable_depthwise_describe(&separable, &input, &depthwise, &pointwise,
                                                        &options, &error),
                     LAYER_OK);
    assert_int_equal(separable.depthwise.group, 512);
    expect_shape(&separable.pointwise.output, &input);
    assert_int_equal(separable.multiplications, 512 * 196 * 9 + 512 * 512 * 196);
    assert_int_equal(separable.full_multiplications, 512ull * 512 * 196 * 9);
    assert_int_equal(separable.backward_multiplications, 3 * 512 * 196 * 9 + 2 * 512 * 512 * 196);
}

static void a_channel_may_become_several(void **state)
{
    (void)state;
    const layer_shape input = {3, {2, 2, 10}}, depthwise = {3, {6, 1, 3}},
                      pointwise = {3, {5, 6, 1}};
    const layer_conv_options options = {.geometry.strides = {2}};
    layer_separable_depthwise separable;
    layer_error error;
    assert_int_equal(layer_separable_depthwise_describe(&separable, &input, &depthwise, &pointwise,
                                                        &options, &error),
                     LAYER_OK);
    const layer_shape output = {3, {2, 5, 4}};
    expect_shape(&separable.pointwise.output, &output);
    assert_int_equal(separable.multiplications, 2 * 4 * (6 * 3 + 5 * 6));
    assert_int_equal(separable.full_multiplications, 2 * 4 * 5 * 2 * 3);
}

static const struct {
    layer_shape input, depthwise, pointwise;
    layer_conv_options options;
    layer_status status;
    const char *argument, *reason;
} refusals[] = {
    {{2, {8, 8}},
     {2, {3, 3}},
     {2, {1, 1}},
     {.group = 0},
     LAYER_INVALID,
     "depthwise_weight",
     "depthwise_weight has rank 2, expected 3 to 5: [J, 1, 1 to 3 spatial axes]"},
    {{4, {1, 1, 8, 8}},
     {6, {1, 1, 3, 3, 3}},
     {4, {1, 1, 1, 1}},
     {.group = 0},
     LAYER_INVALID,
     "depthwise_weight",
     "depthwise_weight has rank 6, expected 3 to 5: [J, 1, 1 to 3 spatial axes]"},
    {{3, {2, 8, 8}},
     {4, {2, 1, 3, 3}},
     {4, {1, 2, 1, 1}},
     {.group = 0},
     LAYER_INVALID,
     "input",
     "input has rank 3, expected 4 as depthwise_weight has"},
    {{4, {1, 2, 8, 8}},
     {4, {2, 1, 0, 3}},
     {4, {1, 2, 1, 1}},
     {.group = 0},
     LAYER_INVALID,
     "depthwise_weight",
     "depthwise_weight has extent 0 along axis 2, expected at least 1"},
    {{4, {0, 2, 8, 8}},
     {4, {2, 1, 3, 3}},
     {4, {1, 2, 1, 1}},
     {.group = 0},
     LAYER_INVALID,
     "input",
     "input has extent 0 along axis 0, expected at least 1"},
    {{4, {1, 2, 50000, 50000}},
     {4, {2, 1, 3, 3}},
     {4, {1, 2, 1, 1}},
     {.group = 0},
     LAYER_TOO_LARGE,
     "input",
     "input has more than 2147483647 elements, the most a tensor holds"},
    {{4, {1, 2, 8, 8}},
     {4, {2, 2, 3, 3}},
     {4, {1, 2, 1, 1}},
     {.group = 0},
     LAYER_INVALID,
     "depthwise_weight",
     "depthwise_weight takes 2 channels each, expected 1"},
    {{4, {1, 2, 8, 8}},
     {4, {3, 1, 3, 3}},
     {4, {1, 3, 1, 1}},
     {.group = 0},
     LAYER_INVALID,
     "depthwise_weight",
     "depthwise_weight has 3 kernels, expected a multiple of the input's 2 channels"},
    {{4, {1, 2, 8, 8}},
     {4, {2, 1, 3, 3}},
     {2, {5, 2}},
     {.group = 0},
     LAYER_INVALID,
     "pointwise_weight",
     "pointwise_weight has rank 2, expected 4 as depthwise_weight has"},
    {{4, {1, 2, 8, 8}},
     {4, {2, 1, 3, 3}},
     {4, {-5, 2, 1, 1}},
     {.group = 0},
     LAYER_INVALID,
     "pointwise_weight",
     "pointwise_weight has extent -5 along axis 0, expected at least 1"},
    {{4, {1, 2, 8, 8}},
     {4, {4, 1, 3, 3}},
     {4, {5, 2, 1, 1}},
     {.group = 0},
     LAYER_INVALID,
     "pointwise_weight",
     "pointwise_weight takes 2 channels, depthwise_weight makes 4"},
    {{4, {1, 2, 8, 8}},
     {4, {2, 1, 3, 3}},
     {4, {5, 2, 1, 3}},
     {.group = 0},
     LAYER_INVALID,
     "pointwise_weight",
     "pointwise_weight has extent 3 along axis 3, expected 1"},
    {{4, {1, 2, 8, 2}},
     {4, {2, 1, 3, 3}},
     {4, {5, 2, 1, 1}},
     {.group = 0},
     LAYER_INVALID,
     "depthwise_weight",
     "depthwise_weight spans 3x3, more than the padded input of 8x2"},
    {{4, {1, 2, 8, 8}},
     {4, {2, 1, 3, 3}},
     {4, {5, 2, 1, 1}},
     {.geometry.strides = {1, -1}},
     LAYER_INVALID,
     "strides",
     "stride is -1 along axis 1, expected at least 1"},
    {{4, {1, 2, 8, 8}},
     {4, {2, 1, 3, 3}},
     {4, {5, 2, 1, 1}},
     {.algorithm = (layer_conv_algorithm)17},
     LAYER_INVALID,
     "algorithm",
     "algorithm 17 is none of the list"},
    {{4, {1, 1, 20000, 20000}},
     {4, {6, 1, 1, 1}},
     {4, {1, 6, 1, 1}},
     {.group = 0},
     LAYER_TOO_LARGE,
     "input",
     "the output of 1x6x20000x20000 has more than 2147483647 elements, the most a tensor holds"},
    {{4, {1, 1, 20000, 20000}},
     {4, {1, 1, 1, 1}},
     {4, {6, 1, 1, 1}},
     {.group = 0},
     LAYER_TOO_LARGE,
     "input",
     "the output of 1x6x20000x20000 has more than 2147483647 elements, the most a tensor holds"},
};

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        layer_separable_depthwise separable;
        layer_error error = {0};
        spoil(&separable, sizeof separable);
        const layer_status status = layer_separable_depthwise_describe(
            &separable, &refusals[i].input, &refusals[i].depthwise, &refusals[i].pointwise,
            &refusals[i].options, &error);
        expect_refusal(status, &error,
                       &(refusal){refusals[i].status, refusals[i].argument, refusals[i].reason});
        expect_spoilt(&separable, sizeof separable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_of_mobilenet_is_described),
        cmocka_unit_test(a_channel_may_become_several),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
