/* POST /v1/conv: convolution over one to three spatial axes.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "shapes.h"

#include <layer/conv.h>

enum {
    CHANNEL_AXES = 2, /* of a weight before its spatial axes */
    BARE_RANK = 2,    /* a weight of this rank or less is a kernel without channels */
};

typedef struct {
    api_call call;
    struct {
        api_tensor input, weight, bias;
        api_integers strides, pads, dilations, kernel_shape;
        api_choice auto_pad, mode, algorithm;
        api_integer group;
    } request;
    layer_conv conv;
    struct {
        api_result output;
        api_choice algorithm;
        api_integers strides, pads, dilations;
        api_integer group;
    } reply;
} conv_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_option auto_pads[] = {
#define AUTO_PAD_OPTION(name) {#name, LAYER_AUTO_PAD_##name, NULL},
    LAYER_AUTO_PAD_LIST(AUTO_PAD_OPTION)
#undef AUTO_PAD_OPTION
        {0}};

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
    {.name = "strides",
     .kind = &api_integers_kind,
     .offset = offsetof(conv_call, request.strides),
     .minimum = 1,
     .maximum = API_MAX_WINDOW,
     .fewest = 1,
     .most = LAYER_MAX_SPATIAL,
     .fallback = "1",
     .summary = "cells from one window to the next, per spatial axis or one for all"},
    {.name = "pads",
     .kind = &api_integers_kind,
     .offset = offsetof(conv_call, request.pads),
     .minimum = 0,
     .maximum = API_MAX_WINDOW,
     .fewest = 2,
     .most = 2 * LAYER_MAX_SPATIAL,
     .fallback = "0",
     .summary = "cells of zeros around the input: all begins, then all ends, or one for all; "
                "conflicts with auto_pad"},
    {.name = "auto_pad",
     .kind = &api_choice_kind,
     .offset = offsetof(conv_call, request.auto_pad),
     .options = auto_pads,
     .fallback = "\"NOTSET\"",
     .summary = "how padding is decided: NOTSET by pads; VALID none; SAME_UPPER and SAME_LOWER so "
                "that the output has input / stride cells, rounded up, an odd cell at the end or "
                "at the beginning; FULL every position where the kernel touches the input"},
    {.name = "dilations",
     .kind = &api_integers_kind,
     .offset = offsetof(conv_call, request.dilations),
     .minimum = 1,
     .maximum = API_MAX_WINDOW,
     .fewest = 1,
     .most = LAYER_MAX_SPATIAL,
     .fallback = "1",
     .summary = "cells from one kernel element to the next, per spatial axis or one for all"},
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
    {.name = "kernel_shape",
     .kind = &api_integers_kind,
     .offset = offsetof(conv_call, request.kernel_shape),
     .minimum = 1,
     .maximum = API_MAX_WINDOW,
     .fewest = 1,
     .most = LAYER_MAX_SPATIAL,
     .summary = "what the weight's spatial axes are expected to be; by default whatever they are"},
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
    {.name = "strides",
     .kind = &api_list_kind,
     .offset = offsetof(conv_call, reply.strides),
     .required = true,
     .summary = "per spatial axis"},
    {.name = "pads",
     .kind = &api_list_kind,
     .offset = offsetof(conv_call, reply.pads),
     .required = true,
     .summary = "all begins, then all ends"},
    {.name = "dilations",
     .kind = &api_list_kind,
     .offset = offsetof(conv_call, reply.dilations),
     .required = true,
     .summary = "per spatial axis"},
    {.name = "group",
     .kind = &api_integer_kind,
     .offset = offsetof(conv_call, reply.group),
     .required = true,
     .summary = "groups that the channels are divided into"},
    {0},
};

/* ---- Ranks ----------------------------------------------------------------------------------- */

static bool is_bare(const api_tensor *weight)
{
    return weight->shape.rank <= BARE_RANK;
}

static int spatial_axes(const api_tensor *weight)
{
    return is_bare(weight) ? weight->shape.rank : weight->shape.rank - CHANNEL_AXES;
}

/* The shape with axes of 1 in front until it has `rank`. */
static layer_shape widened(const layer_shape *shape, int rank)
{
    layer_shape wide = {.rank = rank};
    const int added = rank - shape->rank;
    for (int axis = 0; axis < rank; axis++)
        wide.extent[axis] = axis < added ? 1 : shape->extent[axis - added];
    return wide;
}

/* The shape without what widened() would have added to get from `rank`. */
static layer_shape narrowed(const layer_shape *shape, int rank)
{
    layer_shape narrow = {.rank = rank};
    for (int axis = 0; axis < rank; axis++)
        narrow.extent[axis] = shape->extent[shape->rank - rank + axis];
    return narrow;
}

static bool check_ranks(const conv_call *call, api_problem *problem)
{
    const int input = call->request.input.shape.rank;
    const int weight = call->request.weight.shape.rank;
    const api_integer *const group = &call->request.group;
    if (is_bare(&call->request.weight) && group->given && group->value != 1)
        return api_refuse(problem, 422, "/group",
                          "group is %d; a bare kernel has one channel, and so one group",
                          (int)group->value);
    if (is_bare(&call->request.weight))
        return input == weight ||
               api_refuse(problem, 422, "/input",
                          "input has rank %d; a bare kernel of rank %d takes an input of the same "
                          "rank",
                          input, weight);
    return input == weight || input == weight - 1 ||
           api_refuse(problem, 422, "/input",
                      "input has rank %d; a weight of rank %d takes an input of rank %d, or %d for "
                      "one sample",
                      input, weight, weight, weight - 1);
}

/* ---- Options --------------------------------------------------------------------------------- */

/* Spreads what was given over `count` axes; what was not given leaves them zero. */
static bool spread(const api_integers *integers, const char *pointer, int count, int to[],
                   api_problem *problem)
{
    if (integers->given && integers->count != 0 && integers->count != count)
        return api_refuse(problem, 422, pointer, "%s has %d integers; this weight takes %d",
                          pointer + 1, integers->count, count);
    for (int i = 0; i < count; i++)
        to[i] = integers->value[integers->count == 0 ? 0 : i];
    return true;
}

static bool read_pads(const conv_call *call, int axes, layer_conv_options *options,
                      api_problem *problem)
{
    int pads[API_MAX_INTEGERS];
    if (call->request.pads.given && options->auto_pad != LAYER_AUTO_PAD_NOTSET)
        return api_refuse(problem, 422, "/pads", "pads conflicts with auto_pad \"%s\"",
                          auto_pads[options->auto_pad].name);
    if (!spread(&call->request.pads, "/pads", 2 * axes, pads, problem))
        return false;
    for (int axis = 0; axis < axes; axis++) {
        options->pads_begin[axis] = pads[axis];
        options->pads_end[axis] = pads[axes + axis];
    }
    return true;
}

static bool read_options(const conv_call *call, layer_conv_options *options, api_problem *problem)
{
    const int axes = spatial_axes(&call->request.weight);
    *options = (layer_conv_options){
        .group = (int)call->request.group.value,
        .auto_pad = (layer_auto_pad)call->request.auto_pad.value,
        .mode = (layer_conv_mode)call->request.mode.value,
        .algorithm = (layer_conv_algorithm)call->request.algorithm.value,
    };
    return spread(&call->request.strides, "/strides", axes, options->strides, problem) &&
           spread(&call->request.dilations, "/dilations", axes, options->dilations, problem) &&
           read_pads(call, axes, options, problem);
}

static bool check_kernel(const conv_call *call, api_problem *problem)
{
    const api_tensor *const weight = &call->request.weight;
    const layer_shape kernel = narrowed(&weight->shape, spatial_axes(weight));
    char is[API_SHAPE_TEXT_SIZE], said[API_SHAPE_TEXT_SIZE];
    layer_shape expected = kernel;
    if (!spread(&call->request.kernel_shape, "/kernel_shape", kernel.rank, expected.extent,
                problem))
        return false;
    for (int axis = 0; axis < kernel.rank; axis++) {
        if (kernel.extent[axis] > API_MAX_WINDOW)
            return api_refuse(problem, 413, "/weight",
                              "weight spans %s; the limit of a kernel is "
                              "%d along each axis",
                              api_shape_text(&kernel, is), API_MAX_WINDOW);
        if (call->request.kernel_shape.given && kernel.extent[axis] != expected.extent[axis])
            return api_refuse(problem, 422, "/kernel_shape",
                              "kernel_shape is %s, but weight spans %s",
                              api_shape_text(&expected, said), api_shape_text(&kernel, is));
    }
    return true;
}

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

/* ---- Describing ------------------------------------------------------------------------------ */

static void fill_reply(conv_call *call)
{
    const layer_conv *const conv = &call->conv;
    const layer_window *const window = conv->window + LAYER_MAX_SPATIAL - conv->axes;
    const int axes = conv->axes;
    call->reply.output.given = true;
    call->reply.output.shape = narrowed(&conv->output, call->request.input.shape.rank);
    call->reply.algorithm = (api_choice){true, (int)conv->algorithm};
    call->reply.group = (api_integer){true, conv->group};
    call->reply.strides = (api_integers){.given = true, .count = axes};
    call->reply.dilations = (api_integers){.given = true, .count = axes};
    call->reply.pads = (api_integers){.given = true, .count = 2 * axes};
    for (int axis = 0; axis < axes; axis++) {
        call->reply.strides.value[axis] = window[axis].stride;
        call->reply.dilations.value[axis] = window[axis].dilation;
        call->reply.pads.value[axis] = window[axis].pad_begin;
        call->reply.pads.value[axes + axis] = window[axis].pad_end;
    }
}

static bool describe(api_call *base, api_problem *problem)
{
    conv_call *const call = (conv_call *)base;
    layer_conv_options options;
    layer_error error;
    if (!check_ranks(call, problem) || !check_kernel(call, problem) ||
        !read_options(call, &options, problem))
        return false;
    const int rank = spatial_axes(&call->request.weight) + CHANNEL_AXES;
    const layer_shape input = widened(&call->request.input.shape, rank);
    const layer_shape weight = widened(&call->request.weight.shape, rank);
    if (layer_conv_describe(&call->conv, &input, &weight, &options, &error) != LAYER_OK)
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
