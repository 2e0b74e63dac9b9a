/* The gradients of a convolution: with respect to its input, its weight and its bias, each by
 * itself.
 *
 * A convolution y = conv(x, w) + b is described as for going forward (layer/conv.h); `grad_output`
 * is the gradient of some f with respect to y, of the output's shape. Every stride, dilation,
 * padding, group and mode that describes is differentiated. Results are the same, bit for bit, for
 * any number of threads; concurrent runs of one `conv` need a workspace each.
 * The gradient with respect to inputs is a convolution itself, or some, by any of the algorithms:
 * its errors, and what is spoilt by what is not finite, are as LAYER_CONV_ALGORITHM_LIST says, with
 * strides above 1 up to a stride farther. That with respect to weights of 3x3 may be computed by
 * Winograd's algorithm; what is not finite then spoils all of a kernel.
 * Source: Dumoulin & Visin, arXiv:1603.07285, section 4; Goodfellow, Bengio & Courville, "Deep
 * Learning", 2016, section 9.5.
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_BACKWARD_H
#define LAYER_CONV_BACKWARD_H

#include "layer/conv.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of workspace that layer_conv_grad_input() takes with up to `threads` threads. */
size_t layer_conv_grad_input_workspace_size(const layer_conv *conv, int threads);

/* grad_input[n][c][x] = the sum of weight[k][c][r] * grad_output[n][k][p] over all k, p, r for
 * which window p has its cell r on x. As many multiplications as going forward.
 *   weight  [K][C/group][R][S]  grad_output  [N][K][P][Q]
 *   grad_input  [N][C][H][W], overwritten, overlapping nothing
 * Returns LAYER_OK, or LAYER_CANCELLED if run->cancelled was set; grad_input is then undefined. */
layer_status layer_conv_grad_input(const layer_conv *conv, const float *weight,
                                   const float *grad_output, float *grad_input,
                                   const layer_run *run);

/* Bytes of workspace that layer_conv_grad_weight() takes with up to `threads` threads; may be 0. */
size_t layer_conv_grad_weight_workspace_size(const layer_conv *conv, int threads);

/* grad_weight[k][c][r] = the sum of input[n][c][x] * grad_output[n][k][p] over all n and p, x being
 * where window p has its cell r. As many multiplications as going forward.
 *   input  [N][C][H][W]  grad_output  [N][K][P][Q]
 *   grad_weight  [K][C/group][R][S], overwritten, overlapping nothing
 * Returns LAYER_OK, or LAYER_CANCELLED if run->cancelled was set; grad_weight is then undefined. */
layer_status layer_conv_grad_weight(const layer_conv *conv, const float *input,
                                    const float *grad_output, float *grad_weight,
                                    const layer_run *run);

/* grad_bias[k] = the sum of grad_output[n][k][p] over all n and p, added up in double.
 *   grad_output  [N][K][P][Q]  grad_bias  [K], overwritten
 * Takes no workspace. Returns LAYER_OK, or LAYER_CANCELLED if run->cancelled was set. */
layer_status layer_conv_grad_bias(const layer_conv *conv, const float *grad_output,
                                  float *grad_bias, const layer_run *run);

#ifdef __cplusplus
}
#endif
#endif
