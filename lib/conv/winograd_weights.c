/* Winograd's weights, transformed ahead.
 * SPDX-License-Identifier: MIT */
#include "conv/winograd_call.h"
#include "core/blocks.h"
#include "core/tasks.h"

/* Channels of a task. */
enum { TASK_CHANNELS = 32 };

/* Floats that are stored into the caches; more would only push out others. */
enum { MOST_CACHED = 1 << 22 };

typedef struct {
    layer_winograd_call base;
    size_t channel_tasks;
    bool is_streamed; /* past the caches */
} preparation;

/* Some channels of one panel. */
static void prepare_channels(void *argument, size_t task, int thread)
{
    (void)thread;
    const preparation *const call = argument;
    const layer_winograd_plan *const plan = &call->base.plan;
    const size_t panel = task / call->channel_tasks;
    const size_t first = task % call->channel_tasks * TASK_CHANNELS;
    layer_winograd_transform_weights(
        &call->base, &(layer_winograd_share){
                         .panel = panel,
                         .first = first,
                         .channels = layer_smaller(TASK_CHANNELS, plan->group_channels - first),
                         .point_stride = plan->weight_point_stride,
                         .is_streamed = call->is_streamed,
                         .transformed = call->base.prepared + panel * plan->weight_panel_stride +
                                        first * plan->panel,
                     });
}

size_t layer_winograd_prepared_count(const layer_winograd_plan *plan)
{
    return plan->groups * plan->panels * plan->weight_panel_stride;
}

layer_status layer_winograd_prepare(const layer_conv *conv, const float *weight, bool is_exchanged,
                                    float *prepared, const layer_run *run)
{
    preparation call = {.base = layer_winograd_call_of(conv, run)};
    const layer_winograd_plan *const plan = &call.base.plan;
    call.base.weight = weight;
    call.base.is_exchanged = is_exchanged;
    call.base.prepared = prepared;
    call.channel_tasks = layer_blocks_of(plan->group_channels, TASK_CHANNELS);
    call.is_streamed = layer_winograd_prepared_count(plan) > MOST_CACHED;
    return layer_run_tasks(run, plan->groups * plan->panels * call.channel_tasks, prepare_channels,
                           &call);
}
