/* POST /v1/conv: convolution over one to three spatial axes.
 * SPDX-License-Identifier: MIT */
#include "conv_fields.h"
#include "operation.h"
#include "ranks.h"
#include "shapes.h"

#include <math.h>

#define COUNT_ALGORITHM(id, name, bound, sentence) +1
enum { ALGORITHMS = LAYER_CONV_ALGORITHM_LIST(COUNT_ALGORITHM) };
#undef COUNT_ALGORITHM

typedef struct {
    bool given;
    api_choice algorithm;
    api_number cost;
} candidate;

typedef struct {
    api_call call;
    struct {
        api_tensor input, weight, bias;
        api_geometry geometry;
        api_conv_attributes attributes;
        api_choice algorithm;
    } request;
    layer_conv conv;
    candidate candidates[ALGORITHMS];
    struct {
        api_result output;
        api_choice algorithm;
        api_decided_geometry geometry;
        api_integer group;
        api_objects candidates;
    } reply;
} conv_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_option algorithms[] = {{"auto", LAYER_CONV_AUTO, "the best that applies"},
#define ALGORITHM_OPTION(id, name, bound, sentence) {name, LAYER_CONV_##id, sentence},
                                        LAYER_CONV_ALGORITHM_LIST(ALGORITHM_OPTION)
#undef ALGORITHM_OPTION
                                            {0}};

static const api_field request_fields[] = {
    {.name = "input",
     .kind = &api_tensor_kind,
     .offset = offsetof(conv_call, request.input),
     .required = true,
     .summary = "[N, C, spatial ...], or one sample [C, spatial ...]; with a bare kernel of rank 1 "
                "or 2, of the same rank"},
    {.name = "weight",
     .kind = &api_tensor_kind,
     .offset = offsetof(conv_call, request.weight),
     .required = true,
     .summary = "[K, C/group, kernel ...] with one to three spatial axes, or a bare kernel of rank "
                "1 or 2"},
    {.name = "bias",
     .kind = &api_tensor_kind,
     .offset = offsetof(conv_call, request.bias),
     .summary = "[K]: what is added to each output channel; by default nothing"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(conv_call, request.geometry),
     .fields = api_geometry_fields},
    {.name = "attributes",
     .kind = &api_included_kind,
     .offset = offsetof(conv_call, request.attributes),
     .fields = api_conv_attribute_fields},
    {.name = "algorithm",
     .kind = &api_choice_kind,
     .offset = offsetof(conv_call, request.algorithm),
     .options = algorithms,
     .fallback = "\"auto\"",
     .summary = "how it is computed"},
    {0},
};

static const api_field candidate_fields[] = {
    {.name = "algorithm",
     .kind = &api_choice_kind,
     .offset = offsetof(candidate, algorithm),
     .required = true,
     .options = algorithms + 1},
    {.name = "cost",
     .kind = &api_figure_kind,
     .offset = offsetof(candidate, cost),
     .required = true,
     .summary = "estimated, in multiplications at the rate of a matrix product"},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "output",
     .kind = &api_result_kind,
     .offset = offsetof(conv_call, reply.output),
     .required = true,
     .summary = "[N, K, spatial ...], or of the input's kind of rank"},
    {.name = "algorithm",
     .kind = &api_choice_kind,
     .offset = offsetof(conv_call, reply.algorithm),
     .required = true,
     .options = algorithms + 1,
     .summary = "how it was computed"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(conv_call, reply.geometry),
     .fields = api_decided_geometry_fields},
    {.name = "group",
     .kind = &api_integer_kind,
     .offset = offsetof(conv_call, reply.group),
     .required = true,
     .summary = "groups that the channels are divided into"},
    {.name = "candidates",
     .kind = &api_objects_kind,
     .offset = offsetof(conv_call, reply.candidates),
     .fields = candidate_fields,
     .item_size = sizeof(candidate),
     .fewest = 1,
     .most = ALGORITHMS,
     .summary = "in a dry run, what each algorithm that may compute this is estimated to cost; "
                "\"auto\" takes the least"},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static void fill_reply(conv_call *call)
{
    const layer_conv *const conv = &call->conv;
    call->reply.output.given = true;
    call->reply.output.shape = api_narrowed(&conv->output, call->request.input.shape.rank);
    call->reply.algorithm = (api_choice){true, (int)conv->algorithm};
    call->reply.group = (api_integer){true, conv->group};
    api_decide_geometry(&call->reply.geometry, conv->window, conv->axes);
}

/* An algorithm that was asked for may take far more than the sum has multiplications, as a
 * transform of a large tile for a single output does. What it usually takes more does not count. */
static uint64_t work_of(const conv_call *call)
{
    const double usual = 16, most = 0x1p63;
    const double cost = layer_conv_cost(&call->conv, call->conv.algorithm);
    const bool was_asked = call->request.algorithm.value != LAYER_CONV_AUTO;
    if (!was_asked || !isfinite(cost) || cost <= usual * (double)call->conv.multiplications)
        return 0;
    return (uint64_t)(cost < most ? cost : most);
}

static bool describe(api_call *base, api_problem *problem)
{
    conv_call *const call = (conv_call *)base;
    const api_conv_asked asked = {
        .input = &call->request.input.shape,
        .weight = &call->request.weight.shape,
        .input_field = "input",
        .geometry = &call->request.geometry,
        .attributes = &call->request.attributes,
        .algorithm = (layer_conv_algorithm)call->request.algorithm.value,
    };
    if (!api_describe_conv(&asked, &call->conv, problem))
        return false;
    call->call.multiplications = call->conv.multiplications;
    call->call.work = work_of(call);
    fill_reply(call);
    return api_check_bias(&call->request.bias, "bias", call->conv.weight.extent[0], problem);
}

/* Why the algorithm is what it is. */
static void explain(api_call *base)
{
    conv_call *const call = (conv_call *)base;
    size_t count = 0;
    for (const api_option *option = algorithms + 1; option->name != NULL; option++) {
        const double cost = layer_conv_cost(&call->conv, (layer_conv_algorithm)option->value);
        if (isfinite(cost))
            call->candidates[count++] =
                (candidate){true, {true, option->value}, {true, round(cost)}};
    }
    call->reply.candidates = (api_objects){true, count, call->candidates};
}

/* ---- Computing ------------------------------------------------------------------------------- */

static size_t workspace_size(const api_call *base, int threads)
{
    return layer_conv_workspace_size(&((const conv_call *)base)->conv, threads);
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const conv_call *const call = (const conv_call *)base;
    return layer_conv_forward(&call->conv, call->request.input.data, call->request.weight.data,
                              call->request.bias.data, call->reply.output.data, run);
}

const api_operation api_operation_conv = {
    .name = "conv",
    .summary = "Convolve an input with a weight",
    .description =
        "Convolution as networks have it, that is cross-correlation, over one to three spatial "
        "axes, with ONNX's attributes. The weight's rank decides the number of spatial axes: rank "
        "3, 4 or 5 is [K, C/group, kernel ...], and the input is batched or one sample. A weight "
        "of rank 1 or 2 is a bare kernel for an input of the same rank. The output keeps the "
        "input's kind of rank.",
    .example = "{\"input\":[[1,2,3],[4,5,6],[7,8,9]],\"weight\":[[1,2],[3,4]]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(conv_call),
    .describe = describe,
    .explain = explain,
    .workspace_size = workspace_size,
    .compute = compute,
};
