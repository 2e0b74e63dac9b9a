/* How planes are filtered: cut into tiles, for which lines of input are gathered into memory that
 * stays in cache, padding and strides resolved, unless they can be read where they lie.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_FILTER_PLAN_H
#define LAYER_CONV_FILTER_PLAN_H

#include "conv/filter.h"
#include "layer/window.h"

/* A gathered line holds one phase after the other: the columns a stride apart, for as many of the
 * kernel's columns as need a phase of their own. */
typedef struct {
    const layer_window *height, *width;
    bool flipped;                /* the kernel's cells meet input in reverse */
    bool is_square;              /* what layer_square_filter_kernels take, if lines allow */
    bool is_dense;               /* strides and dilations are 1 */
    size_t tile_rows, row_tiles; /* of outputs */
    size_t tile_columns, column_tiles;
    size_t phases, phase_count, line_count; /* floats of a phase, of a line */
    size_t lines, slots;                    /* a tile's from first to last; those it gathers */
    const layer_filter_step *steps, *steps_end;
    const layer_filter_tap *taps;
} layer_filter_plan;

layer_filter_plan layer_filter_plan_of(const layer_window *height, const layer_window *width,
                                       bool flipped);

/* In a phase, how many columns after output column 0 the kernel's column `tap` is met. */
size_t layer_filter_tap_column(const layer_window *width, size_t tap);

/* Bytes of the plan's tables, a multiple of 64, and filling them, who lie in `memory` then. */
size_t layer_filter_tables_size(const layer_filter_plan *plan);
void layer_filter_fill_tables(layer_filter_plan *plan, void *memory);

#endif
