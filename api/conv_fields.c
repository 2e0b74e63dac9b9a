/* What the operations on convolutions share: group and mode, and describing what was asked for.
 * SPDX-License-Identifier: MIT */
#include "conv_fields.h"

#include "operation.h"
#include "ranks.h"
#include "shapes.h"

#include <string.h>

const api_option api_conv_modes[] = {
    {"cross-correlation", LAYER_CONV_CROSS_CORRELATION, "what networks call convolution"},
    {"convolution", LAYER_CONV_CONVOLUTION, "with the kernel flipped"},
    {0},
};

const api_field api_conv_attribute_fields[] = {
    {.name = "group",
     .kind = &api_integer_kind,
     .offset = offsetof(api_conv_attributes, group),
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fallback = "1",
     .summary = "groups that the channels are divided into, each with its own part of the weight"},
    {.name = "mode",
     .kind = &api_choice_kind,
     .offset = offsetof(api_conv_attributes, mode),
     .options = api_conv_modes,
     .fallback = "\"cross-correlation\"",
     .summary = "whether the kernel is flipped"},
    {0},
};

bool api_describe_conv(const api_conv_asked *asked, layer_conv *conv, api_problem *problem)
{
    const int axes = api_spatial_axes(asked->weight);
    const layer_shape kernel = api_narrowed(asked->weight, axes);
    layer_conv_options options = {
        .group = (int)asked->attributes->group.value,
        .mode = (layer_conv_mode)asked->attributes->mode.value,
        .algorithm = asked->algorithm,
    };
    if (!api_check_ranks(asked->input, asked->weight, options.group, asked->input_field, problem) ||
        !api_check_kernel(asked->geometry, &kernel, "weight", problem) ||
        !api_read_geometry(asked->geometry, axes, &options.geometry, problem))
        return false;
    const layer_shape input = api_widened(asked->input, axes + API_CHANNEL_AXES);
    const layer_shape weight = api_widened(asked->weight, axes + API_CHANNEL_AXES);
    layer_error error;
    if (layer_conv_describe(conv, &input, &weight, &options, &error) == LAYER_OK)
        return true;
    if (strcmp(error.argument, "input") == 0)
        error.argument = asked->input_field;
    return api_refuse_layer(problem, &error);
}
