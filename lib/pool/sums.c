/* Sums over windows, in double: first each column of the lines that a row of windows sees, then the
 * columns of each window.
 * SPDX-License-Identifier: MIT */
#include "pool/sums.h"
#include "core/tasks.h"

#include <string.h>

size_t layer_pool_sums_size(const layer_pool *pool)
{
    return (layer_pool_reach(pool) + (size_t)pool->window[LAYER_POOL_WIDTH].output) *
           sizeof(double);
}

double *layer_pool_sums(const layer_pool_row *row, layer_pool_term term, void *scratch)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    const layer_sum_kernels *const kernels = layer_sum_kernels_at(row->plan->run->isa);
    const layer_steps cells = row->plan->columns;
    const int lines = layer_pool_line_count(row);
    double *const sums = scratch, *const columns = sums + width->output;
    memset(columns, 0, (size_t)row->plan->reach * sizeof *columns);
    for (int line = 0; line < lines && !layer_run_cancelled(row->plan->run); line++)
        kernels->add_line(term, columns + cells.begin, row->input + layer_pool_line(row, line),
                          cells.end - cells.begin);
    kernels->add_columns(columns, sums, width);
    return sums;
}
