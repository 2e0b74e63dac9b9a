/* What a kind of pooling is made of, for pool.c, planes.c and one file per kind.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_POOL_KIND_H
#define LAYER_POOL_KIND_H

#include "core/inside.h"
#include "layer/pool.h"
#include "pool/fold.h"

/* Indices into layer_pool.window. */
enum { LAYER_POOL_DEPTH, LAYER_POOL_HEIGHT, LAYER_POOL_WIDTH };

/* What the rows of a pooling have in common. */
typedef struct {
    const layer_pool *pool;
    const layer_run *run; /* asked between lines whether it was cancelled */
    const layer_fold_kernels *kernels;
    const layer_small_fold_kernels *small_kernels;
    size_t input_plane;
    int reach;                               /* cells that a row of windows reaches over */
    layer_steps columns;                     /* those of them that are input */
    bool small;                              /* windows of few cells */
    layer_window counted[LAYER_MAX_SPATIAL]; /* the windows as an average's divisor counts them */
    layer_steps whole; /* outputs whose windows count a whole kernel's width */
} layer_pool_plan;

layer_pool_plan layer_pool_plan_of(const layer_pool *pool, const layer_run *run);

/* One row of a plane's outputs, and what its windows see. */
typedef struct {
    const layer_pool_plan *plan;
    const layer_pool *pool;
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
    void (*whole)(const layer_pool_plan *plan, const float *planes, size_t cells, float *output,
                  size_t count);

    /* Adds what one row of outputs brings to the plane of gradients. */
    void (*row_backward)(const layer_pool_row *row, const float *grad_output, float *grad_input,
                         void *scratch);

    /* The same of `count` outputs of plane number `plane`, as their indices say; NULL if the kind
     * has none. */
    void (*indexed_backward)(const layer_pool_plan *plan, size_t plane, const float *grad_output,
                             const float *indices, size_t count, float *grad_input);
} layer_pool_implementation;

/* One for each row of LAYER_POOL_KIND_LIST. */
#define LAYER_POOL_IMPLEMENTATION(id, name, sentence)                                              \
    extern const layer_pool_implementation layer_pool_implementation_##id;
LAYER_POOL_KIND_LIST(LAYER_POOL_IMPLEMENTATION)
#undef LAYER_POOL_IMPLEMENTATION

const layer_pool_implementation *layer_pool_implementation_of(const layer_pool *pool);

/* Whether an input, of pooling or of undoing it, has a rank and extents that can be pooled. */
layer_status layer_pool_check_input(const layer_shape *input, layer_error *error);

/* Whether each plane is one window that fits it exactly. */
bool layer_pool_is_whole(const layer_pool *pool);

/* Cells of an input plane and of a kernel, whose padding may be much wider than the plane. */
size_t layer_pool_input_plane(const layer_pool *pool);
uint64_t layer_pool_kernel_cells(const layer_pool *pool);

/* Cells from the first that any window of a row meets to the last, padding counted. */
size_t layer_pool_reach(const layer_pool *pool);

/* The input lines that a row's windows see. */
static inline int layer_pool_line_count(const layer_pool_row *row)
{
    const int slices = row->depth.end - row->depth.begin;
    const int lines = row->height.end - row->height.begin;
    return slices > 0 && lines > 0 ? slices * lines : 0;
}

/* Folds the row's windows, and divides sums by the divisor. `folded` is scratch. Returns whether
 * any cell is NaN, if it looks for the largest. */
bool layer_pool_fold(const layer_pool_row *row, layer_fold_kind kind, float divisor, float *output,
                     float *folded);

/* Floats of that scratch. */
size_t layer_pool_folded_count(const layer_pool *pool);

/* The input coordinate that a kernel cell of window number `output` meets. */
static inline size_t layer_pool_coordinate(const layer_window *window, int output, int tap)
{
    return (size_t)((ptrdiff_t)output * window->stride + (ptrdiff_t)tap * window->dilation -
                    window->pad_begin);
}

/* Cells from the plane's beginning to the beginning of line number `line`. */
static inline size_t layer_pool_line(const layer_pool_row *row, int line)
{
    const layer_window *const window = row->pool->window;
    const int lines = row->height.end - row->height.begin;
    const int slice = line < lines ? 0 : line / lines; /* mostly: a division is dear */
    const size_t z =
        layer_pool_coordinate(&window[LAYER_POOL_DEPTH], row->d, row->depth.begin + slice);
    const size_t y = layer_pool_coordinate(&window[LAYER_POOL_HEIGHT], row->p,
                                           row->height.begin + line - slice * lines);
    return (z * (size_t)window[LAYER_POOL_HEIGHT].input + y) *
           (size_t)window[LAYER_POOL_WIDTH].input;
}

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
