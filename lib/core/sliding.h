/* Windows over all spatial axes at once: what convolution and pooling share.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_SLIDING_H
#define LAYER_CORE_SLIDING_H

#include "layer/window.h"

/* Fills the last `axes` windows from the inputs' and kernels' extents and the geometry, and makes
 * those before them windows of 1 on an input of 1. `kernel` is what the kernel's argument is
 * called, "weight" or "kernel_shape". Returns LAYER_OK; or as layer_window_describe(), and leaves
 * *window alone. */
layer_status layer_sliding_describe(layer_window window[LAYER_MAX_SPATIAL], int axes,
                                    const int inputs[], const int kernels[],
                                    const layer_geometry *geometry, bool ceil_mode,
                                    const char *kernel, layer_error *error);

/* "3x224x224"; what does not fit is cut, as reasons are. */
void layer_write_extents(char *text, size_t size, const long long extents[], int count);

#endif
