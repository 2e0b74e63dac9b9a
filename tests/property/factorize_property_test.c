/* Properties of factorized kernels: their singular values are the definition's, the products add up
 * to the kernel within the error that is told, the rank is the smallest, any number of threads.
 * SPDX-License-Identifier: MIT */
#include "layer/factorize.h"
#include "oracle/factorize_oracle.h"
#include "support/floats.h"
#include "support/threads.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BANKS = 400, MOST_THREADS = 3 };

/* Of binary32's rounding, relative to the whole bank. */
static const double BOUND = 1e-6;

typedef struct {
    layer_factorize bank;
    size_t count, columns, rows, values; /* elements */
    float *weight, *column, *row, *value;
    layer_factorized result;
} sample;

static layer_status run_with(sample *drawn, int threads, const int *cancelled)
{
    void *const workspace = floats_workspace(layer_factorize_workspace_size(&drawn->bank, threads));
    const layer_executor executor = threads_executor(threads);
    const layer_run run = {.workspace = workspace,
                           .executor = threads == 1 ? NULL : &executor,
                           .cancelled = cancelled};
    memset(drawn->column, 0xFF, drawn->columns * sizeof(float));
    memset(drawn->row, 0xFF, drawn->rows * sizeof(float));
    memset(drawn->value, 0xFF, drawn->values * sizeof(float));
    const layer_status status = layer_factorize_run(&drawn->bank, drawn->weight, drawn->column,
                                                    drawn->row, drawn->value, &drawn->result, &run);
    free(workspace);
    return status;
}

/* Now and then a bank of kernels of a low rank. */
static float *draw_weight(sampling *from, const layer_factorize *bank, size_t count)
{
    float *const weight = floats_drawn(from, count);
    const int cells = bank->height * bank->width;
    for (int kernel = 0; kernel < bank->kernels && sampling_between(from, 0, 1) == 0; kernel++)
        for (int i = 0; i < cells; i++) {
            float *const at = weight + kernel * cells;
            at[i] = at[i / bank->width * bank->width] * at[i % bank->width];
        }
    return weight;
}

static sample draw(sampling *from)
{
    sample drawn;
    layer_error error;
    const layer_shape weight = {4,
                                {sampling_between(from, 1, 4), sampling_between(from, 1, 3),
                                 sampling_between(from, 1, 9), sampling_between(from, 1, 9)}};
    const int shorter = weight.extent[2] < weight.extent[3] ? weight.extent[2] : weight.extent[3];
    const layer_factorize_options options = {.rank = sampling_between(from, 0, shorter),
                                             .tolerance = sampling_between(from, 0, 5) * 0.1};
    assert_int_equal(layer_factorize_describe(&drawn.bank, &weight, &options, &error), LAYER_OK);
    const size_t kernels = (size_t)drawn.bank.kernels, most = (size_t)drawn.bank.most;
    drawn.count = floats_count(&weight);
    drawn.columns = kernels * most * (size_t)drawn.bank.height;
    drawn.rows = kernels * most * (size_t)drawn.bank.width;
    drawn.values = kernels * most;
    drawn.weight = draw_weight(from, &drawn.bank, drawn.count);
    drawn.column = floats_new(drawn.columns);
    drawn.row = floats_new(drawn.rows);
    drawn.value = floats_new(drawn.values);
    return drawn;
}

static void release(const sample *drawn)
{
    free(drawn->weight);
    free(drawn->column);
    free(drawn->row);
    free(drawn->value);
}

/* The squares of a bank, and of what the products leave of it. */
static void measure(const sample *drawn, double *all, double *left_out)
{
    const int height = drawn->bank.height, width = drawn->bank.width, rank = drawn->result.rank;
    *all = *left_out = 0;
    for (int kernel = 0; kernel < drawn->bank.kernels; kernel++)
        for (int cell = 0; cell < height * width; cell++) {
            const double is = (double)drawn->weight[kernel * height * width + cell];
            double sum = 0;
            for (int i = 0; i < rank; i++)
                sum += (double)drawn->column[(kernel * rank + i) * height + cell / width] *
                       (double)drawn->row[(kernel * rank + i) * width + cell % width];
            *all += is * is;
            *left_out += (is - sum) * (is - sum);
        }
}

static void products_add_up_within_the_error(void **state)
{
    sampling *const from = *state;
    for (int i = 0; i < BANKS; i++) {
        sample drawn = draw(from);
        double all, left_out;
        assert_int_equal(run_with(&drawn, 1, NULL), LAYER_OK);
        measure(&drawn, &all, &left_out);
        assert_true(fabs(sqrt(left_out / all) - drawn.result.error) <= BOUND);
        if (drawn.bank.rank == 0)
            assert_true(drawn.result.error <= drawn.bank.tolerance);
        else
            assert_int_equal(drawn.result.rank, drawn.bank.rank);
        release(&drawn);
    }
}

/* What the singular values of rank and above leave out, relative to all. */
static double error_by_definition(const sample *drawn, const double *values, int rank)
{
    double all = 0, left_out = 0;
    for (size_t i = 0; i < drawn->values; i++) {
        all += values[i] * values[i];
        left_out += (int)(i % (size_t)drawn->bank.most) >= rank ? values[i] * values[i] : 0;
    }
    return sqrt(left_out / all);
}

static void values_and_rank_are_the_definitions(void **state)
{
    sampling *const from = *state;
    for (int i = 0; i < BANKS; i++) {
        sample drawn = draw(from);
        const layer_factorize *const bank = &drawn.bank;
        double *const values = doubles_new(drawn.values);
        assert_int_equal(run_with(&drawn, 1, NULL), LAYER_OK);
        for (int kernel = 0; kernel < bank->kernels; kernel++)
            factorize_oracle(drawn.weight + kernel * bank->height * bank->width, bank->height,
                             bank->width, values + kernel * bank->most);
        for (size_t at = 0; at < drawn.values; at++)
            assert_true(fabs((double)drawn.value[at] - values[at]) <=
                        BOUND * doubles_largest(values, drawn.values));
        const double less = error_by_definition(&drawn, values, drawn.result.rank - 1);
        if (bank->rank == 0 && drawn.result.rank > 1)
            assert_true(less >= bank->tolerance - BOUND);
        const double one = error_by_definition(&drawn, values, 1);
        if (fabs(one - bank->tolerance) > BOUND)
            assert_int_equal(drawn.result.separable, one <= bank->tolerance);
        free(values);
        release(&drawn);
    }
}

static void threads_do_not_matter(void **state)
{
    sampling *const from = *state;
    for (int i = 0; i < BANKS / 4; i++) {
        sample drawn = draw(from), again = drawn;
        again.column = floats_new(drawn.columns);
        again.row = floats_new(drawn.rows);
        again.value = floats_new(drawn.values);
        assert_int_equal(run_with(&drawn, 1, NULL), LAYER_OK);
        assert_int_equal(run_with(&again, sampling_between(from, 2, MOST_THREADS), NULL), LAYER_OK);
        const size_t kept = (size_t)drawn.bank.kernels * (size_t)drawn.result.rank;
        assert_int_equal(again.result.rank, drawn.result.rank);
        assert_memory_equal(again.column, drawn.column,
                            kept * (size_t)drawn.bank.height * sizeof(float));
        assert_memory_equal(again.row, drawn.row, kept * (size_t)drawn.bank.width * sizeof(float));
        assert_memory_equal(again.value, drawn.value, drawn.values * sizeof(float));
        free(again.column);
        free(again.row);
        free(again.value);
        release(&drawn);
    }
}

static void it_stops_when_cancelled(void **state)
{
    sample drawn = draw(*state);
    const int cancelled = 1;
    assert_int_equal(run_with(&drawn, 1, &cancelled), LAYER_CANCELLED);
    release(&drawn);
}

static void what_is_not_finite_makes_nan(void **state)
{
    sample drawn = draw(*state);
    drawn.weight[drawn.count - 1] = NAN;
    assert_int_equal(run_with(&drawn, 1, NULL), LAYER_OK);
    assert_true(isnan(drawn.value[drawn.values - 1]) && isnan(drawn.result.error));
    assert_false(drawn.result.separable);
    release(&drawn);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        layer_shape weight;
        layer_factorize_options options;
        layer_status status;
        const char *argument;
    } cases[] = {
        {{1, {3}}, {0}, LAYER_INVALID, "weight"},
        {{2, {3, 0}}, {0}, LAYER_INVALID, "weight"},
        {{2, {4097, 1}}, {0}, LAYER_TOO_LARGE, "weight"},
        {{2, {2, 3}}, {.rank = 3}, LAYER_INVALID, "rank"},
        {{2, {2, 3}}, {.rank = -1}, LAYER_INVALID, "rank"},
        {{2, {2, 3}}, {.tolerance = 1.5}, LAYER_INVALID, "tolerance"},
        {{2, {2, 3}}, {.tolerance = NAN}, LAYER_INVALID, "tolerance"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer_factorize bank;
        layer_error error;
        assert_int_equal(
            layer_factorize_describe(&bank, &cases[i].weight, &cases[i].options, &error),
            cases[i].status);
        assert_string_equal(error.argument, cases[i].argument);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(products_add_up_within_the_error, &from),
        cmocka_unit_test_prestate(values_and_rank_are_the_definitions, &from),
        cmocka_unit_test_prestate(threads_do_not_matter, &from),
        cmocka_unit_test_prestate(it_stops_when_cancelled, &from),
        cmocka_unit_test_prestate(what_is_not_finite_makes_nan, &from),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
