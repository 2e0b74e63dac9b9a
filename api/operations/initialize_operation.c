/* POST /v1/initialize: draws the initial weights of a layer.
 * SPDX-License-Identifier: MIT */
#include "law_fields.h"
#include "operation.h"

#include <layer/nonlinearity.h>

typedef struct {
    bool given;
    api_number mean, variance;
} moments;

typedef struct {
    api_call call;
    struct {
        api_law law;
        api_shape shape;
        api_choice nonlinearity;
        api_number slope;
        api_integer group;
    } request;
    layer_initialize law;
    struct {
        api_result weight;
        api_decided_law law;
        api_number fan_in, fan_out, mean, std, bound;
        moments sample;
    } reply;
} initialize_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_field request_fields[] = {
    {.name = "law",
     .kind = &api_included_kind,
     .offset = offsetof(initialize_call, request.law),
     .fields = api_law_fields},
    {.name = "shape",
     .kind = &api_shape_kind,
     .offset = offsetof(initialize_call, request.shape),
     .required = true,
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fewest = 2,
     .most = LAYER_MAX_RANK,
     .summary = "the weight's shape: [out, in] or [K, C/group, kernel ...]"},
    {.name = "nonlinearity",
     .kind = &api_choice_kind,
     .offset = offsetof(initialize_call, request.nonlinearity),
     .options = api_nonlinearities,
     .summary = "what follows the layer: chooses the gain; conflicts with gain"},
    {.name = "slope",
     .kind = &api_number_kind,
     .offset = offsetof(initialize_call, request.slope),
     .summary = "the slope of leaky_relu below zero, by default 0.01"},
    {.name = "group",
     .kind = &api_integer_kind,
     .offset = offsetof(initialize_call, request.group),
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fallback = "1",
     .summary = "groups of the convolution: each has K/group output channels"},
    {0},
};

static const api_field moment_fields[] = {
    {.name = "mean", .kind = &api_figure_kind, .offset = offsetof(moments, mean)},
    {.name = "variance", .kind = &api_figure_kind, .offset = offsetof(moments, variance)},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "weight",
     .kind = &api_result_kind,
     .offset = offsetof(initialize_call, reply.weight),
     .required = true,
     .summary = "the weight"},
    {.name = "law",
     .kind = &api_included_kind,
     .offset = offsetof(initialize_call, reply.law),
     .fields = api_decided_law_fields},
    {.name = "fan_in",
     .kind = &api_figure_kind,
     .offset = offsetof(initialize_call, reply.fan_in),
     .required = true,
     .summary = "C/group times the kernel's cells"},
    {.name = "fan_out",
     .kind = &api_figure_kind,
     .offset = offsetof(initialize_call, reply.fan_out),
     .required = true,
     .summary = "K/group times the kernel's cells"},
    {.name = "mean",
     .kind = &api_figure_kind,
     .offset = offsetof(initialize_call, reply.mean),
     .required = true,
     .summary = "the law's mean of one element"},
    {.name = "std",
     .kind = &api_figure_kind,
     .offset = offsetof(initialize_call, reply.std),
     .required = true,
     .summary = "the law's standard deviation of one element; of a truncated normal, that which "
                "cutting has left"},
    {.name = "bound",
     .kind = &api_figure_kind,
     .offset = offsetof(initialize_call, reply.bound),
     .summary = "of a law with bounds: no element is larger in magnitude"},
    {.name = "sample",
     .kind = &api_object_kind,
     .offset = offsetof(initialize_call, reply.sample),
     .required = true,
     .fields = moment_fields,
     .summary = "what the drawn elements have"},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static bool choose_gain(const initialize_call *call, double *gain, api_problem *problem)
{
    const api_choice *const follows = &call->request.nonlinearity;
    const api_choice *const method = &call->request.law.method;
    double slope;
    if (call->request.law.gain.given && follows->given)
        return api_refuse_both(problem, "gain", "nonlinearity");
    if (!api_read_slope(&call->request.slope, follows, &slope, problem))
        return false;
    if (!follows->given)
        return true;
    if ((layer_initialize_takes((layer_initialize_method)method->value) & LAYER_TAKES_GAIN) == 0)
        return api_refuse(problem, 422, "/nonlinearity",
                          "nonlinearity chooses the gain, which %s does not take",
                          layer_initialize_method_name((layer_initialize_method)method->value));
    *gain = layer_nonlinearity_gain((layer_nonlinearity)follows->value, slope);
    return true;
}

static void fill_reply(initialize_call *call)
{
    const layer_initialize *const law = &call->law;
    call->reply.weight = (api_result){.given = true, .shape = law->shape};
    api_decide_law(&call->reply.law, law);
    call->reply.fan_in = (api_number){true, law->fan_in};
    call->reply.fan_out = (api_number){true, law->fan_out};
    call->reply.mean = (api_number){true, law->mean};
    call->reply.std = (api_number){true, law->std};
    call->reply.bound = (api_number){law->bound != 0, law->bound};
}

static bool describe(api_call *base, api_problem *problem)
{
    initialize_call *const call = (initialize_call *)base;
    layer_initialize_options options;
    layer_error error;
    if (!api_read_law(&call->request.law, &options, problem) ||
        !choose_gain(call, &options.gain, problem))
        return false;
    options.group = (int)call->request.group.value;
    if (layer_initialize_describe(&call->law, &call->request.shape.value, &options, &error) !=
        LAYER_OK)
        return api_refuse_layer(problem, &error);
    call->call.multiplications = call->law.multiplications;
    fill_reply(call);
    return true;
}

/* ---- Computing ------------------------------------------------------------------------------- */

static size_t workspace_size(const api_call *base, int threads)
{
    (void)threads;
    return layer_initialize_workspace_size(&((const initialize_call *)base)->law);
}

static layer_status compute(api_call *base, const layer_run *run)
{
    initialize_call *const call = (initialize_call *)base;
    const api_result *const weight = &call->reply.weight;
    const layer_status status = layer_initialize_run(&call->law, weight->data, run);
    if (status == LAYER_OK) {
        moments *const sample = &call->reply.sample;
        *sample = (moments){.given = true, .mean.given = true, .variance.given = true};
        layer_moments(weight->data, weight->count, &sample->mean.value, &sample->variance.value);
    }
    return status;
}

const api_operation api_operation_initialize = {
    .name = "initialize",
    .summary = "Draw the initial weights of a layer",
    .description =
        "Draws a weight by one of the published laws and tells the fans, the law's mean and "
        "standard "
        "deviation and the sample's own mean and variance. With `group`, the fans count the "
        "channels that a neuron really sees. Seen as rows = shape[0] by columns = the rest, an "
        "orthogonal "
        "weight W has W'W = gain^2 I where rows >= columns, WW' = gain^2 I otherwise. The same "
        "seed draws the same weight, whatever the number of threads.",
    .example = "{\"method\":\"xavier_uniform\",\"shape\":[2,3],\"seed\":1}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(initialize_call),
    .describe = describe,
    .workspace_size = workspace_size,
    .compute = compute,
};
