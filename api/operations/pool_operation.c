/* POST /v1/pool: pooling over one to three spatial axes.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "pool_fields.h"
#include "ranks.h"

typedef struct {
    api_call call;
    struct {
        api_tensor input;
        api_pooling pooling;
        api_boolean return_indices;
    } request;
    layer_pool pool;
    struct {
        api_result output, indices;
        api_decided_pooling pooling;
    } reply;
} pool_call;

static const api_field request_fields[] = {
    {.name = "input",
     .kind = &api_tensor_kind,
     .offset = offsetof(pool_call, request.input),
     .required = true,
     .summary = "[N, C, spatial ...], or one sample [C, spatial ...], or a bare plane of rank 1 or "
                "2"},
    {.name = "pooling",
     .kind = &api_included_kind,
     .offset = offsetof(pool_call, request.pooling),
     .fields = api_pooling_fields},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(pool_call, request.pooling.geometry),
     .fields = api_pool_window_fields},
    {.name = "return_indices",
     .kind = &api_boolean_kind,
     .offset = offsetof(pool_call, request.return_indices),
     .fallback = "false",
     .summary = "of max: answer where each maximum was, too"},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "output",
     .kind = &api_result_kind,
     .offset = offsetof(pool_call, reply.output),
     .required = true,
     .summary = "of the input's kind of rank"},
    {.name = "indices",
     .kind = &api_result_kind,
     .offset = offsetof(pool_call, reply.indices),
     .summary = "of the output's shape: where each maximum was, as index_base and storage_order "
                "count; -1 where a window saw padding alone"},
    {.name = "kernel",
     .kind = &api_included_kind,
     .offset = offsetof(pool_call, reply.pooling.kernel_shape),
     .fields = api_decided_kernel_fields},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(pool_call, reply.pooling.geometry),
     .fields = api_decided_geometry_fields},
    {0},
};

static bool describe(api_call *base, api_problem *problem)
{
    pool_call *const call = (pool_call *)base;
    const layer_shape *const input = &call->request.input.shape;
    if (!api_describe_pooling(&call->request.pooling, input, "input",
                              call->request.return_indices.value, &call->pool, problem))
        return false;
    call->call.multiplications = call->pool.multiplications;
    const layer_shape output = api_narrowed(&call->pool.output, input->rank);
    call->reply.output = (api_result){.given = true, .shape = output};
    call->reply.indices = (api_result){.given = call->pool.indices, .shape = output};
    api_decide_pooling(&call->reply.pooling, &call->pool);
    return true;
}

static size_t workspace_size(const api_call *base, int threads)
{
    return layer_pool_workspace_size(&((const pool_call *)base)->pool, threads);
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const pool_call *const call = (const pool_call *)base;
    return layer_pool_forward(&call->pool, call->request.input.data, call->reply.output.data,
                              call->reply.indices.data, run);
}

const api_operation api_operation_pool = {
    .name = "pool",
    .summary = "Pool an input by maximum, average or norm",
    .description =
        "Makes one number of each window, over one to three spatial axes, with ONNX's attributes "
        "but PyTorch's default of strides: the window's own extent. An array kernel_shape decides "
        "the number of spatial axes a: the input has rank a + 2 as a batch, a + 1 as one sample, "
        "or, with one or two axes, a as a bare plane. With one integer, or global, the input's "
        "rank decides: 1 and 2 are bare planes, otherwise all axes but the first two are spatial, "
        "as in ONNX; one sample of rank 3 takes an array. The output keeps the input's kind of "
        "rank. Windows see real cells only. One that has none, because padding is wider than the "
        "kernel, makes -infinity with the index -1 as a maximum and 0 otherwise. NaN wins a "
        "maximum, the first in row-major order wins a tie. Indices are exact up to 2^24, and "
        "refused beyond.",
    .example = "{\"kind\":\"max\",\"input\":[[1,3,2,0],[4,2,1,5],[0,1,9,8],[2,6,7,3]],"
               "\"kernel_shape\":[2,2]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(pool_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
