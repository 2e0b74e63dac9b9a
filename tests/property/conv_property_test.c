/* Properties of convolution over random geometries: every algorithm against the definition, the
 * same bits for any number of threads, linearity, cancellation.
 * SPDX-License-Identifier: MIT */
#include "layer/conv.h"
#include "oracle/conv_oracle.h"
#include "support/conv_running.h"
#include "support/conv_sampling.h"
#include "support/floats.h"
#include "support/part.h"

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

/* Favourites are the geometries of networks, for which special algorithms are. */
enum {
    GEOMETRIES = 400 / PART,
    FAVOURITES = 300 / PART,
    LINEARITY_GEOMETRIES = 60 / PART,
    FEWEST_CHECKED = 200 / PART
};

/* Few threads may compute twice what more of them share. */
static const int thread_counts[] = {2, 5};

enum {
#define COUNT(id, name, bound, sentence) +1
    ALGORITHMS = LAYER_CONV_AUTO + 1 LAYER_CONV_ALGORITHM_LIST(COUNT),
#undef COUNT
};

/* Allowed difference from a sum in double, relative to the largest |output|: what the list says. */
static double bound_of(layer_conv_algorithm algorithm)
{
    static const double bounds[] = {
#define BOUND(id, name, bound, sentence) [LAYER_CONV_##id] = (bound),
        LAYER_CONV_ALGORITHM_LIST(BOUND)
#undef BOUND
    };
    return bounds[algorithm];
}

/* With fewer outputs than this it may happen that the terms of them all nearly cancel; then the
 * difference is relative to the largest sum of |terms|. */
enum { MANY_OUTPUTS = 64 };

/* Returns false if that algorithm does not compute the geometry. */
static bool describe_with(const conv_geometry *drawn, layer_conv_algorithm algorithm,
                          layer_conv *conv)
{
    layer_conv_options options = drawn->options;
    options.algorithm = algorithm;
    layer_error error;
    if (layer_conv_describe(conv, &drawn->input, &drawn->weight, &options, &error) == LAYER_OK)
        return true;
    assert_string_equal(error.argument, "algorithm");
    return false;
}

/* What the algorithms ought to compute, and of what size the error is a fraction. */
typedef struct {
    double *output;
    double scale;
} expectation;

static void magnitudes(float *elements, size_t count)
{
    for (size_t i = 0; elements != NULL && i < count; i++)
        elements[i] = fabsf(elements[i]);
}

static double largest_sum_of_terms(const layer_conv *conv, const conv_operands *given)
{
    const size_t inputs = floats_count(&conv->input), weights = floats_count(&conv->weight);
    const size_t biases = (size_t)conv->weight.extent[0], outputs = floats_count(&conv->output);
    conv_operands all = {floats_new(inputs), floats_new(weights),
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
    conv_operands_release(&all);
    return most;
}

static expectation expect(const layer_conv *conv, const conv_operands *given)
{
    const size_t count = floats_count(&conv->output);
    double *const output = doubles_new(count);
    conv_oracle(conv, given->input, given->weight, given->bias, output);
    const double scale =
        count >= MANY_OUTPUTS ? doubles_largest(output, count) : largest_sum_of_terms(conv, given);
    return (expectation){output, scale};
}

static void assert_close(const layer_conv *conv, const float *output, const expectation *expected)
{
    const size_t count = floats_count(&conv->output);
    const double allowed = bound_of(conv->algorithm) * expected->scale;
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)output[i] - expected->output[i]) <= allowed))
            fail_msg("%s: output %zu is %.9g, expected %.9g within %g",
                     conv_sampling_sentence(conv), i, (double)output[i], expected->output[i],
                     allowed);
}

static void assert_same(const layer_conv *conv, const float *output, const float *expected,
                        layer_isa isa, const char *how)
{
    if (memcmp(output, expected, floats_count(&conv->output) * sizeof *output) != 0)
        fail_msg("%s, %s: %s computes other bits", conv_sampling_sentence(conv),
                 layer_isa_name(isa), how);
}

/* More threads, prepared weights and cancellation; `alone` is what one thread computed. */
static void check_ways(const layer_conv *conv, const conv_operands *given, layer_isa isa,
                       const float *alone)
{
    float *const other = floats_new(floats_count(&conv->output));
    for (size_t i = 0; i < sizeof thread_counts / sizeof *thread_counts; i++) {
        const conv_way way = {thread_counts[i], isa, NULL};
        assert_int_equal(conv_run(conv, given, other, way), LAYER_OK);
        assert_same(conv, other, alone, isa, "more threads");
        assert_int_equal(conv_run_prepared(conv, given, other, way), LAYER_OK);
        assert_same(conv, other, alone, isa, "preparing weights");
    }
    const int yes = 1;
    const conv_way cancelled = {2, isa, &yes};
    assert_int_equal(conv_run(conv, given, other, cancelled), LAYER_CANCELLED);
    assert_int_equal(conv_run_prepared(conv, given, other, cancelled), LAYER_CANCELLED);
    free(other);
}

/* With every instruction set that the processor has, and in every way with one of them. */
static void check_algorithm(sampling *from, const layer_conv *conv, const conv_operands *given,
                            const expectation *expected)
{
    const layer_isa best = layer_isa_best();
    const layer_isa chosen = (layer_isa)sampling_between(from, LAYER_ISA_BASELINE, (int)best);
    float *const alone = floats_new(floats_count(&conv->output));
    for (layer_isa isa = LAYER_ISA_BASELINE; isa <= best; isa++) {
        assert_int_equal(conv_run(conv, given, alone, (conv_way){1, isa, NULL}), LAYER_OK);
        assert_close(conv, alone, expected);
        if (isa == chosen)
            check_ways(conv, given, isa, alone);
    }
    free(alone);
}

/* Every algorithm that computes the geometry; counts each. */
static void check_algorithms(sampling *from, const conv_geometry *drawn, const layer_conv *conv,
                             int *counts)
{
    conv_operands given = conv_operands_draw(from, conv, sampling_between(from, 0, 1) == 1);
    const expectation expected = expect(conv, &given);
    for (int algorithm = LAYER_CONV_AUTO + 1; algorithm < ALGORITHMS; algorithm++) {
        layer_conv chosen;
        if (!describe_with(drawn, (layer_conv_algorithm)algorithm, &chosen))
            continue;
        check_algorithm(from, &chosen, &given, &expected);
        counts[algorithm]++;
    }
    free(expected.output);
    conv_operands_release(&given);
}

static void every_algorithm_computes_the_definition(void **state)
{
    sampling *const from = *state;
    int counts[ALGORITHMS] = {0};
    for (int number = 0; number < GEOMETRIES; number++) {
        layer_conv conv;
        const conv_geometry drawn = conv_sampling_draw(from, 1, &conv);
        check_algorithms(from, &drawn, &conv, counts);
    }
    for (int number = 0; number < FAVOURITES; number++) {
        layer_conv conv;
        const conv_geometry drawn = conv_sampling_draw_favourite(from, &conv);
        check_algorithms(from, &drawn, &conv, counts);
    }
    for (int algorithm = LAYER_CONV_AUTO + 1; algorithm < ALGORITHMS; algorithm++)
        if (counts[algorithm] < FEWEST_CHECKED)
            fail_msg("%s was checked over %d geometries only",
                     layer_conv_algorithm_name((layer_conv_algorithm)algorithm), counts[algorithm]);
}

/* conv(a x + b y) = a conv(x) + b conv(y), as far as floats go. */
static void check_linearity(sampling *from, const layer_conv *conv)
{
    const size_t inputs = floats_count(&conv->input), outputs = floats_count(&conv->output);
    conv_operands x = conv_operands_draw(from, conv, false);
    conv_operands y = x, mixed = x;
    y.input = floats_new(inputs);
    mixed.input = floats_new(inputs);
    sampling_fill(from, y.input, inputs);
    const float a = 0.75f, b = -1.5f;
    for (size_t i = 0; i < inputs; i++)
        mixed.input[i] = a * x.input[i] + b * y.input[i];
    float *const of_x = floats_new(outputs), *const of_y = floats_new(outputs);
    float *const of_mixed = floats_new(outputs);
    double *const expected = doubles_new(outputs);
    assert_int_equal(conv_run(conv, &x, of_x, (conv_way){.threads = 2}), LAYER_OK);
    assert_int_equal(conv_run(conv, &y, of_y, (conv_way){.threads = 2}), LAYER_OK);
    assert_int_equal(conv_run(conv, &mixed, of_mixed, (conv_way){.threads = 2}), LAYER_OK);
    for (size_t i = 0; i < outputs; i++)
        expected[i] = (double)a * (double)of_x[i] + (double)b * (double)of_y[i];
    assert_close(conv, of_mixed, &(expectation){expected, doubles_largest(expected, outputs)});
    free(expected);
    free(of_mixed);
    free(of_y);
    free(of_x);
    free(mixed.input);
    free(y.input);
    conv_operands_release(&x);
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

/* What the direct sum says. */
static expectation expect_direct(const conv_geometry *drawn, const conv_operands *given)
{
    layer_conv direct;
    assert_true(describe_with(drawn, LAYER_CONV_DIRECT, &direct));
    const size_t count = floats_count(&direct.output);
    float *const output = floats_new(count);
    double *const expected = doubles_new(count);
    assert_int_equal(conv_run(&direct, given, output, (conv_way){.threads = 2}), LAYER_OK);
    for (size_t i = 0; i < count; i++)
        expected[i] = (double)output[i];
    free(output);
    return (expectation){expected, doubles_largest(expected, count)};
}

/* `fft` transforms every plane anew for every output channel: with many that takes too long. */
static bool is_quick(const layer_conv *conv)
{
    return layer_conv_cost(conv, conv->algorithm) < 2e9;
}

/* Layers of networks are larger than what the definition gets through in its time: here the
 * others are held to the direct sum, over several tiles along every axis. */
static void algorithms_agree_on_large_shapes(void **state)
{
    sampling *const from = *state;
    static const conv_geometry large[] = {
        {{4, {1, 40, 61, 67}},
         {4, {150, 40, 3, 3}},
         {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER}},
        {{4, {2, 260, 29, 150}}, {4, {100, 130, 3, 3}}, {.group = 2}},
        {{4, {9, 70, 7, 7}}, {4, {200, 70, 3, 3}}, {.geometry.auto_pad = LAYER_AUTO_PAD_FULL}},
        {{4, {1, 130, 13, 15}},
         {4, {330, 130, 3, 3}},
         {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER}},
        {{4, {230, 130, 3, 3}}, {4, {330, 130, 3, 3}}, {.group = 1}},
        {{4, {2, 300, 33, 31}}, {4, {70, 300, 1, 1}}, {.group = 0}},
        {{4, {1, 3, 97, 121}},
         {4, {32, 3, 7, 7}},
         {.geometry.strides = {2, 2}, .geometry.pads_begin = {3, 3}}},
        {{3, {2, 24, 9001}}, {3, {8, 12, 31}}, {.group = 2, .mode = LAYER_CONV_CONVOLUTION}},
        {{5, {1, 20, 9, 20, 21}}, {5, {16, 20, 3, 3, 3}}, {.geometry.dilations = {1, 2, 3}}},
        {{4, {1, 33, 19, 17}},
         {4, {48, 33, 7, 1}},
         {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER, .mode = LAYER_CONV_CONVOLUTION}},
        {{4, {2, 200, 9, 17}},
         {4, {40, 200, 5, 2}},
         {.geometry.pads_begin = {4, 1}, .mode = LAYER_CONV_CONVOLUTION}},
        {{4, {1, 2, 700, 620}}, {4, {3, 2, 2, 3}}, {.geometry.dilations = {255, 127}}},
    };
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        layer_conv conv;
        assert_true(describe_with(&large[i], LAYER_CONV_DIRECT, &conv));
        conv_operands given = conv_operands_draw(from, &conv, true);
        const expectation expected = expect_direct(&large[i], &given);
        for (int algorithm = LAYER_CONV_AUTO + 1; algorithm < ALGORITHMS; algorithm++)
            if (describe_with(&large[i], (layer_conv_algorithm)algorithm, &conv) && is_quick(&conv))
                check_algorithm(from, &conv, &given, &expected);
        free(expected.output);
        conv_operands_release(&given);
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
