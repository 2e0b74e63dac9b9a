/* Convolution as a matrix product whose right factor, the patches of input that windows see, exists
 * a strip at a time: some columns of it, some of its rows, small enough for the nearest cache.
 * Where the input itself is that factor it is read in place. Source: Chetlur et al., "cuDNN:
 * Efficient primitives for deep learning", arXiv:1410.0759, section 3. SPDX-License-Identifier: MIT
 */
#include "conv/patches.h"
#include "core/blocks.h"
#include "core/panel.h"
#include "core/tasks.h"

#include <assert.h>

/* The most columns and rows of a strip: 32 KiB, beside which the nearest cache still holds what
 * streams past it. */
enum { STRIP_COLUMNS = 64, STRIP_ROWS = 128, LINE_COUNT = 16 };

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
    const layer_panel_kernels *kernels;
    layer_patches patches;
    size_t group_channels;
    size_t strip_columns, strips, strips_per_task, tasks_per_plane;
    size_t strip_rows;
    size_t block_channels, channel_blocks;
} implicit;

/* A task's share: some of the output channels of one sample and group, some strips of columns. */
typedef struct {
    const float *input;  /* [C/group][plane] */
    const float *weight; /* [channels][depth] */
    const float *bias;   /* [channels] or NULL */
    float *output;       /* [channels][plane] */
    size_t channels, first_strip, end_strip;
    float *strip; /* room for one */
} share;

static share share_of(const implicit *call, size_t task, int thread)
{
    const layer_patches *const patches = &call->patches;
    const size_t block = task % call->channel_blocks, run = task / call->channel_blocks;
    const size_t set = run / call->tasks_per_plane; /* [N][group] */
    const size_t first = block * call->block_channels;
    const size_t channel = set % (size_t)call->conv->group * call->group_channels + first;
    const size_t strip = run % call->tasks_per_plane * call->strips_per_task;
    const size_t room = call->strip_rows * call->strip_columns;
    return (share){
        .input = call->input + set * (size_t)call->conv->weight.extent[1] * patches->input_plane,
        .weight = call->weight + channel * patches->rows,
        .bias = call->bias == NULL ? NULL : call->bias + channel,
        .output = call->output + (set * call->group_channels + first) * patches->columns,
        .channels = layer_smaller(call->block_channels, call->group_channels - first),
        .first_strip = strip,
        .end_strip = layer_smaller(strip + call->strips_per_task, call->strips),
        .strip = (float *)call->run->workspace + (size_t)thread * room,
    };
}

/* The rows of the patch matrix from `first` on, in columns from `column` on: where they lie, or
 * else gathered. Sets panel->right and its leading. */
static void find_strip(const implicit *call, const share *part, size_t column, size_t first,
                       layer_panel *panel)
{
    const layer_patches *const patches = &call->patches;
    if (patches->is_input) {
        panel->right = part->input + first * patches->input_plane + column;
        panel->right_leading = patches->input_plane;
        return;
    }
    const layer_position position = layer_patches_position(patches, column);
    for (size_t i = 0; i < panel->depth; i++)
        layer_patches_gather(patches, part->input, first + i, position, (int)panel->columns,
                             part->strip + i * call->strip_columns);
    panel->right = part->strip;
    panel->right_leading = call->strip_columns;
}

static void compute_strip(const implicit *call, const share *part, size_t column)
{
    const layer_patches *const patches = &call->patches;
    layer_panel panel = {
        .rows = part->channels,
        .columns = layer_smaller(call->strip_columns, patches->columns - column),
        .left_leading = patches->rows,
        .start = part->bias,
        .result = part->output + column,
        .result_leading = patches->columns,
    };
    for (size_t first = 0; first < patches->rows; first += call->strip_rows) {
        panel.depth = layer_smaller(call->strip_rows, patches->rows - first);
        panel.left = part->weight + first;
        panel.accumulates = first > 0;
        find_strip(call, part, column, first, &panel);
        call->kernels->multiply(&panel);
    }
}

static void compute_share(void *argument, size_t task, int thread)
{
    const implicit *const call = argument;
    const share part = share_of(call, task, thread);
    for (size_t i = part.first_strip; i < part.end_strip && !layer_run_cancelled(call->run); i++)
        compute_strip(call, &part, i * call->strip_columns);
}

/* Divides `whole` evenly, in multiples of `unit`, into blocks of at most `most`. */
static size_t even_block(size_t whole, size_t most, size_t unit)
{
    const size_t blocks = layer_blocks_of(whole, most);
    return layer_blocks_of(layer_blocks_of(whole, unit), blocks) * unit;
}

static implicit plan(const layer_conv *conv)
{
    implicit call = {
        .conv = conv,
        .patches = layer_conv_patches(conv),
        .group_channels = (size_t)(conv->weight.extent[0] / conv->group),
    };
    const size_t rows = call.patches.rows, columns = call.patches.columns;
    const size_t sets = (size_t)conv->input.extent[0] * (size_t)conv->group;
    call.strip_columns = even_block(columns, STRIP_COLUMNS, LINE_COUNT);
    call.strips = layer_blocks_of(columns, call.strip_columns);
    call.strip_rows = even_block(rows, STRIP_ROWS, 1);
    const size_t wanted = layer_smaller(layer_blocks_of(FEWEST_TASKS, sets * call.strips),
                                        layer_blocks_of(call.group_channels, FEWEST_CHANNELS));
    const size_t fitting = layer_blocks_of(call.group_channels * rows, BLOCK_WEIGHTS);
    call.block_channels = layer_blocks_of(call.group_channels, layer_larger(wanted, fitting));
    call.channel_blocks = layer_blocks_of(call.group_channels, call.block_channels);
    const size_t strip = call.block_channels * rows * call.strip_columns;
    call.strips_per_task = layer_smaller(TASK_MULTIPLICATIONS / strip + 1, call.strips);
    call.tasks_per_plane = layer_blocks_of(call.strips, call.strips_per_task);
    return call;
}

static size_t workspace_size(const layer_conv *conv, int threads)
{
    const implicit call = plan(conv);
    return call.patches.is_input
               ? 0
               : (size_t)threads * call.strip_rows * call.strip_columns * sizeof(float);
}

static layer_status forward(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run)
{
    implicit call = plan(conv);
    assert(call.patches.is_input || run->workspace != NULL);
    call.input = input;
    call.weight = weight;
    call.bias = bias;
    call.output = output;
    call.run = run;
    call.kernels = layer_panel_kernels_at(run->isa);
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
