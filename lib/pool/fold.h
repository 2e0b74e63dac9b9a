/* A row of windows folded in two passes: the lines that they see into one, then its columns. The
 * first pass runs along whole lines, and what neighbouring windows share is done once.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_POOL_FOLD_H
#define LAYER_POOL_FOLD_H

#include "core/tasks.h"
#include "pool/pool_kind.h"

#include <math.h>

typedef enum { FOLD_SUM, FOLD_LARGEST } fold_kind;

/* All of these are inlined with `kind` a constant, and strides too where they matter. */
#define FOLD_INLINE __attribute__((always_inline)) static inline

/* The former wins a tie. A NaN may get lost. */
FOLD_INLINE float fold(fold_kind kind, float former, float latter)
{
    return kind == FOLD_SUM ? former + latter : latter > former ? latter : former;
}

/* Folds `count` cells of x and y into `folded`. Returns whether any is NaN. */
FOLD_INLINE bool fold_two(fold_kind kind, float *restrict folded, const float *restrict x,
                          const float *restrict y, int count)
{
    int unordered = 0;
    for (int i = 0; i < count; i++) {
        unordered |= isunordered(x[i], y[i]);
        folded[i] = fold(kind, x[i], y[i]);
    }
    return unordered != 0;
}

/* Folds `count` more cells into `folded`. Returns whether any of them is NaN. */
FOLD_INLINE bool fold_more(fold_kind kind, float *restrict folded, const float *restrict x,
                           int count)
{
    int unordered = 0;
    for (int i = 0; i < count; i++) {
        unordered |= isunordered(x[i], x[i]);
        folded[i] = fold(kind, folded[i], x[i]);
    }
    return unordered != 0;
}

/* Folds the lines into `folded`, as wide as the windows reach, and fills what is padding there.
 * Returns whether any cell is NaN. */
FOLD_INLINE bool fold_lines(fold_kind kind, const layer_pool_row *row, float *restrict folded)
{
    const layer_steps columns = row->plan->columns;
    const float neutral = kind == FOLD_SUM ? 0 : -INFINITY;
    const int lines = layer_pool_line_count(row), count = columns.end - columns.begin;
    float *const line = folded + columns.begin;
    const bool paired = lines >= 2;
    bool unordered = false;
    if (paired)
        unordered = fold_two(kind, line, row->input + layer_pool_line(row, 0),
                             row->input + layer_pool_line(row, 1), count);
    for (int i = 0; i < columns.begin; i++)
        folded[i] = neutral;
    for (int i = paired ? columns.end : columns.begin; i < row->plan->reach; i++)
        folded[i] = neutral;
    for (int done = paired ? 2 : 0; done < lines && !layer_run_cancelled(row->plan->run); done++)
        unordered |= fold_more(kind, line, row->input + layer_pool_line(row, done), count);
    return unordered;
}

/* For kernels of a few cells, known when compiled. */
FOLD_INLINE void fold_few(fold_kind kind, const float *restrict folded, float *restrict output,
                          int count, const int kernel, const ptrdiff_t stride)
{
    for (int q = 0; q < count; q++) {
        float result = folded[q * stride];
        for (int s = 1; s < kernel; s++)
            result = fold(kind, result, folded[q * stride + s]);
        output[q] = result;
    }
}

FOLD_INLINE void fold_any(fold_kind kind, const float *restrict folded, float *restrict output,
                          const layer_window *width, const ptrdiff_t stride)
{
    for (int q = 0; q < width->output; q++)
        output[q] = folded[q * stride];
    for (int s = 1; s < width->kernel; s++) {
        const float *const from = folded + (ptrdiff_t)s * width->dilation;
        for (int q = 0; q < width->output; q++)
            output[q] = fold(kind, output[q], from[q * stride]);
    }
}

FOLD_INLINE void fold_columns(fold_kind kind, const float *folded, float *output,
                              const layer_window *width)
{
    const int stride = width->stride, kernel = width->dilation == 1 ? width->kernel : 0;
    if (stride == 2 && kernel == 2)
        fold_few(kind, folded, output, width->output, 2, 2);
    else if (stride == 2 && kernel == 3)
        fold_few(kind, folded, output, width->output, 3, 2);
    else if (stride == 1 && kernel == 3)
        fold_few(kind, folded, output, width->output, 3, 1);
    else if (stride == 1)
        fold_any(kind, folded, output, width, 1);
    else if (stride == 2)
        fold_any(kind, folded, output, width, 2);
    else
        fold_any(kind, folded, output, width, stride);
}

#endif
