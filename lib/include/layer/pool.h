/* Pooling over one to three spatial axes, forward and backward.
 *
 *     #include <layer/pool.h>
 *
 *     const layer_pool_options options = {.kind = LAYER_POOL_MAX, .kernel = {2, 2}};
 *     layer_pool pool;
 *     if (layer_pool_describe(&pool, &input_shape, &options, &error) != LAYER_OK) ...
 *     float *output = malloc(count_of(pool.output) * sizeof *output);
 *     void *workspace = aligned_alloc(64, layer_pool_workspace_size(&pool, 1));
 *     layer_pool_forward(&pool, input, output, NULL, &(layer_run){.workspace = workspace});
 *
 * A window never looks at padding or at what hangs over the end: its kind sees real cells alone.
 * One that has none (padding wider than the kernel, or the gaps of a dilated one) makes -infinity
 * with the index -1 as a maximum, 0 as an average and as a norm, and has no gradient.
 *
 * Indices are floats, as all tensors are. Floats tell whole numbers apart up to 2^24, so describe
 * refuses to make indices that count more cells.
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_POOL_H
#define LAYER_POOL_H

#include "layer/executor.h"
#include "layer/tensor.h"
#include "layer/window.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One row a kind. */
#define LAYER_POOL_KIND_LIST(X)                                                                    \
    X(MAX, "max", "the largest cell; NaN wins, the first in row-major order wins a tie")           \
    X(AVERAGE, "average", "the mean of the cells")                                                 \
    X(LP, "lp", "(sum of |x|^p)^(1/p)")

typedef enum {
#define LAYER_POOL_KIND_ENUM(id, name, sentence) LAYER_POOL_##id,
    LAYER_POOL_KIND_LIST(LAYER_POOL_KIND_ENUM)
#undef LAYER_POOL_KIND_ENUM
} layer_pool_kind;

/* In what an index counts its cells. */
#define LAYER_INDEX_BASE_LIST(X)                                                                   \
    X(PLANE, "plane", "in the spatial plane of its sample and channel, as PyTorch")                \
    X(TENSOR, "tensor", "in the whole tensor, as ONNX")

typedef enum {
#define LAYER_INDEX_BASE_ENUM(id, name, sentence) LAYER_INDEX_BASE_##id,
    LAYER_INDEX_BASE_LIST(LAYER_INDEX_BASE_ENUM)
#undef LAYER_INDEX_BASE_ENUM
} layer_index_base;

/* The largest number of cells that indices count. */
enum { LAYER_MAX_INDEX_COUNT = 1 << 24 };

/* All zero but the kernel means: maximum, windows side by side, no padding, dilation 1. */
typedef struct {
    layer_pool_kind kind;
    bool global;                   /* one window, the whole plane; nothing else of it may be said */
    int kernel[LAYER_MAX_SPATIAL]; /* an entry per axis, outermost first */
    layer_geometry geometry;       /* a stride of 0 means the kernel's extent */
    bool ceil_mode;                /* also windows that hang over the end */
    bool count_include_pad;        /* an average divides by the cells of padding too */
    double p;                      /* of LP, at least 1; 0 means 2 */
    bool indices;                  /* of MAX: whether indices are made, or taken */
    layer_index_base index_base;
    bool column_major; /* indices count along the first spatial axis first */
} layer_pool_options;

/* A pooling whose shapes fit. Filled by layer_pool_describe(), read-only afterwards. */
typedef struct {
    layer_shape input, output;              /* [N, C, spatial ...] */
    int axes;                               /* spatial axes, 1 to 3 */
    layer_window window[LAYER_MAX_SPATIAL]; /* depth, height, width; with fewer than three axes the
                                               first ones are windows of 1 on an input of 1 */
    layer_pool_kind kind;
    bool count_include_pad;
    double p;
    bool indices;
    layer_index_base index_base;
    bool column_major;
    uint64_t multiplications; /* one for each cell that a window looks at; 32 for a real power */
} layer_pool;

/* Checks that an input of rank 3 to 5 and the options fit together and derives the output's shape:
 *
 *     P = (H + pad_begin + pad_end - dilation * (R - 1) - 1) / stride + 1
 *
 * along each axis, rounded down, or as ceil_mode or auto_pad says (layer/window.h). Pads may be
 * wider than the kernel, as ONNX has it.
 * Returns LAYER_OK and fills *pool; or LAYER_INVALID or LAYER_TOO_LARGE, leaves *pool alone and
 * names in *error one of "input", "kind", "global", "kernel_shape", "strides", "dilations", "pads",
 * "auto_pad", "ceil_mode", "count_include_pad", "p", "return_indices", "index_base". Thread-safe.
 * Source: ONNX operators MaxPool, AveragePool, LpPool and their global ones. */
layer_status layer_pool_describe(layer_pool *pool, const layer_shape *input,
                                 const layer_pool_options *options, layer_error *error);

/* Bytes of workspace that either way of `pool` takes with up to `threads` threads; may be 0. */
size_t layer_pool_workspace_size(const layer_pool *pool, int threads);

/*   input   [N][C][H][W]
 *   output  [N][C][P][Q], overwritten
 *   indices [N][C][P][Q], overwritten: where the maximum was; NULL unless pool->indices
 * An average divides by the window's cells that lie on the input, with count_include_pad by those
 * on its padding too, but never by those that hang over.
 * The result is the same, bit for bit, for any number of threads.
 * Returns LAYER_OK, or LAYER_CANCELLED if run->cancelled was set; output is then undefined. */
layer_status layer_pool_forward(const layer_pool *pool, const float *input, float *output,
                                float *indices, const layer_run *run);

/* Whether indices of `pool` lie in the planes that they belong to; -1 is none at all.
 * Returns LAYER_OK, or LAYER_INVALID and names in *error "indices" and the first that does not. */
layer_status layer_pool_check_indices(const layer_pool *pool, const float *indices,
                                      layer_error *error);

/*   input       [N][C][H][W]; NULL will do for an average, and where indices are given
 *   grad_output [N][C][P][Q]
 *   indices     [N][C][P][Q] as checked, or NULL: found again in the input
 *   grad_input  [N][C][H][W], overwritten
 * A maximum's gradient goes to its position, whole; an average's is spread by the divisor; a norm
 * y's is sign(x) |x|^(p-1) y^(1-p), nothing where y = 0. What overlapping windows bring adds up.
 * Returns as layer_pool_forward(). */
layer_status layer_pool_backward(const layer_pool *pool, const float *input,
                                 const float *grad_output, const float *indices, float *grad_input,
                                 const layer_run *run);

#ifdef __cplusplus
}
#endif
#endif
