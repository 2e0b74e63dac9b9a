/* The phases of an adjoint.
 * SPDX-License-Identifier: MIT */
#include "conv/adjoint_plan.h"
#include "conv/adjoint.h"
#include "core/blocks.h"

#include <assert.h>

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* How far apart kernel cells of one phase are. */
static int tap_distance(const layer_window *window)
{
    return window->stride / layer_greatest_common_divisor(window->stride, window->dilation);
}

static int phases_along(const layer_window *window)
{
    const int distance = tap_distance(window);
    return distance < window->kernel ? distance : window->kernel;
}

/* The phase whose first kernel cell is `tap`. */
static layer_phase_axis phase_along(const layer_window *window, int tap, bool flipped)
{
    const int64_t stride = window->stride, start = (int64_t)tap * window->dilation;
    const int64_t first = ((start - window->pad_begin) % stride + stride) % stride;
    const int distance = tap_distance(window);
    const int taps = (window->kernel - 1 - tap) / distance + 1;
    const int dilation =
        window->dilation / layer_greatest_common_divisor(window->stride, window->dilation);
    const int64_t output = (first + window->pad_begin - start) / stride; /* met by `tap` */
    const int last = tap + (taps - 1) * distance;
    return (layer_phase_axis){
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

static void set_window(layer_conv *conv, int axis, layer_window window)
{
    const int dimension = axis - LAYER_MAX_SPATIAL + conv->input.rank;
    conv->window[axis] = window;
    if (dimension < 2)
        return;
    conv->input.extent[dimension] = window.input;
    conv->weight.extent[dimension] = window.kernel;
    conv->output.extent[dimension] = window.output;
}

static void choose(layer_conv *conv)
{
    conv->multiplications = layer_conv_multiplications(conv);
    conv->algorithm = layer_conv_choose(conv);
}

bool layer_adjoint_locate_axes(layer_phase *at, size_t index)
{
    const layer_conv *const conv = at->plan->conv;
    bool has_cells = true;
    at->index = index;
    for (int axis = LAYER_MAX_SPATIAL - 1; axis >= 0; axis--) {
        const size_t count = (size_t)at->plan->counts[axis];
        at->axis[axis] = phase_along(&conv->window[axis], (int)(index % count),
                                     conv->mode == LAYER_CONV_CONVOLUTION);
        index /= count;
        has_cells = has_cells && at->axis[axis].window.output > 0;
    }
    return has_cells;
}

bool layer_adjoint_locate(layer_phase *at, size_t index)
{
    const layer_conv *const conv = at->plan->conv;
    const int channels = conv->input.extent[1], outputs = conv->output.extent[1];
    const int rank = conv->input.rank, groups = conv->group;
    if (!layer_adjoint_locate_axes(at, index))
        return false;
    at->conv = (layer_conv){
        .input = {rank, {conv->input.extent[0], outputs}},
        .weight = {rank, {channels, outputs / groups}},
        .output = {rank, {conv->input.extent[0], channels}},
        .axes = conv->axes,
        .group = groups,
    };
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        set_window(&at->conv, axis, at->axis[axis].window);
    choose(&at->conv);
    return true;
}

void layer_adjoint_find_taps(const layer_phase *at)
{
    const layer_window *const window = at->plan->conv->window;
    const layer_phase_axis *const axis = at->axis;
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

size_t layer_adjoint_planes(const layer_adjoint *made)
{
    const layer_shape *const shape = &made->conv->input;
    return (size_t)shape->extent[0] * (size_t)shape->extent[1];
}

size_t layer_adjoint_rooms(const layer_adjoint *made)
{
    return made->paired && !made->joined ? 2 : 1;
}

bool layer_phase_is_exchanged(const layer_phase *at)
{
    return at->plan->whole &&
           layer_conv_implementation_of(at->conv.algorithm)->forward_exchanged != NULL;
}

/* ---- All phases as one ----------------------------------------------------------------------- */

/* Channels of all phases at most. */
enum { MOST_CHANNELS = 1 << 12 };

/* What a phase along an axis reads, and the others too. */
static layer_window joint_window(const layer_window *window, int phases)
{
    layer_window joint = phase_along(window, 0, false).window;
    int ahead = joint.kernel - joint.pad_begin;
    for (int tap = 1; tap < phases; tap++) {
        const layer_window phase = phase_along(window, tap, false).window;
        ahead = larger(ahead, phase.kernel - phase.pad_begin);
        joint.pad_begin = larger(joint.pad_begin, phase.pad_begin);
        joint.output = larger(joint.output, phase.output);
    }
    joint.kernel = ahead + joint.pad_begin;
    return joint;
}

/* Whether phases can be joined: they read neighbours, of all channels, and every cell is in one,
 * and none is empty. */
static bool can_join(const layer_adjoint *made)
{
    const layer_window *const window = made->conv->window;
    bool is_dense = made->covered && made->phases > 1 && made->conv->group == 1;
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        is_dense = is_dense && window[axis].stride <= window[axis].input &&
                   (window[axis].kernel == 1 || window[axis].dilation == 1);
    return is_dense && (size_t)made->conv->input.extent[1] <= MOST_CHANNELS / made->phases;
}

static layer_conv join(const layer_adjoint *made)
{
    const layer_conv *const conv = made->conv;
    const int channels = conv->input.extent[1] * (int)made->phases;
    const int rank = conv->input.rank, outputs = conv->output.extent[1];
    layer_conv joint = {
        .input = {rank, {conv->input.extent[0], outputs}},
        .weight = {rank, {channels, outputs}},
        .output = {rank, {conv->input.extent[0], channels}},
        .axes = conv->axes,
        .group = 1,
    };
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        set_window(&joint, axis, joint_window(&conv->window[axis], made->counts[axis]));
    choose(&joint);
    return joint;
}

/* ---- The plan -------------------------------------------------------------------------------- */

static size_t cells_size(const layer_conv *conv)
{
    const size_t planes = (size_t)conv->output.extent[0] * (size_t)conv->output.extent[1];
    return layer_aligned(planes * layer_conv_output_plane(conv) * sizeof(float));
}

static size_t weight_size(const layer_conv *conv)
{
    const size_t kernels = (size_t)conv->weight.extent[0] * (size_t)conv->weight.extent[1];
    return layer_aligned(kernels * layer_conv_kernel_plane(conv) * sizeof(float));
}

/* Room for one phase at a time. Returns what all of them cost. */
static double plan_phases(layer_adjoint *made, int threads)
{
    layer_phase at = {.plan = made};
    double cost = 0;
    for (size_t i = 0; i < made->phases; i++) {
        if (!layer_adjoint_locate(&at, i))
            continue;
        const size_t weights = layer_phase_is_exchanged(&at) ? 0 : weight_size(&at.conv);
        const size_t cells = made->whole ? 0 : cells_size(&at.conv);
        made->weight_size = layer_larger(made->weight_size, weights);
        made->cells_size = layer_larger(made->cells_size, cells);
        made->inner_size =
            layer_larger(made->inner_size, layer_conv_workspace_size(&at.conv, threads));
        cost += layer_conv_cost(&at.conv, at.conv.algorithm);
    }
    return cost;
}

static void plan_joint(layer_adjoint *made, double cost, int threads)
{
    if (!can_join(made))
        return;
    made->joint = join(made);
    made->joined = layer_conv_cost(&made->joint, made->joint.algorithm) < cost;
    if (!made->joined)
        return;
    made->places_size = layer_aligned(layer_conv_kernel_plane(made->conv) * sizeof(size_t));
    made->bias_size = layer_aligned((size_t)made->joint.output.extent[1] * sizeof(float));
    made->weight_size = weight_size(&made->joint);
    made->cells_size = cells_size(&made->joint);
    made->inner_size = layer_conv_workspace_size(&made->joint, threads);
}

layer_adjoint layer_adjoint_plan(const layer_conv *conv, int threads)
{
    layer_adjoint made = {.conv = conv, .phases = 1, .whole = true, .covered = true};
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++) {
        made.counts[axis] = phases_along(&conv->window[axis]);
        made.phases *= (size_t)made.counts[axis];
        made.whole = made.whole && conv->window[axis].stride == 1;
        made.covered = made.covered && made.counts[axis] == conv->window[axis].stride;
    }
    const layer_window *const width = &conv->window[LAYER_WIDTH];
    made.paired = made.counts[LAYER_WIDTH] == 2 && width->stride == 2 && width->input > 1;
    made.taps_size = layer_aligned(layer_conv_kernel_plane(conv) * sizeof(int));
    plan_joint(&made, plan_phases(&made, threads), threads);
    return made;
}

size_t layer_conv_adjoint_workspace_size(const layer_conv *conv, int threads)
{
    assert(threads >= 1);
    const layer_adjoint made = layer_adjoint_plan(conv, threads);
    return made.taps_size + made.places_size + made.weight_size + made.bias_size +
           layer_adjoint_rooms(&made) * made.cells_size + made.inner_size;
}
