/* How a convolution is cut for Winograd's algorithm: by its shape alone.
 *
 * Tiles side by side are a strip, strips one below the other, over all samples, a block. A block's
 * input is transformed for all channels of a group; then, for one panel of output channels after
 * the other, or some at once, multiplied and transformed back while it is in cache.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_WINOGRAD_PLAN_H
#define LAYER_CONV_WINOGRAD_PLAN_H

#include "conv/implementation.h"
#include "conv/winograd.h"

typedef struct {
    const layer_conv *conv;
    size_t outputs, points; /* m; t * t */
    const layer_winograd_kernels *(*kernels_at)(layer_isa isa);

    size_t groups, group_channels, group_outputs;
    size_t panel, panels;            /* output channels of one; how many a group has */
    size_t most_panels;              /* that are computed together with prepared weights */
    size_t tile_rows;                /* of a sample */
    size_t strips;                   /* along the batch and down each sample */
    size_t row_tiles;                /* across a sample */
    size_t strip_tiles, parts;       /* of a strip; strips across a sample */
    size_t row_blocks, block_strips; /* of all strips; strips of the largest block */
    size_t sets;                     /* blocks of all groups */

    /* Floats. Transformed input: [point][tile][channel]; products: [point][tile][output]. */
    size_t input_tile_stride, input_point_stride, input_count;
    size_t product_point_stride, product_count;
    size_t scratch_count;
    size_t weight_point_stride, weight_panel_stride; /* [group][panel][point][channel][output] */
    size_t depth;                                    /* channels that a product sums at once */
    size_t fresh_point_stride; /* of weights for as many channels, transformed when needed */
    bool is_shared; /* so few sets that threads share one: all inputs are transformed first */
} layer_winograd_plan;

/* conv->algorithm says which. */
layer_winograd_plan layer_winograd_cut(const layer_conv *conv);

/* Some tiles of one group: strips from `strip` on, each from `tile` on. */
typedef struct {
    size_t group;
    size_t strip, strips;
    size_t tile, tiles; /* in each of the strips */
} layer_winograd_set;

layer_winograd_set layer_winograd_set_at(const layer_winograd_plan *plan, size_t index);

/* Of F(m x m, 3x3); infinite where it is not worth its memory, or vectors would be mostly empty. */
double layer_winograd_cost(const layer_conv *conv, size_t m);

#endif
