/* POST /v1/pool/backward: the gradient of pooling.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "pool_fields.h"
#include "ranks.h"
#include "shapes.h"

typedef struct {
    api_call call;
    struct {
        api_tensor input, grad_output, indices;
        api_shape input_shape;
        api_pooling pooling;
    } request;
    layer_pool pool;
    struct {
        api_result grad_input;
        api_decided_pooling pooling;
    } reply;
} pool_backward_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_field request_fields[] = {
    {.name = "input",
     .kind = &api_tensor_kind,
     .offset = offsetof(pool_backward_call, request.input),
     .summary = "as going forward; of an average, or with indices, input_shape will do"},
    {.name = "input_shape",
     .kind = &api_shape_kind,
     .offset = offsetof(pool_backward_call, request.input_shape),
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fewest = 1,
     .most = LAYER_MAX_RANK,
     .summary = "the input's shape, in place of the input"},
    {.name = "grad_output",
     .kind = &api_tensor_kind,
     .offset = offsetof(pool_backward_call, request.grad_output),
     .required = true,
     .summary = "the gradient with respect to the output, of the output's shape"},
    {.name = "indices",
     .kind = &api_tensor_kind,
     .offset = offsetof(pool_backward_call, request.indices),
     .summary = "of max: where the maxima were, as going forward answered it; by default they are "
                "found again in the input"},
    {.name = "pooling",
     .kind = &api_included_kind,
     .offset = offsetof(pool_backward_call, request.pooling),
     .fields = api_pooling_fields},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(pool_backward_call, request.pooling.geometry),
     .fields = api_pool_window_fields},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "grad_input",
     .kind = &api_result_kind,
     .offset = offsetof(pool_backward_call, reply.grad_input),
     .required = true,
     .summary = "of the input's shape"},
    {.name = "kernel",
     .kind = &api_included_kind,
     .offset = offsetof(pool_backward_call, reply.pooling.kernel_shape),
     .fields = api_decided_kernel_fields},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(pool_backward_call, reply.pooling.geometry),
     .fields = api_decided_geometry_fields},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static bool check_input(const pool_backward_call *call, api_problem *problem)
{
    const bool average = call->request.pooling.kind.value == LAYER_POOL_AVERAGE;
    if (call->request.input.given && call->request.input_shape.given)
        return api_refuse_both(problem, "input_shape", "input");
    if (call->request.indices.given && call->request.pooling.kind.value != LAYER_POOL_MAX)
        return api_refuse(problem, 422, "/indices", "indices go with kind \"max\" only");
    return call->request.input.given ||
           (call->request.input_shape.given && (average || call->request.indices.given)) ||
           api_refuse(problem, 422, "/input",
                      "missing field \"input\"; input_shape will do for kind \"average\", or with "
                      "indices");
}

static bool check_indices(const pool_backward_call *call, const layer_shape *output,
                          api_problem *problem)
{
    layer_error error;
    if (!api_check_shape(&call->request.indices, "indices", output, "the output's", problem))
        return false;
    return layer_pool_check_indices(&call->pool, call->request.indices.data, &error) == LAYER_OK ||
           api_refuse_layer(problem, &error);
}

static bool describe(api_call *base, api_problem *problem)
{
    pool_backward_call *const call = (pool_backward_call *)base;
    const bool indexed = call->request.indices.given;
    if (!check_input(call, problem))
        return false;
    const bool by_shape = !call->request.input.given;
    const layer_shape input =
        by_shape ? call->request.input_shape.value : call->request.input.shape;
    if (!api_describe_pooling(&call->request.pooling, &input, by_shape ? "input_shape" : "input",
                              indexed, &call->pool, problem))
        return false;
    const layer_shape output = api_narrowed(&call->pool.output, input.rank);
    call->call.multiplications = call->pool.multiplications;
    call->reply.grad_input = (api_result){.given = true, .shape = input};
    api_decide_pooling(&call->reply.pooling, &call->pool);
    return api_check_shape(&call->request.grad_output, "grad_output", &output, "the output's",
                           problem) &&
           (!indexed || check_indices(call, &output, problem));
}

/* ---- Computing ------------------------------------------------------------------------------- */

static size_t workspace_size(const api_call *base, int threads)
{
    return layer_pool_workspace_size(&((const pool_backward_call *)base)->pool, threads);
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const pool_backward_call *const call = (const pool_backward_call *)base;
    return layer_pool_backward(&call->pool, call->request.input.data,
                               call->request.grad_output.data, call->request.indices.data,
                               call->reply.grad_input.data, run);
}

const api_operation api_operation_pool_backward = {
    .name = "pool/backward",
    .summary = "Differentiate a pooling",
    .description =
        "Takes what pooling takes and the gradient with respect to its output. A maximum's "
        "gradient goes to the position that was the maximum, whole, the first in row-major order "
        "where several are; an average's is spread over its window by the divisor; that of a norm "
        "y is multiplied by sign(x) |x|^(p-1) y^(1-p), nothing where y is 0. What overlapping "
        "windows bring to a cell adds up. A window that saw padding alone brings nothing.",
    .example = "{\"kind\":\"max\",\"input\":[[1,3,2,0],[4,2,1,5],[0,1,9,8],[2,6,7,3]],"
               "\"kernel_shape\":[2,2],\"grad_output\":[[1,2],[3,4]]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(pool_backward_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
