/* Vectors of neighbouring floats.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_LANES_H
#define LAYER_CONV_LANES_H

#include <stddef.h>
#include <string.h>

enum { LANES = 4 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

/* Every stride-th float from `x` on. */
static inline lanes layer_load_lanes(const float *x, ptrdiff_t stride)
{
    if (stride != 1)
        return (lanes){x[0], x[stride], x[2 * stride], x[3 * stride]};
    lanes loaded;
    memcpy(&loaded, x, sizeof loaded);
    return loaded;
}

#endif
