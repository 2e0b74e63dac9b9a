/* Cutting an axis into tiles for Fourier's transform.
 * SPDX-License-Identifier: MIT */
#include "conv/fft_cut.h"
#include "conv/fft.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>

int layer_fft_span(const layer_window *window)
{
    const int64_t span = (int64_t)(window->kernel - 1) * window->dilation + 1;
    return span <= INT_MAX ? (int)span : INT_MAX;
}

static bool is_met(const layer_window *window)
{
    for (int tap = 0; tap < window->kernel; tap++) {
        const layer_steps outputs = layer_inside_outputs(window, tap);
        if (outputs.begin < outputs.end)
            return true;
    }
    return false;
}

static layer_fft_cut cut_into(const layer_window *window, int side)
{
    const int span = layer_fft_span(window), outputs = (side - span) / window->stride + 1;
    return (layer_fft_cut){side, outputs, (window->output - 1) / outputs + 1, span, is_met(window)};
}

static double cost_of(const layer_fft_cut *one)
{
    return (double)one->tiles * one->side * log2(one->side);
}

/* The cheapest way; larger tiles have less in common, but transforms of more steps. */
layer_fft_cut layer_fft_cut_axis(const layer_window *window)
{
    layer_fft_cut best = cut_into(window, LAYER_FFT_MOST_SIDE);
    for (int side = LAYER_FFT_MOST_SIDE / 2; side >= LAYER_FFT_LEAST_SIDE; side /= 2) {
        if (side < layer_fft_span(window))
            break;
        const layer_fft_cut smaller = cut_into(window, side);
        if (cost_of(&smaller) <= cost_of(&best))
            best = smaller;
    }
    return best;
}
