/* The fields of a law that weights are drawn from: their table, what they become, what a reply
 * says. SPDX-License-Identifier: MIT */
#include "law_fields.h"

#include <layer/nonlinearity.h>

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* ---- The words ------------------------------------------------------------------------------- */

static const api_option methods[] = {
#define METHOD_OPTION(id, name, takes, law) {name, LAYER_INITIALIZE_##id, law},
    LAYER_INITIALIZE_METHOD_LIST(METHOD_OPTION)
#undef METHOD_OPTION
        {0}};

static const api_option fans[] = {
#define FAN_OPTION(id, name, sentence) {name, LAYER_##id, sentence},
    LAYER_FAN_LIST(FAN_OPTION)
#undef FAN_OPTION
        {0}};

static const api_option distributions[] = {
#define DISTRIBUTION_OPTION(id, name, sentence) {name, LAYER_DISTRIBUTION_##id, sentence},
    LAYER_DISTRIBUTION_LIST(DISTRIBUTION_OPTION)
#undef DISTRIBUTION_OPTION
        {0}};

const api_option api_nonlinearities[] = {
#define NONLINEARITY_OPTION(id, name, gain) {name, LAYER_NONLINEARITY_##id, "gain " #gain},
    LAYER_NONLINEARITY_LIST(NONLINEARITY_OPTION)
#undef NONLINEARITY_OPTION
        {0}};

/* ---- The fields ------------------------------------------------------------------------------ */

const api_field api_law_fields[] = {
    {.name = "method",
     .kind = &api_choice_kind,
     .offset = offsetof(api_law, method),
     .required = true,
     .options = methods,
     .summary = "the law that the weight is drawn from"},
    {.name = "gain",
     .kind = &api_number_kind,
     .offset = offsetof(api_law, gain),
     .summary =
         "of xavier, orthogonal and kaiming: a positive factor of the standard deviation; by "
         "default 1, or the nonlinearity's, or for kaiming a ReLU's, sqrt(2)"},
    {.name = "mode",
     .kind = &api_choice_kind,
     .offset = offsetof(api_law, mode),
     .options = fans,
     .summary =
         "of kaiming and variance_scaling: the fan that divides the variance, by default fan_in"},
    {.name = "scale",
     .kind = &api_number_kind,
     .offset = offsetof(api_law, scale),
     .summary = "of variance_scaling: a positive factor of the variance, by default 1"},
    {.name = "distribution",
     .kind = &api_choice_kind,
     .offset = offsetof(api_law, distribution),
     .options = distributions,
     .summary =
         "of variance_scaling: what the elements are drawn from, by default truncated_normal"},
    {.name = "mean",
     .kind = &api_number_kind,
     .offset = offsetof(api_law, mean),
     .summary = "of normal and truncated_normal: the mean before it is cut, by default 0"},
    {.name = "std",
     .kind = &api_number_kind,
     .offset = offsetof(api_law, std),
     .summary =
         "of normal and truncated_normal: the standard deviation before it is cut, by default 1"},
    {.name = "lower",
     .kind = &api_number_kind,
     .offset = offsetof(api_law, lower),
     .summary = "of truncated_normal: where it is cut below, in units of std from the mean, by "
                "default -2"},
    {.name = "upper",
     .kind = &api_number_kind,
     .offset = offsetof(api_law, upper),
     .summary =
         "of truncated_normal: where it is cut above, in units of std from the mean, by default 2"},
    {.name = "low",
     .kind = &api_number_kind,
     .offset = offsetof(api_law, low),
     .summary = "of uniform: no element is less; by default 0"},
    {.name = "high",
     .kind = &api_number_kind,
     .offset = offsetof(api_law, high),
     .summary = "of uniform: no element is more; by default 1"},
    {.name = "value",
     .kind = &api_number_kind,
     .offset = offsetof(api_law, value),
     .summary = "of constant: every element; by default 0"},
    {.name = "seed",
     .kind = &api_integer_kind,
     .offset = offsetof(api_law, seed),
     .minimum = 0,
     .maximum = API_MAX_SEED,
     .summary = "the same seed draws the same weight; left out, one is drawn and told"},
    {0},
};

const api_field api_decided_law_fields[] = {
    {.name = "method",
     .kind = &api_choice_kind,
     .offset = offsetof(api_decided_law, method),
     .required = true,
     .options = methods,
     .summary = "the law that the weight was drawn from"},
    {.name = "seed",
     .kind = &api_integer_kind,
     .offset = offsetof(api_decided_law, seed),
     .required = true,
     .minimum = 0,
     .maximum = API_MAX_SEED,
     .summary = "with it the same request answers the same weight"},
    {.name = "gain",
     .kind = &api_figure_kind,
     .offset = offsetof(api_decided_law, gain),
     .summary = "of xavier, orthogonal and kaiming: the factor of the standard deviation"},
    {.name = "mode",
     .kind = &api_choice_kind,
     .offset = offsetof(api_decided_law, mode),
     .options = fans,
     .summary = "of kaiming and variance_scaling: the fan that divided the variance"},
    {.name = "scale",
     .kind = &api_figure_kind,
     .offset = offsetof(api_decided_law, scale),
     .summary = "of variance_scaling: the factor of the variance"},
    {.name = "distribution",
     .kind = &api_choice_kind,
     .offset = offsetof(api_decided_law, distribution),
     .options = distributions,
     .summary = "of variance_scaling: what the elements were drawn from"},
    {.name = "lower",
     .kind = &api_figure_kind,
     .offset = offsetof(api_decided_law, lower),
     .summary = "of a truncated normal: where it was cut below, in units of untruncated_std"},
    {.name = "upper",
     .kind = &api_figure_kind,
     .offset = offsetof(api_decided_law, upper),
     .summary = "of a truncated normal: where it was cut above, in units of untruncated_std"},
    {.name = "untruncated_std",
     .kind = &api_figure_kind,
     .offset = offsetof(api_decided_law, untruncated_std),
     .summary = "of a truncated normal: the standard deviation before it was cut"},
    {.name = "low",
     .kind = &api_figure_kind,
     .offset = offsetof(api_decided_law, low),
     .summary = "of uniform: no element is less"},
    {.name = "high",
     .kind = &api_figure_kind,
     .offset = offsetof(api_decided_law, high),
     .summary = "of uniform: no element is more"},
    {0},
};

/* ---- Reading --------------------------------------------------------------------------------- */

/* The names of the methods that take a parameter, between commas. */
static const char *takers(layer_initialize_parameters parameter, char *text, size_t size)
{
    size_t length = 0;
    for (const api_option *method = methods; method->name != NULL && length < size; method++)
        if ((layer_initialize_takes((layer_initialize_method)method->value) & parameter) != 0)
            length += (size_t)snprintf(text + length, size - length, "%s%s",
                                       length == 0 ? "" : ", ", method->name);
    return text;
}

/* Refuses what the method would not look at. */
static bool check_parameters(const api_law *law, api_problem *problem)
{
    const struct {
        const char *name;
        bool given;
        layer_initialize_parameters bit;
    } parameters[] = {
#define PARAMETER(id, member) {#member, law->member.given, LAYER_TAKES_##id},
        LAYER_INITIALIZE_PARAMETER_LIST(PARAMETER)
#undef PARAMETER
    };
    const layer_initialize_method method = (layer_initialize_method)law->method.value;
    const layer_initialize_parameters takes = layer_initialize_takes(method);
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        if (!parameters[i].given || (takes & parameters[i].bit) != 0)
            continue;
        char pointer[API_POINTER_SIZE] = "", text[API_DETAIL_SIZE / 2];
        api_pointer_push(pointer, parameters[i].name);
        return api_refuse(problem, 422, pointer, "%s does not go with %s; it goes with %s",
                          parameters[i].name, layer_initialize_method_name(method),
                          takers(parameters[i].bit, text, sizeof text));
    }
    return true;
}

/* In the library's options zero means the default: a zero that was given must not. */
static bool check_positive(const char *pointer, const api_number *number, api_problem *problem)
{
    return !number->given || number->value > 0 ||
           api_refuse(problem, 422, pointer, "%s is %g; expected a positive number", pointer + 1,
                      number->value);
}

static bool check_order(const char *pointer, double less, double more, api_problem *problem)
{
    return less < more || api_refuse(problem, 422, pointer, "%s is %g; expected more than %g",
                                     pointer + 1, more, less);
}

static double number_or(const api_number *number, double fallback)
{
    return number->given ? number->value : fallback;
}

static bool choose_seed(const api_integer *given, uint64_t *seed, api_problem *problem)
{
    enum { UNUSED_BITS = 64 - 53 };
    if (given->given) {
        *seed = (uint64_t)given->value;
        return true;
    }
    if (getrandom(seed, sizeof *seed, 0) != (ssize_t)sizeof *seed)
        return api_refuse(problem, 500, "", "the system gave no random seed");
    *seed >>= UNUSED_BITS;
    return true;
}

bool api_read_law(const api_law *law, layer_initialize_options *options, api_problem *problem)
{
    *options = (layer_initialize_options){
        .method = (layer_initialize_method)law->method.value,
        .gain = law->gain.value,
        .mode = (layer_fan)law->mode.value,
        .distribution = (layer_distribution)law->distribution.value,
        .scale = law->scale.value,
        .mean = law->mean.value,
        .std = law->std.value,
        .lower = number_or(&law->lower, -2),
        .upper = number_or(&law->upper, 2),
        .low = number_or(&law->low, 0),
        .high = number_or(&law->high, 1),
        .value = law->value.value,
    };
    return check_parameters(law, problem) && check_positive("/gain", &law->gain, problem) &&
           check_positive("/scale", &law->scale, problem) &&
           check_positive("/std", &law->std, problem) &&
           check_order("/upper", options->lower, options->upper, problem) &&
           check_order("/high", options->low, options->high, problem) &&
           choose_seed(&law->seed, &options->seed, problem);
}

bool api_read_slope(const api_number *slope, const api_choice *nonlinearity, double *value,
                    api_problem *problem)
{
    *value = number_or(slope, LAYER_DEFAULT_SLOPE);
    return !slope->given ||
           (nonlinearity->given && nonlinearity->value == LAYER_NONLINEARITY_LEAKY_RELU) ||
           api_refuse(problem, 422, "/slope", "slope goes with nonlinearity \"leaky_relu\"");
}

/* ---- Replying -------------------------------------------------------------------------------- */

static api_number number_if(bool given, double value)
{
    return (api_number){given, value};
}

void api_decide_law(api_decided_law *decided, const layer_initialize *law)
{
    const bool cut = law->lower != law->upper;
    const bool bounded = (law->takes & LAYER_TAKES_LOW) != 0;
    *decided = (api_decided_law){
        .method = {true, (int)law->method},
        .seed = {true, (int64_t)law->seed},
        .gain = number_if((law->takes & LAYER_TAKES_GAIN) != 0, law->gain),
        .mode = {(law->takes & LAYER_TAKES_MODE) != 0, (int)law->mode},
        .scale = number_if((law->takes & LAYER_TAKES_SCALE) != 0, law->scale),
        .distribution = {(law->takes & LAYER_TAKES_DISTRIBUTION) != 0, (int)law->distribution},
        .lower = number_if(cut, law->lower),
        .upper = number_if(cut, law->upper),
        .untruncated_std = number_if(cut, law->spread),
        .low = number_if(bounded, law->low),
        .high = number_if(bounded, law->high),
    };
}
