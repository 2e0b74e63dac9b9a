/* The gradient of a convolution with respect to its weight where outputs are few: the product of
 * grad_output and the patches of input, a panel of them at a time, turned so that weights lie side
 * by side. So each weight is written once, where it belongs, which else would take longer than the
 * sums of so few products.
 * Source: Chetlur et al., "cuDNN: Efficient primitives for deep learning", arXiv:1410.0759.
 * SPDX-License-Identifier: MIT */
#include "conv/grad_weight.h"
#include "conv/patches.h"
#include "core/blocks.h"
#include "core/panel.h"
#include "core/tasks.h"
#include "core/turn.h"

#include <string.h>

/* Weights of a panel; and outputs of all samples, at most, so that level 1 keeps what is turned. */
enum { WEIGHTS = 64, MOST_DEPTH = 128 };

typedef struct {
    const layer_conv *conv;
    layer_patches patches;
    size_t samples, plane, depth;            /* depth: outputs of all samples in a channel */
    size_t groups, inputs, outputs, weights; /* of a group; weights of an output channel */
    size_t panels;                           /* of a group */
    const float *input, *grad_output;
    const float *outputs_at; /* [K][depth] */
    float *gradient;
    float *rooms; /* of each thread */
    const layer_panel_kernels *kernels;
    const layer_turn_kernels *turns;
} shallow;

static shallow shallow_of(const layer_conv *conv)
{
    const layer_patches patches = layer_conv_patches(conv);
    const size_t samples = (size_t)conv->input.extent[0];
    return (shallow){
        .conv = conv,
        .patches = patches,
        .samples = samples,
        .plane = patches.columns,
        .depth = samples * patches.columns,
        .groups = (size_t)conv->group,
        .inputs = (size_t)conv->weight.extent[1],
        .outputs = (size_t)(conv->weight.extent[0] / conv->group),
        .weights = patches.rows,
        .panels = layer_blocks_of(patches.rows, WEIGHTS),
    };
}

/* ---- The outputs' gradients, all samples of a channel side by side --------------------------- */

static size_t joined_count(const shallow *call)
{
    return call->samples == 1 ? 0 : call->groups * call->outputs * call->depth;
}

static void join_samples(const shallow *call, float *joined)
{
    const size_t channels = call->groups * call->outputs;
    for (size_t n = 0; n < call->samples; n++)
        for (size_t k = 0; k < channels; k++)
            memcpy(joined + k * call->depth + n * call->plane,
                   call->grad_output + (n * channels + k) * call->plane,
                   call->plane * sizeof *joined);
}

/* ---- A panel --------------------------------------------------------------------------------- */

/* Patches of some weights: [weight][depth], then turned. */
static void gather(const shallow *call, size_t group, size_t first, size_t count, float *gathered)
{
    const size_t sample = call->groups * call->inputs * call->patches.input_plane;
    const float *const channels = call->input + group * call->inputs * call->patches.input_plane;
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < call->samples; n++)
            layer_patches_gather(&call->patches, channels + n * sample, first + i,
                                 (layer_position){0}, (int)call->plane,
                                 gathered + i * call->depth + n * call->plane);
}

/* Tasks: [group][panel]. */
static void multiply_panel(void *argument, size_t task, int thread)
{
    const shallow *const call = argument;
    const size_t group = task / call->panels, first = task % call->panels * WEIGHTS;
    const size_t count = layer_smaller(WEIGHTS, call->weights - first);
    const size_t output = group * call->outputs;
    float *const gathered = call->rooms + (size_t)thread * 2 * WEIGHTS * call->depth;
    float *const turned = gathered + WEIGHTS * call->depth;
    gather(call, group, first, count, gathered);
    call->turns->turn(&(layer_turn){
        .from = gathered,
        .from_leading = (ptrdiff_t)call->depth,
        .step = 1,
        .rows = count,
        .columns = call->depth,
        .to = turned,
        .to_leading = WEIGHTS,
    });
    call->kernels->multiply(&(layer_panel){
        .rows = call->outputs,
        .columns = count,
        .depth = call->depth,
        .left = call->outputs_at + output * call->depth,
        .left_leading = call->depth,
        .right = turned,
        .right_leading = WEIGHTS,
        .result = call->gradient + output * call->weights + first,
        .result_leading = call->weights,
    });
}

/* ---- Running --------------------------------------------------------------------------------- */

size_t layer_grad_weight_shallow_size(const layer_conv *conv, int threads)
{
    const shallow call = shallow_of(conv);
    return layer_aligned(joined_count(&call) * sizeof(float)) +
           (size_t)threads * 2 * WEIGHTS * call.depth * sizeof(float);
}

layer_status layer_grad_weight_shallow(const layer_conv *conv, const float *input,
                                       const float *grad_output, float *gradient,
                                       const layer_run *run)
{
    shallow call = shallow_of(conv);
    const size_t joined_size = layer_aligned(joined_count(&call) * sizeof(float));
    call.input = input;
    call.grad_output = call.outputs_at = grad_output;
    call.gradient = gradient;
    call.rooms = (float *)(void *)((char *)run->workspace + joined_size);
    call.kernels = layer_panel_kernels_at(run->isa);
    call.turns = layer_turn_kernels_at(run->isa);
    if (call.samples > 1) {
        join_samples(&call, run->workspace);
        call.outputs_at = run->workspace;
    }
    return layer_run_tasks(run, call.groups * call.panels, multiply_panel, &call);
}

/* What is gathered is shared by a group's output channels; what else would be turned afterwards, by
 * the outputs that are added up. */
bool layer_grad_weight_shallow_is_best(const layer_conv *conv)
{
    const shallow call = shallow_of(conv);
    return call.patches.kernel_plane > 1 && call.depth <= MOST_DEPTH &&
           2 * call.depth <= call.outputs;
}
