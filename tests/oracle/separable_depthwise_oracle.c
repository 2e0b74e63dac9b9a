/* Depthwise-separable convolution and its gradients by their definition, in double.
 * SPDX-License-Identifier: MIT */
#include "oracle/separable_depthwise_oracle.h"
#include "oracle/conv_products.h"
#include "support/floats.h"

#include <stdlib.h>

/* N, J, K, and the positions of an output plane. */
typedef struct {
    size_t samples, middles, outputs, plane;
} extents;

static extents extents_of(const layer_separable_depthwise *separable)
{
    const layer_shape *const middle = &separable->depthwise.output;
    const size_t samples = (size_t)middle->extent[0], middles = (size_t)middle->extent[1];
    return (extents){samples, middles, (size_t)separable->pointwise.output.extent[1],
                     floats_count(middle) / samples / middles};
}

/* A product of the depthwise part, and the middle that it is part of, or whose gradient it passes
 * on. */
typedef struct {
    const float *input, *weight;
    double *middle, *grad_input, *grad_weight;
} depthwise_factors;

static void add_product(void *context, const conv_product *one)
{
    const depthwise_factors *const of = context;
    of->middle[one->output] += (double)of->input[one->input] * (double)of->weight[one->weight];
}

/* What lies between the two parts; the caller frees it. */
static double *middle_of(const layer_separable_depthwise *separable,
                         const layer_separable_depthwise_operands *operands)
{
    const extents of = extents_of(separable);
    const size_t count = of.samples * of.middles * of.plane;
    double *const middle = doubles_new(count);
    const float *const bias = operands->depthwise_bias;
    for (size_t i = 0; i < count; i++)
        middle[i] = bias == NULL ? 0 : (double)bias[i / of.plane % of.middles];
    depthwise_factors factors = {
        .input = operands->input, .weight = operands->depthwise_weight, .middle = middle};
    conv_products(&separable->depthwise, add_product, &factors);
    return middle;
}

void separable_depthwise_oracle(const layer_separable_depthwise *separable,
                                const layer_separable_depthwise_operands *operands, double *output)
{
    const extents of = extents_of(separable);
    double *const middle = middle_of(separable, operands);
    const float *const bias = operands->pointwise_bias;
    for (size_t n = 0; n < of.samples; n++)
        for (size_t k = 0; k < of.outputs; k++)
            for (size_t p = 0; p < of.plane; p++) {
                double sum = bias == NULL ? 0 : (double)bias[k];
                for (size_t j = 0; j < of.middles; j++)
                    sum += (double)operands->pointwise_weight[k * of.middles + j] *
                           middle[(n * of.middles + j) * of.plane + p];
                *output++ = sum;
            }
    free(middle);
}

static void clear(double *elements, size_t count)
{
    for (size_t i = 0; i < count; i++)
        elements[i] = 0;
}

static void pass_on(void *context, const conv_product *one)
{
    const depthwise_factors *const of = context;
    const double gradient = of->middle[one->output];
    of->grad_input[one->input] += (double)of->weight[one->weight] * gradient;
    of->grad_weight[one->weight] += (double)of->input[one->input] * gradient;
}

/* From the gradient of the middle on. */
static void depthwise_backward(const layer_separable_depthwise *separable,
                               const layer_separable_depthwise_operands *operands,
                               double *grad_middle, const separable_depthwise_gradients *gradients)
{
    const extents of = extents_of(separable);
    depthwise_factors factors = {operands->input, operands->depthwise_weight, grad_middle,
                                 gradients->input, gradients->depthwise_weight};
    clear(gradients->input, floats_count(&separable->depthwise.input));
    clear(gradients->depthwise_weight, floats_count(&separable->depthwise.weight));
    clear(gradients->depthwise_bias, of.middles);
    for (size_t i = 0; i < of.samples * of.middles * of.plane; i++)
        gradients->depthwise_bias[i / of.plane % of.middles] += grad_middle[i];
    conv_products(&separable->depthwise, pass_on, &factors);
}

void separable_depthwise_backward_oracle(const layer_separable_depthwise *separable,
                                         const layer_separable_depthwise_operands *operands,
                                         const float *grad_output,
                                         const separable_depthwise_gradients *gradients)
{
    const extents of = extents_of(separable);
    const size_t middles = of.samples * of.middles * of.plane;
    double *const middle = middle_of(separable, operands);
    double *const grad_middle = doubles_new(middles);
    clear(grad_middle, middles);
    clear(gradients->pointwise_weight, of.outputs * of.middles);
    clear(gradients->pointwise_bias, of.outputs);
    for (size_t n = 0; n < of.samples; n++)
        for (size_t k = 0; k < of.outputs; k++)
            for (size_t p = 0; p < of.plane; p++) {
                const double gradient = (double)*grad_output++;
                gradients->pointwise_bias[k] += gradient;
                for (size_t j = 0; j < of.middles; j++) {
                    const size_t weight = k * of.middles + j;
                    const size_t at = (n * of.middles + j) * of.plane + p;
                    gradients->pointwise_weight[weight] += middle[at] * gradient;
                    grad_middle[at] += (double)operands->pointwise_weight[weight] * gradient;
                }
            }
    depthwise_backward(separable, operands, grad_middle, gradients);
    free(grad_middle);
    free(middle);
}
