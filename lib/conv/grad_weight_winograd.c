/* The gradient of a convolution with respect to its weight by Winograd's algorithm: for each point
 * a product of matrices over all tiles, outputs' gradients by inputs, both transformed.
 * SPDX-License-Identifier: MIT */
#include "conv/grad_weight.h"
#include "conv/gradient_plan.h"
#include "conv/winograd.h"
#include "core/blocks.h"
#include "core/panel.h"
#include "core/tasks.h"
#include "core/turn.h"

enum { LINE = 16, OUTPUTS = LAYER_GRADIENT_OUTPUTS, POINTS = LAYER_GRADIENT_POINTS };
enum { CELLS = LAYER_GRADIENT_CELLS, TRANSFORMED = LAYER_GRADIENT_CHANNELS };

/* Tiles that a product adds up. */
enum { DEPTH = 192 };

/* Sums of all points, in floats, that are worth the memory from round to round. */
enum { MOST_SUMS = 1 << 23 };

typedef struct {
    const layer_conv *conv;
    layer_gradient_plan made;
    const float *input, *grad_output;
    float *gradient;
    const layer_run *run;
    const layer_winograd_kernels *forward;
    const layer_winograd_gradient_kernels *kernels;
    const layer_panel_kernels *panels;
    const layer_turn_kernels *turns;
    float *inputs, *gradients; /* transformed */
    float *sums;               /* of each block, or with a single round of each thread */
    float *scratch;            /* of each thread */
    size_t begin, first, rows; /* of a section, of the round */
} winograd;

/* ---- Transforming ---------------------------------------------------------------------------- */

/* A strip of tiles of the round. */
typedef struct {
    size_t sample, row;   /* of tiles */
    size_t column, tiles; /* of tiles */
    size_t index;         /* of the first tile, in the round */
} strip;

static strip strip_of(const winograd *call, size_t index)
{
    const layer_gradient_plan *const made = &call->made;
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
    const layer_gradient_plan *const made = &call->made;
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
    const layer_gradient_plan *const made = &call->made;
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

/* A block's weights. */
typedef struct {
    size_t group, output, outputs, input, inputs; /* outputs and inputs: of the group */
    float *sums;
} share;

static share share_of(const winograd *call, size_t block, size_t room)
{
    const layer_gradient_plan *const made = &call->made;
    const size_t output = block % made->output_blocks * made->block_outputs;
    const size_t input = block / made->output_blocks % made->input_blocks * made->block_inputs;
    return (share){
        .group = block / made->output_blocks / made->input_blocks,
        .output = output,
        .outputs = layer_smaller(made->block_outputs, made->outputs - output),
        .input = input,
        .inputs = layer_smaller(made->block_inputs, made->inputs - input),
        .sums = call->sums + room * made->sums_count,
    };
}

static void multiply_point(const winograd *call, const share *part, size_t point)
{
    const layer_gradient_plan *const made = &call->made;
    const size_t tiles = call->rows * made->row_tiles, at = part->group * POINTS + point;
    const size_t pieces = layer_blocks_of(tiles, DEPTH);
    const float *const left =
        call->gradients + at * made->gradient_point + part->output * made->gradient_channel;
    const float *const right = call->inputs + at * made->input_point + part->input;
    const bool is_far = made->inputs_count > LAYER_GRADIENT_NEAR, is_last = point + 1 == POINTS;
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
            .accumulates = call->first > call->begin || i > 0,
            .next = is_far && !(is_last && i + 1 == pieces) ? right + next : NULL,
        });
    }
}

/* Of each output channel, [cell][input channel] becomes [input channel][cell]. */
static void write_weights(const winograd *call, const share *part)
{
    const layer_gradient_plan *const made = &call->made;
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

static void multiply_block(const winograd *call, const share *part)
{
    for (size_t point = 0; point < POINTS && !layer_run_cancelled(call->run); point++)
        multiply_point(call, part, point);
}

static void finish_block(const winograd *call, const share *part)
{
    const layer_gradient_plan *const made = &call->made;
    call->kernels->transform_sums(part->sums, made->sum_point, part->outputs * made->sum_row);
    write_weights(call, part);
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

static void multiply_task(void *argument, size_t block, int thread)
{
    const winograd *const call = argument;
    const layer_gradient_plan *const made = &call->made;
    const bool is_only = made->round_rows == made->rows;
    const share part = share_of(call, block, is_only ? (size_t)thread : block);
    multiply_block(call, &part);
    if (call->first + call->rows == made->rows)
        finish_block(call, &part);
}

static size_t strips_of(const winograd *call)
{
    return call->rows * call->made.parts * call->made.groups;
}

static layer_status run_rounds(winograd *call)
{
    const layer_gradient_plan *const made = &call->made;
    layer_status status = LAYER_OK;
    for (; call->first < made->rows && status == LAYER_OK; call->first += call->rows) {
        call->rows = layer_smaller(made->round_rows, made->rows - call->first);
        const size_t strips = strips_of(call);
        status = layer_run_tasks(call->run, strips * made->input_chunks, transform_inputs, call);
        if (status == LAYER_OK)
            status =
                layer_run_tasks(call->run, strips * made->output_chunks, transform_gradients, call);
        if (status == LAYER_OK)
            status = layer_run_tasks(call->run, made->blocks, multiply_task, call);
    }
    return status;
}

/* ---- Sections -------------------------------------------------------------------------------- */

/* A round of a section, all by this thread. */
static void compute_round(winograd *own, int thread)
{
    const layer_gradient_plan *const made = &own->made;
    const size_t strips = strips_of(own);
    for (size_t task = 0; task < strips * made->input_chunks; task++)
        transform_inputs(own, task, thread);
    for (size_t task = 0; task < strips * made->output_chunks; task++)
        transform_gradients(own, task, thread);
    for (size_t block = 0; block < made->blocks; block++) {
        const share part = share_of(own, block, block);
        multiply_block(own, &part);
    }
}

static void compute_section(void *argument, size_t section, int thread)
{
    const winograd *const call = argument;
    const layer_gradient_plan *const made = &call->made;
    const size_t end = made->rows * (section + 1) / made->sections;
    winograd own = *call;
    own.inputs += (size_t)thread * made->inputs_count;
    own.gradients += (size_t)thread * made->gradients_count;
    own.sums += section * made->blocks * made->sums_count;
    own.begin = own.first = made->rows * section / made->sections;
    for (; own.first < end && !layer_run_cancelled(call->run); own.first += own.rows) {
        own.rows = layer_smaller(made->round_rows, end - own.first);
        compute_round(&own, thread);
    }
}

static void join_sections(void *argument, size_t block, int thread)
{
    (void)thread;
    const winograd *const call = argument;
    const layer_gradient_plan *const made = &call->made;
    const share part = share_of(call, block, block);
    for (size_t section = 1; section < made->sections; section++) {
        float *restrict const sums = part.sums;
        const float *restrict const added = sums + section * made->blocks * made->sums_count;
        for (size_t i = 0; i < made->sums_count; i++)
            sums[i] += added[i];
    }
    finish_block(call, &part);
}

static layer_status run_sections(winograd *call)
{
    const layer_gradient_plan *const made = &call->made;
    const layer_status status = layer_run_tasks(call->run, made->sections, compute_section, call);
    return status == LAYER_OK ? layer_run_tasks(call->run, made->blocks, join_sections, call)
                              : status;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* How often there is room for what a round transforms, and for the sums of a block. */
static size_t rounds_rooms(const layer_gradient_plan *made, size_t threads)
{
    return made->sections > 1 ? threads : 1;
}

static size_t sums_rooms(const layer_gradient_plan *made, size_t threads)
{
    const bool is_only = made->round_rows == made->rows;
    return is_only ? threads : made->sections * made->blocks;
}

size_t layer_grad_weight_winograd_size(const layer_conv *conv, int threads)
{
    const layer_gradient_plan made = layer_gradient_plan_of(conv);
    const size_t rooms = rounds_rooms(&made, (size_t)threads);
    return (rooms * (made.inputs_count + made.gradients_count) +
            sums_rooms(&made, (size_t)threads) * made.sums_count +
            (size_t)threads * LAYER_WINOGRAD_SCRATCH) *
           sizeof(float);
}

layer_status layer_grad_weight_winograd(const layer_conv *conv, const float *input,
                                        const float *grad_output, float *gradient,
                                        const layer_run *run)
{
    winograd call = {
        .conv = conv,
        .made = layer_gradient_plan_of(conv),
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
    const layer_gradient_plan *const made = &call.made;
    const size_t threads = (size_t)layer_run_threads(run), rooms = rounds_rooms(made, threads);
    call.gradients = call.inputs + rooms * made->inputs_count;
    call.sums = call.gradients + rooms * made->gradients_count;
    call.scratch = call.sums + sums_rooms(made, threads) * made->sums_count;
    return made->sections > 1 ? run_sections(&call) : run_rounds(&call);
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
    const double transform = 4, join = 24, product = 1.1; /* of a float; of a multiplication */
    const layer_gradient_plan made = layer_gradient_plan_of(conv);
    const double inputs = (double)made.inputs, outputs = (double)made.outputs;
    const double tiles = (double)made.rows * (double)made.row_tiles;
    if (!computes(conv) || made.inputs < LINE || made.outputs < LINE ||
        sums_rooms(&made, 1) * made.sums_count > MOST_SUMS)
        return false;
    const double cost = POINTS * (tiles * inputs * outputs * product +
                                  tiles * (inputs + outputs) * transform + inputs * outputs * join);
    return cost * (double)made.groups < (double)conv->multiplications * product;
}
