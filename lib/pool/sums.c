/* Sums over windows, in double: first each column of the lines that a row of windows sees, then the
 * columns of each window.
 * SPDX-License-Identifier: MIT */
#include "pool/sums.h"
#include "core/tasks.h"

#include <math.h>
#include <string.h>

#define SUMS_INLINE __attribute__((always_inline)) static inline

SUMS_INLINE double term_of(layer_pool_term term, float cell)
{
    const double x = (double)cell;
    return term == LAYER_TERM_CELL ? x : term == LAYER_TERM_MAGNITUDE ? fabs(x) : x * x;
}

size_t layer_pool_sums_size(const layer_pool *pool)
{
    return (layer_pool_reach(pool) + (size_t)pool->window[LAYER_POOL_WIDTH].output) *
           sizeof(double);
}

SUMS_INLINE void add_lines(const layer_pool_row *row, const layer_pool_term term, double *columns,
                           int count)
{
    const int lines = layer_pool_line_count(row);
    for (int line = 0; line < lines && !layer_run_cancelled(row->plan->run); line++) {
        const float *const x = row->input + layer_pool_line(row, line);
        for (int i = 0; i < count; i++)
            columns[i] += term_of(term, x[i]);
    }
}

SUMS_INLINE void add_columns(const double *restrict columns, double *restrict sums,
                             const layer_window *width, const ptrdiff_t stride)
{
    for (int s = 0; s < width->kernel; s++) {
        const double *const from = columns + (ptrdiff_t)s * width->dilation;
        for (int q = 0; q < width->output; q++)
            sums[q] += from[q * stride];
    }
}

double *layer_pool_sums(const layer_pool_row *row, layer_pool_term term, void *scratch)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    const size_t reach = (size_t)row->plan->reach, outputs = (size_t)width->output;
    double *const sums = scratch, *const columns = sums + outputs;
    memset(scratch, 0, (reach + outputs) * sizeof(double));
    const int begin = row->plan->columns.begin, count = row->plan->columns.end - begin;
    if (term == LAYER_TERM_CELL)
        add_lines(row, LAYER_TERM_CELL, columns + begin, count);
    else if (term == LAYER_TERM_MAGNITUDE)
        add_lines(row, LAYER_TERM_MAGNITUDE, columns + begin, count);
    else
        add_lines(row, LAYER_TERM_SQUARE, columns + begin, count);
    if (width->stride == 1)
        add_columns(columns, sums, width, 1);
    else
        add_columns(columns, sums, width, width->stride);
    return sums;
}

SUMS_INLINE double sum_in_double(const float *cells, size_t count, const layer_pool_term term)
{
    enum { LANES = 8 };
    double sums[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            sums[lane] += term_of(term, cells[i + (size_t)lane]);
    for (; i < count; i++)
        sums[0] += term_of(term, cells[i]);
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
           ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

double layer_pool_sum_cells(const float *cells, size_t count, layer_pool_term term)
{
    return term == LAYER_TERM_MAGNITUDE ? sum_in_double(cells, count, LAYER_TERM_MAGNITUDE)
                                        : sum_in_double(cells, count, LAYER_TERM_SQUARE);
}
