/* Every algorithm of a convolution against what is expected of it.
 * SPDX-License-Identifier: MIT */
#include "support/conv_checking.h"

#include "oracle/conv_oracle.h"
#include "support/floats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Few threads may compute twice what more of them share. */
static const int thread_counts[] = {2, 5};

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

bool conv_describe_with(const conv_geometry *drawn, layer_conv_algorithm algorithm,
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

conv_expectation conv_expect(const layer_conv *conv, const conv_operands *given)
{
    const size_t count = floats_count(&conv->output);
    double *const output = doubles_new(count);
    conv_oracle(conv, given->input, given->weight, given->bias, output);
    const double scale = count >= CONV_MANY_OUTPUTS ? doubles_largest(output, count)
                                                    : largest_sum_of_terms(conv, given);
    return (conv_expectation){output, scale};
}

void conv_assert_close(const layer_conv *conv, const float *output,
                       const conv_expectation *expected)
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

void conv_check_algorithm(sampling *from, const layer_conv *conv, const conv_operands *given,
                          const conv_expectation *expected)
{
    const layer_isa best = layer_isa_best();
    const layer_isa chosen = (layer_isa)sampling_between(from, LAYER_ISA_BASELINE, (int)best);
    float *const alone = floats_new(floats_count(&conv->output));
    for (layer_isa isa = LAYER_ISA_BASELINE; isa <= best; isa++) {
        assert_int_equal(conv_run(conv, given, alone, (conv_way){1, isa, NULL}), LAYER_OK);
        conv_assert_close(conv, alone, expected);
        if (isa == chosen)
            check_ways(conv, given, isa, alone);
    }
    free(alone);
}

void conv_check_algorithms(sampling *from, const conv_geometry *drawn, const layer_conv *conv,
                           int counts[CONV_ALGORITHMS])
{
    conv_operands given = conv_operands_draw(from, conv, sampling_between(from, 0, 1) == 1);
    const conv_expectation expected = conv_expect(conv, &given);
    for (int algorithm = LAYER_CONV_AUTO + 1; algorithm < CONV_ALGORITHMS; algorithm++) {
        layer_conv chosen;
        if (!conv_describe_with(drawn, (layer_conv_algorithm)algorithm, &chosen))
            continue;
        conv_check_algorithm(from, &chosen, &given, &expected);
        counts[algorithm]++;
    }
    free(expected.output);
    conv_operands_release(&given);
}

void conv_check_counts(const int counts[CONV_ALGORITHMS], int fewest)
{
    for (int algorithm = LAYER_CONV_AUTO + 1; algorithm < CONV_ALGORITHMS; algorithm++)
        if (counts[algorithm] < fewest)
            fail_msg("%s was checked over %d geometries only",
                     layer_conv_algorithm_name((layer_conv_algorithm)algorithm), counts[algorithm]);
}
