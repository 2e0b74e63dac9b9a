/* Between indices, as the tensors have them, and cells of a plane.
 * SPDX-License-Identifier: MIT */
#include "pool/indices.h"
#include "core/refuse.h"
#include "pool/pool_kind.h"

#include <math.h>

/* A plane's cell in the other order: which of row-major and column-major it comes from depends on
 * the order in which the extents are given. */
static int32_t reordered(int32_t cell, int32_t outer, int32_t middle, int32_t inner)
{
    const int32_t x = cell % inner, y = cell / inner % middle, z = cell / inner / middle;
    return (x * middle + y) * outer + z;
}

static int32_t to_column_major(const layer_window window[], int32_t cell)
{
    return reordered(cell, window[LAYER_POOL_DEPTH].input, window[LAYER_POOL_HEIGHT].input,
                     window[LAYER_POOL_WIDTH].input);
}

static int32_t to_row_major(const layer_window window[], int32_t cell)
{
    return reordered(cell, window[LAYER_POOL_WIDTH].input, window[LAYER_POOL_HEIGHT].input,
                     window[LAYER_POOL_DEPTH].input);
}

int32_t layer_pool_first_index(const layer_pool *pool, size_t plane)
{
    return pool->index_base == LAYER_INDEX_BASE_TENSOR
               ? (int32_t)(plane * layer_pool_input_plane(pool))
               : 0;
}

void layer_pool_write_indices(const layer_pool *pool, size_t plane, const int32_t *cells,
                              float *indices, int count)
{
    const int32_t first = layer_pool_first_index(pool, plane);
    for (int i = 0; i < count; i++) {
        const int32_t cell = pool->column_major && cells[i] >= 0
                                 ? to_column_major(pool->window, cells[i])
                                 : cells[i];
        indices[i] = cell < 0 ? -1 : (float)(first + cell);
    }
}

int32_t layer_pool_cell_of(const layer_pool *pool, size_t plane, float index)
{
    if (index < 0)
        return -1;
    const int32_t cell = (int32_t)index - layer_pool_first_index(pool, plane);
    return pool->column_major ? to_row_major(pool->window, cell) : cell;
}

layer_status layer_pool_check_indices(const layer_pool *pool, const float *indices,
                                      layer_error *error)
{
    const size_t planes = (size_t)pool->input.extent[0] * (size_t)pool->input.extent[1];
    const size_t cells = layer_pool_input_plane(pool);
    size_t outputs = 1, i = 0;
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        outputs *= (size_t)pool->window[axis].output;
    for (size_t plane = 0; plane < planes; plane++) {
        const double first = (double)layer_pool_first_index(pool, plane);
        const double last = first + (double)cells - 1;
        for (size_t in_plane = 0; in_plane < outputs; in_plane++, i++) {
            const double index = (double)indices[i];
            if (index != -1 && !(index >= first && index <= last && index == floor(index)))
                return layer_refuse(error, LAYER_INVALID, "indices",
                                    "element %zu of indices is %.9g; its plane's cells are %.0f to "
                                    "%.0f",
                                    i, index, first, last);
        }
    }
    return LAYER_OK;
}
