/* The gradients of a convolution by their definition, in double.
 * SPDX-License-Identifier: MIT */
#include "oracle/conv_backward_oracle.h"
#include "oracle/conv_products.h"

typedef struct {
    const float *input, *weight, *grad_output;
    const conv_gradients *gradients;
} factors;

static void differentiate(void *context, const conv_product *one)
{
    const factors *const of = context;
    const double gradient = (double)of->grad_output[one->output];
    of->gradients->input[one->input] += (double)of->weight[one->weight] * gradient;
    of->gradients->weight[one->weight] += (double)of->input[one->input] * gradient;
}

static size_t count_of(const layer_shape *shape)
{
    size_t count = 1;
    for (int axis = 0; axis < shape->rank; axis++)
        count *= (size_t)shape->extent[axis];
    return count;
}

static void clear(double *sums, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] = 0;
}

void conv_backward_oracle(const layer_conv *conv, const float *input, const float *weight,
                          const float *grad_output, const conv_gradients *gradients)
{
    const size_t channels = (size_t)conv->output.extent[1], outputs = count_of(&conv->output);
    const size_t plane = outputs / channels / (size_t)conv->output.extent[0];
    factors of = {input, weight, grad_output, gradients};
    clear(gradients->input, count_of(&conv->input));
    clear(gradients->weight, count_of(&conv->weight));
    clear(gradients->bias, channels);
    conv_products(conv, differentiate, &of);
    for (size_t o = 0; o < outputs; o++)
        gradients->bias[o / plane % channels] += (double)grad_output[o];
}
