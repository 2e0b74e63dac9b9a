/* Shapes of dense row-major float tensors.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_TENSOR_H
#define LAYER_TENSOR_H

#include "layer/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LAYER_MAX_RANK = 5,    /* batch, channel and three spatial axes */
    LAYER_MAX_SPATIAL = 3, /* depth, height, width */
};

/* The extents of a tensor, outermost first. Every extent is at least 1. */
typedef struct {
    int rank;
    int extent[LAYER_MAX_RANK];
} layer_shape;

/* Counts the elements of `shape`: the product of its extents, at most 2^31 - 1.
 * Returns LAYER_OK and sets *count; or LAYER_INVALID (rank or an extent out of range) or
 * LAYER_TOO_LARGE, and says in *error that `argument` is to blame. Thread-safe. */
layer_status layer_shape_count(const layer_shape *shape, const char *argument, size_t *count,
                               layer_error *error);

#ifdef __cplusplus
}
#endif
#endif
