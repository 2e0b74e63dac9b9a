/* The gradients of a convolution by their definition, in double.
 * SPDX-License-Identifier: MIT */
#include "oracle/conv_backward_oracle.h"
#include "oracle/conv_products.h"

#include <math.h>

typedef struct {
    const float *input, *weight, *grad_output;
    const conv_gradients *gradients, *magnitudes;
} factors;

static void add(double *sum, double *magnitude, double term)
{
    *sum += term;
    *magnitude += fabs(term);
}

static void differentiate(void *context, const conv_product *one)
{
    const factors *const of = context;
    const double gradient = (double)of->grad_output[one->output];
    add(&of->gradients->input[one->input], &of->magnitudes->input[one->input],
        (double)of->weight[one->weight] * gradient);
    add(&of->gradients->weight[one->weight], &of->magnitudes->weight[one->weight],
        (double)of->input[one->input] * gradient);
}

static size_t count_of(const layer_shape *shape)
{
    size_t count = 1;
    for (int axis = 0; axis < shape->rank; axis++)
        count *= (size_t)shape->extent[axis];
    return count;
}

static void clear(const layer_conv *conv, const conv_gradients *sums)
{
    const size_t inputs = count_of(&conv->input), weights = count_of(&conv->weight);
    const int channels = conv->output.extent[1];
    for (size_t i = 0; i < inputs; i++)
        sums->input[i] = 0;
    for (size_t i = 0; i < weights; i++)
        sums->weight[i] = 0;
    for (int k = 0; k < channels; k++)
        sums->bias[k] = 0;
}

void conv_backward_oracle(const layer_conv *conv, const float *input, const float *weight,
                          const float *grad_output, const conv_gradients *gradients,
                          const conv_gradients *magnitudes)
{
    const size_t channels = (size_t)conv->output.extent[1], outputs = count_of(&conv->output);
    const size_t plane = outputs / channels / (size_t)conv->output.extent[0];
    factors of = {input, weight, grad_output, gradients, magnitudes};
    clear(conv, gradients);
    clear(conv, magnitudes);
    conv_products(conv, differentiate, &of);
    for (size_t o = 0; o < outputs; o++) {
        const size_t k = o / plane % channels;
        add(&gradients->bias[k], &magnitudes->bias[k], (double)grad_output[o]);
    }
}
