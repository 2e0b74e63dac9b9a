/* Transposed convolution by its definition, in double.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_CONV_TRANSPOSE_ORACLE_H
#define ORACLE_CONV_TRANSPOSE_ORACLE_H

#include "layer/conv_transpose.h"

/* output[n][k] = bias[k] everywhere; then for every input at p and every kernel cell r, unless it
 * is cut off: output[n][k][p * stride - pad_begin + r * dilation] += input[n][c][p]
 * weight[c][k][r]. bias may be NULL. */
void conv_transpose_oracle(const layer_conv_transpose *transpose, const float *input,
                           const float *weight, const float *bias, double *output);

#endif
