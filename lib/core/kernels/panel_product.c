/* The product of a panel, a tile of the result at a time.
 * Source: Goto & van de Geijn, "Anatomy of high-performance matrix multiplication", 2008, the
 * innermost kernel.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/kernels/panel_dots.h"
#include "core/kernels/panel_tile.h"

/* The depth of a shallow panel: the sooner a tile is done, the more a loop that ends now and then
 * costs it, and waiting for where its result goes. */
enum { SHALLOW = 128 };

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

static tile_function *const *functions_for(const layer_panel *panel, bool is_whole, bool is_shallow)
{
    if (is_shallow)
        return shallow;
    if (panel->right_rows != NULL)
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
    tile_function *const multiply_rows = functions_for(panel, last == LANES, is_shallow)[vectors];
    const size_t tiles = layer_blocks_of(panel->rows, most_rows[vectors]);
    const size_t rows = panel->rows / tiles, longer = panel->rows % tiles;
    const size_t part = next == NULL || is_shallow ? 0 : layer_blocks_of(panel->depth, tiles);
    place at = {
        .column = column,
        .last = last,
        .next = next,
        .columns = columns,
        .fetch_end = part,
        .fetch_step = layer_blocks_of(part * PERIOD, panel->depth),
        .result_step = layer_blocks_of(most_rows[vectors] * PERIOD, panel->depth),
    };
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
