/* The gradient of a convolution with respect to its weight: which way.
 * SPDX-License-Identifier: MIT */
#include "conv/grad_weight.h"
#include "conv/implementation.h"
#include "core/blocks.h"

#include <assert.h>

/* A product is a tile of sums, a row for each output channel of a group and a vector for so many of
 * the weights that it has. Fewer vectors than this leave the multiplications' units idle. */
enum { FEWEST_ROWS = 3, FEWEST_VECTORS = 8, VECTOR = 16 };

typedef struct {
    size_t (*size)(const layer_conv *conv, int threads);
    layer_status (*run)(const layer_conv *conv, const float *input, const float *grad_output,
                        float *grad_weight, const layer_run *run);
} way;

static way way_of(const layer_conv *conv)
{
    const size_t rows = (size_t)(conv->weight.extent[0] / conv->group);
    const size_t weights = (size_t)conv->weight.extent[1] * layer_conv_kernel_plane(conv);
    if (rows < FEWEST_ROWS || rows * layer_blocks_of(weights, VECTOR) < FEWEST_VECTORS)
        return (way){layer_grad_weight_dots_size, layer_grad_weight_dots};
    if (layer_grad_weight_winograd_is_best(conv))
        return (way){layer_grad_weight_winograd_size, layer_grad_weight_winograd};
    if (layer_grad_weight_shallow_is_best(conv))
        return (way){layer_grad_weight_shallow_size, layer_grad_weight_shallow};
    return (way){layer_grad_weight_products_size, layer_grad_weight_products};
}

size_t layer_conv_grad_weight_workspace_size(const layer_conv *conv, int threads)
{
    assert(threads >= 1);
    return way_of(conv).size(conv, threads);
}

layer_status layer_conv_grad_weight(const layer_conv *conv, const float *input,
                                    const float *grad_output, float *grad_weight,
                                    const layer_run *run)
{
    assert(input != NULL && grad_output != NULL && grad_weight != NULL && run != NULL);
    assert(run->workspace != NULL);
    return way_of(conv).run(conv, input, grad_output, grad_weight, run);
}
