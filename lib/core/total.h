/* Sums in double.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_TOTAL_H
#define LAYER_CORE_TOTAL_H

#include "core/kernels.h"

#include <stddef.h>

typedef struct {
    double (*add)(const float *elements, size_t count);
} layer_total_kernels;
LAYER_DECLARE_KERNELS(layer_total_kernels)

#endif
