/* Between indices, as the tensors have them, and cells of a plane.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_POOL_INDICES_H
#define LAYER_POOL_INDICES_H

#include "layer/pool.h"

#include <stdint.h>

/* Writes the indices of cells in row-major order of plane number `plane`; -1 stays. */
void layer_pool_write_indices(const layer_pool *pool, size_t plane, const int32_t *cells,
                              float *indices, int count);

/* The index of the first cell of plane number `plane`. */
int32_t layer_pool_first_index(const layer_pool *pool, size_t plane);

/* The cell in row-major order of plane number `plane`, or -1. */
int32_t layer_pool_cell_of(const layer_pool *pool, size_t plane, float index);

#endif
