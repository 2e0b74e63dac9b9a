/* POST /v1/linear/backward: the gradients of a linear layer.
 * SPDX-License-Identifier: MIT */
#include "gradients.h"
#include "operation.h"
#include "shapes.h"

#include <layer/linear.h>

typedef struct {
    api_call call;
    struct {
        api_tensor input, weight, grad_output;
        api_choices outputs;
    } request;
    layer_linear linear;
    struct {
        api_gradient_results gradients;
    } reply;
} backward_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_field request_fields[] = {
    {.name = "input",
     .kind = &api_tensor_kind,
     .offset = offsetof(backward_call, request.input),
     .summary = "[N, in], or one sample [in], as going forward; grad_weight takes it"},
    {.name = "weight",
     .kind = &api_tensor_kind,
     .offset = offsetof(backward_call, request.weight),
     .summary = "[out, in], as going forward; grad_input takes it"},
    {.name = "grad_output",
     .kind = &api_tensor_kind,
     .offset = offsetof(backward_call, request.grad_output),
     .required = true,
     .summary = "the gradient with respect to the output, of the output's shape"},
    {.name = "outputs",
     .kind = &api_choices_kind,
     .offset = offsetof(backward_call, request.outputs),
     .options = api_gradients,
     .summary = "the gradients to compute; by default all that what is given allows"},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "gradients",
     .kind = &api_included_kind,
     .offset = offsetof(backward_call, reply.gradients),
     .fields = api_gradient_fields},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

/* Refuses a gradient that was asked for without what it takes. */
static bool check_given(const api_tensor *tensor, const char *pointer, uint32_t chosen,
                        api_gradient which, api_problem *problem)
{
    return tensor->given || (chosen & api_choice_bit(which)) == 0 ||
           api_refuse(problem, 422, pointer, "missing field \"%s\", which %s takes", pointer + 1,
                      api_gradients[which].name);
}

/* The gradients asked for, as bits. */
static bool choose(const backward_call *call, uint32_t *chosen, api_problem *problem)
{
    const uint32_t possible = (call->request.weight.given ? api_choice_bit(API_GRAD_INPUT) : 0) |
                              (call->request.input.given ? api_choice_bit(API_GRAD_WEIGHT) : 0) |
                              api_choice_bit(API_GRAD_BIAS);
    *chosen = call->request.outputs.given ? call->request.outputs.value : possible;
    return check_given(&call->request.weight, "/weight", *chosen, API_GRAD_INPUT, problem) &&
           check_given(&call->request.input, "/input", *chosen, API_GRAD_WEIGHT, problem);
}

/* The shapes of input and weight, of which either may be left out: grad_output says the rest. */
static bool find_shapes(const backward_call *call, layer_shape *input, layer_shape *weight,
                        api_problem *problem)
{
    const api_tensor *const output = &call->request.grad_output;
    const int last = output->shape.rank - 1;
    if (output->shape.rank > 2)
        return api_refuse(problem, 422, "/grad_output",
                          "grad_output has rank %d, expected 2, [N, out], or 1, [out]",
                          output->shape.rank);
    *input = call->request.input.given ? call->request.input.shape : output->shape;
    *weight = call->request.weight.given ? call->request.weight.shape : (layer_shape){2, {1, 1}};
    if (!call->request.weight.given) {
        weight->extent[0] = output->shape.extent[last];
        weight->extent[1] = input->extent[input->rank - 1];
    }
    if (!call->request.input.given)
        input->extent[last] = weight->extent[1];
    return true;
}

static void fill_reply(backward_call *call, uint32_t chosen)
{
    const layer_linear *const linear = &call->linear;
    call->call.multiplications = linear->multiplications * api_gradient_products(chosen);
    api_fill_gradients(&call->reply.gradients, chosen, &linear->input, &linear->weight,
                       linear->weight.extent[0]);
}

static bool describe(api_call *base, api_problem *problem)
{
    backward_call *const call = (backward_call *)base;
    layer_shape input, weight;
    layer_error error;
    uint32_t chosen;
    if (!choose(call, &chosen, problem) || !find_shapes(call, &input, &weight, problem))
        return false;
    if (layer_linear_describe(&call->linear, &input, &weight, &error) != LAYER_OK)
        return api_refuse_layer(problem, &error);
    fill_reply(call, chosen);
    return api_check_shape(&call->request.grad_output, "grad_output", &call->linear.output,
                           "the output's", problem);
}

/* ---- Computing ------------------------------------------------------------------------------- */

static layer_status compute(api_call *base, const layer_run *run)
{
    const backward_call *const call = (const backward_call *)base;
    const api_gradient_results *const gradients = &call->reply.gradients;
    const float *const grad_output = call->request.grad_output.data;
    layer_status status = LAYER_OK;
    if (gradients->grad_input.given)
        status = layer_linear_grad_input(&call->linear, call->request.weight.data, grad_output,
                                         gradients->grad_input.data, run);
    if (status == LAYER_OK && gradients->grad_weight.given)
        status = layer_linear_grad_weight(&call->linear, call->request.input.data, grad_output,
                                          gradients->grad_weight.data, run);
    if (status == LAYER_OK && gradients->grad_bias.given)
        status = layer_linear_grad_bias(&call->linear, grad_output, gradients->grad_bias.data, run);
    return status;
}

const api_operation api_operation_linear_backward = {
    .name = "linear/backward",
    .summary = "Differentiate a linear layer",
    .description =
        "The gradients of a linear layer y = W x + b, from the gradient g with respect to its "
        "output: W'g with respect to the input, the sum of g x' over the batch with respect to the "
        "weight, the sum of g with respect to the bias.",
    .example = "{\"input\":[1,2,3],\"weight\":[[1,0,1],[0,2,0]],\"grad_output\":[1,-1]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(backward_call),
    .describe = describe,
    .compute = compute,
};
