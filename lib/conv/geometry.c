/* What the algorithms ask about a convolution's geometry.
 * SPDX-License-Identifier: MIT */
#include "conv/implementation.h"

#include <stdint.h>

static int64_t divide_up(int64_t dividend, int64_t divisor)
{
    return (dividend + divisor - 1) / divisor;
}

/* The steps i from 0 to count - 1 for which start + i * stride lies in [0, extent). Mostly all of
 * them, so that is asked first: a division costs more than the rest. */
static layer_range steps_inside(int64_t start, int64_t stride, int64_t extent, int count)
{
    layer_range steps = {0, count};
    if (start < 0) {
        const int64_t begin = divide_up(-start, stride);
        steps.begin = begin < count ? (int)begin : count;
    }
    if (start + (count - 1) * stride >= extent) {
        const int64_t end = start < extent ? divide_up(extent - start, stride) : 0;
        steps.end = end < count ? (int)end : count;
    }
    return steps;
}

layer_range layer_conv_taps_inside(const layer_window *window, int output)
{
    const int64_t start = (int64_t)output * window->stride - window->pad_begin;
    return steps_inside(start, window->dilation, window->input, window->kernel);
}

layer_range layer_conv_outputs_inside(const layer_window *window, int tap)
{
    const int64_t start = (int64_t)tap * window->dilation - window->pad_begin;
    return steps_inside(start, window->stride, window->input, window->output);
}

static size_t plane(int depth, int height, int width)
{
    return (size_t)depth * (size_t)height * (size_t)width;
}

size_t layer_conv_input_plane(const layer_conv *conv)
{
    const layer_window *const window = conv->window;
    return plane(window[LAYER_DEPTH].input, window[LAYER_HEIGHT].input, window[LAYER_WIDTH].input);
}

size_t layer_conv_output_plane(const layer_conv *conv)
{
    const layer_window *const window = conv->window;
    return plane(window[LAYER_DEPTH].output, window[LAYER_HEIGHT].output,
                 window[LAYER_WIDTH].output);
}

size_t layer_conv_kernel_plane(const layer_conv *conv)
{
    const layer_window *const window = conv->window;
    return plane(window[LAYER_DEPTH].kernel, window[LAYER_HEIGHT].kernel,
                 window[LAYER_WIDTH].kernel);
}
