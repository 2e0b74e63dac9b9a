/* POST /v1/separable/spatial/backward: the gradients of a spatially separable convolution.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "ranks.h"
#include "shapes.h"
#include "spatial_fields.h"

enum { GRAD_INPUT, GRAD_COLUMN, GRAD_ROW, GRAD_BIAS, GRADIENTS };

typedef struct {
    api_call call;
    struct {
        api_spatial operands;
        api_tensor grad_output;
        api_choices outputs;
    } request;
    layer_separable_spatial separable;
    struct {
        api_result gradients[GRADIENTS];
        api_decided_geometry geometry;
        api_integer group;
    } reply;
} backward_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_option gradients[] = {
    {"grad_input", GRAD_INPUT, NULL},
    {"grad_column", GRAD_COLUMN, NULL},
    {"grad_row", GRAD_ROW, NULL},
    {"grad_bias", GRAD_BIAS, NULL},
    {0},
};

static const api_field request_fields[] = {
    {.name = "operands",
     .kind = &api_included_kind,
     .offset = offsetof(backward_call, request.operands),
     .fields = api_spatial_fields},
    {.name = "grad_output",
     .kind = &api_tensor_kind,
     .offset = offsetof(backward_call, request.grad_output),
     .required = true,
     .summary = "the gradient with respect to the output, of the output's shape"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(backward_call, request.operands.geometry),
     .fields = api_geometry_fields},
    {.name = "attributes",
     .kind = &api_included_kind,
     .offset = offsetof(backward_call, request.operands.attributes),
     .fields = api_conv_attribute_fields},
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
    {.name = "grad_column",
     .kind = &api_result_kind,
     .offset = offsetof(backward_call, reply.gradients[GRAD_COLUMN]),
     .summary = "of column's shape"},
    {.name = "grad_row",
     .kind = &api_result_kind,
     .offset = offsetof(backward_call, reply.gradients[GRAD_ROW]),
     .summary = "of row's shape"},
    {.name = "grad_bias",
     .kind = &api_result_kind,
     .offset = offsetof(backward_call, reply.gradients[GRAD_BIAS]),
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

static void fill_reply(backward_call *call)
{
    const layer_separable_spatial *const separable = &call->separable;
    const api_spatial *const operands = &call->request.operands;
    const layer_shape shapes[GRADIENTS] = {
        [GRAD_INPUT] = operands->input.shape,
        [GRAD_COLUMN] = operands->column.shape,
        [GRAD_ROW] = operands->row.shape,
        [GRAD_BIAS] = {1, {separable->output.extent[1]}},
    };
    for (unsigned which = 0; which < GRADIENTS; which++)
        call->reply.gradients[which] = (api_result){
            .given = api_is_wanted(&call->request.outputs, which), .shape = shapes[which]};
    call->call.multiplications = separable->backward_multiplications;
    call->reply.group = (api_integer){true, separable->group};
    api_decide_geometry(&call->reply.geometry, separable->window, 2);
}

static bool describe(api_call *base, api_problem *problem)
{
    backward_call *const call = (backward_call *)base;
    if (!api_describe_spatial(&call->request.operands, &call->separable, problem))
        return false;
    fill_reply(call);
    const layer_shape output =
        api_narrowed(&call->separable.output, call->request.operands.input.shape.rank);
    return api_check_shape(&call->request.grad_output, "grad_output", &output, "the output's",
                           problem);
}

/* ---- Computing ------------------------------------------------------------------------------- */

static size_t workspace_size(const api_call *base, int threads)
{
    const backward_call *const call = (const backward_call *)base;
    return layer_separable_spatial_backward_workspace_size(&call->separable, threads);
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const backward_call *const call = (const backward_call *)base;
    const api_result *const results = call->reply.gradients;
    const layer_separable_spatial_operands operands = api_spatial_operands(&call->request.operands);
    const layer_separable_spatial_gradients wanted = {
        .input = results[GRAD_INPUT].data,
        .column = results[GRAD_COLUMN].data,
        .row = results[GRAD_ROW].data,
        .bias = results[GRAD_BIAS].data,
    };
    return layer_separable_spatial_backward(&call->separable, &operands,
                                            call->request.grad_output.data, &wanted, run);
}

const api_operation api_operation_separable_spatial_backward = {
    .name = "separable/spatial/backward",
    .summary = "Differentiate a spatially separable convolution",
    .description =
        "The gradients of a spatially separable convolution with respect to its input, columns, "
        "rows and bias, from the gradient with respect to its output, with the attributes that it "
        "has going forward. Each gradient has the shape of what it belongs to.",
    .example = "{\"input\":[[1,2,3],[4,5,6],[7,8,9]],\"column\":[1,2],\"row\":[1,-1],"
               "\"grad_output\":[[1,0],[0,1]]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(backward_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
