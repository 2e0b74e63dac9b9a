/* Ranks of inputs and weights: batched or one sample, with channels or bare kernels.
 * SPDX-License-Identifier: MIT */
#ifndef API_RANKS_H
#define API_RANKS_H

#include "problem.h"

#include <layer/tensor.h>

#include <stdbool.h>

/* The axes of a weight, or of a batch, before its spatial axes. */
enum { API_CHANNEL_AXES = 2 };

/* Spatial axes of a weight: all of them of a bare kernel (rank 1 or 2), else all but two. */
int api_spatial_axes(const layer_shape *weight);

/* Whether an input (called `name`) goes with the weight: of the same rank, or, unless the weight is
 * a bare kernel, of one less. A bare kernel has no groups but one; 0 is the default. */
bool api_check_ranks(const layer_shape *input, const layer_shape *weight, int group,
                     const char *name, api_problem *problem);

/* The shape with axes of 1 in front until it has `rank`. */
layer_shape api_widened(const layer_shape *shape, int rank);

/* The last `rank` axes of the shape. */
layer_shape api_narrowed(const layer_shape *shape, int rank);

#endif
