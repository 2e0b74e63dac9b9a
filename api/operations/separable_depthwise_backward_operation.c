/* POST /v1/separable/depthwise/backward: the gradients of a depthwise-separable convolution.
 * SPDX-License-Identifier: MIT */
#include "depthwise_fields.h"
#include "operation.h"
#include "ranks.h"
#include "shapes.h"

enum {
    GRAD_INPUT,
    GRAD_DEPTHWISE_WEIGHT,
    GRAD_DEPTHWISE_BIAS,
    GRAD_POINTWISE_WEIGHT,
    GRAD_POINTWISE_BIAS,
    GRADIENTS
};

typedef struct {
    api_call call;
    struct {
        api_depthwise operands;
        api_tensor grad_output;
        api_choices outputs;
    } request;
    layer_separable_depthwise separable;
    struct {
        api_result gradients[GRADIENTS];
        api_decided_geometry geometry;
    } reply;
} backward_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_option gradients[] = {
    {"grad_input", GRAD_INPUT, NULL},
    {"grad_depthwise_weight", GRAD_DEPTHWISE_WEIGHT, NULL},
    {"grad_depthwise_bias", GRAD_DEPTHWISE_BIAS, NULL},
    {"grad_pointwise_weight", GRAD_POINTWISE_WEIGHT, NULL},
    {"grad_pointwise_bias", GRAD_POINTWISE_BIAS, NULL},
    {0},
};

static const api_field request_fields[] = {
    {.name = "operands",
     .kind = &api_included_kind,
     .offset = offsetof(backward_call, request.operands),
     .fields = api_depthwise_fields},
    {.name = "grad_output",
     .kind = &api_tensor_kind,
     .offset = offsetof(backward_call, request.grad_output),
     .required = true,
     .summary = "the gradient with respect to the output, of the output's shape"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(backward_call, request.operands.geometry),
     .fields = api_geometry_fields},
    {.name = "outputs",
     .kind = &api_choices_kind,
     .offset = offsetof(backward_call, request.outputs),
     .options = gradients,
     .summary = "the gradients to compute; by default all"},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "grad_input",
     .kind = &api_result_kind,
     .offset = offsetof(backward_call, reply.gradients[GRAD_INPUT]),
     .summary = "of the input's shape"},
    {.name = "grad_depthwise_weight",
     .kind = &api_result_kind,
     .offset = offsetof(backward_call, reply.gradients[GRAD_DEPTHWISE_WEIGHT]),
     .summary = "of the shape of depthwise_weight"},
    {.name = "grad_depthwise_bias",
     .kind = &api_result_kind,
     .offset = offsetof(backward_call, reply.gradients[GRAD_DEPTHWISE_BIAS]),
     .summary = "[J]"},
    {.name = "grad_pointwise_weight",
     .kind = &api_result_kind,
     .offset = offsetof(backward_call, reply.gradients[GRAD_POINTWISE_WEIGHT]),
     .summary = "of the shape of pointwise_weight"},
    {.name = "grad_pointwise_bias",
     .kind = &api_result_kind,
     .offset = offsetof(backward_call, reply.gradients[GRAD_POINTWISE_BIAS]),
     .summary = "[K]"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(backward_call, reply.geometry),
     .fields = api_decided_geometry_fields},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static void fill_reply(backward_call *call)
{
    const layer_separable_depthwise *const separable = &call->separable;
    const layer_shape *const depthwise = &separable->depthwise.weight;
    const layer_shape *const pointwise = &separable->pointwise.weight;
    const layer_shape shapes[GRADIENTS] = {
        [GRAD_INPUT] = call->request.operands.input.shape,   [GRAD_DEPTHWISE_WEIGHT] = *depthwise,
        [GRAD_DEPTHWISE_BIAS] = {1, {depthwise->extent[0]}}, [GRAD_POINTWISE_WEIGHT] = *pointwise,
        [GRAD_POINTWISE_BIAS] = {1, {pointwise->extent[0]}},
    };
    for (unsigned which = 0; which < GRADIENTS; which++)
        call->reply.gradients[which] = (api_result){
            .given = api_is_wanted(&call->request.outputs, which), .shape = shapes[which]};
    call->call.multiplications = separable->backward_multiplications;
    api_decide_geometry(&call->reply.geometry, separable->depthwise.window,
                        separable->depthwise.axes);
}

static bool describe(api_call *base, api_problem *problem)
{
    backward_call *const call = (backward_call *)base;
    if (!api_describe_depthwise(&call->request.operands, &call->separable, problem))
        return false;
    fill_reply(call);
    const layer_shape output =
        api_narrowed(&call->separable.pointwise.output, call->request.operands.input.shape.rank);
    return api_check_shape(&call->request.grad_output, "grad_output", &output, "the output's",
                           problem);
}

/* ---- Computing ------------------------------------------------------------------------------- */

static size_t workspace_size(const api_call *base, int threads)
{
    const backward_call *const call = (const backward_call *)base;
    return layer_separable_depthwise_backward_workspace_size(&call->separable, threads);
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const backward_call *const call = (const backward_call *)base;
    const api_result *const results = call->reply.gradients;
    const layer_separable_depthwise_operands operands =
        api_depthwise_operands(&call->request.operands);
    const layer_separable_depthwise_gradients wanted = {
        .input = results[GRAD_INPUT].data,
        .depthwise_weight = results[GRAD_DEPTHWISE_WEIGHT].data,
        .depthwise_bias = results[GRAD_DEPTHWISE_BIAS].data,
        .pointwise_weight = results[GRAD_POINTWISE_WEIGHT].data,
        .pointwise_bias = results[GRAD_POINTWISE_BIAS].data,
    };
    return layer_separable_depthwise_backward(&call->separable, &operands,
                                              call->request.grad_output.data, &wanted, run);
}

const api_operation api_operation_separable_depthwise_backward = {
    .name = "separable/depthwise/backward",
    .summary = "Differentiate a depthwise-separable convolution",
    .description =
        "The gradients of a depthwise-separable convolution with respect to its input, weights and "
        "biases, from the gradient with respect to its output, with the attributes that it has "
        "going forward. Each gradient has the shape of what it belongs to.",
    .example = "{\"input\":[[[1,2,3],[4,5,6]],[[1,0,1],[0,1,0]]],"
               "\"depthwise_weight\":[[[[1,1]]],[[[1,-1]]]],"
               "\"pointwise_weight\":[[[[1]],[[10]]]],\"grad_output\":[[[1,0],[0,1]]]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(backward_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
