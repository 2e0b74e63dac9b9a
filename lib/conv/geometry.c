/* How large a convolution's planes are.
 * SPDX-License-Identifier: MIT */
#include "conv/implementation.h"
#include "core/blocks.h"

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

double layer_conv_vector_waste(size_t columns)
{
    enum { LANES = 16 };
    return (double)layer_rounded_up(columns, LANES) / (double)columns;
}

int layer_greatest_common_divisor(int a, int b)
{
    while (b != 0) {
        const int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}
