/* Products of little depth, row by row.
 * SPDX-License-Identifier: MIT */
#include "core/kernels/vectors.h"
#include "core/shallow.h"

/* Up to LANES columns of a row. Inlined with `depth` as a constant. */
__attribute__((always_inline)) static inline void
multiply_columns(const layer_shallow *product, const lanes *factors, const int depth, size_t column,
                 const bool is_whole, lanes_range range, float *result)
{
    const float *const right = product->right + column;
    lanes sum = {0};
    if (product->start != NULL)
        sum = is_whole ? lanes_load(product->start + column)
                       : lanes_load_range(product->start + column, range);
    for (int k = 0; k < depth; k++) {
        const float *const row = right + (size_t)k * product->right_leading;
        sum += factors[k] * (is_whole ? lanes_load(row) : lanes_load_range(row, range));
    }
    if (is_whole)
        lanes_store(result + column, sum);
    else
        lanes_store_some(result + column, sum, (int)(product->columns - column));
}

__attribute__((always_inline)) static inline void multiply_rows(const layer_shallow *product,
                                                                const int depth)
{
    const size_t whole = product->columns / LANES * LANES;
    const lanes_range rest = lanes_between(0, (int)(product->columns - whole));
    for (size_t i = 0; i < product->rows; i++) {
        float *const result = product->result + i * product->result_leading;
        lanes factors[LAYER_SHALLOW_DEPTH];
        for (int k = 0; k < depth; k++)
            factors[k] =
                lanes_all(product->left[i * product->row_step + (size_t)k * product->depth_step]);
        for (size_t j = 0; j < whole; j += LANES)
            multiply_columns(product, factors, depth, j, true, rest, result);
        if (whole < product->columns)
            multiply_columns(product, factors, depth, whole, false, rest, result);
    }
}

static void multiply(const layer_shallow *product)
{
    switch (product->depth) {
    case 1:
        multiply_rows(product, 1);
        break;
    case 2:
        multiply_rows(product, 2);
        break;
    case 3:
        multiply_rows(product, 3);
        break;
    default:
        multiply_rows(product, LAYER_SHALLOW_DEPTH);
    }
}

const layer_shallow_kernels LAYER_KERNELS(layer_shallow_kernels) = {multiply};
