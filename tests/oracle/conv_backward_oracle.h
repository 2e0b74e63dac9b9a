/* The gradients of a convolution by their definition, in double.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_CONV_BACKWARD_ORACLE_H
#define ORACLE_CONV_BACKWARD_ORACLE_H

#include "layer/conv.h"

typedef struct {
    double *input, *weight, *bias; /* of the shapes of input, weight and [K] */
} conv_gradients;

/* For every product x[i] w[j] of output o: input[i] += w[j] g[o], weight[j] += x[i] g[o]; and
 * bias[k] += g[o] for every output of channel k. `magnitudes` are the sums of the terms'
 * magnitudes.
 */
void conv_backward_oracle(const layer_conv *conv, const float *input, const float *weight,
                          const float *grad_output, const conv_gradients *gradients,
                          const conv_gradients *magnitudes);

#endif
