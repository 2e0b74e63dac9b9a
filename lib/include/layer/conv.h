/* Convolution over one to three spatial axes: describe it, size its workspace, run it.
 *
 *     #include <layer/conv.h>
 *
 *     layer_conv conv;
 *     if (layer_conv_describe(&conv, &input_shape, &weight_shape, NULL, &error) != LAYER_OK) ...
 *     float *output = malloc(count_of(conv.output) * sizeof *output);
 *     void *workspace = aligned_alloc(64, layer_conv_workspace_size(&conv, 1));
 *     layer_conv_forward(&conv, input, weight, NULL, output, &(layer_run){.workspace = workspace});
 *
 * Letters: N batch, C input channels, H W input height and width, K output channels, R S kernel
 * height and width, P Q output height and width. With one spatial axis there is only W, with three
 * a depth comes first. Tensors are dense, row-major, float.
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_H
#define LAYER_CONV_H

#include "layer/executor.h"
#include "layer/tensor.h"
#include "layer/window.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One row an algorithm; AUTO takes the one that is estimated to cost least. The third
 * column bounds the error: no output differs from the exact sum of its products by more than this
 * times the largest |output|, where the sums do not cancel throughout. A NaN, an infinity or an
 * overflow, which WINOGRAD and FFT may meet a million times earlier, spoils the outputs whose
 * windows see it and, with WINOGRAD, all of their tile of up to 6x6, with FFT all of a pair of
 * tiles of up to 512x512, of an output channel if it is a weight's. It never reaches another
 * sample, nor one of a weight another output channel. */
#define LAYER_CONV_ALGORITHM_LIST(X)                                                               \
    X(DEPTHWISE, "depthwise", 5e-6,                                                                \
      "planes filtered one by one, several rows of outputs in registers meanwhile")                \
    X(FFT, "fft", 5e-6,                                                                            \
      "tiles transformed to frequencies, where a kernel of any size is one factor")                \
    X(WINOGRAD6, "winograd6", 5e-5, "Winograd's F(6x6, 3x3): 64 multiplications for 36 outputs")   \
    X(WINOGRAD4, "winograd4", 2e-5, "Winograd's F(4x4, 3x3): 36 multiplications for 16 outputs")   \
    X(WINOGRAD2, "winograd2", 5e-6, "Winograd's F(2x2, 3x3): 16 multiplications for 4 outputs")    \
    X(PACKED, "packed", 5e-6,                                                                      \
      "output channels side by side in vectors, by weights laid out for it, inputs in place")      \
    X(IMPLICIT, "implicit", 5e-6,                                                                  \
      "a matrix product, the patches gathered a strip that fits the nearest cache at a time")      \
    X(IM2COL, "im2col", 5e-6,                                                                      \
      "patches gathered into cache-sized tiles of columns, then a matrix product")                 \
    X(DIRECT, "direct", 5e-6, "the sum as it is written, a row of outputs at a time")

typedef enum {
    LAYER_CONV_AUTO,
#define LAYER_CONV_ALGORITHM_ENUM(id, name, bound, sentence) LAYER_CONV_##id,
    LAYER_CONV_ALGORITHM_LIST(LAYER_CONV_ALGORITHM_ENUM)
#undef LAYER_CONV_ALGORITHM_ENUM
} layer_conv_algorithm;

typedef enum {
    LAYER_CONV_CROSS_CORRELATION, /* y[p] = sum of x[p + r] w[r]: what networks call convolution */
    LAYER_CONV_CONVOLUTION,       /* y[p] = sum of x[p + r] w[R - 1 - r]: the kernel flipped */
} layer_conv_mode;

/* All zero means: stride 1, no padding, dilation 1, one group, cross-correlation, AUTO, weights
 * that come with each run. */
typedef struct {
    layer_geometry geometry;
    int group; /* 0 means 1 */
    layer_conv_mode mode;
    layer_conv_algorithm algorithm;
    bool is_prepared; /* weights will be prepared once for many runs: only these are to be fast */
} layer_conv_options;

/* A convolution whose shapes fit. Filled by layer_conv_describe(), read-only afterwards. */
typedef struct {
    layer_shape input;                      /* [N, C, spatial ...] */
    layer_shape weight;                     /* [K, C/group, spatial ...] */
    layer_shape output;                     /* [N, K, spatial ...] */
    int axes;                               /* spatial axes, 1 to 3 */
    layer_window window[LAYER_MAX_SPATIAL]; /* depth, height, width; with fewer than three axes the
                                               first ones are windows of 1 on an input of 1 */
    int group;
    layer_conv_mode mode;
    layer_conv_algorithm algorithm; /* never AUTO */
    bool is_prepared;
    uint64_t multiplications;
} layer_conv;

/* Checks that an input and a weight fit together under `options` (NULL: the defaults), chooses the
 * algorithm and derives the output's shape:
 *
 *     P = (H + pad_begin + pad_end - dilation * (R - 1) - 1) / stride + 1, rounded down
 *
 * along each axis, or as auto_pad says (layer/window.h). Input, weight and output have at most
 * 2^31 - 1 elements each.
 * Returns LAYER_OK and fills *conv; or LAYER_INVALID or LAYER_TOO_LARGE, leaves *conv alone and
 * names in *error one of "input", "weight", "strides", "dilations", "pads", "auto_pad", "group",
 * "algorithm" (one asked for by name that does not compute this geometry). Thread-safe.
 * Source: ONNX operator Conv; Dumoulin & Visin, arXiv:1603.07285, relationship 15. */
layer_status layer_conv_describe(layer_conv *conv, const layer_shape *input,
                                 const layer_shape *weight, const layer_conv_options *options,
                                 layer_error *error);

/* Bytes of workspace that running `conv` takes with up to `threads` threads; may be 0. */
size_t layer_conv_workspace_size(const layer_conv *conv, int threads);

/* output = input * weight + bias.
 *   input   [N][C][H][W]        weight  [K][C/group][R][S]
 *   bias    [K] or NULL         output  [N][K][P][Q], overwritten, overlapping nothing
 * The result is the same, bit for bit, for any number of threads.
 * Returns LAYER_OK, or LAYER_CANCELLED if run->cancelled was set; output is then undefined.
 * Thread-safe: concurrent runs of one `conv` need a workspace each. */
layer_status layer_conv_forward(const layer_conv *conv, const float *input, const float *weight,
                                const float *bias, float *output, const layer_run *run);

/* Weights can be prepared once for many runs, as those of a stored model: Winograd's are
 * transformed. layer_conv_forward() does it on each run. Prepared ones of some MiB are read up to
 * a fifth faster from huge pages: where Linux leaves these to programs, align the memory to 2 MiB
 * and madvise() it MADV_HUGEPAGE, or start the program with GLIBC_TUNABLES=glibc.malloc.hugetlb=1.
 */

/* Bytes of prepared weights; 0 where the algorithm takes them as they are. */
size_t layer_conv_prepared_size(const layer_conv *conv);

/* Prepares `weight` into `prepared`, layer_conv_prepared_size() bytes aligned to 64, which then
 * serve any input of the same shape. Needs no workspace. Returns LAYER_OK or LAYER_CANCELLED.
 * Thread-safe. */
layer_status layer_conv_prepare(const layer_conv *conv, const float *weight, void *prepared,
                                const layer_run *run);

/* As layer_conv_workspace_size(), for layer_conv_forward_prepared(). */
size_t layer_conv_prepared_workspace_size(const layer_conv *conv, int threads);

/* layer_conv_forward() with prepared weights, or the weights themselves where
 * layer_conv_prepared_size() is 0. The result is the same, bit for bit, if they were prepared with
 * the same run->isa. */
layer_status layer_conv_forward_prepared(const layer_conv *conv, const float *input,
                                         const void *prepared, const float *bias, float *output,
                                         const layer_run *run);

/* What `algorithm`, which is not AUTO, is estimated to cost for this convolution, in
 * multiplications at the rate of a matrix product; infinite where it does not compute it, or is not
 * worth trying. AUTO takes the least. Thread-safe. */
double layer_conv_cost(const layer_conv *conv, layer_conv_algorithm algorithm);

/* "im2col" for LAYER_CONV_IM2COL, "auto" for LAYER_CONV_AUTO. */
const char *layer_conv_algorithm_name(layer_conv_algorithm algorithm);

#ifdef __cplusplus
}
#endif
#endif
