/* Orthogonal weights: that they are, which of them they are, and that concurrent runs agree.
 * SPDX-License-Identifier: MIT */
#include "layer/initialize.h"
#include "layer/random.h"
#include "support/drawing.h"
#include "support/threads.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The Gram matrix of the shorter side is gain^2 times the identity. */
static void assert_orthogonal(const float *weight, size_t rows, size_t columns, double gain)
{
    const bool tall = rows >= columns;
    const size_t vectors = tall ? columns : rows, length = tall ? rows : columns;
    const size_t step = tall ? columns : 1, apart = tall ? 1 : columns;
    for (size_t i = 0; i < vectors; i++)
        for (size_t j = 0; j < vectors; j++) {
            double product = 0;
            for (size_t k = 0; k < length; k++)
                product +=
                    (double)weight[i * apart + k * step] * (double)weight[j * apart + k * step];
            assert_true(fabs(product / (gain * gain) - (i == j ? 1 : 0)) <= 1e-6);
        }
}

static void orthogonal_weights_are(void **state)
{
    (void)state;
    static const struct {
        layer_shape shape;
        size_t rows, columns;
        double gain;
    } cases[] = {
        {{2, {50, 20}}, 50, 20, 1},         {{2, {20, 50}}, 20, 50, 1},
        {{2, {33, 33}}, 33, 33, 0.5},       {{4, {16, 3, 3, 3}}, 16, 27, 1.4142135623730951},
        {{4, {64, 2, 3, 3}}, 64, 18, 3},    {{2, {1, 1}}, 1, 1, 2},
        {{2, {1, 40}}, 1, 40, 1},           {{2, {40, 1}}, 40, 1, 1},
        {{5, {10, 4, 2, 2, 2}}, 10, 32, 1}, {{2, {150, 90}}, 150, 90, 1},
        {{3, {70, 10, 20}}, 70, 200, 1e-3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const layer_initialize initialize = drawing_describe(
            cases[i].shape, (layer_initialize_options){.method = LAYER_INITIALIZE_ORTHOGONAL,
                                                       .gain = cases[i].gain,
                                                       .seed = i});
        float *const weight = drawing_new(&initialize, 1);
        assert_orthogonal(weight, cases[i].rows, cases[i].columns, cases[i].gain);
        const double longer =
            (double)(cases[i].rows > cases[i].columns ? cases[i].rows : cases[i].columns);
        assert_true(fabs(initialize.std * sqrt(longer) / cases[i].gain - 1) <= 1e-15);
        free(weight);
    }
}

/* W = Q with R = Q'A: the signs make R's diagonal positive, so Q is the one that Gram-Schmidt
 * finds, whatever LAPACK prefers. */
static void orthogonal_signs_make_r_positive(void **state)
{
    (void)state;
    enum { ROWS = 30, COLUMNS = 12 };
    const uint64_t seed = 99;
    const layer_initialize_options options = {.method = LAYER_INITIALIZE_ORTHOGONAL, .seed = seed};
    const layer_initialize tall = drawing_describe((layer_shape){2, {ROWS, COLUMNS}}, options);
    const layer_initialize wide = drawing_describe((layer_shape){2, {COLUMNS, ROWS}}, options);
    float *const q = drawing_new(&tall, 1), *const transposed = drawing_new(&wide, 1);
    double vectors[COLUMNS][ROWS];
    for (size_t j = 0; j < COLUMNS; j++) {
        for (size_t i = 0; i < ROWS; i++)
            vectors[j][i] = layer_random_normal(seed, i * COLUMNS + j);
        for (size_t k = 0; k < j; k++) {
            double along = 0;
            for (size_t i = 0; i < ROWS; i++)
                along += vectors[j][i] * vectors[k][i];
            for (size_t i = 0; i < ROWS; i++)
                vectors[j][i] -= along * vectors[k][i];
        }
        double square = 0;
        for (size_t i = 0; i < ROWS; i++)
            square += vectors[j][i] * vectors[j][i];
        for (size_t i = 0; i < ROWS; i++)
            vectors[j][i] /= sqrt(square);
    }
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < COLUMNS; j++) {
            assert_true(fabs((double)q[i * COLUMNS + j] - vectors[j][i]) <= 1e-6);
            assert_true(q[i * COLUMNS + j] == transposed[j * ROWS + i]);
        }
    free(q);
    free(transposed);
}

enum { RUNS = 12, RUN_THREADS = 4 };

static void draw_one(void *argument, size_t task, int thread)
{
    (void)thread;
    float **const weights = argument;
    const layer_initialize initialize = drawing_describe(
        (layer_shape){2, {120, 80}},
        (layer_initialize_options){.method = LAYER_INITIALIZE_ORTHOGONAL, .seed = 3});
    weights[task] = drawing_new(&initialize, 1);
}

/* LAPACK's routines share nothing behind our back. */
static void concurrent_runs_agree(void **state)
{
    (void)state;
    float *weights[RUNS];
    const layer_executor executor = threads_executor(RUN_THREADS);
    executor.parallel_for(executor.context, RUNS, draw_one, weights);
    for (int i = 1; i < RUNS; i++) {
        assert_memory_equal(weights[0], weights[i], 120 * 80 * sizeof **weights);
        free(weights[i]);
    }
    free(weights[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orthogonal_weights_are),
        cmocka_unit_test(orthogonal_signs_make_r_positive),
        cmocka_unit_test(concurrent_runs_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
