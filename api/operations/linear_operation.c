/* POST /v1/linear: a linear layer.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "shapes.h"

#include <layer/linear.h>

typedef struct {
    api_call call;
    struct {
        api_tensor input, weight, bias;
    } request;
    layer_linear linear;
    struct {
        api_result output;
    } reply;
} linear_call;

static const api_field request_fields[] = {
    {.name = "input",
     .kind = &api_tensor_kind,
     .offset = offsetof(linear_call, request.input),
     .required = true,
     .summary = "[N, in], or one sample [in]"},
    {.name = "weight",
     .kind = &api_tensor_kind,
     .offset = offsetof(linear_call, request.weight),
     .required = true,
     .summary = "[out, in]"},
    {.name = "bias",
     .kind = &api_tensor_kind,
     .offset = offsetof(linear_call, request.bias),
     .summary = "[out]: what is added to each output; by default nothing"},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "output",
     .kind = &api_result_kind,
     .offset = offsetof(linear_call, reply.output),
     .required = true,
     .summary = "[N, out], or [out] for one sample"},
    {0},
};

static bool describe(api_call *base, api_problem *problem)
{
    linear_call *const call = (linear_call *)base;
    layer_error error;
    if (layer_linear_describe(&call->linear, &call->request.input.shape,
                              &call->request.weight.shape, &error) != LAYER_OK)
        return api_refuse_layer(problem, &error);
    call->call.multiplications = call->linear.multiplications;
    call->reply.output = (api_result){.given = true, .shape = call->linear.output};
    return api_check_bias(&call->request.bias, "bias", call->linear.weight.extent[0], problem);
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const linear_call *const call = (const linear_call *)base;
    return layer_linear_forward(&call->linear, call->request.input.data, call->request.weight.data,
                                call->request.bias.data, call->reply.output.data, run);
}

const api_operation api_operation_linear = {
    .name = "linear",
    .summary = "Multiply an input by a weight",
    .description = "The linear layer, y = W x + b, of one sample or of a batch.",
    .example = "{\"input\":[1,2,3],\"weight\":[[1,0,1],[0,2,0]],\"bias\":[0.5,-1]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(linear_call),
    .describe = describe,
    .compute = compute,
};
