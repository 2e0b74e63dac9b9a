/* A window sliding along one axis: the arithmetic that convolution and pooling share.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_WINDOW_H
#define LAYER_WINDOW_H

#include "layer/tensor.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How padding is decided, by ONNX's names; FULL is ours: every position where the window touches
 * the input, kernel - 1 cells on both sides. */
#define LAYER_AUTO_PAD_LIST(X)                                                                     \
    X(NOTSET)                                                                                      \
    X(VALID)                                                                                       \
    X(SAME_UPPER)                                                                                  \
    X(SAME_LOWER)                                                                                  \
    X(FULL)

typedef enum {
#define LAYER_AUTO_PAD_ENUM(name) LAYER_AUTO_PAD_##name,
    LAYER_AUTO_PAD_LIST(LAYER_AUTO_PAD_ENUM)
#undef LAYER_AUTO_PAD_ENUM
} layer_auto_pad;

/* How windows slide over up to three spatial axes: an entry per axis, outermost first.
 * All zero means: stride 1, dilation 1, no padding. */
typedef struct {
    int strides[LAYER_MAX_SPATIAL];    /* 0 means 1 */
    int dilations[LAYER_MAX_SPATIAL];  /* 0 means 1 */
    int pads_begin[LAYER_MAX_SPATIAL]; /* zero unless auto_pad is NOTSET */
    int pads_end[LAYER_MAX_SPATIAL];
    layer_auto_pad auto_pad;
} layer_geometry;

/* Along one axis, all in cells. The last window may hang over the end padding (ceil_mode). */
typedef struct {
    int input, kernel, stride, dilation, pad_begin, pad_end;
    int output;
} layer_window;

/* Derives window->output, and the pads too unless auto_pad is NOTSET, from the other fields.
 * With e = dilation * (kernel - 1) + 1:
 *
 *     explicit    floor((input + pad_begin + pad_end - e) / stride) + 1
 *     ceil_mode   ceil of the same, + 1, less 1 where the last window would begin in the end
 * padding VALID       as explicit with no padding SAME_*      ceil(input / stride); the total
 * padding max(0, (output - 1) * stride + e - input) is halved, the odd cell at the end (UPPER) or
 * at the beginning (LOWER) FULL        input + e - 1, stride 1 only
 *
 * Returns LAYER_OK; or LAYER_INVALID or LAYER_TOO_LARGE, leaves *window alone and names in *error
 * one of "input", "weight", "strides", "dilations", "pads", "auto_pad".
 * `axis` is only for the error's sentence. Thread-safe.
 * Source: ONNX operators Conv and MaxPool; Dumoulin & Visin, arXiv:1603.07285. */
layer_status layer_window_describe(layer_window *window, layer_auto_pad auto_pad, bool ceil_mode,
                                   int axis, layer_error *error);

#ifdef __cplusplus
}
#endif
#endif
