/* The product of a panel: a tile of the result in registers, a value of the left factor at a time
 * multiplied with some vectors of the right one's row.
 * Source: Goto & van de Geijn, "Anatomy of high-performance matrix multiplication", 2008, the
 * innermost kernel.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/kernels/panel_dots.h"
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
} place;

/* Floats of a cache line and of level 1, and how much of the depth lies between two fetchings of a
 * few rows. */
enum { LINE_COUNT = 16, NEAREST_COUNT = 1 << 14, PERIOD = 16 };

/* The depth of a shallow panel: the sooner a tile is done, the more a loop that ends now and then
 * costs it. */
enum { SHALLOW = 128 };

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

/* Keeps the compiler from holding an address for each row in registers that the sums need. */
__attribute__((always_inline)) static inline float *afresh(float *pointer)
{
    __asm__("" : "+r"(pointer));
    return pointer;
}

/* Inlined with rows, vectors and the reading as constants, so that the sums are registers. Loops
 * over them have to be unrolled before the compiler decides which arrays can be. */
#define UNROLLED _Pragma("GCC unroll 8")
__attribute__((always_inline)) static inline void multiply_tile(const layer_panel *panel,
                                                                const place *where, const int rows,
                                                                const int vectors,
                                                                const reading way)
{
    place at = *where;
    const size_t depth = panel->depth, left_leading = panel->left_leading;
    const size_t right_leading = panel->right_leading, result_leading = panel->result_leading;
    const float *left = panel->left + at.row * left_leading, *right = panel->right + at.column;
    const bool starts = panel->start != NULL && !panel->accumulates;
    const float *const start = starts ? panel->start + at.row : NULL;
    float *const result = panel->result + at.row * result_leading + at.column;
    const size_t *const right_rows = panel->right_rows;
    const int end = vectors - 1;
    lanes sums[MOST_ROWS][MOST_VECTORS];
    float *to = afresh(result);
    UNROLLED
    for (int i = 0; i < rows; i++, to = afresh(to + result_leading)) {
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            sums[i][v] = lanes_all(start == NULL ? 0 : start[i]);
            __builtin_prefetch(to + v * LANES, 1);
        }
    }
    const float *const first = at.ahead[0], *const second = at.ahead[1];
    for (size_t k = 0, ahead = 0; k < depth;) {
        const size_t pause = way.is_shallow ? depth : layer_smaller(k + PERIOD, depth);
        if (!way.is_shallow)
            fetch(panel, &at);
        for (; k < pause; k++, left++) {
            const float *const row = way.is_scattered ? right + right_rows[k] : right;
            lanes factors[MOST_VECTORS];
            if (way.is_shallow) {
                __builtin_prefetch(first + ahead);
                __builtin_prefetch(second + ahead);
                ahead += right_leading;
            }
            UNROLLED
            for (int v = 0; v < vectors; v++)
                factors[v] = load(row + v * LANES, way.is_whole || v < end, at.last);
            UNROLLED
            for (int i = 0; i < rows; i++) {
                UNROLLED
                for (int v = 0; v < vectors; v++)
                    sums[i][v] += left[(size_t)i * left_leading] * factors[v];
            }
            right += way.is_scattered ? 0 : right_leading;
        }
    }
    to = afresh(result);
    if (panel->accumulates) {
        UNROLLED
        for (int i = 0; i < rows; i++, to = afresh(to + result_leading)) {
            UNROLLED
            for (int v = 0; v < vectors; v++)
                sums[i][v] += load(to + v * LANES, way.is_whole || v < end, at.last);
        }
    }
    to = afresh(result);
    UNROLLED
    for (int i = 0; i < rows; i++, to = afresh(to + result_leading)) {
        UNROLLED
        for (int v = 0; v < vectors; v++)
            store(to + v * LANES, sums[i][v], way.is_whole || v < end, at.last);
    }
}

#define TILE(rows, vectors)                                                                        \
    case rows:                                                                                     \
        multiply_tile(panel, at, rows, vectors, way);                                              \
        return
#define TILES_TO_6(vectors)                                                                        \
    TILE(1, vectors);                                                                              \
    TILE(2, vectors);                                                                              \
    TILE(3, vectors);                                                                              \
    TILE(4, vectors);                                                                              \
    TILE(5, vectors);                                                                              \
    TILE(6, vectors)
#define TILES_TO_8(vectors)                                                                        \
    TILES_TO_6(vectors);                                                                           \
    TILE(7, vectors);                                                                              \
    TILE(8, vectors)

/* One function for each number of vectors and reading, all rows within. The place is not copied: a
 * vector that loads what has just been stored in parts waits for it. */
typedef void tile_function(const layer_panel *panel, const place *at, size_t rows);
#define TILES(name, tiles, vectors, ...)                                                           \
    static void name##_##vectors(const layer_panel *panel, const place *at, size_t rows)           \
    {                                                                                              \
        const reading way = {__VA_ARGS__};                                                         \
        switch (rows) {                                                                            \
            tiles(vectors);                                                                        \
        }                                                                                          \
    }

#if defined(__AVX512F__)
#define READING(name, ...)                                                                         \
    TILES(name, TILES_TO_8, 1, __VA_ARGS__)                                                        \
    TILES(name, TILES_TO_8, 2, __VA_ARGS__)                                                        \
    TILES(name, TILES_TO_8, 3, __VA_ARGS__)                                                        \
    TILES(name, TILES_TO_6, 4, __VA_ARGS__)                                                        \
    static tile_function *const name[] = {NULL, name##_1, name##_2, name##_3, name##_4};
#else
#define READING(name, ...)                                                                         \
    TILES(name, TILES_TO_6, 1, __VA_ARGS__)                                                        \
    TILES(name, TILES_TO_6, 2, __VA_ARGS__)                                                        \
    static tile_function *const name[] = {NULL, name##_1, name##_2};
#endif
/* A mask takes an instruction of the multiplications' units. */
READING(shallow, true, false, true)
READING(even_whole, true, false, false)
READING(even_masked, false, false, false)
READING(scattered_whole, true, true, false)
READING(scattered_masked, false, true, false)

static tile_function *const *function_for(bool is_whole, bool is_scattered, bool is_shallow)
{
    if (is_shallow)
        return shallow;
    if (is_scattered)
        return is_whole ? scattered_whole : scattered_masked;
    return is_whole ? even_whole : even_masked;
}

/* What tile `index` of a shallow panel fetches at `next`: one cache line of a row, or two if there
 * are fewer tiles than lines. */
static void share_lines(place *at, size_t index, size_t tiles, const float *now)
{
    const size_t lines = layer_blocks_of(at->columns, LINE_COUNT);
    const size_t each = tiles < lines ? 2 : 1, first = index * each;
    const bool fetches = at->next != NULL && first < lines;
    const size_t end = layer_smaller(first + each, lines);
    at->ahead[0] = fetches ? at->next + first * LINE_COUNT : now;
    at->ahead[1] = fetches ? at->next + (end - 1) * LINE_COUNT : now;
}

/* All rows of some columns, in tiles as even as can be: 14 rows are 5, 5, 4 rather than 6, 6, 2.
 * Each fetches an even part of what lies at `next`, if that is not NULL. */
static void multiply_columns(const layer_panel *panel, size_t column, size_t columns,
                             const float *next)
{
    const size_t vectors = layer_blocks_of(columns, LANES);
    const int last = (int)(columns - (vectors - 1) * LANES);
    const bool is_shallow = panel->depth <= SHALLOW && last == LANES && panel->right_rows == NULL;
    tile_function *const multiply_rows =
        function_for(last == LANES, panel->right_rows != NULL, is_shallow)[vectors];
    const size_t tiles = layer_blocks_of(panel->rows, most_rows[vectors]);
    const size_t rows = panel->rows / tiles, longer = panel->rows % tiles;
    const size_t part = next == NULL || is_shallow ? 0 : layer_blocks_of(panel->depth, tiles);
    const size_t step = layer_blocks_of(part * PERIOD, panel->depth);
    place at = {0, column, last, next, columns, 0, part, step, {NULL}};
    for (size_t i = 0; i < tiles; i++) {
        const size_t taken = i < longer ? rows + 1 : rows;
        if (is_shallow)
            share_lines(&at, i, tiles, panel->right + column);
        multiply_rows(panel, &at, taken);
        at.row += taken;
        at.fetched = at.fetch_end;
        at.fetch_end = layer_smaller(at.fetched + part, panel->depth);
    }
}

/* How many of the columns go into vectors. */
static size_t vector_columns(const layer_panel *panel)
{
    const size_t rest = panel->columns % LANES;
    return rest <= MOST_DOTS && panel->depth >= LEAST_DOT_DEPTH ? panel->columns - rest
                                                                : panel->columns;
}

static void multiply(const layer_panel *panel)
{
    const size_t most = vector_columns(panel);
    const size_t groups = layer_blocks_of(layer_blocks_of(most, LANES), MOST_VECTORS);
    size_t column = 0;
    for (size_t i = 0; i < groups; i++) {
        const size_t vectors = layer_blocks_of(layer_blocks_of(most - column, LANES), groups - i);
        const size_t columns = layer_smaller(vectors * LANES, most - column);
        const bool is_last = i + 1 == groups || panel->right_rows != NULL;
        multiply_columns(panel, column, columns,
                         is_last ? panel->next : panel->right + column + columns);
        column += columns;
    }
    if (column < panel->columns)
        multiply_dot_columns(panel, column, panel->columns - column);
}

const layer_panel_kernels LAYER_KERNELS(layer_panel_kernels) = {multiply};
