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
#include "conv/implementation.h"
#include "conv/taps.h"
#include "core/blocks.h"
#include "core/tasks.h"
#include "core/turn.h"

#include <assert.h>

/* Along an axis: the cells first, first + stride ..., and the kernel cells that they meet. */
typedef struct {
    int first;
    int tap, tap_step;   /* the first that the window meets, in the weight; may step backwards */
    layer_window window; /* on the outputs */
} phase_axis;

typedef struct {
    const layer_conv *conv;
    int counts[LAYER_MAX_SPATIAL]; /* phases along each axis that meet any kernel cell */
    size_t phases;
    bool whole;                                            /* one phase is all there is */
    bool covered;                                          /* every input cell is in a phase */
    size_t taps_size, weight_size, cells_size, inner_size; /* parts of the workspace */
} adjoint;

/* One phase while it is computed. */
typedef struct {
    const adjoint *plan;
    phase_axis axis[LAYER_MAX_SPATIAL];
    layer_conv conv;
    const float *weight, *bias;
    int *taps; /* where the phase's kernel cells are in the whole kernel */
    float *packed, *cells, *input;
    const layer_tap_kernels *kernels;
    const layer_turn_kernels *turns;
    size_t planes_per_task;
} phase;

enum { CHANNELS_PER_TASK = 16, CELLS_PER_TASK = 1 << 15, ALIGNMENT = 64 };

static int greatest_common_divisor(int a, int b)
{
    while (b != 0) {
        const int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static size_t aligned_size(size_t floats)
{
    return layer_blocks_of(floats * sizeof(float), ALIGNMENT) * ALIGNMENT;
}

/* How far apart kernel cells of one phase are. */
static int tap_distance(const layer_window *window)
{
    return window->stride / greatest_common_divisor(window->stride, window->dilation);
}

static int phases_along(const layer_window *window)
{
    const int distance = tap_distance(window);
    return distance < window->kernel ? distance : window->kernel;
}

/* The phase whose first kernel cell is `tap`. */
static phase_axis phase_along(const layer_window *window, int tap, bool flipped)
{
    const int64_t stride = window->stride, start = (int64_t)tap * window->dilation;
    const int64_t first = ((start - window->pad_begin) % stride + stride) % stride;
    const int distance = tap_distance(window);
    const int taps = (window->kernel - 1 - tap) / distance + 1;
    const int dilation =
        window->dilation / greatest_common_divisor(window->stride, window->dilation);
    const int64_t output = (first + window->pad_begin - start) / stride; /* met by `tap` */
    const int last = tap + (taps - 1) * distance;
    return (phase_axis){
        .first = (int)first,
        .tap = flipped ? window->kernel - 1 - last : last,
        .tap_step = flipped ? distance : -distance,
        .window = {.input = window->output,
                   .kernel = taps,
                   .stride = 1,
                   .dilation = dilation,
                   .pad_begin = (int)((int64_t)(taps - 1) * dilation - output),
                   .output = (int)((window->input - first + stride - 1) / stride)},
    };
}

/* Fills the axes and the convolution of phase `index`; false if no cell is in it. */
static bool locate_phase(phase *at, size_t index)
{
    const layer_conv *const conv = at->plan->conv;
    const int channels = conv->input.extent[1], outputs = conv->output.extent[1];
    const int rank = conv->input.rank, groups = conv->group;
    at->conv = (layer_conv){
        .input = {rank, {conv->input.extent[0], outputs}},
        .weight = {rank, {channels, outputs / groups}},
        .output = {rank, {conv->input.extent[0], channels}},
        .axes = conv->axes,
        .group = groups,
    };
    for (int axis = LAYER_MAX_SPATIAL - 1; axis >= 0; axis--) {
        const size_t count = (size_t)at->plan->counts[axis];
        at->axis[axis] = phase_along(&conv->window[axis], (int)(index % count),
                                     conv->mode == LAYER_CONV_CONVOLUTION);
        index /= count;
        const layer_window *const window = &at->axis[axis].window;
        if (window->output <= 0)
            return false;
        at->conv.window[axis] = *window;
        const int dimension = axis - LAYER_MAX_SPATIAL + rank;
        if (dimension >= 2) {
            at->conv.input.extent[dimension] = window->input;
            at->conv.weight.extent[dimension] = window->kernel;
            at->conv.output.extent[dimension] = window->output;
        }
    }
    at->conv.multiplications = layer_conv_multiplications(&at->conv);
    at->conv.algorithm = layer_conv_choose(&at->conv);
    return true;
}

/* Whether the phase's algorithm takes the weight as it is. */
static bool is_exchanged(const phase *at)
{
    return at->plan->whole &&
           layer_conv_implementation_of(at->conv.algorithm)->forward_exchanged != NULL;
}

static adjoint plan(const layer_conv *conv, int threads)
{
    adjoint made = {.conv = conv, .phases = 1, .whole = true, .covered = true};
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++) {
        made.counts[axis] = phases_along(&conv->window[axis]);
        made.phases *= (size_t)made.counts[axis];
        made.whole = made.whole && conv->window[axis].stride == 1;
        made.covered = made.covered && made.counts[axis] == conv->window[axis].stride;
    }
    phase at = {.plan = &made};
    made.taps_size = layer_blocks_of(layer_conv_kernel_plane(conv) * sizeof(int), ALIGNMENT);
    made.taps_size *= ALIGNMENT;
    for (size_t i = 0; i < made.phases; i++) {
        if (!locate_phase(&at, i))
            continue;
        const size_t channels = (size_t)conv->input.extent[1];
        const size_t weights =
            channels * (size_t)at.conv.weight.extent[1] * layer_conv_kernel_plane(&at.conv);
        const size_t cells =
            (size_t)conv->input.extent[0] * channels * layer_conv_output_plane(&at.conv);
        made.weight_size =
            layer_larger(made.weight_size, is_exchanged(&at) ? 0 : aligned_size(weights));
        made.cells_size = layer_larger(made.cells_size, made.whole ? 0 : aligned_size(cells));
        made.inner_size =
            layer_larger(made.inner_size, layer_conv_workspace_size(&at.conv, threads));
    }
    return made;
}

size_t layer_conv_adjoint_workspace_size(const layer_conv *conv, int threads)
{
    assert(threads >= 1);
    const adjoint made = plan(conv, threads);
    return made.taps_size + made.weight_size + made.cells_size + made.inner_size;
}

/* ---- The weight of a phase: [C][K/group][taps] ----------------------------------------------- */

static void find_taps(const phase *at)
{
    const layer_window *const window = at->plan->conv->window;
    const phase_axis *const axis = at->axis;
    int *tap = at->taps;
    for (int d = 0; d < axis[LAYER_DEPTH].window.kernel; d++)
        for (int r = 0; r < axis[LAYER_HEIGHT].window.kernel; r++) {
            const int depth = axis[LAYER_DEPTH].tap + d * axis[LAYER_DEPTH].tap_step;
            const int height = axis[LAYER_HEIGHT].tap + r * axis[LAYER_HEIGHT].tap_step;
            const int line =
                (depth * window[LAYER_HEIGHT].kernel + height) * window[LAYER_WIDTH].kernel;
            for (int s = 0; s < axis[LAYER_WIDTH].window.kernel; s++)
                *tap++ = line + axis[LAYER_WIDTH].tap + s * axis[LAYER_WIDTH].tap_step;
        }
}

/* Some channels of a group, which all its output channels see. */
static void pack_group(const phase *at, size_t channel, size_t count)
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
    const phase *const at = argument;
    const size_t group_channels = (size_t)at->plan->conv->weight.extent[1];
    const size_t channels = (size_t)at->plan->conv->input.extent[1];
    const size_t end = layer_smaller((task + 1) * CHANNELS_PER_TASK, channels);
    for (size_t c = task * CHANNELS_PER_TASK, count; c < end; c += count) {
        count = layer_smaller(end - c, group_channels - c % group_channels);
        pack_group(at, c, count);
    }
}

/* ---- The cells of a phase, put between the others' ------------------------------------------- */

static void place_plane(const phase *at, const float *cells, float *plane)
{
    const layer_window *const window = at->plan->conv->window;
    const phase_axis *const axis = at->axis;
    const size_t width = (size_t)axis[LAYER_WIDTH].window.output;
    for (int d = 0; d < axis[LAYER_DEPTH].window.output; d++)
        for (int h = 0; h < axis[LAYER_HEIGHT].window.output; h++) {
            const ptrdiff_t depth = axis[LAYER_DEPTH].first + d * window[LAYER_DEPTH].stride;
            const ptrdiff_t height = axis[LAYER_HEIGHT].first + h * window[LAYER_HEIGHT].stride;
            float *const line =
                plane + axis[LAYER_WIDTH].first +
                (depth * window[LAYER_HEIGHT].input + height) * window[LAYER_WIDTH].input;
            at->kernels->place(cells, width, line, (size_t)window[LAYER_WIDTH].stride);
            cells += width;
        }
}

static void place_planes(void *argument, size_t task, int thread)
{
    (void)thread;
    const phase *const at = argument;
    const layer_shape *const shape = &at->plan->conv->input;
    const size_t planes = (size_t)shape->extent[0] * (size_t)shape->extent[1];
    const size_t first = task * at->planes_per_task, last = first + at->planes_per_task;
    for (size_t i = first; i < last && i < planes; i++)
        place_plane(at, at->cells + i * layer_conv_output_plane(&at->conv),
                    at->input + i * layer_conv_input_plane(at->plan->conv));
}

/* Cells that no kernel cell meets are in none of the phases. */
static void fill_planes(void *argument, size_t task, int thread)
{
    (void)thread;
    const phase *const at = argument;
    const size_t plane = layer_conv_input_plane(at->plan->conv);
    const size_t channel = task % (size_t)at->plan->conv->input.extent[1];
    const float value = at->bias == NULL ? 0 : at->bias[channel];
    for (size_t i = 0; i < plane; i++)
        at->input[task * plane + i] = value;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* The weight's kernels are what the outputs met: flipped for the input. */
static layer_status run_exchanged(phase *at, const float *output, const layer_run *run)
{
    at->conv.mode = at->plan->conv->mode == LAYER_CONV_CONVOLUTION ? LAYER_CONV_CROSS_CORRELATION
                                                                   : LAYER_CONV_CONVOLUTION;
    return layer_conv_implementation_of(at->conv.algorithm)
        ->forward_exchanged(&at->conv, output, at->weight, at->bias, at->input, run);
}

static layer_status run_phase(phase *at, const float *output, const layer_run *run)
{
    assert(run->workspace != NULL);
    char *const weight_at = (char *)run->workspace + at->plan->taps_size;
    char *const cells_at = weight_at + at->plan->weight_size;
    const size_t channels = (size_t)at->conv.output.extent[1];
    const size_t planes = (size_t)at->conv.output.extent[0] * channels;
    layer_run inner = *run;
    inner.workspace = cells_at + at->plan->cells_size;
    at->taps = run->workspace;
    at->packed = (float *)(void *)weight_at;
    at->cells = at->plan->whole ? at->input : (float *)(void *)cells_at;
    if (is_exchanged(at))
        return run_exchanged(at, output, &inner);
    find_taps(at);
    layer_status status =
        layer_run_tasks(run, layer_blocks_of(channels, CHANNELS_PER_TASK), pack_channels, at);
    if (status == LAYER_OK)
        status = layer_conv_forward(&at->conv, output, at->packed, at->bias, at->cells, &inner);
    if (status != LAYER_OK || at->plan->whole)
        return status;
    at->planes_per_task = CELLS_PER_TASK / layer_conv_output_plane(&at->conv) + 1;
    return layer_run_tasks(run, layer_blocks_of(planes, at->planes_per_task), place_planes, at);
}

layer_status layer_conv_adjoint(const layer_conv *conv, const float *weight, const float *bias,
                                const float *output, float *input, const layer_run *run)
{
    const adjoint made = plan(conv, layer_run_threads(run));
    phase at = {
        .plan = &made,
        .weight = weight,
        .bias = bias,
        .input = input,
        .kernels = layer_tap_kernels_at(run->isa),
        .turns = layer_turn_kernels_at(run->isa),
    };
    const size_t planes = (size_t)conv->input.extent[0] * (size_t)conv->input.extent[1];
    layer_status status = made.covered ? LAYER_OK : layer_run_tasks(run, planes, fill_planes, &at);
    for (size_t i = 0; i < made.phases && status == LAYER_OK; i++)
        if (locate_phase(&at, i))
            status = run_phase(&at, output, run);
    return status;
}
