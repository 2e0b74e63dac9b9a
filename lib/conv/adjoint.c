/* The adjoint of a convolution, computed as convolutions itself.
 *
 * Input cell x meets output p by kernel cell r where x + pad = p * stride + r * dilation. Cells
 * that have the same remainder modulo the stride, a phase of them, meet the same kernel cells, and
 * the next cell of a phase meets the next outputs: each phase is a convolution of the outputs, of
 * stride 1, with its part of the kernel flipped and its channels exchanged. So the algorithms of
 * convolution compute it, every input cell is written by one task, and nothing is multiplied by the
 * zeros that one would put between outputs.
 * Source: Dumoulin & Visin, arXiv:1603.07285, section 4; the phases as in Shi et al.,
 * arXiv:1609.07009.
 * SPDX-License-Identifier: MIT */
#include "conv/adjoint.h"
#include "conv/adjoint_parts.h"
#include "core/blocks.h"
#include "core/tasks.h"

#include <assert.h>

enum { CHANNELS_PER_TASK = 16 };

/* ---- The weight of a phase: [C][K/group][taps] ----------------------------------------------- */

/* Some channels of a group, which all its output channels see. */
static void pack_group(const layer_phase *at, size_t channel, size_t count)
{
    const layer_conv *const conv = at->plan->conv;
    const size_t channels = (size_t)conv->weight.extent[1];
    const size_t outputs = (size_t)at->conv.weight.extent[1];
    const size_t whole = layer_conv_kernel_plane(conv), kernel = layer_conv_kernel_plane(&at->conv);
    const size_t first = channel / channels * outputs * channels + channel % channels;
    const layer_taps taps = {
        .weight = at->weight + first * whole,
        .outputs = outputs,
        .channels = count,
        .kernel = whole,
        .output_step = channels * whole,
        .cells = at->taps,
        .count = kernel,
        .packed = at->packed + channel * outputs * kernel,
        .channel_step = outputs * kernel,
    };
    if (whole > 1) {
        at->kernels->pack(&taps);
        return;
    }
    at->turns->turn(&(layer_turn){
        .from = taps.weight,
        .from_leading = (ptrdiff_t)channels,
        .step = 1,
        .rows = outputs,
        .columns = count,
        .to = taps.packed,
        .to_leading = outputs,
    });
}

static void pack_channels(void *argument, size_t task, int thread)
{
    (void)thread;
    const layer_phase *const at = argument;
    const size_t group_channels = (size_t)at->plan->conv->weight.extent[1];
    const size_t channels = (size_t)at->plan->conv->input.extent[1];
    const size_t end = layer_smaller((task + 1) * CHANNELS_PER_TASK, channels);
    for (size_t c = task * CHANNELS_PER_TASK, count; c < end; c += count) {
        count = layer_smaller(end - c, group_channels - c % group_channels);
        pack_group(at, c, count);
    }
}

/* Cells that no kernel cell meets are in none of the phases. */
static void fill_planes(void *argument, size_t task, int thread)
{
    (void)thread;
    const layer_phase *const at = argument;
    const size_t plane = layer_conv_input_plane(at->plan->conv);
    const size_t channel = task % (size_t)at->plan->conv->input.extent[1];
    const float value = at->bias == NULL ? 0 : at->bias[channel];
    for (size_t i = 0; i < plane; i++)
        at->input[task * plane + i] = value;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* The weight's kernels are what the outputs met: flipped for the input. */
static layer_status run_exchanged(layer_phase *at, const float *output, const layer_run *run)
{
    at->conv.mode = at->plan->conv->mode == LAYER_CONV_CONVOLUTION ? LAYER_CONV_CROSS_CORRELATION
                                                                   : LAYER_CONV_CONVOLUTION;
    return layer_conv_implementation_of(at->conv.algorithm)
        ->forward_exchanged(&at->conv, output, at->weight, at->bias, at->input, run);
}

/* The phase's cells go to one of the rooms for such, or where they belong. */
static layer_status run_phase(layer_phase *at, const float *output, size_t room,
                              const layer_run *run)
{
    const layer_adjoint *const made = at->plan;
    assert(run->workspace != NULL);
    char *const weight_at = (char *)run->workspace + made->taps_size;
    char *const cells_at = weight_at + made->weight_size;
    const size_t channels = (size_t)at->conv.output.extent[1];
    layer_run inner = *run;
    inner.workspace = cells_at + layer_adjoint_rooms(made) * made->cells_size;
    at->taps = run->workspace;
    at->packed = (float *)(void *)weight_at;
    at->cells = made->whole ? at->input : (float *)(void *)(cells_at + room * made->cells_size);
    if (layer_phase_is_exchanged(at))
        return run_exchanged(at, output, &inner);
    layer_adjoint_find_taps(at);
    const layer_status status =
        layer_run_tasks(run, layer_blocks_of(channels, CHANNELS_PER_TASK), pack_channels, at);
    return status == LAYER_OK
               ? layer_conv_forward(&at->conv, output, at->packed, at->bias, at->cells, &inner)
               : status;
}

/* Phase `index`, or the pair that begins with it. */
static layer_status run_phases(const layer_phase *common, size_t index, const float *output,
                               const layer_run *run)
{
    const bool paired = common->plan->paired;
    layer_phase one = *common, other = *common;
    if (!layer_adjoint_locate(&one, index) || (paired && !layer_adjoint_locate(&other, index + 1)))
        return LAYER_OK;
    layer_status status = run_phase(&one, output, 0, run);
    if (status == LAYER_OK && paired)
        status = run_phase(&other, output, 1, run);
    return status == LAYER_OK && !common->plan->whole
               ? layer_adjoint_place(&one, paired ? &other : NULL, run)
               : status;
}

layer_status layer_conv_adjoint(const layer_conv *conv, const float *weight, const float *bias,
                                const float *output, float *input, const layer_run *run)
{
    const layer_adjoint made = layer_adjoint_plan(conv, layer_run_threads(run));
    layer_phase at = {
        .plan = &made,
        .weight = weight,
        .bias = bias,
        .input = input,
        .kernels = layer_tap_kernels_at(run->isa),
        .turns = layer_turn_kernels_at(run->isa),
    };
    if (made.joined)
        return layer_adjoint_run_joined(&at, output, run);
    layer_status status = made.covered
                              ? LAYER_OK
                              : layer_run_tasks(run, layer_adjoint_planes(&made), fill_planes, &at);
    for (size_t i = 0; i < made.phases && status == LAYER_OK; i += layer_adjoint_rooms(&made))
        status = run_phases(&at, i, output, run);
    return status;
}
