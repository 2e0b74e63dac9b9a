/* Convolution as a matrix product whose right factor, the patches of input that windows see, exists
 * a strip at a time: some columns of it, some of its rows, few enough for the nearest caches. Where
 * the input itself is that factor it is read in place.
 * Source: Chetlur et al., "cuDNN: Efficient primitives for deep learning", arXiv:1410.0759, section
 * 3.
 * SPDX-License-Identifier: MIT */
#include "conv/strips.h"
#include "core/blocks.h"
#include "core/panel.h"
#include "core/tasks.h"

#include <assert.h>

/* The most rows of a strip; its columns are whole cache lines. */
enum { STRIP_ROWS = 256, LINE_COUNT = 16 };

/* Rows of input that lie a multiple of so many floats apart fall on few of the nearest cache's
 * sets, and are not read in place. */
enum { THRASHING = 256 };

/* Weights that a task goes through for each of its strips, in floats: the second cache keeps them.
 */
enum { BLOCK_WEIGHTS = 1 << 18 };

/* Multiplications a task should hold, so that handing it to a thread costs little beside it; and
 * how many tasks there should be, if that leaves each so many output channels, which share what a
 * strip costs to gather. */
enum { TASK_MULTIPLICATIONS = 1 << 21, FEWEST_TASKS = 16, FEWEST_CHANNELS = 64 };

typedef struct {
    const layer_conv *conv;
    const float *input, *weight, *bias;
    float *output;
    const layer_run *run;
    const layer_panel_kernels *products;
    const layer_strip_kernels *gathers;
    layer_strips strips;
    bool in_place;
    size_t depth, plane, group_channels;          /* rows and columns of patches, K/group */
    size_t lines, strips_per_plane;               /* cache lines of columns, dealt to strips */
    size_t strips_per_task, tasks_per_plane;      /* the last task may have fewer */
    size_t strip_rows, strip_columns, strip_size; /* at most; and in floats, scratch included */
    size_t block_channels, channel_blocks;        /* of a group's output channels */
} implicit;

/* A task's share: some of the output channels of one sample and group, some strips of columns. */
typedef struct {
    const float *input;  /* [C/group][plane] */
    const float *weight; /* [channels][depth] */
    const float *bias;   /* [channels] or NULL */
    float *output;       /* [channels][plane] */
    size_t channels, first_strip, end_strip;
    float *room; /* for a strip */
} share;

static share share_of(const implicit *call, size_t task, int thread)
{
    const size_t block = task % call->channel_blocks, strips = task / call->channel_blocks;
    const size_t set = strips / call->tasks_per_plane; /* [N][group] */
    const size_t first = block * call->block_channels; /* channel of the group */
    const size_t channel = set % (size_t)call->conv->group * call->group_channels + first;
    const size_t strip = strips % call->tasks_per_plane * call->strips_per_task;
    return (share){
        .input = call->input +
                 set * (size_t)call->conv->weight.extent[1] * call->strips.patches.input_plane,
        .weight = call->weight + channel * call->depth,
        .bias = call->bias == NULL ? NULL : call->bias + channel,
        .output = call->output + (set * call->group_channels + first) * call->plane,
        .channels = layer_smaller(call->block_channels, call->group_channels - first),
        .first_strip = strip,
        .end_strip = layer_smaller(strip + call->strips_per_task, call->strips_per_plane),
        .room = (float *)call->run->workspace + (size_t)thread * call->strip_size,
    };
}

static size_t column_of(const implicit *call, size_t strip)
{
    const size_t column = call->lines * strip / call->strips_per_plane * LINE_COUNT;
    return layer_smaller(column, call->plane);
}

/* Rows first ... first + panel->depth of the patch matrix, in the panel's columns from `column` on:
 * where they lie, or else gathered. */
static void find_strip(const implicit *call, const share *part, size_t column, size_t first,
                       layer_panel *panel)
{
    if (call->in_place) {
        panel->right = part->input + first * call->plane + column;
        panel->right_leading = call->plane;
        return;
    }
    const layer_strip strip = {
        .channels = part->input,
        .first = first,
        .rows = panel->depth,
        .column = column,
        .columns = panel->columns,
        .gathered = part->room,
        .leading = call->strip_columns,
        .lines = part->room + call->strip_rows * call->strip_columns + LAYER_STRIP_SLACK,
    };
    call->gathers->gather(&call->strips, &strip);
    panel->right = strip.gathered;
    panel->right_leading = strip.leading;
}

static void compute_strip(const implicit *call, const share *part, size_t index)
{
    const size_t column = column_of(call, index);
    layer_panel panel = {
        .rows = part->channels,
        .columns = column_of(call, index + 1) - column,
        .left_leading = call->depth,
        .start = part->bias,
        .result = part->output + column,
        .result_leading = call->plane,
    };
    for (size_t first = 0; first < call->depth; first += call->strip_rows) {
        panel.depth = layer_smaller(call->strip_rows, call->depth - first);
        panel.left = part->weight + first;
        panel.accumulates = first > 0;
        find_strip(call, part, column, first, &panel);
        call->products->multiply(&panel);
    }
}

static void compute_share(void *argument, size_t task, int thread)
{
    const implicit *const call = argument;
    const share part = share_of(call, task, thread);
    for (size_t i = part.first_strip; i < part.end_strip && !layer_run_cancelled(call->run); i++)
        compute_strip(call, &part, i);
}

/* Deals columns to strips as evenly as whole cache lines go, and rows as evenly as the gathering's
 * steps do. */
static void plan_strips(implicit *call)
{
    const size_t most_lines = LAYER_STRIP_COLUMNS / LINE_COUNT;
    const size_t step = layer_strips_step(&call->strips), steps = call->depth / step;
    call->lines = layer_blocks_of(call->plane, LINE_COUNT);
    call->strips_per_plane = layer_blocks_of(call->lines, most_lines);
    call->strip_columns = layer_blocks_of(call->lines, call->strips_per_plane) * LINE_COUNT;
    call->strip_rows = layer_blocks_of(steps, layer_blocks_of(call->depth, STRIP_ROWS)) * step;
    const size_t size = call->strip_rows * call->strip_columns + LAYER_STRIP_SLACK +
                        layer_strips_lines(&call->strips, call->strip_columns);
    call->strip_size = layer_blocks_of(size, LINE_COUNT) * LINE_COUNT;
}

static void plan_tasks(implicit *call)
{
    const size_t sets = (size_t)call->conv->input.extent[0] * (size_t)call->conv->group;
    const size_t wanted =
        layer_smaller(layer_blocks_of(FEWEST_TASKS, sets * call->strips_per_plane),
                      layer_blocks_of(call->group_channels, FEWEST_CHANNELS));
    const size_t fitting = layer_blocks_of(call->group_channels * call->depth, BLOCK_WEIGHTS);
    call->block_channels = layer_blocks_of(call->group_channels, layer_larger(wanted, fitting));
    call->channel_blocks = layer_blocks_of(call->group_channels, call->block_channels);
    const size_t strip = call->block_channels * call->depth * call->strip_columns;
    call->strips_per_task = layer_smaller(TASK_MULTIPLICATIONS / strip + 1, call->strips_per_plane);
    call->tasks_per_plane = layer_blocks_of(call->strips_per_plane, call->strips_per_task);
}

static implicit plan(const layer_conv *conv)
{
    implicit call = {
        .conv = conv,
        .strips = layer_conv_strips(conv),
        .group_channels = (size_t)(conv->weight.extent[0] / conv->group),
    };
    call.depth = call.strips.patches.rows;
    call.plane = call.strips.patches.columns;
    call.in_place = call.strips.patches.is_input && call.plane % THRASHING != 0;
    plan_strips(&call);
    plan_tasks(&call);
    return call;
}

static size_t workspace_size(const layer_conv *conv, int threads)
{
    const implicit call = plan(conv);
    return call.in_place ? 0 : (size_t)threads * call.strip_size * sizeof(float);
}

static layer_status forward(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run)
{
    implicit call = plan(conv);
    assert(call.in_place || run->workspace != NULL);
    call.input = input;
    call.weight = weight;
    call.bias = bias;
    call.output = output;
    call.run = run;
    call.products = layer_panel_kernels_at(run->isa);
    call.gathers = layer_strip_kernels_at(run->isa);
    const size_t sets = (size_t)conv->input.extent[0] * (size_t)conv->group;
    return layer_run_tasks(run, sets * call.tasks_per_plane * call.channel_blocks, compute_share,
                           &call);
}

/* For one or two output channels the gathering costs more than the product saves. */
static bool accepts(const layer_conv *conv)
{
    const layer_patches patches = layer_conv_patches(conv);
    return conv->weight.extent[0] / conv->group >= 3 || (patches.is_input && patches.rows > 1);
}

const layer_conv_implementation layer_conv_implementation_IMPLICIT = {
    .accepts = accepts,
    .workspace_size = workspace_size,
    .forward = forward,
};
