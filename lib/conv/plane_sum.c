/* A plane of outputs as a sum. SPDX-License-Identifier: MIT */
#include "conv/plane_sum.h"

static size_t area(int height, int width)
{
    return (size_t)height * (size_t)width;
}

layer_plane_sum layer_plane_sum_of(const layer_conv *conv, size_t sample, size_t group,
                                   size_t output_channel, int depth)
{
    const layer_window *const along = &conv->window[LAYER_DEPTH];
    const size_t channels = (size_t)conv->weight.extent[1], groups = (size_t)conv->group;
    const layer_steps slices = layer_inside_taps(along, depth);
    return (layer_plane_sum){
        .conv = conv,
        .channel = (sample * groups + group) * channels,
        .output_channel = output_channel,
        .depth = (ptrdiff_t)depth * along->stride - along->pad_begin,
        .slices = slices,
        .terms = slices.begin < slices.end ? channels * (size_t)(slices.end - slices.begin) : 0,
    };
}

layer_plane_term layer_plane_term_at(const layer_plane_sum *sum, size_t term)
{
    const layer_conv *const conv = sum->conv;
    const layer_window *const depth = &conv->window[LAYER_DEPTH];
    const layer_window *const height = &conv->window[LAYER_HEIGHT];
    const layer_window *const width = &conv->window[LAYER_WIDTH];
    const size_t slices = (size_t)(sum->slices.end - sum->slices.begin);
    const size_t channel = slices == 1 ? term : term / slices; /* a division is dear */
    const int slice = sum->slices.begin + (int)(term - channel * slices);
    const size_t z = (size_t)(sum->depth + (ptrdiff_t)slice * depth->dilation);
    const bool flipped = conv->mode == LAYER_CONV_CONVOLUTION;
    const size_t in_kernel = (size_t)(flipped ? depth->kernel - 1 - slice : slice);
    const size_t kernel = sum->output_channel * (size_t)conv->weight.extent[1] + channel;
    return (layer_plane_term){
        .input = ((sum->channel + channel) * (size_t)depth->input + z) *
                 area(height->input, width->input),
        .weight =
            (kernel * (size_t)depth->kernel + in_kernel) * area(height->kernel, width->kernel),
    };
}
