/* Spatially separable convolution: with columns, R x 1, and then with rows, 1 x S.
 *
 * It is the convolution with kernels that are sums of products of a column and a row, without those
 * kernels ever being made. There are two ways to have such kernels for many channels, and the ranks
 * of the factors say which:
 *
 *   each      column [K, C/group, M, R]  row [K, C/group, M, S]: each kernel by itself is a sum of
 * M products,
 *
 *                 kernel[k][c][r][s] = the sum over m of column[k][c][m][r] * row[k][c][m][s]
 *
 *   shared    column [M, C/group, R]  row [K, M/group, S]: all kernels share M intermediate
 *             channels, each of which is a vertical convolution of the input,
 *
 *                 kernel[k][c][r][s] = the sum over m of column[m][c][r] * row[k][m][s]
 *
 *             over the M/group intermediate channels of k's group.
 *
 * layer/factorize.h makes both of a bank of kernels. Results are the same, bit for bit, for any
 * number of threads; concurrent runs need a workspace each.
 * Source: Jaderberg, Vedaldi & Zisserman, "Speeding up convolutional neural networks with low rank
 * expansions", arXiv:1405.3866, section 2.2 (shared: scheme 2).
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_SEPARABLE_SPATIAL_H
#define LAYER_SEPARABLE_SPATIAL_H

#include "layer/conv.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Filled by layer_separable_spatial_describe(), read-only afterwards. */
typedef struct {
    layer_shape input; /* [N, C, H, W] */
    layer_shape column, row;
    layer_shape output;                     /* [N, K, P, Q] */
    layer_window window[LAYER_MAX_SPATIAL]; /* of the convolution in one piece: a trivial one, the
                                               column's, the row's */
    int group;
    bool is_shared;
    layer_conv vertical, horizontal;   /* shared: of all; each: of one output channel of a sample */
    uint64_t multiplications;          /* of going forward */
    uint64_t full_multiplications;     /* of the convolution in one piece */
    uint64_t backward_multiplications; /* of all gradients */
} layer_separable_spatial;

/* Checks that an input [N, C, H, W], a column and a row fit together under `options`, which are
 * those of the convolution in one piece (NULL: the defaults).
 * Returns LAYER_OK and fills *separable; or LAYER_INVALID or LAYER_TOO_LARGE, leaves *separable
 * alone and names in *error one of "input", "column", "row", "strides", "dilations", "pads",
 * "auto_pad", "group", "algorithm". Thread-safe. */
layer_status layer_separable_spatial_describe(layer_separable_spatial *separable,
                                              const layer_shape *input, const layer_shape *column,
                                              const layer_shape *row,
                                              const layer_conv_options *options,
                                              layer_error *error);

typedef struct {
    const float *input, *column, *row;
    const float *bias; /* [K] or NULL */
} layer_separable_spatial_operands;

/* Bytes of workspace that going forward takes with up to `threads` threads. */
size_t layer_separable_spatial_workspace_size(const layer_separable_spatial *separable,
                                              int threads);

/* output [N][K][P][Q], overwritten, overlapping nothing.
 * Returns LAYER_OK, or LAYER_CANCELLED if run->cancelled was set; output is then undefined. */
layer_status layer_separable_spatial_forward(const layer_separable_spatial *separable,
                                             const layer_separable_spatial_operands *operands,
                                             float *output, const layer_run *run);

/* Where the gradients go, each of its operand's shape, overwritten; NULL: not wanted. */
typedef struct {
    float *input, *column, *row, *bias;
} layer_separable_spatial_gradients;

/* Bytes of workspace that going backward takes with up to `threads` threads. */
size_t layer_separable_spatial_backward_workspace_size(const layer_separable_spatial *separable,
                                                       int threads);

/* The gradients of some f from its gradient with respect to the output, grad_output [N][K][P][Q].
 * Returns LAYER_OK, or LAYER_CANCELLED if run->cancelled was set; they are then undefined. */
layer_status layer_separable_spatial_backward(const layer_separable_spatial *separable,
                                              const layer_separable_spatial_operands *operands,
                                              const float *grad_output,
                                              const layer_separable_spatial_gradients *gradients,
                                              const layer_run *run);

#ifdef __cplusplus
}
#endif
#endif
