/* POST /v1/initialize: draws the initial weights of a layer.
 * SPDX-License-Identifier: MIT */
#include "operation.h"

#include <layer/initialize.h>

#include <math.h>
#include <sys/random.h>

/* One row a nonlinearity: its name and the gain that keeps the variance through it.
 * Sources: Glorot & Bengio 2010; He et al. 2015; Klambauer et al. 2017; torch.nn.init. */
#define NONLINEARITY_LIST(X)                                                                       \
    X(LINEAR, "linear", 1.0)                                                                       \
    X(CONV, "conv", 1.0)                                                                           \
    X(SIGMOID, "sigmoid", 1.0)                                                                     \
    X(TANH, "tanh", 5.0 / 3.0)                                                                     \
    X(RELU, "relu", sqrt(2.0))                                                                     \
    X(LEAKY_RELU, "leaky_relu", sqrt(2.0 / (1.0 + slope * slope)))                                 \
    X(SELU, "selu", 0.75)

typedef enum {
#define NONLINEARITY_ENUM(id, name, gain) NONLINEARITY_##id,
    NONLINEARITY_LIST(NONLINEARITY_ENUM)
#undef NONLINEARITY_ENUM
} nonlinearity;

#define DEFAULT_SLOPE 0.01

typedef struct {
    bool given;
    api_number mean, variance;
} moments;

typedef struct {
    api_call call;
    struct {
        api_choice method, nonlinearity;
        api_shape shape;
        api_number gain, slope;
        api_integer seed, group;
    } request;
    layer_initialize law;
    struct {
        api_result weight;
        api_choice method;
        api_integer seed;
        api_number gain, fan_in, fan_out, std, bound;
        moments sample;
    } reply;
} initialize_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_option methods[] = {
#define METHOD_OPTION(id, name, law) {name, LAYER_INITIALIZE_##id, law},
    LAYER_INITIALIZE_METHOD_LIST(METHOD_OPTION)
#undef METHOD_OPTION
        {0}};

static const api_option nonlinearities[] = {
#define NONLINEARITY_OPTION(id, name, gain) {name, NONLINEARITY_##id, "gain " #gain},
    NONLINEARITY_LIST(NONLINEARITY_OPTION)
#undef NONLINEARITY_OPTION
        {0}};

static const api_field request_fields[] = {
    {.name = "method",
     .kind = &api_choice_kind,
     .offset = offsetof(initialize_call, request.method),
     .required = true,
     .options = methods,
     .summary = "the law that the weight is drawn from"},
    {.name = "shape",
     .kind = &api_shape_kind,
     .offset = offsetof(initialize_call, request.shape),
     .required = true,
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fewest = 2,
     .most = LAYER_MAX_RANK,
     .summary = "the weight's shape: [out, in] or [K, C/group, kernel ...]"},
    {.name = "gain",
     .kind = &api_number_kind,
     .offset = offsetof(initialize_call, request.gain),
     .fallback = "1",
     .summary = "a positive factor of the standard deviation; conflicts with nonlinearity"},
    {.name = "nonlinearity",
     .kind = &api_choice_kind,
     .offset = offsetof(initialize_call, request.nonlinearity),
     .options = nonlinearities,
     .summary = "what follows the layer: chooses the gain"},
    {.name = "slope",
     .kind = &api_number_kind,
     .offset = offsetof(initialize_call, request.slope),
     .summary = "the slope of leaky_relu below zero, by default 0.01"},
    {.name = "seed",
     .kind = &api_integer_kind,
     .offset = offsetof(initialize_call, request.seed),
     .minimum = 0,
     .maximum = API_MAX_SEED,
     .summary = "the same seed draws the same weight; left out, one is drawn and told"},
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
    {.name = "mean", .kind = &api_number_kind, .offset = offsetof(moments, mean)},
    {.name = "variance", .kind = &api_number_kind, .offset = offsetof(moments, variance)},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "weight",
     .kind = &api_result_kind,
     .offset = offsetof(initialize_call, reply.weight),
     .required = true,
     .summary = "the weight"},
    {.name = "method",
     .kind = &api_choice_kind,
     .offset = offsetof(initialize_call, reply.method),
     .required = true,
     .options = methods,
     .summary = "the law that the weight was drawn from"},
    {.name = "seed",
     .kind = &api_integer_kind,
     .offset = offsetof(initialize_call, reply.seed),
     .required = true,
     .minimum = 0,
     .maximum = API_MAX_SEED,
     .summary = "with it the same request answers the same weight"},
    {.name = "gain",
     .kind = &api_number_kind,
     .offset = offsetof(initialize_call, reply.gain),
     .required = true,
     .summary = "the factor of the standard deviation"},
    {.name = "fan_in",
     .kind = &api_number_kind,
     .offset = offsetof(initialize_call, reply.fan_in),
     .required = true,
     .summary = "C/group times the kernel's cells"},
    {.name = "fan_out",
     .kind = &api_number_kind,
     .offset = offsetof(initialize_call, reply.fan_out),
     .required = true,
     .summary = "K/group times the kernel's cells"},
    {.name = "std",
     .kind = &api_number_kind,
     .offset = offsetof(initialize_call, reply.std),
     .required = true,
     .summary = "the law's standard deviation of one element"},
    {.name = "bound",
     .kind = &api_number_kind,
     .offset = offsetof(initialize_call, reply.bound),
     .summary = "of a uniform law: no element is larger in magnitude"},
    {.name = "sample",
     .kind = &api_object_kind,
     .offset = offsetof(initialize_call, reply.sample),
     .required = true,
     .fields = moment_fields,
     .summary = "what the drawn elements have"},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static double nonlinearity_gain(nonlinearity which, double slope)
{
    const double gains[] = {
#define NONLINEARITY_GAIN(id, name, gain) [NONLINEARITY_##id] = (gain),
        NONLINEARITY_LIST(NONLINEARITY_GAIN)
#undef NONLINEARITY_GAIN
    };
    return gains[which];
}

static bool choose_gain(const initialize_call *call, double *gain, api_problem *problem)
{
    const api_choice *const follows = &call->request.nonlinearity;
    const api_number *const slope = &call->request.slope;
    *gain = call->request.gain.given ? call->request.gain.value : 1;
    if (call->request.gain.given && follows->given)
        return api_refuse(problem, 422, "/gain",
                          "gain conflicts with nonlinearity; give one of them");
    if (*gain <= 0)
        return api_refuse(problem, 422, "/gain", "gain is %g; expected a positive number", *gain);
    if (slope->given && !(follows->given && follows->value == NONLINEARITY_LEAKY_RELU))
        return api_refuse(problem, 422, "/slope", "slope goes with nonlinearity \"leaky_relu\"");
    if (follows->given)
        *gain = nonlinearity_gain((nonlinearity)follows->value,
                                  slope->given ? slope->value : DEFAULT_SLOPE);
    return true;
}

static bool choose_seed(const initialize_call *call, uint64_t *seed, api_problem *problem)
{
    enum { UNUSED_BITS = 64 - 53 };
    if (call->request.seed.given) {
        *seed = (uint64_t)call->request.seed.value;
        return true;
    }
    if (getrandom(seed, sizeof *seed, 0) != (ssize_t)sizeof *seed)
        return api_refuse(problem, 500, "", "the system gave no random seed");
    *seed >>= UNUSED_BITS;
    return true;
}

static void fill_reply(initialize_call *call)
{
    const layer_initialize *const law = &call->law;
    call->reply.weight = (api_result){.given = true, .shape = law->shape};
    call->reply.method = (api_choice){true, (int)law->method};
    call->reply.seed = (api_integer){true, (int64_t)law->seed};
    call->reply.gain = (api_number){true, law->gain};
    call->reply.fan_in = (api_number){true, law->fan_in};
    call->reply.fan_out = (api_number){true, law->fan_out};
    call->reply.std = (api_number){true, law->std};
    call->reply.bound = (api_number){law->bound != 0, law->bound};
}

static bool describe(api_call *base, api_problem *problem)
{
    initialize_call *const call = (initialize_call *)base;
    layer_initialize_options options = {
        .method = (layer_initialize_method)call->request.method.value,
        .group = (int)call->request.group.value,
    };
    layer_error error;
    if (!choose_gain(call, &options.gain, problem) || !choose_seed(call, &options.seed, problem))
        return false;
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
        "Draws a weight by one of the published laws and tells the fans, the standard deviation "
        "and the sample's own mean and variance. With `group`, the fans count the channels that "
        "a neuron really sees. Seen as rows = shape[0] by columns = the rest, an orthogonal "
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
