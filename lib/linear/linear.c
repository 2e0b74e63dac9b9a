/* The linear layer, forward and backward.
 * SPDX-License-Identifier: MIT */
#include "layer/linear.h"
#include "core/blocks.h"
#include "core/product.h"
#include "core/refuse.h"
#include "core/tasks.h"

#include <assert.h>

static layer_status check(const layer_shape *input, const layer_shape *weight, layer_error *error)
{
    size_t count;
    if (input->rank > 2)
        return layer_refuse(error, LAYER_INVALID, "input",
                            "input has rank %d, expected 2, [N, in], or 1, [in]", input->rank);
    if (weight->rank != 2)
        return layer_refuse(error, LAYER_INVALID, "weight",
                            "weight has rank %d, expected 2, [out, in]", weight->rank);
    layer_status status = layer_shape_count(input, "input", &count, error);
    if (status == LAYER_OK)
        status = layer_shape_count(weight, "weight", &count, error);
    if (status == LAYER_OK && input->extent[input->rank - 1] != weight->extent[1])
        return layer_refuse(error, LAYER_INVALID, "weight",
                            "weight takes %d inputs, the input has %d", weight->extent[1],
                            input->extent[input->rank - 1]);
    return status;
}

layer_status layer_linear_describe(layer_linear *linear, const layer_shape *input,
                                   const layer_shape *weight, layer_error *error)
{
    const layer_status status = check(input, weight, error);
    if (status != LAYER_OK)
        return status;
    layer_linear described = {
        .input = *input,
        .weight = *weight,
        .output = *input,
        .batch = input->rank == 2 ? (size_t)input->extent[0] : 1,
        .inputs = (size_t)weight->extent[1],
        .outputs = (size_t)weight->extent[0],
    };
    described.output.extent[input->rank - 1] = weight->extent[0];
    described.multiplications =
        (uint64_t)described.batch * described.inputs * (uint64_t)described.outputs;
    size_t count;
    if (layer_shape_count(&described.output, "the output", &count, error) != LAYER_OK) {
        error->argument = "input";
        return error->status;
    }
    *linear = described;
    return LAYER_OK;
}

layer_status layer_linear_forward(const layer_linear *linear, const float *input,
                                  const float *weight, const float *bias, float *output,
                                  const layer_run *run)
{
    assert(input != NULL && weight != NULL && output != NULL && run != NULL);
    const layer_product product = {
        .rows = linear->batch,
        .columns = linear->outputs,
        .depth = linear->inputs,
        .left = {input, linear->inputs, false},
        .right = {weight, linear->inputs, true},
        .bias = bias,
        .result = output,
    };
    return layer_multiply(&product, run);
}

layer_status layer_linear_grad_input(const layer_linear *linear, const float *weight,
                                     const float *grad_output, float *grad_input,
                                     const layer_run *run)
{
    assert(weight != NULL && grad_output != NULL && grad_input != NULL && run != NULL);
    const layer_product product = {
        .rows = linear->batch,
        .columns = linear->inputs,
        .depth = linear->outputs,
        .left = {grad_output, linear->outputs, false},
        .right = {weight, linear->inputs, false},
        .result = grad_input,
    };
    return layer_multiply(&product, run);
}

layer_status layer_linear_grad_weight(const layer_linear *linear, const float *input,
                                      const float *grad_output, float *grad_weight,
                                      const layer_run *run)
{
    assert(input != NULL && grad_output != NULL && grad_weight != NULL && run != NULL);
    const layer_product product = {
        .rows = linear->outputs,
        .columns = linear->inputs,
        .depth = linear->batch,
        .left = {grad_output, linear->outputs, true},
        .right = {input, linear->inputs, false},
        .result = grad_weight,
    };
    return layer_multiply(&product, run);
}

/* ---- The bias's gradient --------------------------------------------------------------------- */

/* Outputs that a task sums up side by side, and samples between two looks at the cancellation
 * flag. */
enum { SUMS = 64, SAMPLES = 4096 };

typedef struct {
    const layer_linear *linear;
    const float *grad_output;
    float *grad_bias;
    const layer_run *run;
} bias_sums;

static void sum_outputs(void *argument, size_t task, int thread)
{
    (void)thread;
    const bias_sums *const call = argument;
    const size_t outputs = call->linear->outputs, first = task * SUMS;
    const size_t count = layer_smaller(SUMS, outputs - first);
    double sums[SUMS] = {0};
    for (size_t n = 0; n < call->linear->batch; n++) {
        if (n % SAMPLES == 0 && layer_run_cancelled(call->run))
            return;
        for (size_t i = 0; i < count; i++)
            sums[i] += (double)call->grad_output[n * outputs + first + i];
    }
    for (size_t i = 0; i < count; i++)
        call->grad_bias[first + i] = (float)sums[i];
}

layer_status layer_linear_grad_bias(const layer_linear *linear, const float *grad_output,
                                    float *grad_bias, const layer_run *run)
{
    assert(grad_output != NULL && grad_bias != NULL && run != NULL);
    bias_sums call = {linear, grad_output, grad_bias, run};
    return layer_run_tasks(run, layer_blocks_of(linear->outputs, SUMS), sum_outputs, &call);
}
