/* The largest cell of each window, and where it was.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "pool/indices.h"
#include "pool/pool_kind.h"
#include "pool/scatter.h"

#include <math.h>

/* What a thread needs for a row: either the lines' largest, or the largest so far and its cell. */
static size_t scratch_size(const layer_pool *pool)
{
    const size_t outputs = (size_t)pool->window[LAYER_POOL_WIDTH].output;
    return layer_larger(layer_pool_folded_count(pool) * sizeof(float),
                        outputs * (sizeof(float) + sizeof(int32_t)));
}

/* ---- Where it is ----------------------------------------------------------------------------- */

static void find_in_taps(const layer_pool_row *row, float *largest, int32_t *where)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    for (int q = 0; q < width->output; q++) {
        largest[q] = -INFINITY;
        where[q] = -1;
    }
    for (layer_pool_taps taps = layer_pool_taps_of(row); layer_pool_next_tap(&taps);) {
        const int begin = taps.outputs.begin, count = taps.outputs.end - begin;
        row->plan->kernels->find(row->input + taps.cell, (int32_t)taps.cell, width->stride,
                                 largest + begin, where + begin, count);
    }
}

static void find_in_plane(const layer_pool_row *row, float *largest, int32_t *where)
{
    size_t i = 0;
    layer_plane_fold_kernels_at(row->plan->run->isa)
        ->largest(row->input, row->plan->input_plane, largest, 1);
    while (isnan(*largest) ? !isnan(row->input[i]) : row->input[i] != *largest)
        i++;
    *largest = row->input[i];
    *where = (int32_t)i;
}

static void find(const layer_pool_row *row, float *largest, int32_t *where)
{
    if (layer_pool_is_whole(row->pool))
        find_in_plane(row, largest, where);
    else
        find_in_taps(row, largest, where);
}

/* ---- Forward --------------------------------------------------------------------------------- */

static void forward_row(const layer_pool_row *row, float *output, float *indices, void *scratch)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    if (indices == NULL && !layer_pool_fold(row, LAYER_FOLD_LARGEST, 1, output, scratch))
        return;
    int32_t *const where = scratch;
    find(row, output, where);
    if (indices != NULL)
        layer_pool_write_indices(row->pool, row->plane, where, indices, width->output);
}

static void forward_whole(const layer_pool_plan *plan, const float *planes, size_t cells,
                          float *output, size_t count)
{
    layer_plane_fold_kernels_at(plan->run->isa)->largest(planes, cells, output, count);
}

/* ---- Backward -------------------------------------------------------------------------------- */

static void backward_row(const layer_pool_row *row, const float *grad_output, float *grad_input,
                         void *scratch)
{
    const int outputs = row->pool->window[LAYER_POOL_WIDTH].output;
    int32_t *const where = scratch;
    find(row, (float *)(where + outputs), where);
    for (int q = 0; q < outputs; q++)
        if (where[q] >= 0)
            grad_input[where[q]] += grad_output[q];
}

static void backward_indexed(const layer_pool_plan *plan, size_t plane, const float *grad_output,
                             const float *indices, size_t count, float *grad_input)
{
    if (!plan->pool->column_major) {
        layer_scatter_kernels_at(plan->run->isa)
            ->add(grad_input, layer_pool_first_index(plan->pool, plane), indices, grad_output,
                  count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const int32_t cell = layer_pool_cell_of(plan->pool, plane, indices[i]);
        if (cell >= 0)
            grad_input[cell] += grad_output[i];
    }
}

const layer_pool_implementation layer_pool_implementation_MAX = {
    scratch_size, forward_row, forward_whole, backward_row, backward_indexed,
};
