/* The phases of an adjoint.
 * SPDX-License-Identifier: MIT */
#include "conv/adjoint_plan.h"
#include "conv/adjoint.h"
#include "core/blocks.h"

#include <assert.h>

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

bool layer_adjoint_locate(layer_phase *at, size_t index)
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

size_t layer_adjoint_rooms(const layer_adjoint *made)
{
    return made->paired ? 2 : 1;
}

bool layer_phase_is_exchanged(const layer_phase *at)
{
    return at->plan->whole &&
           layer_conv_implementation_of(at->conv.algorithm)->forward_exchanged != NULL;
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
    layer_phase at = {.plan = &made};
    made.paired = made.counts[LAYER_WIDTH] == 2 && width->stride == 2 && width->input > 1;
    made.taps_size = layer_aligned(layer_conv_kernel_plane(conv) * sizeof(int));
    for (size_t i = 0; i < made.phases; i++) {
        if (!layer_adjoint_locate(&at, i))
            continue;
        const size_t channels = (size_t)conv->input.extent[1];
        const size_t weights =
            channels * (size_t)at.conv.weight.extent[1] * layer_conv_kernel_plane(&at.conv);
        const size_t cells =
            (size_t)conv->input.extent[0] * channels * layer_conv_output_plane(&at.conv);
        made.weight_size = layer_larger(
            made.weight_size,
            layer_phase_is_exchanged(&at) ? 0 : layer_aligned(weights * sizeof(float)));
        made.cells_size =
            layer_larger(made.cells_size, made.whole ? 0 : layer_aligned(cells * sizeof(float)));
        made.inner_size =
            layer_larger(made.inner_size, layer_conv_workspace_size(&at.conv, threads));
    }
    return made;
}

size_t layer_conv_adjoint_workspace_size(const layer_conv *conv, int threads)
{
    assert(threads >= 1);
    const layer_adjoint made = layer_adjoint_plan(conv, threads);
    return made.taps_size + made.weight_size + layer_adjoint_rooms(&made) * made.cells_size +
           made.inner_size;
}
