/* A plane of outputs as a sum: each term is a plane of input, filtered by a plane of the kernel.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_PLANE_SUM_H
#define LAYER_CONV_PLANE_SUM_H

#include "conv/implementation.h"

/* Planes are of height and width. A group of one channel has, with two axes, a single term. */
typedef struct {
    const layer_conv *conv;
    size_t channel, output_channel; /* of input, the group's first; of outputs */
    ptrdiff_t depth;                /* where the window begins along the input's depth */
    layer_steps slices;             /* of the kernel, that lie on input */
    size_t terms;
} layer_plane_sum;

/* Of the plane at `depth` of an output channel, one of the group's. */
layer_plane_sum layer_plane_sum_of(const layer_conv *conv, size_t sample, size_t group,
                                   size_t output_channel, int depth);

/* Where a term's planes begin in input and weight. */
typedef struct {
    size_t input, weight;
} layer_plane_term;
layer_plane_term layer_plane_term_at(const layer_plane_sum *sum, size_t term);

#endif
