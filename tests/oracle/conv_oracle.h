/* Convolution by its definition, in double: what every algorithm is held to.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_CONV_ORACLE_H
#define ORACLE_CONV_ORACLE_H

#include "layer/conv.h"

/* output[n][k][p] = bias[k] + sum over c, r of x[n][c][p * stride - pad + r * dilation] w[k][c][r],
 * x being zero outside the input. bias may be NULL. `conv` says the shapes, nothing else of it is
 * trusted but its windows' strides, dilations and pads. */
void conv_oracle(const layer_conv *conv, const float *input, const float *weight, const float *bias,
                 double *output);

#endif
