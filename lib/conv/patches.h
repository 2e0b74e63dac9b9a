/* The patches of input that windows see, as the columns of a matrix: a column per output of a
 * plane, a row per kernel cell of each channel.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_PATCHES_H
#define LAYER_CONV_PATCHES_H

#include "conv/implementation.h"

/* Of an output in its plane, or of a cell in its kernel. */
typedef struct {
    int depth, height, width;
} layer_position;

/* The patch matrix of one sample and group. */
typedef struct {
    const layer_conv *conv;
    size_t input_plane, kernel_plane;
    size_t rows;    /* C/group times the kernel's cells */
    size_t columns; /* outputs of a plane */
    bool is_input;  /* the input is the patch matrix as it stands: gathering is needless */
} layer_patches;

layer_patches layer_conv_patches(const layer_conv *conv);

/* Which output a column belongs to. */
layer_position layer_patches_position(const layer_patches *patches, size_t column);

/* Writes `columns` columns of a row, from the column at `first` on. `channels` is the input of the
 * sample and group. */
void layer_patches_gather(const layer_patches *patches, const float *channels, size_t row,
                          layer_position first, int columns, float *gathered);

#endif
