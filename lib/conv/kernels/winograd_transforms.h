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

/* Scratch memory holds vectors of neighbouring cells, then those of a square of them transposed:
 * of the latter as many columns as tiles still need, the newest in place of the oldest. Planes of
 * it are a line longer than they are, so that they do not fall into one set of the cache. */
enum {
    LINE = LAYER_WINOGRAD_LINE,
    RING = 2 * LANES < POINTS + LANES ? 4 * LANES : 2 * LANES,
    SQUARE_STRIDE = LANES * LANES + LINE,
    RING_STRIDE = RING * LANES + LINE,
};

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

/* The part of `count` cells from `first` on that lies in an extent: from `begin` to before `end`.
 */
typedef struct {
    int begin, end;
} cell_range;

static cell_range range_of(ptrdiff_t first, int count, ptrdiff_t extent)
{
    const ptrdiff_t end = extent - first < count ? extent - first : count;
    return (cell_range){first >= 0       ? 0
                        : -first < count ? (int)-first
                                         : count,
                        end > 0 ? (int)end : 0};
}

/* Some cells that lie side by side in a strip, in all its rows, and which of them are input. */
typedef struct {
    ptrdiff_t offset, width, plane; /* of the first from a plane's first cell; of planes */
    cell_range rows, columns;
} vector_cells;

static vector_cells cells_of(const layer_winograd_input *strip, size_t x)
{
    const ptrdiff_t left = strip->left + (ptrdiff_t)x;
    return (vector_cells){
        .offset = strip->top * strip->width + left,
        .width = strip->width,
        .plane = strip->height * strip->width,
        .rows = range_of(strip->top, POINTS, strip->height),
        .columns = range_of(left, LANES, strip->width),
    };
}

/* What transform_column() does about cells that are no input. */
typedef enum { ALL_INSIDE, ROWS_INSIDE, SOME_INSIDE } inside;

/* B' d down the columns of one channel: square[point]. */
INLINED void transform_column(const vector_cells *at, const float *cell, lanes_range range,
                              const inside where, float *square)
{
    lanes cells[POINTS], sums[POINTS];
    for (int i = 0; i < POINTS; i++)
        if (where == ALL_INSIDE)
            cells[i] = lanes_load(cell + i * at->width);
        else if (where == ROWS_INSIDE || (i >= at->rows.begin && i < at->rows.end))
            cells[i] = lanes_load_range(cell + i * at->width, range);
        else
            cells[i] = (lanes){0};
    apply(POINTS, input_matrix, cells, sums);
    for (int i = 0; i < POINTS; i++)
        lanes_store(square + i * SQUARE_STRIDE, sums[i]);
}

/* The same for some channels: square[point][channel]. Fetches what lies `ahead`. */
INLINED void transform_columns(const vector_cells *at, const float *input, size_t channels,
                               ptrdiff_t ahead, const inside where, float *square)
{
    const lanes_range range = lanes_between(at->columns.begin, at->columns.end);
    const float *cell = input + at->offset;
    for (size_t channel = 0; channel < channels; channel++, cell += at->plane, square += LANES) {
        for (int i = 0; i < POINTS; i++)
            __builtin_prefetch(cell + ahead + i * at->width, 0, 2);
        transform_column(at, cell, range, where, square);
    }
}

static void clear_square(float *square, size_t first)
{
    for (size_t point = 0; point < POINTS; point++)
        for (size_t channel = first; channel < LANES; channel++)
            lanes_store(square + point * SQUARE_STRIDE + channel * LANES, (lanes){0});
}

/* The same, wherever the cells are. */
static void transform_square(const vector_cells *at, const float *input, size_t channels,
                             ptrdiff_t ahead, float *square)
{
    if (channels < LANES || at->columns.begin >= at->columns.end)
        clear_square(square, at->columns.begin < at->columns.end ? channels : 0);
    if (at->columns.begin >= at->columns.end)
        return;
    if (at->rows.begin > 0 || at->rows.end < POINTS)
        transform_columns(at, input, channels, ahead, SOME_INSIDE, square);
    else if (at->columns.begin > 0 || at->columns.end < LANES)
        transform_columns(at, input, channels, ahead, ROWS_INSIDE, square);
    else
        transform_columns(at, input, channels, ahead, ALL_INSIDE, square);
}

INLINED void transpose_square(const float *square, float *transposed)
{
    lanes columns[LANES];
    lanes_load_transposed(square, columns);
    for (int i = 0; i < LANES; i++)
        lanes_store(transposed + i * LANES, columns[i]);
}

/* (B' d) B of a row of some tiles, lanes the channels. */
INLINED void transform_row(const float *ring, size_t tile, size_t end, float *transformed,
                           size_t point_stride, size_t tile_stride)
{
    for (; tile < end; tile++) {
        lanes row[POINTS], sums[POINTS];
        for (size_t i = 0; i < POINTS; i++)
            row[i] = lanes_load(ring + (tile * OUTPUTS + i) % RING * LANES);
        apply(POINTS, input_matrix, row, sums);
        for (size_t i = 0; i < POINTS; i++)
            lanes_store(transformed + i * point_stride + tile * tile_stride, sums[i]);
    }
}

/* LANES channels: a vector of cells at a time, and the tiles that end with it. */
static void transform_channels(const layer_winograd_input *strip, size_t channel, ptrdiff_t ahead)
{
    const size_t plane = (size_t)(strip->height * strip->width), tiles = strip->tiles;
    const size_t point_stride = strip->point_stride, tile_stride = strip->tile_stride;
    const size_t channels = layer_smaller(LANES, strip->channels - channel);
    float *const square = strip->scratch, *const ring = square + POINTS * SQUARE_STRIDE;
    for (size_t x = 0, tile = 0; tile < tiles; x += LANES) {
        const vector_cells at = cells_of(strip, x);
        const size_t end = layer_smaller(tiles, (x + LANES - (KERNEL - 1)) / OUTPUTS);
        transform_square(&at, strip->input + channel * plane, channels, ahead, square);
        for (size_t point = 0; point < POINTS; point++) {
            float *const row = ring + point * RING_STRIDE;
            transpose_square(square + point * SQUARE_STRIDE, row + x % RING * LANES);
            transform_row(row, tile, end,
                          strip->transformed + point * POINTS * point_stride + channel,
                          point_stride, tile_stride);
        }
        tile = end;
    }
}

static void transform_input(const layer_winograd_input *strip)
{
    const ptrdiff_t plane = strip->height * strip->width;
    for (size_t channel = 0; channel < strip->channels; channel += LANES) {
        const bool is_last = channel + LANES >= strip->channels;
        transform_channels(strip, channel,
                           is_last ? OUTPUTS * strip->width - (ptrdiff_t)channel * plane
                                   : LANES * plane);
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

/* A' M A + bias of one tile: ring[y][x], lanes the outputs. */
INLINED void transform_tile(const float *products, size_t point_stride, lanes bias, size_t first,
                            float *ring)
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
            lanes_store(ring + y * RING_STRIDE + (first + x) % RING * LANES, sums[x] + bias);
    }
}

/* Up to LANES columns from `x` on: ring[y][x], lanes the outputs, becomes output[plane][y][x]. */
INLINED void write_columns(const layer_winograd_output *strip, const float *ring, size_t x,
                           size_t outputs, float *output)
{
    const size_t some = layer_smaller(LANES, strip->columns - x), plane = strip->plane;
    output += x;
    for (size_t y = 0; y < strip->rows; y++, output += strip->width) {
        lanes rows[LANES];
        lanes_load_transposed(ring + y * RING_STRIDE + x % RING * LANES, rows);
        if (some == LANES && outputs == LANES)
            for (size_t i = 0; i < LANES; i++)
                lanes_store(output + i * plane, rows[i]);
        else
            for (size_t i = 0; i < outputs; i++)
                lanes_store_some(output + i * plane, rows[i], (int)some);
    }
}

static void transform_output(const layer_winograd_output *strip)
{
    const size_t point_stride = strip->point_stride, tile_stride = strip->tile_stride;
    for (size_t first = 0; first < strip->outputs; first += LANES) {
        const size_t outputs = layer_smaller(LANES, strip->outputs - first);
        const lanes bias =
            strip->bias == NULL ? (lanes){0} : lanes_load_some(strip->bias + first, (int)outputs);
        const float *products = strip->products + first;
        float *const output = strip->output + first * strip->plane;
        size_t x = 0;
        for (size_t tile = 0; tile < strip->tiles; tile++, products += tile_stride) {
            transform_tile(products, point_stride, bias, tile * OUTPUTS, strip->scratch);
            for (; x + LANES <= layer_smaller((tile + 1) * OUTPUTS, strip->columns); x += LANES)
                write_columns(strip, strip->scratch, x, outputs, output);
        }
        if (x < strip->columns)
            write_columns(strip, strip->scratch, x, outputs, output);
    }
}

#endif
