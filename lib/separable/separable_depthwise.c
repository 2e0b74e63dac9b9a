/* Depthwise-separable convolution as a chain of two.
 * SPDX-License-Identifier: MIT */
#include "layer/separable_depthwise.h"
#include "core/refuse.h"
#include "core/saturate.h"
#include "core/sliding.h"
#include "separable/chain.h"

#include <assert.h>
#include <string.h>

/* ---- Describing ------------------------------------------------------------------------------ */

static layer_status check_depthwise(const layer_shape *input, const layer_shape *weight,
                                    layer_error *error)
{
    size_t count;
    if (weight->rank < 3 || weight->rank > LAYER_MAX_RANK)
        return layer_refuse(error, LAYER_INVALID, "depthwise_weight",
                            "depthwise_weight has rank %d, expected 3 to %d: [J, 1, 1 to %d "
                            "spatial axes]",
                            weight->rank, LAYER_MAX_RANK, LAYER_MAX_SPATIAL);
    if (input->rank != weight->rank)
        return layer_refuse(error, LAYER_INVALID, "input",
                            "input has rank %d, expected %d as depthwise_weight has", input->rank,
                            weight->rank);
    layer_status status = layer_shape_count(weight, "depthwise_weight", &count, error);
    if (status == LAYER_OK)
        status = layer_shape_count(input, "input", &count, error);
    if (status != LAYER_OK)
        return status;
    if (weight->extent[1] != 1)
        return layer_refuse(error, LAYER_INVALID, "depthwise_weight",
                            "depthwise_weight takes %d channels each, expected 1",
                            weight->extent[1]);
    if (weight->extent[0] % input->extent[1] != 0)
        return layer_refuse(error, LAYER_INVALID, "depthwise_weight",
                            "depthwise_weight has %d kernels, expected a multiple of the input's "
                            "%d channels",
                            weight->extent[0], input->extent[1]);
    return LAYER_OK;
}

static layer_status check_pointwise(const layer_shape *depthwise, const layer_shape *weight,
                                    layer_error *error)
{
    size_t count;
    if (weight->rank != depthwise->rank)
        return layer_refuse(error, LAYER_INVALID, "pointwise_weight",
                            "pointwise_weight has rank %d, expected %d as depthwise_weight has",
                            weight->rank, depthwise->rank);
    const layer_status status = layer_shape_count(weight, "pointwise_weight", &count, error);
    if (status != LAYER_OK)
        return status;
    if (weight->extent[1] != depthwise->extent[0])
        return layer_refuse(error, LAYER_INVALID, "pointwise_weight",
                            "pointwise_weight takes %d channels, depthwise_weight makes %d",
                            weight->extent[1], depthwise->extent[0]);
    for (int axis = 2; axis < weight->rank; axis++)
        if (weight->extent[axis] != 1)
            return layer_refuse(error, LAYER_INVALID, "pointwise_weight",
                                "pointwise_weight has extent %d along axis %d, expected 1",
                                weight->extent[axis], axis);
    return LAYER_OK;
}

/* What the convolution would say of "weight" is said of "depthwise_weight". */
static layer_status check_windows(const layer_shape *input, const layer_shape *weight,
                                  const layer_geometry *geometry, layer_error *error)
{
    layer_window windows[LAYER_MAX_SPATIAL];
    return layer_sliding_describe(windows, weight->rank - 2, input->extent + 2, weight->extent + 2,
                                  geometry, false, "depthwise_weight", error);
}

/* An output channel takes the kernel over all input channels. */
static uint64_t full_multiplications(const layer_separable_depthwise *separable)
{
    const layer_conv *const depthwise = &separable->depthwise, *const pointwise =
                                                                   &separable->pointwise;
    uint64_t product = (uint64_t)depthwise->input.extent[1];
    for (int axis = 0; axis < pointwise->axes; axis++)
        product = layer_saturating_multiply(product, (uint64_t)depthwise->weight.extent[2 + axis]);
    for (int axis = 0; axis < pointwise->output.rank; axis++)
        product = layer_saturating_multiply(product, (uint64_t)pointwise->output.extent[axis]);
    return product;
}

static layer_chain chain_of(const layer_separable_depthwise *separable)
{
    return (layer_chain){&separable->depthwise, &separable->pointwise};
}

layer_status layer_separable_depthwise_describe(layer_separable_depthwise *separable,
                                                const layer_shape *input,
                                                const layer_shape *depthwise_weight,
                                                const layer_shape *pointwise_weight,
                                                const layer_conv_options *options,
                                                layer_error *error)
{
    layer_conv_options depthwise = {0};
    if (options != NULL)
        depthwise = *options;
    assert(depthwise.group == 0);
    layer_status status = check_depthwise(input, depthwise_weight, error);
    if (status == LAYER_OK)
        status = check_pointwise(depthwise_weight, pointwise_weight, error);
    if (status == LAYER_OK)
        status = check_windows(input, depthwise_weight, &depthwise.geometry, error);
    if (status != LAYER_OK)
        return status;
    depthwise.group = input->extent[1];
    const layer_conv_options pointwise = {.algorithm = depthwise.algorithm};
    layer_separable_depthwise described;
    status = layer_conv_describe(&described.depthwise, input, depthwise_weight, &depthwise, error);
    if (status == LAYER_OK)
        status = layer_conv_describe(&described.pointwise, &described.depthwise.output,
                                     pointwise_weight, &pointwise, error);
    if (status != LAYER_OK)
        return status;
    const layer_chain chain = chain_of(&described);
    described.multiplications = layer_saturating_add(described.depthwise.multiplications,
                                                     described.pointwise.multiplications);
    described.full_multiplications = full_multiplications(&described);
    described.backward_multiplications = layer_chain_backward_multiplications(&chain);
    *separable = described;
    return LAYER_OK;
}

/* ---- Running --------------------------------------------------------------------------------- */

static layer_chain_operands chained(const layer_separable_depthwise_operands *operands)
{
    assert(operands->input != NULL && operands->depthwise_weight != NULL &&
           operands->pointwise_weight != NULL);
    return (layer_chain_operands){
        .input = operands->input,
        .first_weight = operands->depthwise_weight,
        .first_bias = operands->depthwise_bias,
        .second_weight = operands->pointwise_weight,
        .second_bias = operands->pointwise_bias,
    };
}

size_t layer_separable_depthwise_workspace_size(const layer_separable_depthwise *separable,
                                                int threads)
{
    const layer_chain chain = chain_of(separable);
    return layer_chain_workspace_size(&chain, threads);
}

layer_status layer_separable_depthwise_forward(const layer_separable_depthwise *separable,
                                               const layer_separable_depthwise_operands *operands,
                                               float *output, const layer_run *run)
{
    const layer_chain chain = chain_of(separable);
    const layer_chain_operands given = chained(operands);
    return layer_chain_forward(&chain, &given, output, run);
}

size_t layer_separable_depthwise_backward_workspace_size(const layer_separable_depthwise *separable,
                                                         int threads)
{
    const layer_chain chain = chain_of(separable);
    return layer_chain_backward_workspace_size(&chain, threads);
}

layer_status layer_separable_depthwise_backward(
    const layer_separable_depthwise *separable, const layer_separable_depthwise_operands *operands,
    const float *grad_output, const layer_separable_depthwise_gradients *gradients,
    const layer_run *run)
{
    const layer_chain chain = chain_of(separable);
    const layer_chain_operands given = chained(operands);
    const layer_chain_gradients wanted = {
        .input = gradients->input,
        .first_weight = gradients->depthwise_weight,
        .first_bias = gradients->depthwise_bias,
        .second_weight = gradients->pointwise_weight,
        .second_bias = gradients->pointwise_bias,
    };
    return layer_chain_backward(&chain, &given, grad_output, &wanted, run);
}
