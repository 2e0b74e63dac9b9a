/* Values to cells: indices are converted by vectors, some at a time.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "pool/scatter.h"

#include <stdbool.h>

enum { BLOCK = 128 };

__attribute__((always_inline)) static inline void scatter(float *cells, int32_t first,
                                                          const float *indices, const float *values,
                                                          size_t count, const bool adds)
{
    int32_t where[BLOCK];
    for (size_t begin = 0; begin < count; begin += BLOCK) {
        const size_t some = layer_smaller(BLOCK, count - begin);
        for (size_t i = 0; i < some; i++)
            where[i] = (int32_t)indices[begin + i] - first;
        for (size_t i = 0; i < some; i++)
            if (where[i] >= 0)
                cells[where[i]] = adds ? cells[where[i]] + values[begin + i] : values[begin + i];
    }
}

static void add(float *cells, int32_t first, const float *indices, const float *values,
                size_t count)
{
    scatter(cells, first, indices, values, count, true);
}

static void put(float *cells, int32_t first, const float *indices, const float *values,
                size_t count)
{
    scatter(cells, first, indices, values, count, false);
}

const layer_scatter_kernels LAYER_KERNELS(layer_scatter_kernels) = {add, put};
