/* Winograd's three transforms. A source that includes this has defined OUTPUTS, POINTS and the
 * matrices of one dimension: input_matrix (B'), weight_matrix (G), output_matrix (A').
 *
 * Points come in pairs, one the other's negative, between the first, zero, and the last, infinity.
 * So rows of B' and G in a pair have equal factors in even columns and opposite ones in odd
 * columns, and A' has it the other way round: each half of a sum serves both.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_KERNELS_WINOGRAD_TRANSFORMS_H
#define LAYER_CONV_KERNELS_WINOGRAD_TRANSFORMS_H

#include "conv/winograd.h"
#include "core/blocks.h"
#include "core/kernels/transpose.h"

enum { KERNEL = 3, KERNEL_CELLS = KERNEL * KERNEL };

/* Loops over constant matrices have to be unrolled, or nothing comes of the zeros and ones. */
#define INLINED  __attribute__((always_inline)) static inline
#define UNROLLED _Pragma("GCC unroll 8")

/* ---- One dimension --------------------------------------------------------------------------- */

/* The sum of factors[i] * x[i] over every second i down from `last`: the factors there are 1. */
INLINED lanes dot(const float *factors, const lanes *x, const int last)
{
    lanes sum = {0};
    bool is_empty = true;
    UNROLLED
    for (int i = last; i >= 0; i -= 2)
        if (factors[i] != 0) {
            sum = is_empty ? factors[i] * x[i] : sum + factors[i] * x[i];
            is_empty = false;
        }
    return sum;
}

/* y = matrix x, for B' and G. */
INLINED void apply(const int columns, const float (*matrix)[columns], const lanes *x, lanes *y)
{
    const int last = columns - 1;
    y[0] = dot(matrix[0], x, columns % 2 == 0 ? last - 1 : last);
    UNROLLED
    for (int i = 1; i < POINTS - 1; i += 2) {
        const lanes one = dot(matrix[i], x, last), other = dot(matrix[i], x, last - 1);
        y[i] = columns % 2 == 0 ? other + one : one + other;
        y[i + 1] = columns % 2 == 0 ? other - one : one - other;
    }
    y[POINTS - 1] = dot(matrix[POINTS - 1], x, last);
}

/* y = A' x. */
INLINED void apply_output(const lanes x[POINTS], lanes y[OUTPUTS])
{
    enum { PAIRS = POINTS / 2 - 1 };
    lanes sums[2][PAIRS];
    UNROLLED
    for (int pair = 0; pair < PAIRS; pair++) {
        sums[0][pair] = x[2 * pair + 1] + x[2 * pair + 2];
        sums[1][pair] = x[2 * pair + 1] - x[2 * pair + 2];
    }
    UNROLLED
    for (int i = 0; i < OUTPUTS; i++) {
        y[i] = output_matrix[i][1] * sums[i % 2][0];
        UNROLLED
        for (int pair = 1; pair < PAIRS; pair++)
            y[i] += output_matrix[i][2 * pair + 1] * sums[i % 2][pair];
    }
    y[0] += x[0];
    y[OUTPUTS - 1] += x[POINTS - 1];
}

/* ---- The input ------------------------------------------------------------------------------- */

/* How many cells of a strip matter. */
static size_t span_of(size_t tiles)
{
    return tiles * OUTPUTS + KERNEL - 1;
}

/* Of `count` cells from `first` on, those that lie in an extent. */
static int clipped(ptrdiff_t first, ptrdiff_t extent, int count, bool is_end)
{
    const ptrdiff_t bound = is_end ? extent - first : -first;
    return bound < 0 ? 0 : bound > count ? count : (int)bound;
}

/* B' d down the columns of one channel, lanes side by side: scratch[point][x]. */
INLINED void transform_columns(const layer_winograd_input *strip, const float *plane,
                               float *scratch)
{
    const int top = clipped(strip->top, strip->height, POINTS, false);
    const int bottom = clipped(strip->top, strip->height, POINTS, true);
    const ptrdiff_t span = (ptrdiff_t)span_of(strip->tiles);
    for (ptrdiff_t x = 0; x < span; x += LANES) {
        const ptrdiff_t left = strip->left + x;
        const int begin = clipped(left, strip->width, LANES, false);
        const int end = clipped(left, strip->width, LANES, true);
        const float *const cell = plane + strip->top * strip->width + left;
        lanes cells[POINTS], sums[POINTS];
        if (top == 0 && bottom == POINTS && begin == 0 && end == LANES)
            for (int i = 0; i < POINTS; i++)
                cells[i] = lanes_load(cell + i * strip->width);
        else
            for (int i = 0; i < POINTS; i++)
                cells[i] = i < top || i >= bottom || begin >= end
                               ? (lanes){0}
                               : lanes_load_between(cell + i * strip->width, begin, end);
        apply(POINTS, input_matrix, cells, sums);
        for (int i = 0; i < POINTS; i++)
            lanes_store(scratch + i * LANES * LAYER_WINOGRAD_SPAN + x, sums[i]);
    }
}

/* (B' d) B along the rows, lanes the channels. */
INLINED void transform_rows(const layer_winograd_input *strip, const float *columns, float *cells,
                            float *transformed)
{
    for (size_t x = 0; x < span_of(strip->tiles); x += LANES) {
        lanes square[LANES];
        for (size_t i = 0; i < LANES; i++)
            square[i] = lanes_load(columns + i * LAYER_WINOGRAD_SPAN + x);
        lanes_transpose(square);
        for (size_t i = 0; i < LANES; i++)
            lanes_store(cells + (x + i) * LANES, square[i]);
    }
    for (size_t tile = 0; tile < strip->tiles; tile++) {
        lanes row[POINTS], sums[POINTS];
        for (size_t i = 0; i < POINTS; i++)
            row[i] = lanes_load(cells + (tile * OUTPUTS + i) * LANES);
        apply(POINTS, input_matrix, row, sums);
        for (size_t i = 0; i < POINTS; i++)
            lanes_store(transformed + i * strip->point_stride + tile * strip->tile_stride, sums[i]);
    }
}

static void transform_input(const layer_winograd_input *strip)
{
    const size_t plane = (size_t)strip->height * (size_t)strip->width;
    float *const columns = strip->scratch;
    float *const cells = columns + POINTS * LANES * LAYER_WINOGRAD_SPAN;
    for (size_t channel = 0; channel < strip->channels; channel += LANES) {
        for (size_t i = 0; i < LANES; i++)
            if (channel + i < strip->channels)
                transform_columns(strip, strip->input + (channel + i) * plane,
                                  columns + i * LAYER_WINOGRAD_SPAN);
            else
                for (size_t point = 0; point < POINTS; point++)
                    memset(columns + (point * LANES + i) * LAYER_WINOGRAD_SPAN, 0,
                           LAYER_WINOGRAD_SPAN * sizeof *columns);
        for (size_t point = 0; point < POINTS; point++)
            transform_rows(strip, columns + point * LANES * LAYER_WINOGRAD_SPAN, cells,
                           strip->transformed + point * POINTS * strip->point_stride + channel);
    }
}

/* ---- The weight ------------------------------------------------------------------------------ */

/* The kernels of up to LANES channels for up to LANES outputs: cells[channel][cell], lanes the
 * outputs. */
static void gather_kernels(const float *weight, size_t output_stride, size_t outputs,
                           size_t channels, lanes *cells)
{
    const size_t count = channels * KERNEL_CELLS;
    for (size_t first = 0; first < count; first += LANES) {
        const int some = (int)layer_smaller(LANES, count - first);
        for (size_t i = 0; i < LANES; i++)
            cells[first + i] = i < outputs
                                   ? lanes_load_some(weight + i * output_stride + first, some)
                                   : (lanes){0};
        lanes_transpose(cells + first);
    }
}

/* G g G' of one channel: transformed[point]. */
static void transform_kernel(const lanes cells[KERNEL_CELLS], bool is_flipped, float *transformed,
                             size_t point_stride)
{
    lanes columns[POINTS][KERNEL];
    for (int x = 0; x < KERNEL; x++) {
        lanes column[KERNEL], sums[POINTS];
        for (int i = 0; i < KERNEL; i++)
            column[i] =
                is_flipped ? cells[KERNEL_CELLS - 1 - (i * KERNEL + x)] : cells[i * KERNEL + x];
        apply(KERNEL, weight_matrix, column, sums);
        for (int i = 0; i < POINTS; i++)
            columns[i][x] = sums[i];
    }
    for (size_t i = 0; i < POINTS; i++) {
        lanes sums[POINTS];
        apply(KERNEL, weight_matrix, columns[i], sums);
        for (size_t j = 0; j < POINTS; j++)
            lanes_store(transformed + (i * POINTS + j) * point_stride, sums[j]);
    }
}

static void transform_weight(const layer_winograd_weight *panel)
{
    lanes cells[LANES * KERNEL_CELLS];
    for (size_t first = 0; first < panel->channels; first += LANES)
        for (size_t output = 0; output < panel->panel; output += LANES) {
            const size_t channels = layer_smaller(LANES, panel->channels - first);
            const size_t outputs =
                output < panel->outputs ? layer_smaller(LANES, panel->outputs - output) : 0;
            gather_kernels(panel->weight + output * panel->output_stride + first * KERNEL_CELLS,
                           panel->output_stride, outputs, channels, cells);
            for (size_t channel = 0; channel < channels; channel++)
                transform_kernel(cells + channel * KERNEL_CELLS, panel->is_flipped,
                                 panel->transformed + (first + channel) * panel->panel + output,
                                 panel->point_stride);
        }
}

/* ---- The output ------------------------------------------------------------------------------ */

/* A' M A + bias of one tile: cells[y][x], lanes the outputs. */
INLINED void transform_tile(const float *products, size_t point_stride, lanes bias, float *cells)
{
    lanes columns[OUTPUTS][POINTS];
    for (size_t x = 0; x < POINTS; x++) {
        lanes column[POINTS], sums[OUTPUTS];
        for (size_t i = 0; i < POINTS; i++)
            column[i] = lanes_load(products + (i * POINTS + x) * point_stride);
        apply_output(column, sums);
        for (size_t i = 0; i < OUTPUTS; i++)
            columns[i][x] = sums[i];
    }
    for (size_t y = 0; y < OUTPUTS; y++) {
        lanes sums[OUTPUTS];
        apply_output(columns[y], sums);
        for (size_t x = 0; x < OUTPUTS; x++)
            lanes_store(cells + (y * LAYER_WINOGRAD_SPAN + x) * LANES, sums[x] + bias);
    }
}

/* One row of up to LANES outputs: cells[x], lanes the outputs, becomes output[plane][x]. */
INLINED void write_row(const float *cells, size_t columns, size_t outputs, float *output,
                       size_t plane)
{
    for (size_t x = 0; x < columns; x += LANES) {
        const int some = (int)layer_smaller(LANES, columns - x);
        lanes square[LANES];
        for (size_t i = 0; i < LANES; i++)
            square[i] = lanes_load(cells + (x + i) * LANES);
        lanes_transpose(square);
        for (size_t i = 0; i < outputs; i++)
            lanes_store_some(output + i * plane + x, square[i], some);
    }
}

static void transform_output(const layer_winograd_output *strip)
{
    for (size_t first = 0; first < strip->outputs; first += LANES) {
        const size_t outputs = layer_smaller(LANES, strip->outputs - first);
        const lanes bias =
            strip->bias == NULL ? (lanes){0} : lanes_load_some(strip->bias + first, (int)outputs);
        for (size_t tile = 0; tile < strip->tiles; tile++)
            transform_tile(strip->products + tile * strip->tile_stride + first, strip->point_stride,
                           bias, strip->scratch + tile * OUTPUTS * LANES);
        for (size_t y = 0; y < strip->rows; y++)
            write_row(strip->scratch + y * LAYER_WINOGRAD_SPAN * LANES, strip->columns, outputs,
                      strip->output + first * strip->plane + y * strip->width, strip->plane);
    }
}

#endif
