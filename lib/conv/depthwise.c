/* Convolution plane by plane: each plane of outputs is a sum of planes of input, filtered by a
 * plane of the kernel each; with a channel a group, and two axes, it is a single one.
 * SPDX-License-Identifier: MIT */
#include "conv/filter_tile.h"
#include "conv/plane_sum.h"
#include "core/blocks.h"
#include "core/tasks.h"

#include <assert.h>

/* Multiplications a task should hold, so that handing it to a thread costs little beside it. */
enum { TASK_MULTIPLICATIONS = 1 << 17 };

typedef struct {
    const layer_conv *conv;
    const float *input, *weight, *bias;
    float *output;
    const layer_run *run;
    layer_filter_plan plan;
    size_t outputs;                       /* channels of a group */
    size_t output_plane;                  /* of two axes */
    size_t kernel_count;                  /* floats of an output channel's kernels */
    size_t planes, units, units_per_task; /* [N][group][depth]; [tile][planes] */
    bool is_final;                        /* outputs are written once, and too many for level 2 */
} depthwise;

static layer_filter_plan plan_of(const layer_conv *conv)
{
    return layer_filter_plan_of(&conv->window[LAYER_HEIGHT], &conv->window[LAYER_WIDTH],
                                conv->mode == LAYER_CONV_CONVOLUTION);
}

/* A sample's group, and a slice of its outputs. */
typedef struct {
    size_t sample, group, slice;
} place;

static place place_at(const depthwise *call, size_t plane)
{
    const size_t slices = (size_t)call->conv->window[LAYER_DEPTH].output;
    const size_t groups = (size_t)call->conv->group;
    return (place){plane / slices / groups, plane / slices % groups, plane % slices};
}

/* To the next plane, without dividing. */
static void step(const depthwise *call, place *at)
{
    if (++at->slice < (size_t)call->conv->window[LAYER_DEPTH].output)
        return;
    at->slice = 0;
    if (++at->group < (size_t)call->conv->group)
        return;
    at->group = 0;
    at->sample++;
}

/* Adds what was read, filtered by the planes of the kernel from `kernel` on, to all output channels
 * of the group; without any the bias alone. */
static void add_to_outputs(const depthwise *call, layer_filter_tile *tile, place at,
                           const float *kernel, bool accumulates)
{
    const layer_conv *const conv = call->conv;
    const size_t outputs = call->outputs;
    const size_t slices = (size_t)conv->window[LAYER_DEPTH].output;
    const size_t first = at.group * outputs;
    const size_t plane = (at.sample * (size_t)conv->weight.extent[0] + first) * slices + at.slice;
    for (size_t i = 0; i < outputs; i++)
        layer_filter_tile_write(tile, kernel == NULL ? NULL : kernel + i * call->kernel_count,
                                call->output + (plane + i * slices) * call->output_plane,
                                call->bias == NULL ? 0 : call->bias[first + i], accumulates);
}

static void compute_tile(const depthwise *call, layer_filter_tile *tile, place at)
{
    const layer_plane_sum sum = layer_plane_sum_of(call->conv, at.sample, at.group,
                                                   at.group * call->outputs, (int)at.slice);
    if (sum.terms == 0)
        add_to_outputs(call, tile, at, NULL, false);
    for (size_t i = 0; i < sum.terms && !layer_run_cancelled(call->run); i++) {
        const layer_plane_term term = layer_plane_term_at(&sum, i);
        layer_filter_tile_read(tile, call->input + term.input);
        add_to_outputs(call, tile, at, call->weight + term.weight, i > 0);
    }
}

/* Tiles of several planes in turn, which have their geometry in common. */
static void compute_units(void *argument, size_t task, int thread)
{
    const depthwise *const call = argument;
    const layer_filter_plan *const plan = &call->plan;
    const size_t first = task * call->units_per_task;
    const size_t end = layer_smaller(first + call->units_per_task, call->units);
    char *const scratch = (char *)call->run->workspace + layer_filter_tables_size(plan) +
                          (size_t)thread * layer_filter_tile_size(plan);
    layer_filter_tile tile = layer_filter_tile_in(plan, call->run->isa, scratch);
    tile.passes.is_final = call->is_final;
    place at = {0};
    for (size_t i = first; i < end; i++) {
        if (i == first || i % call->planes == 0) {
            layer_filter_tile_move(&tile, i / call->planes);
            at = place_at(call, i % call->planes);
        }
        compute_tile(call, &tile, at);
        step(call, &at);
    }
    layer_filter_tile_finish(&tile);
}

static size_t workspace_size(const layer_conv *conv, int threads)
{
    const layer_filter_plan plan = plan_of(conv);
    return layer_filter_tables_size(&plan) + (size_t)threads * layer_filter_tile_size(&plan);
}

/* In passes a cell of a kernel costs less, and each task looks anew what the factors are. */
static size_t task_size(const layer_filter_plan *plan)
{
    enum { TIMES = 4 };
    const size_t lines = (size_t)plan->height->kernel, columns = (size_t)plan->width->kernel;
    const bool pay = layer_filter_passes_pay(plan);
    return pay ? TIMES * TASK_MULTIPLICATIONS * lines * columns / (lines + columns)
               : TASK_MULTIPLICATIONS;
}

/* Outputs that fill level 2 will not be there when they are read. */
enum { FEWEST_STREAMED = 1 << 19 };

static bool is_final(const layer_conv *conv)
{
    const size_t outputs = (size_t)conv->output.extent[0] * (size_t)conv->output.extent[1] *
                           layer_conv_output_plane(conv);
    return conv->weight.extent[1] == 1 && conv->window[LAYER_DEPTH].kernel == 1 &&
           outputs >= FEWEST_STREAMED;
}

static layer_status forward(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run)
{
    assert(run->workspace != NULL);
    const layer_window *const height = &conv->window[LAYER_HEIGHT];
    const layer_window *const width = &conv->window[LAYER_WIDTH];
    depthwise call = {
        .conv = conv,
        .input = input,
        .weight = weight,
        .bias = bias,
        .output = output,
        .run = run,
        .plan = plan_of(conv),
        .output_plane = (size_t)height->output * (size_t)width->output,
        .outputs = (size_t)(conv->weight.extent[0] / conv->group),
    };
    layer_filter_fill_tables(&call.plan, run->workspace);
    call.kernel_count = (size_t)conv->weight.extent[1] * layer_conv_kernel_plane(conv);
    call.planes = (size_t)conv->input.extent[0] * (size_t)conv->group *
                  (size_t)conv->window[LAYER_DEPTH].output;
    call.units = call.planes * call.plan.row_tiles * call.plan.column_tiles;
    call.is_final = is_final(conv);
    call.units_per_task = task_size(&call.plan) / (conv->multiplications / call.units + 1) + 1;
    return layer_run_tasks(run, layer_blocks_of(call.units, call.units_per_task), compute_units,
                           &call);
}

/* With one channel a group its taps stay in registers; with more it adds up planes. */
static double cost(const layer_conv *conv)
{
    const bool is_alone = conv->weight.extent[1] == 1 && conv->window[LAYER_HEIGHT].output > 1;
    return (double)conv->multiplications * (is_alone ? 1 : 5) *
           layer_conv_vector_waste((size_t)conv->window[LAYER_WIDTH].output);
}

const layer_conv_implementation layer_conv_implementation_DEPTHWISE = {
    .cost = cost,
    .workspace_size = workspace_size,
    .forward = forward,
};
