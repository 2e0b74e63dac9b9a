/* Describing convolutions: what is derived, every refusal, and which algorithm is chosen.
 * SPDX-License-Identifier: MIT */
#include "layer/conv.h"
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
        layer_conv_options options;
        layer_shape output;
        uint64_t multiplications;
    } cases[] = {
        {{4, {1, 1, 28, 28}}, {4, {1, 1, 5, 5}}, {.group = 0}, {4, {1, 1, 24, 24}}, 14400},
        {{4, {2, 3, 224, 224}},
         {4, {64, 3, 7, 7}},
         {.geometry.strides = {2, 2}, .geometry.pads_begin = {3, 3}, .geometry.pads_end = {3, 3}},
         {4, {2, 64, 112, 112}},
         2ull * 64 * 112 * 112 * 3 * 49},
        {{4, {1, 8, 9, 9}},
         {4, {8, 1, 3, 3}},
         {.group = 8, .geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER},
         {4, {1, 8, 9, 9}},
         8 * 81 * 9},
        {{3, {1, 2, 10}},
         {3, {3, 2, 3}},
         {.geometry.dilations = {4}, .geometry.pads_begin = {1}},
         {3, {1, 3, 3}},
         3 * 3 * 2 * 3},
        {{5, {1, 1, 4, 5, 6}},
         {5, {2, 1, 2, 3, 1}},
         {.geometry.auto_pad = LAYER_AUTO_PAD_FULL},
         {5, {1, 2, 5, 7, 6}},
         2 * 5 * 7 * 6 * 6},
        {{4, {1, 1, 1, 1}}, {4, {1, 1, 1, 1}}, {.group = 0}, {4, {1, 1, 1, 1}}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer_conv conv;
        layer_error error;
        assert_int_equal(layer_conv_describe(&conv, &cases[i].input, &cases[i].weight,
                                             &cases[i].options, &error),
                         LAYER_OK);
        expect_shape(&conv.input, &cases[i].input);
        expect_shape(&conv.weight, &cases[i].weight);
        expect_shape(&conv.output, &cases[i].output);
        assert_int_equal(conv.multiplications, cases[i].multiplications);
        assert_int_equal(conv.axes, cases[i].input.rank - 2);
        assert_true(conv.algorithm != LAYER_CONV_AUTO);
    }
}

static void windows_lie_behind_trivial_ones(void **state)
{
    (void)state;
    const layer_shape input = {3, {1, 1, 10}}, weight = {3, {1, 1, 3}};
    const layer_conv_options options = {
        .geometry.strides = {2}, .geometry.pads_begin = {1}, .geometry.pads_end = {2}};
    layer_conv conv;
    layer_error error;
    assert_int_equal(layer_conv_describe(&conv, &input, &weight, &options, &error), LAYER_OK);
    const layer_window trivial = {1, 1, 1, 1, 0, 0, 1}, width = {10, 3, 2, 1, 1, 2, 6};
    assert_memory_equal(&conv.window[0], &trivial, sizeof trivial);
    assert_memory_equal(&conv.window[1], &trivial, sizeof trivial);
    assert_memory_equal(&conv.window[2], &width, sizeof width);
}

static const struct {
    layer_shape input, weight;
    layer_conv_options options;
    layer_status status;
    const char *argument, *reason;
} refusals[] = {
    {{4, {1, 1, 3, 3}},
     {4, {1, 1, 5, 5}},
     {.group = 0},
     LAYER_INVALID,
     "weight",
     "weight spans 5x5, more than the padded input of 3x3"},
    {{4, {1, 1, 9, 3}},
     {4, {1, 1, 3, 3}},
     {.geometry.dilations = {1, 4}, .geometry.pads_begin = {0, 1}, .geometry.pads_end = {2, 1}},
     LAYER_INVALID,
     "weight",
     "dilated weight spans 3x9, more than the padded input of 11x5"},
    {{5, {1, 1, 2, 2, 2}},
     {5, {1, 1, 1, 2, 3}},
     {.geometry.auto_pad = LAYER_AUTO_PAD_VALID},
     LAYER_INVALID,
     "weight",
     "weight spans 1x2x3, more than the padded input of 2x2x2"},
    {{3, {1, 1, 2}},
     {3, {1, 1, INT_MAX}},
     {.geometry.dilations = {INT_MAX}},
     LAYER_INVALID,
     "weight",
     "dilated weight spans 4611686011984936963, more than the padded input of 2"},
    {{4, {1, 3, 8, 8}},
     {4, {4, 2, 3, 3}},
     {.group = 0},
     LAYER_INVALID,
     "weight",
     "input has 3 channels, but weight takes 2 channels in each of 1 groups"},
    {{4, {1, 4, 8, 8}},
     {4, {3, 2, 3, 3}},
     {.group = 2},
     LAYER_INVALID,
     "group",
     "weight's 3 output channels do not divide into 2 groups"},
    {{4, {1, 4, 8, 8}},
     {4, {4, 4, 3, 3}},
     {.group = -1},
     LAYER_INVALID,
     "group",
     "group is -1, expected at least 1"},
    {{4, {1, 1, 8, 8}},
     {4, {1, 2, 3, 3}},
     {.group = INT_MAX},
     LAYER_INVALID,
     "weight",
     "input has 1 channels, but weight takes 2 channels in each of 2147483647 groups"},
    {{2, {8, 8}},
     {2, {3, 3}},
     {.group = 0},
     LAYER_INVALID,
     "weight",
     "weight has rank 2, expected 3 to 5: [K, C/group, 1 to 3 spatial axes]"},
    {{3, {1, 8, 8}},
     {4, {1, 1, 3, 3}},
     {.group = 0},
     LAYER_INVALID,
     "input",
     "input has rank 3, expected 4 as weight has"},
    {{4, {1, 1, 0, 8}},
     {4, {1, 1, 3, 3}},
     {.group = 0},
     LAYER_INVALID,
     "input",
     "input has extent 0 along axis 2, expected at least 1"},
    {{4, {1, 1, 8, 8}},
     {4, {1, 1, 3, -3}},
     {.group = 0},
     LAYER_INVALID,
     "weight",
     "weight has extent -3 along axis 3, expected at least 1"},
    {{4, {1, 1, 8, 8}},
     {6, {1, 1, 3, 3}},
     {.group = 0},
     LAYER_INVALID,
     "weight",
     "weight has rank 6, expected 3 to 5: [K, C/group, 1 to 3 spatial axes]"},
    {{4, {1, 1, 8, 8}},
     {4, {1, 1, 3, 3}},
     {.geometry.strides = {1, -1}},
     LAYER_INVALID,
     "strides",
     "stride is -1 along axis 1, expected at least 1"},
    {{4, {1, 1, 8, 8}},
     {4, {1, 1, 3, 3}},
     {.geometry.dilations = {-3, 1}},
     LAYER_INVALID,
     "dilations",
     "dilation is -3 along axis 0, expected at least 1"},
    {{4, {1, 1, 8, 8}},
     {4, {1, 1, 3, 3}},
     {.geometry.pads_begin = {0, -1}},
     LAYER_INVALID,
     "pads",
     "padding at the beginning is -1 along axis 1, expected at least 0"},
    {{4, {1, 1, 8, 8}},
     {4, {1, 1, 30, 3}},
     {.geometry.pads_end = {0, -1}},
     LAYER_INVALID,
     "pads",
     "padding at the end is -1 along axis 1, expected at least 0"},
    {{4, {1, 1, 8, 8}},
     {4, {1, 1, 3, 3}},
     {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER, .geometry.pads_begin = {0, 1}},
     LAYER_INVALID,
     "pads",
     "pads are 1 and 0 along axis 1, expected none: auto_pad decides them"},
    {{4, {1, 1, 8, 8}},
     {4, {1, 1, 3, 3}},
     {.geometry.auto_pad = LAYER_AUTO_PAD_FULL, .geometry.strides = {1, 2}},
     LAYER_INVALID,
     "strides",
     "auto_pad FULL takes stride 1 only, but the stride is 2 along axis 1"},
    {{4, {1, 1, 8, 8}},
     {4, {1, 1, 3, 3}},
     {.geometry.auto_pad = (layer_auto_pad)17},
     LAYER_INVALID,
     "auto_pad",
     "auto_pad 17 is none of the list"},
    {{4, {1, 1, 8, 8}},
     {4, {1, 1, 3, 3}},
     {.algorithm = (layer_conv_algorithm)17},
     LAYER_INVALID,
     "algorithm",
     "algorithm 17 is none of the list"},
    {{4, {1, 1, 8, 8}},
     {4, {1, 1, 3, 3}},
     {.algorithm = LAYER_CONV_WINOGRAD4, .geometry.strides = {1, 2}},
     LAYER_INVALID,
     "algorithm",
     "winograd4 computes only kernels of 3x3 over two axes, with stride and dilation 1"},
    {{5, {1, 1, 8, 8, 8}},
     {5, {1, 1, 1, 3, 3}},
     {.algorithm = LAYER_CONV_WINOGRAD2},
     LAYER_INVALID,
     "algorithm",
     "winograd2 computes only kernels of 3x3 over two axes, with stride and dilation 1"},
    {{4, {1, 1, 50000, 50000}},
     {4, {1, 1, 3, 3}},
     {.group = 0},
     LAYER_TOO_LARGE,
     "input",
     "input has more than 2147483647 elements, the most a tensor holds"},
    {{4, {1, 1, 40000, 40000}},
     {4, {2, 1, 1, 1}},
     {.group = 0},
     LAYER_TOO_LARGE,
     "input",
     "the output of 1x2x40000x40000 has more than 2147483647 elements, the most a tensor holds"},
    {{3, {1, 1, 8}},
     {3, {1, 1, 3}},
     {.geometry.pads_begin = {INT_MAX}},
     LAYER_TOO_LARGE,
     "pads",
     "the padded input is 2147483655 long along axis 0, expected at most 2147483647"},
};

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        layer_conv conv;
        layer_error error = {0};
        spoil(&conv, sizeof conv);
        const layer_status status = layer_conv_describe(
            &conv, &refusals[i].input, &refusals[i].weight, &refusals[i].options, &error);
        expect_refusal(status, &error,
                       &(refusal){refusals[i].status, refusals[i].argument, refusals[i].reason});
        expect_spoilt(&conv, sizeof conv);
    }
}

static layer_conv describe(layer_shape input, layer_shape weight, layer_conv_options options)
{
    layer_conv conv;
    layer_error error;
    assert_int_equal(layer_conv_describe(&conv, &input, &weight, &options, &error), LAYER_OK);
    return conv;
}

static void planes_are_filtered_and_channels_multiplied(void **state)
{
    (void)state;
    const layer_conv_options none = {0};
    const layer_shape photo = {4, {1, 3, 224, 224}}, digit = {4, {1, 1, 28, 28}};
    const layer_shape signal = {3, {1, 1, 1000}};
    assert_int_equal(describe(digit, (layer_shape){4, {1, 1, 5, 5}}, none).algorithm,
                     LAYER_CONV_DEPTHWISE);
    assert_int_equal(
        describe(photo, (layer_shape){4, {3, 1, 3, 3}}, (layer_conv_options){.group = 3}).algorithm,
        LAYER_CONV_DEPTHWISE);
    assert_int_equal(
        describe((layer_shape){4, {1, 1, 512, 512}}, (layer_shape){4, {1, 1, 31, 31}}, none)
            .algorithm,
        LAYER_CONV_FFT);
    assert_int_equal(describe(photo, (layer_shape){4, {64, 3, 3, 3}}, none).algorithm,
                     LAYER_CONV_IMPLICIT);
    assert_int_equal(describe(signal, (layer_shape){3, {1, 1, 9}}, none).algorithm,
                     LAYER_CONV_DIRECT);
}

/* Where it saves most of the multiplications; prepared weights may be larger. */
static void networks_kernels_of_3x3_are_transformed(void **state)
{
    (void)state;
    static const struct {
        layer_shape input;
        int outputs;
        bool is_prepared;
        layer_conv_algorithm expected;
    } layers[] = {
        {{4, {1, 128, 112, 112}}, 128, false, LAYER_CONV_WINOGRAD6},
        {{4, {1, 64, 56, 56}}, 64, false, LAYER_CONV_WINOGRAD4},
        {{4, {1, 256, 14, 14}}, 256, false, LAYER_CONV_WINOGRAD2},
        {{4, {8, 512, 7, 7}}, 512, true, LAYER_CONV_WINOGRAD4},
        {{4, {1, 512, 7, 7}}, 512, true, LAYER_CONV_WINOGRAD2},
        {{4, {1, 64, 7, 7}}, 64, true, LAYER_CONV_WINOGRAD4},
        {{4, {1, 512, 2, 2}}, 512, true, LAYER_CONV_PACKED},
        {{4, {1, 8, 56, 56}}, 8, true, LAYER_CONV_IMPLICIT},
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const layer_shape weight = {4, {layers[i].outputs, layers[i].input.extent[1], 3, 3}};
        const layer_conv_options options = {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER,
                                            .is_prepared = layers[i].is_prepared};
        assert_int_equal(describe(layers[i].input, weight, options).algorithm, layers[i].expected);
    }
}

/* Whatever was asked for by name is kept, and its workspace grows with the threads. */
static void an_algorithm_by_name_is_kept(void **state)
{
    (void)state;
    const layer_shape digit = {4, {1, 1, 28, 28}}, filter = {4, {1, 1, 5, 5}};
    const layer_conv_options im2col = {.algorithm = LAYER_CONV_IM2COL};
    const layer_conv conv = describe(digit, filter, im2col);
    assert_int_equal(conv.algorithm, LAYER_CONV_IM2COL);
    const size_t one = layer_conv_workspace_size(&conv, 1);
    assert_true(one > 0 && one % 64 == 0);
    assert_int_equal(layer_conv_workspace_size(&conv, 3), 3 * one);
    const layer_conv_options direct = {.algorithm = LAYER_CONV_DIRECT};
    const layer_conv plain = describe(digit, filter, direct);
    assert_int_equal(plain.algorithm, LAYER_CONV_DIRECT);
    assert_int_equal(layer_conv_workspace_size(&plain, 8), 0);
}

static void algorithms_have_names(void **state)
{
    (void)state;
    assert_string_equal(layer_conv_algorithm_name(LAYER_CONV_AUTO), "auto");
#define CHECK_NAME(id, name, bound, sentence)                                                      \
    assert_string_equal(layer_conv_algorithm_name(LAYER_CONV_##id), name);
    LAYER_CONV_ALGORITHM_LIST(CHECK_NAME)
#undef CHECK_NAME
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_derived),
        cmocka_unit_test(windows_lie_behind_trivial_ones),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(planes_are_filtered_and_channels_multiplied),
        cmocka_unit_test(networks_kernels_of_3x3_are_transformed),
        cmocka_unit_test(an_algorithm_by_name_is_kept),
        cmocka_unit_test(algorithms_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
