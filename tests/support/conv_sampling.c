/* Random convolutions for property tests.
 * SPDX-License-Identifier: MIT */
#include "support/conv_sampling.h"
#include "support/floats.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

layer_geometry conv_sampling_geometry(sampling *from, int axes)
{
    layer_geometry drawn = {.auto_pad =
                                (layer_auto_pad)sampling_between(from, 0, LAYER_AUTO_PAD_FULL)};
    const bool explicit_pads = drawn.auto_pad == LAYER_AUTO_PAD_NOTSET;
    const bool strided = drawn.auto_pad != LAYER_AUTO_PAD_FULL;
    for (int axis = 0; axis < axes; axis++) {
        drawn.strides[axis] = strided ? sampling_between(from, 0, 3) : 0;
        drawn.dilations[axis] = sampling_between(from, 0, 3);
        drawn.pads_begin[axis] = explicit_pads ? sampling_between(from, 0, 6) : 0;
        drawn.pads_end[axis] = explicit_pads ? sampling_between(from, 0, 6) : 0;
    }
    return drawn;
}

static conv_geometry draw_geometry(sampling *from)
{
    const int axes = sampling_between(from, 1, 3);
    const int most_extent = axes == 1 ? 300 : axes == 2 ? 40 : 9;
    const int group = sampling_between(from, 0, 2) == 0 ? sampling_between(from, 2, 4) : 1;
    const int channels = sampling_between(from, 1, 5);
    const int outputs = sampling_between(from, 0, 3) == 0 ? sampling_between(from, 8, 40)
                                                          : sampling_between(from, 1, 5);
    conv_geometry drawn = {
        .input = {2 + axes, {sampling_between(from, 1, 3), group * channels}},
        .weight = {2 + axes, {group * outputs, channels}},
        .options = {.group = group,
                    .mode = (layer_conv_mode)sampling_between(from, 0, 1),
                    .geometry = conv_sampling_geometry(from, axes)},
    };
    for (int axis = 0; axis < axes; axis++) {
        drawn.input.extent[2 + axis] =
            sampling_between(from, 0, 7) == 0 ? 1 : sampling_between(from, 2, most_extent);
        drawn.weight.extent[2 + axis] = sampling_between(from, 1, axes == 1 ? 9 : 5);
    }
    return drawn;
}

/* 3x3 with stride and dilation 1, of more channels now and then. */
static conv_geometry draw_favourite(sampling *from)
{
    const int group = sampling_between(from, 0, 3) == 0 ? sampling_between(from, 2, 3) : 1;
    const int kind = sampling_between(from, 0, 7);
    const int channels = sampling_between(from, 1, kind == 0 ? 150 : 10);
    const int outputs = sampling_between(from, 1, kind == 1 ? 140 : 10);
    conv_geometry drawn = {
        .input = {4, {sampling_between(from, 1, 3), group * channels}},
        .weight = {4, {group * outputs, channels, 3, 3}},
        .options = {.group = group,
                    .is_prepared = sampling_between(from, 0, 1) == 1,
                    .mode = (layer_conv_mode)sampling_between(from, 0, 1),
                    .geometry.auto_pad =
                        (layer_auto_pad)sampling_between(from, 0, LAYER_AUTO_PAD_FULL)},
    };
    const bool wide = sampling_between(from, 0, 9) == 0;
    for (int axis = 0; axis < 2; axis++)
        drawn.input.extent[2 + axis] = sampling_between(from, 1, axis == 1 && wide ? 150 : 18);
    if (drawn.options.geometry.auto_pad == LAYER_AUTO_PAD_NOTSET)
        for (int axis = 0; axis < 2; axis++) {
            const int most = sampling_between(from, 0, 9) == 0 ? 40 : 9;
            drawn.options.geometry.pads_begin[axis] = sampling_between(from, 0, most);
            drawn.options.geometry.pads_end[axis] = sampling_between(from, 0, most);
        }
    return drawn;
}

static bool fits(const conv_geometry *drawn, layer_conv *conv)
{
    layer_error error;
    const layer_status status =
        layer_conv_describe(conv, &drawn->input, &drawn->weight, &drawn->options, &error);
    if (status == LAYER_OK)
        return true;
    if (status != LAYER_INVALID || strcmp(error.argument, "weight") != 0) {
        fprintf(stderr, "%s: %s\n", error.argument, error.reason);
        abort();
    }
    return false;
}

conv_geometry conv_sampling_draw_favourite(sampling *from, layer_conv *conv)
{
    for (;;) {
        const conv_geometry drawn = draw_favourite(from);
        if (fits(&drawn, conv))
            return drawn;
    }
}

conv_geometry conv_sampling_draw(sampling *from, size_t fewest_outputs, layer_conv *conv)
{
    for (;;) {
        const conv_geometry drawn = draw_geometry(from);
        if (fits(&drawn, conv) && floats_count(&conv->output) >= fewest_outputs)
            return drawn;
    }
}

const char *conv_sampling_sentence(const layer_conv *conv)
{
    static char text[512];
    int length =
        snprintf(text, sizeof text, "%s, mode %d, N %d, C %d, K %d, group %d",
                 layer_conv_algorithm_name(conv->algorithm), (int)conv->mode, conv->input.extent[0],
                 conv->input.extent[1], conv->weight.extent[0], conv->group);
    for (int axis = LAYER_MAX_SPATIAL - conv->axes; axis < LAYER_MAX_SPATIAL; axis++) {
        const layer_window *const w = &conv->window[axis];
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "; input %d kernel %d stride %d dilation %d pads %d %d", w->input,
                           w->kernel, w->stride, w->dilation, w->pad_begin, w->pad_end);
    }
    return text;
}
