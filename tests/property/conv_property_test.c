/* Properties of convolution over random geometries: every algorithm against the definition, the
 * same bits for any number of threads, linearity, cancellation.
 * SPDX-License-Identifier: MIT */
#include "layer/conv.h"
#include "oracle/conv_oracle.h"
#include "support/sampling.h"
#include "support/threads.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GEOMETRIES = 400, LINEARITY_GEOMETRIES = 60, MOST_THREADS = 3, ALIGNMENT = 64 };

/* Allowed difference from a sum in double, relative to the largest |output|. */
static const double BOUND = 5e-6;

/* With fewer outputs than this it may happen that the terms of them all nearly cancel; then the
 * difference is relative to the largest sum of |terms|. */
enum { MANY_OUTPUTS = 64 };

typedef struct {
    layer_shape input, weight;
    layer_conv_options options;
} geometry;

typedef struct {
    float *input, *weight, *bias; /* bias may be NULL */
} operands;

static size_t count_of(const layer_shape *shape)
{
    size_t count = 0;
    layer_error error;
    assert_int_equal(layer_shape_count(shape, "shape", &count, &error), LAYER_OK);
    return count;
}

static float *new_floats(size_t count)
{
    float *const floats = malloc(count * sizeof *floats);
    assert_non_null(floats);
    return floats;
}

static double *new_doubles(size_t count)
{
    double *const doubles = malloc(count * sizeof *doubles);
    assert_non_null(doubles);
    return doubles;
}

/* Small enough for the definition, large enough for several tiles and vectors now and then; often
 * the extremes: one cell, one channel, one group a channel. */
static geometry draw_geometry(sampling *from)
{
    const int axes = sampling_between(from, 1, 3);
    const int most_extent = axes == 1 ? 300 : axes == 2 ? 40 : 9;
    const int group = sampling_between(from, 0, 2) == 0 ? sampling_between(from, 2, 4) : 1;
    const int channels = sampling_between(from, 1, 5);
    const int outputs = sampling_between(from, 0, 3) == 0 ? sampling_between(from, 8, 40)
                                                          : sampling_between(from, 1, 5);
    geometry drawn = {
        .input = {2 + axes, {sampling_between(from, 1, 3), group * channels}},
        .weight = {2 + axes, {group * outputs, channels}},
        .options = {.group = group,
                    .mode = (layer_conv_mode)sampling_between(from, 0, 1),
                    .geometry.auto_pad =
                        (layer_auto_pad)sampling_between(from, 0, LAYER_AUTO_PAD_FULL)},
    };
    const bool explicit_pads = drawn.options.geometry.auto_pad == LAYER_AUTO_PAD_NOTSET;
    const bool strided = drawn.options.geometry.auto_pad != LAYER_AUTO_PAD_FULL;
    for (int axis = 0; axis < axes; axis++) {
        drawn.input.extent[2 + axis] =
            sampling_between(from, 0, 7) == 0 ? 1 : sampling_between(from, 2, most_extent);
        drawn.weight.extent[2 + axis] = sampling_between(from, 1, axes == 1 ? 9 : 5);
        drawn.options.geometry.strides[axis] = strided ? sampling_between(from, 0, 3) : 0;
        drawn.options.geometry.dilations[axis] = sampling_between(from, 0, 3);
        drawn.options.geometry.pads_begin[axis] = explicit_pads ? sampling_between(from, 0, 6) : 0;
        drawn.options.geometry.pads_end[axis] = explicit_pads ? sampling_between(from, 0, 6) : 0;
    }
    return drawn;
}

/* Draws until the shapes fit together and make so many outputs. */
static geometry draw_fitting(sampling *from, size_t fewest_outputs, layer_conv *conv)
{
    for (;;) {
        const geometry drawn = draw_geometry(from);
        layer_error error;
        const layer_status status =
            layer_conv_describe(conv, &drawn.input, &drawn.weight, &drawn.options, &error);
        if (status == LAYER_OK && count_of(&conv->output) >= fewest_outputs)
            return drawn;
        assert_true(status == LAYER_OK ||
                    (status == LAYER_INVALID && strcmp(error.argument, "weight") == 0));
    }
}

static layer_conv describe_with(const geometry *drawn, layer_conv_algorithm algorithm)
{
    layer_conv_options options = drawn->options;
    options.algorithm = algorithm;
    layer_conv conv;
    layer_error error;
    assert_int_equal(layer_conv_describe(&conv, &drawn->input, &drawn->weight, &options, &error),
                     LAYER_OK);
    return conv;
}

static operands draw_operands(sampling *from, const layer_conv *conv, bool biased)
{
    const size_t inputs = count_of(&conv->input), weights = count_of(&conv->weight);
    const size_t biases = (size_t)conv->weight.extent[0];
    const operands drawn = {new_floats(inputs), new_floats(weights),
                            biased ? new_floats(biases) : NULL};
    sampling_fill(from, drawn.input, inputs);
    sampling_fill(from, drawn.weight, weights);
    if (biased)
        sampling_fill(from, drawn.bias, biases);
    return drawn;
}

static void release(operands *drawn)
{
    free(drawn->input);
    free(drawn->weight);
    free(drawn->bias);
}

/* Output and workspace start as garbage: what a run does not write would show. */
static layer_status run_with(const layer_conv *conv, const operands *given, float *output,
                             int threads, const int *cancelled)
{
    const size_t size = layer_conv_workspace_size(conv, threads);
    void *const workspace = size == 0 ? NULL : aligned_alloc(ALIGNMENT, (size + 63) / 64 * 64);
    assert_true(size == 0 || workspace != NULL);
    if (size > 0)
        memset(workspace, 0xFF, size);
    memset(output, 0xFF, count_of(&conv->output) * sizeof *output);
    const layer_executor executor = threads_executor(threads);
    const layer_run run = {workspace, threads == 1 ? NULL : &executor, cancelled};
    const layer_status status =
        layer_conv_forward(conv, given->input, given->weight, given->bias, output, &run);
    free(workspace);
    return status;
}

static double largest(const double *elements, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(elements[i]));
    return most;
}

/* What a failure says, so that it can be repeated by hand. */
static const char *sentence_of(const layer_conv *conv)
{
    static char text[512];
    int length =
        snprintf(text, sizeof text, "%s, mode %d, N %d, C %d, K %d, group %d",
                 layer_conv_algorithm_name(conv->algorithm), (int)conv->mode, conv->input.extent[0],
                 conv->input.extent[1], conv->weight.extent[0], conv->group);
    for (int axis = LAYER_MAX_SPATIAL - conv->axes; axis < LAYER_MAX_SPATIAL; axis++) {
        const layer_window *const w = &conv->window[axis];
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "; input %d kernel %d stride %d dilation %d pads %d %d", w->input,
                           w->kernel, w->stride, w->dilation, w->pad_begin, w->pad_end);
    }
    return text;
}

/* What the algorithms ought to compute, and how far off they may be. */
typedef struct {
    double *output;
    double allowed;
} expectation;

static void magnitudes(float *elements, size_t count)
{
    for (size_t i = 0; elements != NULL && i < count; i++)
        elements[i] = fabsf(elements[i]);
}

static double largest_sum_of_terms(const layer_conv *conv, const operands *given)
{
    const size_t inputs = count_of(&conv->input), weights = count_of(&conv->weight);
    const size_t biases = (size_t)conv->weight.extent[0], outputs = count_of(&conv->output);
    operands all = {new_floats(inputs), new_floats(weights),
                    given->bias == NULL ? NULL : new_floats(biases)};
    memcpy(all.input, given->input, inputs * sizeof *all.input);
    memcpy(all.weight, given->weight, weights * sizeof *all.weight);
    if (given->bias != NULL)
        memcpy(all.bias, given->bias, biases * sizeof *all.bias);
    magnitudes(all.input, inputs);
    magnitudes(all.weight, weights);
    magnitudes(all.bias, biases);
    double *const sums = new_doubles(outputs);
    conv_oracle(conv, all.input, all.weight, all.bias, sums);
    const double most = largest(sums, outputs);
    free(sums);
    release(&all);
    return most;
}

static expectation expect(const layer_conv *conv, const operands *given)
{
    const size_t count = count_of(&conv->output);
    double *const output = new_doubles(count);
    conv_oracle(conv, given->input, given->weight, given->bias, output);
    const double scale =
        count >= MANY_OUTPUTS ? largest(output, count) : largest_sum_of_terms(conv, given);
    return (expectation){output, BOUND * scale};
}

static void assert_close(const layer_conv *conv, const float *output, const expectation *expected)
{
    const size_t count = count_of(&conv->output);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)output[i] - expected->output[i]) <= expected->allowed))
            fail_msg("%s: output %zu is %.9g, expected %.9g within %g", sentence_of(conv), i,
                     (double)output[i], expected->output[i], expected->allowed);
}

static void check_algorithm(const layer_conv *conv, const operands *given,
                            const expectation *expected)
{
    const size_t count = count_of(&conv->output);
    float *const alone = new_floats(count), *const together = new_floats(count);
    assert_int_equal(run_with(conv, given, alone, 1, NULL), LAYER_OK);
    assert_close(conv, alone, expected);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        assert_int_equal(run_with(conv, given, together, threads, NULL), LAYER_OK);
        if (memcmp(alone, together, count * sizeof *alone) != 0)
            fail_msg("%s: %d threads compute other bits", sentence_of(conv), threads);
    }
    const int cancelled = 1;
    assert_int_equal(run_with(conv, given, together, 2, &cancelled), LAYER_CANCELLED);
    free(alone);
    free(together);
}

static void every_algorithm_computes_the_definition(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < GEOMETRIES; number++) {
        layer_conv conv;
        const geometry drawn = draw_fitting(from, 1, &conv);
        operands given = draw_operands(from, &conv, sampling_between(from, 0, 1) == 1);
        const expectation expected = expect(&conv, &given);
#define CHECK_ALGORITHM(id, name, sentence)                                                        \
    conv = describe_with(&drawn, LAYER_CONV_##id);                                                 \
    check_algorithm(&conv, &given, &expected);
        LAYER_CONV_ALGORITHM_LIST(CHECK_ALGORITHM)
#undef CHECK_ALGORITHM
        free(expected.output);
        release(&given);
    }
}

/* conv(a x + b y) = a conv(x) + b conv(y), as far as floats go. */
static void check_linearity(sampling *from, const layer_conv *conv)
{
    const size_t inputs = count_of(&conv->input), outputs = count_of(&conv->output);
    operands x = draw_operands(from, conv, false);
    operands y = x, mixed = x;
    y.input = new_floats(inputs);
    mixed.input = new_floats(inputs);
    sampling_fill(from, y.input, inputs);
    const float a = 0.75f, b = -1.5f;
    for (size_t i = 0; i < inputs; i++)
        mixed.input[i] = a * x.input[i] + b * y.input[i];
    float *const of_x = new_floats(outputs), *const of_y = new_floats(outputs);
    float *const of_mixed = new_floats(outputs);
    double *const expected = new_doubles(outputs);
    assert_int_equal(run_with(conv, &x, of_x, 2, NULL), LAYER_OK);
    assert_int_equal(run_with(conv, &y, of_y, 2, NULL), LAYER_OK);
    assert_int_equal(run_with(conv, &mixed, of_mixed, 2, NULL), LAYER_OK);
    for (size_t i = 0; i < outputs; i++)
        expected[i] = (double)a * (double)of_x[i] + (double)b * (double)of_y[i];
    assert_close(conv, of_mixed, &(expectation){expected, BOUND * largest(expected, outputs)});
    free(expected);
    free(of_mixed);
    free(of_y);
    free(of_x);
    free(mixed.input);
    free(y.input);
    release(&x);
}

static void convolution_is_linear(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < LINEARITY_GEOMETRIES; number++) {
        layer_conv conv;
        draw_fitting(from, MANY_OUTPUTS, &conv);
        check_linearity(from, &conv);
    }
}

/* Layers of networks are larger than what the definition gets through in its time: here the two
 * algorithms check each other, over several tiles along every axis. */
static void algorithms_agree_on_large_shapes(void **state)
{
    sampling *const from = *state;
    static const geometry large[] = {
        {{4, {1, 40, 61, 67}},
         {4, {150, 40, 3, 3}},
         {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER}},
        {{4, {2, 300, 33, 31}}, {4, {70, 300, 1, 1}}, {.group = 0}},
        {{4, {1, 3, 97, 121}},
         {4, {32, 3, 7, 7}},
         {.geometry.strides = {2, 2}, .geometry.pads_begin = {3, 3}}},
        {{3, {2, 24, 9001}}, {3, {8, 12, 31}}, {.group = 2, .mode = LAYER_CONV_CONVOLUTION}},
        {{5, {1, 20, 9, 20, 21}}, {5, {16, 20, 3, 3, 3}}, {.geometry.dilations = {1, 2, 3}}},
    };
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        const layer_conv direct = describe_with(&large[i], LAYER_CONV_DIRECT);
        const layer_conv im2col = describe_with(&large[i], LAYER_CONV_IM2COL);
        const size_t count = count_of(&direct.output);
        operands given = draw_operands(from, &direct, true);
        float *const output = new_floats(count);
        double *const expected = new_doubles(count);
        assert_int_equal(run_with(&direct, &given, output, 2, NULL), LAYER_OK);
        for (size_t j = 0; j < count; j++)
            expected[j] = (double)output[j];
        check_algorithm(&im2col, &given,
                        &(expectation){expected, BOUND * largest(expected, count)});
        free(expected);
        free(output);
        release(&given);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_algorithm_computes_the_definition, &from),
        cmocka_unit_test_prestate(convolution_is_linear, &from),
        cmocka_unit_test_prestate(algorithms_agree_on_large_shapes, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
