/* A row of outputs of a convolution, as the sum is written.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_DIRECT_ROW_H
#define LAYER_CONV_DIRECT_ROW_H

#include "core/inside.h"
#include "core/kernels.h"

#include <stddef.h>

/* How far apart the cells are that neighbours along a kernel's axes, or its channels, meet. */
typedef struct {
    ptrdiff_t channel, depth, height, width;
} layer_strides;

/* Some columns of the row, and the part of the kernel that lies on real input there. */
typedef struct {
    const float *input, *weight; /* where that part begins, for a window that begins in column 0 */
    float *output;
    float bias;
    int channels, depth_taps, height_taps;
    const layer_window *width;
    layer_strides input_strides, weight_strides; /* the latter backwards for a flipped kernel */
    layer_steps columns;
    layer_steps whole; /* of these, those whose windows lie on real input entirely */
} layer_direct_row;

typedef struct {
    void (*compute)(const layer_direct_row *row);
} layer_direct_kernels;
LAYER_DECLARE_KERNELS(layer_direct_kernels)

#endif
