/* The mean of each window's cells.
 * SPDX-License-Identifier: MIT */
#include "pool/fold.h"
#include "pool/pool_kind.h"
#include "pool/sums.h"

/* Up to so many cells a window's sum is made in float: its error stays below theirs. */
enum { FLOAT_CELLS = 64 };

static bool is_small(const layer_pool *pool)
{
    return layer_pool_kernel_cells(pool) <= FLOAT_CELLS;
}

static size_t scratch_size(const layer_pool *pool)
{
    return layer_pool_sums_size(pool);
}

/* ---- Divisors -------------------------------------------------------------------------------- */

/* The window as it counts its cells: with count_include_pad padding is as good as input, but not
 * what hangs over. */
static layer_window counted(const layer_pool *pool, int axis)
{
    layer_window window = pool->window[axis];
    if (pool->count_include_pad) {
        window.input += window.pad_begin + window.pad_end;
        window.pad_begin = window.pad_end = 0;
    }
    return window;
}

static int count_along(const layer_window *window, int output)
{
    const layer_steps taps = layer_inside_taps(window, output);
    return taps.end > taps.begin ? taps.end - taps.begin : 0;
}

/* What a row of sums is divided by: `lines` times the columns that a window counts, which are all
 * of the kernel's but at the ends. */
typedef struct {
    layer_window width;
    double lines;
    layer_steps whole;
} divisors;

static divisors divisors_of(const layer_pool_row *row)
{
    const layer_window depth = counted(row->pool, LAYER_POOL_DEPTH);
    const layer_window height = counted(row->pool, LAYER_POOL_HEIGHT);
    divisors all = {.width = counted(row->pool, LAYER_POOL_WIDTH)};
    all.lines = (double)count_along(&depth, row->d) * count_along(&height, row->p);
    all.whole.begin = layer_inside_outputs(&all.width, 0).begin;
    all.whole.end = layer_inside_outputs(&all.width, all.width.kernel - 1).end;
    if (all.whole.end < all.whole.begin)
        all.whole.end = all.whole.begin;
    return all;
}

static double divisor_at(const divisors *all, int output)
{
    const double cells = all->lines * count_along(&all->width, output);
    return cells > 0 ? cells : 1; /* a window without cells has the sum 0 */
}

static bool is_power_of_two(float number)
{
    int exponent;
    return frexpf(number, &exponent) == 0.5f;
}

/* A product is exact where the divisor is a power of two, and much cheaper. */
static void divide(float *sums, int count, float divisor)
{
    const float factor = 1 / divisor;
    if (is_power_of_two(divisor))
        for (int i = 0; i < count; i++)
            sums[i] *= factor;
    else
        for (int i = 0; i < count; i++)
            sums[i] /= divisor;
}

static void divide_row(const divisors *all, float *sums)
{
    for (int q = 0; q < all->whole.begin; q++)
        sums[q] /= (float)divisor_at(all, q);
    if (all->whole.begin < all->whole.end)
        divide(sums + all->whole.begin, all->whole.end - all->whole.begin,
               (float)divisor_at(all, all->whole.begin));
    for (int q = all->whole.end; q < all->width.output; q++)
        sums[q] /= (float)divisor_at(all, q);
}

/* ---- Forward --------------------------------------------------------------------------------- */

static void forward_row(const layer_pool_row *row, float *output, float *indices, void *scratch)
{
    (void)indices;
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    const divisors all = divisors_of(row);
    if (is_small(row->pool)) {
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
    memset(columns, 0, layer_pool_reach(row->pool) * sizeof *columns);
    for (int q = 0; q < width->output; q++) {
        const double share = (double)grad_output[q] / divisor_at(&all, q);
        double *const to = columns + (ptrdiff_t)q * width->stride;
        for (int s = 0; s < width->kernel; s++)
            to[(ptrdiff_t)s * width->dilation] += share;
    }
}

static void backward_row(const layer_pool_row *row, const float *grad_output, const float *indices,
                         float *grad_input, void *scratch)
{
    (void)indices;
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    double *const columns = scratch;
    const int reach = (int)layer_pool_reach(row->pool), lines = layer_pool_line_count(row);
    const int left = width->pad_begin < reach ? reach - width->pad_begin : 0;
    const int count = left < width->input ? left : width->input;
    spread_columns(row, grad_output, columns);
    for (int line = 0; line < lines && !layer_run_cancelled(row->run); line++) {
        float *const to = grad_input + layer_pool_line(row, line);
        for (int i = 0; i < count; i++)
            to[i] = (float)((double)to[i] + columns[width->pad_begin + i]);
    }
}

const layer_pool_implementation layer_pool_implementation_AVERAGE = {
    scratch_size,
    forward_row,
    forward_whole,
    backward_row,
};
