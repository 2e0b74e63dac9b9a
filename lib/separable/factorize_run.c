/* Kernels as sums of products of a column and a row: every kernel by itself, or the bank as one.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/tasks.h"
#include "layer/factorize.h"
#include "separable/matrix_svd.h"

#include <math.h>
#include <string.h>

/* The singular values of some matrices of one size. */
typedef struct {
    float *values; /* [matrices][most] */
    size_t matrices;
    int most;
} spectrum;

typedef struct {
    const layer_factorize *factorize;
    const float *weight;
    float *column, *row;
    spectrum each, shared;
    layer_matrix_svd bank;
    char *kernels;      /* a layer_matrix_svd for each thread */
    size_t kernel_size; /* of one */
    bool tries_shared;
    bool failed; /* set atomically */
} factorization;

/* ---- The workspace --------------------------------------------------------------------------- */

static size_t spectrum_size(const spectrum *of)
{
    const size_t size = of->matrices * (size_t)of->most * sizeof(float);
    return layer_aligned(size);
}

/* Laid out at `workspace`; NULL: for the sizes alone. */
static factorization plan(const layer_factorize *factorize, char *workspace)
{
    const bool shared = factorize->scheme != LAYER_FACTORIZE_EACH;
    factorization made = {
        .factorize = factorize,
        .each = {NULL, (size_t)factorize->outputs * (size_t)factorize->channels,
                 factorize->each_most},
        .shared = {NULL, shared ? 1 : 0, factorize->shared_most},
        .tries_shared = shared,
        .kernel_size = layer_matrix_svd_at(factorize->height, factorize->width, NULL).size,
    };
    size_t at = 0;
    if (workspace != NULL) {
        made.each.values = (float *)(void *)workspace;
        made.shared.values = (float *)(void *)(workspace + spectrum_size(&made.each));
        at = spectrum_size(&made.each) + spectrum_size(&made.shared);
    }
    if (shared)
        made.bank = layer_matrix_svd_at(factorize->channels * factorize->height,
                                        factorize->outputs * factorize->width,
                                        workspace == NULL ? NULL : workspace + at);
    if (workspace != NULL)
        made.kernels = workspace + at + made.bank.size;
    return made;
}

size_t layer_factorize_workspace_size(const layer_factorize *factorize, int threads)
{
    const factorization made = plan(factorize, NULL);
    return spectrum_size(&made.each) + spectrum_size(&made.shared) + made.bank.size +
           (size_t)threads * made.kernel_size;
}

/* ---- One kernel ------------------------------------------------------------------------------ */

static void narrow(const layer_matrix_svd *svd, float *values)
{
    for (int i = 0; i < svd->most; i++)
        values[i] = (float)svd->values[i];
}

/* column [most][R], row [most][S] */
static void store_kernel(const layer_matrix_svd *svd, float *column, float *row)
{
    for (int i = 0; i < svd->most; i++) {
        const double scale = layer_matrix_svd_scale(svd, i);
        for (size_t r = 0; r < (size_t)svd->rows; r++)
            *column++ = (float)(scale * svd->left[r * (size_t)svd->most + (size_t)i]);
        for (size_t s = 0; s < (size_t)svd->columns; s++)
            *row++ = (float)(scale * svd->right[(size_t)i * (size_t)svd->columns + s]);
    }
}

static layer_status decompose_kernel(const factorization *all, size_t kernel, int thread)
{
    const layer_factorize *const factorize = all->factorize;
    const size_t height = (size_t)factorize->height, width = (size_t)factorize->width;
    const size_t most = (size_t)factorize->each_most;
    const layer_matrix_svd svd = layer_matrix_svd_at(
        factorize->height, factorize->width, all->kernels + (size_t)thread * all->kernel_size);
    for (size_t i = 0; i < height * width; i++)
        svd.matrix[i] = (double)all->weight[kernel * height * width + i];
    if (layer_matrix_svd_run(&svd) != LAYER_OK)
        return LAYER_FAILED;
    narrow(&svd, all->each.values + kernel * most);
    if (factorize->scheme != LAYER_FACTORIZE_SHARED)
        store_kernel(&svd, all->column + kernel * most * height, all->row + kernel * most * width);
    return LAYER_OK;
}

/* ---- The bank as one matrix ------------------------------------------------------------------ */

/* matrix[c, r][k, s] = weight[k][c][r][s] */
static layer_status decompose_bank(const factorization *all)
{
    const layer_matrix_svd *const svd = &all->bank;
    const size_t outputs = (size_t)all->factorize->outputs, width = (size_t)all->factorize->width;
    const size_t rows = (size_t)svd->rows; /* [C][R] */
    for (size_t k = 0; k < outputs; k++)
        for (size_t row = 0; row < rows; row++)
            for (size_t s = 0; s < width; s++)
                svd->matrix[(row * outputs + k) * width + s] =
                    (double)all->weight[(k * rows + row) * width + s];
    if (layer_matrix_svd_run(svd) != LAYER_OK)
        return LAYER_FAILED;
    narrow(svd, all->shared.values);
    return LAYER_OK;
}

/* column [rank][C][R], row [K][rank][S] */
static void store_bank(const factorization *all, int rank)
{
    const layer_matrix_svd *const svd = &all->bank;
    const size_t outputs = (size_t)all->factorize->outputs, width = (size_t)all->factorize->width;
    const size_t rows = (size_t)svd->rows, kept = (size_t)rank;
    for (size_t m = 0; m < kept; m++) {
        const double scale = layer_matrix_svd_scale(svd, (int)m);
        for (size_t row = 0; row < rows; row++)
            all->column[m * rows + row] = (float)(scale * svd->left[row * (size_t)svd->most + m]);
        for (size_t k = 0; k < outputs; k++)
            for (size_t s = 0; s < width; s++)
                all->row[(k * kept + m) * width + s] =
                    (float)(scale * svd->right[(m * outputs + k) * width + s]);
    }
}

/* The bank first: it takes longest. */
static void decompose(void *argument, size_t task, int thread)
{
    factorization *const all = argument;
    const layer_status status = all->tries_shared && task == 0
                                    ? decompose_bank(all)
                                    : decompose_kernel(all, task - all->tries_shared, thread);
    if (status != LAYER_OK)
        __atomic_store_n(&all->failed, true, __ATOMIC_RELAXED);
}

/* ---- Ranks and schemes ----------------------------------------------------------------------- */

/* What a rank leaves out, relative to all; smallest terms first. */
static double error_of(const spectrum *of, int rank)
{
    double left_out = 0, all = 0;
    for (int i = of->most - 1; i >= 0; i--) {
        for (size_t matrix = 0; matrix < of->matrices; matrix++) {
            const double value = (double)of->values[matrix * (size_t)of->most + (size_t)i];
            all += value * value;
        }
        if (i == rank)
            left_out = all;
    }
    return all == 0 ? 0 : sqrt(left_out / all);
}

static int choose_rank(const layer_factorize *factorize, const spectrum *of)
{
    int rank = factorize->rank != 0 ? factorize->rank : 1;
    while (factorize->rank == 0 && rank < of->most && !(error_of(of, rank) <= factorize->tolerance))
        rank++;
    return rank;
}

static layer_factorized by_each(const factorization *all)
{
    const layer_factorize *const factorize = all->factorize;
    const int rank = choose_rank(factorize, &all->each);
    return (layer_factorized){
        .scheme = LAYER_FACTORIZE_EACH,
        .rank = rank,
        .error = error_of(&all->each, rank),
        .multiplications = (uint64_t)all->each.matrices * (uint64_t)rank *
                           (uint64_t)(factorize->height + factorize->width),
    };
}

static layer_factorized by_shared(const factorization *all)
{
    const int rank = choose_rank(all->factorize, &all->shared);
    return (layer_factorized){
        .scheme = LAYER_FACTORIZE_SHARED,
        .rank = rank,
        .error = error_of(&all->shared, rank),
        .multiplications = (uint64_t)rank * (uint64_t)(all->bank.rows + all->bank.columns),
    };
}

static layer_factorized choose(const factorization *all)
{
    const layer_factorize_scheme scheme = all->factorize->scheme;
    if (scheme == LAYER_FACTORIZE_SHARED)
        return by_shared(all);
    const layer_factorized each = by_each(all);
    if (scheme == LAYER_FACTORIZE_EACH)
        return each;
    const layer_factorized shared = by_shared(all);
    return shared.multiplications < each.multiplications ? shared : each;
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* Closes the gaps that factors of less than the highest rank leave. */
static void close_up(float *factors, size_t kernels, int most, int rank, int extent)
{
    const size_t kept = (size_t)rank * (size_t)extent, had = (size_t)most * (size_t)extent;
    for (size_t kernel = 1; kernel < kernels && rank < most; kernel++)
        memmove(factors + kernel * kept, factors + kernel * had, kept * sizeof *factors);
}

static void tell(const factorization *all, const layer_factorized *result, float *values)
{
    const layer_factorize *const factorize = all->factorize;
    const bool shared = result->scheme == LAYER_FACTORIZE_SHARED;
    const spectrum *const of = shared ? &all->shared : &all->each;
    memcpy(values, of->values, of->matrices * (size_t)of->most * sizeof *values);
    if (shared) {
        store_bank(all, result->rank);
        return;
    }
    close_up(all->column, of->matrices, of->most, result->rank, factorize->height);
    close_up(all->row, of->matrices, of->most, result->rank, factorize->width);
}

layer_status layer_factorize_run(const layer_factorize *factorize, const float *weight,
                                 float *column, float *row, float *values, layer_factorized *result,
                                 const layer_run *run)
{
    factorization all = plan(factorize, run->workspace);
    all.weight = weight;
    all.column = column;
    all.row = row;
    const layer_status status =
        layer_run_tasks(run, all.each.matrices + all.tries_shared, decompose, &all);
    if (status != LAYER_OK || all.failed)
        return status != LAYER_OK ? status : LAYER_FAILED;
    *result = choose(&all);
    result->separable = error_of(&all.each, 1) <= factorize->tolerance;
    tell(&all, result, values);
    return LAYER_OK;
}
