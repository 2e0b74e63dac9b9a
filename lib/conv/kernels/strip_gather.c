/* Gathering a strip by vectors, each put together from the runs that it has a part of.
 * SPDX-License-Identifier: MIT */
#include "conv/strips.h"
#include "core/kernels/vectors.h"

enum { MOST_VECTORS = LAYER_STRIP_COLUMNS / LANES };

/* Lanes of a vector that one run has, and where its lane 0 would lie. */
typedef struct {
    ptrdiff_t cell;
    lanes_range range;
} piece;

/* The pieces of each vector, two at least, of which the second may be empty. */
typedef struct {
    int vectors, most;
    int counts[MOST_VECTORS];
    piece pieces[MOST_VECTORS][LANES];
} plan;

static void add_pieces(plan *made, int vector, const layer_strip *strip)
{
    const size_t begin = (size_t)vector * LANES, end = begin + LANES;
    piece *const pieces = made->pieces[vector];
    int count = 0;
    for (size_t i = 0; i < strip->run_count; i++) {
        const layer_strip_run *const run = &strip->runs[i];
        const size_t first = run->column > begin ? run->column : begin;
        const size_t run_end = run->column + run->columns, last = run_end < end ? run_end : end;
        if (first < last)
            pieces[count++] = (piece){
                (ptrdiff_t)run->cell + ((ptrdiff_t)begin - (ptrdiff_t)run->column),
                lanes_between((int)(first - begin), (int)(last - begin)),
            };
    }
    if (count == 1)
        pieces[count++] = (piece){pieces[0].cell, lanes_between(0, 0)};
    made->counts[vector] = count;
    made->most = count > made->most ? count : made->most;
}

/* A row of the strip, from the cells that its kernel cell meets. */
static void gather_row(const plan *made, const float *cells, float *row)
{
    for (int v = 0; v < made->vectors; v++) {
        const piece *const at = made->pieces[v];
        lanes joined = lanes_load_range(cells + at[0].cell, at[0].range);
        for (int i = 1; i < made->counts[v]; i++)
            joined = lanes_load_over(joined, cells + at[i].cell, at[i].range);
        lanes_store(row + v * LANES, joined);
    }
}

/* Vectors of two pieces. Inlined with `vectors` as a constant, so that what tells the pieces is in
 * registers. */
__attribute__((always_inline)) static inline void gather_pairs(const layer_strip *strip,
                                                               const plan *made, const int vectors)
{
    piece one[MOST_VECTORS], other[MOST_VECTORS];
    _Pragma("GCC unroll 4") for (int v = 0; v < vectors; v++)
    {
        one[v] = made->pieces[v][0];
        other[v] = made->pieces[v][1];
    }
    float *row = strip->gathered;
    for (size_t i = 0; i < strip->count; i++, row += strip->leading) {
        const float *const cells = strip->cells + strip->rows[i];
        _Pragma("GCC unroll 4") for (int v = 0; v < vectors; v++)
        {
            const lanes first = lanes_load_range(cells + one[v].cell, one[v].range);
            lanes_store(row + v * LANES,
                        lanes_load_over(first, cells + other[v].cell, other[v].range));
        }
    }
}

static void gather(const layer_strip *strip)
{
    plan made;
    made.vectors = (int)((strip->columns + LANES - 1) / LANES);
    made.most = 0;
    for (int v = 0; v < made.vectors; v++)
        add_pieces(&made, v, strip);
    switch (made.most > 2 ? 0 : made.vectors) {
    case 4:
        gather_pairs(strip, &made, 4);
        return;
    case 3:
        gather_pairs(strip, &made, 3);
        return;
    }
    for (size_t i = 0; i < strip->count; i++)
        gather_row(&made, strip->cells + strip->rows[i], strip->gathered + i * strip->leading);
}

const layer_strip_kernels LAYER_KERNELS(layer_strip_kernels) = {gather};
