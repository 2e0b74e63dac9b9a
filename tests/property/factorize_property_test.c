/* Properties of factorized kernels, each by itself and sharing: their singular values are the
 * definition's, the products add up to the kernels within the error that is told, which is what the
 * values left out say, the rank is the smallest, the scheme the cheaper, any number of threads.
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
    size_t count; /* elements of the weight */
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
    memset(drawn->column, 0xFF, drawn->bank.columns * sizeof(float));
    memset(drawn->row, 0xFF, drawn->bank.rows * sizeof(float));
    memset(drawn->value, 0xFF, drawn->bank.values * sizeof(float));
    const layer_status status = layer_factorize_run(&drawn->bank, drawn->weight, drawn->column,
                                                    drawn->row, drawn->value, &drawn->result, &run);
    free(workspace);
    return status;
}

/* Sums of products, each kernel's own or of what all share. */
static void make_low(sampling *from, const layer_shape *shape, bool shared, float *weight)
{
    const int *const extent = shape->extent;
    const int rank = sampling_between(from, 1, 2), cells = extent[2] * extent[3];
    float *const column = floats_drawn(from, floats_count(shape) * 2);
    float *const row = floats_drawn(from, floats_count(shape) * 2);
    for (int i = 0; i < extent[0] * extent[1] * cells; i++) {
        const int k = i / cells / extent[1], c = i / cells % extent[1];
        const int r = i % cells / extent[3], s = i % extent[3];
        weight[i] = 0;
        for (int m = 0; m < rank; m++)
            weight[i] += column[shared ? (m * extent[1] + c) * extent[2] + r
                                       : (i / cells * rank + m) * extent[2] + r] *
                         row[shared ? (k * rank + m) * extent[3] + s
                                    : (i / cells * rank + m) * extent[3] + s];
    }
    free(row);
    free(column);
}

static layer_factorize_options draw_options(sampling *from, const layer_shape *weight)
{
    const int *const extent = weight->extent;
    const layer_factorize_scheme scheme = (layer_factorize_scheme)sampling_between(from, 0, 2);
    const bool shared = scheme == LAYER_FACTORIZE_SHARED;
    const int rows = shared ? extent[1] * extent[2] : extent[2];
    const int columns = shared ? extent[0] * extent[3] : extent[3];
    const int most = rows < columns ? rows : columns;
    return (layer_factorize_options){
        .scheme = scheme,
        .rank = sampling_between(from, 0, 1) == 0 ? 0 : sampling_between(from, 1, most),
        .tolerance = sampling_between(from, 0, 5) * 0.1};
}

static sample draw(sampling *from)
{
    sample drawn;
    layer_error error;
    const layer_shape weight = {4,
                                {sampling_between(from, 1, 5), sampling_between(from, 1, 4),
                                 sampling_between(from, 1, 9), sampling_between(from, 1, 9)}};
    const layer_factorize_options options = draw_options(from, &weight);
    assert_int_equal(layer_factorize_describe(&drawn.bank, &weight, &options, &error), LAYER_OK);
    drawn.count = floats_count(&weight);
    drawn.weight = floats_drawn(from, drawn.count);
    const int low = sampling_between(from, 0, 2);
    if (low > 0)
        make_low(from, &weight, low == 1, drawn.weight);
    drawn.column = floats_new(drawn.bank.columns);
    drawn.row = floats_new(drawn.bank.rows);
    drawn.value = floats_new(drawn.bank.values);
    return drawn;
}

static void release(const sample *drawn)
{
    free(drawn->weight);
    free(drawn->column);
    free(drawn->row);
    free(drawn->value);
}

/* ---- Products -------------------------------------------------------------------------------- */

/* The weight's element i by the factors, as layer/factorize.h says. */
static double rebuilt(const sample *drawn, int i)
{
    const layer_factorize *const bank = &drawn->bank;
    const bool shared = drawn->result.scheme == LAYER_FACTORIZE_SHARED;
    const int rank = drawn->result.rank, cells = bank->height * bank->width, kernel = i / cells;
    const int k = kernel / bank->channels, c = kernel % bank->channels;
    const int r = i % cells / bank->width, s = i % bank->width;
    double sum = 0;
    for (int m = 0; m < rank; m++) {
        const int column = shared ? m * bank->channels + c : kernel * rank + m;
        const int row = shared ? k * rank + m : kernel * rank + m;
        sum += (double)drawn->column[column * bank->height + r] *
               (double)drawn->row[row * bank->width + s];
    }
    return sum;
}

/* The Frobenius norm of what the products leave of a bank, relative to its own. */
static double measured_error(const sample *drawn)
{
    double all = 0, left_out = 0;
    for (int i = 0; i < (int)drawn->count; i++) {
        const double is = (double)drawn->weight[i], missing = is - rebuilt(drawn, i);
        all += is * is;
        left_out += missing * missing;
    }
    return sqrt(left_out / all);
}

static void products_add_up_within_the_error(void **state)
{
    sampling *const from = *state;
    for (int i = 0; i < BANKS; i++) {
        sample drawn = draw(from);
        assert_int_equal(run_with(&drawn, 1, NULL), LAYER_OK);
        assert_true(fabs(measured_error(&drawn) - drawn.result.error) <= BOUND);
        if (drawn.bank.rank == 0)
            assert_true(drawn.result.error <= drawn.bank.tolerance);
        else
            assert_int_equal(drawn.result.rank, drawn.bank.rank);
        release(&drawn);
    }
}

/* ---- Singular values ------------------------------------------------------------------------- */

/* Those of the matrices that a scheme makes of a bank, by their definition. */
typedef struct {
    int matrices, most;
    double *values; /* [matrices][most] */
} spectrum;

static spectrum each_spectrum(const sample *drawn)
{
    const layer_factorize *const bank = &drawn->bank;
    const int kernels = bank->outputs * bank->channels, cells = bank->height * bank->width;
    const spectrum of = {kernels, bank->each_most,
                         doubles_new((size_t)(kernels * bank->each_most))};
    for (int kernel = 0; kernel < kernels; kernel++)
        factorize_oracle(drawn->weight + kernel * cells, bank->height, bank->width,
                         of.values + kernel * of.most);
    return of;
}

static spectrum shared_spectrum(const sample *drawn)
{
    const layer_factorize *const bank = &drawn->bank;
    const int rows = bank->channels * bank->height, columns = bank->outputs * bank->width;
    const spectrum of = {1, bank->shared_most, doubles_new((size_t)bank->shared_most)};
    float *const matrix = floats_new(drawn->count);
    for (int i = 0; i < rows * columns; i++) {
        const int row = i / columns, k = i % columns / bank->width, s = i % bank->width;
        matrix[i] = drawn->weight[(k * rows + row) * bank->width + s];
    }
    factorize_oracle(matrix, rows, columns, of.values);
    free(matrix);
    return of;
}

/* What the singular values of rank and above leave out, relative to all. */
static double error_by_definition(const spectrum *of, int rank)
{
    double all = 0, left_out = 0;
    for (int i = 0; i < of->matrices * of->most; i++) {
        all += of->values[i] * of->values[i];
        left_out += i % of->most >= rank ? of->values[i] * of->values[i] : 0;
    }
    return sqrt(left_out / all);
}

static int smallest_rank(const spectrum *of, double tolerance)
{
    int rank = 1;
    while (rank < of->most && error_by_definition(of, rank) > tolerance)
        rank++;
    return rank;
}

static void check_spectrum(const sample *drawn, const spectrum *of)
{
    const int rank = drawn->result.rank;
    const double largest = doubles_largest(of->values, (size_t)(of->matrices * of->most));
    for (int i = 0; i < of->matrices * of->most; i++)
        assert_true(fabs((double)drawn->value[i] - of->values[i]) <= BOUND * largest);
    assert_true(fabs(drawn->result.error - error_by_definition(of, rank)) <= BOUND);
    if (drawn->bank.rank == 0) {
        assert_true(rank >= smallest_rank(of, drawn->bank.tolerance + BOUND));
        assert_true(rank <= smallest_rank(of, drawn->bank.tolerance - BOUND));
    }
}

static void values_and_rank_are_the_definitions(void **state)
{
    sampling *const from = *state;
    for (int i = 0; i < BANKS; i++) {
        sample drawn = draw(from);
        const spectrum each = each_spectrum(&drawn), shared = shared_spectrum(&drawn);
        assert_int_equal(run_with(&drawn, 1, NULL), LAYER_OK);
        check_spectrum(&drawn, drawn.result.scheme == LAYER_FACTORIZE_SHARED ? &shared : &each);
        const double one = error_by_definition(&each, 1);
        if (fabs(one - drawn.bank.tolerance) > BOUND)
            assert_int_equal(drawn.result.separable, one <= drawn.bank.tolerance);
        free(each.values);
        free(shared.values);
        release(&drawn);
    }
}

/* ---- Schemes --------------------------------------------------------------------------------- */

static uint64_t cost_of_each(const layer_factorize *bank, int rank)
{
    return (uint64_t)(bank->outputs * bank->channels * rank * (bank->height + bank->width));
}

static uint64_t cost_of_shared(const layer_factorize *bank, int rank)
{
    return (uint64_t)(rank * (bank->channels * bank->height + bank->outputs * bank->width));
}

/* Ranks within rounding of the tolerance may be either. */
static void check_scheme(const sample *drawn)
{
    const layer_factorize *const bank = &drawn->bank;
    const spectrum each = each_spectrum(drawn), shared = shared_spectrum(drawn);
    const double below = bank->tolerance - BOUND;
    const uint64_t most_each = cost_of_each(bank, smallest_rank(&each, below));
    const uint64_t most_shared = cost_of_shared(bank, smallest_rank(&shared, below));
    const uint64_t is = drawn->result.multiplications;
    if (drawn->result.scheme == LAYER_FACTORIZE_SHARED) {
        assert_int_equal(is, cost_of_shared(bank, drawn->result.rank));
        assert_true(is < most_each || bank->scheme == LAYER_FACTORIZE_SHARED);
    } else {
        assert_int_equal(is, cost_of_each(bank, drawn->result.rank));
        assert_true(is <= most_shared || bank->scheme == LAYER_FACTORIZE_EACH);
    }
    free(each.values);
    free(shared.values);
}

static void the_scheme_is_the_cheaper(void **state)
{
    sampling *const from = *state;
    int taken[LAYER_FACTORIZE_SHARED + 1] = {0};
    for (int i = 0; i < BANKS; i++) {
        sample drawn = draw(from);
        assert_int_equal(run_with(&drawn, 1, NULL), LAYER_OK);
        check_scheme(&drawn);
        taken[drawn.result.scheme] += drawn.bank.scheme == LAYER_FACTORIZE_AUTO;
        if (drawn.bank.scheme != LAYER_FACTORIZE_AUTO)
            assert_int_equal(drawn.result.scheme, drawn.bank.scheme);
        release(&drawn);
    }
    assert_true(taken[LAYER_FACTORIZE_EACH] > 0 && taken[LAYER_FACTORIZE_SHARED] > 0);
}

/* ---- Threads --------------------------------------------------------------------------------- */

/* Elements that were told, of which the rest is room. */
static void count_told(const sample *drawn, size_t *columns, size_t *rows, size_t *values)
{
    const layer_factorize *const bank = &drawn->bank;
    const size_t kernels = (size_t)(bank->outputs * bank->channels);
    const size_t rank = (size_t)drawn->result.rank;
    const bool shared = drawn->result.scheme == LAYER_FACTORIZE_SHARED;
    *columns = rank * (size_t)bank->height * (shared ? (size_t)bank->channels : kernels);
    *rows = rank * (size_t)bank->width * (shared ? (size_t)bank->outputs : kernels);
    *values = shared ? (size_t)bank->shared_most : kernels * (size_t)bank->each_most;
}

static void threads_do_not_matter(void **state)
{
    sampling *const from = *state;
    for (int i = 0; i < BANKS / 4; i++) {
        sample drawn = draw(from), again = drawn;
        size_t columns, rows, values;
        again.column = floats_new(drawn.bank.columns);
        again.row = floats_new(drawn.bank.rows);
        again.value = floats_new(drawn.bank.values);
        assert_int_equal(run_with(&drawn, 1, NULL), LAYER_OK);
        assert_int_equal(run_with(&again, sampling_between(from, 2, MOST_THREADS), NULL), LAYER_OK);
        count_told(&drawn, &columns, &rows, &values);
        assert_int_equal(again.result.scheme, drawn.result.scheme);
        assert_int_equal(again.result.rank, drawn.result.rank);
        assert_memory_equal(again.column, drawn.column, columns * sizeof(float));
        assert_memory_equal(again.row, drawn.row, rows * sizeof(float));
        assert_memory_equal(again.value, drawn.value, values * sizeof(float));
        free(again.column);
        free(again.row);
        free(again.value);
        release(&drawn);
    }
}

/* ---- Ends ------------------------------------------------------------------------------------ */

static void it_stops_when_cancelled(void **state)
{
    sample drawn = draw(*state);
    const int cancelled = 1;
    assert_int_equal(run_with(&drawn, 1, &cancelled), LAYER_CANCELLED);
    release(&drawn);
}

static void what_is_not_finite_makes_nan(void **state)
{
    for (int i = 0; i < BANKS / 10; i++) {
        sample drawn = draw(*state);
        size_t columns, rows, values;
        drawn.weight[drawn.count - 1] = i % 2 == 0 ? NAN : INFINITY;
        assert_int_equal(run_with(&drawn, 1, NULL), LAYER_OK);
        count_told(&drawn, &columns, &rows, &values);
        assert_true(isnan(drawn.value[values - 1]) && isnan(drawn.result.error));
        assert_true(isnan(drawn.column[columns - 1]) && isnan(drawn.row[rows - 1]));
        assert_false(drawn.result.separable);
        release(&drawn);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(products_add_up_within_the_error, &from),
        cmocka_unit_test_prestate(values_and_rank_are_the_definitions, &from),
        cmocka_unit_test_prestate(the_scheme_is_the_cheaper, &from),
        cmocka_unit_test_prestate(threads_do_not_matter, &from),
        cmocka_unit_test_prestate(it_stops_when_cancelled, &from),
        cmocka_unit_test_prestate(what_is_not_finite_makes_nan, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
