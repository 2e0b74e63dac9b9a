/* The gradient of a convolution with respect to its weight where outputs are few: the product of
 * grad_output and the patches of input, a panel of them at a time, turned so that weights lie side
 * by side. So each weight is written once, where it belongs, which else would take longer than the
 * sums of so few products.
 * Source: Chetlur et al., "cuDNN: Efficient primitives for deep learning", arXiv:1410.0759.
 * SPDX-License-Identifier: MIT */
#include "conv/field.h"
#include "conv/grad_weight.h"
#include "conv/runs.h"
#include "core/blocks.h"
#include "core/panel.h"
#include "core/tasks.h"
#include "core/turn.h"

#include <string.h>

/* Weights of a panel; and outputs of all samples, at most: what is turned hardly outgrows level 1.
 */
enum { WEIGHTS = 64, MOST_DEPTH = 200, LINE_COUNT = 16 };

typedef struct {
    const layer_conv *conv;
    layer_field field;
    size_t samples, planes, lines, width; /* of outputs: planes of a sample, lines of a plane */
    size_t depth;                         /* outputs of all samples in a channel */
    size_t groups, inputs, outputs;       /* the latter two of a group */
    size_t kernel, weights;               /* cells; weights of an output channel */
    size_t panels, seen;                  /* of a group; input channels that a panel sees */
    size_t tables_size, joined_size, room_count;
    const float *input, *grad_output;
    const float *outputs_at; /* [K][depth] */
    float *gradient;
    size_t *rows, *runs; /* where patches begin in a field, by weights and by lines */
    float *rooms;        /* of each thread */
    const layer_field_kernels *fields;
    const layer_run_kernels *gathering;
    const layer_turn_kernels *turns;
    const layer_panel_kernels *kernels;
} shallow;

static void plan_room(shallow *call)
{
    const size_t channels = call->groups * call->outputs;
    const size_t cells = call->field.is_input ? 0 : call->seen * call->field.channel_step;
    call->tables_size = layer_aligned((call->seen * call->kernel + call->lines) * sizeof(size_t));
    call->joined_size =
        call->samples == 1 ? 0 : layer_aligned(channels * call->depth * sizeof(float));
    call->room_count = layer_rounded_up(cells, LINE_COUNT) + 2 * WEIGHTS * call->depth;
}

static shallow shallow_of(const layer_conv *conv)
{
    layer_window window[LAYER_MAX_SPATIAL];
    layer_field_windows(conv, window);
    shallow call = {
        .conv = conv,
        .samples = (size_t)conv->input.extent[0],
        .groups = (size_t)conv->group,
        .inputs = (size_t)conv->weight.extent[1],
        .outputs = (size_t)(conv->weight.extent[0] / conv->group),
        .kernel = layer_conv_kernel_plane(conv),
    };
    call.field = layer_conv_field(conv, window[LAYER_HEIGHT].output, window[LAYER_WIDTH].output);
    call.planes = (size_t)window[LAYER_DEPTH].output;
    call.lines = (size_t)window[LAYER_HEIGHT].output;
    call.width = (size_t)window[LAYER_WIDTH].output;
    call.depth = call.samples * call.planes * call.lines * call.width;
    call.weights = call.inputs * call.kernel;
    call.panels = layer_blocks_of(call.weights, WEIGHTS);
    call.seen = layer_smaller(WEIGHTS / call.kernel + 2, call.inputs);
    plan_room(&call);
    return call;
}

/* ---- The outputs' gradients, all samples of a channel side by side --------------------------- */

static void join_samples(const shallow *call, float *joined)
{
    const size_t channels = call->groups * call->outputs;
    const size_t plane = call->depth / call->samples;
    for (size_t n = 0; n < call->samples; n++)
        for (size_t k = 0; k < channels; k++)
            memcpy(joined + k * call->depth + n * plane,
                   call->grad_output + (n * channels + k) * plane, plane * sizeof *joined);
}

/* ---- A panel --------------------------------------------------------------------------------- */

/* Some weights of a group, and the input channels that they see. */
typedef struct {
    size_t group, first, count, channel, channels;
} share;

static share share_of(const shallow *call, size_t task)
{
    const size_t first = task % call->panels * WEIGHTS, channel = first / call->kernel;
    const size_t count = layer_smaller(WEIGHTS, call->weights - first);
    return (share){task / call->panels, first, count, channel,
                   layer_blocks_of(first + count, call->kernel) - channel};
}

/* The patches' rows, of a plane of outputs: [weight][depth]. */
static void gather_plane(const shallow *call, const share *part, size_t sample, size_t plane,
                         float *cells, float *gathered)
{
    const size_t channel = (sample * call->groups + part->group) * call->inputs + part->channel;
    const float *const channels = call->input + channel * layer_conv_input_plane(call->conv);
    const layer_band band = {
        .depth = (int)plane, .lines = (int)call->lines, .columns = (int)call->width};
    if (!call->field.is_input)
        call->fields->fill(&call->field, &band, channels, (int)part->channels, cells);
    call->gathering->gather(&(layer_runs){
        .from = call->field.is_input ? layer_field_within(&call->field, &band, channels) : cells,
        .rows = call->rows + (part->first - part->channel * call->kernel),
        .runs = call->runs,
        .row_count = part->count,
        .run_count = call->lines,
        .length = call->width,
        .to = gathered + (sample * call->planes + plane) * call->lines * call->width,
        .leading = call->depth,
    });
}

/* Tasks: [group][panel]. */
static void multiply_panel(void *argument, size_t task, int thread)
{
    const shallow *const call = argument;
    const share part = share_of(call, task);
    const size_t output = part.group * call->outputs;
    float *const gathered = call->rooms + (size_t)thread * call->room_count;
    float *const turned = gathered + WEIGHTS * call->depth;
    for (size_t n = 0; n < call->samples; n++)
        for (size_t d = 0; d < call->planes; d++)
            gather_plane(call, &part, n, d, turned + WEIGHTS * call->depth, gathered);
    call->turns->turn(&(layer_turn){
        .from = gathered,
        .from_leading = (ptrdiff_t)call->depth,
        .step = 1,
        .rows = part.count,
        .columns = call->depth,
        .to = turned,
        .to_leading = WEIGHTS,
    });
    call->kernels->multiply(&(layer_panel){
        .rows = call->outputs,
        .columns = part.count,
        .depth = call->depth,
        .left = call->outputs_at + output * call->depth,
        .left_leading = call->depth,
        .right = turned,
        .right_leading = WEIGHTS,
        .result = call->gradient + output * call->weights + part.first,
        .result_leading = call->weights,
    });
}

/* ---- Running --------------------------------------------------------------------------------- */

size_t layer_grad_weight_shallow_size(const layer_conv *conv, int threads)
{
    const shallow call = shallow_of(conv);
    return call.tables_size + call.joined_size + (size_t)threads * call.room_count * sizeof(float);
}

static void fill_tables(const shallow *call)
{
    layer_field_rows(&call->field, call->seen, call->rows);
    for (size_t p = 0; p < call->lines; p++)
        call->runs[p] = p * call->field.line_step;
}

layer_status layer_grad_weight_shallow(const layer_conv *conv, const float *input,
                                       const float *grad_output, float *gradient,
                                       const layer_run *run)
{
    shallow call = shallow_of(conv);
    char *const joined_at = (char *)run->workspace + call.tables_size;
    float *const joined = (float *)(void *)joined_at;
    call.input = input;
    call.grad_output = call.outputs_at = grad_output;
    call.gradient = gradient;
    call.rows = run->workspace;
    call.runs = call.rows + call.seen * call.kernel;
    call.rooms = (float *)(void *)(joined_at + call.joined_size);
    call.fields = layer_field_kernels_at(run->isa);
    call.gathering = layer_run_kernels_at(run->isa);
    call.turns = layer_turn_kernels_at(run->isa);
    call.kernels = layer_panel_kernels_at(run->isa);
    fill_tables(&call);
    if (call.samples > 1) {
        join_samples(&call, joined);
        call.outputs_at = joined;
    }
    return layer_run_tasks(run, call.groups * call.panels, multiply_panel, &call);
}

/* What is gathered is shared by a group's output channels; what else would be turned afterwards, by
 * the outputs that are added up. */
bool layer_grad_weight_shallow_is_best(const layer_conv *conv)
{
    const shallow call = shallow_of(conv);
    return call.kernel > 1 && call.depth <= MOST_DEPTH && call.depth <= call.outputs;
}
