/* POST /v1/separable/spatial: with columns, then with rows.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "ranks.h"
#include "saving_fields.h"
#include "spatial_fields.h"

typedef struct {
    api_call call;
    api_spatial request;
    layer_separable_spatial separable;
    struct {
        api_result output;
        api_decided_geometry geometry;
        api_integer group;
        api_saving saving;
    } reply;
} spatial_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_field request_fields[] = {
    {.name = "operands",
     .kind = &api_included_kind,
     .offset = offsetof(spatial_call, request),
     .fields = api_spatial_fields},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(spatial_call, request.geometry),
     .fields = api_geometry_fields},
    {.name = "attributes",
     .kind = &api_included_kind,
     .offset = offsetof(spatial_call, request.attributes),
     .fields = api_conv_attribute_fields},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "output",
     .kind = &api_result_kind,
     .offset = offsetof(spatial_call, reply.output),
     .required = true,
     .summary = "[N, K, P, Q], or of the input's kind of rank"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(spatial_call, reply.geometry),
     .fields = api_decided_geometry_fields},
    {.name = "group",
     .kind = &api_integer_kind,
     .offset = offsetof(spatial_call, reply.group),
     .required = true,
     .summary = "groups that the channels are divided into"},
    {.name = "saving",
     .kind = &api_included_kind,
     .offset = offsetof(spatial_call, reply.saving),
     .fields = api_saving_fields},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static bool describe(api_call *base, api_problem *problem)
{
    spatial_call *const call = (spatial_call *)base;
    const layer_separable_spatial *const separable = &call->separable;
    if (!api_describe_spatial(&call->request, &call->separable, problem))
        return false;
    call->call.multiplications = separable->multiplications;
    call->reply.output.given = true;
    call->reply.output.shape = api_narrowed(&separable->output, call->request.input.shape.rank);
    call->reply.group = (api_integer){true, separable->group};
    call->reply.saving = api_saving_of(separable->full_multiplications, separable->multiplications);
    api_decide_geometry(&call->reply.geometry, separable->window, 2);
    return true;
}

/* ---- Computing ------------------------------------------------------------------------------- */

static size_t workspace_size(const api_call *base, int threads)
{
    const spatial_call *const call = (const spatial_call *)base;
    return layer_separable_spatial_workspace_size(&call->separable, threads);
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const spatial_call *const call = (const spatial_call *)base;
    const layer_separable_spatial_operands operands = api_spatial_operands(&call->request);
    return layer_separable_spatial_forward(&call->separable, &operands, call->reply.output.data,
                                           run);
}

const api_operation api_operation_separable_spatial = {
    .name = "separable/spatial",
    .summary = "Convolve with columns, then with rows",
    .description =
        "Convolution with kernels that are sums of products of a column and a row, as one with the "
        "columns and then one with the rows. What separable/factorize answers as column and row is "
        "what this takes. The geometry is that of the convolution in one piece. The reply tells "
        "how much it multiplies, and how much the convolution in one piece would.",
    .example = "{\"input\":[[1,2,3],[4,5,6],[7,8,9]],\"column\":[1,2,1],\"row\":[1,0,-1]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(spatial_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
