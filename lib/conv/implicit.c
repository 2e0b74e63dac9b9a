/* Convolution as a matrix product whose right factor, the patches of input that windows see, exists
 * a strip at a time: some columns of it, some of its rows, few enough for the nearest caches. Where
 * the input or its field has those rows as they are, they are read in place.
 * Source: Chetlur et al., "cuDNN: Efficient primitives for deep learning", arXiv:1410.0759, section
 * 3.
 * SPDX-License-Identifier: MIT */
#include "conv/implicit.h"
#include "conv/strips.h"
#include "core/blocks.h"
#include "core/panel.h"
#include "core/tasks.h"

#include <assert.h>

/* Channels of a field that a task fills. */
enum { FILL_CHANNELS = 16 };

typedef struct {
    const layer_conv *conv;
    layer_implicit plan;
    const float *input, *weight, *bias;
    float *output;
    const layer_run *run;
    const layer_panel_kernels *panels;
    const layer_strip_kernels *strips;
    const layer_field_kernels *fields;
    size_t *rows;
    float *cells;        /* the fields of a round */
    char *rooms;         /* a strip for each thread */
    size_t first, units; /* of the round */
} implicit;

/* A band of outputs of all channels of a sample. */
typedef struct {
    size_t sample, first_strip, end_strip;
    size_t first_column; /* the set's, in its plane */
    layer_band band;
    const float *cells; /* [C][channel_step] */
} unit;

/* A task's share of a unit. */
typedef struct {
    const unit *of;
    const float *cells;  /* [C/group][channel_step] */
    const float *weight; /* [channels][depth] */
    const float *bias;   /* [channels] or NULL */
    float *output;       /* [channels][planes][plane], of the unit's plane */
    size_t channels;
    float *gathered;
} share;

static const float *channels_of(const implicit *call, size_t sample)
{
    const layer_conv *const conv = call->conv;
    return call->input + sample * (size_t)conv->input.extent[1] * layer_conv_input_plane(conv);
}

static unit unit_of(const implicit *call, size_t index)
{
    const layer_implicit *const plan = &call->plan;
    const size_t plane_sets = plan->lines / plan->set_lines,
                 sample_sets = plan->planes * plane_sets;
    const size_t set = (call->first + index) / plan->bands;
    const size_t first = (call->first + index) % plan->bands * plan->band_strips;
    unit made = {
        .sample = set / sample_sets,
        .first_strip = first,
        .end_strip = layer_smaller(first + plan->band_strips, plan->set_strips),
        .first_column = set % plane_sets * plan->set_lines * plan->width,
    };
    const size_t begin = made.first_column + layer_implicit_column(plan, first);
    const size_t last = made.first_column + layer_implicit_column(plan, made.end_strip) - 1;
    const bool is_part = plan->set_lines == 1;
    made.band = (layer_band){
        .depth = (int)(set % sample_sets / plane_sets),
        .line = (int)(begin / plan->width),
        .lines = (int)(last / plan->width - begin / plan->width + 1),
        .column = is_part ? (int)(begin % plan->width) : 0,
        .columns = (int)(is_part ? last - begin + 1 : plan->width),
    };
    made.cells = plan->is_filled
                     ? call->cells + index * plan->field.count
                     : layer_field_within(&plan->field, &made.band, channels_of(call, made.sample));
    return made;
}

/* ---- The fields of a round ------------------------------------------------------------------- */

static void fill_channels(void *argument, size_t task, int thread)
{
    (void)thread;
    const implicit *const call = argument;
    const layer_field *const field = &call->plan.field;
    const size_t channels = (size_t)call->conv->input.extent[1];
    const size_t chunks = layer_blocks_of(channels, FILL_CHANNELS);
    const size_t index = task / chunks, first = task % chunks * FILL_CHANNELS;
    const unit of = unit_of(call, index);
    call->fields->fill(field, &of.band,
                       channels_of(call, of.sample) + first * layer_conv_input_plane(call->conv),
                       (int)layer_smaller(FILL_CHANNELS, channels - first),
                       call->cells + index * field->count + first * field->channel_step);
}

/* ---- A task ---------------------------------------------------------------------------------- */

/* Which cell of its field a column meets first. */
static size_t cell_of(const implicit *call, const unit *of, size_t column)
{
    const size_t width = call->plan.width;
    return (column / width - (size_t)of->band.line) * call->plan.field.line_step + column % width -
           (size_t)of->band.column;
}

static void find_runs(const implicit *call, const unit *of, size_t column, layer_strip *strip)
{
    layer_strip_run *run = strip->runs;
    *run = (layer_strip_run){cell_of(call, of, column), 0, 0};
    for (size_t done = 0, some; done < strip->columns; done += some) {
        const size_t cell = cell_of(call, of, column + done), width = call->plan.width;
        if (cell != run->cell + run->columns)
            *++run = (layer_strip_run){cell, done, 0};
        some = layer_smaller(width - (column + done) % width, strip->columns - done);
        run->columns += some;
    }
    strip->run_count = (size_t)(run - strip->runs) + 1;
}

/* Rows of the patch matrix that lie a channel's step apart, from `first` on; and those that are
 * likely next, of further channels or the next strip. */
static void find_even_rows(const implicit *call, size_t first, const layer_strip *strip,
                           layer_panel *panel)
{
    const size_t step = call->plan.field.channel_step, next = first + panel->depth;
    const float *const rows = strip->cells + strip->runs[0].cell;
    panel->right = rows + first * step;
    panel->right_leading = step;
    panel->next = next < call->plan.depth ? rows + next * step : rows + strip->columns;
}

/* Where the panel finds its rows of the patch matrix, from `first` on. */
static void find_rows(const implicit *call, size_t first, layer_strip *strip, layer_panel *panel)
{
    if (call->plan.is_even) {
        find_even_rows(call, first, strip, panel);
        return;
    }
    strip->rows = call->rows + first;
    strip->count = panel->depth;
    if (call->plan.in_place) {
        panel->right = strip->cells + strip->runs[0].cell;
        panel->right_rows = strip->rows;
        return;
    }
    call->strips->gather(strip);
    panel->right = strip->gathered;
    panel->right_leading = strip->leading;
}

/* Strips `index` and on, but not `end`. */
static void compute_strips(const implicit *call, const share *part, size_t index, size_t end)
{
    const layer_implicit *const plan = &call->plan;
    const size_t begin = layer_implicit_column(plan, index);
    const size_t column = part->of->first_column + begin;
    layer_strip strip;
    strip.cells = part->cells;
    strip.columns = layer_implicit_column(plan, end) - begin;
    strip.gathered = part->gathered;
    strip.leading = plan->strip_columns;
    find_runs(call, part->of, column, &strip);
    layer_panel panel = {
        .rows = part->channels,
        .columns = strip.columns,
        .left_leading = plan->depth,
        .start = part->bias,
        .result = part->output + column,
        .result_leading = plan->planes * plan->lines * plan->width,
    };
    for (size_t first = 0; first < plan->depth; first += plan->strip_rows) {
        panel.depth = layer_smaller(plan->strip_rows, plan->depth - first);
        panel.left = part->weight + first;
        panel.accumulates = first > 0;
        find_rows(call, first, &strip, &panel);
        call->panels->multiply(&panel);
    }
}

/* How many strips from `index` on can be multiplied as if they were one. */
static size_t strips_at_once(const layer_implicit *plan, size_t index)
{
    const bool are_one = plan->in_place && plan->line_strips > 0 && plan->depth <= plan->strip_rows;
    return are_one ? plan->line_strips - index % plan->line_strips : 1;
}

static size_t blocks_of(const layer_implicit *plan)
{
    return layer_blocks_of(plan->group_channels, plan->block_channels);
}

static share share_of(const implicit *call, const unit *of, size_t index, int thread)
{
    const layer_implicit *const plan = &call->plan;
    const size_t group = index / blocks_of(plan);
    const size_t first = index % blocks_of(plan) * plan->block_channels; /* channel of the group */
    const size_t channel = group * plan->group_channels + first;
    const size_t plane = plan->lines * plan->width;
    const size_t inputs = (size_t)call->conv->weight.extent[1];
    return (share){
        .of = of,
        .cells = of->cells + group * inputs * plan->field.channel_step,
        .weight = call->weight + channel * plan->depth,
        .bias = call->bias == NULL ? NULL : call->bias + channel,
        .output = call->output +
                  ((of->sample * plan->groups * plan->group_channels + channel) * plan->planes +
                   (size_t)of->band.depth) *
                      plane,
        .channels = layer_smaller(plan->block_channels, plan->group_channels - first),
        .gathered = plan->in_place
                        ? NULL
                        : (float *)(void *)(call->rooms + (size_t)thread * plan->strip_size),
    };
}

/* Tasks: [unit][strips][group][block of channels]. */
static size_t tasks_of(const layer_implicit *plan)
{
    return layer_blocks_of(plan->band_strips, plan->task_strips) * plan->groups * blocks_of(plan);
}

static void multiply_strips(void *argument, size_t task, int thread)
{
    const implicit *const call = argument;
    const layer_implicit *const plan = &call->plan;
    const size_t blocks = plan->groups * blocks_of(plan), tasks = tasks_of(plan);
    const unit of = unit_of(call, task / tasks);
    const share part = share_of(call, &of, task % blocks, thread);
    const size_t first = of.first_strip + task % tasks / blocks * plan->task_strips;
    const size_t end = layer_smaller(first + plan->task_strips, of.end_strip);
    for (size_t i = first, next; i < end && !layer_run_cancelled(call->run); i = next) {
        next = layer_smaller(i + strips_at_once(plan, i), end);
        compute_strips(call, &part, i, next);
    }
}

/* ---- Running --------------------------------------------------------------------------------- */

static layer_status run_round(implicit *call)
{
    const layer_implicit *const plan = &call->plan;
    const size_t chunks = layer_blocks_of((size_t)call->conv->input.extent[1], FILL_CHANNELS);
    layer_status status = LAYER_OK;
    call->units = layer_smaller(plan->round_units, plan->units - call->first);
    if (plan->is_filled)
        status = layer_run_tasks(call->run, call->units * chunks, fill_channels, call);
    if (status == LAYER_OK)
        status = layer_run_tasks(call->run, call->units * tasks_of(plan), multiply_strips, call);
    return status;
}

static size_t workspace_size(const layer_conv *conv, int threads)
{
    const layer_implicit plan = layer_implicit_plan(conv);
    return plan.rows_size + plan.fields_size + (size_t)threads * plan.strip_size;
}

static layer_status forward(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run)
{
    implicit call = {
        .conv = conv,
        .plan = layer_implicit_plan(conv),
        .input = input,
        .weight = weight,
        .bias = bias,
        .output = output,
        .run = run,
        .panels = layer_panel_kernels_at(run->isa),
        .strips = layer_strip_kernels_at(run->isa),
        .fields = layer_field_kernels_at(run->isa),
    };
    char *const workspace = run->workspace;
    assert(workspace != NULL || workspace_size(conv, 1) == 0);
    if (workspace != NULL) {
        call.rows = (size_t *)(void *)workspace;
        call.cells = (float *)(void *)(workspace + call.plan.rows_size);
        call.rooms = workspace + call.plan.rows_size + call.plan.fields_size;
    }
    if (!call.plan.is_even)
        layer_field_rows(&call.plan.field, (size_t)conv->weight.extent[1], call.rows);
    layer_status status = LAYER_OK;
    for (; call.first < call.plan.units && status == LAYER_OK; call.first += call.units)
        status = run_round(&call);
    return status;
}

/* Gathering costs the same for few output channels as for many, which share it; vectors of a small
 * plane may be nearly empty. */
static double cost(const layer_conv *conv)
{
    const double rate = 1.2, shared = 1, by_line = 2, across_lines = 5;
    const layer_implicit plan = layer_implicit_plan(conv);
    const double gathered = plan.line_strips > 0 ? by_line : across_lines;
    const double once = shared + (plan.in_place && !plan.is_filled ? 0 : gathered);
    return (double)conv->multiplications * (rate + once / (double)plan.group_channels) *
           layer_conv_vector_waste(layer_conv_output_plane(conv));
}

const layer_conv_implementation layer_conv_implementation_IMPLICIT = {
    .cost = cost,
    .workspace_size = workspace_size,
    .forward = forward,
};
