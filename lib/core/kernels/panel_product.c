/* The product of a panel: a tile of the result in registers, a value of the left factor at a time
 * multiplied with some vectors of the right one's row. Source: Goto & van de Geijn, "Anatomy of
 * high-performance matrix multiplication", 2008, the innermost kernel. SPDX-License-Identifier: MIT
 */
#include "core/kernels/vectors.h"
#include "core/panel.h"

/* The most rows of a tile of so many vectors: the sums, a row of the right factor and a value of
 * the left one fill the registers, 32 with AVX-512, else 16. */
enum { MOST_VECTORS = 4, MOST_ROWS = LANES == 16 ? 14 : 6 };
static const size_t most_rows[] = {
#if defined(__AVX512F__)
    0, 14, 14, 8, 6,
#else
    0, 6, 6, 4, 3,
#endif
};

/* Where a tile lies, and how many lanes its last vector has. */
typedef struct {
    size_t row, column;
    int last;
} place;

/* Inlined with rows, vectors and `is_whole` as constants, so that the sums are registers. */
__attribute__((always_inline)) static inline lanes load(const float *x, bool is_whole, int last)
{
    return is_whole ? lanes_load(x) : lanes_load_some(x, last);
}

/* Unrolled early enough that the arrays of sums become registers. */

__attribute__((always_inline)) static inline void
multiply_tile(const layer_panel *panel, place at, const int rows, const int vectors, bool is_whole)
{
    const float *left = panel->left + at.row * panel->left_leading;
    const float *right = panel->right + at.column;
    const float *const start = panel->start == NULL ? NULL : panel->start + at.row;
    float *const result = panel->result + at.row * panel->result_leading + at.column;
    const size_t left_leading = panel->left_leading, right_leading = panel->right_leading;
    const size_t result_leading = panel->result_leading, depth = panel->depth;
    const bool accumulates = panel->accumulates;
    lanes sums[MOST_ROWS][MOST_VECTORS];
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            sums[i][v] = (lanes){0};
            __builtin_prefetch(result + (size_t)i * result_leading + v * LANES, 1);
        }
    }
    for (size_t k = 0; k < depth; k++, left++, right += right_leading) {
        lanes factors[MOST_VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            factors[v] = load(right + v * LANES, is_whole, at.last);
#pragma GCC unroll 14
        for (int i = 0; i < rows; i++) {
            const lanes value = lanes_all(left[(size_t)i * left_leading]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                sums[i][v] += value * factors[v];
        }
    }
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++) {
        const lanes begin = lanes_all(start == NULL ? 0 : start[i]);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            float *const to = result + (size_t)i * result_leading + v * LANES;
            sums[i][v] += accumulates ? load(to, is_whole, at.last) : begin;
            if (is_whole)
                lanes_store(to, sums[i][v]);
            else
                lanes_store_some(to, sums[i][v], at.last);
        }
    }
}

#define TILE(rows, vectors, is_whole)                                                              \
    case rows:                                                                                     \
        multiply_tile(panel, at, rows, vectors, is_whole);                                         \
        return
#define TILES_TO_3(...)                                                                            \
    TILE(1, __VA_ARGS__);                                                                          \
    TILE(2, __VA_ARGS__);                                                                          \
    TILE(3, __VA_ARGS__)
#define TILES_TO_4(...)                                                                            \
    TILES_TO_3(__VA_ARGS__);                                                                       \
    TILE(4, __VA_ARGS__)
#define TILES_TO_6(...)                                                                            \
    TILES_TO_4(__VA_ARGS__);                                                                       \
    TILE(5, __VA_ARGS__);                                                                          \
    TILE(6, __VA_ARGS__)
#define TILES_TO_8(...)                                                                            \
    TILES_TO_6(__VA_ARGS__);                                                                       \
    TILE(7, __VA_ARGS__);                                                                          \
    TILE(8, __VA_ARGS__)
#define TILES_TO_14(...)                                                                           \
    TILES_TO_8(__VA_ARGS__);                                                                       \
    TILE(9, __VA_ARGS__);                                                                          \
    TILE(10, __VA_ARGS__);                                                                         \
    TILE(11, __VA_ARGS__);                                                                         \
    TILE(12, __VA_ARGS__);                                                                         \
    TILE(13, __VA_ARGS__);                                                                         \
    TILE(14, __VA_ARGS__)

#if defined(__AVX512F__)
#define TILES_OF_1 TILES_TO_14
#define TILES_OF_2 TILES_TO_14
#define TILES_OF_3 TILES_TO_8
#define TILES_OF_4 TILES_TO_6
#else
#define TILES_OF_1 TILES_TO_6
#define TILES_OF_2 TILES_TO_6
#define TILES_OF_3 TILES_TO_4
#define TILES_OF_4 TILES_TO_3
#endif

/* One function for each number of vectors, all rows within. */
#define COLUMNS(name, vectors, is_whole, tiles)                                                    \
    static void name(const layer_panel *panel, place at, size_t rows)                              \
    {                                                                                              \
        switch (rows) {                                                                            \
            tiles(vectors, is_whole);                                                              \
        }                                                                                          \
    }
COLUMNS(multiply_1, 1, true, TILES_OF_1)
COLUMNS(multiply_2, 2, true, TILES_OF_2)
COLUMNS(multiply_3, 3, true, TILES_OF_3)
COLUMNS(multiply_4, 4, true, TILES_OF_4)
COLUMNS(multiply_last, 1, false, TILES_OF_1)

typedef void tile_function(const layer_panel *panel, place at, size_t rows);
static tile_function *const tiles[] = {multiply_last, multiply_1, multiply_2, multiply_3,
                                       multiply_4};

/* All rows of some columns, in tiles as even as can be: 14 rows are 5, 5, 4 rather than 6, 6, 2. */
static void multiply_columns(const layer_panel *panel, size_t column, size_t vectors, int last)
{
    const size_t most = most_rows[vectors == 0 ? 1 : vectors];
    size_t left = (panel->rows + most - 1) / most;
    for (size_t row = 0; row < panel->rows; left--) {
        const size_t rows = (panel->rows - row + left - 1) / left;
        tiles[vectors](panel, (place){row, column, last}, rows);
        row += rows;
    }
}

static void multiply(const layer_panel *panel)
{
    size_t vectors = panel->columns / LANES, column = 0;
    for (size_t left = (vectors + MOST_VECTORS - 1) / MOST_VECTORS; left > 0; left--) {
        const size_t some = (vectors + left - 1) / left;
        multiply_columns(panel, column, some, LANES);
        column += some * LANES;
        vectors -= some;
    }
    if (column < panel->columns)
        multiply_columns(panel, column, 0, (int)(panel->columns - column));
}

const layer_panel_kernels LAYER_KERNELS(layer_panel_kernels) = {multiply};
