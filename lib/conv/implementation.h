/* What an algorithm of convolution is made of, for conv.c and one file per algorithm.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_IMPLEMENTATION_H
#define LAYER_CONV_IMPLEMENTATION_H

#include "core/inside.h"
#include "layer/conv.h"

#include <stdbool.h>

typedef struct {
    /* Whether it computes this geometry at all, and in words what it computes. NULL: any. */
    bool (*computes)(const layer_conv *conv);
    const char *domain;
    /* What this geometry, which it computes, is estimated to cost, in multiplications at the rate
     * of a matrix product. AUTO takes the least. */
    double (*cost)(const layer_conv *conv);
    size_t (*workspace_size)(const layer_conv *conv, int threads);
    layer_status (*forward)(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run);
    /* The same with a weight whose channels are exchanged, [group][C/group][K/group][R][S], as an
     * adjoint has it. NULL: it has to be put in order first. */
    layer_status (*forward_exchanged)(const layer_conv *conv, const float *input,
                                      const float *weight, const float *bias, float *output,
                                      const layer_run *run);
    /* The same as forward() with weights prepared once. All NULL: there is nothing to prepare. */
    size_t (*prepared_size)(const layer_conv *conv);
    layer_status (*prepare)(const layer_conv *conv, const float *weight, float *prepared,
                            const layer_run *run);
    size_t (*prepared_workspace_size)(const layer_conv *conv, int threads);
    layer_status (*forward_prepared)(const layer_conv *conv, const float *input,
                                     const float *prepared, const float *bias, float *output,
                                     const layer_run *run);
} layer_conv_implementation;

/* One for each row of LAYER_CONV_ALGORITHM_LIST. */
#define LAYER_CONV_IMPLEMENTATION(id, name, bound, sentence)                                       \
    extern const layer_conv_implementation layer_conv_implementation_##id;
LAYER_CONV_ALGORITHM_LIST(LAYER_CONV_IMPLEMENTATION)
#undef LAYER_CONV_IMPLEMENTATION

const layer_conv_implementation *layer_conv_implementation_of(layer_conv_algorithm algorithm);

/* Checks ranks and counts of an input and a weight whose first two axes are `channels`. */
layer_status layer_conv_check_shapes(const layer_shape *input, const layer_shape *weight,
                                     const char *channels, layer_error *error);

/* Says that an output has too many elements. Returns LAYER_TOO_LARGE. */
layer_status layer_conv_refuse_output(const layer_shape *output, layer_error *error);

/* What AUTO comes to, once all else of *conv is filled. */
layer_conv_algorithm layer_conv_choose(const layer_conv *conv);

/* One for each output, channel of its group, and kernel cell. */
uint64_t layer_conv_multiplications(const layer_conv *conv);

/* Indices into layer_conv.window. */
enum { LAYER_DEPTH, LAYER_HEIGHT, LAYER_WIDTH };

/* Elements of an input plane, an output plane and a kernel: the spatial axes multiplied. */
size_t layer_conv_input_plane(const layer_conv *conv);
size_t layer_conv_output_plane(const layer_conv *conv);
size_t layer_conv_kernel_plane(const layer_conv *conv);

/* Of two numbers that are not both 0. */
int layer_greatest_common_divisor(int a, int b);

/* How many times longer so many columns are in whole vectors: for costs, so of the widest kind. */
double layer_conv_vector_waste(size_t columns);

#endif
