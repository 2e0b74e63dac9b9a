/* The last few columns of a panel's result: too few for vectors along them, they are inner products
 * by vectors along the depth.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_KERNELS_PANEL_DOTS_H
#define LAYER_CORE_KERNELS_PANEL_DOTS_H

#include "core/blocks.h"
#include "core/kernels/vectors.h"
#include "core/panel.h"

/* How many columns are few, and with how much depth that repays the adding up of lanes. The right
 * factor is turned some depth at a time; the rows of a tile are as many as have their sums in
 * registers. */
enum {
    MOST_DOTS = LAYER_PANEL_DOTS,
    LEAST_DOT_DEPTH = 64,
    DOT_DEPTH = 512,
    DOT_ROWS = LANES == 16 ? 6 : 3
};

#define UNROLLED_DOTS _Pragma("GCC unroll 6")

/* Columns of some rows of the right factor, each contiguous. */
typedef struct {
    size_t first, depth;
    float elements[MOST_DOTS][DOT_DEPTH];
} dot_columns;

static inline void turn_columns(const layer_panel *panel, size_t column, size_t count,
                                dot_columns *columns)
{
    for (size_t k = 0; k < columns->depth; k++) {
        const size_t row = columns->first + k;
        const size_t begin =
            panel->right_rows == NULL ? row * panel->right_leading : panel->right_rows[row];
        for (size_t j = 0; j < count; j++)
            columns->elements[j][k] = panel->right[begin + column + j];
    }
}

typedef struct {
    const float *left[DOT_ROWS];
    lanes sums[DOT_ROWS][MOST_DOTS];
} dot_tile;

/* LANES of the depth, or the last `some` of it. */
__attribute__((always_inline)) static inline void add_products(dot_tile *tile,
                                                               const dot_columns *columns, size_t k,
                                                               const int count, const bool all,
                                                               int some)
{
    lanes factors[MOST_DOTS];
    UNROLLED_DOTS
    for (int j = 0; j < count; j++)
        factors[j] = all ? lanes_load(columns->elements[j] + k)
                         : lanes_load_some(columns->elements[j] + k, some);
    UNROLLED_DOTS
    for (int i = 0; i < DOT_ROWS; i++) {
        const lanes values =
            all ? lanes_load(tile->left[i] + k) : lanes_load_some(tile->left[i] + k, some);
        UNROLLED_DOTS
        for (int j = 0; j < count; j++)
            tile->sums[i][j] += values * factors[j];
    }
}

/* DOT_ROWS rows from `row` on, of which those beyond `end` are the last one again. Inlined with
 * `count` as a constant, so that the sums are registers. */
__attribute__((always_inline)) static inline void multiply_dots(const layer_panel *panel,
                                                                size_t row, size_t end,
                                                                size_t column, const int count,
                                                                const dot_columns *columns)
{
    const bool accumulates = panel->accumulates || columns->first > 0;
    dot_tile tile;
    UNROLLED_DOTS
    for (int i = 0; i < DOT_ROWS; i++) {
        tile.left[i] = panel->left + columns->first +
                       layer_smaller(row + (size_t)i, end - 1) * panel->left_leading;
        UNROLLED_DOTS
        for (int j = 0; j < count; j++)
            tile.sums[i][j] = (lanes){0};
    }
    size_t k = 0;
    for (; k + LANES <= columns->depth; k += LANES)
        add_products(&tile, columns, k, count, true, LANES);
    if (k < columns->depth)
        add_products(&tile, columns, k, count, false, (int)(columns->depth - k));
    UNROLLED_DOTS
    for (int i = 0; i < DOT_ROWS; i++) {
        if (row + (size_t)i >= end)
            return;
        float *const to = panel->result + (row + (size_t)i) * panel->result_leading + column;
        const float start = panel->start == NULL ? 0 : panel->start[row + (size_t)i];
        UNROLLED_DOTS
        for (int j = 0; j < count; j++)
            to[j] = lanes_sum(tile.sums[i][j]) + (accumulates ? to[j] : start);
    }
}

static inline void multiply_dot_rows(const layer_panel *panel, size_t column, size_t count,
                                     const dot_columns *columns)
{
    for (size_t row = 0; row < panel->rows; row += DOT_ROWS)
        switch (count) {
        case 1:
            multiply_dots(panel, row, panel->rows, column, 1, columns);
            break;
        case 2:
            multiply_dots(panel, row, panel->rows, column, 2, columns);
            break;
        case 3:
            multiply_dots(panel, row, panel->rows, column, 3, columns);
            break;
        default:
            multiply_dots(panel, row, panel->rows, column, MOST_DOTS, columns);
        }
}

/* All rows of `count` columns from `column` on. */
static inline void multiply_dot_columns(const layer_panel *panel, size_t column, size_t count)
{
    dot_columns columns;
    for (columns.first = 0; columns.first < panel->depth; columns.first += DOT_DEPTH) {
        columns.depth = layer_smaller(DOT_DEPTH, panel->depth - columns.first);
        turn_columns(panel, column, count, &columns);
        multiply_dot_rows(panel, column, count, &columns);
    }
}

#endif
