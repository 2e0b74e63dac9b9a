/* Kernels as sums of products of a column and a row.
 * SPDX-License-Identifier: MIT */
#include "layer/factorize.h"
#include "core/refuse.h"
#include "core/svd.h"
#include "core/tasks.h"

#include <math.h>
#include <string.h>

enum { ALIGNMENT = 64, MOST_EXTENT = 4096 };

/* ---- Describing ------------------------------------------------------------------------------ */

static layer_status check_options(const layer_factorize_options *options, int most,
                                  layer_error *error)
{
    if (options->rank < 0 || options->rank > most)
        return layer_refuse(error, LAYER_INVALID, "rank",
                            "rank is %d, expected 1 to %d, the kernel's shorter side",
                            options->rank, most);
    if (!(options->tolerance >= 0 && options->tolerance <= 1))
        return layer_refuse(error, LAYER_INVALID, "tolerance", "tolerance is %g, expected 0 to 1",
                            options->tolerance);
    return LAYER_OK;
}

layer_status layer_factorize_describe(layer_factorize *factorize, const layer_shape *weight,
                                      const layer_factorize_options *options, layer_error *error)
{
    static const layer_factorize_options defaults = {0};
    options = options == NULL ? &defaults : options;
    size_t count;
    const layer_status status = layer_shape_count(weight, "weight", &count, error);
    if (status != LAYER_OK)
        return status;
    if (weight->rank < 2)
        return layer_refuse(error, LAYER_INVALID, "weight",
                            "weight has rank %d, expected at least 2: the kernel's sides",
                            weight->rank);
    const int height = weight->extent[weight->rank - 2], width = weight->extent[weight->rank - 1];
    if (height > MOST_EXTENT || width > MOST_EXTENT)
        return layer_refuse(error, LAYER_TOO_LARGE, "weight",
                            "weight spans %dx%d, expected at most %d along each axis", height,
                            width, MOST_EXTENT);
    const int most = height < width ? height : width;
    if (check_options(options, most, error) != LAYER_OK)
        return LAYER_INVALID;
    *factorize = (layer_factorize){
        .kernels = (int)(count / ((size_t)height * (size_t)width)),
        .height = height,
        .width = width,
        .most = most,
        .rank = options->rank,
        .tolerance = options->tolerance == 0 ? LAYER_FACTORIZE_TOLERANCE : options->tolerance,
        .multiplications = 8 * (uint64_t)count * (uint64_t)most,
    };
    return LAYER_OK;
}

/* ---- One kernel ------------------------------------------------------------------------------ */

/* A thread's doubles: the kernel, its singular values and vectors, LAPACK's scratch. */
typedef struct {
    double *matrix, *values, *left, *right, *scratch;
    size_t size; /* of all that, in bytes */
} room;

static room room_at(const layer_factorize *factorize, void *memory)
{
    const size_t height = (size_t)factorize->height, width = (size_t)factorize->width;
    const size_t most = (size_t)factorize->most;
    const size_t doubles = height * width + most * (1 + height + width) +
                           layer_svd_scratch_count(factorize->height, factorize->width);
    const size_t size = (doubles * sizeof(double) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    room at = {.size = size};
    if (memory != NULL) {
        at.matrix = memory;
        at.values = at.matrix + height * width;
        at.left = at.values + most;
        at.right = at.left + height * most;
        at.scratch = at.right + most * width;
    }
    return at;
}

typedef struct {
    const layer_factorize *factorize;
    const float *weight;
    float *column, *row, *values;
    char *rooms;
    bool failed; /* set atomically */
} factorization;

size_t layer_factorize_workspace_size(const layer_factorize *factorize, int threads)
{
    return (size_t)threads * room_at(factorize, NULL).size;
}

static void fill_with_nan(float *elements, size_t count)
{
    for (size_t i = 0; i < count; i++)
        elements[i] = NAN;
}

/* Whether all are finite, copied to doubles. */
static bool widen(const float *from, double *to, size_t count)
{
    bool finite = true;
    for (size_t i = 0; i < count; i++) {
        to[i] = (double)from[i];
        finite = finite && isfinite(from[i]);
    }
    return finite;
}

static double sign_of_largest(const room *at, int most, int height, int i)
{
    double largest = 0;
    for (int r = 0; r < height; r++) {
        const double element = at->left[(size_t)r * (size_t)most + (size_t)i];
        if (fabs(element) > fabs(largest))
            largest = element;
    }
    return largest < 0 ? -1 : 1;
}

static void store(const layer_factorize *factorize, const room *at, float *column, float *row,
                  float *values)
{
    const int height = factorize->height, width = factorize->width, most = factorize->most;
    for (int i = 0; i < most; i++) {
        const double scale = sqrt(at->values[i]);
        const double sign = sign_of_largest(at, most, height, i);
        values[i] = (float)at->values[i];
        for (int r = 0; r < height; r++)
            *column++ = (float)(sign * scale * at->left[(size_t)r * (size_t)most + (size_t)i]);
        for (int s = 0; s < width; s++)
            *row++ = (float)(sign * scale * at->right[(size_t)i * (size_t)width + (size_t)s]);
    }
}

static void factorize_one(void *argument, size_t kernel, int thread)
{
    factorization *const all = argument;
    const layer_factorize *const factorize = all->factorize;
    const size_t height = (size_t)factorize->height, width = (size_t)factorize->width;
    const size_t most = (size_t)factorize->most;
    const size_t room_size = room_at(factorize, NULL).size;
    const room at = room_at(factorize, all->rooms + (size_t)thread * room_size);
    float *const column = all->column + kernel * most * height;
    float *const row = all->row + kernel * most * width;
    float *const values = all->values + kernel * most;
    if (!widen(all->weight + kernel * height * width, at.matrix, height * width)) {
        fill_with_nan(column, most * height);
        fill_with_nan(row, most * width);
        fill_with_nan(values, most);
    } else if (layer_svd(factorize->height, factorize->width, at.matrix, at.values, at.left,
                         at.right, at.scratch) == LAYER_OK) {
        store(factorize, &at, column, row, values);
    } else {
        __atomic_store_n(&all->failed, true, __ATOMIC_RELAXED);
    }
}

/* ---- All of them ----------------------------------------------------------------------------- */

/* What a rank leaves out, relative to all; smallest terms first. */
static double error_of(const layer_factorize *factorize, const float *values, int rank)
{
    double left_out = 0, all = 0;
    for (int i = factorize->most - 1; i >= 0; i--) {
        for (int kernel = 0; kernel < factorize->kernels; kernel++) {
            const double value =
                (double)values[(size_t)kernel * (size_t)factorize->most + (size_t)i];
            all += value * value;
        }
        if (i == rank)
            left_out = all;
    }
    return all == 0 ? 0 : sqrt(left_out / all);
}

static int choose_rank(const layer_factorize *factorize, const float *values)
{
    int rank = 1;
    while (rank < factorize->most && !(error_of(factorize, values, rank) <= factorize->tolerance))
        rank++;
    return rank;
}

/* Closes the gaps that factors of less than the highest rank leave. */
static void close_up(float *factors, int kernels, int most, int rank, int extent)
{
    const size_t kept = (size_t)rank * (size_t)extent, had = (size_t)most * (size_t)extent;
    for (size_t kernel = 1; kernel < (size_t)kernels && rank < most; kernel++)
        memmove(factors + kernel * kept, factors + kernel * had, kept * sizeof *factors);
}

layer_status layer_factorize_run(const layer_factorize *factorize, const float *weight,
                                 float *column, float *row, float *values, layer_factorized *result,
                                 const layer_run *run)
{
    factorization all = {factorize, weight, column, row, values, run->workspace, false};
    const layer_status status =
        layer_run_tasks(run, (size_t)factorize->kernels, factorize_one, &all);
    if (status != LAYER_OK || all.failed)
        return status != LAYER_OK ? status : LAYER_FAILED;
    const int rank = factorize->rank != 0 ? factorize->rank : choose_rank(factorize, values);
    close_up(column, factorize->kernels, factorize->most, rank, factorize->height);
    close_up(row, factorize->kernels, factorize->most, rank, factorize->width);
    *result = (layer_factorized){
        .rank = rank,
        .error = error_of(factorize, values, rank),
        .separable = error_of(factorize, values, 1) <= factorize->tolerance,
    };
    return LAYER_OK;
}
