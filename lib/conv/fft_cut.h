/* Cutting an axis into tiles for Fourier's transform.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_FFT_CUT_H
#define LAYER_CONV_FFT_CUT_H

#include "layer/window.h"

typedef struct {
    int side;           /* of a tile, a power of 2 */
    int outputs, tiles; /* of a tile, the last one's being fewer; how many tiles there are */
    int span;           /* of the kernel, dilated */
    bool is_met;        /* by any window: with gaps in the kernel it may be by none */
} layer_fft_cut;

/* The cheapest way. The kernel spans at most LAYER_FFT_MOST_SIDE. */
layer_fft_cut layer_fft_cut_axis(const layer_window *window);

/* Cells from the kernel's first to its last, INT_MAX for more than that. */
int layer_fft_span(const layer_window *window);

#endif
