/* Depthwise-separable convolution: each channel by itself over space, then all channels mixed at
 * each position.
 *
 *     middle[n][j][p] = depthwise_bias[j] + the sum over r of
 *                       input[n][j / m][p * stride - pad + r * dilation] * depthwise[j][r]
 *     output[n][k][p] = pointwise_bias[k] + the sum over j of middle[n][j][p] * pointwise[k][j]
 *
 * with m = J / C, the channels that each input channel becomes. Without biases it is the
 * convolution whose kernel for k and c is the sum of pointwise[k][j] * depthwise[j] over the j that
 * come from c, in 1/K + 1/(R S) of its multiplications where m is 1.
 * Results are the same, bit for bit, for any number of threads; concurrent runs need a workspace
 * each.
 * Source: Howard et al., "MobileNets", arXiv:1704.04861, section 3.1; the convolution in one piece:
 * Sifre, "Rigid-motion scattering for image classification", 2014, section 6.2.
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_SEPARABLE_DEPTHWISE_H
#define LAYER_SEPARABLE_DEPTHWISE_H

#include "layer/conv.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Filled by layer_separable_depthwise_describe(), read-only afterwards. */
typedef struct {
    layer_conv depthwise;              /* [N, C, spatial] by [J, 1, kernel], in C groups */
    layer_conv pointwise;              /* [N, J, spatial] by [K, J, 1 ...] */
    uint64_t multiplications;          /* of both */
    uint64_t full_multiplications;     /* of the convolution in one piece */
    uint64_t backward_multiplications; /* of all gradients */
} layer_separable_depthwise;

/* Checks that an input [N, C, spatial], a depthwise weight [J, 1, kernel] with J a multiple of C
 * and a pointwise weight [K, J, 1 ...] fit together, over one to three spatial axes. The options
 * are the depthwise convolution's; NULL: the defaults. Their group is left at 0: there are C of
 * them. Returns LAYER_OK and fills *separable; or LAYER_INVALID or LAYER_TOO_LARGE, leaves
 * *separable alone and names in *error one of "input", "depthwise_weight", "pointwise_weight",
 * "strides", "dilations", "pads", "auto_pad", "algorithm". Thread-safe. */
layer_status layer_separable_depthwise_describe(layer_separable_depthwise *separable,
                                                const layer_shape *input,
                                                const layer_shape *depthwise_weight,
                                                const layer_shape *pointwise_weight,
                                                const layer_conv_options *options,
                                                layer_error *error);

typedef struct {
    const float *input;            /* [N][C][H][W] */
    const float *depthwise_weight; /* [J][R][S] */
    const float *depthwise_bias;   /* [J] or NULL */
    const float *pointwise_weight; /* [K][J] */
    const float *pointwise_bias;   /* [K] or NULL */
} layer_separable_depthwise_operands;

/* Bytes of workspace that going forward takes with up to `threads` threads. */
size_t layer_separable_depthwise_workspace_size(const layer_separable_depthwise *separable,
                                                int threads);

/* output [N][K][P][Q], overwritten, overlapping nothing.
 * Returns LAYER_OK, or LAYER_CANCELLED if run->cancelled was set; output is then undefined. */
layer_status layer_separable_depthwise_forward(const layer_separable_depthwise *separable,
                                               const layer_separable_depthwise_operands *operands,
                                               float *output, const layer_run *run);

/* Where the gradients go, each of its operand's shape, overwritten; NULL: not wanted. */
typedef struct {
    float *input, *depthwise_weight, *depthwise_bias, *pointwise_weight, *pointwise_bias;
} layer_separable_depthwise_gradients;

/* Bytes of workspace that going backward takes with up to `threads` threads. */
size_t layer_separable_depthwise_backward_workspace_size(const layer_separable_depthwise *separable,
                                                         int threads);

/* The gradients of some f from its gradient with respect to the output, grad_output [N][K][P][Q].
 * Returns LAYER_OK, or LAYER_CANCELLED if run->cancelled was set; they are then undefined. */
layer_status layer_separable_depthwise_backward(
    const layer_separable_depthwise *separable, const layer_separable_depthwise_operands *operands,
    const float *grad_output, const layer_separable_depthwise_gradients *gradients,
    const layer_run *run);

#ifdef __cplusplus
}
#endif
#endif
