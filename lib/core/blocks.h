/* Cutting a count into blocks, and rounding it up to whole ones.
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

static inline size_t layer_rounded_up(size_t count, size_t unit)
{
    return layer_blocks_of(count, unit) * unit;
}

/* What parts of a workspace are aligned to, in bytes, and a part's size, for the next to follow. */
enum { LAYER_ALIGNMENT = 64 };

static inline size_t layer_aligned(size_t size)
{
    return layer_rounded_up(size, LAYER_ALIGNMENT);
}

#endif
