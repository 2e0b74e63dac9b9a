/* Folding windows in two passes, and the way back.
 * SPDX-License-Identifier: MIT */
#include "pool/kernels/fold_lanes.h"

/* ---- Lines ----------------------------------------------------------------------------------- */

/* Up to LANES cells of the lines. Returns which are NaN, if it looks for the largest. */
FOLD_INLINE lanes_flags fold_cells(layer_fold_kind kind, float *folded, const float *const *lines,
                                   int count, int cell, int cells, bool continues)
{
    const float *const first = continues ? folded : lines[0];
    lanes former = load_up_to(first + cell, cells);
    lanes_flags nan = lanes_unordered(former, former);
    for (int line = continues ? 0 : 1; line < count; line++) {
        const lanes latter = load_up_to(lines[line] + cell, cells);
        nan |= lanes_unordered(former, latter);
        former = fold(kind, former, latter);
    }
    store_up_to(folded + cell, former, cells);
    return nan;
}

FOLD_INLINE bool fold_lines(layer_fold_kind kind, float *folded, const float *const *lines,
                            const int count, int cells, const bool continues)
{
    lanes_flags nan = {0};
    int cell = 0;
    for (; cell + LANES <= cells; cell += LANES)
        nan |= fold_cells(kind, folded, lines, count, cell, LANES, continues);
    if (cell < cells)
        nan |= fold_cells(kind, folded, lines, count, cell, cells - cell, continues);
    return kind == LAYER_FOLD_LARGEST && lanes_flagged(nan);
}

static bool lines(layer_fold_kind kind, float *folded, const float *const *lines, int count,
                  int cells, bool continues)
{
    return kind == LAYER_FOLD_SUM
               ? fold_lines(LAYER_FOLD_SUM, folded, lines, count, cells, continues)
               : fold_lines(LAYER_FOLD_LARGEST, folded, lines, count, cells, continues);
}

/* ---- Columns --------------------------------------------------------------------------------- */

/* Every stride-th float, LANES of them. */
FOLD_INLINE lanes load_strided(const float *x, ptrdiff_t stride)
{
    if (stride == 1)
        return lanes_load(x);
    if (stride == 2)
        return lanes_even(lanes_load(x), lanes_load(x + LANES));
    lanes loaded;
    for (int i = 0; i < LANES; i++)
        loaded[i] = x[i * stride];
    return loaded;
}

FOLD_INLINE lanes fold_window(layer_fold_kind kind, const float *x, int kernel, ptrdiff_t dilation,
                              ptrdiff_t stride)
{
    lanes former = load_strided(x, stride);
    for (int s = 1; s < kernel; s++)
        former = fold(kind, former, load_strided(x + s * dilation, stride));
    return former;
}

FOLD_INLINE void fold_columns(layer_fold_kind kind, const float *folded, float *output, int count,
                              const int kernel, const ptrdiff_t dilation, const ptrdiff_t stride)
{
    int q = 0;
    for (; q + LANES <= count; q += LANES)
        lanes_store(output + q, fold_window(kind, folded + q * stride, kernel, dilation, stride));
    if (q < count && stride <= 2)
        lanes_store_some(output + q,
                         fold_window(kind, folded + q * stride, kernel, dilation, stride),
                         count - q);
    for (; q < count && stride > 2; q++) {
        lanes former = {folded[q * stride]};
        for (int s = 1; s < kernel; s++)
            former = fold(kind, former, (lanes){folded[q * stride + s * dilation]});
        output[q] = former[0];
    }
}

FOLD_INLINE void columns_of(layer_fold_kind kind, const float *folded, float *output,
                            const layer_window *width)
{
    const int kernel = width->kernel, count = width->output;
    const ptrdiff_t dilation = width->dilation;
    if (width->stride == 1)
        fold_columns(kind, folded, output, count, kernel, dilation, 1);
    else if (width->stride == 2)
        fold_columns(kind, folded, output, count, kernel, dilation, 2);
    else
        fold_columns(kind, folded, output, count, kernel, dilation, width->stride);
}

static void columns(layer_fold_kind kind, const float *folded, float *output,
                    const layer_window *width)
{
    if (kind == LAYER_FOLD_SUM)
        columns_of(LAYER_FOLD_SUM, folded, output, width);
    else
        columns_of(LAYER_FOLD_LARGEST, folded, output, width);
}

/* ---- Divisors -------------------------------------------------------------------------------- */

static void divide(float *restrict sums, int count, float divisor)
{
    const float factor = 1 / divisor;
    if (is_power_of_two(divisor))
        for (int i = 0; i < count; i++)
            sums[i] *= factor;
    else
        for (int i = 0; i < count; i++)
            sums[i] /= divisor;
}

/* ---- Gradients ------------------------------------------------------------------------------- */

FOLD_INLINE void spread_at(float *restrict columns, const float *restrict shares, int count,
                           const int kernel, ptrdiff_t dilation, const ptrdiff_t stride)
{
    for (int s = 0; s < kernel; s++)
        for (int q = 0; q < count; q++)
            columns[q * stride + s * dilation] += shares[q];
}

static void spread(float *columns, const float *shares, const layer_window *width)
{
    const int kernel = width->kernel;
    if (width->stride == 1)
        spread_at(columns, shares, width->output, kernel, width->dilation, 1);
    else if (width->stride == 2 && kernel == 2)
        spread_at(columns, shares, width->output, 2, width->dilation, 2);
    else
        spread_at(columns, shares, width->output, kernel, width->dilation, width->stride);
}

static void add(float *restrict cells, const float *restrict added, int count)
{
    for (int i = 0; i < count; i++)
        cells[i] += added[i];
}

/* ---- Where it is ----------------------------------------------------------------------------- */

typedef int32_t whole_lanes __attribute__((vector_size(sizeof(lanes))));

/* `count` cells, up to LANES. */
FOLD_INLINE lanes load_cells(const float *x, const ptrdiff_t stride, int count)
{
    if (count == LANES && stride <= 2)
        return stride == 1 ? lanes_load(x)
                           : lanes_even(lanes_load(x), lanes_load_some(x + LANES, LANES - 1));
    if (stride == 1)
        return lanes_load_some(x, count);
    lanes loaded = {0};
    for (int i = 0; i < count; i++)
        loaded[i] = x[i * stride];
    return loaded;
}

/* Up to LANES of them: `cells` are their numbers. */
FOLD_INLINE void find_in(lanes x, whole_lanes cells, float *largest, int32_t *where, int count)
{
    /* Bits of whole numbers pass through vectors of floats unchanged. */
    const lanes known = load_up_to(largest, count);
    const whole_lanes known_bits = (whole_lanes)known;
    const whole_lanes at = (whole_lanes)load_up_to((const float *)where, count);
    const whole_lanes better = (x > known) | ((x != x) & (known == known)) | (at < 0);
    store_up_to(largest, (lanes)((better & (whole_lanes)x) | (~better & known_bits)), count);
    store_up_to((float *)where, (lanes)((better & cells) | (~better & at)), count);
}

FOLD_INLINE void find_at(const float *x, int32_t cell, const ptrdiff_t stride, float *largest,
                         int32_t *where, int count)
{
    whole_lanes cells;
    for (int i = 0; i < LANES; i++)
        cells[i] = (int32_t)((uint32_t)cell + (uint32_t)i * (uint32_t)stride);
    for (int q = 0; q < count; q += LANES) {
        const int some = count - q < LANES ? count - q : LANES;
        find_in(load_cells(x + q * stride, stride, some), cells, largest + q, where + q, some);
        cells += (int32_t)(LANES * (uint32_t)stride);
    }
}

static void find(const float *x, int32_t cell, ptrdiff_t stride, float *largest, int32_t *where,
                 int count)
{
    if (stride == 1)
        find_at(x, cell, 1, largest, where, count);
    else if (stride == 2)
        find_at(x, cell, 2, largest, where, count);
    else
        find_at(x, cell, stride, largest, where, count);
}

const layer_fold_kernels LAYER_KERNELS(layer_fold_kernels) = {
    lines, columns, divide, spread, add, find,
};
