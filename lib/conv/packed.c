/* Convolution with output channels in the lanes of vectors: weights are laid out so that those of
 * neighbouring channels are neighbours, and each is multiplied with values of the input where they
 * lie. Nothing is gathered, and a plane's size wastes no lanes.
 * Source: Georganas et al., "Anatomy of high-performance deep learning convolutions on SIMD
 * architectures", arXiv:1808.05567.
 * SPDX-License-Identifier: MIT */
#include "conv/packed.h"
#include "core/blocks.h"
#include "core/tasks.h"

#include <assert.h>

/* Channels of a field that a task fills. */
enum { FILL_CHANNELS = 16 };

typedef struct {
    const layer_conv *conv;
    layer_packed plan;
    const float *input, *weight, *bias;
    float *output;
    const layer_run *run;
    const layer_packed_kernels *kernels;
    const layer_field_kernels *fields;
    float *packed; /* [group][block][depth][channels] */
    size_t *rows;
    float *cells;        /* the fields of a round */
    char *rooms;         /* sums for each thread */
    size_t first, units; /* of the round */
} packed;

static packed begin(const layer_conv *conv, const layer_run *run)
{
    return (packed){
        .conv = conv,
        .plan = layer_packed_plan(conv),
        .run = run,
        .kernels = layer_packed_kernels_at(run->isa),
        .fields = layer_field_kernels_at(run->isa),
    };
}

/* ---- Weights --------------------------------------------------------------------------------- */

/* A block of one group's output channels. */
typedef struct {
    size_t group, channel, channels, width; /* the first, counted in all groups; laid out */
    float *weights;
} block;

static block block_at(const packed *call, size_t group, size_t index)
{
    const layer_packed *const plan = &call->plan;
    const size_t first = index * LAYER_PACKED_BLOCK;
    return (block){
        .group = group,
        .channel = group * plan->group_channels + first,
        .channels = layer_smaller(LAYER_PACKED_BLOCK, plan->group_channels - first),
        .width = layer_smaller(LAYER_PACKED_BLOCK, plan->packed_channels - first),
        .weights = call->packed + (group * plan->packed_channels + first) * plan->depth,
    };
}

static void lay_out_block(void *argument, size_t task, int thread)
{
    (void)thread;
    const packed *const call = argument;
    const layer_packed *const plan = &call->plan;
    const block of = block_at(call, task / plan->blocks, task % plan->blocks);
    /* Where nothing is skipped, products keep the order of the weights. */
    layer_packed_weights part = {
        .channels = of.channels,
        .kernel = plan->skips ? plan->kernel : 1,
        .depth = plan->depth,
        .width = of.width,
    };
    const size_t inputs = plan->depth / part.kernel;
    const size_t some = plan->skips ? plan->interleaved : inputs;
    for (size_t first = 0; first < inputs; first += some) {
        const size_t place = first * part.kernel;
        part.weight = call->weight + of.channel * plan->depth + place;
        part.inputs = layer_smaller(some, inputs - first);
        call->kernels->lay_out(&part, of.weights + place * of.width);
    }
}

static size_t prepared_size(const layer_conv *conv)
{
    const layer_packed plan = layer_packed_plan(conv);
    return plan.groups * plan.packed_channels * plan.depth * sizeof(float);
}

static layer_status prepare(const layer_conv *conv, const float *weight, float *prepared,
                            const layer_run *run)
{
    packed call = begin(conv, run);
    call.weight = weight;
    call.packed = prepared;
    return layer_run_tasks(run, call.plan.groups * call.plan.blocks, lay_out_block, &call);
}

/* ---- The fields of a round ------------------------------------------------------------------- */

static const float *channels_of(const packed *call, size_t sample)
{
    const layer_conv *const conv = call->conv;
    return call->input + sample * (size_t)conv->input.extent[1] * layer_conv_input_plane(conv);
}

static void fill_channels(void *argument, size_t task, int thread)
{
    (void)thread;
    const packed *const call = argument;
    const layer_field *const field = &call->plan.field;
    const size_t channels = (size_t)call->conv->input.extent[1];
    const size_t chunks = layer_blocks_of(channels, FILL_CHANNELS);
    const size_t index = task / chunks, first = task % chunks * FILL_CHANNELS;
    const layer_packed_unit unit = layer_packed_unit_at(&call->plan, call->first + index);
    call->fields->fill(field, &unit.band,
                       channels_of(call, unit.sample) + first * layer_conv_input_plane(call->conv),
                       (int)layer_smaller(FILL_CHANNELS, channels - first),
                       call->cells + index * field->count + first * field->channel_step);
}

/* What a group's outputs of the round's unit `index` meet first. */
static const float *cells_of(const packed *call, const layer_packed_unit *unit, size_t index,
                             size_t group)
{
    const layer_field *const field = &call->plan.field;
    const float *const cells =
        call->plan.is_filled
            ? call->cells + index * field->count
            : layer_field_within(field, &unit->band, channels_of(call, unit->sample));
    return cells + group * (size_t)call->conv->weight.extent[1] * field->channel_step;
}

/* ---- A task ---------------------------------------------------------------------------------- */

/* A task's share of a unit, for one block of channels. */
typedef struct {
    const layer_packed_unit *unit;
    const layer_packed_strip *strip;
    const float *cells;
    float *sums;
} share;

static void store_sums(const packed *call, const share *part, const block *of)
{
    const layer_packed *const plan = &call->plan;
    const layer_band *const band = &part->unit->band;
    const size_t plane = plan->lines * plan->width;
    const size_t channel = part->unit->sample * plan->groups * plan->group_channels + of->channel;
    const size_t line = (size_t)band->line + part->strip->line;
    const size_t first = line * plan->width + (size_t)band->column + part->strip->column;
    call->kernels->store(
        part->sums, part->strip->lines * part->strip->columns, of->width, of->channels,
        call->output + (channel * plan->planes + (size_t)band->depth) * plane + first,
        plan->planes * plane);
}

static layer_packed_skips skips_of(const packed *call, const share *part, size_t depth)
{
    const layer_packed *const plan = &call->plan;
    const layer_field *const field = &plan->field;
    const bool goes_down = layer_packed_axis(plan) == LAYER_HEIGHT;
    const layer_window *const window = &field->window[layer_packed_axis(plan)];
    const layer_band *const band = &part->unit->band;
    return (layer_packed_skips){
        .window = plan->skips ? window : NULL,
        .goes_down = goes_down,
        .is_flipped = field->is_flipped,
        .first = goes_down ? band->line + (int)part->strip->line
                           : band->column + (int)part->strip->column,
        .each = depth / (size_t)window->kernel,
    };
}

static void compute_block(const packed *call, const share *part, const block *of)
{
    const layer_packed *const plan = &call->plan;
    float start[LAYER_PACKED_BLOCK] = {0};
    for (size_t i = 0; call->bias != NULL && i < of->channels; i++)
        start[i] = call->bias[of->channel + i];
    layer_packed_sums sums = {
        .cells = part->cells,
        .channels = of->width,
        .lines = part->strip->lines,
        .columns = part->strip->columns,
        .line_step = plan->field.line_step,
        .start = start,
        .sums = part->sums,
    };
    for (size_t first = 0; first < plan->depth; first += sums.depth, sums.start = NULL) {
        sums.depth = layer_smaller(plan->depth_block, plan->depth - first);
        sums.rows = call->rows + first;
        sums.skips = skips_of(call, part, sums.depth);
        sums.weights = of->weights + first * of->width;
        call->kernels->accumulate(&sums);
    }
    store_sums(call, part, of);
}

/* Tasks: [unit][strip][group][some blocks of channels]. */
static size_t pieces_of(const layer_packed *plan)
{
    return layer_blocks_of(plan->blocks, plan->task_blocks);
}

static void compute_blocks(void *argument, size_t task, int thread)
{
    const packed *const call = argument;
    const layer_packed *const plan = &call->plan;
    const size_t piece = task % pieces_of(plan), set = task / pieces_of(plan);
    const size_t group = set % plan->groups, strips = set / plan->groups;
    const size_t index = strips / plan->strips;
    const layer_packed_unit unit = layer_packed_unit_at(plan, call->first + index);
    const layer_packed_strip strip = layer_packed_strip_at(plan, &unit, strips % plan->strips);
    const share part = {
        .unit = &unit,
        .strip = &strip,
        .cells =
            cells_of(call, &unit, index, group) + strip.line * plan->field.line_step + strip.column,
        .sums = (float *)(void *)(call->rooms + (size_t)thread * plan->sums_size),
    };
    const size_t first = piece * plan->task_blocks;
    const size_t end = layer_smaller(first + plan->task_blocks, plan->blocks);
    for (size_t i = first; i < end && !layer_run_cancelled(call->run); i++) {
        const block of = block_at(call, group, i);
        compute_block(call, &part, &of);
    }
}

/* ---- Running --------------------------------------------------------------------------------- */

static layer_status run_round(packed *call)
{
    const layer_packed *const plan = &call->plan;
    const size_t chunks = layer_blocks_of((size_t)call->conv->input.extent[1], FILL_CHANNELS);
    layer_status status = LAYER_OK;
    call->units = layer_smaller(plan->round_units, plan->units - call->first);
    if (plan->is_filled)
        status = layer_run_tasks(call->run, call->units * chunks, fill_channels, call);
    if (status == LAYER_OK)
        status =
            layer_run_tasks(call->run, call->units * plan->strips * plan->groups * pieces_of(plan),
                            compute_blocks, call);
    return status;
}

static size_t prepared_workspace_size(const layer_conv *conv, int threads)
{
    const layer_packed plan = layer_packed_plan(conv);
    return plan.rows_size + plan.fields_size + (size_t)threads * plan.sums_size;
}

static layer_status forward_prepared(const layer_conv *conv, const float *input,
                                     const float *prepared, const float *bias, float *output,
                                     const layer_run *run)
{
    assert(run->workspace != NULL);
    packed call = begin(conv, run);
    char *const workspace = run->workspace;
    call.input = input;
    call.packed = (float *)prepared;
    call.bias = bias;
    call.output = output;
    call.rows = (size_t *)(void *)workspace;
    call.cells = (float *)(void *)(workspace + call.plan.rows_size);
    call.rooms = workspace + call.plan.rows_size + call.plan.fields_size;
    layer_packed_rows(&call.plan, call.rows);
    layer_status status = LAYER_OK;
    for (; call.first < call.plan.units && status == LAYER_OK; call.first += call.units)
        status = run_round(&call);
    return status;
}

static size_t workspace_size(const layer_conv *conv, int threads)
{
    return prepared_size(conv) + prepared_workspace_size(conv, threads);
}

static layer_status forward(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run)
{
    assert(run->workspace != NULL);
    layer_run rest = *run;
    rest.workspace = (char *)run->workspace + prepared_size(conv);
    const layer_status status = prepare(conv, weight, run->workspace, run);
    return status != LAYER_OK ? status
                              : forward_prepared(conv, input, run->workspace, bias, output, &rest);
}

const layer_conv_implementation layer_conv_implementation_PACKED = {
    .cost = layer_packed_cost,
    .workspace_size = workspace_size,
    .forward = forward,
    .prepared_size = prepared_size,
    .prepare = prepare,
    .prepared_workspace_size = prepared_workspace_size,
    .forward_prepared = forward_prepared,
};
