/* Winograd's minimal filtering F(m x m, 3 x 3): m x m outputs of a 3 x 3 kernel from a tile of
 * t x t inputs, t = m + 2, by t^2 multiplications instead of 9 m^2:
 *
 *     Y = A' [(G g G') . (B' d B)] A
 *
 * with d the tile, g the kernel, . the product of elements, which is then summed over channels: for
 * each of the t^2 points a product of matrices, tiles by channels times channels by outputs.
 * Source: Lavin & Gray, "Fast algorithms for convolutional neural networks", arXiv:1509.09308.
 *
 * Here are the three transforms, compiled for each instruction set and each m.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_WINOGRAD_H
#define LAYER_CONV_WINOGRAD_H

#include "core/kernels.h"

#include <stdbool.h>
#include <stddef.h>

/* Channels come in multiples of this, a cache line. */
enum { LAYER_WINOGRAD_LINE = 16 };

/* A strip is some tiles side by side. Their cells, and what a vector reads beyond, are no more. */
enum { LAYER_WINOGRAD_SPAN = 64 };

/* For each of up to 8 rows of points, a square and twice a square of vectors with some slack. */
enum {
    LAYER_WINOGRAD_SCRATCH = 8 * (3 * LAYER_WINOGRAD_LINE + 2) * LAYER_WINOGRAD_LINE,
};

/* B' d B of a strip, for some channels of one sample. What of it lies beyond the input is zero. */
typedef struct {
    const float *input; /* [channels][height][width] */
    ptrdiff_t height, width;
    size_t channels;
    ptrdiff_t top, left; /* the strip's first cell */
    size_t tiles;
    float *transformed; /* [point][tile][channels, up to a whole line of them] */
    size_t point_stride, tile_stride;
    float *scratch; /* LAYER_WINOGRAD_SCRATCH floats */
} layer_winograd_input;

/* G g G' of a panel of output channels, for some channels. */
typedef struct {
    const float *weight;   /* [outputs][...][3][3], or exchanged [channels][...][3][3] */
    size_t stride;         /* floats between kernels of neighbouring outputs, or channels */
    size_t outputs, panel; /* those beyond `outputs` become zero; a multiple of a line */
    size_t channels;
    bool is_exchanged, is_flipped, is_streamed; /* the last: stored past the caches */
    float *transformed;                         /* [point][channels][panel] */
    size_t point_stride;
} layer_winograd_weight;

/* A' M A + bias of a strip, for some output channels. */
typedef struct {
    const float *products; /* [point][tile][outputs, up to a whole line of them] */
    size_t point_stride, tile_stride;
    size_t tiles;
    size_t outputs;
    const float *bias;    /* [outputs] or NULL */
    float *output;        /* [outputs][rows][columns], the strip's share of planes */
    size_t plane, width;  /* floats between planes, between rows */
    size_t rows, columns; /* what of the tiles is output: up to m, up to m * tiles */
    float *scratch;       /* the same */
} layer_winograd_output;

typedef struct {
    void (*transform_input)(const layer_winograd_input *strip);
    void (*transform_weight)(const layer_winograd_weight *panel);
    void (*transform_output)(const layer_winograd_output *strip);
} layer_winograd_kernels;

typedef layer_winograd_kernels layer_winograd2_kernels;
typedef layer_winograd_kernels layer_winograd4_kernels;
typedef layer_winograd_kernels layer_winograd6_kernels;
LAYER_DECLARE_KERNELS(layer_winograd2_kernels)
LAYER_DECLARE_KERNELS(layer_winograd4_kernels)
LAYER_DECLARE_KERNELS(layer_winograd6_kernels)

#endif
