/* The plan of a weight gradient by Winograd's algorithm: what is cut into which pieces.
 *
 * Rounds of some rows of tiles are transformed, then multiplied, a block of weights a task. Where
 * sums are few, sections of the rows are tasks instead, which do both and add up sums of their own.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_GRADIENT_PLAN_H
#define LAYER_CONV_GRADIENT_PLAN_H

#include "conv/implementation.h"
#include "conv/winograd_gradient.h"

/* Channels that a task transforms. */
enum { LAYER_GRADIENT_CHANNELS = 32 };

/* Floats that level 2 keeps from transforming to multiplying. */
enum { LAYER_GRADIENT_NEAR = 1 << 18 };

typedef struct {
    size_t groups, inputs, outputs; /* the latter two of a group */
    size_t tile_rows, row_tiles;    /* of a sample, of a row */
    size_t strip_tiles, parts;      /* of a strip, strips of a row */
    size_t rows, round_rows;        /* of tiles, of all samples and of a round */
    size_t sections; /* of the rows, a task each that transforms and multiplies; or 1 */
    size_t input_chunks, output_chunks; /* that tasks transform */
    size_t block_inputs, input_blocks, block_outputs, output_blocks, blocks;
    /* Floats. Inputs: [group][point][tile][channel]; gradients: [group][point][channel][tile];
     * sums: [point][output][input]. */
    size_t input_tile, input_point, gradient_channel, gradient_point, sum_row, sum_point;
    size_t inputs_count, gradients_count, sums_count; /* of a round, of a block */
} layer_gradient_plan;

layer_gradient_plan layer_gradient_plan_of(const layer_conv *conv);

#endif
