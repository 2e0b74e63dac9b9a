/* Properties of the linear layer over random shapes: the definition, the same bits for any number
 * of threads, finite differences of going forward, the adjoint identities. SPDX-License-Identifier:
 * MIT */
#include "layer/linear.h"
#include "oracle/linear_oracle.h"
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

enum { SHAPES = 400, DIFFERENCE_SHAPES = 100, ADJOINT_SHAPES = 200, MOST_THREADS = 3 };

/* Allowed difference from a sum in double, relative to the largest sum of |terms|. */
static const double BOUND = 2e-6;

typedef struct {
    float *input, *weight, *bias, *grad_output; /* bias may be NULL */
} operands;

/* ---- Drawing --------------------------------------------------------------------------------- */

static layer_linear describe(layer_shape input, layer_shape weight)
{
    layer_linear linear;
    layer_error error;
    assert_int_equal(layer_linear_describe(&linear, &input, &weight, &error), LAYER_OK);
    return linear;
}

/* Often 1 or a few, now and then beyond a vector or a tile. */
static int draw_extent(sampling *from)
{
    static const int most[] = {1, 4, 20, 90};
    return sampling_between(from, 1, most[sampling_between(from, 0, 3)]);
}

static layer_linear draw_shapes(sampling *from)
{
    const int inputs = draw_extent(from), outputs = draw_extent(from);
    const bool single = sampling_between(from, 0, 4) == 0;
    const layer_shape batched = {2, {draw_extent(from), inputs}}, alone = {1, {inputs}};
    return describe(single ? alone : batched, (layer_shape){2, {outputs, inputs}});
}

static operands draw_operands(sampling *from, const layer_linear *linear)
{
    const bool biased = sampling_between(from, 0, 1) == 1;
    return (operands){
        floats_drawn(from, linear->batch * linear->inputs),
        floats_drawn(from, linear->outputs * linear->inputs),
        biased ? floats_drawn(from, linear->outputs) : NULL,
        floats_drawn(from, linear->batch * linear->outputs),
    };
}

static void release(const operands *drawn)
{
    free(drawn->input);
    free(drawn->weight);
    free(drawn->bias);
    free(drawn->grad_output);
}

static const char *sentence_of(const layer_linear *linear)
{
    static char text[128];
    snprintf(text, sizeof text, "N %zu, in %zu, out %zu", linear->batch, linear->inputs,
             linear->outputs);
    return text;
}

/* ---- What is computed, as rows --------------------------------------------------------------- */

typedef enum { OUTPUT, GRAD_INPUT, GRAD_WEIGHT, GRAD_BIAS, RESULTS } result;

static const char *const names[RESULTS] = {"output", "grad_input", "grad_weight", "grad_bias"};

static size_t count_of(const layer_linear *linear, result which)
{
    const size_t counts[RESULTS] = {
        linear->batch * linear->outputs,
        linear->batch * linear->inputs,
        linear->outputs * linear->inputs,
        linear->outputs,
    };
    return counts[which];
}

/* How it is computed. */
typedef struct {
    int threads;
    layer_isa isa;
    const int *cancelled;
} way;

static layer_status run_with(const layer_linear *linear, result which, const operands *given,
                             float *to, way with)
{
    const layer_executor executor = threads_executor(with.threads);
    const layer_run run = {.executor = with.threads == 1 ? NULL : &executor,
                           .cancelled = with.cancelled,
                           .isa = with.isa};
    memset(to, 0xFF, count_of(linear, which) * sizeof *to);
    switch (which) {
    case OUTPUT:
        return layer_linear_forward(linear, given->input, given->weight, given->bias, to, &run);
    case GRAD_INPUT:
        return layer_linear_grad_input(linear, given->weight, given->grad_output, to, &run);
    case GRAD_WEIGHT:
        return layer_linear_grad_weight(linear, given->input, given->grad_output, to, &run);
    default:
        return layer_linear_grad_bias(linear, given->grad_output, to, &run);
    }
}

/* The definition's results, one array each. */
typedef struct {
    double *of[RESULTS];
} expectation;

static expectation expect(const layer_linear *linear, const operands *given)
{
    expectation expected;
    for (result which = 0; which < RESULTS; which++)
        expected.of[which] = doubles_new(count_of(linear, which));
    linear_oracle(linear, given->input, given->weight, given->bias, expected.of[OUTPUT]);
    const linear_gradients gradients = {expected.of[GRAD_INPUT], expected.of[GRAD_WEIGHT],
                                        expected.of[GRAD_BIAS]};
    linear_backward_oracle(linear, given->input, given->weight, given->grad_output, &gradients);
    return expected;
}

/* The sums of |terms|. */
static expectation expect_magnitudes(const layer_linear *linear, const operands *given)
{
    const operands all = {
        floats_magnitudes(given->input, count_of(linear, GRAD_INPUT)),
        floats_magnitudes(given->weight, count_of(linear, GRAD_WEIGHT)),
        given->bias == NULL ? NULL : floats_magnitudes(given->bias, linear->outputs),
        floats_magnitudes(given->grad_output, count_of(linear, OUTPUT)),
    };
    const expectation sums = expect(linear, &all);
    release(&all);
    return sums;
}

static void release_expected(const expectation *expected)
{
    for (result which = 0; which < RESULTS; which++)
        free(expected->of[which]);
}

/* ---- The definition -------------------------------------------------------------------------- */

static void check_way(const layer_linear *linear, result which, const operands *given,
                      const double *expected, double allowed, layer_isa isa)
{
    const size_t count = count_of(linear, which);
    float *const alone = floats_new(count), *const together = floats_new(count);
    assert_int_equal(run_with(linear, which, given, alone, (way){1, isa, NULL}), LAYER_OK);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)alone[i] - expected[i]) <= allowed))
            fail_msg("%s of %s, %s: element %zu is %.9g, expected %.9g within %g", names[which],
                     sentence_of(linear), layer_isa_name(isa), i, (double)alone[i], expected[i],
                     allowed);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        assert_int_equal(run_with(linear, which, given, together, (way){threads, isa, NULL}),
                         LAYER_OK);
        if (memcmp(alone, together, count * sizeof *alone) != 0)
            fail_msg("%s of %s, %s: %d threads compute other bits", names[which],
                     sentence_of(linear), layer_isa_name(isa), threads);
    }
    free(alone);
    free(together);
}

static void check_result(const layer_linear *linear, result which, const operands *given,
                         const double *expected, const double *magnitudes)
{
    const size_t count = count_of(linear, which);
    const double allowed = BOUND * doubles_largest(magnitudes, count);
    const int cancelled = 1;
    float *const to = floats_new(count);
    for (layer_isa isa = LAYER_ISA_BASELINE; isa <= layer_isa_best(); isa++)
        check_way(linear, which, given, expected, allowed, isa);
    assert_int_equal(run_with(linear, which, given, to, (way){2, LAYER_ISA_AUTO, &cancelled}),
                     LAYER_CANCELLED);
    free(to);
}

static void check(sampling *from, const layer_linear *linear)
{
    const operands given = draw_operands(from, linear);
    const expectation expected = expect(linear, &given);
    const expectation magnitudes = expect_magnitudes(linear, &given);
    for (result which = 0; which < RESULTS; which++)
        check_result(linear, which, &given, expected.of[which], magnitudes.of[which]);
    release_expected(&magnitudes);
    release_expected(&expected);
    release(&given);
}

static void results_are_as_defined(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < SHAPES; number++) {
        const layer_linear linear = draw_shapes(from);
        check(from, &linear);
    }
}

/* Several tiles along every axis, several pieces of the depth, one long row or column. */
static void large_results_are_as_defined(void **state)
{
    sampling *const from = *state;
    static const int large[][3] = {{300, 130, 310}, {5, 1100, 600}, {1, 2300, 1200}, {1300, 70, 3},
                                   {1300, 3, 40},   {3, 40, 5000},  {9000, 5, 66},   {600, 2, 2},
                                   {33, 1030, 17},  {4, 1500, 70},  {70, 65, 1024},  {1, 40, 3000},
                                   {2, 600, 900},   {200, 300, 16}, {3, 9000, 7},    {1, 9001, 5}};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        const layer_linear linear = describe((layer_shape){2, {large[i][0], large[i][1]}},
                                             (layer_shape){2, {large[i][2], large[i][1]}});
        check(from, &linear);
    }
}

/* ---- Finite differences ---------------------------------------------------------------------- */

/* The loss whose gradient with respect to the output is grad_output. */
static double loss_of(const layer_linear *linear, const operands *given)
{
    const size_t count = count_of(linear, OUTPUT);
    double *const output = doubles_new(count);
    double loss = 0;
    linear_oracle(linear, given->input, given->weight, given->bias, output);
    for (size_t i = 0; i < count; i++)
        loss += output[i] * (double)given->grad_output[i];
    free(output);
    return loss;
}

/* The loss is linear in each element, so that a large step is as good as a small one. */
static void check_difference(const layer_linear *linear, const operands *given, float *element,
                             double gradient)
{
    const float before = *element;
    *element = before + 1;
    const double step = (double)*element - (double)before;
    const double above = loss_of(linear, given);
    *element = before;
    const double difference = (above - loss_of(linear, given)) / step;
    if (!(fabs(difference - gradient) <= 1e-4))
        fail_msg("%s: the difference is %.9g, the gradient %.9g", sentence_of(linear), difference,
                 gradient);
}

static void gradients_are_finite_differences(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < DIFFERENCE_SHAPES; number++) {
        const layer_linear linear = draw_shapes(from);
        operands given = draw_operands(from, &linear);
        if (given.bias == NULL)
            given.bias = floats_drawn(from, linear.outputs);
        float *const targets[RESULTS] = {NULL, given.input, given.weight, given.bias};
        for (result which = GRAD_INPUT; which < RESULTS; which++) {
            const size_t count = count_of(&linear, which);
            const size_t place = (size_t)sampling_between(from, 0, (int)count - 1);
            float *const gradient = floats_new(count);
            assert_int_equal(run_with(&linear, which, &given, gradient, (way){.threads = 1}),
                             LAYER_OK);
            check_difference(&linear, &given, &targets[which][place], (double)gradient[place]);
            free(gradient);
        }
        release(&given);
    }
}

/* ---- Adjoint identities ---------------------------------------------------------------------- */

static double product_of(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* <Wx, g> = <x, W'g> = <W, g x'>. */
static void check_adjoint(sampling *from, const layer_linear *linear)
{
    operands given = draw_operands(from, linear);
    free(given.bias);
    given.bias = NULL;
    float *results[RESULTS];
    for (result which = 0; which < RESULTS; which++) {
        results[which] = floats_new(count_of(linear, which));
        assert_int_equal(run_with(linear, which, &given, results[which], (way){.threads = 2}),
                         LAYER_OK);
    }
    const size_t outputs = count_of(linear, OUTPUT);
    const double forward = product_of(results[OUTPUT], given.grad_output, outputs);
    const double by_input =
        product_of(given.input, results[GRAD_INPUT], count_of(linear, GRAD_INPUT));
    const double by_weight =
        product_of(given.weight, results[GRAD_WEIGHT], count_of(linear, GRAD_WEIGHT));
    const double allowed = BOUND * (double)linear->multiplications;
    assert_true(fabs(forward - by_input) <= allowed);
    assert_true(fabs(forward - by_weight) <= allowed);
    for (result which = 0; which < RESULTS; which++)
        free(results[which]);
    release(&given);
}

static void gradients_are_adjoint(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < ADJOINT_SHAPES; number++) {
        const layer_linear linear = draw_shapes(from);
        check_adjoint(from, &linear);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(results_are_as_defined, &from),
        cmocka_unit_test_prestate(large_results_are_as_defined, &from),
        cmocka_unit_test_prestate(gradients_are_finite_differences, &from),
        cmocka_unit_test_prestate(gradients_are_adjoint, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
