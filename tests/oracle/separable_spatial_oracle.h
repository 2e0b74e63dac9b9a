/* Spatially separable convolution and its gradients by their definition, in double: the convolution
 * with the kernels that the factors make.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_SEPARABLE_SPATIAL_ORACLE_H
#define ORACLE_SEPARABLE_SPATIAL_ORACLE_H

#include "layer/separable_spatial.h"

/* `whole` is the convolution in one piece, whose windows are trusted; of `separable` only the
 * factors' shapes are. */
typedef struct {
    const layer_separable_spatial *separable;
    const layer_conv *whole;
} separable_spatial;

/* kernel [K][C/group][R][S] */
void separable_spatial_kernel(const layer_separable_spatial *separable, const float *column,
                              const float *row, double *kernel);

/* output [N][K][P][Q] */
void separable_spatial_oracle(const separable_spatial *of,
                              const layer_separable_spatial_operands *operands, double *output);

/* Each of its operand's shape. */
typedef struct {
    double *input, *column, *row, *bias;
} separable_spatial_gradients;

void separable_spatial_backward_oracle(const separable_spatial *of,
                                       const layer_separable_spatial_operands *operands,
                                       const float *grad_output,
                                       const separable_spatial_gradients *gradients);

#endif
