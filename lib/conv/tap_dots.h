/* Inner products of a gradient with what it meets by some kernel cells.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_TAP_DOTS_H
#define LAYER_CONV_TAP_DOTS_H

#include "core/kernels.h"

#include <stddef.h>

/* The most kernel cells at a time, whose sums are in registers. */
enum { LAYER_TAP_DOTS = 9 };

/* sums[t] += the sum of gradient[i * gradient_step + j] * cells[i * cell_step + taps[t] + j] over
 * lines i and columns j */
typedef struct {
    const float *gradient, *cells;
    size_t gradient_step, cell_step;
    int lines, columns;
    const size_t *taps;
    int count; /* of taps and sums, up to LAYER_TAP_DOTS */
    double *sums;
} layer_tap_dots;

typedef struct {
    void (*add)(const layer_tap_dots *dots);
} layer_tap_dot_kernels;
LAYER_DECLARE_KERNELS(layer_tap_dot_kernels)

#endif
