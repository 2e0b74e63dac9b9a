/* POST /v1/conv-transpose: transposed convolution over one to three spatial axes.
 * SPDX-License-Identifier: MIT */
#include "conv_fields.h"
#include "operation.h"
#include "ranks.h"
#include "shapes.h"

#include <layer/conv_transpose.h>

typedef struct {
    api_call call;
    struct {
        api_tensor input, weight, bias;
        api_geometry geometry;
        api_integers output_padding, output_shape;
        api_conv_attributes attributes;
    } request;
    layer_conv_transpose transpose;
    struct {
        api_result output;
        api_decided_geometry geometry;
        api_integer group;
    } reply;
} transpose_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_option auto_pads[] = {
    {"NOTSET", LAYER_AUTO_PAD_NOTSET, "by pads, or output_shape"},
    {"VALID", LAYER_AUTO_PAD_VALID, "nothing is cut off"},
    {"SAME_UPPER", LAYER_AUTO_PAD_SAME_UPPER, "input * stride cells, an odd cell cut at the end"},
    {"SAME_LOWER", LAYER_AUTO_PAD_SAME_LOWER, "the same, an odd cell cut at the beginning"},
    {0},
};

static const api_field request_fields[] = {
    {.name = "input",
     .kind = &api_tensor_kind,
     .offset = offsetof(transpose_call, request.input),
     .required = true,
     .summary = "[N, C, spatial ...], or one sample [C, spatial ...]; with a bare kernel of rank 1 "
                "or 2, of the same rank"},
    {.name = "weight",
     .kind = &api_tensor_kind,
     .offset = offsetof(transpose_call, request.weight),
     .required = true,
     .summary = "[C, K/group, kernel ...] with one to three spatial axes, or a bare kernel of rank "
                "1 or 2"},
    {.name = "bias",
     .kind = &api_tensor_kind,
     .offset = offsetof(transpose_call, request.bias),
     .summary = "[K]: what is added to each output channel; by default nothing"},
    {.name = "strides",
     API_PER_AXIS(1, API_MAX_WINDOW),
     .offset = offsetof(transpose_call, request.geometry.strides),
     .fallback = "1",
     .summary = "cells of output from one input's kernel to the next one's, per spatial axis or "
                "one for all"},
    {.name = "pads",
     API_PER_SIDE(0, API_MAX_WINDOW),
     .offset = offsetof(transpose_call, request.geometry.pads),
     .fallback = "0",
     .summary = "cells cut off the output: all begins, then all ends, or one for all; conflicts "
                "with auto_pad and output_shape"},
    {.name = "auto_pad",
     .kind = &api_choice_kind,
     .offset = offsetof(transpose_call, request.geometry.auto_pad),
     .options = auto_pads,
     .fallback = "\"NOTSET\"",
     .summary = "how it is decided what is cut off"},
    {.name = "dilations",
     API_PER_AXIS(1, API_MAX_WINDOW),
     .offset = offsetof(transpose_call, request.geometry.dilations),
     .fallback = "1",
     .summary = "cells from one kernel element to the next, per spatial axis or one for all"},
    {.name = "kernel_shape",
     API_PER_AXIS(1, API_MAX_WINDOW),
     .offset = offsetof(transpose_call, request.geometry.kernel_shape),
     .summary = "the kernel's spatial extents; what the weight's own are expected to be"},
    {.name = "output_padding",
     API_PER_AXIS(0, API_MAX_WINDOW),
     .offset = offsetof(transpose_call, request.output_padding),
     .fallback = "0",
     .summary = "cells by which the output is longer at its end, less than the stride or the "
                "dilation; per spatial axis or one for all"},
    {.name = "output_shape",
     API_PER_AXIS(1, API_MAX_AXIS),
     .offset = offsetof(transpose_call, request.output_shape),
     .summary = "the output's spatial extents: what is cut off follows, and where there is less "
                "than that, zeros are added"},
    {.name = "attributes",
     .kind = &api_included_kind,
     .offset = offsetof(transpose_call, request.attributes),
     .fields = api_conv_attribute_fields},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "output",
     .kind = &api_result_kind,
     .offset = offsetof(transpose_call, reply.output),
     .required = true,
     .summary = "[N, K, spatial ...], or of the input's kind of rank"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(transpose_call, reply.geometry),
     .fields = api_decided_geometry_fields},
    {.name = "group",
     .kind = &api_integer_kind,
     .offset = offsetof(transpose_call, reply.group),
     .required = true,
     .summary = "groups that the channels are divided into"},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static bool read_options(const transpose_call *call, int axes,
                         layer_conv_transpose_options *options, api_problem *problem)
{
    *options = (layer_conv_transpose_options){
        .group = (int)call->request.attributes.group.value,
        .mode = (layer_conv_mode)call->request.attributes.mode.value,
    };
    return api_read_geometry(&call->request.geometry, axes, &options->geometry, problem) &&
           api_spread(&call->request.output_padding, "/output_padding", axes,
                      options->output_padding, problem) &&
           api_spread(&call->request.output_shape, "/output_shape", axes, options->output_shape,
                      problem);
}

static void fill_reply(transpose_call *call)
{
    const layer_conv_transpose *const transpose = &call->transpose;
    call->call.multiplications = transpose->multiplications;
    call->reply.output.given = true;
    call->reply.output.shape = api_narrowed(&transpose->output, call->request.input.shape.rank);
    call->reply.group = (api_integer){true, transpose->adjoint.group};
    api_decide_geometry(&call->reply.geometry, transpose->adjoint.window, transpose->adjoint.axes);
}

static bool describe(api_call *base, api_problem *problem)
{
    transpose_call *const call = (transpose_call *)base;
    const layer_shape *const input = &call->request.input.shape;
    const layer_shape *const weight = &call->request.weight.shape;
    const int axes = api_spatial_axes(weight);
    const layer_shape kernel = api_narrowed(weight, axes);
    layer_conv_transpose_options options;
    layer_error error;
    if (!api_check_ranks(input, weight, (int)call->request.attributes.group.value, "input",
                         problem) ||
        !api_check_kernel(&call->request.geometry, &kernel, "weight", problem) ||
        !read_options(call, axes, &options, problem))
        return false;
    const layer_shape wide_input = api_widened(input, axes + API_CHANNEL_AXES);
    const layer_shape wide_weight = api_widened(weight, axes + API_CHANNEL_AXES);
    if (layer_conv_transpose_describe(&call->transpose, &wide_input, &wide_weight, &options,
                                      &error) != LAYER_OK)
        return api_refuse_layer(problem, &error);
    fill_reply(call);
    return api_check_bias(&call->request.bias, "bias", call->transpose.output.extent[1], problem);
}

/* ---- Computing ------------------------------------------------------------------------------- */

static size_t workspace_size(const api_call *base, int threads)
{
    return layer_conv_transpose_workspace_size(&((const transpose_call *)base)->transpose, threads);
}

static layer_status compute(api_call *base, const layer_run *run)
{
    const transpose_call *const call = (const transpose_call *)base;
    return layer_conv_transpose_run(&call->transpose, call->request.input.data,
                                    call->request.weight.data, call->request.bias.data,
                                    call->reply.output.data, run);
}

const api_operation api_operation_conv_transpose = {
    .name = "conv-transpose",
    .summary = "Convolve transposed: spread an input out",
    .description =
        "Transposed convolution over one to three spatial axes, with ONNX's attributes of "
        "ConvTranspose: the adjoint of convolution, which adds each input, times the kernel, to "
        "all that a convolution's window would have seen. Ranks are as for conv, but the weight is "
        "[C, K/group, kernel ...]. The pads in the reply are negative where output_shape asks for "
        "more than there is.",
    .example = "{\"input\":[[1,2],[3,4]],\"weight\":[[1,2],[3,4]]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(transpose_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
