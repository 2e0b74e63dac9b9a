/* Pooling for tests: geometries drawn at random, and runs that leave nothing to chance.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_POOLING_H
#define SUPPORT_POOLING_H

#include "layer/pool.h"
#include "support/sampling.h"

/* Draws kinds and geometries until one fits: often the extremes, as one cell, padding wider than
 * the kernel, windows that hang over. */
layer_pool pooling_draw(sampling *from);

size_t pooling_inputs(const layer_pool *pool);
size_t pooling_outputs(const layer_pool *pool);

/* `count` numbers, freed by the caller: all different or, with `ties`, of a few values. */
float *pooling_numbers(sampling *from, size_t count, bool ties);
double *pooling_doubles(const float *numbers, size_t count);

/* How to run; all zero but `threads`: as everyone would. */
typedef struct {
    int threads;
    layer_isa isa;
    const int *cancelled;
} pooling_way;

/* Runs with a workspace of exactly the size asked for; that and the results start as garbage. */
layer_status pooling_forward(const layer_pool *pool, const float *input, float *output,
                             float *indices, pooling_way way);
layer_status pooling_backward(const layer_pool *pool, const float *input, const float *grad_output,
                              const float *indices, float *grad_input, pooling_way way);

/* What a failure says, so that it can be repeated by hand. */
const char *pooling_sentence(const layer_pool *pool);

#endif
