/* What a kind of pooling is made of, for pool.c, planes.c and one file per kind.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_POOL_KIND_H
#define LAYER_POOL_KIND_H

#include "core/inside.h"
#include "layer/pool.h"

/* Indices into layer_pool.window. */
enum { LAYER_POOL_DEPTH, LAYER_POOL_HEIGHT, LAYER_POOL_WIDTH };

/* One row of a plane's outputs, and what its windows see. */
typedef struct {
    const layer_pool *pool;
    const layer_run *run;      /* asked between lines whether it was cancelled */
    size_t plane;              /* its number in [N][C] */
    const float *input;        /* the plane */
    int d, p;                  /* which output row */
    layer_steps depth, height; /* the kernel cells that lie on real input */
} layer_pool_row;

typedef struct {
    /* Bytes that a thread needs for a row, either way. */
    size_t (*scratch_size)(const layer_pool *pool);

    /* One row of outputs; indices may be NULL. */
    void (*row)(const layer_pool_row *row, float *output, float *indices, void *scratch);

    /* Planes that are one window each: `cells` lie side by side for each output. */
    void (*whole)(const layer_pool *pool, const float *planes, size_t cells, float *output,
                  size_t count);

    /* Adds what one row of outputs brings to the plane of gradients; indices may be NULL. */
    void (*row_backward)(const layer_pool_row *row, const float *grad_output, const float *indices,
                         float *grad_input, void *scratch);
} layer_pool_implementation;

/* One for each row of LAYER_POOL_KIND_LIST. */
#define LAYER_POOL_IMPLEMENTATION(id, name, sentence)                                              \
    extern const layer_pool_implementation layer_pool_implementation_##id;
LAYER_POOL_KIND_LIST(LAYER_POOL_IMPLEMENTATION)
#undef LAYER_POOL_IMPLEMENTATION

const layer_pool_implementation *layer_pool_implementation_of(const layer_pool *pool);

/* Whether each plane is one window that fits it exactly. */
bool layer_pool_is_whole(const layer_pool *pool);

/* Cells of an input plane and of a kernel, whose padding may be much wider than the plane. */
size_t layer_pool_input_plane(const layer_pool *pool);
uint64_t layer_pool_kernel_cells(const layer_pool *pool);

/* Cells from the first that any window of a row meets to the last, padding counted. */
size_t layer_pool_reach(const layer_pool *pool);

/* The input lines that a row's windows see. */
int layer_pool_line_count(const layer_pool_row *row);

/* Cells from the plane's beginning to the beginning of line number `line`. */
size_t layer_pool_line(const layer_pool_row *row, int line);

/* A walk over the kernel cells of a row's windows in row-major order, padding left out:
 *
 *     for (layer_pool_taps taps = layer_pool_taps_of(row); layer_pool_next_tap(&taps);)
 *         ... outputs taps.outputs.begin to .end meet the cells taps.cell, + stride, ...
 *
 * It ends early when the run is cancelled. */
typedef struct {
    const layer_pool_row *row;
    int line, lines, column;
    size_t begin; /* of the line */
    layer_steps outputs;
    size_t cell;
} layer_pool_taps;

layer_pool_taps layer_pool_taps_of(const layer_pool_row *row);
bool layer_pool_next_tap(layer_pool_taps *taps);

#endif
