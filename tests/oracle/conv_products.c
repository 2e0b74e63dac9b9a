/* A convolution's definition as the list of its products.
 * SPDX-License-Identifier: MIT */
#include "oracle/conv_products.h"

enum { AXES = LAYER_MAX_SPATIAL };

typedef struct {
    const layer_conv *conv;
    void (*visit)(void *context, const conv_product *one);
    void *context;
    size_t input_channel, kernel, output_plane; /* of [N][C], of [K][C/group], of [N][K] */
} listing;

/* Adds a digit to an index, as row-major tensors have it. */
static size_t along(size_t index, int extent, int position)
{
    return index * (size_t)extent + (size_t)position;
}

static void list_cell(const listing *of, const int p[AXES], const int r[AXES])
{
    conv_product one = {of->input_channel, of->kernel, of->output_plane};
    for (int axis = 0; axis < AXES; axis++) {
        const layer_window *const window = &of->conv->window[axis];
        const int x = p[axis] * window->stride - window->pad_begin + r[axis] * window->dilation;
        const bool flipped = of->conv->mode == LAYER_CONV_CONVOLUTION;
        if (x < 0 || x >= window->input)
            return;
        one.input = along(one.input, window->input, x);
        one.weight =
            along(one.weight, window->kernel, flipped ? window->kernel - 1 - r[axis] : r[axis]);
        one.output = along(one.output, window->output, p[axis]);
    }
    of->visit(of->context, &one);
}

static void list_window(const listing *of, const int p[AXES])
{
    const layer_window *const window = of->conv->window;
    int r[AXES];
    for (r[0] = 0; r[0] < window[0].kernel; r[0]++)
        for (r[1] = 0; r[1] < window[1].kernel; r[1]++)
            for (r[2] = 0; r[2] < window[2].kernel; r[2]++)
                list_cell(of, p, r);
}

static void list_plane(const listing *of)
{
    const layer_window *const window = of->conv->window;
    int p[AXES];
    for (p[0] = 0; p[0] < window[0].output; p[0]++)
        for (p[1] = 0; p[1] < window[1].output; p[1]++)
            for (p[2] = 0; p[2] < window[2].output; p[2]++)
                list_window(of, p);
}

void conv_products(const layer_conv *conv, void (*visit)(void *context, const conv_product *one),
                   void *context)
{
    listing of = {.conv = conv, .visit = visit, .context = context};
    const int channels = conv->weight.extent[1];
    for (int n = 0; n < conv->output.extent[0]; n++)
        for (int k = 0; k < conv->output.extent[1]; k++)
            for (int c = 0; c < channels; c++) {
                const int group = k / (conv->output.extent[1] / conv->group);
                of.input_channel = along((size_t)n, conv->input.extent[1], group * channels + c);
                of.kernel = along((size_t)k, channels, c);
                of.output_plane = along((size_t)n, conv->output.extent[1], k);
                list_plane(&of);
            }
}
