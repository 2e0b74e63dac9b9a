/* The largest cell of each window, and where it was.
 * SPDX-License-Identifier: MIT */
#include "pool/fold.h"
#include "pool/indices.h"
#include "pool/pool_kind.h"

/* What a thread needs for a row: either the lines' largest, or the largest so far and its cell. */
static size_t scratch_size(const layer_pool *pool)
{
    const size_t outputs = (size_t)pool->window[LAYER_POOL_WIDTH].output;
    const size_t folded = layer_pool_reach(pool) * sizeof(float);
    const size_t found = outputs * (sizeof(float) + sizeof(int32_t));
    return folded > found ? folded : found;
}

/* ---- Where it is ----------------------------------------------------------------------------- */

/* Holds `count` outputs' cells, `stride` apart, to the largest so far. What is NaN stays. */
FOLD_INLINE void find_in_cells(const float *x, int32_t cell, float *restrict largest,
                               int32_t *restrict where, int count, const ptrdiff_t stride)
{
    for (int q = 0; q < count; q++) {
        const float found = x[q * stride], known = largest[q];
        const int better = (found > known) | ((found != found) & (known == known)) | (where[q] < 0);
        largest[q] = better ? found : known;
        where[q] = better ? cell + (int32_t)(q * stride) : where[q];
    }
}

static void find_in_taps(const layer_pool_row *row, float *largest, int32_t *where)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    for (int q = 0; q < width->output; q++) {
        largest[q] = -INFINITY;
        where[q] = -1;
    }
    for (layer_pool_taps taps = layer_pool_taps_of(row); layer_pool_next_tap(&taps);) {
        const int begin = taps.outputs.begin, count = taps.outputs.end - begin;
        const float *const x = row->input + taps.cell;
        const int32_t cell = (int32_t)taps.cell;
        if (width->stride == 1)
            find_in_cells(x, cell, largest + begin, where + begin, count, 1);
        else if (width->stride == 2)
            find_in_cells(x, cell, largest + begin, where + begin, count, 2);
        else
            find_in_cells(x, cell, largest + begin, where + begin, count, width->stride);
    }
}

/* The largest of cells side by side; -infinity of none. `nan` tells whether one is NaN. */
static float largest_of(const float *cells, size_t count, bool *nan)
{
    enum { LANES = 16 };
    float largest[LANES];
    int unordered = 0;
    size_t i = 0;
    for (int lane = 0; lane < LANES; lane++)
        largest[lane] = -INFINITY;
    for (; i + LANES <= count; i += LANES)
        for (int lane = 0; lane < LANES; lane++) {
            unordered |= cells[i + (size_t)lane] != cells[i + (size_t)lane];
            largest[lane] = fold(FOLD_LARGEST, largest[lane], cells[i + (size_t)lane]);
        }
    for (; i < count; i++) {
        unordered |= cells[i] != cells[i];
        largest[0] = fold(FOLD_LARGEST, largest[0], cells[i]);
    }
    for (int lane = 1; lane < LANES; lane++)
        largest[0] = fold(FOLD_LARGEST, largest[0], largest[lane]);
    *nan = unordered != 0;
    return largest[0];
}

static void find_in_plane(const float *cells, size_t count, float *largest, int32_t *where)
{
    bool nan;
    size_t i = 0;
    *largest = largest_of(cells, count, &nan);
    while (nan ? cells[i] == cells[i] : cells[i] != *largest)
        i++;
    *largest = cells[i];
    *where = (int32_t)i;
}

static void find(const layer_pool_row *row, float *largest, int32_t *where)
{
    if (layer_pool_is_whole(row->pool))
        find_in_plane(row->input, layer_pool_input_plane(row->pool), largest, where);
    else
        find_in_taps(row, largest, where);
}

/* ---- Forward --------------------------------------------------------------------------------- */

static void forward_row(const layer_pool_row *row, float *output, float *indices, void *scratch)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    if (indices == NULL && !fold_lines(FOLD_LARGEST, row, scratch)) {
        fold_columns(FOLD_LARGEST, scratch, output, width);
        return;
    }
    int32_t *const where = scratch;
    find(row, output, where);
    if (indices != NULL)
        layer_pool_write_indices(row->pool, row->plane, where, indices, width->output);
}

static void forward_whole(const layer_pool *pool, const float *planes, size_t cells, float *output,
                          size_t count)
{
    (void)pool;
    for (size_t plane = 0; plane < count; plane++) {
        bool nan;
        const float largest = largest_of(planes + plane * cells, cells, &nan);
        output[plane] = nan ? NAN : largest;
    }
}

/* ---- Backward -------------------------------------------------------------------------------- */

static void backward_row(const layer_pool_row *row, const float *grad_output, const float *indices,
                         float *grad_input, void *scratch)
{
    const int outputs = row->pool->window[LAYER_POOL_WIDTH].output;
    int32_t *const where = scratch;
    if (indices == NULL)
        find(row, (float *)(where + outputs), where);
    else
        for (int q = 0; q < outputs; q++)
            where[q] = layer_pool_cell_of(row->pool, row->plane, indices[q]);
    for (int q = 0; q < outputs; q++)
        if (where[q] >= 0)
            grad_input[where[q]] += grad_output[q];
}

const layer_pool_implementation layer_pool_implementation_MAX = {
    scratch_size,
    forward_row,
    forward_whole,
    backward_row,
};
