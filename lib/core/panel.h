/* Products of matrices small enough for the caches, with nothing copied first.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_PANEL_H
#define LAYER_CORE_PANEL_H

#include "core/kernels.h"

#include <stdbool.h>
#include <stddef.h>

/* result = left right + start, or result += left right
 *   left   rows x depth, its rows `left_leading` floats apart
 *   right  depth x columns; row k begins at right[right_rows[k]], or where right_rows is NULL at
 *          right[k * right_leading]; fastest where it is in level 1, or contiguous
 *   start  [rows], the same for a row's every column; NULL is zero
 *   result rows x columns
 *   next   NULL, or what `right` will likely be next, right_leading apart as well; it is fetched
 * into the caches meanwhile */
typedef struct {
    size_t rows, columns, depth;
    const float *left, *right, *start, *next;
    const size_t *right_rows;
    float *result;
    size_t left_leading, right_leading, result_leading;
    bool accumulates;
} layer_panel;

/* Columns beyond whole vectors, at most, that take their own time rather than a vector's. */
enum { LAYER_PANEL_DOTS = 4 };

typedef struct {
    void (*multiply)(const layer_panel *panel);
} layer_panel_kernels;
LAYER_DECLARE_KERNELS(layer_panel_kernels)

#endif
