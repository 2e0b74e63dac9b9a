/* A convolution's matrix by its definition, dense.
 * SPDX-License-Identifier: MIT */
#include "oracle/conv_matrix_oracle.h"
#include "oracle/conv_products.h"

typedef struct {
    const float *weight;
    float *dense;
    bool *there;
    size_t columns;
} filling;

static void fill(void *context, const conv_product *one)
{
    const filling *const of = context;
    const size_t cell = one->output * of->columns + one->input;
    of->dense[cell] = of->weight[one->weight];
    of->there[cell] = true;
}

static size_t count_of(const layer_shape *shape)
{
    size_t count = 1;
    for (int axis = 0; axis < shape->rank; axis++)
        count *= (size_t)shape->extent[axis];
    return count;
}

void conv_matrix_oracle(const layer_conv *conv, const float *weight, float *dense, bool *there)
{
    filling of = {weight, dense, there, count_of(&conv->input)};
    for (size_t cell = 0; cell < count_of(&conv->output) * of.columns; cell++) {
        dense[cell] = 0;
        there[cell] = false;
    }
    conv_products(conv, fill, &of);
}
