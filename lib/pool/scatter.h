/* Values that go to cells by their indices.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_POOL_SCATTER_H
#define LAYER_POOL_SCATTER_H

#include "core/kernels.h"

#include <stddef.h>
#include <stdint.h>

/* Indices are whole numbers, the first cell's being `first`; negative ones are left out. */
typedef struct {
    /* cells[indices[i] - first] += values[i], or = values[i], one after the other */
    void (*add)(float *cells, int32_t first, const float *indices, const float *values,
                size_t count);
    void (*put)(float *cells, int32_t first, const float *indices, const float *values,
                size_t count);
} layer_scatter_kernels;
LAYER_DECLARE_KERNELS(layer_scatter_kernels)

#endif
