/* Products of matrices, cut into tiles for several threads.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_PRODUCT_H
#define LAYER_CORE_PRODUCT_H

#include "layer/executor.h"
#include "layer/status.h"

#include <stdbool.h>

/* A factor: rows x columns in memory, or transposed. `leading` elements lie between the rows that
 * memory has. */
typedef struct {
    const float *elements;
    size_t leading;
    bool is_transposed;
} layer_factor;

/* result = left right + bias, the bias being the same in every row.
 *   left   rows x depth; transposed only where right is not
 *   right  depth x columns
 *   bias   [columns] or NULL
 *   result [rows][columns], overwritten */
typedef struct {
    size_t rows, columns, depth;
    layer_factor left, right;
    const float *bias;
    float *result;
} layer_product;

/* Returns LAYER_OK or LAYER_CANCELLED. */
layer_status layer_multiply(const layer_product *product, const layer_run *run);

#endif
