/* Properties of convolution's gradients over random geometries: the definition, the same bits for
 * any number of threads, finite differences of going forward, the adjoint identities.
 * SPDX-License-Identifier: MIT */
#include "layer/conv_backward.h"
#include "oracle/conv_backward_oracle.h"
#include "oracle/conv_oracle.h"
#include "support/conv_sampling.h"
#include "support/floats.h"
#include "support/part.h"
#include "support/threads.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    GEOMETRIES = 300 / PART,
    WINOGRAD_GEOMETRIES = 20 / PART,
    DIFFERENCE_GEOMETRIES = 40 / PART
};
enum { ADJOINT_GEOMETRIES = 120 / PART, MOST_THREADS = 3 };

/* Allowed difference from a sum in double, relative to the largest sum of |terms|; and relative to
 * the largest sum, of what Winograd's algorithm may compute (LAYER_CONV_ALGORITHM_LIST). */
static const double BOUND = 2e-6, WINOGRAD_BOUND = 5e-5;

typedef struct {
    float *input, *weight, *grad_output;
    size_t inputs, weights, outputs, channels;
} operands;

static operands draw_operands(sampling *from, const layer_conv *conv)
{
    operands drawn = {
        .inputs = floats_count(&conv->input),
        .weights = floats_count(&conv->weight),
        .outputs = floats_count(&conv->output),
        .channels = (size_t)conv->output.extent[1],
    };
    drawn.input = floats_drawn(from, drawn.inputs);
    drawn.weight = floats_drawn(from, drawn.weights);
    drawn.grad_output = floats_drawn(from, drawn.outputs);
    return drawn;
}

static void release(const operands *drawn)
{
    free(drawn->input);
    free(drawn->weight);
    free(drawn->grad_output);
}

/* What the gradients ought to be, and the sums of their terms' magnitudes. */
typedef struct {
    conv_gradients sums, magnitudes;
} expectation;

static conv_gradients new_gradients(const operands *given)
{
    return (conv_gradients){doubles_new(given->inputs), doubles_new(given->weights),
                            doubles_new(given->channels)};
}

static expectation expect(const layer_conv *conv, const operands *given)
{
    const expectation expected = {new_gradients(given), new_gradients(given)};
    conv_backward_oracle(conv, given->input, given->weight, given->grad_output, &expected.sums,
                         &expected.magnitudes);
    return expected;
}

static void release_gradients(const conv_gradients *gradients)
{
    free(gradients->input);
    free(gradients->weight);
    free(gradients->bias);
}

static void release_expectation(const expectation *expected)
{
    release_gradients(&expected->sums);
    release_gradients(&expected->magnitudes);
}

/* ---- The three gradients, as rows ------------------------------------------------------------ */

typedef enum { GRAD_INPUT, GRAD_WEIGHT, GRAD_BIAS, GRADIENTS } gradient;

static const char *const names[GRADIENTS] = {"grad_input", "grad_weight", "grad_bias"};

static size_t count_in(const operands *given, gradient which)
{
    const size_t counts[GRADIENTS] = {given->inputs, given->weights, given->channels};
    return counts[which];
}

static const double *sums_in(const conv_gradients *gradients, gradient which)
{
    const double *const sums[GRADIENTS] = {gradients->input, gradients->weight, gradients->bias};
    return sums[which];
}

static double allowed_in(const expectation *expected, const operands *given, gradient which)
{
    const size_t count = count_in(given, which);
    const double allowed = BOUND * doubles_largest(sums_in(&expected->magnitudes, which), count);
    return which != GRAD_BIAS
               ? fmax(allowed,
                      WINOGRAD_BOUND * doubles_largest(sums_in(&expected->sums, which), count))
               : allowed;
}

/* How it is computed. */
typedef struct {
    int threads;
    layer_isa isa;
    const int *cancelled;
} way;

static layer_status run_with(const layer_conv *conv, gradient which, const operands *given,
                             float *result, way with)
{
    const int threads = with.threads;
    const size_t sizes[GRADIENTS] = {layer_conv_grad_input_workspace_size(conv, threads),
                                     layer_conv_grad_weight_workspace_size(conv, threads), 0};
    void *const workspace = floats_workspace(sizes[which]);
    const layer_executor executor = threads_executor(threads);
    const layer_run run = {.workspace = workspace,
                           .executor = threads == 1 ? NULL : &executor,
                           .cancelled = with.cancelled,
                           .isa = with.isa};
    layer_status status;
    memset(result, 0xFF, count_in(given, which) * sizeof *result);
    switch (which) {
    case GRAD_INPUT:
        status = layer_conv_grad_input(conv, given->weight, given->grad_output, result, &run);
        break;
    case GRAD_WEIGHT:
        status = layer_conv_grad_weight(conv, given->input, given->grad_output, result, &run);
        break;
    default:
        status = layer_conv_grad_bias(conv, given->grad_output, result, &run);
    }
    free(workspace);
    return status;
}

/* ---- The definition -------------------------------------------------------------------------- */

static void check_way(const layer_conv *conv, gradient which, const operands *given,
                      const expectation *wanted, layer_isa isa)
{
    const size_t count = count_in(given, which);
    const double *const expected = sums_in(&wanted->sums, which);
    const double allowed = allowed_in(wanted, given, which);
    float *const alone = floats_new(count), *const together = floats_new(count);
    assert_int_equal(run_with(conv, which, given, alone, (way){1, isa, NULL}), LAYER_OK);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)alone[i] - expected[i]) <= allowed))
            fail_msg("%s of %s, %s: element %zu is %.9g, expected %.9g within %g", names[which],
                     conv_sampling_sentence(conv), layer_isa_name(isa), i, (double)alone[i],
                     expected[i], allowed);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        assert_int_equal(run_with(conv, which, given, together, (way){threads, isa, NULL}),
                         LAYER_OK);
        if (memcmp(alone, together, count * sizeof *alone) != 0)
            fail_msg("%s of %s, %s: %d threads compute other bits", names[which],
                     conv_sampling_sentence(conv), layer_isa_name(isa), threads);
    }
    free(alone);
    free(together);
}

static void check_gradient(const layer_conv *conv, gradient which, const operands *given,
                           const expectation *wanted)
{
    const int cancelled = 1;
    float *const result = floats_new(count_in(given, which));
    for (layer_isa isa = LAYER_ISA_BASELINE; isa <= layer_isa_best(); isa++)
        check_way(conv, which, given, wanted, isa);
    assert_int_equal(run_with(conv, which, given, result, (way){2, LAYER_ISA_AUTO, &cancelled}),
                     LAYER_CANCELLED);
    free(result);
}

static void check_gradients(sampling *from, const layer_conv *conv)
{
    const operands given = draw_operands(from, conv);
    const expectation expected = expect(conv, &given);
    for (gradient which = 0; which < GRADIENTS; which++)
        check_gradient(conv, which, &given, &expected);
    release_expectation(&expected);
    release(&given);
}

static void gradients_are_as_defined(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < GEOMETRIES; number++) {
        layer_conv conv;
        conv_sampling_draw(from, 1, &conv);
        check_gradients(from, &conv);
    }
}

/* Several tiles along every axis of the products, several samples in a tile, strides beyond the
 * kernel, strides and dilations that share a divisor. */
static void large_gradients_are_as_defined(void **state)
{
    sampling *const from = *state;
    static const conv_geometry large[] = {
        {{4, {1, 40, 13, 14}},
         {4, {20, 40, 3, 3}},
         {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER}},
        {{4, {1, 6, 23, 25}}, {4, {300, 6, 3, 3}}, {.geometry.auto_pad = LAYER_AUTO_PAD_FULL}},
        {{4, {19, 30, 7, 6}}, {4, {20, 30, 3, 3}}, {.geometry.pads_begin = {1, 1}}},
        {{4, {50, 70, 1, 1}}, {4, {90, 70, 1, 1}}, {.group = 0}},
        {{4, {3, 300, 9, 11}}, {4, {24, 300, 1, 1}}, {.group = 0}},
        {{4, {1, 3, 97, 61}},
         {4, {16, 3, 7, 7}},
         {.geometry.strides = {2, 2}, .geometry.pads_begin = {3, 3}}},
        {{4, {1, 4, 30, 41}}, {4, {8, 4, 2, 3}}, {.geometry.strides = {5, 7}}},
        {{4, {2, 6, 32, 37}},
         {4, {9, 2, 4, 3}},
         {.group = 3, .geometry.strides = {6, 4}, .geometry.dilations = {4, 6}}},
        {{3, {2, 24, 703}}, {3, {8, 12, 31}}, {.group = 2, .mode = LAYER_CONV_CONVOLUTION}},
        {{3, {1, 1, 70001}}, {3, {1, 1, 5}}, {.geometry.strides = {3}}},
        {{5, {1, 9, 7, 12, 13}}, {5, {8, 9, 3, 3, 3}}, {.geometry.dilations = {1, 2, 3}}},
        {{4, {1, 70, 58, 61}}, {4, {66, 70, 1, 1}}, {.geometry.strides = {2, 3}}},
        {{4, {40, 33, 5, 5}}, {4, {21, 33, 5, 5}}, {.mode = LAYER_CONV_CONVOLUTION}},
        {{4, {3, 5, 90, 70}}, {4, {20, 5, 3, 5}}, {.geometry.dilations = {2, 2}}},
        {{4, {2, 24, 40, 61}}, {4, {24, 1, 3, 3}}, {.group = 24, .geometry.pads_begin = {1, 1}}},
        {{4, {2, 3, 170, 133}}, {4, {6, 1, 5, 5}}, {.group = 3, .geometry.strides = {2, 2}}},
        {{4, {1, 1, 200, 210}}, {4, {1, 1, 11, 11}}, {.geometry.pads_begin = {5, 5}}},
        {{4, {1, 2, 140, 1}}, {4, {12, 2, 130, 1}}, {.geometry.pads_end = {40, 0}}},
        {{4, {1, 16, 205, 200}}, {4, {17, 16, 3, 3}}, {.geometry.pads_begin = {1, 1}}},
        {{3, {1, 20, 9001}}, {3, {17, 20, 3}}, {.geometry.strides = {2}}},
        {{4, {1, 21, 7, 7}}, {4, {130, 21, 3, 3}}, {.geometry.pads_begin = {1, 1}}},
        {{4, {3, 16, 5, 9}},
         {4, {140, 8, 2, 3}},
         {.group = 2,
          .geometry = {.strides = {2, 3}, .pads_end = {1, 2}},
          .mode = LAYER_CONV_CONVOLUTION}},
        {{5, {2, 7, 3, 4, 3}}, {5, {70, 7, 2, 2, 2}}, {.geometry.dilations = {1, 2, 2}}},
        {{4, {1, 18, 8, 5}}, {4, {90, 18, 3, 1}}, {.geometry.pads_begin = {1, 0}}},
        {{4, {2, 11, 9, 6}}, {4, {64, 11, 5, 5}}, {.geometry.strides = {2, 1}}},
        {{4, {2, 3, 67, 70}}, {4, {33, 3, 8, 8}}, {.geometry.strides = {8, 8}}},
        {{4, {2, 3, 40, 37}},
         {4, {40, 3, 5, 4}},
         {.geometry = {.strides = {3, 2}, .pads_begin = {2, 3}, .pads_end = {0, 2}},
          .mode = LAYER_CONV_CONVOLUTION}},
        {{5, {1, 2, 9, 10, 11}},
         {5, {40, 2, 3, 4, 5}},
         {.geometry = {.strides = {2, 2, 2}, .pads_begin = {1, 0, 2}}}},
        {{4, {3, 2, 3, 2}},
         {4, {70, 2, 6, 6}},
         {.geometry = {.strides = {5, 5}, .pads_begin = {3, 4}, .pads_end = {2, 2}}}},
    };
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        layer_conv conv;
        layer_error error;
        assert_int_equal(layer_conv_describe(&conv, &large[i].input, &large[i].weight,
                                             &large[i].options, &error),
                         LAYER_OK);
        check_gradients(from, &conv);
    }
}

/* Those that Winograd's algorithm is for: kernels of 3x3, and channels enough. */
static void winograds_gradients_are_as_defined(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < WINOGRAD_GEOMETRIES; number++) {
        const int group = sampling_between(from, 1, 2), inputs = sampling_between(from, 16, 40);
        const int outputs = group * sampling_between(from, 16, 70 / group);
        const int height = sampling_between(from, 3, 26), width = sampling_between(from, 3, 70);
        const layer_shape input = {4,
                                   {sampling_between(from, 1, 3), group * inputs, height, width}};
        const layer_shape weight = {4, {outputs, inputs, 3, 3}};
        const layer_conv_options options = {
            .geometry = {.pads_begin = {sampling_between(from, 0, 3), sampling_between(from, 0, 3)},
                         .pads_end = {sampling_between(from, 0, 3), sampling_between(from, 0, 3)}},
            .group = group,
            .mode = (layer_conv_mode)sampling_between(from, 0, 1),
        };
        layer_conv conv;
        layer_error error;
        assert_int_equal(layer_conv_describe(&conv, &input, &weight, &options, &error), LAYER_OK);
        check_gradients(from, &conv);
    }
}

/* ---- Finite differences ---------------------------------------------------------------------- */

/* The loss whose gradient with respect to the output is grad_output. */
static double loss_of(const layer_conv *conv, const operands *given, const float *bias)
{
    double *const output = doubles_new(given->outputs);
    double loss = 0;
    conv_oracle(conv, given->input, given->weight, bias, output);
    for (size_t i = 0; i < given->outputs; i++)
        loss += output[i] * (double)given->grad_output[i];
    free(output);
    return loss;
}

/* The loss is linear in each element, so that a large step is as good as a small one; elements are
 * rounded so that the steps are exact. */
static double difference_along(const layer_conv *conv, const operands *given, const float *bias,
                               float *element)
{
    const float before = *element;
    *element = before + 1;
    const double above = loss_of(conv, given, bias);
    *element = before - 1;
    const double below = loss_of(conv, given, bias);
    *element = before;
    return (above - below) / 2;
}

static void round_elements(float *elements, size_t count)
{
    for (size_t i = 0; i < count; i++)
        elements[i] = nearbyintf(elements[i] * 1024) / 1024;
}

static void check_difference(sampling *from, const layer_conv *conv, gradient which,
                             const operands *given, float *bias, double allowed)
{
    float *const elements[GRADIENTS] = {given->input, given->weight, bias};
    const size_t count = count_in(given, which);
    float *const result = floats_new(count);
    assert_int_equal(run_with(conv, which, given, result, (way){.threads = 1}), LAYER_OK);
    const size_t i = (size_t)sampling_between(from, 0, (int)count - 1);
    const double difference = difference_along(conv, given, bias, elements[which] + i);
    if (!(fabs((double)result[i] - difference) <= allowed))
        fail_msg("%s of %s: element %zu is %.9g, the difference is %.9g", names[which],
                 conv_sampling_sentence(conv), i, (double)result[i], difference);
    free(result);
}

static void gradients_are_differences_of_going_forward(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < DIFFERENCE_GEOMETRIES; number++) {
        layer_conv conv;
        conv_sampling_draw(from, 1, &conv);
        const operands given = draw_operands(from, &conv);
        float *const bias = floats_drawn(from, given.channels);
        round_elements(given.input, given.inputs);
        round_elements(given.weight, given.weights);
        round_elements(bias, given.channels);
        const expectation expected = expect(&conv, &given);
        for (gradient which = 0; which < GRADIENTS; which++)
            check_difference(from, &conv, which, &given, bias,
                             allowed_in(&expected, &given, which));
        release_expectation(&expected);
        free(bias);
        release(&given);
    }
}

/* ---- Identities ------------------------------------------------------------------------------ */

static double product(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static double product_of_magnitudes(const float *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += fabs((double)a[i] * b[i]);
    return sum;
}

static float *go_forward(const layer_conv *conv, const operands *given)
{
    float *const output = floats_new(given->outputs);
    void *const workspace = floats_workspace(layer_conv_workspace_size(conv, 1));
    assert_int_equal(layer_conv_forward(conv, given->input, given->weight, NULL, output,
                                        &(layer_run){.workspace = workspace}),
                     LAYER_OK);
    free(workspace);
    return output;
}

/* <conv(x, w), g> = <x, grad_input(w, g)> = <w, grad_weight(x, g)>. */
static void check_adjoint(sampling *from, const layer_conv *conv)
{
    const operands given = draw_operands(from, conv);
    float *const output = go_forward(conv, &given);
    float *const grad_input = floats_new(given.inputs);
    float *const grad_weight = floats_new(given.weights);
    assert_int_equal(run_with(conv, GRAD_INPUT, &given, grad_input, (way){.threads = 2}), LAYER_OK);
    assert_int_equal(run_with(conv, GRAD_WEIGHT, &given, grad_weight, (way){.threads = 2}),
                     LAYER_OK);
    const expectation expected = expect(conv, &given);
    const double allowed =
        BOUND * product_of_magnitudes(given.input, expected.magnitudes.input, given.inputs);
    const double forward = product(output, given.grad_output, given.outputs);
    const double by_input = product(given.input, grad_input, given.inputs);
    const double by_weight = product(given.weight, grad_weight, given.weights);
    if (!(fabs(forward - by_input) <= allowed) || !(fabs(forward - by_weight) <= allowed))
        fail_msg("%s: %.9g forward, %.9g by grad_input, %.9g by grad_weight",
                 conv_sampling_sentence(conv), forward, by_input, by_weight);
    release_expectation(&expected);
    free(grad_weight);
    free(grad_input);
    free(output);
    release(&given);
}

static void gradients_are_adjoint_to_going_forward(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < ADJOINT_GEOMETRIES; number++) {
        layer_conv conv;
        conv_sampling_draw(from, 1, &conv);
        check_adjoint(from, &conv);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(gradients_are_as_defined, &from),
        cmocka_unit_test_prestate(large_gradients_are_as_defined, &from),
        cmocka_unit_test_prestate(winograds_gradients_are_as_defined, &from),
        cmocka_unit_test_prestate(gradients_are_differences_of_going_forward, &from),
        cmocka_unit_test_prestate(gradients_are_adjoint_to_going_forward, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
