/* POST /v1/conv: convolution over one to three spatial axes.
 * SPDX-License-Identifier: MIT */
#include "geometry_fields.h"
#include "operation.h"
#include "ranks.h"
#include "shapes.h"

#include <layer/conv.h>

typedef struct {
    api_call call;
    struct {
        api_tensor input, weight, bias;
        api_geometry geometry;
        api_integer group;
        api_choice mode, algorithm;
    } request;
    layer_conv conv;
    struct {
        api_result output;
        api_choice algorithm;
        api_decided_geometry geometry;
        api_integer group;
    } reply;
} conv_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_option modes[] = {
    {"cross-correlation", LAYER_CONV_CROSS_CORRELATION, "what networks call convolution"},
    {"convolution", LAYER_CONV_CONVOLUTION, "with the kernel flipped"},
    {0},
};

static const api_option algorithms[] = {{"auto", LAYER_CONV_AUTO, "the best that applies"},
#define ALGORITHM_OPTION(id, name, sentence) {name, LAYER_CONV_##id, sentence},
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
    {.name = "group",
     .kind = &api_integer_kind,
     .offset = offsetof(conv_call, request.group),
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fallback = "1",
     .summary = "groups that the channels are divided into, each with its own part of the weight"},
    {.name = "mode",
     .kind = &api_choice_kind,
     .offset = offsetof(conv_call, request.mode),
     .options = modes,
     .fallback = "\"cross-correlation\"",
     .summary = "whether the kernel is flipped"},
    {.name = "algorithm",
     .kind = &api_choice_kind,
     .offset = offsetof(conv_call, request.algorithm),
     .options = algorithms,
     .fallback = "\"auto\"",
     .summary = "how it is computed"},
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
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static bool check_bias(const conv_call *call, api_problem *problem)
{
    const layer_shape *const bias = &call->request.bias.shape;
    const int channels = call->conv.weight.extent[0];
    char text[API_SHAPE_TEXT_SIZE];
    return !call->request.bias.given || (bias->rank == 1 && bias->extent[0] == channels) ||
           api_refuse(problem, 422, "/bias",
                      "bias has the shape %s; expected %d, one number per output channel",
                      api_shape_text(bias, text), channels);
}

static void fill_reply(conv_call *call)
{
    const layer_conv *const conv = &call->conv;
    call->reply.output.given = true;
    call->reply.output.shape = api_narrowed(&conv->output, call->request.input.shape.rank);
    call->reply.algorithm = (api_choice){true, (int)conv->algorithm};
    call->reply.group = (api_integer){true, conv->group};
    api_decide_geometry(&call->reply.geometry, conv->window, conv->axes);
}

static bool describe(api_call *base, api_problem *problem)
{
    conv_call *const call = (conv_call *)base;
    const layer_shape *const input = &call->request.input.shape;
    const layer_shape *const weight = &call->request.weight.shape;
    const int axes = api_spatial_axes(weight);
    const layer_shape kernel = api_narrowed(weight, axes);
    layer_conv_options options = {
        .group = (int)call->request.group.value,
        .mode = (layer_conv_mode)call->request.mode.value,
        .algorithm = (layer_conv_algorithm)call->request.algorithm.value,
    };
    if (!api_check_ranks(input, weight, options.group, "input", problem) ||
        !api_check_kernel(&call->request.geometry, &kernel, problem) ||
        !api_read_geometry(&call->request.geometry, axes, &options.geometry, problem))
        return false;
    const layer_shape wide_input = api_widened(input, axes + API_CHANNEL_AXES);
    const layer_shape wide_weight = api_widened(weight, axes + API_CHANNEL_AXES);
    layer_error error;
    if (layer_conv_describe(&call->conv, &wide_input, &wide_weight, &options, &error) != LAYER_OK)
        return api_refuse_layer(problem, &error);
    call->call.multiplications = call->conv.multiplications;
    fill_reply(call);
    return check_bias(call, problem);
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
    .workspace_size = workspace_size,
    .compute = compute,
};
