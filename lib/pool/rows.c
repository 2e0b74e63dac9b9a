/* Which cells a row of windows sees.
 * SPDX-License-Identifier: MIT */
#include "core/saturate.h"
#include "core/tasks.h"
#include "pool/pool_kind.h"

size_t layer_pool_input_plane(const layer_pool *pool)
{
    size_t product = 1;
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        product *= (size_t)pool->window[axis].input;
    return product;
}

uint64_t layer_pool_kernel_cells(const layer_pool *pool)
{
    uint64_t product = 1;
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        product = layer_saturating_multiply(product, (uint64_t)pool->window[axis].kernel);
    return product;
}

size_t layer_pool_reach(const layer_pool *pool)
{
    const layer_window *const width = &pool->window[LAYER_POOL_WIDTH];
    return (size_t)(width->output - 1) * (size_t)width->stride +
           (size_t)width->dilation * (size_t)(width->kernel - 1) + 1;
}

bool layer_pool_is_whole(const layer_pool *pool)
{
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++) {
        const layer_window *const window = &pool->window[axis];
        if (window->kernel != window->input || window->output != 1 || window->pad_begin != 0 ||
            (window->dilation != 1 && window->kernel != 1))
            return false;
    }
    return true;
}

static int length(layer_steps steps)
{
    return steps.end > steps.begin ? steps.end - steps.begin : 0;
}

int layer_pool_line_count(const layer_pool_row *row)
{
    return length(row->depth) * length(row->height);
}

/* The input coordinate that a kernel cell of window number `output` meets. */
static size_t coordinate(const layer_window *window, int output, int tap)
{
    return (size_t)((ptrdiff_t)output * window->stride + (ptrdiff_t)tap * window->dilation -
                    window->pad_begin);
}

size_t layer_pool_line(const layer_pool_row *row, int line)
{
    const layer_window *const depth = &row->pool->window[LAYER_POOL_DEPTH];
    const layer_window *const height = &row->pool->window[LAYER_POOL_HEIGHT];
    const int lines = length(row->height);
    const int slice = depth->kernel == 1 ? 0 : line / lines; /* mostly: a division is dear */
    const size_t z = coordinate(depth, row->d, row->depth.begin + slice);
    const size_t y = coordinate(height, row->p, row->height.begin + line - slice * lines);
    return (z * (size_t)height->input + y) * (size_t)row->pool->window[LAYER_POOL_WIDTH].input;
}

layer_pool_taps layer_pool_taps_of(const layer_pool_row *row)
{
    return (layer_pool_taps){
        .row = row,
        .line = -1,
        .lines = layer_pool_line_count(row),
        .column = row->pool->window[LAYER_POOL_WIDTH].kernel - 1,
    };
}

bool layer_pool_next_tap(layer_pool_taps *taps)
{
    const layer_window *const width = &taps->row->pool->window[LAYER_POOL_WIDTH];
    do {
        if (++taps->column == width->kernel) {
            taps->column = 0;
            if (++taps->line == taps->lines || layer_run_cancelled(taps->row->run))
                return false;
            taps->begin = layer_pool_line(taps->row, taps->line);
        }
        taps->outputs = layer_inside_outputs(width, taps->column);
    } while (taps->outputs.begin >= taps->outputs.end);
    taps->cell = taps->begin + coordinate(width, taps->outputs.begin, taps->column);
    return true;
}
