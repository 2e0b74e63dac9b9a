/* The ways to the gradient of a convolution with respect to its weight. Results do not depend on
 * the number of threads. SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_GRAD_WEIGHT_H
#define LAYER_CONV_GRAD_WEIGHT_H

#include "layer/conv_backward.h"

/* As products of matrices, any. */
size_t layer_grad_weight_products_size(const layer_conv *conv, int threads);
layer_status layer_grad_weight_products(const layer_conv *conv, const float *input,
                                        const float *grad_output, float *gradient,
                                        const layer_run *run);

/* As an inner product for each weight, any. */
size_t layer_grad_weight_dots_size(const layer_conv *conv, int threads);
layer_status layer_grad_weight_dots(const layer_conv *conv, const float *input,
                                    const float *grad_output, float *gradient,
                                    const layer_run *run);

/* By Winograd's algorithm, where that is estimated to take less time than products. */
bool layer_grad_weight_winograd_is_best(const layer_conv *conv);
size_t layer_grad_weight_winograd_size(const layer_conv *conv, int threads);
layer_status layer_grad_weight_winograd(const layer_conv *conv, const float *input,
                                        const float *grad_output, float *gradient,
                                        const layer_run *run);

/* As products with patches of the input, where outputs are few. */
bool layer_grad_weight_shallow_is_best(const layer_conv *conv);
size_t layer_grad_weight_shallow_size(const layer_conv *conv, int threads);
layer_status layer_grad_weight_shallow(const layer_conv *conv, const float *input,
                                       const float *grad_output, float *gradient,
                                       const layer_run *run);

#endif
