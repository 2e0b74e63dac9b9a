/* A convolution's matrix by its definition, dense.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_CONV_MATRIX_ORACLE_H
#define ORACLE_CONV_MATRIX_ORACLE_H

#include "layer/conv.h"

#include <stdbool.h>

/* dense[o][i] = w for every product x[i] w of output o, zero elsewhere; there[o][i] says where.
 * Both have as many rows as the one sample's output has elements, and as many columns as its
 * input. */
void conv_matrix_oracle(const layer_conv *conv, const float *weight, float *dense, bool *there);

#endif
