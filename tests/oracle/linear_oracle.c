/* The linear layer and its gradients by their definition, in double.
 * SPDX-License-Identifier: MIT */
#include "oracle/linear_oracle.h"

static void clear(double *elements, size_t count)
{
    for (size_t i = 0; i < count; i++)
        elements[i] = 0;
}

void linear_oracle(const layer_linear *linear, const float *input, const float *weight,
                   const float *bias, double *output)
{
    const float(*const x)[linear->inputs] = (const float(*)[linear->inputs])input;
    const float(*const w)[linear->inputs] = (const float(*)[linear->inputs])weight;
    for (size_t n = 0; n < linear->batch; n++)
        for (size_t o = 0; o < linear->outputs; o++) {
            double sum = bias == NULL ? 0 : (double)bias[o];
            for (size_t i = 0; i < linear->inputs; i++)
                sum += (double)w[o][i] * (double)x[n][i];
            output[n * linear->outputs + o] = sum;
        }
}

void linear_backward_oracle(const layer_linear *linear, const float *input, const float *weight,
                            const float *grad_output, const linear_gradients *gradients)
{
    const size_t inputs = linear->inputs, outputs = linear->outputs;
    clear(gradients->input, linear->batch * inputs);
    clear(gradients->weight, outputs * inputs);
    clear(gradients->bias, outputs);
    for (size_t n = 0; n < linear->batch; n++)
        for (size_t o = 0; o < outputs; o++) {
            const double gradient = (double)grad_output[n * outputs + o];
            gradients->bias[o] += gradient;
            for (size_t i = 0; i < inputs; i++) {
                gradients->input[n * inputs + i] += gradient * (double)weight[o * inputs + i];
                gradients->weight[o * inputs + i] += gradient * (double)input[n * inputs + i];
            }
        }
}
