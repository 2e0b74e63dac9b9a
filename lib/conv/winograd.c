/* Convolution by Winograd's algorithm: the inputs of a block are transformed, multiplied with the
 * transformed weights of a panel, and transformed back.
 * SPDX-License-Identifier: MIT */
#include "conv/winograd_plan.h"
#include "core/blocks.h"
#include "core/panel.h"
#include "core/tasks.h"

#include <assert.h>

/* Channels of a task that transforms inputs or weights. */
enum { TASK_CHANNELS = 32 };

typedef struct {
    layer_winograd_plan plan;
    const layer_winograd_kernels *kernels;
    void (*multiply)(const layer_panel *panel);
    const float *input, *weight, *bias;
    float *output, *prepared;
    float *inputs;  /* transformed: one set's for each thread, or all sets' */
    float *threads; /* products and scratch of each */
    const layer_run *run;
    size_t channel_tasks;
} winograd;

/* ---- A set's input --------------------------------------------------------------------------- */

static void transform_inputs(const winograd *call, const layer_winograd_set *set, size_t first,
                             size_t channels, float *transformed, float *scratch)
{
    const layer_winograd_plan *const plan = &call->plan;
    const layer_window *const window = plan->conv->window;
    const size_t plane = layer_conv_input_plane(plan->conv);
    const size_t sample_channels = plan->groups * plan->group_channels;
    layer_winograd_input strip = {
        .height = window[LAYER_HEIGHT].input,
        .width = window[LAYER_WIDTH].input,
        .channels = channels,
        .left = (ptrdiff_t)(set->tile * plan->outputs) - window[LAYER_WIDTH].pad_begin,
        .tiles = set->tiles,
        .point_stride = plan->input_point_stride,
        .tile_stride = plan->input_tile_stride,
        .scratch = scratch,
    };
    for (size_t i = 0; i < set->strips; i++) {
        const size_t sample = (set->strip + i) / plan->tile_rows;
        const size_t row = (set->strip + i) % plan->tile_rows;
        const size_t channel = sample * sample_channels + set->group * plan->group_channels + first;
        strip.input = call->input + channel * plane;
        strip.top = (ptrdiff_t)(row * plan->outputs) - window[LAYER_HEIGHT].pad_begin;
        strip.transformed = transformed + i * set->tiles * plan->input_tile_stride + first;
        call->kernels->transform_input(&strip);
    }
}

/* ---- A set's output -------------------------------------------------------------------------- */

static void multiply_points(const winograd *call, const layer_winograd_set *set, size_t panel,
                            const float *transformed, float *products)
{
    const layer_winograd_plan *const plan = &call->plan;
    const float *const weight =
        call->prepared + (set->group * plan->panels + panel) * plan->weight_panel_stride;
    for (size_t point = 0; point < plan->points; point++)
        call->multiply(&(layer_panel){
            .rows = set->strips * set->tiles,
            .columns = plan->panel,
            .depth = plan->group_channels,
            .left = transformed + point * plan->input_point_stride,
            .right = weight + point * plan->weight_point_stride,
            .result = products + point * plan->product_point_stride,
            .left_leading = plan->input_tile_stride,
            .right_leading = plan->panel,
            .result_leading = plan->panel,
        });
}

static void transform_outputs(const winograd *call, const layer_winograd_set *set, size_t panel,
                              const float *products, float *scratch)
{
    const layer_winograd_plan *const plan = &call->plan;
    const size_t height = (size_t)plan->conv->window[LAYER_HEIGHT].output;
    const size_t width = (size_t)plan->conv->window[LAYER_WIDTH].output;
    const size_t first = panel * plan->panel, column = set->tile * plan->outputs;
    const size_t channel = set->group * plan->group_outputs + first;
    layer_winograd_output strip = {
        .point_stride = plan->product_point_stride,
        .tile_stride = plan->panel,
        .tiles = set->tiles,
        .outputs = layer_smaller(plan->panel, plan->group_outputs - first),
        .bias = call->bias == NULL ? NULL : call->bias + channel,
        .plane = height * width,
        .width = width,
        .columns = layer_smaller(set->tiles * plan->outputs, width - column),
        .scratch = scratch,
    };
    for (size_t i = 0; i < set->strips; i++) {
        const size_t sample = (set->strip + i) / plan->tile_rows;
        const size_t row = (set->strip + i) % plan->tile_rows * plan->outputs;
        const size_t plane = sample * plan->groups * plan->group_outputs + channel;
        strip.products = products + i * set->tiles * plan->panel;
        strip.output = call->output + plane * strip.plane + row * width + column;
        strip.rows = layer_smaller(plan->outputs, height - row);
        call->kernels->transform_output(&strip);
    }
}

static void compute_panel(const winograd *call, const layer_winograd_set *set, size_t panel,
                          const float *transformed, float *products)
{
    multiply_points(call, set, panel, transformed, products);
    transform_outputs(call, set, panel, products, products + call->plan.product_count);
}

/* ---- Tasks ----------------------------------------------------------------------------------- */

static float *products_of(const winograd *call, int thread)
{
    return call->threads + (size_t)thread * (call->plan.product_count + call->plan.scratch_count);
}

static void compute_set(void *argument, size_t task, int thread)
{
    const winograd *const call = argument;
    const layer_winograd_set set = layer_winograd_set_at(&call->plan, task);
    float *const transformed = call->inputs + (size_t)thread * call->plan.input_count;
    float *const products = products_of(call, thread);
    transform_inputs(call, &set, 0, call->plan.group_channels, transformed,
                     products + call->plan.product_count);
    for (size_t panel = 0; panel < call->plan.panels && !layer_run_cancelled(call->run); panel++)
        compute_panel(call, &set, panel, transformed, products);
}

static void transform_shared(void *argument, size_t task, int thread)
{
    const winograd *const call = argument;
    const size_t index = task / call->channel_tasks;
    const size_t first = task % call->channel_tasks * TASK_CHANNELS;
    const layer_winograd_set set = layer_winograd_set_at(&call->plan, index);
    transform_inputs(call, &set, first,
                     layer_smaller(TASK_CHANNELS, call->plan.group_channels - first),
                     call->inputs + index * call->plan.input_count,
                     products_of(call, thread) + call->plan.product_count);
}

static void compute_shared(void *argument, size_t task, int thread)
{
    const winograd *const call = argument;
    const size_t index = task % call->plan.sets;
    const layer_winograd_set set = layer_winograd_set_at(&call->plan, index);
    compute_panel(call, &set, task / call->plan.sets, call->inputs + index * call->plan.input_count,
                  products_of(call, thread));
}

static layer_status forward(const layer_conv *conv, const float *input, const float *prepared,
                            const float *bias, float *output, const layer_run *run)
{
    assert(run->workspace != NULL);
    winograd call = {
        .plan = layer_winograd_cut(conv),
        .input = input,
        .prepared = (float *)prepared,
        .bias = bias,
        .output = output,
        .run = run,
    };
    const size_t threads = (size_t)layer_run_threads(run);
    call.kernels = call.plan.kernels_at(run->isa);
    call.multiply = layer_panel_kernels_at(run->isa)->multiply;
    call.channel_tasks = layer_blocks_of(call.plan.group_channels, TASK_CHANNELS);
    call.inputs = run->workspace;
    call.threads =
        call.inputs + (call.plan.is_shared ? call.plan.sets : threads) * call.plan.input_count;
    if (!call.plan.is_shared)
        return layer_run_tasks(run, call.plan.sets, compute_set, &call);
    const layer_status status =
        layer_run_tasks(run, call.plan.sets * call.channel_tasks, transform_shared, &call);
    return status == LAYER_OK
               ? layer_run_tasks(run, call.plan.sets * call.plan.panels, compute_shared, &call)
               : status;
}

static size_t workspace_size(const layer_conv *conv, int threads)
{
    const layer_winograd_plan plan = layer_winograd_cut(conv);
    const size_t inputs = plan.is_shared ? plan.sets : (size_t)threads;
    return (inputs * plan.input_count +
            (size_t)threads * (plan.product_count + plan.scratch_count)) *
           sizeof(float);
}

/* ---- Weights --------------------------------------------------------------------------------- */

/* Task by task, some channels of one panel. */
static void prepare_channels(void *argument, size_t task, int thread)
{
    (void)thread;
    const winograd *const call = argument;
    const layer_winograd_plan *const plan = &call->plan;
    const size_t first = task % call->channel_tasks * TASK_CHANNELS;
    const size_t index = task / call->channel_tasks; /* [group][panel] */
    const size_t output = index % plan->panels * plan->panel;
    const size_t kernel = index / plan->panels * plan->group_outputs + output;
    const size_t cells = layer_conv_kernel_plane(plan->conv);
    call->kernels->transform_weight(&(layer_winograd_weight){
        .weight = call->weight + (kernel * plan->group_channels + first) * cells,
        .output_stride = plan->group_channels * cells,
        .outputs = layer_smaller(plan->panel, plan->group_outputs - output),
        .panel = plan->panel,
        .channels = layer_smaller(TASK_CHANNELS, plan->group_channels - first),
        .is_flipped = plan->conv->mode == LAYER_CONV_CONVOLUTION,
        .transformed = call->prepared + index * plan->weight_panel_stride + first * plan->panel,
        .point_stride = plan->weight_point_stride,
    });
}

static layer_status prepare(const layer_conv *conv, const float *weight, float *prepared,
                            const layer_run *run)
{
    winograd call = {
        .plan = layer_winograd_cut(conv),
        .weight = weight,
        .prepared = prepared,
        .run = run,
    };
    call.kernels = call.plan.kernels_at(run->isa);
    call.channel_tasks = layer_blocks_of(call.plan.group_channels, TASK_CHANNELS);
    return layer_run_tasks(run, call.plan.groups * call.plan.panels * call.channel_tasks,
                           prepare_channels, &call);
}

static size_t prepared_size(const layer_conv *conv)
{
    const layer_winograd_plan plan = layer_winograd_cut(conv);
    return plan.groups * plan.panels * plan.weight_panel_stride * sizeof(float);
}

static bool computes(const layer_conv *conv)
{
    const layer_window *const height = &conv->window[LAYER_HEIGHT];
    const layer_window *const width = &conv->window[LAYER_WIDTH];
    return conv->axes == 2 && height->kernel == 3 && width->kernel == 3 && height->stride == 1 &&
           width->stride == 1 && height->dilation == 1 && width->dilation == 1;
}

#define WINOGRAD(id, m)                                                                            \
    static bool accepts##m(const layer_conv *conv)                                                 \
    {                                                                                              \
        return layer_winograd_best(conv) == m;                                                     \
    }                                                                                              \
    const layer_conv_implementation layer_conv_implementation_##id = {                             \
        .computes = computes,                                                                      \
        .domain = "kernels of 3x3 over two axes, with stride and dilation 1",                      \
        .accepts = accepts##m,                                                                     \
        .prepared_size = prepared_size,                                                            \
        .prepare = prepare,                                                                        \
        .workspace_size = workspace_size,                                                          \
        .forward = forward,                                                                        \
    };
WINOGRAD(WINOGRAD2, 2)
WINOGRAD(WINOGRAD4, 4)
WINOGRAD(WINOGRAD6, 6)
