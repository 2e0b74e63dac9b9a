/* Two convolutions, one after the other, forward and backward.
 * SPDX-License-Identifier: MIT */
#include "separable/chain.h"
#include "core/blocks.h"
#include "core/saturate.h"
#include "layer/conv_backward.h"

#include <assert.h>

/* Bytes of the middle, which lies in front of the convolutions' own workspace. */
static size_t middle_size(const layer_chain *chain)
{
    size_t count = 1;
    for (int axis = 0; axis < chain->first->output.rank; axis++)
        count *= (size_t)chain->first->output.extent[axis];
    return layer_aligned(count * sizeof(float));
}

static layer_run behind_middle(const layer_chain *chain, const layer_run *run)
{
    layer_run inner = *run;
    inner.workspace = (char *)run->workspace + middle_size(chain);
    return inner;
}

/* ---- Forward --------------------------------------------------------------------------------- */

size_t layer_chain_workspace_size(const layer_chain *chain, int threads)
{
    return middle_size(chain) +
           layer_aligned(layer_larger(layer_conv_workspace_size(chain->first, threads),
                                      layer_conv_workspace_size(chain->second, threads)));
}

layer_status layer_chain_forward(const layer_chain *chain, const layer_chain_operands *operands,
                                 float *output, const layer_run *run)
{
    assert(run->workspace != NULL);
    float *const middle = run->workspace;
    const layer_run inner = behind_middle(chain, run);
    const layer_status status =
        layer_conv_forward(chain->first, operands->input, operands->first_weight,
                           operands->first_bias, middle, &inner);
    return status != LAYER_OK ? status
                              : layer_conv_forward(chain->second, middle, operands->second_weight,
                                                   operands->second_bias, output, &inner);
}

/* ---- Backward -------------------------------------------------------------------------------- */

size_t layer_chain_backward_workspace_size(const layer_chain *chain, int threads)
{
    size_t size = layer_conv_workspace_size(chain->first, threads);
    const layer_conv *const convs[] = {chain->first, chain->second};
    for (int i = 0; i < 2; i++) {
        size = layer_larger(size, layer_conv_grad_input_workspace_size(convs[i], threads));
        size = layer_larger(size, layer_conv_grad_weight_workspace_size(convs[i], threads));
    }
    return middle_size(chain) + layer_aligned(size);
}

static layer_status second_backward(const layer_chain *chain, const layer_chain_operands *operands,
                                    const float *grad_output, float *middle,
                                    const layer_chain_gradients *gradients, const layer_run *run)
{
    layer_status status = LAYER_OK;
    if (gradients->second_bias != NULL)
        status = layer_conv_grad_bias(chain->second, grad_output, gradients->second_bias, run);
    if (gradients->second_weight == NULL)
        return status;
    if (status == LAYER_OK)
        status = layer_conv_forward(chain->first, operands->input, operands->first_weight,
                                    operands->first_bias, middle, run);
    if (status == LAYER_OK)
        status = layer_conv_grad_weight(chain->second, middle, grad_output,
                                        gradients->second_weight, run);
    return status;
}

static layer_status first_backward(const layer_chain *chain, const layer_chain_operands *operands,
                                   const float *grad_middle, const layer_chain_gradients *gradients,
                                   const layer_run *run)
{
    layer_status status = LAYER_OK;
    if (gradients->first_bias != NULL)
        status = layer_conv_grad_bias(chain->first, grad_middle, gradients->first_bias, run);
    if (status == LAYER_OK && gradients->first_weight != NULL)
        status = layer_conv_grad_weight(chain->first, operands->input, grad_middle,
                                        gradients->first_weight, run);
    if (status == LAYER_OK && gradients->input != NULL)
        status = layer_conv_grad_input(chain->first, operands->first_weight, grad_middle,
                                       gradients->input, run);
    return status;
}

layer_status layer_chain_backward(const layer_chain *chain, const layer_chain_operands *operands,
                                  const float *grad_output, const layer_chain_gradients *gradients,
                                  const layer_run *run)
{
    assert(run->workspace != NULL);
    float *const middle = run->workspace; /* then its gradient */
    const layer_run inner = behind_middle(chain, run);
    const bool reaches_first = gradients->first_bias != NULL || gradients->first_weight != NULL ||
                               gradients->input != NULL;
    layer_status status = second_backward(chain, operands, grad_output, middle, gradients, &inner);
    if (status != LAYER_OK || !reaches_first)
        return status;
    status =
        layer_conv_grad_input(chain->second, operands->second_weight, grad_output, middle, &inner);
    return status != LAYER_OK ? status : first_backward(chain, operands, middle, gradients, &inner);
}

uint64_t layer_chain_backward_multiplications(const layer_chain *chain)
{
    return layer_saturating_add(layer_saturating_multiply(3, chain->first->multiplications),
                                layer_saturating_multiply(2, chain->second->multiplications));
}
