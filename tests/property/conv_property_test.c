/* Properties of convolution over random geometries: every algorithm against the definition, the
 * same bits for any number of threads, linearity, cancellation.
 * SPDX-License-Identifier: MIT */
#include "layer/conv.h"
#include "oracle/conv_oracle.h"
#include "support/conv_sampling.h"
#include "support/floats.h"
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

enum { GEOMETRIES = 400, LINEARITY_GEOMETRIES = 60, MOST_THREADS = 3 };

/* Allowed difference from a sum in double, relative to the largest |output|. */
static const double BOUND = 5e-6;

/* With fewer outputs than this it may happen that the terms of them all nearly cancel; then the
 * difference is relative to the largest sum of |terms|. */
enum { MANY_OUTPUTS = 64 };

typedef struct {
    float *input, *weight, *bias; /* bias may be NULL */
} operands;

static layer_conv describe_with(const conv_geometry *drawn, layer_conv_algorithm algorithm)
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
    const size_t inputs = floats_count(&conv->input), weights = floats_count(&conv->weight);
    const size_t biases = (size_t)conv->weight.extent[0];
    const operands drawn = {floats_new(inputs), floats_new(weights),
                            biased ? floats_new(biases) : NULL};
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
                             layer_isa isa, int threads, const int *cancelled)
{
    const size_t size = layer_conv_workspace_size(conv, threads);
    void *const workspace = floats_workspace(size);
    memset(output, 0xFF, floats_count(&conv->output) * sizeof *output);
    const layer_executor executor = threads_executor(threads);
    const layer_run run = {.workspace = workspace,
                           .executor = threads == 1 ? NULL : &executor,
                           .cancelled = cancelled,
                           .isa = isa};
    const layer_status status =
        layer_conv_forward(conv, given->input, given->weight, given->bias, output, &run);
    free(workspace);
    return status;
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
    const size_t inputs = floats_count(&conv->input), weights = floats_count(&conv->weight);
    const size_t biases = (size_t)conv->weight.extent[0], outputs = floats_count(&conv->output);
    operands all = {floats_new(inputs), floats_new(weights),
                    given->bias == NULL ? NULL : floats_new(biases)};
    memcpy(all.input, given->input, inputs * sizeof *all.input);
    memcpy(all.weight, given->weight, weights * sizeof *all.weight);
    if (given->bias != NULL)
        memcpy(all.bias, given->bias, biases * sizeof *all.bias);
    magnitudes(all.input, inputs);
    magnitudes(all.weight, weights);
    magnitudes(all.bias, biases);
    double *const sums = doubles_new(outputs);
    conv_oracle(conv, all.input, all.weight, all.bias, sums);
    const double most = doubles_largest(sums, outputs);
    free(sums);
    release(&all);
    return most;
}

static expectation expect(const layer_conv *conv, const operands *given)
{
    const size_t count = floats_count(&conv->output);
    double *const output = doubles_new(count);
    conv_oracle(conv, given->input, given->weight, given->bias, output);
    const double scale =
        count >= MANY_OUTPUTS ? doubles_largest(output, count) : largest_sum_of_terms(conv, given);
    return (expectation){output, BOUND * scale};
}

static void assert_close(const layer_conv *conv, const float *output, const expectation *expected)
{
    const size_t count = floats_count(&conv->output);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)output[i] - expected->output[i]) <= expected->allowed))
            fail_msg("%s: output %zu is %.9g, expected %.9g within %g",
                     conv_sampling_sentence(conv), i, (double)output[i], expected->output[i],
                     expected->allowed);
}

static void check_instructions(const layer_conv *conv, const operands *given, layer_isa isa,
                               const expectation *expected)
{
    const size_t count = floats_count(&conv->output);
    float *const alone = floats_new(count), *const together = floats_new(count);
    assert_int_equal(run_with(conv, given, alone, isa, 1, NULL), LAYER_OK);
    assert_close(conv, alone, expected);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        assert_int_equal(run_with(conv, given, together, isa, threads, NULL), LAYER_OK);
        if (memcmp(alone, together, count * sizeof *alone) != 0)
            fail_msg("%s, %s: %d threads compute other bits", conv_sampling_sentence(conv),
                     layer_isa_name(isa), threads);
    }
    const int cancelled = 1;
    assert_int_equal(run_with(conv, given, together, isa, 2, &cancelled), LAYER_CANCELLED);
    free(alone);
    free(together);
}

static void check_algorithm(const layer_conv *conv, const operands *given,
                            const expectation *expected)
{
    for (layer_isa isa = LAYER_ISA_BASELINE; isa <= layer_isa_best(); isa++)
        check_instructions(conv, given, isa, expected);
}

static void every_algorithm_computes_the_definition(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < GEOMETRIES; number++) {
        layer_conv conv;
        const conv_geometry drawn = conv_sampling_draw(from, 1, &conv);
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
    const size_t inputs = floats_count(&conv->input), outputs = floats_count(&conv->output);
    operands x = draw_operands(from, conv, false);
    operands y = x, mixed = x;
    y.input = floats_new(inputs);
    mixed.input = floats_new(inputs);
    sampling_fill(from, y.input, inputs);
    const float a = 0.75f, b = -1.5f;
    for (size_t i = 0; i < inputs; i++)
        mixed.input[i] = a * x.input[i] + b * y.input[i];
    float *const of_x = floats_new(outputs), *const of_y = floats_new(outputs);
    float *const of_mixed = floats_new(outputs);
    double *const expected = doubles_new(outputs);
    assert_int_equal(run_with(conv, &x, of_x, LAYER_ISA_AUTO, 2, NULL), LAYER_OK);
    assert_int_equal(run_with(conv, &y, of_y, LAYER_ISA_AUTO, 2, NULL), LAYER_OK);
    assert_int_equal(run_with(conv, &mixed, of_mixed, LAYER_ISA_AUTO, 2, NULL), LAYER_OK);
    for (size_t i = 0; i < outputs; i++)
        expected[i] = (double)a * (double)of_x[i] + (double)b * (double)of_y[i];
    assert_close(conv, of_mixed,
                 &(expectation){expected, BOUND * doubles_largest(expected, outputs)});
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
        conv_sampling_draw(from, MANY_OUTPUTS, &conv);
        check_linearity(from, &conv);
    }
}

/* Layers of networks are larger than what the definition gets through in its time: here the
 * algorithms check each other, over several tiles along every axis. */
static void algorithms_agree_on_large_shapes(void **state)
{
    sampling *const from = *state;
    static const conv_geometry large[] = {
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
        const size_t count = floats_count(&direct.output);
        operands given = draw_operands(from, &direct, true);
        float *const output = floats_new(count);
        double *const expected = doubles_new(count);
        assert_int_equal(run_with(&direct, &given, output, LAYER_ISA_AUTO, 2, NULL), LAYER_OK);
        for (size_t j = 0; j < count; j++)
            expected[j] = (double)output[j];
        const expectation agreed = {expected, BOUND * doubles_largest(expected, count)};
#define CHECK_AGREEMENT(id, name, sentence)                                                        \
    const layer_conv conv_##id = describe_with(&large[i], LAYER_CONV_##id);                        \
    check_algorithm(&conv_##id, &given, &agreed);
        LAYER_CONV_ALGORITHM_LIST(CHECK_AGREEMENT)
#undef CHECK_AGREEMENT
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
