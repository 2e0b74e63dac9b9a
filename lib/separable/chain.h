/* Two convolutions, one after the other: what every separable convolution comes to.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_SEPARABLE_CHAIN_H
#define LAYER_SEPARABLE_CHAIN_H

#include "layer/conv.h"

/* The output of `first`, the middle, is the input of `second`. */
typedef struct {
    const layer_conv *first, *second;
} layer_chain;

typedef struct {
    const float *input;
    const float *first_weight, *first_bias; /* a bias may be NULL */
    const float *second_weight, *second_bias;
} layer_chain_operands;

/* Where the gradients go, each of its tensor's shape; NULL: not wanted. */
typedef struct {
    float *input, *first_weight, *first_bias, *second_weight, *second_bias;
} layer_chain_gradients;

/* Bytes of workspace, a multiple of 64, with up to `threads` threads. */
size_t layer_chain_workspace_size(const layer_chain *chain, int threads);
size_t layer_chain_backward_workspace_size(const layer_chain *chain, int threads);

/* output = second(first(input)). Returns LAYER_OK or LAYER_CANCELLED. */
layer_status layer_chain_forward(const layer_chain *chain, const layer_chain_operands *operands,
                                 float *output, const layer_run *run);

/* By the chain rule: what `second` brings to the middle is what `first` starts from. The middle is
 * computed again where the gradient of second_weight is wanted.
 * Returns LAYER_OK or LAYER_CANCELLED. */
layer_status layer_chain_backward(const layer_chain *chain, const layer_chain_operands *operands,
                                  const float *grad_output, const layer_chain_gradients *gradients,
                                  const layer_run *run);

/* How much layer_chain_backward() multiplies where all gradients are wanted. */
uint64_t layer_chain_backward_multiplications(const layer_chain *chain);

#endif
