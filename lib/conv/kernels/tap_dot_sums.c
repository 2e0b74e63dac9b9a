/* Inner products with several kernel cells at a time: what is loaded of the gradient serves all.
 * SPDX-License-Identifier: MIT */
#include "conv/tap_dots.h"
#include "core/kernels/vectors.h"

/* Vectors of the gradient that a sum in float takes, so that its error stays small. */
enum { MOST_TERMS = 256 };

#define UNROLLED _Pragma("GCC unroll 9")

/* Some lines. Inlined with `count` as a constant, so that the sums are registers. */
__attribute__((always_inline)) static inline void
add_lines(const layer_tap_dots *dots, const int count, int first, int end, lanes_range rest)
{
    const int whole = dots->columns / LANES * LANES;
    lanes sums[LAYER_TAP_DOTS];
    const float *at[LAYER_TAP_DOTS];
    UNROLLED
    for (int t = 0; t < count; t++) {
        sums[t] = (lanes){0};
        at[t] = dots->cells + (size_t)first * dots->cell_step + dots->taps[t];
    }
    const float *gradient = dots->gradient + (size_t)first * dots->gradient_step;
    for (int i = first; i < end; i++, gradient += dots->gradient_step) {
        for (int j = 0; j < whole; j += LANES) {
            const lanes factor = lanes_load(gradient + j);
            UNROLLED
            for (int t = 0; t < count; t++)
                sums[t] += factor * lanes_load(at[t] + j);
        }
        if (whole < dots->columns) {
            const lanes factor = lanes_load_range(gradient + whole, rest);
            UNROLLED
            for (int t = 0; t < count; t++)
                sums[t] += factor * lanes_load_range(at[t] + whole, rest);
        }
        UNROLLED
        for (int t = 0; t < count; t++)
            at[t] += dots->cell_step;
    }
    UNROLLED
    for (int t = 0; t < count; t++)
        dots->sums[t] += (double)lanes_sum(sums[t]);
}

__attribute__((always_inline)) static inline void add_all(const layer_tap_dots *dots,
                                                          const int count)
{
    const lanes_range rest = lanes_between(0, dots->columns % LANES);
    const int step = MOST_TERMS / ((dots->columns + LANES - 1) / LANES) + 1;
    for (int i = 0; i < dots->lines; i += step)
        add_lines(dots, count, i, i + step < dots->lines ? i + step : dots->lines, rest);
}

#define DOTS(count)                                                                                \
    case count:                                                                                    \
        add_all(dots, count);                                                                      \
        break

static void add(const layer_tap_dots *dots)
{
    switch (dots->count) {
        DOTS(1);
        DOTS(2);
        DOTS(3);
        DOTS(4);
        DOTS(5);
        DOTS(6);
        DOTS(7);
        DOTS(8);
        DOTS(9);
    }
}

const layer_tap_dot_kernels LAYER_KERNELS(layer_tap_dot_kernels) = {add};
