/* Rows put together from runs of neighbouring floats.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_RUNS_H
#define LAYER_CONV_RUNS_H

#include "core/kernels.h"

#include <stddef.h>

/* to[i][r * length + j] = from[rows[i] + runs[r] + j] */
typedef struct {
    const float *from;
    const size_t *rows, *runs;
    size_t row_count, run_count, length;
    float *to;
    size_t leading;
} layer_runs;

typedef struct {
    void (*gather)(const layer_runs *runs);
} layer_run_kernels;
LAYER_DECLARE_KERNELS(layer_run_kernels)

#endif
