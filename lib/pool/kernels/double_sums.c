/* Sums in double.
 * SPDX-License-Identifier: MIT */
#include "pool/sums_kernels.h"

#include <math.h>

/* All of these are inlined with `term` a constant. */
#define SUMS_INLINE __attribute__((always_inline)) static inline

SUMS_INLINE double term_of(layer_pool_term term, float cell)
{
    const double x = (double)cell;
    return term == LAYER_TERM_CELL ? x : term == LAYER_TERM_MAGNITUDE ? fabs(x) : x * x;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

SUMS_INLINE void add_terms(const layer_pool_term term, double *restrict columns,
                           const float *restrict line, int count)
{
    for (int i = 0; i < count; i++)
        columns[i] += term_of(term, line[i]);
}

static void add_line(layer_pool_term term, double *columns, const float *line, int count)
{
    if (term == LAYER_TERM_CELL)
        add_terms(LAYER_TERM_CELL, columns, line, count);
    else if (term == LAYER_TERM_MAGNITUDE)
        add_terms(LAYER_TERM_MAGNITUDE, columns, line, count);
    else
        add_terms(LAYER_TERM_SQUARE, columns, line, count);
}

/* ---- Columns --------------------------------------------------------------------------------- */

SUMS_INLINE void add_windows(const double *restrict columns, double *restrict sums,
                             const layer_window *width, const ptrdiff_t stride)
{
    for (int q = 0; q < width->output; q++)
        sums[q] = columns[q * stride];
    for (int s = 1; s < width->kernel; s++) {
        const double *const from = columns + (ptrdiff_t)s * width->dilation;
        for (int q = 0; q < width->output; q++)
            sums[q] += from[q * stride];
    }
}

static void add_columns(const double *columns, double *sums, const layer_window *width)
{
    if (width->stride == 1)
        add_windows(columns, sums, width, 1);
    else if (width->stride == 2)
        add_windows(columns, sums, width, 2);
    else
        add_windows(columns, sums, width, width->stride);
}

/* ---- Cells ----------------------------------------------------------------------------------- */

/* Several sums side by side, so that one addition need not wait for the last. */
SUMS_INLINE double add_all(const layer_pool_term term, const float *cells, size_t count)
{
    enum { SUMS = 16 };
    double sums[SUMS] = {0};
    size_t i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (size_t lane = 0; lane < SUMS; lane++)
            sums[lane] += term_of(term, cells[i + lane]);
    for (; i < count; i++)
        sums[0] += term_of(term, cells[i]);
    double total = 0;
    for (size_t lane = 0; lane < SUMS; lane++)
        total += sums[lane];
    return total;
}

static double add_cells(layer_pool_term term, const float *cells, size_t count)
{
    if (term == LAYER_TERM_CELL)
        return add_all(LAYER_TERM_CELL, cells, count);
    return term == LAYER_TERM_MAGNITUDE ? add_all(LAYER_TERM_MAGNITUDE, cells, count)
                                        : add_all(LAYER_TERM_SQUARE, cells, count);
}

/* ---- Gradients ------------------------------------------------------------------------------- */

SUMS_INLINE void spread_shares(const layer_pool_term term, float *restrict gradient,
                               const float *restrict x, const double *restrict shares, int count,
                               const ptrdiff_t stride)
{
    for (int i = 0; i < count; i++) {
        const float cell = x[i * stride];
        const double factor = term == LAYER_TERM_SQUARE ? (double)cell : copysign(1, (double)cell);
        gradient[i * stride] += cell == 0 ? 0 : (float)(shares[i] * factor);
    }
}

SUMS_INLINE void spread_by(const layer_pool_term term, float *gradient, const float *x,
                           const double *shares, int count, const int stride)
{
    if (stride == 1)
        spread_shares(term, gradient, x, shares, count, 1);
    else if (stride == 2)
        spread_shares(term, gradient, x, shares, count, 2);
    else
        spread_shares(term, gradient, x, shares, count, stride);
}

static void spread(layer_pool_term term, float *gradient, const float *x, const double *shares,
                   int count, int stride)
{
    if (term == LAYER_TERM_SQUARE)
        spread_by(LAYER_TERM_SQUARE, gradient, x, shares, count, stride);
    else
        spread_by(LAYER_TERM_MAGNITUDE, gradient, x, shares, count, stride);
}

const layer_sum_kernels LAYER_KERNELS(layer_sum_kernels) = {
    add_line,
    add_columns,
    add_cells,
    spread,
};
