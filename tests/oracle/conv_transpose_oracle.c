/* Transposed convolution by its definition, in double.
 * SPDX-License-Identifier: MIT */
#include "oracle/conv_transpose_oracle.h"
#include "oracle/conv_products.h"

typedef struct {
    const float *input, *weight;
    double *output;
} factors;

/* What a convolution would read, its transpose writes. */
static void scatter(void *context, const conv_product *one)
{
    const factors *const of = context;
    of->output[one->input] += (double)of->input[one->output] * (double)of->weight[one->weight];
}

void conv_transpose_oracle(const layer_conv_transpose *transpose, const float *input,
                           const float *weight, const float *bias, double *output)
{
    const layer_shape *const shape = &transpose->output;
    size_t plane = 1, element = 0;
    for (int axis = 2; axis < shape->rank; axis++)
        plane *= (size_t)shape->extent[axis];
    for (int n = 0; n < shape->extent[0]; n++)
        for (int k = 0; k < shape->extent[1]; k++)
            for (size_t i = 0; i < plane; i++)
                output[element++] = bias == NULL ? 0 : (double)bias[k];
    conv_products(&transpose->adjoint, scatter, &(factors){input, weight, output});
}
