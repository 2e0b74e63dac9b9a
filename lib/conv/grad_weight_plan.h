/* The plan of a weight gradient as products of matrices: what is cut into which pieces.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_GRAD_WEIGHT_PLAN_H
#define LAYER_CONV_GRAD_WEIGHT_PLAN_H

#include "conv/implementation.h"

/* Floats of a gathered row of several kernel cells, at most. */
enum { LAYER_GRAD_WEIGHT_ROW = 256 };

/* Cells along an axis: those of the padded input that any window sees. */
typedef struct {
    int step;     /* cells of input from one of them to the next */
    int stride;   /* of them, from an output to the next */
    int distance; /* and from a kernel cell to the next */
} layer_turned_axis;

/* Outputs come in units: some lines of a plane, or some columns of one line. What a unit sees of
 * the input is turned, so that channels lie side by side:
 *
 *     [group][block of channels][kernel depth][lines][columns][leading]
 *
 * A round turns some units, then multiplies. A block of weights, those of some output channels, a
 * block of input channels and some kernel cells, is a task, or several that take part of the units
 * each. */
typedef struct {
    size_t groups, inputs, outputs; /* inputs and outputs of a group */
    size_t kernel;                  /* cells */
    layer_turned_axis axis[LAYER_MAX_SPATIAL];
    int band_lines, band_columns;    /* of outputs, in a unit, at most */
    int cell_lines, cell_columns;    /* what these see */
    size_t line_bands, column_bands; /* of a plane of outputs */
    size_t units, round_units;       /* of all samples, and of a round */
    size_t block_inputs, input_blocks, leading;
    size_t cells, unit_count; /* of a block; floats of all blocks */
    bool is_gathered;         /* channels are so few that a product takes several kernel cells' */
    size_t run_taps;          /* of which so many are neighbours */
    size_t block_outputs, output_blocks, block_taps, tap_blocks;
    size_t row_count;     /* floats of a row of sums: with one kernel cell, of weights */
    size_t depth;         /* outputs that a product adds up, at most */
    size_t depth_units;   /* whole units, 1 if a unit may have more than that */
    size_t blocks, parts; /* of weights; and of a round's units, that have a task each */
    bool is_written;      /* sums are the weights where they belong */
    bool is_once;         /* a task has all that a block of weights sums up */
    size_t rows_size, taps_size, cells_size, sums_size, room_size; /* of the workspace, in bytes */
} layer_grad_weight_plan;

layer_grad_weight_plan layer_grad_weight_plan_of(const layer_conv *conv);

#endif
