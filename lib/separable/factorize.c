/* Describing kernels as sums of products of a column and a row.
 * SPDX-License-Identifier: MIT */
#include "layer/factorize.h"
#include "core/blocks.h"
#include "core/refuse.h"

enum { MOST_EXTENT = 4096 };

/* ---- Describing ------------------------------------------------------------------------------ */

static layer_status check_weight(const layer_shape *weight, layer_error *error)
{
    size_t count;
    const layer_status status = layer_shape_count(weight, "weight", &count, error);
    if (status != LAYER_OK)
        return status;
    if (weight->rank != 2 && weight->rank != 4)
        return layer_refuse(error, LAYER_INVALID, "weight",
                            "weight has rank %d, expected 2, [R, S], or 4, [K, C, R, S]",
                            weight->rank);
    const int height = weight->extent[weight->rank - 2], width = weight->extent[weight->rank - 1];
    if (height > MOST_EXTENT || width > MOST_EXTENT)
        return layer_refuse(error, LAYER_TOO_LARGE, "weight",
                            "weight spans %dx%d, expected at most %d along each axis", height,
                            width, MOST_EXTENT);
    return LAYER_OK;
}

static layer_status check_options(const layer_factorize_options *options, layer_error *error)
{
    if ((unsigned)options->scheme > LAYER_FACTORIZE_SHARED)
        return layer_refuse(error, LAYER_INVALID, "scheme", "scheme %d is none of the list",
                            (int)options->scheme);
    if (!(options->tolerance >= 0 && options->tolerance <= 1))
        return layer_refuse(error, LAYER_INVALID, "tolerance", "tolerance is %g, expected 0 to 1",
                            options->tolerance);
    return LAYER_OK;
}

static layer_status check_rank(const layer_factorize *factorize, layer_error *error)
{
    const bool shared = factorize->scheme == LAYER_FACTORIZE_SHARED;
    const int most = shared ? factorize->shared_most : factorize->each_most;
    if (factorize->rank >= 0 && factorize->rank <= most)
        return LAYER_OK;
    return layer_refuse(error, LAYER_INVALID, "rank",
                        "rank is %d, expected 1 to %d, %s shorter side", factorize->rank, most,
                        shared ? "the bank's" : "the kernel's");
}

static int smaller(int64_t a, int64_t b)
{
    return (int)(a < b ? a : b);
}

/* The sides of the bank as one matrix are products; whether both are within the limit. */
static bool is_bank_within(const layer_factorize *factorize, int limit)
{
    return (int64_t)factorize->channels * factorize->height <= limit &&
           (int64_t)factorize->outputs * factorize->width <= limit;
}

static layer_status choose_scheme(layer_factorize *factorize, layer_error *error)
{
    if (factorize->scheme == LAYER_FACTORIZE_SHARED && !is_bank_within(factorize, MOST_EXTENT))
        return layer_refuse(error, LAYER_TOO_LARGE, "weight",
                            "the bank is a matrix of %lldx%lld, expected at most %d along each "
                            "axis",
                            (long long)factorize->channels * factorize->height,
                            (long long)factorize->outputs * factorize->width, MOST_EXTENT);
    const bool single = factorize->outputs == 1 && factorize->channels == 1;
    if (factorize->scheme == LAYER_FACTORIZE_AUTO &&
        (single || factorize->rank != 0 || !is_bank_within(factorize, MOST_EXTENT) ||
         factorize->shared_most > LAYER_FACTORIZE_MOST_SHARED))
        factorize->scheme = LAYER_FACTORIZE_EACH;
    return LAYER_OK;
}

/* Elements that the factors and the values of a scheme have at the highest rank. */
static void make_room(layer_factorize *factorize, size_t values, size_t columns, size_t rows)
{
    factorize->values = layer_larger(factorize->values, values);
    factorize->columns = layer_larger(factorize->columns, columns);
    factorize->rows = layer_larger(factorize->rows, rows);
}

/* Singular values of m x n, n the smaller, take about 8 m n n multiplications. */
static void count(layer_factorize *factorize)
{
    const size_t outputs = (size_t)factorize->outputs, channels = (size_t)factorize->channels;
    const size_t height = (size_t)factorize->height, width = (size_t)factorize->width;
    const size_t each = outputs * channels * (size_t)factorize->each_most;
    const size_t shared = (size_t)factorize->shared_most;
    const uint64_t weights = (uint64_t)(outputs * channels * height * width);
    factorize->full_multiplications = weights;
    factorize->multiplications = 8 * weights * (uint64_t)factorize->each_most;
    if (factorize->scheme != LAYER_FACTORIZE_SHARED)
        make_room(factorize, each, each * height, each * width);
    if (factorize->scheme != LAYER_FACTORIZE_EACH) {
        make_room(factorize, shared, shared * channels * height, shared * outputs * width);
        factorize->multiplications += 8 * weights * shared;
    }
}

layer_status layer_factorize_describe(layer_factorize *factorize, const layer_shape *weight,
                                      const layer_factorize_options *options, layer_error *error)
{
    static const layer_factorize_options defaults = {0};
    options = options == NULL ? &defaults : options;
    layer_status status = check_weight(weight, error);
    if (status == LAYER_OK)
        status = check_options(options, error);
    if (status != LAYER_OK)
        return status;
    const int *const extent = weight->extent;
    const bool bank = weight->rank == 4;
    layer_factorize described = {
        .outputs = bank ? extent[0] : 1,
        .channels = bank ? extent[1] : 1,
        .height = extent[weight->rank - 2],
        .width = extent[weight->rank - 1],
        .scheme = options->scheme,
        .rank = options->rank,
        .tolerance = options->tolerance == 0 ? LAYER_FACTORIZE_TOLERANCE : options->tolerance,
    };
    described.each_most = smaller(described.height, described.width);
    described.shared_most = smaller((int64_t)described.channels * described.height,
                                    (int64_t)described.outputs * described.width);
    status = choose_scheme(&described, error);
    if (status == LAYER_OK)
        status = check_rank(&described, error);
    if (status != LAYER_OK)
        return status;
    count(&described);
    *factorize = described;
    return LAYER_OK;
}
