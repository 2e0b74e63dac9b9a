/* Inner loops of sums in double.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_POOL_SUMS_KERNELS_H
#define LAYER_POOL_SUMS_KERNELS_H

#include "core/kernels.h"
#include "layer/window.h"

#include <stddef.h>

typedef enum { LAYER_TERM_CELL, LAYER_TERM_MAGNITUDE, LAYER_TERM_SQUARE } layer_pool_term;

typedef struct {
    /* columns[i] += the term of line[i] */
    void (*add_line)(layer_pool_term term, double *columns, const float *line, int count);

    /* sums[q] = the columns of window q added up */
    void (*add_columns)(const double *columns, double *sums, const layer_window *width);

    /* The sum of the cells' terms. */
    double (*add_cells)(layer_pool_term term, const float *cells, size_t count);

    /* Of every stride-th cell: gradient += share times x, or times the sign of x if the term is the
     * magnitude. */
    void (*spread)(layer_pool_term term, float *gradient, const float *x, const double *shares,
                   int count, int stride);
} layer_sum_kernels;
LAYER_DECLARE_KERNELS(layer_sum_kernels)

#endif
