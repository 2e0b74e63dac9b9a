/* Kernels that are a column times a row.
 * SPDX-License-Identifier: MIT */
#include "conv/rank_one.h"

#include <math.h>

/* A few roundings of 2^-24 each: the product's own, that of a common factor, and those of our
 * factors. */
static const double TOLERANCE = 0x1p-21;

static bool is_close(double product, double weight)
{
    return fabs(product - weight) <= TOLERANCE * fabs(weight);
}

/* What tells most kernels apart at once: the corner cells, of which two products must agree. */
static bool may_be_product(const float *kernel, int rows, int columns)
{
    const double first = (double)kernel[0] * (double)kernel[rows * columns - 1];
    const double second = (double)kernel[columns - 1] * (double)kernel[(rows - 1) * columns];
    return fabs(first - second) <= 8 * TOLERANCE * fabs(first);
}

static int largest_of(const float *weights, int count)
{
    int largest = 0;
    for (int i = 1; i < count; i++)
        if (fabsf(weights[i]) > fabsf(weights[largest]))
            largest = i;
    return largest;
}

bool layer_rank_one(const float *kernel, int rows, int columns, float *column, size_t step,
                    float *row)
{
    if (!may_be_product(kernel, rows, columns))
        return false;
    const int pivot = largest_of(kernel, rows * columns), in_row = pivot % columns;
    const float *const pivot_row = kernel + (pivot - in_row);
    if (!(fabsf(kernel[pivot]) > 0 && isfinite(kernel[pivot])))
        return false;
    for (int s = 0; s < columns; s++)
        row[s] = pivot_row[s] / kernel[pivot];
    for (int r = 0; r < rows; r++) {
        const float *const weights = kernel + (ptrdiff_t)r * columns;
        column[(size_t)r * step] = weights[in_row];
        for (int s = 0; s < columns; s++)
            if (!is_close((double)weights[in_row] * (double)row[s], (double)weights[s]))
                return false;
    }
    return true;
}
