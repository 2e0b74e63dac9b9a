/* Filtering a tile by a kernel of rank one in two passes: its column over the lines of input, and
 * its row over what that makes, which stays in cache.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_FILTER_PASSES_H
#define LAYER_CONV_FILTER_PASSES_H

#include "conv/filter_plan.h"

/* What tiles need for it. */
typedef struct {
    ptrdiff_t *lines; /* where the rows of the first pass lie: a line's length apart */
    float *column, *row, *rows;
    float *column_met, *row_met; /* as input meets them */
    const float *kernel; /* the one looked at last, and whether column and row are its factors */
    bool is_product;
    bool is_final; /* outputs are neither added to nor read soon */

    /* To be said of each tile. */
    ptrdiff_t first_column; /* of a line, that the first pass begins with, and how many it makes */
    int columns;
    ptrdiff_t first_of_row; /* of those, that output column 0 meets with tap.column 0 */
} layer_filter_passes;

/* Whether two passes pay for kernels of this size. */
bool layer_filter_passes_pay(const layer_filter_plan *plan);

/* Bytes, a multiple of 64, and laying them out. */
size_t layer_filter_passes_size(const layer_filter_plan *plan);
layer_filter_passes layer_filter_passes_in(const layer_filter_plan *plan, void *memory);

/* Filters as `filter` says, if `kernel` is of rank one; `in_place`: the lines lie in a plane. */
bool layer_filter_in_passes(const layer_filter_plan *plan, layer_isa isa, bool in_place,
                            layer_filter_passes *passes, const float *kernel,
                            const layer_filter *filter);

#endif
