/* A tile of a panel's product: sums in registers, a value of the left factor at a time multiplied
 * with some vectors of the right one's row.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_KERNELS_PANEL_TILE_H
#define LAYER_CORE_KERNELS_PANEL_TILE_H

#include "core/blocks.h"
#include "core/kernels/vectors.h"
#include "core/panel.h"

/* The most rows of a tile of so many vectors: the sums, a row of the right factor and a value of
 * the left one fill the registers, 32 with AVX-512, else 16. Fewer vectors have no use for more
 * rows than keep the multiplications' units busy. */
#if defined(__AVX512F__)
enum { MOST_VECTORS = 4, MOST_ROWS = 8 };
static const size_t most_rows[] = {0, 8, 8, 8, 6};
#else
enum { MOST_VECTORS = 2, MOST_ROWS = 6 };
static const size_t most_rows[] = {0, 6, 6};
#endif

/* Where a tile lies, how many lanes its last vector has, and its part in fetching what is next:
 * some whole rows of it; or of a shallow panel all rows, but only the cache lines at `ahead`. */
typedef struct {
    size_t row, column;
    int last;
    const float *next; /* [rows][right_leading], as many columns as the tile has */
    size_t columns, fetched, fetch_end, fetch_step; /* rows */
    const float *ahead[2];
    size_t result_step; /* rows of where the result goes, fetched with those */
} place;

/* Floats of a cache line and of level 1, and how much of the depth lies between two fetchings of a
 * few rows. */
enum { LINE_COUNT = 16, NEAREST_COUNT = 1 << 14, PERIOD = 16 };

/* How much of a shallow panel's depth is taken at once. */
enum { STEPS = 2 };

/* How the right factor is read. */
typedef struct {
    bool is_whole;     /* the last vector of a row has all lanes */
    bool is_scattered; /* rows begin where panel->right_rows says */
    bool is_shallow;
} reading;

/* Some rows, to where all of them are to be at the end: level 1 if they fit. */
static inline void fetch(const layer_panel *panel, place *at)
{
    const size_t end = layer_smaller(at->fetched + at->fetch_step, at->fetch_end);
    const bool fit = panel->depth * at->columns <= NEAREST_COUNT;
    for (; at->fetched < end; at->fetched++)
        for (size_t i = 0; i < at->columns; i += LINE_COUNT) {
            const float *const line = at->next + at->fetched * panel->right_leading + i;
            if (fit)
                __builtin_prefetch(line, 0, 3);
            else
                __builtin_prefetch(line, 0, 2);
        }
}

__attribute__((always_inline)) static inline lanes load(const float *x, bool is_whole, int last)
{
    return is_whole ? lanes_load(x) : lanes_load_some(x, last);
}

__attribute__((always_inline)) static inline void store(float *x, lanes sum, bool is_whole,
                                                        int last)
{
    if (is_whole)
        lanes_store(x, sum);
    else
        lanes_store_some(x, sum, last);
}

/* Keeps the compiler from holding what it will come to, or an address for each row, in registers
 * that the sums need. */
__attribute__((always_inline)) static inline float *afresh(const float *pointer)
{
    __asm__("" : "+r"(pointer));
    return (float *)pointer;
}

/* Loops over rows, vectors and steps have to be unrolled before the compiler decides which arrays
 * can be registers. */
#define UNROLLED _Pragma("GCC unroll 8")

/* A tile of the result, and the next value of the depth: its column of the left factor and its row
 * of the right one. */
typedef struct {
    lanes sums[MOST_ROWS][MOST_VECTORS];
    const float *left, *right;
} product_tile;

/* Fetches where a row of the result goes. */
__attribute__((always_inline)) static inline void fetch_result(const float *row, const int vectors)
{
    UNROLLED
    for (int v = 0; v < vectors; v++)
        __builtin_prefetch(row + v * LANES, 1);
}

/* Adds the products of a value of the depth. */
__attribute__((always_inline)) static inline void add_step(product_tile *tile, size_t left_leading,
                                                           const float *row, const int rows,
                                                           const int vectors, const bool is_whole,
                                                           int last)
{
    lanes factors[MOST_VECTORS];
    UNROLLED
    for (int v = 0; v < vectors; v++)
        factors[v] = load(row + v * LANES, is_whole || v < vectors - 1, last);
    UNROLLED
    for (int i = 0; i < rows; i++) {
        UNROLLED
        for (int v = 0; v < vectors; v++)
            tile->sums[i][v] += tile->left[(size_t)i * left_leading] * factors[v];
    }
    tile->left++;
}

/* A few lines at a time are fetched of what comes next and of where the result goes: many would
 * wait for one another, and products for them. */
__attribute__((always_inline)) static inline void add_shallow(product_tile *tile,
                                                              const layer_panel *panel,
                                                              const place *at, const float *result,
                                                              const int rows, const int vectors)
{
    const size_t left_leading = panel->left_leading, right_leading = panel->right_leading;
    const float *first = at->ahead[0], *second = at->ahead[1];
    size_t missing = (size_t)rows, left = panel->depth;
    for (; left >= STEPS; left -= STEPS) {
        if (missing > 0) {
            fetch_result(result, vectors);
            result += panel->result_leading;
            missing--;
        }
        UNROLLED
        for (int i = 0; i < STEPS; i++) {
            __builtin_prefetch(first);
            __builtin_prefetch(second);
            add_step(tile, left_leading, tile->right, rows, vectors, true, LANES);
            first = afresh(first + right_leading);
            second = afresh(second + right_leading);
            tile->right = afresh(tile->right + right_leading);
        }
    }
    if (left > 0)
        add_step(tile, left_leading, tile->right, rows, vectors, true, LANES);
}

__attribute__((always_inline)) static inline void add_deep(product_tile *tile,
                                                           const layer_panel *panel, place *at,
                                                           const float *result, const int rows,
                                                           const int vectors, const reading way)
{
    const size_t depth = panel->depth, left_leading = panel->left_leading;
    const size_t *const right_rows = panel->right_rows;
    const float *const end = result + (size_t)rows * panel->result_leading;
    for (size_t k = 0; k < depth;) {
        const size_t pause = layer_smaller(k + PERIOD, depth);
        fetch(panel, at);
        for (size_t i = 0; i < at->result_step && result < end;
             i++, result += panel->result_leading)
            fetch_result(result, vectors);
        for (; k < pause; k++) {
            const float *const row = way.is_scattered ? tile->right + right_rows[k] : tile->right;
            add_step(tile, left_leading, row, rows, vectors, way.is_whole, at->last);
            tile->right += way.is_scattered ? 0 : panel->right_leading;
        }
    }
}

/* Inlined with rows, vectors and the reading as constants, so that the sums are registers. */
__attribute__((always_inline)) static inline void multiply_tile(const layer_panel *panel,
                                                                const place *where, const int rows,
                                                                const int vectors,
                                                                const reading way)
{
    place at = *where;
    const size_t result_leading = panel->result_leading;
    const bool starts = panel->start != NULL && !panel->accumulates;
    const float *const start = starts ? panel->start + at.row : NULL;
    float *const result = panel->result + at.row * result_leading + at.column;
    const int end = vectors - 1;
    product_tile tile;
    tile.left = panel->left + at.row * panel->left_leading;
    tile.right = panel->right + at.column;
    float *to = afresh(result);
    UNROLLED
    for (int i = 0; i < rows; i++, to = afresh(to + result_leading)) {
        UNROLLED
        for (int v = 0; v < vectors; v++)
            tile.sums[i][v] = lanes_all(start == NULL ? 0 : start[i]);
    }
    if (way.is_shallow)
        add_shallow(&tile, panel, &at, result, rows, vectors);
    else
        add_deep(&tile, panel, &at, result, rows, vectors, way);
    to = afresh(result);
    if (panel->accumulates) {
        UNROLLED
        for (int i = 0; i < rows; i++, to = afresh(to + result_leading)) {
            UNROLLED
            for (int v = 0; v < vectors; v++)
                tile.sums[i][v] += load(to + v * LANES, way.is_whole || v < end, at.last);
        }
    }
    to = afresh(result);
    UNROLLED
    for (int i = 0; i < rows; i++, to = afresh(to + result_leading)) {
        UNROLLED
        for (int v = 0; v < vectors; v++)
            store(to + v * LANES, tile.sums[i][v], way.is_whole || v < end, at.last);
    }
}

#endif
