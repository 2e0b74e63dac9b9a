/* A run of Winograd's algorithm: what its steps work on.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_WINOGRAD_CALL_H
#define LAYER_CONV_WINOGRAD_CALL_H

#include "conv/winograd_plan.h"
#include "core/panel.h"

typedef struct {
    layer_winograd_plan plan;
    const layer_winograd_kernels *kernels;
    const layer_panel_kernels *panels;
    const layer_run *run;
    const float *input, *weight, *bias;
    float *prepared;   /* weights: [group][panel][point][channel][output] */
    bool is_exchanged; /* weight is [group][C/group][K/group][3][3] */
    float *output;
} layer_winograd_call;

layer_winograd_call layer_winograd_call_of(const layer_conv *conv, const layer_run *run);

/* G g G' of a panel for some channels of its group: [point][channel][output], points
 * `point_stride` apart, stored past the caches or into them. `panel` counts over all groups. */
typedef struct {
    size_t panel, first, channels, point_stride;
    bool is_streamed;
    float *transformed;
} layer_winograd_share;

void layer_winograd_transform_weights(const layer_winograd_call *call,
                                      const layer_winograd_share *share);

/* Transforms all weights, [group][K/group][C/group][3][3] or exchanged, into prepared[count]. */
size_t layer_winograd_prepared_count(const layer_winograd_plan *plan);
layer_status layer_winograd_prepare(const layer_conv *conv, const float *weight, bool is_exchanged,
                                    float *prepared, const layer_run *run);

/* B' d B of a set for some channels of its group. */
void layer_winograd_transform_inputs(const layer_winograd_call *call, const layer_winograd_set *set,
                                     size_t first, size_t channels, float *transformed,
                                     float *scratch);

/* A' M A + bias of a set's outputs of a panel, which counts over all groups. */
void layer_winograd_transform_outputs(const layer_winograd_call *call,
                                      const layer_winograd_set *set, size_t panel,
                                      const float *products, float *scratch);

/* The products of all points of a set and some panels, with call->prepared. */
void layer_winograd_multiply_prepared(const layer_winograd_call *call,
                                      const layer_winograd_set *set, size_t panel, size_t panels,
                                      const float *inputs, float *products);

/* The same of one panel and some channels, whose weights have just been transformed. */
void layer_winograd_multiply_fresh(const layer_winograd_call *call, const layer_winograd_set *set,
                                   size_t first, size_t channels, const float *inputs,
                                   const float *weights, float *products);

#endif
