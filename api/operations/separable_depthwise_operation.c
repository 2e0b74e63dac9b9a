/* POST /v1/separable/depthwise: each channel by itself over space, then all mixed at each position.
 * SPDX-License-Identifier: MIT */
#include "depthwise_fields.h"
#include "operation.h"
#include "ranks.h"
#include "saving_fields.h"

typedef struct {
    api_call call;
    api_depthwise request;
    layer_separable_depthwise separable;
    struct {
        api_result output;
        api_decided_geometry geometry;
        api_saving saving;
    } reply;
} depthwise_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_field request_fields[] = {
    {.name = "operands",
     .kind = &api_included_kind,
     .offset = offsetof(depthwise_call, request),
     .fields = api_depthwise_fields},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(depthwise_call, request.geometry),
     .fields = api_geometry_fields},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "output",
     .kind = &api_result_kind,
     .offset = offsetof(depthwise_call, reply.output),
     .required = true,
     .summary = "[N, K, spatial ...], or of the input's kind of rank"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(depthwise_call, reply.geometry),
     .fields = api_decided_geometry_fields},
    {.name = "saving",
     .kind = &api_included_kind,
     .offset = offsetof(depthwise_call, reply.saving),
     .fields = api_saving_fields},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static bool describe(api_call *base, api_problem *problem)
{
    depthwise_call *const call = (depthwise_call *)base;
    const layer_separable_depthwise *const separable = &call->separable;
    if (!api_describe_depthwise(&call->request, &call->separable, problem))
        return false;
    const layer_conv *const depthwise = &separable->depthwise;
    call->call.multiplications = separable->multiplications;
    call->reply.output.given = true;
    call->reply.output.shape =
        api_narrowed(&separable->pointwise.output, call->request.input.shape.rank);
    call->reply.saving = api_saving_of(separable->full_multiplications, separable->multiplications);
    api_decide_geometry(&call->reply.geometry, depthwise->window, depthwise->axes);
    return true;
}

/* ---- Computing ------------------------------------------------------------------------------- */

static size_t workspace_size(const api_call *base, int threads)
{
    const depthwise_call *const call = (const depthwise_call *)base;
    return layer_separable_depthwise_workspace_size(&call->separable, threads);
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const depthwise_call *const call = (const depthwise_call *)base;
    const layer_separable_depthwise_operands operands = api_depthwise_operands(&call->request);
    return layer_separable_depthwise_forward(&call->separable, &operands, call->reply.output.data,
                                             run);
}

const api_operation api_operation_separable_depthwise = {
    .name = "separable/depthwise",
    .summary = "Convolve each channel, then mix them",
    .description =
        "Depthwise-separable convolution: each channel of the input is convolved with kernels of "
        "its own, then at each position all channels that came of it are mixed. The geometry is "
        "the depthwise part's. The reply tells how much it multiplies, and how much a convolution "
        "in one piece would.",
    .example = "{\"input\":[[[1,2,3],[4,5,6]],[[1,0,1],[0,1,0]]],"
               "\"depthwise_weight\":[[[[1,1]]],[[[1,-1]]]],"
               "\"pointwise_weight\":[[[[1]],[[10]]]]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(depthwise_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
