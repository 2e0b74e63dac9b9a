/* Winograd's transform of the input, B' d B.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_KERNELS_WINOGRAD_INPUT_H
#define LAYER_CONV_KERNELS_WINOGRAD_INPUT_H

#include "conv/kernels/winograd_matrices.h"

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
    lanes_load_transposed(square, LANES, columns);
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

#endif
