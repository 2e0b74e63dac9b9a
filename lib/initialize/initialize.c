/* Initial weights: describe the law, dispatch to its file.
 * SPDX-License-Identifier: MIT */
#include "layer/initialize.h"
#include "core/refuse.h"
#include "initialize/method.h"

#include <assert.h>
#include <float.h>
#include <math.h>

static const layer_initialize_law *const laws[] = {
#define METHOD_LAW(id, name, sentence) [LAYER_INITIALIZE_##id] = &layer_initialize_law_##id,
    LAYER_INITIALIZE_METHOD_LIST(METHOD_LAW)
#undef METHOD_LAW
};

static const char *const names[] = {
#define METHOD_NAME(id, name, sentence) [LAYER_INITIALIZE_##id] = (name),
    LAYER_INITIALIZE_METHOD_LIST(METHOD_NAME)
#undef METHOD_NAME
};

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

static layer_status check_options(const layer_initialize_options *options, const layer_shape *shape,
                                  layer_error *error)
{
    if ((size_t)options->method >= sizeof laws / sizeof *laws)
        return layer_refuse(error, LAYER_INVALID, "method", "method %d is none of the list",
                            (int)options->method);
    if (!isfinite(options->gain) || options->gain < 0)
        return layer_refuse(error, LAYER_INVALID, "gain",
                            "gain is %g, expected a positive finite number", options->gain);
    if (options->group < 0)
        return layer_refuse(error, LAYER_INVALID, "group", "group is %d, expected at least 1",
                            options->group);
    if (options->group > 0 && shape->extent[0] % options->group != 0)
        return layer_refuse(error, LAYER_INVALID, "group",
                            "shape's %d output channels do not divide into %d groups",
                            shape->extent[0], options->group);
    return LAYER_OK;
}

static layer_initialize with_fans(const layer_shape *shape, const layer_initialize_options *options,
                                  size_t count)
{
    const int group = options->group == 0 ? 1 : options->group;
    return (layer_initialize){
        .shape = *shape,
        .method = options->method,
        .seed = options->seed,
        .gain = options->gain == 0 ? 1 : options->gain,
        .fan_in = (double)(count / (size_t)shape->extent[0]),
        .fan_out = (double)(count / (size_t)shape->extent[1] / (size_t)group),
    };
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
        status = check_options(options, shape, error);
    if (status != LAYER_OK)
        return status;
    layer_initialize described = with_fans(shape, options, count);
    laws[options->method]->describe(&described, count);
    if (fmax(described.gain, described.std * MOST_DEVIATIONS) > (double)FLT_MAX)
        return layer_refuse(error, LAYER_TOO_LARGE, "gain",
                            "gain %g makes weights beyond what a float holds", described.gain);
    *initialize = described;
    return LAYER_OK;
}

static size_t described_count(const layer_initialize *initialize)
{
    size_t count = 0;
    layer_error error;
    const layer_status status = layer_shape_count(&initialize->shape, "shape", &count, &error);
    assert(status == LAYER_OK && (size_t)initialize->method < sizeof laws / sizeof *laws);
    (void)status;
    return count;
}

size_t layer_initialize_workspace_size(const layer_initialize *initialize)
{
    const size_t count = described_count(initialize);
    return laws[initialize->method]->workspace_size(initialize, count);
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
    assert((size_t)method < sizeof names / sizeof *names);
    return names[method];
}
