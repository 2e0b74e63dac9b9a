/* The field of a band of outputs: the part of the input that it sees, padded, and laid out so that
 * what neighbouring outputs of a line meet are neighbours too, whatever the stride.
 *
 *     [channel][kernel depth][phases of the height][lines][phases of the width][columns]
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_FIELD_H
#define LAYER_CONV_FIELD_H

#include "conv/implementation.h"
#include "core/kernels.h"

/* Outputs of one plane: some columns of a line, or some whole lines. */
typedef struct {
    int depth, line, lines, column, columns;
} layer_band;

/* How an axis is laid out. Output o meets input o * stride + k * dilation - pad by kernel cell k,
 * and the outputs of a phase meet input a stride apart. Kernel cells whose distance is a multiple
 * of the stride can share a phase, or each has one of its own, whichever is less to store. */
typedef struct {
    bool is_shared;
    layer_window reads; /* its kernel's cells are the phases, its outputs those of a phase */
    size_t phase_count; /* of a band: outputs, and those beyond that further kernel cells meet */
} layer_field_axis;

typedef struct {
    layer_window window[LAYER_MAX_SPATIAL]; /* the convolution's */
    bool is_flipped;
    layer_field_axis height, width;
    bool is_input;    /* the input itself can serve, from an offset on */
    size_t line_step; /* from what an output meets to what the one below meets */
    size_t depth_step, channel_step;
    size_t count; /* floats that filling takes */
} layer_field;

/* A convolution's windows, lines made one line where it treats them as if they were. */
void layer_field_windows(const layer_conv *conv, layer_window window[LAYER_MAX_SPATIAL]);

/* For bands of at most so many lines and columns of each. */
layer_field layer_conv_field(const layer_conv *conv, int lines, int columns);

/* For each row of the patch matrix, [C/group][kernel], how far what an output meets by it is from
 * what it meets first. */
void layer_field_rows(const layer_field *field, size_t channels, size_t *rows);

/* The field of a band in the input, where it is that; `channels` is a sample's. */
const float *layer_field_within(const layer_field *field, const layer_band *band,
                                const float *channels);

typedef struct {
    /* Writes `count` channels of a band's field. */
    void (*fill)(const layer_field *field, const layer_band *band, const float *channels, int count,
                 float *cells);
} layer_field_kernels;
LAYER_DECLARE_KERNELS(layer_field_kernels)

#endif
