/* Products of matrices small enough for the caches, with nothing copied first.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_PANEL_H
#define LAYER_CORE_PANEL_H

#include "core/kernels.h"

#include <stdbool.h>
#include <stddef.h>

/* result = left right + start, or result += left right
 *   left   rows x depth, its rows `left_leading` floats apart
 *   right  depth x columns; fastest where a row is contiguous with the next, or all fits level 1
 *   start  [rows], the same for a row's every column; NULL is zero
 *   result rows x columns
 *   next   NULL, or what will be read afterwards: its `next_size` bytes are fetched into level 2
 *          meanwhile, as far as there is time */
typedef struct {
    size_t rows, columns, depth;
    const float *left, *right, *start, *next;
    float *result;
    size_t left_leading, right_leading, result_leading, next_size;
    bool accumulates;
} layer_panel;

typedef struct {
    void (*multiply)(const layer_panel *panel);
} layer_panel_kernels;
LAYER_DECLARE_KERNELS(layer_panel_kernels)

#endif
