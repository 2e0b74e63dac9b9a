/* Sums over windows, in double.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_POOL_SUMS_H
#define LAYER_POOL_SUMS_H

#include "pool/pool_kind.h"

typedef enum { LAYER_TERM_CELL, LAYER_TERM_MAGNITUDE, LAYER_TERM_SQUARE } layer_pool_term;

/* The sums of a row's windows; they lie in `scratch`, layer_pool_sums_size() bytes of it. */
double *layer_pool_sums(const layer_pool_row *row, layer_pool_term term, void *scratch);
size_t layer_pool_sums_size(const layer_pool *pool);

/* The sum of cells' magnitudes or squares, side by side. */
double layer_pool_sum_cells(const float *cells, size_t count, layer_pool_term term);

#endif
