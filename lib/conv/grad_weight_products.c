/* The gradient of a convolution with respect to its weight as products of matrices: of grad_output,
 * as it is, and for each kernel cell what the outputs meet by it, channels side by side. That is
 * the padded input turned, of which each output's row begins elsewhere; nothing is gathered but
 * where channels are few. Source: Chetlur et al., "cuDNN: Efficient primitives for deep learning",
 * arXiv:1410.0759; for nothing being gathered, Georganas et al., "Anatomy of high-performance deep
 * learning convolutions on SIMD architectures", arXiv:1808.05567, section II-J.
 * SPDX-License-Identifier: MIT */
#include "conv/grad_weight.h"
#include "conv/grad_weight_call.h"
#include "core/blocks.h"
#include "core/tasks.h"

#include <string.h>

/* Floats of a cache line, and of the longest vector. */
enum { LINE_COUNT = 16, VECTOR = 16 };

/* ---- Multiplying ----------------------------------------------------------------------------- */

/* A task's weights, and where they are added up. */
typedef struct {
    size_t group, output, outputs, block, inputs, tap, taps; /* output and inputs: of the group */
    float *sums;     /* [taps][outputs][row_count], gathered [outputs][row_count] */
    float *gathered; /* [depth][row_count] */
    float *copied;   /* [outputs][depth] of grad_output */
    bool has_begun;
} share;

/* Outputs that a product adds up: some of a unit's, or all those of several. */
typedef struct {
    size_t unit, units, begin, depth;
} stretch;

static const float *outputs_of(const layer_grad_weight_call *call, const share *part, size_t unit)
{
    const layer_window *const window = call->conv->window;
    const layer_grad_weight_place at = layer_grad_weight_place_of(call, call->first + unit);
    const size_t channel =
        (at.sample * call->plan.groups + part->group) * call->plan.outputs + part->output;
    const size_t plane = channel * (size_t)window[LAYER_DEPTH].output + at.plane;
    const size_t line = plane * (size_t)window[LAYER_HEIGHT].output + (size_t)at.line;
    return call->grad_output + line * (size_t)window[LAYER_WIDTH].output + at.column;
}

static void find_outputs(const layer_grad_weight_call *call, const share *part, const stretch *at,
                         layer_panel *panel)
{
    const size_t plane = layer_conv_output_plane(call->conv);
    panel->left = outputs_of(call, part, at->unit) + at->begin;
    panel->left_leading = plane;
    if (at->units == 1)
        return;
    const size_t count = at->depth / at->units;
    for (size_t i = 0; i < at->units; i++) {
        const float *const outputs = outputs_of(call, part, at->unit + i);
        for (size_t k = 0; k < part->outputs; k++)
            memcpy(part->copied + k * call->plan.depth + i * count, outputs + k * plane,
                   count * sizeof *outputs);
    }
    panel->left = part->copied;
    panel->left_leading = call->plan.depth;
}

/* Whole vectors, what is beyond the taps being left where it is; unless that is most of one. */
static void multiply_gathered(const layer_grad_weight_call *call, const share *part,
                              const stretch *at, const float *cells, layer_panel *panel)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    const size_t columns = part->taps * plan->inputs;
    size_t runs[LAYER_GRAD_WEIGHT_ROW], count = 0;
    for (size_t t = 0; t < part->taps; t += plan->run_taps)
        runs[count++] = call->taps[part->tap + t];
    call->runs->gather(&(layer_runs){
        .from = cells,
        .rows = call->rows + at->begin,
        .runs = runs,
        .row_count = at->depth,
        .run_count = count,
        .length = plan->run_taps * plan->inputs,
        .to = part->gathered,
        .leading = plan->row_count,
    });
    panel->right = part->gathered;
    panel->right_leading = plan->row_count;
    panel->columns = columns % VECTOR <= LAYER_PANEL_DOTS ? columns : plan->row_count;
    panel->result = part->sums;
    call->panels->multiply(panel);
}

/* Where the weights of some output channels will be written, far apart: each would wait for it. */
static void fetch_weights(const layer_grad_weight_call *call, const share *part, size_t first,
                          size_t end)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    for (size_t k = first; k < end; k++) {
        const size_t output = part->group * plan->outputs + part->output + k;
        const size_t weight = output * plan->inputs + part->block * plan->block_inputs;
        const float *const kernels = call->gradient + weight * plan->kernel;
        for (size_t i = 0; i < part->inputs * plan->kernel; i += LINE_COUNT)
            __builtin_prefetch(kernels + i, 1, 2);
    }
}

static void multiply_stretch(const layer_grad_weight_call *call, const share *part,
                             const stretch *at)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    const size_t block = part->group * plan->input_blocks + part->block;
    const float *const cells =
        call->cells + at->unit * plan->unit_count + block * plan->cells * plan->leading;
    layer_panel panel = {
        .rows = part->outputs,
        .columns = part->inputs,
        .depth = at->depth,
        .accumulates = part->has_begun,
        .result_leading = plan->row_count,
    };
    find_outputs(call, part, at, &panel);
    if (plan->is_gathered) {
        multiply_gathered(call, part, at, cells, &panel);
        return;
    }
    if (plan->kernel == 1 && at->units == 1) {
        panel.right = cells + at->begin * plan->leading;
        panel.right_leading = plan->leading;
        panel.next = panel.right + at->depth * plan->leading;
        panel.result = part->sums;
        call->panels->multiply(&panel);
        return;
    }
    panel.right_rows = call->rows + at->begin;
    for (size_t t = 0; t < part->taps; t++) {
        panel.right = cells + call->taps[part->tap + t];
        panel.result = part->sums + t * part->outputs * plan->row_count;
        if (plan->is_once && !part->has_begun)
            fetch_weights(call, part, part->outputs * t / part->taps,
                          part->outputs * (t + 1) / part->taps);
        call->panels->multiply(&panel);
    }
}

/* All stretches of some units of the round, in order. */
static void multiply_units(const layer_grad_weight_call *call, share *part, size_t begin,
                           size_t end)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    stretch at = {.unit = begin};
    for (; at.unit < end; at.unit += at.units) {
        const layer_grad_weight_place first =
            layer_grad_weight_place_of(call, call->first + at.unit);
        const size_t outputs = (size_t)first.lines * (size_t)first.columns;
        at.units = layer_smaller(plan->depth_units, end - at.unit);
        const size_t whole = at.units * outputs, pieces = layer_blocks_of(whole, plan->depth);
        for (size_t i = 0; i < pieces && !layer_run_cancelled(call->run); i++) {
            at.begin = whole * i / pieces;
            at.depth = whole * (i + 1) / pieces - at.begin;
            multiply_stretch(call, part, &at);
            part->has_begun = true;
        }
    }
}

/* A task's block of weights. */
static share share_of(const layer_grad_weight_call *call, size_t block, size_t sums)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    const size_t output = block % plan->output_blocks * plan->block_outputs;
    const size_t input = block / plan->output_blocks % plan->input_blocks;
    const size_t others = block / plan->output_blocks / plan->input_blocks;
    const size_t tap = others % plan->tap_blocks * plan->block_taps;
    share part = {
        .group = others / plan->tap_blocks,
        .output = output,
        .outputs = layer_smaller(plan->block_outputs, plan->outputs - output),
        .block = input,
        .inputs = layer_smaller(plan->block_inputs, plan->inputs - input * plan->block_inputs),
        .tap = tap,
        .taps = layer_smaller(plan->block_taps, plan->kernel - tap),
        .sums = (float *)(void *)(call->sums + sums * plan->sums_size),
        .has_begun = call->first > 0,
    };
    if (plan->is_written)
        part.sums = call->gradient + (part.group * plan->outputs + output) * plan->inputs +
                    input * plan->block_inputs;
    return part;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Of each output channel, [kernel cell][input channel] becomes [input channel][kernel cell]. */
static void write_share(const layer_grad_weight_call *call, const share *part)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    const bool is_flipped = call->conv->mode == LAYER_CONV_CONVOLUTION;
    const size_t step = plan->is_gathered ? plan->inputs : part->outputs * plan->row_count;
    const size_t tap = is_flipped ? plan->kernel - part->tap - part->taps : part->tap;
    for (size_t k = 0; k < part->outputs; k++) {
        const size_t output = part->group * plan->outputs + part->output + k;
        const size_t weight = output * plan->inputs + part->block * plan->block_inputs;
        const float *const sums = part->sums + k * plan->row_count;
        call->turns->turn(&(layer_turn){
            .from = is_flipped ? sums + (part->taps - 1) * step : sums,
            .from_leading = is_flipped ? -(ptrdiff_t)step : (ptrdiff_t)step,
            .step = 1,
            .rows = part->taps,
            .columns = part->inputs,
            .to = call->gradient + weight * plan->kernel + tap,
            .to_leading = plan->kernel,
        });
    }
}

/* Adds up what the tasks of a block have. */
static void join_parts(const layer_grad_weight_plan *plan, float *restrict sums)
{
    const size_t count = plan->sums_size / sizeof *sums;
    for (size_t i = 1; i < plan->parts; i++) {
        const float *restrict const added = sums + i * count;
        for (size_t j = 0; j < count; j++)
            sums[j] += added[j];
    }
}

static void write_block(void *argument, size_t block, int thread)
{
    (void)thread;
    const layer_grad_weight_call *const call = argument;
    const share part = share_of(call, block, block * call->plan.parts);
    join_parts(&call->plan, part.sums);
    write_share(call, &part);
}

/* ---- Tasks ----------------------------------------------------------------------------------- */

/* Tasks: [block of weights][part of the units]. */
static void multiply_task(void *argument, size_t task, int thread)
{
    const layer_grad_weight_call *const call = argument;
    const layer_grad_weight_plan *const plan = &call->plan;
    const size_t index = task % plan->parts;
    share part = share_of(call, task / plan->parts, plan->is_once ? (size_t)thread : task);
    part.gathered = (float *)(void *)(call->rooms + (size_t)thread * plan->room_size);
    part.copied = part.gathered + (plan->is_gathered ? plan->depth * plan->row_count : 0);
    multiply_units(call, &part, call->units * index / plan->parts,
                   call->units * (index + 1) / plan->parts);
    if (plan->is_once && !plan->is_written)
        write_share(call, &part);
}

/* ---- Running --------------------------------------------------------------------------------- */

static size_t sums_of(const layer_grad_weight_plan *plan, int threads)
{
    return plan->is_once ? (size_t)threads : plan->blocks * plan->parts;
}

static void lay_out(layer_grad_weight_call *call)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    char *room = call->run->workspace;
    call->rows = (size_t *)(void *)room;
    room += plan->rows_size;
    call->taps = (size_t *)(void *)room;
    room += plan->taps_size;
    call->cells = (float *)(void *)room;
    room += plan->cells_size;
    call->sums = room;
    call->rooms = room + sums_of(plan, layer_run_threads(call->run)) * plan->sums_size;
}

size_t layer_grad_weight_products_size(const layer_conv *conv, int threads)
{
    const layer_grad_weight_plan plan = layer_grad_weight_plan_of(conv);
    return plan.rows_size + plan.taps_size + plan.cells_size +
           sums_of(&plan, threads) * plan.sums_size + (size_t)threads * plan.room_size;
}

layer_status layer_grad_weight_products(const layer_conv *conv, const float *input,
                                        const float *grad_output, float *gradient,
                                        const layer_run *run)
{
    layer_grad_weight_call call = {
        .conv = conv,
        .plan = layer_grad_weight_plan_of(conv),
        .input = input,
        .grad_output = grad_output,
        .gradient = gradient,
        .run = run,
        .panels = layer_panel_kernels_at(run->isa),
        .turns = layer_turn_kernels_at(run->isa),
        .runs = layer_run_kernels_at(run->isa),
    };
    const layer_grad_weight_plan *const plan = &call.plan;
    layer_status status = LAYER_OK;
    lay_out(&call);
    layer_grad_weight_fill_tables(&call);
    for (; call.first < plan->units && status == LAYER_OK; call.first += call.units) {
        call.units = layer_smaller(plan->round_units, plan->units - call.first);
        status = layer_grad_weight_turn(&call);
        if (status == LAYER_OK)
            status = layer_run_tasks(run, plan->blocks * plan->parts, multiply_task, &call);
    }
    return status == LAYER_OK && !plan->is_written && !plan->is_once
               ? layer_run_tasks(run, plan->blocks, write_block, &call)
               : status;
}
