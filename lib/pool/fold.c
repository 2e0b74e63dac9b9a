/* Folding a row of windows.
 * SPDX-License-Identifier: MIT */
#include "core/tasks.h"
#include "pool/pool_kind.h"

#include <math.h>

size_t layer_pool_folded_count(const layer_pool *pool)
{
    return layer_pool_reach(pool) + LAYER_FOLD_SLACK;
}

static void fill(float *folded, int begin, int end, float value)
{
    for (int i = begin; i < end; i++)
        folded[i] = value;
}

/* Windows of few lines and columns, side by side or overlapping by half. */
static bool is_small(const layer_pool_row *row, int lines)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    return lines > 0 && lines <= LAYER_FOLD_LINES && width->kernel <= 3 && width->stride <= 2 &&
           width->dilation == 1;
}

static bool fold_small(const layer_pool_row *row, layer_fold_kind kind, float divisor, int lines,
                       float *output)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    const float *some[LAYER_FOLD_LINES];
    for (int line = 0; line < lines; line++)
        some[line] = row->input + layer_pool_line(row, line);
    const layer_small_windows windows = {
        .lines = some,
        .line_count = lines,
        .input = width->input,
        .kernel = width->kernel,
        .stride = width->stride,
        .pad = width->pad_begin,
        .output = output,
        .outputs = width->output,
        .divisor = divisor,
    };
    return row->plan->small_kernels->windows(kind, &windows);
}

/* Folds the lines that the windows see into one as wide as these reach, padding too. */
static bool fold_lines(const layer_pool_row *row, layer_fold_kind kind, int lines, float *folded)
{
    const layer_steps columns = row->plan->columns;
    const float neutral = kind == LAYER_FOLD_SUM ? 0 : -INFINITY;
    const int cells = columns.end - columns.begin;
    bool has_nan = false;
    fill(folded, 0, columns.begin, neutral);
    fill(folded, lines > 0 ? columns.end : columns.begin, row->plan->reach, neutral);
    for (int done = 0; done < lines && !layer_run_cancelled(row->plan->run);) {
        const float *some[LAYER_FOLD_LINES];
        const bool continues = done > 0;
        int count = 0;
        for (; count < LAYER_FOLD_LINES && done < lines; done++)
            some[count++] = row->input + layer_pool_line(row, done);
        has_nan |=
            row->plan->kernels->lines(kind, folded + columns.begin, some, count, cells, continues);
    }
    return has_nan;
}

bool layer_pool_fold(const layer_pool_row *row, layer_fold_kind kind, float divisor, float *output,
                     float *folded)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    const int lines = layer_pool_line_count(row);
    if (is_small(row, lines))
        return fold_small(row, kind, divisor, lines, output);
    const bool has_nan = fold_lines(row, kind, lines, folded);
    row->plan->kernels->columns(kind, folded, output, width);
    if (kind == LAYER_FOLD_SUM && divisor != 1)
        row->plan->kernels->divide(output, width->output, divisor);
    return has_nan;
}
