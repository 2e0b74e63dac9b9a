/* Some cells of kernels, channels and outputs exchanged; and cells that lie apart in a line.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_TAPS_H
#define LAYER_CONV_TAPS_H

#include "core/kernels.h"

#include <stddef.h>

/* packed[c * channel_step + k * count + t] = weight[k * output_step + c * kernel + cells[t]] */
typedef struct {
    const float *weight;
    size_t outputs, channels, kernel, output_step;
    const int *cells; /* [count], each in the kernel */
    size_t count;
    float *packed;
    size_t channel_step;
} layer_taps;

typedef struct {
    void (*pack)(const layer_taps *taps);

    /* line[i * stride] = cells[i] */
    void (*place)(const float *cells, size_t count, float *line, size_t stride);

    /* line[2 * i] = even[i] and line[2 * i + 1] = odd[i], up to `count` of the line */
    void (*merge)(const float *even, const float *odd, size_t count, float *line);
} layer_tap_kernels;
LAYER_DECLARE_KERNELS(layer_tap_kernels)

#endif
