/* Initial weights: describe the law, dispatch to its file.
 * SPDX-License-Identifier: MIT */
#include "layer/initialize.h"
#include "core/refuse.h"
#include "initialize/method.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>

static const layer_initialize_law *const laws[] = {
#define METHOD_LAW(id, name, takes, sentence) [LAYER_INITIALIZE_##id] = &layer_initialize_law_##id,
    LAYER_INITIALIZE_METHOD_LIST(METHOD_LAW)
#undef METHOD_LAW
};

enum { METHODS = sizeof laws / sizeof *laws };

/* No normal drawn from 53 bits is beyond sqrt(2 * 54 * ln 2) = 8.7 standard deviations. */
static const double MOST_DEVIATIONS = 9;

static layer_status check_shape(const layer_shape *shape, size_t *count, layer_error *error)
{
    if (shape->rank < 2 || shape->rank > LAYER_MAX_RANK)
        return layer_refuse(error, LAYER_INVALID, "shape",
                            "shape has rank %d, expected 2 to %d: [out, in] or [K, C/group, kernel "
                            "...]",
                            shape->rank, LAYER_MAX_RANK);
    return layer_shape_count(shape, "shape", count, error);
}

static layer_status check_group(int group, const layer_shape *shape, layer_error *error)
{
    if (group < 0)
        return layer_refuse(error, LAYER_INVALID, "group", "group is %d, expected at least 1",
                            group);
    if (group > 0 && shape->extent[0] % group != 0)
        return layer_refuse(error, LAYER_INVALID, "group",
                            "shape's %d output channels do not divide into %d groups",
                            shape->extent[0], group);
    return LAYER_OK;
}

/* The options that are words. */
static layer_status check_words(const layer_initialize_options *options, layer_error *error)
{
    if ((size_t)options->method >= METHODS)
        return layer_refuse(error, LAYER_INVALID, "method", "method %d is none of the list",
                            (int)options->method);
    if ((unsigned)options->mode > LAYER_FAN_AVG)
        return layer_refuse(error, LAYER_INVALID, "mode", "mode %d is none of the list",
                            (int)options->mode);
    if ((unsigned)options->distribution > LAYER_DISTRIBUTION_UNIFORM)
        return layer_refuse(error, LAYER_INVALID, "distribution",
                            "distribution %d is none of the list", (int)options->distribution);
    return LAYER_OK;
}

/* The options that are numbers. */
static layer_status check_numbers(const layer_initialize_options *options, layer_error *error)
{
    const struct {
        const char *name;
        double value;
        bool positive;
    } numbers[] = {
        {"gain", options->gain, true},    {"scale", options->scale, true},
        {"std", options->std, true},      {"mean", options->mean, false},
        {"lower", options->lower, false}, {"upper", options->upper, false},
        {"low", options->low, false},     {"high", options->high, false},
        {"value", options->value, false},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!isfinite(numbers[i].value) || (numbers[i].positive && numbers[i].value < 0))
            return layer_refuse(error, LAYER_INVALID, numbers[i].name,
                                "%s is %g, expected a %sfinite number", numbers[i].name,
                                numbers[i].value, numbers[i].positive ? "positive " : "");
    return LAYER_OK;
}

static layer_initialize with_fans(const layer_shape *shape, const layer_initialize_options *options,
                                  size_t count)
{
    const int group = options->group == 0 ? 1 : options->group;
    return (layer_initialize){
        .shape = *shape,
        .method = options->method,
        .takes = layer_initialize_takes(options->method),
        .seed = options->seed,
        .group = group,
        .mode = options->mode,
        .gain = options->gain == 0 ? 1 : options->gain,
        .scale = options->scale == 0 ? 1 : options->scale,
        .fan_in = (double)(count / (size_t)shape->extent[0]),
        .fan_out = (double)(count / (size_t)shape->extent[1] / (size_t)group),
    };
}

/* Elements must be floats, and so must be what replies say of them. */
static layer_status check_magnitude(const layer_initialize *described, const char *widener,
                                    layer_error *error)
{
    const double most = described->bound > 0
                            ? described->bound
                            : fabs(described->mean) + described->std * MOST_DEVIATIONS;
    if (fmax(fmax(described->gain, described->scale), most) <= (double)FLT_MAX)
        return LAYER_OK;
    return layer_refuse(error, LAYER_TOO_LARGE, widener,
                        "%s makes weights beyond what a float holds", widener);
}

layer_status layer_initialize_describe(layer_initialize *initialize, const layer_shape *shape,
                                       const layer_initialize_options *options, layer_error *error)
{
    const layer_initialize_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    size_t count;
    layer_status status = check_shape(shape, &count, error);
    if (status == LAYER_OK)
        status = check_words(options, error);
    if (status == LAYER_OK)
        status = check_numbers(options, error);
    if (status == LAYER_OK)
        status = check_group(options->group, shape, error);
    if (status != LAYER_OK)
        return status;
    const layer_initialize_law *const law = laws[options->method];
    layer_initialize described = with_fans(shape, options, count);
    status = law->describe(&described, options, count, error);
    if (status == LAYER_OK)
        status = check_magnitude(&described, law->widener, error);
    if (status == LAYER_OK)
        *initialize = described;
    return status;
}

static size_t described_count(const layer_initialize *initialize)
{
    size_t count = 0;
    layer_error error;
    const layer_status status = layer_shape_count(&initialize->shape, "shape", &count, &error);
    assert(status == LAYER_OK && (size_t)initialize->method < METHODS);
    (void)status;
    return count;
}

size_t layer_initialize_workspace_size(const layer_initialize *initialize)
{
    const size_t count = described_count(initialize);
    const layer_initialize_law *const law = laws[initialize->method];
    return law->workspace_size == NULL ? 0 : law->workspace_size(initialize, count);
}

layer_status layer_initialize_run(const layer_initialize *initialize, float *weight,
                                  const layer_run *run)
{
    assert(weight != NULL && run != NULL);
    const size_t count = described_count(initialize);
    return laws[initialize->method]->run(initialize, weight, count, run);
}

const char *layer_initialize_method_name(layer_initialize_method method)
{
    static const char *const names[] = {
#define METHOD_NAME(id, name, takes, sentence) [LAYER_INITIALIZE_##id] = (name),
        LAYER_INITIALIZE_METHOD_LIST(METHOD_NAME)
#undef METHOD_NAME
    };
    assert((size_t)method < METHODS);
    return names[method];
}

layer_initialize_parameters layer_initialize_takes(layer_initialize_method method)
{
    static const layer_initialize_parameters parameters[] = {
#define METHOD_TAKES(id, name, takes, sentence) [LAYER_INITIALIZE_##id] = (takes),
        LAYER_INITIALIZE_METHOD_LIST(METHOD_TAKES)
#undef METHOD_TAKES
    };
    assert((size_t)method < METHODS);
    return parameters[method];
}
