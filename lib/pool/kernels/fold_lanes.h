/* What folds of vectors have in common.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_POOL_FOLD_LANES_H
#define LAYER_POOL_FOLD_LANES_H

#include "core/kernels/vectors.h"
#include "pool/fold.h"

#include <math.h>

/* All of these are inlined with `kind` a constant, and more where it matters. */
#define FOLD_INLINE __attribute__((always_inline)) static inline

FOLD_INLINE lanes fold(layer_fold_kind kind, lanes former, lanes latter)
{
    return kind == LAYER_FOLD_SUM ? former + latter : lanes_larger(former, latter);
}

/* Up to LANES, mostly all. */
FOLD_INLINE lanes load_up_to(const float *x, int count)
{
    return count == LANES ? lanes_load(x) : lanes_load_some(x, count);
}

FOLD_INLINE void store_up_to(float *x, lanes stored, int count)
{
    if (count == LANES)
        lanes_store(x, stored);
    else
        lanes_store_some(x, stored, count);
}

/* A product is exact where the divisor is a power of two, and much cheaper. */
FOLD_INLINE bool is_power_of_two(float divisor)
{
    const uint32_t whole = (uint32_t)divisor;
    return (whole & (whole - 1)) == 0;
}

#endif
