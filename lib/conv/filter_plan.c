/* How planes are filtered: cut into tiles. SPDX-License-Identifier: MIT */
#include "conv/filter_plan.h"
#include "conv/implementation.h"
#include "core/blocks.h"

#include <stdint.h>

/* Floats that a tile's gathered lines should have at most; and its columns of outputs, which may be
 * more in planes of few rows. */
enum { TILE_COUNT = 1 << 13, MOST_COLUMNS = 256, MOST_OUTPUTS = 1 << 12, LINE_COUNT = 16 };

/* Lines as far apart as this, or a multiple, would evict each other from the nearest cache. */
enum { ALIASING_COUNT = 1024 };

/* ---- Columns --------------------------------------------------------------------------------- */

/* Columns of the kernel that lie a multiple of the stride apart share a phase. */
static size_t phases_of(const layer_window *width)
{
    const int apart = width->stride / layer_greatest_common_divisor(width->stride, width->dilation);
    return layer_smaller((size_t)apart, (size_t)width->kernel);
}

size_t layer_filter_tap_column(const layer_window *width, size_t tap)
{
    return tap * (size_t)width->dilation / (size_t)width->stride;
}

/* What a tile's outputs meet of a phase. Columns of the kernel that meet nothing there are left
 * out, so that the others reach over the input and the tile twice at most. */
static size_t phase_columns(const layer_window *width, size_t outputs)
{
    const size_t all = layer_filter_tap_column(width, (size_t)width->kernel - 1);
    const size_t met = (size_t)width->input / (size_t)width->stride + outputs;
    return outputs + layer_smaller(all, met);
}

static void cut_columns(layer_filter_plan *plan)
{
    const size_t outputs = (size_t)plan->width->output;
    const size_t most = layer_larger(MOST_COLUMNS, (size_t)(MOST_OUTPUTS / plan->height->output));
    const size_t tiles = layer_blocks_of(outputs, most);
    plan->tile_columns = layer_rounded_up(layer_blocks_of(outputs, tiles), LINE_COUNT);
    plan->column_tiles = layer_blocks_of(outputs, plan->tile_columns);
    plan->phases = phases_of(plan->width);
    plan->phase_count =
        layer_rounded_up(phase_columns(plan->width, plan->tile_columns), LINE_COUNT) +
        2 * LAYER_FILTER_SLACK;
    plan->line_count = plan->phases * plan->phase_count;
    if (plan->line_count % ALIASING_COUNT == 0)
        plan->line_count += LINE_COUNT;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* From the first to the last line that so many rows of outputs may meet, padding left out. */
static size_t reach(const layer_window *height, size_t rows)
{
    const size_t lines = (rows - 1) * (size_t)height->stride +
                         (size_t)(height->kernel - 1) * (size_t)height->dilation + 1;
    return layer_smaller(lines, (size_t)height->input);
}

static size_t slots_of(const layer_window *height, size_t rows)
{
    return layer_smaller(reach(height, rows), rows * (size_t)height->kernel);
}

static void cut_rows(layer_filter_plan *plan)
{
    const size_t outputs = (size_t)plan->height->output, group = LAYER_FILTER_ROWS;
    size_t rows = group;
    while (rows < outputs && slots_of(plan->height, rows + group) * plan->line_count <= TILE_COUNT)
        rows += group;
    const size_t tiles = layer_blocks_of(outputs, rows);
    plan->tile_rows = layer_rounded_up(layer_blocks_of(outputs, tiles), group);
    plan->row_tiles = layer_blocks_of(outputs, plan->tile_rows);
    plan->lines = reach(plan->height, plan->tile_rows);
    plan->slots = slots_of(plan->height, plan->tile_rows);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static size_t steps_size(const layer_filter_plan *plan)
{
    return LAYER_FILTER_ROWS * (size_t)plan->height->kernel * sizeof(layer_filter_step);
}

size_t layer_filter_tables_size(const layer_filter_plan *plan)
{
    const size_t taps_size = (size_t)plan->width->kernel * sizeof(layer_filter_tap);
    return layer_aligned(steps_size(plan) + taps_size);
}

/* Each row meets its lines a dilation apart, and begins a stride after the one before: the lines of
 * all, merged in order. Returns how many. */
static size_t list_steps(const layer_window *height, ptrdiff_t weight_line,
                         layer_filter_step *steps)
{
    ptrdiff_t next[LAYER_FILTER_ROWS];
    int met[LAYER_FILTER_ROWS] = {0};
    size_t count = 0;
    for (int row = 0; row < LAYER_FILTER_ROWS; row++)
        next[row] = (ptrdiff_t)row * height->stride;
    for (;; count++) {
        layer_filter_step step = {.line = PTRDIFF_MAX};
        for (int row = 0; row < LAYER_FILTER_ROWS; row++)
            step.line = next[row] < step.line ? next[row] : step.line;
        if (step.line == PTRDIFF_MAX)
            return count;
        for (int row = 0; row < LAYER_FILTER_ROWS; row++) {
            if (next[row] != step.line)
                continue;
            step.rows |= 1u << row;
            step.weights[row] = met[row]++ * weight_line;
            next[row] = met[row] < height->kernel ? next[row] + height->dilation : PTRDIFF_MAX;
        }
        steps[count] = step;
    }
}

static void list_taps(const layer_filter_plan *plan, layer_filter_tap *taps)
{
    for (size_t tap = 0; tap < (size_t)plan->width->kernel; tap++)
        taps[tap] = (layer_filter_tap){
            .column = (ptrdiff_t)(tap % plan->phases * plan->phase_count +
                                  layer_filter_tap_column(plan->width, tap)),
            .weight = plan->flipped ? -(ptrdiff_t)tap : (ptrdiff_t)tap,
        };
}

void layer_filter_fill_tables(layer_filter_plan *plan, void *memory)
{
    layer_filter_step *const steps = memory;
    layer_filter_tap *const taps = (layer_filter_tap *)((char *)memory + steps_size(plan));
    const ptrdiff_t weight_line = plan->flipped ? -plan->width->kernel : plan->width->kernel;
    plan->steps = steps;
    plan->steps_end = steps + list_steps(plan->height, weight_line, steps);
    plan->taps = taps;
    list_taps(plan, taps);
}

/* ---- The plan -------------------------------------------------------------------------------- */

static bool is_square(const layer_window *height, const layer_window *width)
{
    return (height->kernel == 3 || height->kernel == 5) && width->kernel == height->kernel &&
           height->stride <= 2 && width->stride == height->stride && height->dilation == 1 &&
           width->dilation == 1;
}

static bool is_dense(const layer_window *window)
{
    return window->stride == 1 && window->dilation == 1;
}

layer_filter_plan layer_filter_plan_of(const layer_window *height, const layer_window *width,
                                       bool flipped)
{
    layer_filter_plan plan = {
        .height = height,
        .width = width,
        .flipped = flipped,
        .is_square = is_square(height, width),
        .is_dense = is_dense(height) && is_dense(width),
    };
    cut_columns(&plan);
    cut_rows(&plan);
    return plan;
}
