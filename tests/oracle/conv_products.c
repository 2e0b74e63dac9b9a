/* A convolution's definition as the list of its products.
 * SPDX-License-Identifier: MIT */
#include "oracle/conv_products.h"

#include <stdbool.h>

enum { AXES = LAYER_MAX_SPATIAL };

typedef struct {
    const layer_conv *conv;
    void (*visit)(void *context, const conv_product *one);
    void *context;
} listing;

/* Adds a digit to an index, as row-major tensors have it. */
static size_t along(size_t index, int extent, int position)
{
    return index * (size_t)extent + (size_t)position;
}

/* `at` says where the factors are along the axes before this one. */
static void list_axis(const listing *of, int axis, const conv_product *at)
{
    if (axis == AXES) {
        of->visit(of->context, at);
        return;
    }
    const layer_window *const window = &of->conv->window[axis];
    const bool flipped = of->conv->mode == LAYER_CONV_CONVOLUTION;
    for (int p = 0; p < window->output; p++)
        for (int r = 0; r < window->kernel; r++) {
            const int x = p * window->stride - window->pad_begin + r * window->dilation;
            if (x < 0 || x >= window->input)
                continue;
            const conv_product one = {
                along(at->input, window->input, x),
                along(at->weight, window->kernel, flipped ? window->kernel - 1 - r : r),
                along(at->output, window->output, p),
            };
            list_axis(of, axis + 1, &one);
        }
}

void conv_products(const layer_conv *conv, void (*visit)(void *context, const conv_product *one),
                   void *context)
{
    const listing of = {.conv = conv, .visit = visit, .context = context};
    const int channels = conv->weight.extent[1];
    for (int n = 0; n < conv->output.extent[0]; n++)
        for (int k = 0; k < conv->output.extent[1]; k++)
            for (int c = 0; c < channels; c++) {
                const int group = k / (conv->output.extent[1] / conv->group);
                const conv_product first = {
                    along((size_t)n, conv->input.extent[1], group * channels + c),
                    along((size_t)k, channels, c),
                    along((size_t)n, conv->output.extent[1], k),
                };
                list_axis(&of, 0, &first);
            }
}
