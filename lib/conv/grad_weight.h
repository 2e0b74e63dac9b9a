/* The two ways to the gradient of a convolution with respect to its weight. Each computes all
 * geometries; results do not depend on the number of threads.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_GRAD_WEIGHT_H
#define LAYER_CONV_GRAD_WEIGHT_H

#include "layer/conv_backward.h"

/* As products of matrices. */
size_t layer_grad_weight_products_size(const layer_conv *conv, int threads);
layer_status layer_grad_weight_products(const layer_conv *conv, const float *input,
                                        const float *grad_output, float *gradient,
                                        const layer_run *run);

/* As an inner product for each weight. */
size_t layer_grad_weight_dots_size(const layer_conv *conv, int threads);
layer_status layer_grad_weight_dots(const layer_conv *conv, const float *input,
                                    const float *grad_output, float *gradient,
                                    const layer_run *run);

#endif
