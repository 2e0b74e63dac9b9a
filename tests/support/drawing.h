/* Drawing initial weights, for tests: describe, bring the workspace, run, hold it all to success.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_DRAWING_H
#define SUPPORT_DRAWING_H

#include "layer/initialize.h"

layer_initialize drawing_describe(layer_shape shape, layer_initialize_options options);

size_t drawing_count(const layer_initialize *initialize);

/* Runs with a workspace of exactly the size asked for. */
layer_status drawing_run(const layer_initialize *initialize, float *weight, int threads,
                         const int *cancelled);

/* A new weight. The caller frees it. */
float *drawing_new(const layer_initialize *initialize, int threads);

#endif
