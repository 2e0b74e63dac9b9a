/* The linear layer, forward and backward.
 *
 *     layer_linear linear;
 *     if (layer_linear_describe(&linear, &input_shape, &weight_shape, &error) != LAYER_OK) ...
 *     layer_linear_forward(&linear, input, weight, bias, output, &(layer_run){0});
 *
 * No function takes workspace. Results are the same, bit for bit, for any number of threads; each
 * returns LAYER_OK, or LAYER_CANCELLED if run->cancelled was set, and its result is then undefined.
 * Source: Goodfellow, Bengio & Courville, "Deep Learning", 2016, section 6.5.6 (the gradients).
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_LINEAR_H
#define LAYER_LINEAR_H

#include "layer/executor.h"
#include "layer/tensor.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Shapes that fit together. Filled by layer_linear_describe(), read-only afterwards. */
typedef struct {
    layer_shape input;        /* [N, in] or [in] */
    layer_shape weight;       /* [out, in] */
    layer_shape output;       /* [N, out] or [out] */
    size_t batch;             /* N, 1 for a single input */
    size_t inputs, outputs;   /* in, out */
    uint64_t multiplications; /* N * in * out, of each: forward, grad_input, grad_weight */
} layer_linear;

/* Checks that an input, [N, in] or [in], and a weight, [out, in], fit together.
 * Returns LAYER_OK and fills *linear; or LAYER_INVALID or LAYER_TOO_LARGE, leaves *linear alone and
 * names in *error "input" or "weight". Thread-safe. */
layer_status layer_linear_describe(layer_linear *linear, const layer_shape *input,
                                   const layer_shape *weight, layer_error *error);

/* output[n][o] = bias[o] + sum over i of weight[o][i] input[n][i]
 *   input [N][in]  weight [out][in]  bias [out] or NULL  output [N][out], overwritten */
layer_status layer_linear_forward(const layer_linear *linear, const float *input,
                                  const float *weight, const float *bias, float *output,
                                  const layer_run *run);

/* grad_input[n][i] = sum over o of grad_output[n][o] weight[o][i]
 *   weight [out][in]  grad_output [N][out]  grad_input [N][in], overwritten */
layer_status layer_linear_grad_input(const layer_linear *linear, const float *weight,
                                     const float *grad_output, float *grad_input,
                                     const layer_run *run);

/* grad_weight[o][i] = sum over n of grad_output[n][o] input[n][i]
 *   input [N][in]  grad_output [N][out]  grad_weight [out][in], overwritten */
layer_status layer_linear_grad_weight(const layer_linear *linear, const float *input,
                                      const float *grad_output, float *grad_weight,
                                      const layer_run *run);

/* grad_bias[o] = sum over n of grad_output[n][o], added up in double.
 *   grad_output [N][out]  grad_bias [out], overwritten */
layer_status layer_linear_grad_bias(const layer_linear *linear, const float *grad_output,
                                    float *grad_bias, const layer_run *run);

#ifdef __cplusplus
}
#endif
#endif
