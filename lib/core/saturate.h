/* Sums and products of counts that stop at the largest uint64_t instead of wrapping around.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_SATURATE_H
#define LAYER_CORE_SATURATE_H

#include <stdint.h>

static inline uint64_t layer_saturating_add(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static inline uint64_t layer_saturating_multiply(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

#endif
