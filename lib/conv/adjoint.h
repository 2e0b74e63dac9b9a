/* The adjoint of a convolution: what gradients with respect to its input, and transposed
 * convolution, both are.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_ADJOINT_H
#define LAYER_CONV_ADJOINT_H

#include "layer/conv.h"

size_t layer_conv_adjoint_workspace_size(const layer_conv *conv, int threads);

/* input[n][c][p * stride - pad + r * dilation] = bias[c] + the sum of weight[k][c][r] *
 * output[n][k][p] over all k, p, r that meet there. Pads may be negative, and windows need not
 * reach the input's end. bias is [C] or NULL; `input` is overwritten. */
layer_status layer_conv_adjoint(const layer_conv *conv, const float *weight, const float *bias,
                                const float *output, float *input, const layer_run *run);

#endif
