/* The mean of each window's cells.
 * SPDX-License-Identifier: MIT */
#include "pool/fold.h"
#include "pool/pool_kind.h"
#include "pool/sums.h"

#include <string.h>

static size_t scratch_size(const layer_pool *pool)
{
    return layer_pool_sums_size(pool);
}

/* ---- Divisors -------------------------------------------------------------------------------- */

static int count_along(const layer_window *counted, int output)
{
    const layer_steps taps = layer_inside_taps(counted, output);
    return taps.end > taps.begin ? taps.end - taps.begin : 0;
}

/* What a row of sums is divided by: `lines` times the columns that a window counts, which are all
 * of the kernel's but at the ends. */
typedef struct {
    const layer_window *width;
    layer_steps whole;
    double lines;
} divisors;

static divisors divisors_of(const layer_pool_row *row)
{
    const layer_window *const counted = row->plan->counted;
    return (divisors){
        .width = &counted[LAYER_POOL_WIDTH],
        .whole = row->plan->whole,
        .lines = (double)count_along(&counted[LAYER_POOL_DEPTH], row->d) *
                 count_along(&counted[LAYER_POOL_HEIGHT], row->p),
    };
}

static double divisor_at(const divisors *all, int output)
{
    const double cells = all->lines * count_along(all->width, output);
    return cells > 0 ? cells : 1; /* a window without cells has the sum 0 */
}

static bool is_power_of_two(double cells)
{
    const uint64_t whole = (uint64_t)cells;
    return (whole & (whole - 1)) == 0;
}

/* A product is exact where the divisor is a power of two, and much cheaper. */
static void divide(float *restrict sums, int count, double divisor)
{
    const float by = (float)divisor, factor = 1 / by;
    if (is_power_of_two(divisor))
        for (int i = 0; i < count; i++)
            sums[i] *= factor;
    else
        for (int i = 0; i < count; i++)
            sums[i] /= by;
}

static void divide_row(const divisors *all, float *sums)
{
    for (int q = 0; q < all->whole.begin; q++)
        sums[q] /= (float)divisor_at(all, q);
    if (all->whole.begin < all->whole.end)
        divide(sums + all->whole.begin, all->whole.end - all->whole.begin,
               divisor_at(all, all->whole.begin));
    for (int q = all->whole.end; q < all->width->output; q++)
        sums[q] /= (float)divisor_at(all, q);
}

/* ---- Forward --------------------------------------------------------------------------------- */

static void forward_row(const layer_pool_row *row, float *output, float *indices, void *scratch)
{
    (void)indices;
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    const divisors all = divisors_of(row);
    if (row->plan->small) {
        fold_lines(FOLD_SUM, row, scratch);
        fold_columns(FOLD_SUM, scratch, output, width);
        divide_row(&all, output);
        return;
    }
    const double *const sums = layer_pool_sums(row, LAYER_TERM_CELL, scratch);
    for (int q = 0; q < width->output; q++)
        output[q] = (float)(sums[q] / divisor_at(&all, q));
}

static void forward_whole(const layer_pool *pool, const float *planes, size_t cells, float *output,
                          size_t count)
{
    (void)pool;
    for (size_t plane = 0; plane < count; plane++)
        output[plane] =
            (float)(layer_pool_sum_cells(planes + plane * cells, cells, LAYER_TERM_CELL) /
                    (double)cells);
}

/* ---- Backward -------------------------------------------------------------------------------- */

/* Adds up what each column gets of the row's windows; padding's is in there too. */
static void spread_columns(const layer_pool_row *row, const float *grad_output, double *columns)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    const divisors all = divisors_of(row);
    memset(columns, 0, (size_t)row->plan->reach * sizeof *columns);
    for (int q = 0; q < width->output; q++) {
        const double share = (double)grad_output[q] / divisor_at(&all, q);
        double *const to = columns + (ptrdiff_t)q * width->stride;
        for (int s = 0; s < width->kernel; s++)
            to[(ptrdiff_t)s * width->dilation] += share;
    }
}

static void add_line(const double *restrict columns, float *restrict line, int count)
{
    for (int i = 0; i < count; i++)
        line[i] = (float)((double)line[i] + columns[i]);
}

static void backward_row(const layer_pool_row *row, const float *grad_output, const float *indices,
                         float *grad_input, void *scratch)
{
    (void)indices;
    const layer_steps input = row->plan->columns;
    const int lines = layer_pool_line_count(row);
    double *const columns = scratch;
    spread_columns(row, grad_output, columns);
    for (int line = 0; line < lines && !layer_run_cancelled(row->plan->run); line++)
        add_line(columns + input.begin, grad_input + layer_pool_line(row, line),
                 input.end - input.begin);
}

const layer_pool_implementation layer_pool_implementation_AVERAGE = {
    scratch_size,
    forward_row,
    forward_whole,
    backward_row,
};
