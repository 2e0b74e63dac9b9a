/* Folding whole planes.
 * SPDX-License-Identifier: MIT */
#include "pool/kernels/fold_lanes.h"

/* Cells of a sum in float, so few that no chain of additions is longer than 8 and a few. */
enum { VECTORS = 4, STEP = VECTORS * LANES, BLOCK = 8 * STEP };

FOLD_INLINE float sum_block(const float *cells, size_t count)
{
    lanes sums[VECTORS] = {{0}};
    size_t i = 0;
    for (; i + STEP <= count; i += STEP)
        for (size_t v = 0; v < VECTORS; v++)
            sums[v] += lanes_load(cells + i + v * LANES);
    for (; i + LANES <= count; i += LANES)
        sums[0] += lanes_load(cells + i);
    if (i < count)
        sums[1] += lanes_load_some(cells + i, (int)(count - i));
    return lanes_sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/* So few that one chain of additions will do. */
static void average_small_planes(const float *planes, size_t cells, float *output, size_t count)
{
    const size_t whole = cells / LANES * LANES;
    const lanes_range rest = lanes_between(0, (int)(cells - whole));
    for (size_t plane = 0; plane < count; plane++, planes += cells) {
        lanes sum = lanes_load_range(planes + whole, rest);
        for (size_t i = 0; i < whole; i += LANES)
            sum += lanes_load(planes + i);
        output[plane] = lanes_sum(sum) / (float)cells;
    }
}

static void average_planes(const float *planes, size_t cells, float *output, size_t count)
{
    if (cells <= 8 * LANES) {
        average_small_planes(planes, cells, output, count);
        return;
    }
    for (size_t plane = 0; plane < count; plane++, planes += cells) {
        double sum = 0;
        for (size_t begin = 0; begin < cells; begin += BLOCK)
            sum += (double)sum_block(planes + begin, cells - begin < BLOCK ? cells - begin : BLOCK);
        output[plane] = (float)(sum / (double)cells);
    }
}

static void largest_planes(const float *planes, size_t cells, float *output, size_t count)
{
    const size_t whole = cells / LANES * LANES;
    const lanes_range rest = lanes_between(0, (int)(cells - whole));
    for (size_t plane = 0; plane < count; plane++, planes += cells) {
        lanes largest = lanes_load_over(lanes_all(-INFINITY), planes + whole, rest);
        lanes_flags nan = lanes_unordered(largest, largest);
        for (size_t i = 0; i < whole; i += LANES) {
            const lanes x = lanes_load(planes + i);
            nan |= lanes_unordered(x, x);
            largest = lanes_larger(largest, x);
        }
        output[plane] = lanes_flagged(nan) ? NAN : lanes_largest(largest);
    }
}

const layer_plane_fold_kernels LAYER_KERNELS(layer_plane_fold_kernels) = {
    average_planes,
    largest_planes,
};
