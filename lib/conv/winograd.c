/* Convolution by Winograd's algorithm: the inputs of a block are transformed, multiplied with the
 * transformed weights of a panel, and transformed back.
 * SPDX-License-Identifier: MIT */
#include "conv/winograd_call.h"
#include "core/blocks.h"
#include "core/tasks.h"

#include <assert.h>

/* Channels of a task that transforms inputs. */
enum { TASK_CHANNELS = 32 };

/* At least, so that no thread waits long for the others. */
enum { TASKS_PER_THREAD = 2 };

/* So many threads that share sets each transform all inputs for themselves: to read what another
 * core has just written takes longer. More would take too much memory. */
enum { MOST_OWN = 4 };

typedef struct {
    layer_winograd_call base;
    float *inputs; /* transformed: for each thread one set's, or all sets'; or all sets' once */
    bool has_own;  /* each thread, all sets' inputs */
    bool filled[MOST_OWN];
    float *threads;      /* each one's products, scratch and weights */
    size_t thread_count; /* floats */
    size_t channel_tasks;
    size_t task_panels, panel_tasks; /* panels that are computed together; their tasks of a set */
} winograd;

/* As many panels as the plan has them, but where threads share a set a few tasks for each. */
static size_t panels_together(const layer_winograd_plan *plan, size_t threads)
{
    const size_t share = layer_blocks_of(plan->sets * plan->panels, TASKS_PER_THREAD * threads);
    return plan->is_shared ? layer_smaller(plan->most_panels, share) : plan->most_panels;
}

static winograd begin(const layer_conv *conv, const float *input, const float *bias, float *output,
                      const layer_run *run)
{
    winograd call = {.base = layer_winograd_call_of(conv, run)};
    call.base.input = input;
    call.base.bias = bias;
    call.base.output = output;
    call.channel_tasks = layer_blocks_of(call.base.plan.group_channels, TASK_CHANNELS);
    call.task_panels = panels_together(&call.base.plan, (size_t)layer_run_threads(run));
    call.panel_tasks = layer_blocks_of(call.base.plan.panels, call.task_panels);
    return call;
}

/* ---- Tasks ----------------------------------------------------------------------------------- */

/* A thread's products, then its scratch. */
static float *products_of(const winograd *call, int thread)
{
    return call->threads + (size_t)thread * call->thread_count;
}

/* Some panels of a set, from the group's `first` on: the products, then the outputs. */
static void compute_panels(const winograd *call, const layer_winograd_set *set, size_t first,
                           const float *inputs, float *products)
{
    const layer_winograd_plan *const plan = &call->base.plan;
    const size_t panel = set->group * plan->panels + first;
    const size_t panels = layer_smaller(call->task_panels, plan->panels - first);
    layer_winograd_multiply_prepared(&call->base, set, panel, panels, inputs, products);
    for (size_t i = 0; i < panels; i++)
        layer_winograd_transform_outputs(&call->base, set, panel + i,
                                         products + i * plan->product_count,
                                         products + call->task_panels * plan->product_count);
}

/* A set: its inputs, then some panels one after the other. */
static void compute_set(void *argument, size_t task, int thread)
{
    const winograd *const call = argument;
    const layer_winograd_plan *const plan = &call->base.plan;
    const layer_winograd_set set = layer_winograd_set_at(plan, task);
    float *const inputs = call->inputs + (size_t)thread * plan->input_count;
    float *const products = products_of(call, thread);
    layer_winograd_transform_inputs(&call->base, &set, 0, plan->group_channels, inputs, products);
    for (size_t i = 0; i < plan->panels && !layer_run_cancelled(call->base.run);
         i += call->task_panels)
        compute_panels(call, &set, i, inputs, products);
}

/* Some channels of a set's inputs, for all threads. */
static void transform_shared(void *argument, size_t task, int thread)
{
    const winograd *const call = argument;
    const layer_winograd_plan *const plan = &call->base.plan;
    const size_t index = task / call->channel_tasks;
    const size_t first = task % call->channel_tasks * TASK_CHANNELS;
    const layer_winograd_set set = layer_winograd_set_at(plan, index);
    layer_winograd_transform_inputs(
        &call->base, &set, first, layer_smaller(TASK_CHANNELS, plan->group_channels - first),
        call->inputs + index * plan->input_count, products_of(call, thread));
}

/* All sets' inputs, for all threads or the thread's own. */
static const float *inputs_of(winograd *call, int thread)
{
    const layer_winograd_plan *const plan = &call->base.plan;
    if (!call->has_own)
        return call->inputs;
    float *const own = call->inputs + (size_t)thread * plan->sets * plan->input_count;
    for (size_t i = 0; i < plan->sets && !call->filled[thread]; i++) {
        const layer_winograd_set set = layer_winograd_set_at(plan, i);
        layer_winograd_transform_inputs(&call->base, &set, 0, plan->group_channels,
                                        own + i * plan->input_count, products_of(call, thread));
    }
    call->filled[thread] = true;
    return own;
}

/* Some panels of a set. */
static void compute_shared(void *argument, size_t task, int thread)
{
    winograd *const call = argument;
    const layer_winograd_plan *const plan = &call->base.plan;
    const size_t index = task / call->panel_tasks;
    const layer_winograd_set set = layer_winograd_set_at(plan, index);
    compute_panels(call, &set, task % call->panel_tasks * call->task_panels,
                   inputs_of(call, thread) + index * plan->input_count, products_of(call, thread));
}

/* One panel of all sets of its group: its weights are transformed, some channels at a time, and
 * used while they are in cache. */
static void compute_fresh_panel(void *argument, size_t panel, int thread)
{
    winograd *const call = argument;
    const layer_winograd_plan *const plan = &call->base.plan;
    const float *const inputs = inputs_of(call, thread);
    const size_t sets = plan->sets / plan->groups, first_set = panel / plan->panels * sets;
    float *const products = products_of(call, thread);
    float *const scratch = products + sets * plan->product_count;
    float *const weights = scratch + plan->scratch_count;
    size_t channels;
    for (size_t first = 0; first < plan->group_channels; first += channels) {
        if (layer_run_cancelled(call->base.run))
            return;
        channels = layer_smaller(plan->depth, plan->group_channels - first);
        layer_winograd_transform_weights(&call->base, &(layer_winograd_share){
                                                          .panel = panel,
                                                          .first = first,
                                                          .channels = channels,
                                                          .point_stride = plan->fresh_point_stride,
                                                          .transformed = weights,
                                                      });
        for (size_t i = 0; i < sets; i++) {
            const layer_winograd_set set = layer_winograd_set_at(plan, first_set + i);
            layer_winograd_multiply_fresh(&call->base, &set, first, channels,
                                          inputs + (first_set + i) * plan->input_count, weights,
                                          products + i * plan->product_count);
        }
    }
    for (size_t i = 0; i < sets; i++) {
        const layer_winograd_set set = layer_winograd_set_at(plan, first_set + i);
        layer_winograd_transform_outputs(&call->base, &set, panel,
                                         products + i * plan->product_count, scratch);
    }
}

/* ---- Prepared weights ------------------------------------------------------------------------ */

static layer_status prepare(const layer_conv *conv, const float *weight, float *prepared,
                            const layer_run *run)
{
    return layer_winograd_prepare(conv, weight, false, prepared, run);
}

static size_t prepared_size(const layer_conv *conv)
{
    const layer_winograd_plan plan = layer_winograd_cut(conv);
    return layer_winograd_prepared_count(&plan) * sizeof(float);
}

static size_t inputs_count(const layer_winograd_plan *plan, size_t threads)
{
    const size_t copies = plan->is_shared && threads > MOST_OWN ? 1 : threads;
    return copies * (plan->is_shared ? plan->sets : 1) * plan->input_count;
}

/* Runs tasks of sets that threads share: their inputs are transformed before, or by each thread. */
static layer_status run_shared(winograd *call, size_t tasks, layer_task *function)
{
    const layer_run *const run = call->base.run;
    const size_t transforms = call->base.plan.sets * call->channel_tasks;
    call->has_own = layer_run_threads(run) <= MOST_OWN;
    const layer_status status =
        call->has_own ? LAYER_OK : layer_run_tasks(run, transforms, transform_shared, call);
    return status != LAYER_OK ? status : layer_run_tasks(run, tasks, function, call);
}

static size_t prepared_workspace_size(const layer_conv *conv, int threads)
{
    const layer_winograd_plan plan = layer_winograd_cut(conv);
    return (inputs_count(&plan, (size_t)threads) +
            (size_t)threads * (plan.most_panels * plan.product_count + plan.scratch_count)) *
           sizeof(float);
}

static layer_status forward_prepared(const layer_conv *conv, const float *input,
                                     const float *prepared, const float *bias, float *output,
                                     const layer_run *run)
{
    assert(run->workspace != NULL);
    winograd call = begin(conv, input, bias, output, run);
    const layer_winograd_plan *const plan = &call.base.plan;
    call.base.prepared = (float *)prepared;
    call.inputs = run->workspace;
    call.threads = call.inputs + inputs_count(plan, (size_t)layer_run_threads(run));
    call.thread_count = call.task_panels * plan->product_count + plan->scratch_count;
    return plan->is_shared ? run_shared(&call, plan->sets * call.panel_tasks, compute_shared)
                           : layer_run_tasks(run, plan->sets, compute_set, &call);
}

/* ---- Weights as they come -------------------------------------------------------------------- */

static size_t fresh_count(const layer_winograd_plan *plan)
{
    return plan->sets / plan->groups * plan->product_count + plan->scratch_count +
           plan->points * plan->fresh_point_stride;
}

static size_t workspace_size(const layer_conv *conv, int threads)
{
    const layer_winograd_plan plan = layer_winograd_cut(conv);
    return plan.is_shared
               ? (inputs_count(&plan, (size_t)threads) + (size_t)threads * fresh_count(&plan)) *
                     sizeof(float)
               : prepared_size(conv) + prepared_workspace_size(conv, threads);
}

static layer_status forward_fresh(const layer_conv *conv, const float *input, const float *weight,
                                  bool is_exchanged, const float *bias, float *output,
                                  const layer_run *run)
{
    assert(run->workspace != NULL);
    winograd call = begin(conv, input, bias, output, run);
    const layer_winograd_plan *const plan = &call.base.plan;
    if (!plan->is_shared) {
        layer_run rest = *run;
        rest.workspace = (float *)run->workspace + layer_winograd_prepared_count(plan);
        const layer_status status =
            layer_winograd_prepare(conv, weight, is_exchanged, run->workspace, run);
        return status != LAYER_OK
                   ? status
                   : forward_prepared(conv, input, run->workspace, bias, output, &rest);
    }
    call.base.weight = weight;
    call.base.is_exchanged = is_exchanged;
    call.inputs = run->workspace;
    call.threads = call.inputs + inputs_count(plan, (size_t)layer_run_threads(run));
    call.thread_count = fresh_count(plan);
    return run_shared(&call, plan->groups * plan->panels, compute_fresh_panel);
}

static layer_status forward(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run)
{
    return forward_fresh(conv, input, weight, false, bias, output, run);
}

static layer_status forward_exchanged(const layer_conv *conv, const float *input,
                                      const float *weight, const float *bias, float *output,
                                      const layer_run *run)
{
    return forward_fresh(conv, input, weight, true, bias, output, run);
}

static bool computes(const layer_conv *conv)
{
    const layer_window *const height = &conv->window[LAYER_HEIGHT];
    const layer_window *const width = &conv->window[LAYER_WIDTH];
    return conv->axes == 2 && height->kernel == 3 && width->kernel == 3 && height->stride == 1 &&
           width->stride == 1 && height->dilation == 1 && width->dilation == 1;
}

#define WINOGRAD(id, m)                                                                            \
    static double cost##m(const layer_conv *conv)                                                  \
    {                                                                                              \
        return layer_winograd_cost(conv, m);                                                       \
    }                                                                                              \
    const layer_conv_implementation layer_conv_implementation_##id = {                             \
        .computes = computes,                                                                      \
        .domain = "kernels of 3x3 over two axes, with stride and dilation 1",                      \
        .cost = cost##m,                                                                           \
        .workspace_size = workspace_size,                                                          \
        .forward = forward,                                                                        \
        .forward_exchanged = forward_exchanged,                                                    \
        .prepared_size = prepared_size,                                                            \
        .prepare = prepare,                                                                        \
        .prepared_workspace_size = prepared_workspace_size,                                        \
        .forward_prepared = forward_prepared,                                                      \
    };
WINOGRAD(WINOGRAD2, 2)
WINOGRAD(WINOGRAD4, 4)
WINOGRAD(WINOGRAD6, 6)
