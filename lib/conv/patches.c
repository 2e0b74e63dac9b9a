/* Gathering rows of the patch matrix.
 * SPDX-License-Identifier: MIT */
#include "conv/patches.h"

#include <string.h>

/* One kernel cell of one channel: a row of the patch matrix. */
typedef struct {
    const float *plane; /* the channel's */
    layer_position cell;
} tap;

/* Whether every output sees the one input at its own position. */
static bool sees_itself(const layer_window *window)
{
    return window->kernel == 1 && window->stride == 1 && window->output == window->input &&
           window->pad_begin == 0;
}

layer_patches layer_conv_patches(const layer_conv *conv)
{
    const size_t kernel_plane = layer_conv_kernel_plane(conv);
    return (layer_patches){
        .conv = conv,
        .input_plane = layer_conv_input_plane(conv),
        .kernel_plane = kernel_plane,
        .rows = (size_t)conv->weight.extent[1] * kernel_plane,
        .columns = layer_conv_output_plane(conv),
        .is_input = sees_itself(&conv->window[LAYER_DEPTH]) &&
                    sees_itself(&conv->window[LAYER_HEIGHT]) &&
                    sees_itself(&conv->window[LAYER_WIDTH]),
    };
}

layer_position layer_patches_position(const layer_patches *patches, size_t column)
{
    const size_t height = (size_t)patches->conv->window[LAYER_HEIGHT].output;
    const size_t width = (size_t)patches->conv->window[LAYER_WIDTH].output;
    return (layer_position){(int)(column / width / height), (int)(column / width % height),
                            (int)(column % width)};
}

static tap tap_of(const layer_patches *patches, const float *channels, size_t row)
{
    const layer_window *const window = patches->conv->window;
    size_t cell = row % patches->kernel_plane;
    if (patches->conv->mode == LAYER_CONV_CONVOLUTION)
        cell = patches->kernel_plane - 1 - cell;
    const int line = (int)(cell / (size_t)window[LAYER_WIDTH].kernel);
    return (tap){
        .plane = channels + row / patches->kernel_plane * patches->input_plane,
        .cell = {line / window[LAYER_HEIGHT].kernel, line % window[LAYER_HEIGHT].kernel,
                 (int)(cell % (size_t)window[LAYER_WIDTH].kernel)},
    };
}

static void fill_zero(float *floats, int count)
{
    if (count > 0)
        memset(floats, 0, (size_t)count * sizeof *floats);
}

/* What columns q.begin to q.end of a line of outputs meet: input within `inside`, zero elsewhere.
 * Column 0 meets line[start]; a line of padding is NULL. */
static void gather_line(float *gathered, const float *line, layer_steps q, layer_steps inside,
                        ptrdiff_t start, ptrdiff_t stride)
{
    const int begin = inside.begin > q.begin ? inside.begin : q.begin;
    const int end = inside.end < q.end ? inside.end : q.end;
    if (line == NULL || begin >= end) {
        fill_zero(gathered, q.end - q.begin);
        return;
    }
    fill_zero(gathered, begin - q.begin);
    float *const filled = gathered + (begin - q.begin);
    const float *const x = line + (start + begin * stride);
    if (stride == 1)
        memcpy(filled, x, (size_t)(end - begin) * sizeof *filled);
    else
        for (int i = 0; i < end - begin; i++)
            filled[i] = x[i * stride];
    fill_zero(gathered + (end - q.begin), q.end - end);
}

static bool is_within(int cell, const layer_window *window)
{
    return cell >= 0 && cell < window->input;
}

void layer_patches_gather(const layer_patches *patches, const float *channels, size_t row,
                          layer_position first, int columns, float *gathered)
{
    const layer_window *const depth = &patches->conv->window[LAYER_DEPTH];
    const layer_window *const height = &patches->conv->window[LAYER_HEIGHT];
    const layer_window *const width = &patches->conv->window[LAYER_WIDTH];
    const tap at = tap_of(patches, channels, row);
    const layer_steps inside = layer_inside_outputs(width, at.cell.width);
    const ptrdiff_t start = (ptrdiff_t)at.cell.width * width->dilation - width->pad_begin;
    int d = first.depth * depth->stride - depth->pad_begin + at.cell.depth * depth->dilation;
    int h = first.height * height->stride - height->pad_begin + at.cell.height * height->dilation;
    int p = first.height, q = first.width;
    for (int done = 0, take; done < columns; done += take, q = 0) {
        take = width->output - q < columns - done ? width->output - q : columns - done;
        const ptrdiff_t line = (ptrdiff_t)d * height->input + h;
        gather_line(gathered + done,
                    is_within(d, depth) && is_within(h, height) ? at.plane + line * width->input
                                                                : NULL,
                    (layer_steps){q, q + take}, inside, start, width->stride);
        h += height->stride;
        if (++p == height->output) {
            p = 0;
            h -= height->output * height->stride;
            d += depth->stride;
        }
    }
}
