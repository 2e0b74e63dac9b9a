/* Cutting a count into blocks.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_BLOCKS_H
#define LAYER_CORE_BLOCKS_H

#include <stddef.h>

static inline size_t layer_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t layer_larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* How many blocks a whole has, the last of which may be smaller. */
static inline size_t layer_blocks_of(size_t whole, size_t block)
{
    return (whole + block - 1) / block;
}

#endif
