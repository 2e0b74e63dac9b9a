/* What filters have in common: a block of some rows and vectors of outputs, whose sums are
 * registers, and loads of what they meet. SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_FILTER_BLOCK_H
#define LAYER_CONV_FILTER_BLOCK_H

#include "conv/filter.h"
#include "core/kernels/vectors.h"

/* Sums of four rows, so many vectors of input and a weight fill the registers: 32 with AVX-512,
 * else 16. */
enum { ROWS = LAYER_FILTER_ROWS, MOST_VECTORS = LANES == 16 ? 4 : 2 };

/* Whether parts of vectors are loaded as fast as whole ones. */
enum { MASKED = LANES > 4 };

#define FILTER_INLINE __attribute__((always_inline)) static inline

/* Rows are written out by macros, for compilers keep loops over them, and with them sums in memory.
 */
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3)

/* ---- Sums ------------------------------------------------------------------------------------ */

FILTER_INLINE void start_row(lanes sums[MOST_VECTORS], const layer_filter *filter,
                             const float *output, const int vectors, int last)
{
    for (int v = 0; v < vectors; v++)
        sums[v] = lanes_all(filter->bias);
    if (!filter->accumulates)
        return;
    for (int v = 0; v < vectors - 1; v++)
        sums[v] = lanes_load(output + v * LANES);
    sums[vectors - 1] = lanes_load_some(output + (vectors - 1) * LANES, last);
}

FILTER_INLINE void store_row(const lanes sums[MOST_VECTORS], float *output, const int vectors,
                             int last)
{
    for (int v = 0; v < vectors - 1; v++)
        lanes_store(output + v * LANES, sums[v]);
    if (last == LANES)
        lanes_store(output + (vectors - 1) * LANES, sums[vectors - 1]);
    else
        lanes_store_some(output + (vectors - 1) * LANES, sums[vectors - 1], last);
}

FILTER_INLINE void add_row(lanes sums[MOST_VECTORS], float weight, const lanes met[MOST_VECTORS],
                           const int vectors)
{
    for (int v = 0; v < vectors; v++)
        sums[v] += weight * met[v];
}

#define START_ROW(i)                                                                               \
    if (i < rows)                                                                                  \
        start_row(sums[i], filter, output + (i)*filter->leading, vectors, last);                   \
    else                                                                                           \
        for (int v = 0; v < vectors; v++)                                                          \
            sums[i][v] = (lanes){0};
#define STORE_ROW(i)                                                                               \
    if (i < rows)                                                                                  \
        store_row(sums[i], output + (i)*filter->leading, vectors, last);

/* ---- What is met ----------------------------------------------------------------------------- */

/* The lanes of a block's first and last vector that meet a line's columns, for a column of the
 * kernel; with a stride of 2, of the two vectors that each is made of. */
typedef struct {
    lanes_range first[2], last[2];
} edges;
_Static_assert(sizeof(edges) <= LAYER_FILTER_TAP_SIZE, "the scratch has room for them");

static int clamped(ptrdiff_t lane)
{
    return lane < 0 ? 0 : lane < LANES ? (int)lane : LANES;
}

static lanes_range range_from(const layer_filter *filter, ptrdiff_t column)
{
    return lanes_between(clamped(-column), clamped(filter->width - column));
}

/* For a block of vectors whose first lane meets `column`. */
FILTER_INLINE edges edges_of(const layer_filter *filter, ptrdiff_t column, const int vectors,
                             const int stride)
{
    const ptrdiff_t last = column + (ptrdiff_t)(vectors - 1) * LANES * stride;
    return (edges){{range_from(filter, column), range_from(filter, column + LANES)},
                   {range_from(filter, last), range_from(filter, last + LANES)}};
}

FILTER_INLINE lanes load_edge(const float *x, const lanes_range range[2], const int stride)
{
    const lanes low = lanes_load_range(x, range[0]);
    return stride == 1 ? low : lanes_even(low, lanes_load_range(x + LANES, range[1]));
}

FILTER_INLINE void load_met(lanes met[MOST_VECTORS], const float *x, const edges *edge,
                            const int vectors, const int stride)
{
    for (int v = MASKED; v < vectors - MASKED; v++)
        met[v] = stride == 1 ? lanes_load(x + v * LANES)
                             : lanes_even(lanes_load(x + 2 * v * LANES),
                                          lanes_load(x + 2 * v * LANES + LANES));
    if (MASKED && vectors > 1)
        met[vectors - 1] = load_edge(x + (vectors - 1) * LANES * stride, edge->last, stride);
    if (MASKED)
        met[0] = load_edge(x, edge->first, stride);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

typedef void block_function(const layer_filter *filter, int column, int last);

#define BLOCK(name, body, vectors, ...)                                                            \
    static void name##_of_##vectors(const layer_filter *filter, int column, int last)              \
    {                                                                                              \
        body(filter, column, vectors, last, ##__VA_ARGS__);                                        \
    }
#if defined(__AVX512F__)
#define BLOCKS(name, body, ...)                                                                    \
    BLOCK(name, body, 1, ##__VA_ARGS__)                                                            \
    BLOCK(name, body, 2, ##__VA_ARGS__)                                                            \
    BLOCK(name, body, 3, ##__VA_ARGS__)                                                            \
    BLOCK(name, body, 4, ##__VA_ARGS__)                                                            \
    static block_function *const name[] = {name##_of_1, name##_of_2, name##_of_3, name##_of_4};
#else
#define BLOCKS(name, body, ...)                                                                    \
    BLOCK(name, body, 1, ##__VA_ARGS__)                                                            \
    BLOCK(name, body, 2, ##__VA_ARGS__)                                                            \
    static block_function *const name[] = {name##_of_1, name##_of_2};
#endif

FILTER_INLINE void filter_blocks(const layer_filter *filter, block_function *const blocks[])
{
    for (int column = 0; column < filter->columns; column += MOST_VECTORS * LANES) {
        const int left = filter->columns - column, vectors = (left - 1) / LANES + 1;
        if (vectors <= MOST_VECTORS)
            blocks[vectors - 1](filter, column, (left - 1) % LANES + 1);
        else
            blocks[MOST_VECTORS - 1](filter, column, LANES);
    }
}

#endif
