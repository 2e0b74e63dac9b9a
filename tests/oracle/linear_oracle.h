/* The linear layer and its gradients by their definition, in double.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_LINEAR_ORACLE_H
#define ORACLE_LINEAR_ORACLE_H

#include "layer/linear.h"

/* output[n][o] = bias[o] + sum over i of weight[o][i] input[n][i]; bias may be NULL. */
void linear_oracle(const layer_linear *linear, const float *input, const float *weight,
                   const float *bias, double *output);

typedef struct {
    double *input, *weight, *bias;
} linear_gradients;

/* By the chain rule: every product weight[o][i] input[n][i] in output[n][o] passes on
 * grad_output[n][o]. */
void linear_backward_oracle(const layer_linear *linear, const float *input, const float *weight,
                            const float *grad_output, const linear_gradients *gradients);

#endif
