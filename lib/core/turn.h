/* Turning matrices: rows become columns.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_TURN_H
#define LAYER_CORE_TURN_H

#include "core/kernels.h"

#include <stddef.h>

/* to[j * to_leading + i] = from[i * from_leading + j * step], for all rows i and columns j; nothing
 * else is read or written. */
typedef struct {
    const float *from;
    ptrdiff_t from_leading, step;
    size_t rows, columns;
    float *to;
    size_t to_leading;
} layer_turn;

typedef struct {
    void (*turn)(const layer_turn *turn);
} layer_turn_kernels;
LAYER_DECLARE_KERNELS(layer_turn_kernels)

#endif
