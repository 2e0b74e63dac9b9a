/* What holds for every layer that is linear in each of its operands, biases added.
 * SPDX-License-Identifier: MIT */
#include "support/multilinear.h"
#include "support/floats.h"
#include "support/threads.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_THREADS = 3 };

/* Allowed difference from a sum in double, relative to the largest sum of |terms|. */
static const double BOUND = 3e-6;

typedef struct {
    float *operands[MULTILINEAR_OPERANDS];
    float *grad_output;
} drawn;

/* ---- Arrays, one for each operand ------------------------------------------------------------ */

static drawn draw(sampling *from, const multilinear *layer, bool biased)
{
    drawn given = {.grad_output = floats_drawn(from, layer->outputs)};
    for (int i = 0; i < layer->operands; i++)
        if (!layer->operand[i].is_bias || (biased && sampling_between(from, 0, 1) == 1))
            given.operands[i] = floats_drawn(from, layer->operand[i].count);
    return given;
}

static void release(const multilinear *layer, const drawn *given)
{
    for (int i = 0; i < layer->operands; i++)
        free(given->operands[i]);
    free(given->grad_output);
}

static drawn magnitudes_of(const multilinear *layer, const drawn *given)
{
    drawn magnitudes = {0};
    if (given->grad_output != NULL)
        magnitudes.grad_output = floats_magnitudes(given->grad_output, layer->outputs);
    for (int i = 0; i < layer->operands; i++)
        if (given->operands[i] != NULL)
            magnitudes.operands[i] = floats_magnitudes(given->operands[i], layer->operand[i].count);
    return magnitudes;
}

typedef struct {
    double *of[MULTILINEAR_OPERANDS];
} gradients;

static gradients define_gradients(const multilinear *layer, const drawn *given)
{
    gradients defined = {0};
    for (int i = 0; i < layer->operands; i++)
        defined.of[i] = doubles_new(layer->operand[i].count);
    layer->define_gradients(layer->described, given->operands, given->grad_output, defined.of);
    return defined;
}

static void release_gradients(const multilinear *layer, const gradients *defined)
{
    for (int i = 0; i < layer->operands; i++)
        free(defined->of[i]);
}

/* ---- Running --------------------------------------------------------------------------------- */

static layer_status forward(const multilinear *layer, const drawn *given, float *output,
                            int threads, const int *cancelled)
{
    void *const workspace = floats_workspace(layer->workspace_size(layer->described, threads));
    const layer_executor executor = threads_executor(threads);
    const layer_run run = {.workspace = workspace,
                           .executor = threads == 1 ? NULL : &executor,
                           .cancelled = cancelled};
    memset(output, 0xFF, layer->outputs * sizeof *output);
    const layer_status status = layer->forward(layer->described, given->operands, output, &run);
    free(workspace);
    return status;
}

/* One gradient, or with which == layer->operands all of them; `result` is an array for each. */
static layer_status backward(const multilinear *layer, const drawn *given, int which,
                             float *const result[], int threads, const int *cancelled)
{
    void *const workspace =
        floats_workspace(layer->backward_workspace_size(layer->described, threads));
    const layer_executor executor = threads_executor(threads);
    const layer_run run = {.workspace = workspace,
                           .executor = threads == 1 ? NULL : &executor,
                           .cancelled = cancelled};
    float *wanted[MULTILINEAR_OPERANDS] = {0};
    for (int i = 0; i < layer->operands; i++) {
        memset(result[i], 0xFF, layer->operand[i].count * sizeof *result[i]);
        if (which == i || which == layer->operands)
            wanted[i] = result[i];
    }
    const layer_status status =
        layer->backward(layer->described, given->operands, given->grad_output, wanted, &run);
    free(workspace);
    return status;
}

static void new_results(const multilinear *layer, float *result[])
{
    for (int i = 0; i < layer->operands; i++)
        result[i] = floats_new(layer->operand[i].count);
}

static void release_results(const multilinear *layer, float *const result[])
{
    for (int i = 0; i < layer->operands; i++)
        free(result[i]);
}

/* ---- The definition -------------------------------------------------------------------------- */

static void check_close(const multilinear *layer, const char *what, const float *is,
                        const double *expected, const double *magnitudes, size_t count)
{
    const double allowed = BOUND * doubles_largest(magnitudes, count);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)is[i] - expected[i]) <= allowed))
            fail_msg("%s of %s: element %zu is %.9g, expected %.9g within %g", what,
                     layer->sentence, i, (double)is[i], expected[i], allowed);
}

static void check_same(const multilinear *layer, const char *what, const float *is,
                       const float *expected, size_t count)
{
    if (memcmp(is, expected, count * sizeof *is) != 0)
        fail_msg("%s of %s has other bits", what, layer->sentence);
}

/* `alone` gets the output that one thread computes. */
static void check_alone(const multilinear *layer, const drawn *given, const double *expected,
                        float *alone)
{
    const drawn magnitudes = magnitudes_of(layer, given);
    double *const terms = doubles_new(layer->outputs);
    layer->define(layer->described, magnitudes.operands, terms);
    assert_int_equal(forward(layer, given, alone, 1, NULL), LAYER_OK);
    check_close(layer, "output", alone, expected, terms, layer->outputs);
    free(terms);
    release(layer, &magnitudes);
}

void multilinear_check_output(const multilinear *layer, float *const operands[],
                              const double *expected)
{
    drawn given = {0};
    memcpy(given.operands, operands, (size_t)layer->operands * sizeof *operands);
    float *const alone = floats_new(layer->outputs);
    check_alone(layer, &given, expected, alone);
    free(alone);
}

static void check_forward(const multilinear *layer, const drawn *given)
{
    const size_t count = layer->outputs;
    double *const expected = doubles_new(count);
    float *const alone = floats_new(count), *const together = floats_new(count);
    const int cancelled = 1;
    layer->define(layer->described, given->operands, expected);
    check_alone(layer, given, expected, alone);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        assert_int_equal(forward(layer, given, together, threads, NULL), LAYER_OK);
        check_same(layer, "output", together, alone, count);
    }
    assert_int_equal(forward(layer, given, together, 2, &cancelled), LAYER_CANCELLED);
    free(together);
    free(alone);
    free(expected);
}

/* By several threads, and each gradient by itself. */
static void check_repeated(const multilinear *layer, const drawn *given, float *const alone[])
{
    const int all = layer->operands, cancelled = 1;
    float *again[MULTILINEAR_OPERANDS];
    new_results(layer, again);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        assert_int_equal(backward(layer, given, all, again, threads, NULL), LAYER_OK);
        for (int i = 0; i < layer->operands; i++)
            check_same(layer, layer->operand[i].name, again[i], alone[i], layer->operand[i].count);
    }
    for (int i = 0; i < layer->operands; i++) {
        assert_int_equal(backward(layer, given, i, again, 2, NULL), LAYER_OK);
        check_same(layer, layer->operand[i].name, again[i], alone[i], layer->operand[i].count);
    }
    assert_int_equal(backward(layer, given, all, again, 2, &cancelled), LAYER_CANCELLED);
    release_results(layer, again);
}

static void check_backward(const multilinear *layer, const drawn *given)
{
    const drawn magnitudes = magnitudes_of(layer, given);
    const gradients expected = define_gradients(layer, given);
    const gradients terms = define_gradients(layer, &magnitudes);
    float *alone[MULTILINEAR_OPERANDS];
    new_results(layer, alone);
    assert_int_equal(backward(layer, given, layer->operands, alone, 1, NULL), LAYER_OK);
    for (int i = 0; i < layer->operands; i++)
        check_close(layer, layer->operand[i].name, alone[i], expected.of[i], terms.of[i],
                    layer->operand[i].count);
    check_repeated(layer, given, alone);
    release_results(layer, alone);
    release_gradients(layer, &terms);
    release_gradients(layer, &expected);
    release(layer, &magnitudes);
}

void multilinear_check_definition(sampling *from, const multilinear *layer)
{
    const drawn given = draw(from, layer, true);
    check_forward(layer, &given);
    check_backward(layer, &given);
    release(layer, &given);
}

/* ---- Finite differences ---------------------------------------------------------------------- */

/* The loss whose gradient with respect to the output is grad_output. */
static double loss_of(const multilinear *layer, const drawn *given)
{
    double *const output = doubles_new(layer->outputs);
    double loss = 0;
    layer->define(layer->described, given->operands, output);
    for (size_t i = 0; i < layer->outputs; i++)
        loss += output[i] * (double)given->grad_output[i];
    free(output);
    return loss;
}

/* The loss is linear in each element, so that a large step is as good as a small one; the element
 * is rounded so that the steps are exact. */
static double difference_along(const multilinear *layer, const drawn *given, float *element)
{
    const float before = *element;
    *element = before + 1;
    const double above = loss_of(layer, given);
    *element = before - 1;
    const double below = loss_of(layer, given);
    *element = before;
    return (above - below) / 2;
}

static void check_difference(const multilinear *layer, const drawn *given, int which, size_t at,
                             double is)
{
    const drawn magnitudes = magnitudes_of(layer, given);
    const gradients terms = define_gradients(layer, &magnitudes);
    const double allowed = BOUND * doubles_largest(terms.of[which], layer->operand[which].count);
    const double difference = difference_along(layer, given, given->operands[which] + at);
    if (!(fabs(is - difference) <= allowed))
        fail_msg("%s of %s: element %zu is %.9g, the difference is %.9g",
                 layer->operand[which].name, layer->sentence, at, is, difference);
    release_gradients(layer, &terms);
    release(layer, &magnitudes);
}

void multilinear_check_differences(sampling *from, const multilinear *layer)
{
    const drawn given = draw(from, layer, true);
    for (int i = 0; i < layer->operands; i++) {
        if (given.operands[i] == NULL)
            continue;
        const size_t at = (size_t)sampling_between(from, 0, (int)layer->operand[i].count - 1);
        given.operands[i][at] = nearbyintf(given.operands[i][at] * 1024) / 1024;
        float *result[MULTILINEAR_OPERANDS];
        new_results(layer, result);
        assert_int_equal(backward(layer, &given, i, result, 1, NULL), LAYER_OK);
        check_difference(layer, &given, i, at, (double)result[i][at]);
        release_results(layer, result);
    }
    release(layer, &given);
}

/* ---- The adjoint identity -------------------------------------------------------------------- */

static double product(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

void multilinear_check_adjoint(sampling *from, const multilinear *layer)
{
    const drawn given = draw(from, layer, false);
    const drawn magnitudes = magnitudes_of(layer, &given);
    const double allowed = BOUND * loss_of(layer, &magnitudes);
    float *const output = floats_new(layer->outputs);
    float *result[MULTILINEAR_OPERANDS];
    new_results(layer, result);
    assert_int_equal(forward(layer, &given, output, 2, NULL), LAYER_OK);
    assert_int_equal(backward(layer, &given, layer->operands, result, 2, NULL), LAYER_OK);
    const double along = product(output, given.grad_output, layer->outputs);
    for (int i = 0; i < layer->operands; i++) {
        if (layer->operand[i].is_bias)
            continue;
        const double across = product(given.operands[i], result[i], layer->operand[i].count);
        if (!(fabs(along - across) <= allowed))
            fail_msg("%s: %.9g forward, %.9g by %s", layer->sentence, along, across,
                     layer->operand[i].name);
    }
    release_results(layer, result);
    free(output);
    release(layer, &magnitudes);
    release(layer, &given);
}
