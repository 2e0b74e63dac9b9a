/* Sums in double, several side by side, so that one addition need not wait for the last.
 * SPDX-License-Identifier: MIT */
#include "core/total.h"

enum { SUMS = 32 };

static double add(const float *elements, size_t count)
{
    double sums[SUMS] = {0}, total = 0;
    size_t i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (size_t lane = 0; lane < SUMS; lane++)
            sums[lane] += (double)elements[i + lane];
    for (; i < count; i++)
        sums[0] += (double)elements[i];
    for (size_t lane = 0; lane < SUMS; lane++)
        total += sums[lane];
    return total;
}

const layer_total_kernels LAYER_KERNELS(layer_total_kernels) = {add};
