/* POST /v1/conv/backward: the gradients of a convolution.
 * SPDX-License-Identifier: MIT */
#include "conv_fields.h"
#include "operation.h"
#include "ranks.h"

#include <layer/conv_backward.h>

typedef enum { GRAD_INPUT, GRAD_WEIGHT, GRAD_BIAS } gradient;

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
        api_result grad_input, grad_weight, grad_bias;
        api_decided_geometry geometry;
        api_integer group;
    } reply;
} backward_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_option gradients[] = {
    {"grad_input", GRAD_INPUT, "takes weight and grad_output"},
    {"grad_weight", GRAD_WEIGHT, "takes input and grad_output"},
    {"grad_bias", GRAD_BIAS, "takes grad_output"},
    {0},
};

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
     .options = gradients,
     .summary = "the gradients to compute; by default all three, or with input_shape all but "
                "grad_weight"},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "grad_input",
     .kind = &api_result_kind,
     .offset = offsetof(backward_call, reply.grad_input),
     .summary = "of the input's shape"},
    {.name = "grad_weight",
     .kind = &api_result_kind,
     .offset = offsetof(backward_call, reply.grad_weight),
     .summary = "of the weight's shape"},
    {.name = "grad_bias",
     .kind = &api_result_kind,
     .offset = offsetof(backward_call, reply.grad_bias),
     .summary = "[K]"},
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
        return api_refuse(problem, 422, "/input_shape", "input_shape conflicts with input");
    return is_given || shape_is_given ||
           api_refuse(problem, 422, "/input",
                      "missing field \"input\", or \"input_shape\" where grad_weight is not asked "
                      "for");
}

static uint32_t bit_of(gradient which)
{
    return UINT32_C(1) << which;
}

/* The gradients asked for, as bits. */
static bool choose(const backward_call *call, uint32_t *chosen, api_problem *problem)
{
    const bool by_shape = !call->request.input.given;
    const uint32_t possible =
        bit_of(GRAD_INPUT) | bit_of(GRAD_BIAS) | (by_shape ? 0 : bit_of(GRAD_WEIGHT));
    *chosen = call->request.outputs.given ? call->request.outputs.value : possible;
    return (*chosen & ~possible) == 0 ||
           api_refuse(problem, 422, "/outputs",
                      "outputs has grad_weight, which takes input; input_shape is its shape alone");
}

static uint64_t multiplications_of(const layer_conv *conv, uint32_t chosen)
{
    const uint64_t products =
        (uint64_t)((chosen & bit_of(GRAD_INPUT)) != 0) + ((chosen & bit_of(GRAD_WEIGHT)) != 0);
    uint64_t all;
    return __builtin_mul_overflow(conv->multiplications, products, &all) ? UINT64_MAX : all;
}

static void fill_reply(backward_call *call, const layer_shape *input, uint32_t chosen)
{
    const layer_conv *const conv = &call->conv;
    const layer_shape bias = {.rank = 1, .extent = {conv->weight.extent[0]}};
    call->call.multiplications = multiplications_of(conv, chosen);
    call->reply.grad_input =
        (api_result){.given = (chosen & bit_of(GRAD_INPUT)) != 0, .shape = *input};
    call->reply.grad_weight = (api_result){.given = (chosen & bit_of(GRAD_WEIGHT)) != 0,
                                           .shape = call->request.weight.shape};
    call->reply.grad_bias = (api_result){.given = (chosen & bit_of(GRAD_BIAS)) != 0, .shape = bias};
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
    const size_t input = call->reply.grad_input.given
                             ? layer_conv_grad_input_workspace_size(&call->conv, threads)
                             : 0;
    const size_t weight = call->reply.grad_weight.given
                              ? layer_conv_grad_weight_workspace_size(&call->conv, threads)
                              : 0;
    return input > weight ? input : weight;
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const backward_call *const call = (const backward_call *)base;
    const float *const grad_output = call->request.grad_output.data;
    layer_status status = LAYER_OK;
    if (call->reply.grad_input.given)
        status = layer_conv_grad_input(&call->conv, call->request.weight.data, grad_output,
                                       call->reply.grad_input.data, run);
    if (status == LAYER_OK && call->reply.grad_weight.given)
        status = layer_conv_grad_weight(&call->conv, call->request.input.data, grad_output,
                                        call->reply.grad_weight.data, run);
    if (status == LAYER_OK && call->reply.grad_bias.given)
        status = layer_conv_grad_bias(&call->conv, grad_output, call->reply.grad_bias.data, run);
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
