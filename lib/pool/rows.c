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

/* Up to so many cells a window's sum is made in float: its error stays below theirs. */
enum { SMALL = 64 };

static layer_steps columns_of(const layer_window *width, int reach)
{
    const int begin = width->pad_begin < reach ? width->pad_begin : reach;
    return (layer_steps){begin, reach - begin < width->input ? reach : begin + width->input};
}

/* With count_include_pad padding is as good as input, but not what hangs over. */
static layer_window counted(const layer_window *window, bool count_include_pad)
{
    layer_window counts = *window;
    if (count_include_pad) {
        counts.input += counts.pad_begin + counts.pad_end;
        counts.pad_begin = counts.pad_end = 0;
    }
    return counts;
}

static layer_steps whole_outputs(const layer_window *width)
{
    const int begin = layer_inside_outputs(width, 0).begin;
    const int end = layer_inside_outputs(width, width->kernel - 1).end;
    return (layer_steps){begin, end > begin ? end : begin};
}

layer_pool_plan layer_pool_plan_of(const layer_pool *pool, const layer_run *run)
{
    layer_pool_plan plan = {
        .pool = pool,
        .run = run,
        .kernels = layer_fold_kernels_at(run->isa),
        .small_kernels = layer_small_fold_kernels_at(run->isa),
        .input_plane = layer_pool_input_plane(pool),
        .reach = (int)layer_pool_reach(pool),
        .small = layer_pool_kernel_cells(pool) <= SMALL,
    };
    plan.columns = columns_of(&pool->window[LAYER_POOL_WIDTH], plan.reach);
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        plan.counted[axis] = counted(&pool->window[axis], pool->count_include_pad);
    plan.whole = whole_outputs(&plan.counted[LAYER_POOL_WIDTH]);
    return plan;
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
            if (++taps->line == taps->lines || layer_run_cancelled(taps->row->plan->run))
                return false;
            taps->begin = layer_pool_line(taps->row, taps->line);
        }
        taps->outputs = layer_inside_outputs(width, taps->column);
    } while (taps->outputs.begin >= taps->outputs.end);
    taps->cell = taps->begin + layer_pool_coordinate(width, taps->outputs.begin, taps->column);
    return true;
}
