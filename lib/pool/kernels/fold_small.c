/* Folding small windows: what neighbours share is in registers.
 * SPDX-License-Identifier: MIT */
#include "pool/kernels/fold_lanes.h"

static int clamped(ptrdiff_t lane)
{
    return lane < 0 ? 0 : lane < LANES ? (int)lane : LANES;
}

/* Some lines of input. */
typedef struct {
    const float *x[LAYER_FOLD_LINES];
    ptrdiff_t cells;
} input_lines;

/* Folds LANES cells of the lines from `cell` on, what lies beyond them being neutral. */
FOLD_INLINE lanes fold_at(layer_fold_kind kind, const input_lines *lines, ptrdiff_t cell,
                          const int count, lanes_flags *nan)
{
    const bool is_inside = cell >= 0 && cell + LANES <= lines->cells;
    const lanes neutral = lanes_all(kind == LAYER_FOLD_SUM ? 0 : -INFINITY);
    lanes_range range = {0};
    if (cell >= lines->cells)
        return neutral;
    if (!is_inside)
        range = lanes_between(clamped(-cell), clamped(lines->cells - cell));
    lanes former = neutral;
    for (int line = 0; line < count; line++) {
        const float *const x = lines->x[line] + cell;
        const lanes latter = is_inside ? lanes_load(x) : lanes_load_over(neutral, x, range);
        if (kind == LAYER_FOLD_LARGEST)
            *nan |= lanes_unordered(former, latter);
        former = line == 0 ? latter : fold(kind, former, latter);
    }
    return former;
}

/* What the first columns of LANES windows meet, and the second ones; those of the third are the
 * first's of the next window. */
typedef struct {
    lanes first, second;
} columns_met;

FOLD_INLINE columns_met meet_columns(layer_fold_kind kind, const input_lines *lines, ptrdiff_t cell,
                                     const int count, const int stride, lanes_flags *nan)
{
    const lanes low = fold_at(kind, lines, cell, count, nan);
    if (stride == 1)
        return (columns_met){low, low};
    const lanes high = fold_at(kind, lines, cell + LANES, count, nan);
    return (columns_met){lanes_even(low, high), lanes_odd(low, high)};
}

FOLD_INLINE lanes fold_met(layer_fold_kind kind, columns_met met, columns_met next,
                           const int kernel, const int stride)
{
    if (kernel == 1)
        return met.first;
    if (stride == 2) {
        const lanes two = fold(kind, met.first, met.second);
        return kernel == 2 ? two : fold(kind, two, lanes_second(met.first, next.first));
    }
    const lanes two = fold(kind, met.first, lanes_second(met.first, next.first));
    return kernel == 2 ? two : fold(kind, two, lanes_third(met.first, next.first));
}

FOLD_INLINE bool fold_row(layer_fold_kind kind, const layer_small_windows *row, const int count,
                          const int kernel, const int stride)
{
    const float divisor = row->divisor, factor = 1 / divisor;
    const bool is_exact = is_power_of_two(divisor);
    const int outputs = row->outputs;
    float *const output = row->output;
    input_lines lines = {.cells = row->input};
    for (int line = 0; line < count; line++)
        lines.x[line] = row->lines[line];
    lanes_flags nan = {0};
    ptrdiff_t cell = -(ptrdiff_t)row->pad;
    columns_met met = meet_columns(kind, &lines, cell, count, stride, &nan);
    for (int q = 0; q < outputs; q += LANES) {
        columns_met next = met;
        cell += LANES * stride;
        if (kernel > stride || q + LANES < outputs)
            next = meet_columns(kind, &lines, cell, count, stride, &nan);
        lanes folded = fold_met(kind, met, next, kernel, stride);
        if (kind == LAYER_FOLD_SUM)
            folded = is_exact ? folded * factor : folded / divisor;
        store_up_to(output + q, folded, outputs - q < LANES ? outputs - q : LANES);
        met = next;
    }
    return kind == LAYER_FOLD_LARGEST && lanes_flagged(nan);
}

FOLD_INLINE bool small_windows_of(layer_fold_kind kind, const layer_small_windows *row)
{
    const int count = row->line_count;
    if (row->stride == 2 && row->kernel == 2)
        return count == 2 ? fold_row(kind, row, 2, 2, 2) : fold_row(kind, row, count, 2, 2);
    if (row->stride == 2 && row->kernel == 3)
        return count == 3 ? fold_row(kind, row, 3, 3, 2) : fold_row(kind, row, count, 3, 2);
    if (row->stride == 1 && row->kernel == 3)
        return count == 3 ? fold_row(kind, row, 3, 3, 1) : fold_row(kind, row, count, 3, 1);
    return row->stride == 1 ? fold_row(kind, row, count, row->kernel, 1)
                            : fold_row(kind, row, count, row->kernel, 2);
}

static bool small_windows(layer_fold_kind kind, const layer_small_windows *row)
{
    return kind == LAYER_FOLD_SUM ? small_windows_of(LAYER_FOLD_SUM, row)
                                  : small_windows_of(LAYER_FOLD_LARGEST, row);
}

const layer_small_fold_kernels LAYER_KERNELS(layer_small_fold_kernels) = {small_windows};
