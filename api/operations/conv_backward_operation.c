/* POST /v1/conv/backward: the gradients of a convolution.
 * SPDX-License-Identifier: MIT */
#include "conv_fields.h"
#include "gradients.h"
#include "operation.h"
#include "ranks.h"
#include "shapes.h"

#include <layer/conv_backward.h>

typedef struct {
    api_call call;
    struct {
        api_tensor input, weight, grad_output;
        api_shape input_shape;
        api_geometry geometry;
        api_conv_attributes attributes;
        api_choices outputs;
    } request;
    layer_conv conv;
    struct {
        api_gradient_results gradients;
        api_decided_geometry geometry;
        api_integer group;
    } reply;
} backward_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_field request_fields[] = {
    {.name = "input",
     .kind = &api_tensor_kind,
     .offset = offsetof(backward_call, request.input),
     .summary = "as going forward; grad_weight takes it, for the others input_shape will do"},
    {.name = "input_shape",
     .kind = &api_shape_kind,
     .offset = offsetof(backward_call, request.input_shape),
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fewest = 1,
     .most = LAYER_MAX_RANK,
     .summary = "the input's shape, in place of the input: several inputs may have the same "
                "output, so that grad_output does not say it"},
    {.name = "weight",
     .kind = &api_tensor_kind,
     .offset = offsetof(backward_call, request.weight),
     .required = true,
     .summary = "as going forward; of grad_weight and grad_bias its shape alone matters"},
    {.name = "grad_output",
     .kind = &api_tensor_kind,
     .offset = offsetof(backward_call, request.grad_output),
     .required = true,
     .summary = "the gradient with respect to the output, of the output's shape"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(backward_call, request.geometry),
     .fields = api_geometry_fields},
    {.name = "attributes",
     .kind = &api_included_kind,
     .offset = offsetof(backward_call, request.attributes),
     .fields = api_conv_attribute_fields},
    {.name = "outputs",
     .kind = &api_choices_kind,
     .offset = offsetof(backward_call, request.outputs),
     .options = api_gradients,
     .summary = "the gradients to compute; by default all three, or with input_shape all but "
                "grad_weight"},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "gradients",
     .kind = &api_included_kind,
     .offset = offsetof(backward_call, reply.gradients),
     .fields = api_gradient_fields},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(backward_call, reply.geometry),
     .fields = api_decided_geometry_fields},
    {.name = "group",
     .kind = &api_integer_kind,
     .offset = offsetof(backward_call, reply.group),
     .required = true,
     .summary = "groups that the channels are divided into"},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static bool check_input(const backward_call *call, api_problem *problem)
{
    const bool is_given = call->request.input.given;
    const bool shape_is_given = call->request.input_shape.given;
    if (is_given && shape_is_given)
        return api_refuse_both(problem, "input_shape", "input");
    return is_given || shape_is_given ||
           api_refuse(problem, 422, "/input",
                      "missing field \"input\", or \"input_shape\" where grad_weight is not asked "
                      "for");
}

/* The gradients asked for, as bits. */
static bool choose(const backward_call *call, uint32_t *chosen, api_problem *problem)
{
    const bool by_shape = !call->request.input.given;
    const uint32_t possible = api_choice_bit(API_GRAD_INPUT) | api_choice_bit(API_GRAD_BIAS) |
                              (by_shape ? 0 : api_choice_bit(API_GRAD_WEIGHT));
    *chosen = call->request.outputs.given ? call->request.outputs.value : possible;
    return (*chosen & ~possible) == 0 ||
           api_refuse(problem, 422, "/outputs",
                      "outputs has grad_weight, which takes input; input_shape is its shape alone");
}

static void fill_reply(backward_call *call, const layer_shape *input, uint32_t chosen)
{
    const layer_conv *const conv = &call->conv;
    if (__builtin_mul_overflow(conv->multiplications, api_gradient_products(chosen),
                               &call->call.multiplications))
        call->call.multiplications = UINT64_MAX;
    api_fill_gradients(&call->reply.gradients, chosen, input, &call->request.weight.shape,
                       conv->weight.extent[0]);
    call->reply.group = (api_integer){true, conv->group};
    api_decide_geometry(&call->reply.geometry, conv->window, conv->axes);
}

static bool describe(api_call *base, api_problem *problem)
{
    backward_call *const call = (backward_call *)base;
    const bool by_shape = !call->request.input.given;
    uint32_t chosen;
    const api_conv_asked asked = {
        .input = by_shape ? &call->request.input_shape.value : &call->request.input.shape,
        .weight = &call->request.weight.shape,
        .input_field = by_shape ? "input_shape" : "input",
        .geometry = &call->request.geometry,
        .attributes = &call->request.attributes,
    };
    if (!check_input(call, problem) || !choose(call, &chosen, problem) ||
        !api_describe_conv(&asked, &call->conv, problem))
        return false;
    fill_reply(call, asked.input, chosen);
    const layer_shape output = api_narrowed(&call->conv.output, asked.input->rank);
    return api_check_shape(&call->request.grad_output, "grad_output", &output, "the output's",
                           problem);
}

/* ---- Computing ------------------------------------------------------------------------------- */

static size_t workspace_size(const api_call *base, int threads)
{
    const backward_call *const call = (const backward_call *)base;
    const size_t input = call->reply.gradients.grad_input.given
                             ? layer_conv_grad_input_workspace_size(&call->conv, threads)
                             : 0;
    const size_t weight = call->reply.gradients.grad_weight.given
                              ? layer_conv_grad_weight_workspace_size(&call->conv, threads)
                              : 0;
    return input > weight ? input : weight;
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const backward_call *const call = (const backward_call *)base;
    const api_gradient_results *const gradients = &call->reply.gradients;
    const float *const grad_output = call->request.grad_output.data;
    layer_status status = LAYER_OK;
    if (gradients->grad_input.given)
        status = layer_conv_grad_input(&call->conv, call->request.weight.data, grad_output,
                                       gradients->grad_input.data, run);
    if (status == LAYER_OK && gradients->grad_weight.given)
        status = layer_conv_grad_weight(&call->conv, call->request.input.data, grad_output,
                                        gradients->grad_weight.data, run);
    if (status == LAYER_OK && gradients->grad_bias.given)
        status = layer_conv_grad_bias(&call->conv, grad_output, gradients->grad_bias.data, run);
    return status;
}

const api_operation api_operation_conv_backward = {
    .name = "conv/backward",
    .summary = "Differentiate a convolution",
    .description =
        "The gradients of a convolution with respect to its input, weight and bias, from the "
        "gradient with respect to its output, with the attributes that it has going forward. "
        "grad_weight needs the input; for the others its shape, as input_shape, is enough. Each "
        "gradient has the shape of what it belongs to, in the rank in which that was given.",
    .example = "{\"input\":[[1,2,3],[4,5,6],[7,8,9]],\"weight\":[[1,2],[3,4]],"
               "\"grad_output\":[[1,0],[0,1]]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(backward_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
