/* The steps of Winograd's algorithm: what the kernels are told.
 * SPDX-License-Identifier: MIT */
#include "conv/winograd_call.h"
#include "core/blocks.h"

layer_winograd_call layer_winograd_call_of(const layer_conv *conv, const layer_run *run)
{
    layer_winograd_call call = {.plan = layer_winograd_cut(conv), .run = run};
    call.kernels = call.plan.kernels_at(run->isa);
    call.panels = layer_panel_kernels_at(run->isa);
    return call;
}

void layer_winograd_transform_weights(const layer_winograd_call *call,
                                      const layer_winograd_share *share)
{
    const layer_winograd_plan *const plan = &call->plan;
    const size_t output = share->panel % plan->panels * plan->panel;
    const size_t group = share->panel / plan->panels;
    const size_t cells = layer_conv_kernel_plane(plan->conv);
    const size_t kernels = plan->group_outputs * plan->group_channels;
    const size_t stride = call->is_exchanged ? plan->group_outputs : plan->group_channels;
    const size_t kernel = group * kernels + (call->is_exchanged ? share->first * stride + output
                                                                : output * stride + share->first);
    call->kernels->transform_weight(&(layer_winograd_weight){
        .weight = call->weight + kernel * cells,
        .stride = stride * cells,
        .outputs = layer_smaller(plan->panel, plan->group_outputs - output),
        .panel = plan->panel,
        .channels = share->channels,
        .is_exchanged = call->is_exchanged,
        .is_flipped = plan->conv->mode == LAYER_CONV_CONVOLUTION,
        .is_streamed = share->is_streamed,
        .transformed = share->transformed,
        .point_stride = share->point_stride,
    });
}

void layer_winograd_transform_inputs(const layer_winograd_call *call, const layer_winograd_set *set,
                                     size_t first, size_t channels, float *transformed,
                                     float *scratch)
{
    const layer_winograd_plan *const plan = &call->plan;
    const layer_window *const window = plan->conv->window;
    const size_t plane = layer_conv_input_plane(plan->conv);
    layer_winograd_input strip = {
        .height = window[LAYER_HEIGHT].input,
        .width = window[LAYER_WIDTH].input,
        .channels = channels,
        .left = (ptrdiff_t)(set->tile * plan->outputs) - window[LAYER_WIDTH].pad_begin,
        .tiles = set->tiles,
        .point_stride = plan->input_point_stride,
        .tile_stride = plan->input_tile_stride,
        .scratch = scratch,
    };
    for (size_t i = 0; i < set->strips; i++) {
        const size_t sample = (set->strip + i) / plan->tile_rows;
        const size_t row = (set->strip + i) % plan->tile_rows;
        const size_t channel = (sample * plan->groups + set->group) * plan->group_channels + first;
        strip.input = call->input + channel * plane;
        strip.top = (ptrdiff_t)(row * plan->outputs) - window[LAYER_HEIGHT].pad_begin;
        strip.transformed = transformed + i * set->tiles * plan->input_tile_stride + first;
        call->kernels->transform_input(&strip);
    }
}

void layer_winograd_transform_outputs(const layer_winograd_call *call,
                                      const layer_winograd_set *set, size_t panel,
                                      const float *products, float *scratch)
{
    const layer_winograd_plan *const plan = &call->plan;
    const size_t height = (size_t)plan->conv->window[LAYER_HEIGHT].output;
    const size_t width = (size_t)plan->conv->window[LAYER_WIDTH].output;
    const size_t first = panel % plan->panels * plan->panel, column = set->tile * plan->outputs;
    const size_t channel = set->group * plan->group_outputs + first;
    layer_winograd_output strip = {
        .point_stride = plan->product_point_stride,
        .tile_stride = plan->panel,
        .tiles = set->tiles,
        .outputs = layer_smaller(plan->panel, plan->group_outputs - first),
        .bias = call->bias == NULL ? NULL : call->bias + channel,
        .plane = height * width,
        .width = width,
        .columns = layer_smaller(set->tiles * plan->outputs, width - column),
        .scratch = scratch,
    };
    for (size_t i = 0; i < set->strips; i++) {
        const size_t sample = (set->strip + i) / plan->tile_rows;
        const size_t row = (set->strip + i) % plan->tile_rows * plan->outputs;
        const size_t plane = sample * plan->groups * plan->group_outputs + channel;
        strip.products = products + i * set->tiles * plan->panel;
        strip.output = call->output + plane * strip.plane + row * width + column;
        strip.rows = layer_smaller(plan->outputs, height - row);
        call->kernels->transform_output(&strip);
    }
}

/* ---- Products -------------------------------------------------------------------------------- */

/* Of one point for some channels of a set: transformed inputs and weights, both from the first of
 * these channels on. */
typedef struct {
    size_t rows, channels;
    const float *inputs, *weights, *next; /* the last: the weights used next, or NULL */
    float *products;
    bool accumulates;
} product;

static void multiply(const layer_winograd_call *call, const product *of)
{
    const layer_winograd_plan *const plan = &call->plan;
    call->panels->multiply(&(layer_panel){
        .rows = of->rows,
        .columns = plan->panel,
        .depth = of->channels,
        .left = of->inputs,
        .right = of->weights,
        .result = of->products,
        .left_leading = plan->input_tile_stride,
        .right_leading = plan->panel,
        .result_leading = plan->panel,
        .accumulates = of->accumulates,
        .next = of->next,
    });
}

/* One point of a set and panel: of all channels some at a time. */
static void multiply_point(const layer_winograd_call *call, const product *whole)
{
    const layer_winograd_plan *const plan = &call->plan;
    product part = *whole;
    for (size_t first = 0; first < plan->group_channels; first += part.channels) {
        part.channels = layer_smaller(plan->depth, plan->group_channels - first);
        part.inputs = whole->inputs + first;
        part.weights = whole->weights + first * plan->panel;
        part.next = first + part.channels < plan->group_channels
                        ? part.weights + part.channels * plan->panel
                        : whole->next;
        part.accumulates = first > 0;
        multiply(call, &part);
    }
}

/* The weights of a product of some panels from `panel` on, and after the last one what follows. */
static const float *weights_at(const layer_winograd_call *call, size_t panel, size_t panels,
                               size_t index)
{
    const layer_winograd_plan *const plan = &call->plan;
    const size_t point = index / panels;
    panel += point < plan->points ? index % panels : panels;
    return call->prepared + panel * plan->weight_panel_stride +
           point % plan->points * plan->weight_point_stride;
}

/* All points of a set and some panels: of a point one panel after the other, while its inputs are
 * in level 2. */
void layer_winograd_multiply_prepared(const layer_winograd_call *call,
                                      const layer_winograd_set *set, size_t panel, size_t panels,
                                      const float *inputs, float *products)
{
    const layer_winograd_plan *const plan = &call->plan;
    for (size_t i = 0; i < plan->points * panels; i++)
        multiply_point(call, &(product){
                                 .rows = set->strips * set->tiles,
                                 .inputs = inputs + i / panels * plan->input_point_stride,
                                 .weights = weights_at(call, panel, panels, i),
                                 .next = weights_at(call, panel, panels, i + 1),
                                 .products = products + i % panels * plan->product_count +
                                             i / panels * plan->product_point_stride,
                             });
}

/* All points of a set for channels whose weights have just been transformed. */
void layer_winograd_multiply_fresh(const layer_winograd_call *call, const layer_winograd_set *set,
                                   size_t first, size_t channels, const float *inputs,
                                   const float *weights, float *products)
{
    const layer_winograd_plan *const plan = &call->plan;
    for (size_t point = 0; point < plan->points; point++)
        multiply(call, &(product){
                           .rows = set->strips * set->tiles,
                           .channels = channels,
                           .inputs = inputs + point * plan->input_point_stride + first,
                           .weights = weights + point * plan->fresh_point_stride,
                           .products = products + point * plan->product_point_stride,
                           .accumulates = first > 0,
                       });
}
