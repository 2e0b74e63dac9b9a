/* Convolution: describe it, choose an algorithm, dispatch to its file.
 * SPDX-License-Identifier: MIT */
#include "layer/conv.h"
#include "conv/implementation.h"
#include "core/refuse.h"
#include "core/saturate.h"
#include "core/sliding.h"

#include <assert.h>
#include <limits.h>
#include <math.h>

static const layer_conv_implementation *const implementations[] = {
#define CONV_IMPLEMENTATION(id, name, bound, sentence)                                             \
    [LAYER_CONV_##id] = &layer_conv_implementation_##id,
    LAYER_CONV_ALGORITHM_LIST(CONV_IMPLEMENTATION)
#undef CONV_IMPLEMENTATION
};

static const char *const names[] = {[LAYER_CONV_AUTO] = "auto",
#define CONV_NAME(id, name, bound, sentence) [LAYER_CONV_##id] = (name),
                                    LAYER_CONV_ALGORITHM_LIST(CONV_NAME)
#undef CONV_NAME
};

enum { ALGORITHMS = sizeof names / sizeof *names };

layer_status layer_conv_check_shapes(const layer_shape *input, const layer_shape *weight,
                                     const char *channels, layer_error *error)
{
    if (weight->rank < 3 || weight->rank > LAYER_MAX_RANK)
        return layer_refuse(error, LAYER_INVALID, "weight",
                            "weight has rank %d, expected 3 to %d: %s, 1 to %d spatial axes]",
                            weight->rank, LAYER_MAX_RANK, channels, LAYER_MAX_SPATIAL);
    if (input->rank != weight->rank)
        return layer_refuse(error, LAYER_INVALID, "input",
                            "input has rank %d, expected %d as weight has", input->rank,
                            weight->rank);
    size_t count;
    const layer_status status = layer_shape_count(weight, "weight", &count, error);
    return status == LAYER_OK ? layer_shape_count(input, "input", &count, error) : status;
}

static layer_status check_channels(const layer_shape *input, const layer_shape *weight, int group,
                                   layer_error *error)
{
    if (group < 0)
        return layer_refuse(error, LAYER_INVALID, "group", "group is %d, expected at least 1",
                            group);
    const int groups = group == 0 ? 1 : group;
    if (input->extent[1] != (long long)weight->extent[1] * groups)
        return layer_refuse(error, LAYER_INVALID, "weight",
                            "input has %d channels, but weight takes %d channels in each of %d "
                            "groups",
                            input->extent[1], weight->extent[1], groups);
    if (weight->extent[0] % groups != 0)
        return layer_refuse(error, LAYER_INVALID, "group",
                            "weight's %d output channels do not divide into %d groups",
                            weight->extent[0], groups);
    return LAYER_OK;
}

static layer_status check_options(const layer_conv_options *options, layer_error *error)
{
    assert(options->mode == LAYER_CONV_CROSS_CORRELATION ||
           options->mode == LAYER_CONV_CONVOLUTION);
    if ((size_t)options->algorithm >= ALGORITHMS)
        return layer_refuse(error, LAYER_INVALID, "algorithm", "algorithm %d is none of the list",
                            (int)options->algorithm);
    return LAYER_OK;
}

layer_status layer_conv_refuse_output(const layer_shape *output, layer_error *error)
{
    long long extents[LAYER_MAX_RANK];
    char text[64];
    for (int axis = 0; axis < output->rank; axis++)
        extents[axis] = output->extent[axis];
    layer_write_extents(text, sizeof text, extents, output->rank);
    return layer_refuse(error, LAYER_TOO_LARGE, "input",
                        "the output of %s has more than %d elements, the most a tensor holds", text,
                        INT_MAX);
}

static layer_status describe_output(layer_conv *conv, layer_error *error)
{
    conv->output = (layer_shape){.rank = conv->input.rank,
                                 .extent = {conv->input.extent[0], conv->weight.extent[0]}};
    for (int axis = 0; axis < conv->axes; axis++)
        conv->output.extent[2 + axis] = conv->window[LAYER_MAX_SPATIAL - conv->axes + axis].output;
    size_t count;
    if (layer_shape_count(&conv->output, "input", &count, error) == LAYER_OK)
        return LAYER_OK;
    return layer_conv_refuse_output(&conv->output, error);
}

uint64_t layer_conv_multiplications(const layer_conv *conv)
{
    uint64_t product = (uint64_t)conv->weight.extent[1] * layer_conv_kernel_plane(conv);
    for (int axis = 0; axis < conv->output.rank; axis++)
        product = layer_saturating_multiply(product, (uint64_t)conv->output.extent[axis]);
    return product;
}

const layer_conv_implementation *layer_conv_implementation_of(layer_conv_algorithm algorithm)
{
    return implementations[algorithm];
}

static bool computes(const layer_conv_implementation *implementation, const layer_conv *conv)
{
    return implementation->computes == NULL || implementation->computes(conv);
}

double layer_conv_cost(const layer_conv *conv, layer_conv_algorithm algorithm)
{
    assert(algorithm != LAYER_CONV_AUTO && (size_t)algorithm < ALGORITHMS);
    const layer_conv_implementation *const of = implementations[algorithm];
    return computes(of, conv) ? of->cost(conv) : INFINITY;
}

layer_conv_algorithm layer_conv_choose(const layer_conv *conv)
{
    layer_conv_algorithm best = LAYER_CONV_AUTO;
    double least = INFINITY;
    for (int i = LAYER_CONV_AUTO + 1; i < ALGORITHMS; i++) {
        const double cost = layer_conv_cost(conv, (layer_conv_algorithm)i);
        if (cost < least) {
            least = cost;
            best = (layer_conv_algorithm)i;
        }
    }
    assert(best != LAYER_CONV_AUTO);
    return best;
}

static layer_status choose(layer_conv *conv, layer_conv_algorithm asked, layer_error *error)
{
    conv->algorithm = asked == LAYER_CONV_AUTO ? layer_conv_choose(conv) : asked;
    if (computes(implementations[conv->algorithm], conv))
        return LAYER_OK;
    return layer_refuse(error, LAYER_INVALID, "algorithm", "%s computes only %s", names[asked],
                        implementations[asked]->domain);
}

layer_status layer_conv_describe(layer_conv *conv, const layer_shape *input,
                                 const layer_shape *weight, const layer_conv_options *options,
                                 layer_error *error)
{
    const layer_conv_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    layer_status status = layer_conv_check_shapes(input, weight, "[K, C/group", error);
    if (status == LAYER_OK)
        status = check_channels(input, weight, options->group, error);
    if (status == LAYER_OK)
        status = check_options(options, error);
    if (status != LAYER_OK)
        return status;
    layer_conv described = {
        .input = *input,
        .weight = *weight,
        .axes = weight->rank - 2,
        .group = options->group == 0 ? 1 : options->group,
        .mode = options->mode,
        .is_prepared = options->is_prepared,
    };
    status = layer_sliding_describe(described.window, described.axes, input->extent + 2,
                                    weight->extent + 2, &options->geometry, false, "weight", error);
    if (status == LAYER_OK)
        status = describe_output(&described, error);
    if (status != LAYER_OK)
        return status;
    described.multiplications = layer_conv_multiplications(&described);
    status = choose(&described, options->algorithm, error);
    if (status == LAYER_OK)
        *conv = described;
    return status;
}

static const layer_conv_implementation *implementation_of(const layer_conv *conv)
{
    assert(conv->algorithm != LAYER_CONV_AUTO && (size_t)conv->algorithm < ALGORITHMS);
    return implementations[conv->algorithm];
}

size_t layer_conv_workspace_size(const layer_conv *conv, int threads)
{
    assert(threads >= 1);
    return implementation_of(conv)->workspace_size(conv, threads);
}

layer_status layer_conv_forward(const layer_conv *conv, const float *input, const float *weight,
                                const float *bias, float *output, const layer_run *run)
{
    assert(input != NULL && weight != NULL && output != NULL && run != NULL);
    return implementation_of(conv)->forward(conv, input, weight, bias, output, run);
}

size_t layer_conv_prepared_size(const layer_conv *conv)
{
    const layer_conv_implementation *const implementation = implementation_of(conv);
    return implementation->prepared_size == NULL ? 0 : implementation->prepared_size(conv);
}

layer_status layer_conv_prepare(const layer_conv *conv, const float *weight, void *prepared,
                                const layer_run *run)
{
    assert(weight != NULL && run != NULL);
    if (layer_conv_prepared_size(conv) == 0)
        return LAYER_OK;
    assert(prepared != NULL);
    return implementation_of(conv)->prepare(conv, weight, prepared, run);
}

size_t layer_conv_prepared_workspace_size(const layer_conv *conv, int threads)
{
    if (layer_conv_prepared_size(conv) == 0)
        return layer_conv_workspace_size(conv, threads);
    assert(threads >= 1);
    return implementation_of(conv)->prepared_workspace_size(conv, threads);
}

layer_status layer_conv_forward_prepared(const layer_conv *conv, const float *input,
                                         const void *prepared, const float *bias, float *output,
                                         const layer_run *run)
{
    if (layer_conv_prepared_size(conv) == 0)
        return layer_conv_forward(conv, input, prepared, bias, output, run);
    assert(input != NULL && prepared != NULL && output != NULL && run != NULL);
    return implementation_of(conv)->forward_prepared(conv, input, prepared, bias, output, run);
}

const char *layer_conv_algorithm_name(layer_conv_algorithm algorithm)
{
    assert((size_t)algorithm < ALGORITHMS);
    return names[algorithm];
}
