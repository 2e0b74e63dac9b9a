/* Winograd's matrices applied along one dimension. A source that includes this has defined OUTPUTS,
 * POINTS and the matrices: input_matrix (B'), weight_matrix (G), output_matrix (A').
 *
 * Points come in pairs, one the other's negative, between the first, zero, and the last, infinity.
 * So rows of B' and G in a pair have equal factors in even columns and opposite ones in odd
 * columns, and A' has it the other way round: each half of a sum serves both.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_KERNELS_WINOGRAD_MATRICES_H
#define LAYER_CONV_KERNELS_WINOGRAD_MATRICES_H

#include "conv/winograd.h"
#include "core/blocks.h"
#include "core/kernels/transpose.h"

enum { KERNEL = 3, KERNEL_CELLS = KERNEL * KERNEL };

/* Loops over constant matrices have to be unrolled, or nothing comes of the zeros and ones. */
#define INLINED  __attribute__((always_inline)) static inline
#define UNROLLED _Pragma("GCC unroll 8")

/* Scratch memory holds vectors of neighbouring cells, then those of a square of them transposed:
 * of the latter as many columns as tiles still need, the newest in place of the oldest. Planes of
 * it are a line longer than they are, so that they do not fall into one set of the cache. */
enum {
    LINE = LAYER_WINOGRAD_LINE,
    RING = 2 * LANES < POINTS + LANES ? 4 * LANES : 2 * LANES,
    SQUARE_STRIDE = LANES * LANES + LINE,
    RING_STRIDE = RING * LANES + LINE,
};

/* How many outputs ahead of those written memory is fetched. */
enum { AHEAD = 2 * LINE };

/* ---- One dimension --------------------------------------------------------------------------- */

/* The sum of factors[i] * x[i] over every second i down from `last`, where factors often are 1. */
INLINED lanes dot(const float *factors, const lanes *x, const int last)
{
    lanes sum = {0};
    bool is_empty = true;
    UNROLLED
    for (int i = last; i >= 0; i -= 2)
        if (factors[i] != 0) {
            sum = is_empty ? factors[i] * x[i] : sum + factors[i] * x[i];
            is_empty = false;
        }
    return sum;
}

/* y = matrix x, for B' and G. */
INLINED void apply(const int columns, const float (*matrix)[columns], const lanes *x, lanes *y)
{
    const int last_odd = columns - 1 - columns % 2, last_even = columns - 2 + columns % 2;
    y[0] = dot(matrix[0], x, last_even);
    UNROLLED
    for (int i = 1; i < POINTS - 1; i += 2) {
        const lanes even = dot(matrix[i], x, last_even), odd = dot(matrix[i], x, last_odd);
        y[i] = even + odd;
        y[i + 1] = even - odd;
    }
    y[POINTS - 1] = dot(matrix[POINTS - 1], x, columns - 1);
}

/* y = A' x. */
INLINED void apply_output(const lanes x[POINTS], lanes y[OUTPUTS])
{
    enum { PAIRS = POINTS / 2 - 1 };
    lanes sums[2][PAIRS];
    UNROLLED
    for (int pair = 0; pair < PAIRS; pair++) {
        sums[0][pair] = x[2 * pair + 1] + x[2 * pair + 2];
        sums[1][pair] = x[2 * pair + 1] - x[2 * pair + 2];
    }
    UNROLLED
    for (int i = 0; i < OUTPUTS; i++) {
        y[i] = output_matrix[i][1] * sums[i % 2][0];
        UNROLLED
        for (int pair = 1; pair < PAIRS; pair++)
            y[i] += output_matrix[i][2 * pair + 1] * sums[i % 2][pair];
    }
    y[0] += x[0];
    y[OUTPUTS - 1] += x[POINTS - 1];
}

#endif
