/* Transposed convolution over one to three spatial axes: describe it, size its workspace, run it.
 *
 * It is the adjoint of a convolution: where that sums what a window sees into one output, this adds
 * each input, times the kernel, to all that the window would have seen. So strides spread the input
 * out, and pads are cut off the output.
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_TRANSPOSE_H
#define LAYER_CONV_TRANSPOSE_H

#include "layer/conv.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All zero means: stride 1, nothing cut off, dilation 1, one group, cross-correlation's adjoint. An
 * entry per spatial axis, outermost first. */
typedef struct {
    layer_geometry geometry;               /* any auto_pad but FULL */
    int output_padding[LAYER_MAX_SPATIAL]; /* more output at the end, less than stride or dilation
                                            */
    int output_shape[LAYER_MAX_SPATIAL];   /* 0: the output follows from the pads; otherwise the
                                              pads, which are zero here, from the output */
    int group;                             /* 0 means 1 */
    layer_conv_mode mode;
} layer_conv_transpose_options;

/* A transposed convolution whose shapes fit. Filled by layer_conv_transpose_describe(), read-only
 * afterwards. */
typedef struct {
    layer_shape input;  /* [N, C, spatial ...] */
    layer_shape weight; /* [C, K/group, spatial ...] */
    layer_shape output; /* [N, K, spatial ...] */
    layer_conv adjoint; /* the convolution that this is the adjoint of: from output to input. Its
                           pads may be negative: then output is added on that side */
    uint64_t multiplications;
} layer_conv_transpose;

/* Checks that an input and a weight fit together under `options` (NULL: the defaults) and derives
 * the output's shape and the pads. With e = dilation * (kernel - 1) + 1, along each axis:
 *
 *     whole = stride * (input - 1) + output_padding + e
 *     NOTSET, VALID   output = whole - pad_begin - pad_end, or output_shape
 *     SAME_*          output = input * stride, or output_shape
 *
 * Where the output is given so, t = whole - output is cut off: t / 2, rounded down, at the
 * beginning and the rest at the end with SAME_UPPER, the other way round otherwise. Returns
 * LAYER_OK and fills *transpose; or LAYER_INVALID or LAYER_TOO_LARGE, leaves *transpose alone and
 * names in *error one of "input", "weight", "strides", "dilations", "pads", "auto_pad",
 * "output_padding", "output_shape", "group". Thread-safe.
 * Source: ONNX operator ConvTranspose; Dumoulin & Visin, arXiv:1603.07285, section 4. */
layer_status layer_conv_transpose_describe(layer_conv_transpose *transpose,
                                           const layer_shape *input, const layer_shape *weight,
                                           const layer_conv_transpose_options *options,
                                           layer_error *error);

/* Bytes of workspace that running takes with up to `threads` threads. */
size_t layer_conv_transpose_workspace_size(const layer_conv_transpose *transpose, int threads);

/* output[n][k][x] = bias[k] + the sum of input[n][c][p] * weight[c][k][r] over all c of k's group
 * and all p, r with x = p * stride - pad_begin + r * dilation. input   [N][C][H][W]        weight
 * [C][K/group][R][S] bias    [K] or NULL         output  [N][K][P][Q], overwritten, overlapping
 * nothing The result is the same, bit for bit, for any number of threads. Returns LAYER_OK, or
 * LAYER_CANCELLED if run->cancelled was set; output is then undefined. Thread-safe: concurrent runs
 * need a workspace each. */
layer_status layer_conv_transpose_run(const layer_conv_transpose *transpose, const float *input,
                                      const float *weight, const float *bias, float *output,
                                      const layer_run *run);

#ifdef __cplusplus
}
#endif
#endif
