/* The gradient of a convolution with respect to its weight by Winograd's algorithm: for each point
 * a product of matrices over all tiles, outputs' gradients by inputs, both transformed.
 * SPDX-License-Identifier: MIT */
#include "conv/grad_weight.h"
#include "conv/implementation.h"
#include "conv/winograd.h"
#include "conv/winograd_gradient.h"
#include "core/blocks.h"
#include "core/panel.h"
#include "core/tasks.h"
#include "core/turn.h"

enum { LINE = 16, OUTPUTS = LAYER_GRADIENT_OUTPUTS, POINTS = LAYER_GRADIENT_POINTS };
enum { CELLS = LAYER_GRADIENT_CELLS };

/* The most tiles of a strip, by what transforms can take; and floats of what a round transforms,
 * which level 2 keeps until they are multiplied. As many as there are sums, if those are more: else
 * adding to them would take the time. */
enum { MOST_STRIP = (LAYER_WINOGRAD_SPAN - 2) / OUTPUTS };
enum { ROUND_COUNT = 1 << 18, MOST_ROUND_COUNT = 1 << 22 };

/* A task's weights: so many input and output channels at most, fewer of the latter where there
 * would be few tasks. Tiles that a product adds up, and channels that a task transforms. */
enum { MOST_INPUTS = 64, MOST_OUTPUTS = 64, LEAST_OUTPUTS = 16, FEWEST_TASKS = 4 };
enum { DEPTH = 192, TRANSFORMED = 32 };

/* Sums of all points, in floats, that are worth the memory from round to round. */
enum { MOST_SUMS = 1 << 23 };

typedef struct {
    size_t groups, inputs, outputs;     /* the latter two of a group */
    size_t tile_rows, row_tiles;        /* of a sample, of a row */
    size_t strip_tiles, parts;          /* of a strip, strips of a row */
    size_t rows, round_rows;            /* of tiles, of all samples and of a round */
    size_t input_chunks, output_chunks; /* that tasks transform */
    size_t block_inputs, input_blocks, block_outputs, output_blocks, tasks;
    /* Floats. Inputs: [group][point][tile][channel]; gradients: [group][point][channel][tile];
     * sums: [point][output][input]. */
    size_t input_tile, input_point, gradient_channel, gradient_point, sum_row, sum_point;
    size_t inputs_count, gradients_count, sums_count; /* of all groups, of a task */
} plan;

typedef struct {
    const layer_conv *conv;
    plan made;
    const float *input, *grad_output;
    float *gradient;
    const layer_run *run;
    const layer_winograd_kernels *forward;
    const layer_winograd_gradient_kernels *kernels;
    const layer_panel_kernels *panels;
    const layer_turn_kernels *turns;
    float *inputs, *gradients; /* transformed */
    float *sums;               /* of each task, or with a single round of each thread */
    float *scratch;            /* of each thread */
    size_t first, rows;        /* of the round */
} winograd;

/* ---- The plan -------------------------------------------------------------------------------- */

static size_t padded(size_t count)
{
    return layer_blocks_of(count, LINE) * LINE;
}

static void plan_tiles(plan *made, const layer_conv *conv)
{
    made->tile_rows = layer_blocks_of((size_t)conv->window[LAYER_HEIGHT].output, OUTPUTS);
    made->row_tiles = layer_blocks_of((size_t)conv->window[LAYER_WIDTH].output, OUTPUTS);
    const size_t parts = layer_blocks_of(made->row_tiles, MOST_STRIP);
    made->strip_tiles = layer_blocks_of(made->row_tiles, parts);
    made->parts = layer_blocks_of(made->row_tiles, made->strip_tiles);
    made->rows = (size_t)conv->input.extent[0] * made->tile_rows;
}

static void plan_blocks(plan *made)
{
    const size_t inputs = layer_blocks_of(made->inputs, MOST_INPUTS);
    made->block_inputs = padded(layer_blocks_of(made->inputs, inputs));
    made->input_blocks = layer_blocks_of(made->inputs, made->block_inputs);
    const size_t others = made->groups * made->input_blocks;
    const size_t most = others * layer_blocks_of(made->outputs, MOST_OUTPUTS) < FEWEST_TASKS
                            ? LEAST_OUTPUTS
                            : MOST_OUTPUTS;
    const size_t blocks = layer_blocks_of(made->outputs, most);
    made->block_outputs = layer_blocks_of(made->outputs, blocks);
    made->output_blocks = layer_blocks_of(made->outputs, made->block_outputs);
    made->tasks = others * made->output_blocks;
}

/* A line of slack, or an odd number of lines, keeps apart what would otherwise fall into one set of
 * the cache. */
static void plan_room(plan *made)
{
    made->input_tile = padded(made->inputs) + LINE;
    const size_t tile = made->groups * POINTS * (made->input_tile + made->outputs);
    const size_t sums = made->groups * POINTS * made->inputs * made->outputs;
    const size_t count = layer_smaller(layer_larger(ROUND_COUNT, sums), MOST_ROUND_COUNT);
    const size_t fitting = layer_larger(count / (tile * made->row_tiles), 1);
    made->round_rows = layer_smaller(fitting, made->rows);
    const size_t tiles = made->round_rows * made->row_tiles;
    made->input_point = tiles * made->input_tile + LINE;
    made->gradient_channel = (layer_blocks_of(tiles, LINE) | 1) * LINE;
    made->gradient_point = made->outputs * made->gradient_channel + LINE;
    made->inputs_count = made->groups * POINTS * made->input_point;
    made->gradients_count = made->groups * POINTS * made->gradient_point;
    made->sum_row = made->block_inputs;
    made->sum_point = made->block_outputs * made->sum_row + LINE;
    made->sums_count = POINTS * made->sum_point;
}

static plan plan_of(const layer_conv *conv)
{
    plan made = {
        .groups = (size_t)conv->group,
        .inputs = (size_t)conv->weight.extent[1],
        .outputs = (size_t)(conv->weight.extent[0] / conv->group),
    };
    plan_tiles(&made, conv);
    plan_blocks(&made);
    plan_room(&made);
    made.input_chunks = layer_blocks_of(made.inputs, TRANSFORMED);
    made.output_chunks = layer_blocks_of(made.outputs, TRANSFORMED);
    return made;
}

/* ---- Transforming ---------------------------------------------------------------------------- */

/* A strip of tiles of the round. */
typedef struct {
    size_t sample, row;   /* of tiles */
    size_t column, tiles; /* of tiles */
    size_t index;         /* of the first tile, in the round */
} strip;

static strip strip_of(const winograd *call, size_t index)
{
    const plan *const made = &call->made;
    const size_t row = index / made->parts, column = index % made->parts * made->strip_tiles;
    return (strip){
        .sample = (call->first + row) / made->tile_rows,
        .row = (call->first + row) % made->tile_rows,
        .column = column,
        .tiles = layer_smaller(made->strip_tiles, made->row_tiles - column),
        .index = row * made->row_tiles + column,
    };
}

/* Tasks: [strip][group][chunk of channels]. */
static void transform_inputs(void *argument, size_t task, int thread)
{
    const winograd *const call = argument;
    const plan *const made = &call->made;
    const layer_window *const window = call->conv->window;
    const size_t first = task % made->input_chunks * TRANSFORMED;
    const size_t group = task / made->input_chunks % made->groups;
    const strip at = strip_of(call, task / made->input_chunks / made->groups);
    const size_t channel = (at.sample * made->groups + group) * made->inputs + first;
    call->forward->transform_input(&(layer_winograd_input){
        .input = call->input + channel * layer_conv_input_plane(call->conv),
        .height = window[LAYER_HEIGHT].input,
        .width = window[LAYER_WIDTH].input,
        .channels = layer_smaller(TRANSFORMED, made->inputs - first),
        .top = (ptrdiff_t)(at.row * OUTPUTS) - window[LAYER_HEIGHT].pad_begin,
        .left = (ptrdiff_t)(at.column * OUTPUTS) - window[LAYER_WIDTH].pad_begin,
        .tiles = at.tiles,
        .transformed =
            call->inputs + group * POINTS * made->input_point + at.index * made->input_tile + first,
        .point_stride = made->input_point,
        .tile_stride = made->input_tile,
        .scratch = call->scratch + (size_t)thread * LAYER_WINOGRAD_SCRATCH,
    });
}

static void transform_gradients(void *argument, size_t task, int thread)
{
    const winograd *const call = argument;
    const plan *const made = &call->made;
    const size_t height = (size_t)call->conv->window[LAYER_HEIGHT].output;
    const size_t width = (size_t)call->conv->window[LAYER_WIDTH].output;
    const size_t first = task % made->output_chunks * TRANSFORMED;
    const size_t group = task / made->output_chunks % made->groups;
    const strip at = strip_of(call, task / made->output_chunks / made->groups);
    const size_t channel = (at.sample * made->groups + group) * made->outputs + first;
    const size_t line = at.row * OUTPUTS, column = at.column * OUTPUTS;
    call->kernels->transform_gradient(&(layer_winograd_gradient){
        .gradient = call->grad_output + (channel * height + line) * width + column,
        .plane = height * width,
        .width = width,
        .outputs = layer_smaller(TRANSFORMED, made->outputs - first),
        .rows = layer_smaller(OUTPUTS, height - line),
        .columns = layer_smaller(at.tiles * OUTPUTS, width - column),
        .tiles = at.tiles,
        .transformed = call->gradients + group * POINTS * made->gradient_point +
                       first * made->gradient_channel + at.index,
        .point_stride = made->gradient_point,
        .output_stride = made->gradient_channel,
        .scratch = call->scratch + (size_t)thread * LAYER_WINOGRAD_SCRATCH,
    });
}

/* ---- Multiplying ----------------------------------------------------------------------------- */

/* A task's weights. */
typedef struct {
    size_t group, output, outputs, input, inputs; /* outputs and inputs: of the group */
    float *sums;
} share;

static share share_of(const winograd *call, size_t task, int thread)
{
    const plan *const made = &call->made;
    const size_t output = task % made->output_blocks * made->block_outputs;
    const size_t input = task / made->output_blocks % made->input_blocks * made->block_inputs;
    const size_t room = made->round_rows < made->rows ? task : (size_t)thread;
    return (share){
        .group = task / made->output_blocks / made->input_blocks,
        .output = output,
        .outputs = layer_smaller(made->block_outputs, made->outputs - output),
        .input = input,
        .inputs = layer_smaller(made->block_inputs, made->inputs - input),
        .sums = call->sums + room * made->sums_count,
    };
}

static void multiply_point(const winograd *call, const share *part, size_t point)
{
    const plan *const made = &call->made;
    const size_t tiles = call->rows * made->row_tiles, at = part->group * POINTS + point;
    const size_t pieces = layer_blocks_of(tiles, DEPTH);
    const float *const left =
        call->gradients + at * made->gradient_point + part->output * made->gradient_channel;
    const float *const right = call->inputs + at * made->input_point + part->input;
    const bool is_far = made->inputs_count > ROUND_COUNT, is_last = point + 1 == POINTS;
    for (size_t i = 0; i < pieces; i++) {
        const size_t first = tiles * i / pieces, end = tiles * (i + 1) / pieces;
        const size_t next = i + 1 < pieces ? end * made->input_tile : made->input_point;
        call->panels->multiply(&(layer_panel){
            .rows = part->outputs,
            .columns = part->inputs,
            .depth = end - first,
            .left = left + first,
            .right = right + first * made->input_tile,
            .result = part->sums + point * made->sum_point,
            .left_leading = made->gradient_channel,
            .right_leading = made->input_tile,
            .result_leading = made->sum_row,
            .accumulates = call->first > 0 || i > 0,
            .next = is_far && !(is_last && i + 1 == pieces) ? right + next : NULL,
        });
    }
}

/* Of each output channel, [cell][input channel] becomes [input channel][cell]. */
static void write_weights(const winograd *call, const share *part)
{
    const plan *const made = &call->made;
    const bool is_flipped = call->conv->mode == LAYER_CONV_CONVOLUTION;
    const ptrdiff_t step = (ptrdiff_t)made->sum_point;
    for (size_t k = 0; k < part->outputs; k++) {
        const size_t output = part->group * made->outputs + part->output + k;
        const float *const sums = part->sums + k * made->sum_row;
        call->turns->turn(&(layer_turn){
            .from = is_flipped ? sums + (CELLS - 1) * step : sums,
            .from_leading = is_flipped ? -step : step,
            .step = 1,
            .rows = CELLS,
            .columns = part->inputs,
            .to = call->gradient + (output * made->inputs + part->input) * CELLS,
            .to_leading = CELLS,
        });
    }
}

static void multiply_task(void *argument, size_t task, int thread)
{
    const winograd *const call = argument;
    const plan *const made = &call->made;
    const share part = share_of(call, task, thread);
    for (size_t point = 0; point < POINTS && !layer_run_cancelled(call->run); point++)
        multiply_point(call, &part, point);
    if (call->first + call->rows < made->rows)
        return;
    call->kernels->transform_sums(part.sums, made->sum_point, part.outputs * made->sum_row);
    write_weights(call, &part);
}

/* ---- Running --------------------------------------------------------------------------------- */

static size_t rooms_of(const plan *made, size_t threads)
{
    return made->round_rows < made->rows ? made->tasks : threads;
}

size_t layer_grad_weight_winograd_size(const layer_conv *conv, int threads)
{
    const plan made = plan_of(conv);
    return (made.inputs_count + made.gradients_count +
            rooms_of(&made, (size_t)threads) * made.sums_count +
            (size_t)threads * LAYER_WINOGRAD_SCRATCH) *
           sizeof(float);
}

static layer_status run_round(winograd *call)
{
    const plan *const made = &call->made;
    const size_t strips = call->rows * made->parts * made->groups;
    layer_status status =
        layer_run_tasks(call->run, strips * made->input_chunks, transform_inputs, call);
    if (status == LAYER_OK)
        status =
            layer_run_tasks(call->run, strips * made->output_chunks, transform_gradients, call);
    return status == LAYER_OK ? layer_run_tasks(call->run, made->tasks, multiply_task, call)
                              : status;
}

layer_status layer_grad_weight_winograd(const layer_conv *conv, const float *input,
                                        const float *grad_output, float *gradient,
                                        const layer_run *run)
{
    winograd call = {
        .conv = conv,
        .made = plan_of(conv),
        .input = input,
        .grad_output = grad_output,
        .gradient = gradient,
        .run = run,
        .forward = layer_winograd4_kernels_at(run->isa),
        .kernels = layer_winograd_gradient_kernels_at(run->isa),
        .panels = layer_panel_kernels_at(run->isa),
        .turns = layer_turn_kernels_at(run->isa),
        .inputs = run->workspace,
    };
    const plan *const made = &call.made;
    layer_status status = LAYER_OK;
    call.gradients = call.inputs + made->inputs_count;
    call.sums = call.gradients + made->gradients_count;
    call.scratch = call.sums + rooms_of(made, (size_t)layer_run_threads(run)) * made->sums_count;
    for (; call.first < made->rows && status == LAYER_OK; call.first += call.rows) {
        call.rows = layer_smaller(made->round_rows, made->rows - call.first);
        status = run_round(&call);
    }
    return status;
}

/* ---- When ------------------------------------------------------------------------------------ */

static bool computes(const layer_conv *conv)
{
    const layer_window *const height = &conv->window[LAYER_HEIGHT];
    const layer_window *const width = &conv->window[LAYER_WIDTH];
    return conv->axes == 2 && height->kernel == 3 && width->kernel == 3 && height->stride == 1 &&
           width->stride == 1 && height->dilation == 1 && width->dilation == 1;
}

bool layer_grad_weight_winograd_is_best(const layer_conv *conv)
{
    const double transform = 4, join = 16, product = 1.1; /* of a float; of a multiplication */
    const plan made = plan_of(conv);
    const double inputs = (double)made.inputs, outputs = (double)made.outputs;
    const double tiles = (double)made.rows * (double)made.row_tiles;
    if (!computes(conv) || made.inputs < LINE || made.outputs < LINE ||
        (made.round_rows < made.rows && made.tasks * made.sums_count > MOST_SUMS))
        return false;
    const double cost = POINTS * (tiles * inputs * outputs * product +
                                  tiles * (inputs + outputs) * transform + inputs * outputs * join);
    return cost * (double)made.groups < (double)conv->multiplications * product;
}
