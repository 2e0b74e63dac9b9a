/* Undoing a maximum pooling: each value goes back to where it was, all else is 0.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_UNPOOL_H
#define LAYER_UNPOOL_H

#include "layer/executor.h"
#include "layer/pool.h"
#include "layer/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One row a shape in which indices count their cells. */
#define LAYER_INDEX_SHAPE_LIST(X)                                                                  \
    X(OUTPUT, "output", "the output's, as pooling a tensor of that shape answered them")           \
    X(INFERRED, "inferred",                                                                        \
      "what follows from kernel_shape, strides and pads, also where output_shape is larger: "      \
      "ONNX's own test of MaxUnpool has it so")

typedef enum {
#define LAYER_INDEX_SHAPE_ENUM(id, name, sentence) LAYER_INDEX_SHAPE_##id,
    LAYER_INDEX_SHAPE_LIST(LAYER_INDEX_SHAPE_ENUM)
#undef LAYER_INDEX_SHAPE_ENUM
} layer_index_shape;

/* All zero but the kernel means: the windows lie side by side, without padding. */
typedef struct {
    int kernel[LAYER_MAX_SPATIAL];  /* an entry per axis, outermost first */
    int strides[LAYER_MAX_SPATIAL]; /* 0 means the kernel's extent */
    int pads_begin[LAYER_MAX_SPATIAL];
    int pads_end[LAYER_MAX_SPATIAL];
    int output[LAYER_MAX_SPATIAL]; /* the output's spatial extents; all 0: inferred */
    layer_index_base index_base;
    layer_index_shape index_shape;
} layer_unpool_options;

/* An unpooling whose shapes fit. Filled by layer_unpool_describe(), read-only afterwards. */
typedef struct {
    layer_shape input, output;      /* [N, C, spatial ...] */
    int axes;                       /* spatial axes, 1 to 3 */
    int indexed[LAYER_MAX_SPATIAL]; /* extents in which indices count: depth, height, width; with */
    int extents[LAYER_MAX_SPATIAL]; /* fewer than three axes 1 in front. And the output's */
    int strides[LAYER_MAX_SPATIAL]; /* as decided, an entry per axis */
    layer_index_base index_base;
} layer_unpool;

/* Checks that an input of rank 3 to 5 and the options fit together and derives the output's shape:
 *
 *     inferred = (P - 1) * stride + R - pad_begin - pad_end
 *
 * along each axis, or as options->output says.
 * Returns LAYER_OK and fills *unpool; or LAYER_INVALID or LAYER_TOO_LARGE, leaves *unpool alone and
 * names in *error one of "input", "kernel_shape", "strides", "pads", "output_shape", "index_base".
 * Thread-safe. Source: ONNX operator MaxUnpool; for index_shape github.com/onnx/onnx/issues/2398.
 */
layer_status layer_unpool_describe(layer_unpool *unpool, const layer_shape *input,
                                   const layer_unpool_options *options, layer_error *error);

/* Whether all indices are whole numbers of cells: of the plane, or of the whole tensor. -1, the
 * index of a window that saw padding alone, is one too.
 * Returns LAYER_OK, or LAYER_INVALID and names in *error "indices" and the first that is not. */
layer_status layer_unpool_check_indices(const layer_unpool *unpool, const float *indices,
                                        layer_error *error);

/*   input   [N][C][P][Q]
 *   indices [N][C][P][Q], checked
 *   output  [N][C][H][W], overwritten
 * Where several values go to one cell the last in row-major order wins; one with the index -1 goes
 * nowhere. Takes no workspace.
 * Returns LAYER_OK, or LAYER_CANCELLED if run->cancelled was set; output is then undefined. */
layer_status layer_unpool_forward(const layer_unpool *unpool, const float *input,
                                  const float *indices, float *output, const layer_run *run);

#ifdef __cplusplus
}
#endif
#endif
