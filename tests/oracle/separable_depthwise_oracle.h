/* Depthwise-separable convolution and its gradients by their definition, in double.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_SEPARABLE_DEPTHWISE_ORACLE_H
#define ORACLE_SEPARABLE_DEPTHWISE_ORACLE_H

#include "layer/separable_depthwise.h"

/* output [N][K][P][Q], as the header's two sums say. Of `separable` the shapes and the windows of
 * the depthwise part are trusted. */
void separable_depthwise_oracle(const layer_separable_depthwise *separable,
                                const layer_separable_depthwise_operands *operands, double *output);

/* Each of its operand's shape. */
typedef struct {
    double *input, *depthwise_weight, *depthwise_bias, *pointwise_weight, *pointwise_bias;
} separable_depthwise_gradients;

void separable_depthwise_backward_oracle(const layer_separable_depthwise *separable,
                                         const layer_separable_depthwise_operands *operands,
                                         const float *grad_output,
                                         const separable_depthwise_gradients *gradients);

#endif
