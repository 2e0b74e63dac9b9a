/* The mean of each window's cells.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/tasks.h"
#include "pool/pool_kind.h"
#include "pool/sums.h"

#include <string.h>

static size_t scratch_size(const layer_pool *pool)
{
    return layer_larger(layer_pool_sums_size(pool), layer_pool_folded_count(pool) * sizeof(float));
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

static void divide_row(const layer_fold_kernels *kernels, const divisors *all, float *sums)
{
    for (int q = 0; q < all->whole.begin; q++)
        sums[q] /= (float)divisor_at(all, q);
    if (all->whole.begin < all->whole.end)
        kernels->divide(sums + all->whole.begin, all->whole.end - all->whole.begin,
                        (float)divisor_at(all, all->whole.begin));
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
        const bool is_uniform = all.whole.begin == 0 && all.whole.end == width->output;
        const float divisor = is_uniform ? (float)divisor_at(&all, 0) : 1;
        layer_pool_fold(row, LAYER_FOLD_SUM, divisor, output, scratch);
        if (!is_uniform)
            divide_row(row->plan->kernels, &all, output);
        return;
    }
    const double *const sums = layer_pool_sums(row, LAYER_TERM_CELL, scratch);
    for (int q = 0; q < width->output; q++)
        output[q] = (float)(sums[q] / divisor_at(&all, q));
}

static void forward_whole(const layer_pool_plan *plan, const float *planes, size_t cells,
                          float *output, size_t count)
{
    layer_plane_fold_kernels_at(plan->run->isa)->average(planes, cells, output, count);
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

/* In float, where windows are small. */
static void backward_small(const layer_pool_row *row, const float *grad_output, float *grad_input,
                           float *scratch)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    const layer_fold_kernels *const kernels = row->plan->kernels;
    const layer_steps input = row->plan->columns;
    const divisors all = divisors_of(row);
    const int lines = layer_pool_line_count(row);
    float *const columns = scratch, *const shares = scratch + row->plan->reach;
    memset(columns, 0, (size_t)row->plan->reach * sizeof *columns);
    memcpy(shares, grad_output, (size_t)width->output * sizeof *shares);
    divide_row(kernels, &all, shares);
    kernels->spread(columns, shares, width);
    for (int line = 0; line < lines; line++)
        kernels->add(grad_input + layer_pool_line(row, line), columns + input.begin,
                     input.end - input.begin);
}

static void backward_row(const layer_pool_row *row, const float *grad_output, float *grad_input,
                         void *scratch)
{
    if (row->plan->small) {
        backward_small(row, grad_output, grad_input, scratch);
        return;
    }
    const layer_steps input = row->plan->columns;
    const int lines = layer_pool_line_count(row);
    double *const columns = scratch;
    spread_columns(row, grad_output, columns);
    for (int line = 0; line < lines && !layer_run_cancelled(row->plan->run); line++)
        add_line(columns + input.begin, grad_input + layer_pool_line(row, line),
                 input.end - input.begin);
}

const layer_pool_implementation layer_pool_implementation_AVERAGE = {
    .scratch_size = scratch_size,
    .row = forward_row,
    .whole = forward_whole,
    .row_backward = backward_row,
};
