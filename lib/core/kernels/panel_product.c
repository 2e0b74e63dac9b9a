/* The product of a panel: a tile of the result in registers, a value of the left factor at a time
 * multiplied with some vectors of the right one's row.
 * Source: Goto & van de Geijn, "Anatomy of high-performance matrix multiplication", 2008, the
 * innermost kernel.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/kernels/vectors.h"
#include "core/panel.h"

/* The most rows of a tile of so many vectors: the sums, a row of the right factor and a value of
 * the left one fill the registers, 32 with AVX-512, else 16. */
#if defined(__AVX512F__)
enum { MOST_VECTORS = 4, MOST_ROWS = 14 };
static const size_t most_rows[] = {0, 14, 14, 8, 6};
#else
enum { MOST_VECTORS = 2, MOST_ROWS = 6 };
static const size_t most_rows[] = {0, 6, 6};
#endif

/* Fetched ahead in each step, in lines; fewer steps would have to fetch more than memory gives. */
enum { CACHE_LINE = 64, STEP_LINES = 2, STEP_SIZE = STEP_LINES * CACHE_LINE };

/* Where a tile lies, and how many lanes its last vector has; what to fetch ahead, and how much in
 * each step. */
typedef struct {
    size_t row, column;
    int last;
    const char *next;
    size_t next_step;
} place;

/* Inlined with rows, vectors and `is_whole` as constants, so that the sums are registers; loops
 * over them are to be unrolled before the compiler decides which arrays can be. */
#define UNROLL_ROWS    _Pragma("GCC unroll 14")
#define UNROLL_VECTORS _Pragma("GCC unroll 4")

__attribute__((always_inline)) static inline lanes load(const float *x, bool is_whole, int last)
{
    return is_whole ? lanes_load(x) : lanes_load_some(x, last);
}

__attribute__((always_inline)) static inline void
multiply_tile(const layer_panel *panel, place at, const int rows, const int vectors, bool is_whole)
{
    const size_t depth = panel->depth, left_leading = panel->left_leading;
    const size_t right_leading = panel->right_leading, result_leading = panel->result_leading;
    const float *left = panel->left + at.row * left_leading, *right = panel->right + at.column;
    const float *const start = panel->start == NULL ? NULL : panel->start + at.row;
    float *const result = panel->result + at.row * result_leading + at.column;
    const bool accumulates = panel->accumulates;
    lanes sums[MOST_ROWS][MOST_VECTORS];
    UNROLL_ROWS for (int i = 0; i < rows; i++) UNROLL_VECTORS for (int v = 0; v < vectors; v++)
    {
        sums[i][v] = (lanes){0};
        __builtin_prefetch(result + (size_t)i * result_leading + v * LANES, 1);
    }
    const char *next = at.next;
    const size_t next_step = at.next_step;
    for (size_t k = 0; k < depth; k++, left++, right += right_leading, next += next_step) {
        lanes factors[MOST_VECTORS];
        for (int i = 0; i < STEP_LINES; i++)
            __builtin_prefetch(next + i * CACHE_LINE, 0, 2);
        UNROLL_VECTORS for (int v = 0; v < vectors; v++) factors[v] =
            load(right + v * LANES, is_whole || v < vectors - 1, at.last);
        UNROLL_ROWS for (int i = 0; i < rows; i++) UNROLL_VECTORS for (int v = 0; v < vectors; v++)
            sums[i][v] += left[(size_t)i * left_leading] * factors[v];
    }
    UNROLL_ROWS for (int i = 0; i < rows; i++) UNROLL_VECTORS for (int v = 0; v < vectors; v++)
    {
        const bool is_full = is_whole || v < vectors - 1;
        float *const to = result + (size_t)i * result_leading + v * LANES;
        sums[i][v] += accumulates     ? load(to, is_full, at.last)
                      : start != NULL ? lanes_all(start[i])
                                      : (lanes){0};
        if (is_full)
            lanes_store(to, sums[i][v]);
        else
            lanes_store_some(to, sums[i][v], at.last);
    }
}

#define TILE(rows, ...)                                                                            \
    case rows:                                                                                     \
        multiply_tile(panel, at, rows, __VA_ARGS__);                                               \
        return
#define TILES_TO_6(...)                                                                            \
    TILE(1, __VA_ARGS__);                                                                          \
    TILE(2, __VA_ARGS__);                                                                          \
    TILE(3, __VA_ARGS__);                                                                          \
    TILE(4, __VA_ARGS__);                                                                          \
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

/* One function for each number of vectors, all rows within. */
typedef void tile_function(const layer_panel *panel, place at, size_t rows);
#define COLUMNS(name, tiles, vectors, is_whole)                                                    \
    static void name(const layer_panel *panel, place at, size_t rows)                              \
    {                                                                                              \
        switch (rows) {                                                                            \
            tiles(vectors, is_whole);                                                              \
        }                                                                                          \
    }

/* Of the last vector all lanes, or some: a mask takes an instruction of the multiplications' units.
 */
#define BOTH(vectors, tiles)                                                                       \
    COLUMNS(all_##vectors, tiles, vectors, true)                                                   \
    COLUMNS(some_##vectors, tiles, vectors, false)
#if defined(__AVX512F__)
BOTH(1, TILES_TO_14)
BOTH(2, TILES_TO_14)
BOTH(3, TILES_TO_8)
BOTH(4, TILES_TO_6)
static tile_function *const all[] = {NULL, all_1, all_2, all_3, all_4};
static tile_function *const some[] = {NULL, some_1, some_2, some_3, some_4};
#else
BOTH(1, TILES_TO_6)
BOTH(2, TILES_TO_6)
static tile_function *const all[] = {NULL, all_1, all_2}, *const some[] = {NULL, some_1, some_2};
#endif

/* All rows of some columns, in tiles as even as can be: 14 rows are 5, 5, 4 rather than 6, 6, 2. */
static void multiply_columns(const layer_panel *panel, size_t column, size_t columns,
                             size_t *fetched)
{
    const size_t vectors = layer_blocks_of(columns, LANES);
    const int last = (int)(columns - (vectors - 1) * LANES);
    tile_function *const multiply_rows = last == LANES ? all[vectors] : some[vectors];
    size_t left = layer_blocks_of(panel->rows, most_rows[vectors]);
    for (size_t row = 0; row < panel->rows; left--) {
        const size_t rows = layer_blocks_of(panel->rows - row, left);
        const bool fetches = *fetched < panel->next_size;
        const char *const next =
            fetches ? (const char *)panel->next + *fetched : (const char *)(panel->right + column);
        multiply_rows(panel, (place){row, column, last, next, fetches ? STEP_SIZE : 0}, rows);
        *fetched += panel->depth * STEP_SIZE;
        row += rows;
    }
}

static void multiply(const layer_panel *panel)
{
    size_t left = layer_blocks_of(layer_blocks_of(panel->columns, LANES), MOST_VECTORS);
    size_t fetched = 0;
    for (size_t column = 0, columns; column < panel->columns; column += columns, left--) {
        const size_t rest = panel->columns - column;
        columns = layer_blocks_of(layer_blocks_of(rest, LANES), left) * LANES;
        columns = layer_smaller(columns, rest);
        multiply_columns(panel, column, columns, &fetched);
    }
}

const layer_panel_kernels LAYER_KERNELS(layer_panel_kernels) = {multiply};
