/* Properties of pooling over random geometries: every kind against the definition, indices, the
 * same bits for any number of threads, cancellation.
 * SPDX-License-Identifier: MIT */
#include "oracle/pool_oracle.h"
#include "support/pooling.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GEOMETRIES = 600, NAN_GEOMETRIES = 100, MOST_THREADS = 3 };

/* Allowed difference from what double makes of it, relative to the largest |output|. */
static const double BOUND = 5e-6;

/* With fewer outputs than this all of them may happen to cancel; then the difference is relative
 * to the largest pooling of |input|. */
enum { MANY_OUTPUTS = 64 };

typedef struct {
    layer_pool pool;
    layer_isa isa; /* one of those that the processor has */
    size_t inputs, outputs;
    float *input, *output, *indices;
    double *expected, *expected_indices;
} subject;

static subject draw(sampling *from)
{
    subject drawn = {
        .pool = pooling_draw(from),
        .isa = (layer_isa)sampling_between(from, LAYER_ISA_BASELINE, (int)layer_isa_best()),
    };
    drawn.inputs = pooling_inputs(&drawn.pool);
    drawn.outputs = pooling_outputs(&drawn.pool);
    drawn.input = pooling_numbers(from, drawn.inputs, sampling_between(from, 0, 1) == 1);
    drawn.output = malloc(drawn.outputs * sizeof *drawn.output);
    drawn.indices = drawn.pool.indices ? malloc(drawn.outputs * sizeof *drawn.indices) : NULL;
    drawn.expected = malloc(drawn.outputs * sizeof *drawn.expected);
    drawn.expected_indices = malloc(drawn.outputs * sizeof *drawn.expected_indices);
    return drawn;
}

static void release(subject *drawn)
{
    free(drawn->input);
    free(drawn->output);
    free(drawn->indices);
    free(drawn->expected);
    free(drawn->expected_indices);
}

static void expect(subject *drawn)
{
    double *const input = pooling_doubles(drawn->input, drawn->inputs);
    pool_oracle(&drawn->pool, input, drawn->expected, drawn->expected_indices);
    free(input);
}

static double largest(const double *numbers, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, isfinite(numbers[i]) ? fabs(numbers[i]) : 0);
    return most;
}

static double allowed(const subject *drawn)
{
    if (drawn->pool.kind == LAYER_POOL_MAX)
        return 0;
    if (drawn->outputs >= MANY_OUTPUTS)
        return BOUND * largest(drawn->expected, drawn->outputs);
    double *const magnitudes = pooling_doubles(drawn->input, drawn->inputs);
    double *const pooled = malloc(drawn->outputs * sizeof *pooled);
    for (size_t i = 0; i < drawn->inputs; i++)
        magnitudes[i] = fabs(magnitudes[i]);
    pool_oracle(&drawn->pool, magnitudes, pooled, NULL);
    const double most = largest(pooled, drawn->outputs);
    free(magnitudes);
    free(pooled);
    return BOUND * most;
}

static bool agree(double actual, double expected, double most)
{
    return actual == expected || (isnan(actual) && isnan(expected)) ||
           fabs(actual - expected) <= most;
}

static void assert_expected(const subject *drawn, const float *indices)
{
    const double most = allowed(drawn);
    for (size_t i = 0; i < drawn->outputs; i++) {
        if (!agree((double)drawn->output[i], drawn->expected[i], most))
            fail_msg("%s, %s: output %zu is %.9g, expected %.9g within %g",
                     pooling_sentence(&drawn->pool), layer_isa_name(drawn->isa), i,
                     (double)drawn->output[i], drawn->expected[i], most);
        if (indices != NULL && (double)indices[i] != drawn->expected_indices[i])
            fail_msg("%s: index %zu is %.9g, expected %.9g", pooling_sentence(&drawn->pool), i,
                     (double)indices[i], drawn->expected_indices[i]);
    }
}

static void run(subject *drawn, float *indices, int threads)
{
    assert_int_equal(pooling_forward(&drawn->pool, drawn->input, drawn->output, indices,
                                     (pooling_way){threads, drawn->isa, NULL}),
                     LAYER_OK);
}

static void check_threads(subject *drawn)
{
    const size_t size = drawn->outputs * sizeof *drawn->output;
    float *const alone = malloc(size);
    run(drawn, NULL, 1);
    memcpy(alone, drawn->output, size);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        run(drawn, NULL, threads);
        if (memcmp(alone, drawn->output, size) != 0)
            fail_msg("%s: %d threads compute other bits", pooling_sentence(&drawn->pool), threads);
    }
    free(alone);
}

static void every_kind_computes_the_definition(void **state)
{
    const int cancelled = 1;
    for (int number = 0; number < GEOMETRIES; number++) {
        subject drawn = draw(*state);
        expect(&drawn);
        check_threads(&drawn);
        assert_expected(&drawn, NULL);
        if (drawn.indices != NULL) {
            run(&drawn, drawn.indices, 2);
            assert_expected(&drawn, drawn.indices);
            layer_error error;
            assert_int_equal(layer_pool_check_indices(&drawn.pool, drawn.indices, &error),
                             LAYER_OK);
        }
        assert_int_equal(pooling_forward(&drawn.pool, drawn.input, drawn.output, drawn.indices,
                                         (pooling_way){2, drawn.isa, &cancelled}),
                         LAYER_CANCELLED);
        release(&drawn);
    }
}

/* A NaN makes every window that sees it NaN, the first of them is the maximum, and infinities
 * stay what they are. */
static void what_is_not_finite_shows(void **state)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    for (int number = 0; number < NAN_GEOMETRIES; number++) {
        subject drawn = draw(*state);
        for (size_t i = 0; i < 1 + drawn.inputs / 20; i++)
            drawn.input[sampling_between(*state, 0, (int)drawn.inputs - 1)] =
                odd[sampling_between(*state, 0, 2)];
        expect(&drawn);
        run(&drawn, NULL, 1);
        assert_expected(&drawn, NULL);
        if (drawn.indices != NULL) {
            run(&drawn, drawn.indices, 1);
            assert_expected(&drawn, drawn.indices);
        }
        release(&drawn);
    }
}

/* Planes so large that a plain chain of float additions would show. */
static void large_windows_are_exact_enough(void **state)
{
    static const layer_pool_options all[] = {
        {.kind = LAYER_POOL_AVERAGE, .global = true},
        {.kind = LAYER_POOL_AVERAGE, .kernel = {200, 150}, .geometry.strides = {300, 350}},
        {.kind = LAYER_POOL_LP, .global = true, .p = 1},
        {.kind = LAYER_POOL_LP, .kernel = {250, 300}, .geometry.strides = {250, 150}},
    };
    const layer_shape shape = {4, {1, 1, 1000, 1000}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        subject large = {.inputs = 1000000};
        layer_error error;
        assert_int_equal(layer_pool_describe(&large.pool, &shape, &all[i], &error), LAYER_OK);
        large.outputs = pooling_outputs(&large.pool);
        large.input = pooling_numbers(*state, large.inputs, false);
        large.output = malloc(large.outputs * sizeof *large.output);
        large.expected = malloc(large.outputs * sizeof *large.expected);
        large.expected_indices = malloc(large.outputs * sizeof *large.expected_indices);
        for (size_t cell = 0; cell < large.inputs; cell++)
            large.input[cell] += 1;
        expect(&large);
        run(&large, NULL, 2);
        assert_expected(&large, NULL);
        release(&large);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_kind_computes_the_definition, &from),
        cmocka_unit_test_prestate(what_is_not_finite_shows, &from),
        cmocka_unit_test_prestate(large_windows_are_exact_enough, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
