/* POST /v1/variance: how variances pass through a stack of layers at initialization.
 * SPDX-License-Identifier: MIT */
#include "law_fields.h"
#include "operation.h"
#include "variance_fields.h"

#include <layer/variance.h>

#include <string.h>

typedef struct {
    api_call call;
    struct {
        api_sequence widths;
        api_objects layers;
        api_law law;
        api_choice nonlinearity;
        api_number slope;
        api_integer samples;
    } request;
    layer_variance variance;
    struct {
        api_objects layers;
        api_decided_law law;
        api_choice nonlinearity;
        api_number slope;
        api_integer samples;
    } reply;
} variance_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_field request_fields[] = {
    {.name = "widths",
     .kind = &api_sequence_kind,
     .offset = offsetof(variance_call, request.widths),
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fewest = 2,
     .most = LAYER_VARIANCE_MAX_LAYERS + 1,
     .summary = "of a stack of linear layers: the inputs, then each layer's outputs"},
    {.name = "layers",
     .kind = &api_objects_kind,
     .offset = offsetof(variance_call, request.layers),
     .fewest = 1,
     .most = LAYER_VARIANCE_MAX_LAYERS,
     .fields = api_asked_layer_fields,
     .item_size = sizeof(api_asked_layer),
     .summary = "in place of widths, of any stack: each layer's weight. A linear layer after a "
                "convolution is applied at each position"},
    {.name = "law",
     .kind = &api_included_kind,
     .offset = offsetof(variance_call, request.law),
     .fields = api_law_fields},
    {.name = "nonlinearity",
     .kind = &api_choice_kind,
     .offset = offsetof(variance_call, request.nonlinearity),
     .options = api_nonlinearities,
     .summary = "what lies between the layers: by default linear, that is nothing, with kaiming a "
                "relu. It chooses kaiming's gain, unless that is given, and no other's"},
    {.name = "slope",
     .kind = &api_number_kind,
     .offset = offsetof(variance_call, request.slope),
     .summary = "the slope of leaky_relu below zero, by default 0.01"},
    {.name = "samples",
     .kind = &api_integer_kind,
     .offset = offsetof(variance_call, request.samples),
     .minimum = 1,
     .maximum = LAYER_VARIANCE_MAX_SAMPLES,
     .fallback = "256",
     .summary = "inputs that are drawn from N(0, 1), and gradients"},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "layers",
     .kind = &api_objects_kind,
     .offset = offsetof(variance_call, reply.layers),
     .required = true,
     .fields = api_told_layer_fields,
     .item_size = sizeof(api_told_layer),
     .summary = "from the first to the last"},
    {.name = "law",
     .kind = &api_included_kind,
     .offset = offsetof(variance_call, reply.law),
     .fields = api_decided_law_fields},
    {.name = "nonlinearity",
     .kind = &api_choice_kind,
     .offset = offsetof(variance_call, reply.nonlinearity),
     .required = true,
     .options = api_nonlinearities,
     .summary = "what lies between the layers"},
    {.name = "slope",
     .kind = &api_figure_kind,
     .offset = offsetof(variance_call, reply.slope),
     .summary = "of leaky_relu below zero"},
    {.name = "samples",
     .kind = &api_integer_kind,
     .offset = offsetof(variance_call, reply.samples),
     .required = true,
     .summary = "inputs that were drawn"},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

/* The stack's weights, from widths or layers. */
static bool read_weights(const variance_call *call, layer_variance_weight *weights, size_t *count,
                         api_problem *problem)
{
    const api_sequence *const widths = &call->request.widths;
    const api_objects *const layers = &call->request.layers;
    if (widths->given && layers->given)
        return api_refuse_both(problem, "widths", "layers");
    if (!widths->given && !layers->given)
        return api_refuse(problem, 422, "/widths", "missing field \"widths\", or \"layers\"");
    *count = widths->given ? widths->count - 1 : layers->count;
    const api_asked_layer *const items = layers->items;
    for (size_t l = 0; l < *count; l++)
        weights[l] =
            widths->given
                ? (layer_variance_weight){{2, {widths->values[l + 1], widths->values[l]}}, 1}
                : (layer_variance_weight){items[l].shape.value, (int)items[l].group.value};
    return true;
}

/* What lies between the layers, and the gain that follows from it. */
static bool read_options(const variance_call *call, layer_variance_options *options,
                         api_problem *problem)
{
    const api_choice *const between = &call->request.nonlinearity;
    if (!api_read_law(&call->request.law, &options->law, problem) ||
        !api_read_slope(&call->request.slope, between, &options->slope, problem))
        return false;
    const bool kaiming = options->law.method == LAYER_INITIALIZE_KAIMING_NORMAL ||
                         options->law.method == LAYER_INITIALIZE_KAIMING_UNIFORM;
    options->nonlinearity = between->given ? (layer_nonlinearity)between->value
                            : kaiming      ? LAYER_NONLINEARITY_RELU
                                           : LAYER_NONLINEARITY_LINEAR;
    options->samples = (size_t)call->request.samples.value;
    if (kaiming && !call->request.law.gain.given)
        options->law.gain = layer_nonlinearity_gain(options->nonlinearity, options->slope);
    return true;
}

/* What the law is of all layers: bounds and deviations are each layer's own. */
static bool fill_reply(variance_call *call, api_problem *problem)
{
    const layer_variance *const variance = &call->variance;
    api_told_layer *const told =
        api_arena_allocate(call->call.arena, variance->count * sizeof *told);
    if (told == NULL)
        return api_refuse_past(problem, API_LIMIT_MEMORY, "", "no memory for %zu layers",
                               variance->count);
    for (size_t l = 0; l < variance->count; l++)
        told[l] = api_tell_layer(&variance->layers[l]);
    call->reply.layers = (api_objects){true, variance->count, told};
    api_decide_law(&call->reply.law, &variance->layers[0].law);
    call->reply.law.seed.value = (int64_t)variance->seed;
    call->reply.law.untruncated_std.given = false;
    call->reply.nonlinearity = (api_choice){true, (int)variance->nonlinearity};
    call->reply.slope =
        (api_number){variance->nonlinearity == LAYER_NONLINEARITY_LEAKY_RELU, variance->slope};
    call->reply.samples = (api_integer){true, (int64_t)variance->samples};
    return true;
}

/* Points at the layer that is to blame, or at the widths that it lies between. Returns false. */
static bool refuse(const variance_call *call, size_t place, size_t count, layer_error *error,
                   api_problem *problem)
{
    const bool of_layer = place < count;
    if (of_layer && call->request.layers.given)
        return api_refuse_layer_at(problem, place, error);
    if (call->request.widths.given && (of_layer || strcmp(error->argument, "layers") == 0))
        error->argument = "widths";
    return api_refuse_layer(problem, error);
}

static bool describe(api_call *base, api_problem *problem)
{
    variance_call *const call = (variance_call *)base;
    layer_variance_weight weights[LAYER_VARIANCE_MAX_LAYERS];
    layer_variance_options options = {.samples = 0};
    size_t count = 0, place;
    layer_error error;
    if (!read_weights(call, weights, &count, problem) || !read_options(call, &options, problem))
        return false;
    if (layer_variance_describe(&call->variance, weights, count, &options, &place, &error) !=
        LAYER_OK)
        return refuse(call, place, count, &error, problem);
    call->call.multiplications = call->variance.multiplications;
    return fill_reply(call, problem);
}

/* ---- Computing ------------------------------------------------------------------------------- */

static size_t workspace_size(const api_call *base, int threads)
{
    return layer_variance_workspace_size(&((const variance_call *)base)->variance, threads);
}

static layer_status compute(api_call *base, const layer_run *run)
{
    variance_call *const call = (variance_call *)base;
    layer_variance_measured measured[LAYER_VARIANCE_MAX_LAYERS];
    const layer_status status = layer_variance_measure(&call->variance, measured, run);
    api_told_layer *const told = call->reply.layers.items;
    for (size_t l = 0; l < call->variance.count && status == LAYER_OK; l++)
        api_tell_measured(&told[l], &measured[l]);
    return status;
}

const api_operation api_operation_variance = {
    .name = "variance",
    .summary = "Follow the variance through a stack of layers",
    .description =
        "Whether an initialization keeps the variance of signals forward (D z) and of gradients "
        "backward, layer by layer: predicted by the formulas of Glorot and of He, with the second "
        "moments of what the nonlinearity makes of a normal variable, exact for linear, relu and "
        "leaky_relu and by quadrature for the others; and measured by drawing the weights once, "
        "and inputs and gradients from N(0, 1). The variance is kept forward where fan_in * D w * "
        "c = 1 and backward where fan_out * D w * c' = 1, c and c' being what the nonlinearity "
        "leaves of the second moment: 1/2 for a ReLU. The first layer, whose input no "
        "nonlinearity has made, is judged like the others, as He et al. do. The same seed draws "
        "the same stack, whatever the number of threads.",
    .example = "{\"widths\":[64,64,64],\"method\":\"xavier_normal\",\"seed\":1}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(variance_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
