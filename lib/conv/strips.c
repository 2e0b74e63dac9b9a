/* What all strips of a convolution have in common.
 * SPDX-License-Identifier: MIT */
#include "conv/strips.h"
#include "core/blocks.h"

#include <limits.h>

/* Cells that a padded line may have beyond those of its outputs. */
enum { MOST_BEYOND = 64 };

static bool sees_itself(const layer_window *window)
{
    return window->kernel == 1 && window->stride == 1 && window->pad_begin == 0 &&
           window->output == window->input;
}

/* Where `inner` takes every line as it is, the lines that `outer` steps over are one long line. */
static void merge(layer_window *outer, layer_window *inner)
{
    const int64_t line = inner->input;
    if (!sees_itself(inner) || outer->stride != 1 || outer->dilation * line > INT_MAX ||
        outer->pad_begin * line > INT_MAX || outer->pad_begin * line < INT_MIN)
        return;
    *inner = (layer_window){
        .input = (int)(outer->input * line),
        .kernel = outer->kernel,
        .stride = 1,
        .dilation = (int)(outer->dilation * line),
        .pad_begin = (int)(outer->pad_begin * line),
        .output = (int)(outer->output * line),
    };
    *outer = (layer_window){.input = 1, .kernel = 1, .stride = 1, .dilation = 1, .output = 1};
}

/* Cells of a padded line, a stride apart, beyond those that the kernel's first cell meets. */
static int64_t beyond(const layer_window *width)
{
    return (int64_t)(width->kernel - 1) * width->dilation / width->stride;
}

layer_strips layer_conv_strips(const layer_conv *conv)
{
    layer_strips strips = {.patches = layer_conv_patches(conv)};
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        strips.window[axis] = conv->window[axis];
    layer_window *const width = &strips.window[LAYER_WIDTH];
    merge(&strips.window[LAYER_HEIGHT], width);
    if (sees_itself(&strips.window[LAYER_HEIGHT]) && strips.window[LAYER_HEIGHT].input == 1)
        merge(&strips.window[LAYER_DEPTH], width);
    strips.reads = *width;
    strips.is_vectorized = width->kernel <= LAYER_STRIP_READS;
    strips.is_shared = strips.is_vectorized && width->kernel > 1 && width->stride <= 2 &&
                       beyond(width) <= MOST_BEYOND;
    if (strips.is_shared) {
        strips.reads.kernel = width->stride;
        strips.reads.dilation = 1;
        strips.reads.output += (int)beyond(width);
    }
    return strips;
}

size_t layer_strips_lines(const layer_strips *strips, size_t columns)
{
    const layer_window *const width = &strips->window[LAYER_WIDTH];
    if (!strips->is_shared)
        return 0;
    const size_t beyond_output = (size_t)(strips->reads.output - width->output);
    const size_t lines = layer_smaller(columns, (columns - 1) / (size_t)width->output + 2);
    return (size_t)strips->reads.kernel * (columns + lines * (beyond_output + LAYER_STRIP_SLACK));
}

size_t layer_strips_step(const layer_strips *strips)
{
    return strips->is_shared ? (size_t)strips->window[LAYER_WIDTH].kernel : 1;
}
