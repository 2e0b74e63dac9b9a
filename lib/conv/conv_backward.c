/* The gradients of a convolution with respect to its input and its bias.
 * SPDX-License-Identifier: MIT */
#include "layer/conv_backward.h"
#include "conv/adjoint.h"
#include "conv/implementation.h"
#include "core/tasks.h"
#include "core/total.h"

#include <assert.h>

size_t layer_conv_grad_input_workspace_size(const layer_conv *conv, int threads)
{
    return layer_conv_adjoint_workspace_size(conv, threads);
}

layer_status layer_conv_grad_input(const layer_conv *conv, const float *weight,
                                   const float *grad_output, float *grad_input,
                                   const layer_run *run)
{
    assert(weight != NULL && grad_output != NULL && grad_input != NULL && run != NULL);
    return layer_conv_adjoint(conv, weight, NULL, grad_output, grad_input, run);
}

typedef struct {
    const layer_conv *conv;
    const float *grad_output;
    float *grad_bias;
    const layer_run *run;
} bias_sums;

static void sum_channel(void *argument, size_t k, int thread)
{
    (void)thread;
    const bias_sums *const call = argument;
    const size_t samples = (size_t)call->conv->output.extent[0];
    const size_t channels = (size_t)call->conv->output.extent[1];
    const size_t plane = layer_conv_output_plane(call->conv);
    const layer_total_kernels *const kernels = layer_total_kernels_at(call->run->isa);
    double total = 0;
    for (size_t n = 0; n < samples && !layer_run_cancelled(call->run); n++)
        total += kernels->add(call->grad_output + (n * channels + k) * plane, plane);
    call->grad_bias[k] = (float)total;
}

layer_status layer_conv_grad_bias(const layer_conv *conv, const float *grad_output,
                                  float *grad_bias, const layer_run *run)
{
    assert(grad_output != NULL && grad_bias != NULL && run != NULL);
    bias_sums call = {conv, grad_output, grad_bias, run};
    return layer_run_tasks(run, (size_t)conv->output.extent[1], sum_channel, &call);
}
