/* Products of matrices of little depth: sums of few rows, whose time goes into writing the result.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_SHALLOW_H
#define LAYER_CORE_SHALLOW_H

#include "core/kernels.h"

#include <stddef.h>

/* The most depth. */
enum { LAYER_SHALLOW_DEPTH = 4 };

/* result[i][j] = start[j] + the sum of left[i * row_step + k * depth_step] * right[k][j] over k */
typedef struct {
    size_t rows, columns, depth;
    const float *left, *right, *start; /* start: NULL is zero */
    size_t row_step, depth_step, right_leading;
    float *result;
    size_t result_leading;
} layer_shallow;

typedef struct {
    void (*multiply)(const layer_shallow *product);
} layer_shallow_kernels;
LAYER_DECLARE_KERNELS(layer_shallow_kernels)

#endif
