/* Winograd's transform of the weight, G g G'.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_KERNELS_WINOGRAD_WEIGHT_H
#define LAYER_CONV_KERNELS_WINOGRAD_WEIGHT_H

#include "conv/kernels/winograd_matrices.h"

/* How many channels ahead exchanged kernels are fetched. */
enum { FETCHED_CHANNELS = 4 };

/* The kernels of up to LANES channels for up to LANES outputs: cells[channel][cell], lanes the
 * outputs. Fetches those of the next LANES channels. */
static void gather_kernels(const float *weight, size_t output_stride, size_t outputs,
                           size_t channels, lanes *cells)
{
    const size_t count = channels * KERNEL_CELLS;
    for (size_t first = 0; first < count; first += LANES) {
        const size_t some = layer_smaller(LANES, count - first);
        for (size_t i = 0; i < outputs; i++)
            __builtin_prefetch(weight + i * output_stride + first + LANES * KERNEL_CELLS);
        if (some == LANES && outputs == LANES) {
            lanes_load_transposed(weight + first, output_stride, cells + first);
            continue;
        }
        for (size_t i = 0; i < LANES; i++)
            cells[first + i] = i < outputs
                                   ? lanes_load_some(weight + i * output_stride + first, (int)some)
                                   : (lanes){0};
        lanes_transpose(cells + first);
    }
}

/* The same, exchanged: a channel's kernels lie one behind the other, channels `stride` apart. */
static void gather_exchanged(const float *weight, size_t stride, size_t outputs, size_t channels,
                             lanes *cells)
{
    for (size_t channel = 0; channel < channels; channel++, weight += stride)
        for (size_t first = 0; first < KERNEL_CELLS; first += LANES) {
            const size_t some = layer_smaller(LANES, KERNEL_CELLS - first);
            lanes square[LANES];
            for (size_t i = 0; i < LANES; i++) {
                const float *const kernel = weight + i * KERNEL_CELLS + first;
                square[i] = i < outputs ? lanes_load_some(kernel, (int)some) : (lanes){0};
                __builtin_prefetch(kernel + FETCHED_CHANNELS * stride);
            }
            lanes_transpose(square);
            for (size_t i = 0; i < some; i++)
                cells[channel * KERNEL_CELLS + first + i] = square[i];
        }
}

/* G g G' of one channel: transformed[point]. */
INLINED void transform_kernel(const lanes cells[KERNEL_CELLS], const bool is_flipped,
                              const bool is_streamed, float *transformed, size_t point_stride)
{
    lanes columns[POINTS][KERNEL];
    for (int x = 0; x < KERNEL; x++) {
        lanes column[KERNEL], sums[POINTS];
        for (int i = 0; i < KERNEL; i++)
            column[i] =
                is_flipped ? cells[KERNEL_CELLS - 1 - (i * KERNEL + x)] : cells[i * KERNEL + x];
        apply(KERNEL, weight_matrix, column, sums);
        for (int i = 0; i < POINTS; i++)
            columns[i][x] = sums[i];
    }
    for (size_t i = 0; i < POINTS; i++) {
        lanes sums[POINTS];
        apply(KERNEL, weight_matrix, columns[i], sums);
        for (size_t j = 0; j < POINTS; j++, transformed += point_stride)
            if (is_streamed)
                lanes_stream(transformed, sums[j]);
            else
                lanes_store(transformed, sums[j]);
    }
}

INLINED void transform_kernels(const layer_winograd_weight *panel, const bool is_flipped,
                               const bool is_streamed)
{
    const size_t step = panel->panel, point_stride = panel->point_stride;
    lanes cells[LANES * KERNEL_CELLS];
    for (size_t first = 0; first < panel->channels; first += LANES)
        for (size_t output = 0; output < step; output += LANES) {
            const size_t channels = layer_smaller(LANES, panel->channels - first);
            const size_t outputs =
                output < panel->outputs ? layer_smaller(LANES, panel->outputs - output) : 0;
            if (panel->is_exchanged)
                gather_exchanged(panel->weight + first * panel->stride + output * KERNEL_CELLS,
                                 panel->stride, outputs, channels, cells);
            else
                gather_kernels(panel->weight + output * panel->stride + first * KERNEL_CELLS,
                               panel->stride, outputs, channels, cells);
            float *transformed = panel->transformed + first * step + output;
            for (size_t channel = 0; channel < channels; channel++, transformed += step)
                transform_kernel(cells + channel * KERNEL_CELLS, is_flipped, is_streamed,
                                 transformed, point_stride);
        }
}

static void transform_weight(const layer_winograd_weight *panel)
{
    if (panel->is_streamed) {
        if (panel->is_flipped)
            transform_kernels(panel, true, true);
        else
            transform_kernels(panel, false, true);
        lanes_end_stream();
    } else if (panel->is_flipped)
        transform_kernels(panel, true, false);
    else
        transform_kernels(panel, false, false);
}

#endif
