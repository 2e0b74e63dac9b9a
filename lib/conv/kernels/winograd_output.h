/* Winograd's transform of the output, A' M A.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_KERNELS_WINOGRAD_OUTPUT_H
#define LAYER_CONV_KERNELS_WINOGRAD_OUTPUT_H

#include "conv/kernels/winograd_matrices.h"

/* A' M A + bias of one tile: ring[y][x], lanes the outputs. */
INLINED void transform_tile(const float *products, size_t point_stride, lanes bias, size_t first,
                            float *ring)
{
    lanes columns[OUTPUTS][POINTS];
    for (size_t x = 0; x < POINTS; x++) {
        lanes column[POINTS], sums[OUTPUTS];
        for (size_t i = 0; i < POINTS; i++)
            column[i] = lanes_load(products + (i * POINTS + x) * point_stride);
        apply_output(column, sums);
        for (size_t i = 0; i < OUTPUTS; i++)
            columns[i][x] = sums[i];
    }
    for (size_t y = 0; y < OUTPUTS; y++) {
        lanes sums[OUTPUTS];
        apply_output(columns[y], sums);
        for (size_t x = 0; x < OUTPUTS; x++)
            lanes_store(ring + y * RING_STRIDE + (first + x) % RING * LANES, sums[x] + bias);
    }
}

/* Up to LANES columns from `x` on: ring[y][x], lanes the outputs, becomes output[plane][y][x]. What
 * will be written soon is fetched, or each store would wait for its line. */
INLINED void write_columns(const layer_winograd_output *strip, const float *ring, size_t x,
                           size_t outputs, float *output)
{
    const size_t some = layer_smaller(LANES, strip->columns - x), plane = strip->plane;
    output += x;
    for (size_t y = 0; y < strip->rows; y++, output += strip->width) {
        lanes rows[LANES];
        lanes_load_transposed(ring + y * RING_STRIDE + x % RING * LANES, LANES, rows);
        if (some == LANES && outputs == LANES)
            for (size_t i = 0; i < LANES; i++) {
                lanes_store(output + i * plane, rows[i]);
                __builtin_prefetch(output + i * plane + AHEAD, 1);
            }
        else
            for (size_t i = 0; i < outputs; i++)
                lanes_store_some(output + i * plane, rows[i], (int)some);
    }
}

static void transform_output(const layer_winograd_output *strip)
{
    const size_t point_stride = strip->point_stride, tile_stride = strip->tile_stride;
    for (size_t first = 0; first < strip->outputs; first += LANES) {
        const size_t outputs = layer_smaller(LANES, strip->outputs - first);
        const lanes bias =
            strip->bias == NULL ? (lanes){0} : lanes_load_some(strip->bias + first, (int)outputs);
        const float *products = strip->products + first;
        float *const output = strip->output + first * strip->plane;
        size_t x = 0;
        for (size_t tile = 0; tile < strip->tiles; tile++, products += tile_stride) {
            transform_tile(products, point_stride, bias, tile * OUTPUTS, strip->scratch);
            for (; x + LANES <= layer_smaller((tile + 1) * OUTPUTS, strip->columns); x += LANES)
                write_columns(strip, strip->scratch, x, outputs, output);
        }
        if (x < strip->columns)
            write_columns(strip, strip->scratch, x, outputs, output);
    }
}

#endif
