/* Convolution by its definition, in double: what every algorithm is held to.
 * SPDX-License-Identifier: MIT */
#include "oracle/conv_oracle.h"

enum { AXES = LAYER_MAX_SPATIAL };

typedef struct {
    int n, k;
    int p[AXES];
} output_position;

/* The input at `position` of sample n and channel c, zero outside. */
static double input_at(const layer_conv *conv, const float *input, int n, int c,
                       const int position[AXES])
{
    for (int axis = 0; axis < AXES; axis++)
        if (position[axis] < 0 || position[axis] >= conv->window[axis].input)
            return 0;
    const int channels = conv->input.extent[1], depth = conv->window[0].input,
              height = conv->window[1].input, width = conv->window[2].input;
    const float(*const x)[channels][depth][height][width] =
        (const float(*)[channels][depth][height][width])input;
    return (double)x[n][c][position[0]][position[1]][position[2]];
}

static double weight_at(const layer_conv *conv, const float *weight, int k, int c,
                        const int cell[AXES])
{
    const int channels = conv->weight.extent[1], depth = conv->window[0].kernel,
              height = conv->window[1].kernel, width = conv->window[2].kernel;
    const float(*const w)[channels][depth][height][width] =
        (const float(*)[channels][depth][height][width])weight;
    if (conv->mode == LAYER_CONV_CONVOLUTION)
        return (double)w[k][c][depth - 1 - cell[0]][height - 1 - cell[1]][width - 1 - cell[2]];
    return (double)w[k][c][cell[0]][cell[1]][cell[2]];
}

/* One kernel cell's part, summed over the channels of the output channel's group. */
static double sum_channels(const layer_conv *conv, const float *input, const float *weight,
                           const output_position *at, const int cell[AXES])
{
    int position[AXES];
    for (int axis = 0; axis < AXES; axis++) {
        const layer_window *const window = &conv->window[axis];
        position[axis] =
            at->p[axis] * window->stride - window->pad_begin + cell[axis] * window->dilation;
    }
    const int channels = conv->weight.extent[1];
    const int group = at->k / (conv->weight.extent[0] / conv->group);
    double sum = 0;
    for (int c = 0; c < channels; c++)
        sum += input_at(conv, input, at->n, group * channels + c, position) *
               weight_at(conv, weight, at->k, c, cell);
    return sum;
}

static double output_at(const layer_conv *conv, const float *input, const float *weight,
                        const output_position *at)
{
    int r[AXES];
    double sum = 0;
    for (r[0] = 0; r[0] < conv->window[0].kernel; r[0]++)
        for (r[1] = 0; r[1] < conv->window[1].kernel; r[1]++)
            for (r[2] = 0; r[2] < conv->window[2].kernel; r[2]++)
                sum += sum_channels(conv, input, weight, at, r);
    return sum;
}

void conv_oracle(const layer_conv *conv, const float *input, const float *weight, const float *bias,
                 double *output)
{
    output_position at;
    for (at.n = 0; at.n < conv->output.extent[0]; at.n++)
        for (at.k = 0; at.k < conv->output.extent[1]; at.k++)
            for (at.p[0] = 0; at.p[0] < conv->window[0].output; at.p[0]++)
                for (at.p[1] = 0; at.p[1] < conv->window[1].output; at.p[1]++)
                    for (at.p[2] = 0; at.p[2] < conv->window[2].output; at.p[2]++)
                        *output++ = output_at(conv, input, weight, &at) +
                                    (bias == NULL ? 0 : (double)bias[at.k]);
}
