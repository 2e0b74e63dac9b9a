/* Transposed convolution: describe it, and run the adjoint of a convolution.
 * SPDX-License-Identifier: MIT */
#include "layer/conv_transpose.h"
#include "conv/adjoint.h"
#include "conv/implementation.h"
#include "core/refuse.h"
#include "core/sliding.h"

#include <assert.h>
#include <limits.h>

/* What is asked along one axis, and what follows. */
typedef struct {
    int input, kernel, stride, dilation, output_padding, output_shape;
    int64_t pad_begin, pad_end, output;
} axis_plan;

static layer_status check_channels(const layer_shape *input, const layer_shape *weight, int group,
                                   layer_error *error)
{
    if (group < 1)
        return layer_refuse(error, LAYER_INVALID, "group", "group is %d, expected at least 1",
                            group);
    if (input->extent[1] != weight->extent[0])
        return layer_refuse(error, LAYER_INVALID, "weight",
                            "input has %d channels, but weight takes %d", input->extent[1],
                            weight->extent[0]);
    if (weight->extent[0] % group != 0)
        return layer_refuse(error, LAYER_INVALID, "group",
                            "weight's %d input channels do not divide into %d groups",
                            weight->extent[0], group);
    return LAYER_OK;
}

static axis_plan axis_of(const layer_shape *input, const layer_shape *weight,
                         const layer_conv_transpose_options *options, int axis)
{
    const layer_geometry *const geometry = &options->geometry;
    return (axis_plan){
        .input = input->extent[2 + axis],
        .kernel = weight->extent[2 + axis],
        .stride = geometry->strides[axis] == 0 ? 1 : geometry->strides[axis],
        .dilation = geometry->dilations[axis] == 0 ? 1 : geometry->dilations[axis],
        .output_padding = options->output_padding[axis],
        .output_shape = options->output_shape[axis],
        .pad_begin = geometry->pads_begin[axis],
        .pad_end = geometry->pads_end[axis],
    };
}

static layer_status check_axis(const axis_plan *plan, layer_auto_pad auto_pad, int axis,
                               layer_error *error)
{
    const struct {
        const char *argument, *subject;
        long long value, least;
    } fields[] = {
        {"strides", "stride", plan->stride, 1},
        {"dilations", "dilation", plan->dilation, 1},
        {"pads", "padding at the beginning", plan->pad_begin, 0},
        {"pads", "padding at the end", plan->pad_end, 0},
        {"output_padding", "output_padding", plan->output_padding, 0},
        {"output_shape", "output_shape", plan->output_shape, 0},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].value < fields[i].least)
            return layer_refuse(error, LAYER_INVALID, fields[i].argument,
                                "%s is %lld along axis %d, expected at least %lld",
                                fields[i].subject, fields[i].value, axis, fields[i].least);
    const int most = plan->stride > plan->dilation ? plan->stride : plan->dilation;
    if (plan->output_padding >= most)
        return layer_refuse(error, LAYER_INVALID, "output_padding",
                            "output_padding is %d along axis %d, expected less than the stride of "
                            "%d or the dilation of %d",
                            plan->output_padding, axis, plan->stride, plan->dilation);
    const bool padded = plan->pad_begin != 0 || plan->pad_end != 0;
    if (padded && (auto_pad != LAYER_AUTO_PAD_NOTSET || plan->output_shape != 0))
        return layer_refuse(error, LAYER_INVALID, "pads",
                            "pads are %lld and %lld along axis %d, expected none: %s decides them",
                            (long long)plan->pad_begin, (long long)plan->pad_end, axis,
                            plan->output_shape != 0 ? "output_shape" : "auto_pad");
    return LAYER_OK;
}

static int64_t halve_down(int64_t number)
{
    return (number - (number % 2 != 0 && number < 0)) / 2;
}

/* Every factor is below 2^31, so that nothing overflows on the way. */
static layer_status derive_axis(axis_plan *plan, layer_auto_pad auto_pad, int axis,
                                layer_error *error)
{
    const bool upper = auto_pad == LAYER_AUTO_PAD_SAME_UPPER;
    const bool same = upper || auto_pad == LAYER_AUTO_PAD_SAME_LOWER;
    const int64_t extent = (int64_t)plan->dilation * (plan->kernel - 1) + 1;
    const int64_t spread = (int64_t)plan->stride * (plan->input - 1) + plan->output_padding;
    if (extent > INT_MAX || spread > INT_MAX - extent)
        return layer_refuse(error, LAYER_TOO_LARGE, "input",
                            "the output is %lld long along axis %d before it is cut, expected at "
                            "most %d",
                            (long long)spread + extent, axis, INT_MAX);
    if (plan->output_shape == 0 && !same) {
        plan->output = spread + extent - plan->pad_begin - plan->pad_end;
        if (plan->output >= 1)
            return LAYER_OK;
        return layer_refuse(error, LAYER_INVALID, "pads",
                            "pads of %lld and %lld leave nothing of the output of %lld along axis "
                            "%d",
                            (long long)plan->pad_begin, (long long)plan->pad_end,
                            (long long)(spread + extent), axis);
    }
    plan->output =
        plan->output_shape != 0 ? plan->output_shape : (int64_t)plan->input * plan->stride;
    const int64_t total = spread + extent - plan->output;
    plan->pad_begin = upper ? halve_down(total) : total - halve_down(total);
    plan->pad_end = total - plan->pad_begin;
    if (plan->output <= INT_MAX)
        return LAYER_OK;
    return layer_refuse(error, LAYER_TOO_LARGE, "input",
                        "the output is %lld long along axis %d, expected at most %d",
                        (long long)plan->output, axis, INT_MAX);
}

static layer_status describe_axes(layer_conv *adjoint, const layer_conv_transpose_options *options,
                                  layer_error *error)
{
    const layer_auto_pad auto_pad = options->geometry.auto_pad;
    if (auto_pad == LAYER_AUTO_PAD_FULL)
        return layer_refuse(error, LAYER_INVALID, "auto_pad",
                            "auto_pad FULL is for convolution, not for its transpose");
    for (int axis = 0; axis < LAYER_MAX_SPATIAL - adjoint->axes; axis++)
        adjoint->window[axis] =
            (layer_window){.input = 1, .kernel = 1, .stride = 1, .dilation = 1, .output = 1};
    for (int axis = 0; axis < adjoint->axes; axis++) {
        axis_plan plan = axis_of(&adjoint->output, &adjoint->weight, options, axis);
        layer_status status = check_axis(&plan, auto_pad, axis, error);
        if (status == LAYER_OK)
            status = derive_axis(&plan, auto_pad, axis, error);
        if (status != LAYER_OK)
            return status;
        adjoint->input.extent[2 + axis] = (int)plan.output;
        adjoint->window[LAYER_MAX_SPATIAL - adjoint->axes + axis] = (layer_window){
            .input = (int)plan.output,
            .kernel = plan.kernel,
            .stride = plan.stride,
            .dilation = plan.dilation,
            .pad_begin = (int)plan.pad_begin,
            .pad_end = (int)plan.pad_end,
            .output = plan.input,
        };
    }
    size_t count;
    if (layer_shape_count(&adjoint->input, "input", &count, error) == LAYER_OK)
        return LAYER_OK;
    return layer_conv_refuse_output(&adjoint->input, error);
}

layer_status layer_conv_transpose_describe(layer_conv_transpose *transpose,
                                           const layer_shape *input, const layer_shape *weight,
                                           const layer_conv_transpose_options *options,
                                           layer_error *error)
{
    const layer_conv_transpose_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    const int group = options->group == 0 ? 1 : options->group;
    assert(options->mode == LAYER_CONV_CROSS_CORRELATION ||
           options->mode == LAYER_CONV_CONVOLUTION);
    layer_status status = layer_conv_check_shapes(input, weight, "[C, K/group", error);
    if (status == LAYER_OK)
        status = check_channels(input, weight, group, error);
    if (status != LAYER_OK)
        return status;
    layer_conv adjoint = {
        .input = {weight->rank, {input->extent[0], weight->extent[1] * group}},
        .weight = *weight,
        .output = *input,
        .axes = weight->rank - 2,
        .group = group,
        .mode = options->mode,
    };
    status = describe_axes(&adjoint, options, error);
    if (status != LAYER_OK)
        return status;
    adjoint.multiplications = layer_conv_multiplications(&adjoint);
    adjoint.algorithm = layer_conv_choose(&adjoint);
    *transpose =
        (layer_conv_transpose){*input, *weight, adjoint.input, adjoint, adjoint.multiplications};
    return LAYER_OK;
}

size_t layer_conv_transpose_workspace_size(const layer_conv_transpose *transpose, int threads)
{
    return layer_conv_adjoint_workspace_size(&transpose->adjoint, threads);
}

layer_status layer_conv_transpose_run(const layer_conv_transpose *transpose, const float *input,
                                      const float *weight, const float *bias, float *output,
                                      const layer_run *run)
{
    assert(input != NULL && weight != NULL && output != NULL && run != NULL);
    return layer_conv_adjoint(&transpose->adjoint, weight, bias, input, output, run);
}
