/* The phases of an adjoint as one convolution: each has channels of its own, and a kernel of what
 * any phase reads, zero where it reads nothing. The zeros cost multiplications; but where channels
 * are few, what is read of the outputs costs more, and is read once.
 * Source: Shi et al., "Is the deconvolution layer the same as a convolutional layer?",
 * arXiv:1609.07009.
 * SPDX-License-Identifier: MIT */
#include "conv/adjoint_parts.h"
#include "core/tasks.h"

#include <assert.h>
#include <string.h>

/* Where in the joint kernel the phase's tap is that is so many cells from the first. */
static size_t joint_cell(const layer_phase *at, int d, int r, int s)
{
    const int position[] = {d, r, s};
    size_t cell = 0;
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++) {
        const layer_window *const joint = &at->plan->joint.window[axis];
        const int shift = joint->pad_begin - at->axis[axis].window.pad_begin;
        cell = cell * (size_t)joint->kernel + (size_t)(shift + position[axis]);
    }
    return cell;
}

/* Where a phase's taps go, of the first channel and output. */
static void find_places(layer_phase *at, size_t index)
{
    layer_adjoint_locate_axes(at, index);
    const layer_phase_axis *const axis = at->axis;
    const layer_conv *const joint = &at->plan->joint;
    const size_t kernels = (size_t)joint->weight.extent[0] / at->plan->phases *
                           (size_t)joint->weight.extent[1] * at->index;
    const size_t first = kernels * layer_conv_kernel_plane(joint);
    const int *tap = at->taps;
    layer_adjoint_find_taps(at);
    for (int d = 0; d < axis[LAYER_DEPTH].window.kernel; d++)
        for (int r = 0; r < axis[LAYER_HEIGHT].window.kernel; r++)
            for (int s = 0; s < axis[LAYER_WIDTH].window.kernel; s++)
                at->places[*tap++] = first + joint_cell(at, d, r, s);
}

static void pack_channels(void *argument, size_t channel, int thread)
{
    (void)thread;
    const layer_phase *const at = argument;
    const layer_conv *const conv = at->plan->conv;
    const size_t channels = (size_t)conv->weight.extent[1];
    const size_t outputs = (size_t)conv->weight.extent[0];
    const size_t whole = layer_conv_kernel_plane(conv);
    const size_t kernel = layer_conv_kernel_plane(&at->plan->joint);
    const float *weight = at->weight + channel * whole;
    float *packed = at->packed + channel * outputs * kernel;
    for (size_t k = 0; k < outputs; k++, weight += channels * whole, packed += kernel)
        for (size_t t = 0; t < whole; t++)
            packed[at->places[t]] = weight[t];
}

static layer_status pack(layer_phase *at, const layer_run *run)
{
    const layer_adjoint *const made = at->plan;
    memset(at->packed, 0, made->weight_size);
    for (size_t i = 0; i < made->phases; i++)
        find_places(at, i);
    return layer_run_tasks(run, (size_t)made->conv->weight.extent[1], pack_channels, at);
}

/* The bias of each phase's channels. */
static void repeat_bias(const layer_phase *at, float *repeated)
{
    const size_t channels = (size_t)at->plan->conv->input.extent[1];
    for (size_t i = 0; i < at->plan->phases; i++)
        memcpy(repeated + i * channels, at->bias, channels * sizeof *repeated);
}

static layer_status place(const layer_phase *common, const layer_run *run)
{
    const layer_adjoint *const made = common->plan;
    const size_t step = made->paired ? 2 : 1;
    layer_status status = LAYER_OK;
    for (size_t i = 0; i < made->phases && status == LAYER_OK; i += step) {
        layer_phase one = *common, other = *common;
        layer_adjoint_locate_axes(&one, i);
        layer_adjoint_locate_axes(&other, i + step - 1);
        one.conv = other.conv = made->joint;
        status = layer_adjoint_place(&one, made->paired ? &other : NULL, run);
    }
    return status;
}

layer_status layer_adjoint_run_joined(const layer_phase *common, const float *output,
                                      const layer_run *run)
{
    const layer_adjoint *const made = common->plan;
    assert(run->workspace != NULL);
    layer_phase at = *common;
    char *const places_at = (char *)run->workspace + made->taps_size;
    char *const weight_at = places_at + made->places_size;
    char *const bias_at = weight_at + made->weight_size;
    char *const cells_at = bias_at + made->bias_size;
    layer_run inner = *run;
    inner.workspace = cells_at + made->cells_size;
    at.taps = run->workspace;
    at.places = (size_t *)(void *)places_at;
    at.packed = (float *)(void *)weight_at;
    at.cells = (float *)(void *)cells_at;
    float *const bias = at.bias == NULL ? NULL : (float *)(void *)bias_at;
    if (bias != NULL)
        repeat_bias(&at, bias);
    layer_status status = pack(&at, run);
    if (status == LAYER_OK)
        status = layer_conv_forward(&made->joint, output, at.packed, bias, at.cells, &inner);
    return status == LAYER_OK ? place(&at, run) : status;
}
