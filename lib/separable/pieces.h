/* A spatially separable convolution in the pieces that it is computed in: a chain for each sample
 * and output channel, or where factors are shared a single one.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_SEPARABLE_PIECES_H
#define LAYER_SEPARABLE_PIECES_H

#include "layer/separable_spatial.h"
#include "separable/chain.h"

#include <stddef.h>

/* How many pieces there are along the batch and the output channels, how many of the latter share
 * a part of the input, and how far apart in elements the pieces' operands are. */
typedef struct {
    size_t samples, outputs, group_outputs;
    size_t sample, part; /* of the input: from one sample to the next, from one group's channels */
    size_t column, row, plane;
} layer_pieces;

layer_pieces layer_pieces_of(const layer_separable_spatial *separable);

/* The operands of a piece; where its gradients or its output would be is as far from the first. */
layer_chain_operands layer_piece_operands(const layer_pieces *pieces,
                                          const layer_separable_spatial_operands *operands,
                                          size_t n, size_t k);

static inline layer_chain layer_chain_of(const layer_separable_spatial *separable)
{
    return (layer_chain){&separable->vertical, &separable->horizontal};
}

/* Several tasks have a thread each, a single one has them all. */
static inline int layer_threads_of_task(size_t tasks, int threads)
{
    return tasks == 1 ? threads : 1;
}

/* How a task runs that has `share_size` bytes of workspace. */
static inline layer_run layer_run_of_task(const layer_run *run, size_t tasks, int thread,
                                          size_t share_size)
{
    layer_run inner = *run;
    inner.workspace = (char *)run->workspace + (size_t)thread * share_size;
    inner.executor = tasks == 1 ? run->executor : NULL;
    return inner;
}

#endif
