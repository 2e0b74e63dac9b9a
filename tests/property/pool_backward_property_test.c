/* Properties of pooling's gradient over random geometries: every kind against the definition, that
 * against finite differences, the adjoint identity, given indices, the same bits for any number of
 * threads, cancellation.
 * SPDX-License-Identifier: MIT */
#include "oracle/pool_oracle.h"
#include "support/part.h"
#include "support/pooling.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GEOMETRIES = 500 / PART, DIFFERENCED = 300 / PART, CELLS_DIFFERENCED = 4, MOST_THREADS = 3 };

/* Allowed difference from what double makes of it, relative to the largest gradient. */
static const double BOUND = 5e-6;

typedef struct {
    layer_pool pool;
    layer_isa isa; /* one of those that the processor has */
    size_t inputs, outputs;
    float *input, *grad_output, *grad_input;
    double *input_exactly, *grad_output_exactly, *expected;
} subject;

static subject draw(sampling *from, bool ties)
{
    subject drawn = {
        .pool = pooling_draw(from),
        .isa = (layer_isa)sampling_between(from, LAYER_ISA_BASELINE, (int)layer_isa_best()),
    };
    drawn.inputs = pooling_inputs(&drawn.pool);
    drawn.outputs = pooling_outputs(&drawn.pool);
    drawn.input = pooling_numbers(from, drawn.inputs, ties);
    drawn.grad_output = pooling_numbers(from, drawn.outputs, false);
    drawn.grad_input = malloc(drawn.inputs * sizeof *drawn.grad_input);
    drawn.input_exactly = pooling_doubles(drawn.input, drawn.inputs);
    drawn.grad_output_exactly = pooling_doubles(drawn.grad_output, drawn.outputs);
    drawn.expected = malloc(drawn.inputs * sizeof *drawn.expected);
    return drawn;
}

static void release(subject *drawn)
{
    free(drawn->input);
    free(drawn->grad_output);
    free(drawn->grad_input);
    free(drawn->input_exactly);
    free(drawn->grad_output_exactly);
    free(drawn->expected);
}

static double dot(const double *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static void run(subject *drawn, const float *indices, int threads)
{
    assert_int_equal(pooling_backward(&drawn->pool, drawn->input, drawn->grad_output, indices,
                                      drawn->grad_input, (pooling_way){threads, drawn->isa, NULL}),
                     LAYER_OK);
}

static void assert_expected(const subject *drawn)
{
    double most = 0;
    for (size_t i = 0; i < drawn->inputs; i++)
        most = fmax(most, fabs(drawn->expected[i]));
    for (size_t i = 0; i < drawn->inputs; i++)
        if (!(fabs((double)drawn->grad_input[i] - drawn->expected[i]) <= BOUND * most))
            fail_msg("%s: gradient %zu is %.9g, expected %.9g within %g",
                     pooling_sentence(&drawn->pool), i, (double)drawn->grad_input[i],
                     drawn->expected[i], BOUND * most);
}

/* The bits that one thread computed come out again, whatever indices and threads are given. */
static void check_same(subject *drawn, const float *indices, const float *alone)
{
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        run(drawn, indices, threads);
        if (memcmp(alone, drawn->grad_input, drawn->inputs * sizeof *alone) != 0)
            fail_msg("%s: %d threads%s compute other bits", pooling_sentence(&drawn->pool), threads,
                     indices == NULL ? "" : ", given indices,");
    }
}

static void check_indices(subject *drawn, const float *alone)
{
    float *const output = malloc(drawn->outputs * sizeof *output);
    float *const indices = malloc(drawn->outputs * sizeof *indices);
    assert_int_equal(pooling_forward(&drawn->pool, drawn->input, output, indices,
                                     (pooling_way){1, drawn->isa, NULL}),
                     LAYER_OK);
    check_same(drawn, indices, alone);
    free(output);
    free(indices);
}

static void every_kind_computes_the_definition(void **state)
{
    sampling *const from = *state;
    const int cancelled = 1;
    for (int number = 0; number < GEOMETRIES; number++) {
        subject drawn = draw(from, sampling_between(from, 0, 1) == 1);
        pool_backward_oracle(&drawn.pool, drawn.input_exactly, drawn.grad_output_exactly,
                             drawn.expected);
        run(&drawn, NULL, 1);
        assert_expected(&drawn);
        float *const alone = malloc(drawn.inputs * sizeof *alone);
        memcpy(alone, drawn.grad_input, drawn.inputs * sizeof *alone);
        check_same(&drawn, NULL, alone);
        if (drawn.pool.kind == LAYER_POOL_MAX)
            check_indices(&drawn, alone);
        assert_int_equal(pooling_backward(&drawn.pool, drawn.input, drawn.grad_output, NULL,
                                          drawn.grad_input,
                                          (pooling_way){2, drawn.isa, &cancelled}),
                         LAYER_CANCELLED);
        free(alone);
        release(&drawn);
    }
}

/* <grad_output, pool(x)>, what the gradient is the gradient of. Windows that see nothing count for
 * nothing. */
static double objective(const subject *drawn, double *output)
{
    double sum = 0;
    pool_oracle(&drawn->pool, drawn->input_exactly, output, NULL);
    for (size_t i = 0; i < drawn->outputs; i++)
        sum += isfinite(output[i]) ? drawn->grad_output_exactly[i] * output[i] : 0;
    return sum;
}

/* Where the function has no corner within the step: no two cells that near, none that near 0. */
static bool is_smooth_at(const subject *drawn, size_t cell, double step)
{
    const double x = drawn->input_exactly[cell];
    if (fabs(x) < 0.05)
        return false;
    for (size_t i = 0; i < drawn->inputs && drawn->pool.kind == LAYER_POOL_MAX; i++)
        if (i != cell && fabs(drawn->input_exactly[i] - x) <= 2 * step)
            return false;
    return true;
}

static void check_difference(subject *drawn, size_t cell, double *output)
{
    const double step = 1e-6, x = drawn->input_exactly[cell];
    if (!is_smooth_at(drawn, cell, step))
        return;
    drawn->input_exactly[cell] = x + step;
    const double above = objective(drawn, output);
    drawn->input_exactly[cell] = x - step;
    const double below = objective(drawn, output);
    drawn->input_exactly[cell] = x;
    const double slope = (above - below) / (2 * step);
    if (!(fabs(slope - drawn->expected[cell]) <= 1e-5 * fmax(1, fabs(slope))))
        fail_msg("%s: the slope at %zu is %.9g, but the gradient %.9g",
                 pooling_sentence(&drawn->pool), cell, slope, drawn->expected[cell]);
}

static void the_definition_is_the_slope(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < DIFFERENCED; number++) {
        subject drawn = draw(from, false);
        double *const output = malloc(drawn.outputs * sizeof *output);
        pool_backward_oracle(&drawn.pool, drawn.input_exactly, drawn.grad_output_exactly,
                             drawn.expected);
        for (int i = 0; i < CELLS_DIFFERENCED; i++)
            check_difference(&drawn, (size_t)sampling_between(from, 0, (int)drawn.inputs - 1),
                             output);
        free(output);
        release(&drawn);
    }
}

/* <average(x), g> = <x, backward(g)>: an average is linear, so its gradient is its transpose. The
 * same holds of the others at x itself, since they are homogeneous: f(x) = f'(x) x. */
static void gradients_are_adjoint(void **state)
{
    for (int number = 0; number < GEOMETRIES; number++) {
        subject drawn = draw(*state, false);
        float *const output = malloc(drawn.outputs * sizeof *output);
        assert_int_equal(pooling_forward(&drawn.pool, drawn.input, output, NULL,
                                         (pooling_way){2, drawn.isa, NULL}),
                         LAYER_OK);
        for (size_t i = 0; i < drawn.outputs; i++)
            output[i] = isfinite(output[i]) ? output[i] : 0;
        run(&drawn, NULL, 2);
        double *const pooled = pooling_doubles(output, drawn.outputs);
        double *const gradient = pooling_doubles(drawn.grad_input, drawn.inputs);
        const double forward = dot(pooled, drawn.grad_output_exactly, drawn.outputs);
        const double backward = dot(drawn.input_exactly, gradient, drawn.inputs);
        const double scale =
            sqrt(dot(pooled, pooled, drawn.outputs) *
                 dot(drawn.grad_output_exactly, drawn.grad_output_exactly, drawn.outputs));
        if (!(fabs(forward - backward) <= BOUND * fmax(scale, 1e-3)))
            fail_msg("%s: <pool(x), g> is %.9g, <x, backward(g)> %.9g",
                     pooling_sentence(&drawn.pool), forward, backward);
        free(pooled);
        free(gradient);
        free(output);
        release(&drawn);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_kind_computes_the_definition, &from),
        cmocka_unit_test_prestate(the_definition_is_the_slope, &from),
        cmocka_unit_test_prestate(gradients_are_adjoint, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
