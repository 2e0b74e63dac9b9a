/* Convolution: describe it, choose an algorithm, dispatch to its file.
 * SPDX-License-Identifier: MIT */
#include "layer/conv.h"
#include "conv/implementation.h"
#include "core/refuse.h"
#include "core/saturate.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* In the order in which AUTO asks them. */
static const layer_conv_implementation *const implementations[] = {
#define CONV_IMPLEMENTATION(id, name, sentence) [LAYER_CONV_##id] = &layer_conv_implementation_##id,
    LAYER_CONV_ALGORITHM_LIST(CONV_IMPLEMENTATION)
#undef CONV_IMPLEMENTATION
};

static const char *const names[] = {[LAYER_CONV_AUTO] = "auto",
#define CONV_NAME(id, name, sentence) [LAYER_CONV_##id] = (name),
                                    LAYER_CONV_ALGORITHM_LIST(CONV_NAME)
#undef CONV_NAME
};

enum { ALGORITHMS = sizeof names / sizeof *names };

static layer_status check_shapes(const layer_shape *input, const layer_shape *weight,
                                 layer_error *error)
{
    if (weight->rank < 3 || weight->rank > LAYER_MAX_RANK)
        return layer_refuse(error, LAYER_INVALID, "weight",
                            "weight has rank %d, expected 3 to %d: [K, C/group, 1 to %d spatial "
                            "axes]",
                            weight->rank, LAYER_MAX_RANK, LAYER_MAX_SPATIAL);
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

static layer_status check_options(const layer_conv_options *options, int axes, layer_error *error)
{
    assert(options->mode == LAYER_CONV_CROSS_CORRELATION ||
           options->mode == LAYER_CONV_CONVOLUTION);
    if ((size_t)options->algorithm >= ALGORITHMS)
        return layer_refuse(error, LAYER_INVALID, "algorithm", "algorithm %d is none of the list",
                            (int)options->algorithm);
    for (int axis = 0; axis < axes && options->auto_pad != LAYER_AUTO_PAD_NOTSET; axis++)
        if (options->pads_begin[axis] != 0 || options->pads_end[axis] != 0)
            return layer_refuse(error, LAYER_INVALID, "pads",
                                "pads are %d and %d along axis %d, expected none: auto_pad decides "
                                "them",
                                options->pads_begin[axis], options->pads_end[axis], axis);
    return LAYER_OK;
}

/* Windows for the spatial axes at the end, behind trivial ones. */
static void fill_windows(layer_conv *conv, const layer_conv_options *options)
{
    const int trivial = LAYER_MAX_SPATIAL - conv->axes;
    for (int i = 0; i < trivial; i++)
        conv->window[i] =
            (layer_window){.input = 1, .kernel = 1, .stride = 1, .dilation = 1, .output = 1};
    for (int axis = 0; axis < conv->axes; axis++)
        conv->window[trivial + axis] = (layer_window){
            .input = conv->input.extent[2 + axis],
            .kernel = conv->weight.extent[2 + axis],
            .stride = options->strides[axis] == 0 ? 1 : options->strides[axis],
            .dilation = options->dilations[axis] == 0 ? 1 : options->dilations[axis],
            .pad_begin = options->pads_begin[axis],
            .pad_end = options->pads_end[axis],
        };
}

/* "3x224x224"; what does not fit is cut, as reasons are. */
static void write_extents(char *text, size_t size, const long long *extents, int count)
{
    size_t length = 0;
    for (int i = 0; i < count && length < size; i++)
        length +=
            (size_t)snprintf(text + length, size - length, "%s%lld", i == 0 ? "" : "x", extents[i]);
}

/* Says it of all axes at once, where layer_window_describe() would name the first. */
static layer_status refuse_span(const layer_conv *conv, bool dilated, layer_error *error)
{
    long long spans[LAYER_MAX_SPATIAL], padded[LAYER_MAX_SPATIAL];
    for (int axis = 0; axis < conv->axes; axis++) {
        const layer_window *const window = &conv->window[LAYER_MAX_SPATIAL - conv->axes + axis];
        spans[axis] = (long long)window->dilation * (window->kernel - 1) + 1;
        padded[axis] = (long long)window->input + window->pad_begin + window->pad_end;
    }
    char span_text[64], padded_text[64];
    write_extents(span_text, sizeof span_text, spans, conv->axes);
    write_extents(padded_text, sizeof padded_text, padded, conv->axes);
    return layer_refuse(error, LAYER_INVALID, "weight",
                        "%sweight spans %s, more than the padded input of %s",
                        dilated ? "dilated " : "", span_text, padded_text);
}

static bool spans_too_much(layer_status status, const layer_error *error)
{
    return status == LAYER_INVALID && strcmp(error->argument, "weight") == 0;
}

static layer_status describe_windows(layer_conv *conv, const layer_conv_options *options,
                                     layer_error *error)
{
    fill_windows(conv, options);
    bool too_wide = false, dilated = false;
    layer_window derived[LAYER_MAX_SPATIAL];
    for (int i = 0; i < LAYER_MAX_SPATIAL; i++) {
        const bool trivial = i < LAYER_MAX_SPATIAL - conv->axes;
        derived[i] = conv->window[i];
        const layer_status status =
            layer_window_describe(&derived[i], trivial ? LAYER_AUTO_PAD_NOTSET : options->auto_pad,
                                  false, i + conv->axes - LAYER_MAX_SPATIAL, error);
        if (spans_too_much(status, error))
            too_wide = true;
        else if (status != LAYER_OK)
            return status;
        dilated = dilated || (derived[i].dilation > 1 && derived[i].kernel > 1);
    }
    if (too_wide)
        return refuse_span(conv, dilated, error);
    memcpy(conv->window, derived, sizeof derived);
    return LAYER_OK;
}

static layer_status describe_output(layer_conv *conv, layer_error *error)
{
    long long extents[LAYER_MAX_RANK];
    conv->output = (layer_shape){.rank = conv->input.rank,
                                 .extent = {conv->input.extent[0], conv->weight.extent[0]}};
    for (int axis = 0; axis < conv->axes; axis++)
        conv->output.extent[2 + axis] = conv->window[LAYER_MAX_SPATIAL - conv->axes + axis].output;
    for (int axis = 0; axis < conv->output.rank; axis++)
        extents[axis] = conv->output.extent[axis];
    size_t count;
    if (layer_shape_count(&conv->output, "input", &count, error) == LAYER_OK)
        return LAYER_OK;
    char text[64];
    write_extents(text, sizeof text, extents, conv->output.rank);
    return layer_refuse(error, LAYER_TOO_LARGE, "input",
                        "the output of %s has more than %d elements, the most a tensor holds", text,
                        INT_MAX);
}

static uint64_t count_multiplications(const layer_conv *conv)
{
    uint64_t product = (uint64_t)conv->weight.extent[1] * layer_conv_kernel_plane(conv);
    for (int axis = 0; axis < conv->output.rank; axis++)
        product = layer_saturating_multiply(product, (uint64_t)conv->output.extent[axis]);
    return product;
}

static layer_conv_algorithm choose(const layer_conv *conv, layer_conv_algorithm wanted)
{
    if (wanted != LAYER_CONV_AUTO)
        return wanted;
    for (int i = LAYER_CONV_AUTO + 1; i < ALGORITHMS; i++)
        if (implementations[i]->accepts(conv))
            return (layer_conv_algorithm)i;
    assert(false);
    return LAYER_CONV_AUTO;
}

layer_status layer_conv_describe(layer_conv *conv, const layer_shape *input,
                                 const layer_shape *weight, const layer_conv_options *options,
                                 layer_error *error)
{
    const layer_conv_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    layer_status status = check_shapes(input, weight, error);
    if (status == LAYER_OK)
        status = check_channels(input, weight, options->group, error);
    if (status == LAYER_OK)
        status = check_options(options, weight->rank - 2, error);
    if (status != LAYER_OK)
        return status;
    layer_conv described = {
        .input = *input,
        .weight = *weight,
        .axes = weight->rank - 2,
        .group = options->group == 0 ? 1 : options->group,
        .mode = options->mode,
    };
    status = describe_windows(&described, options, error);
    if (status == LAYER_OK)
        status = describe_output(&described, error);
    if (status != LAYER_OK)
        return status;
    described.multiplications = count_multiplications(&described);
    described.algorithm = choose(&described, options->algorithm);
    *conv = described;
    return LAYER_OK;
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

const char *layer_conv_algorithm_name(layer_conv_algorithm algorithm)
{
    assert((size_t)algorithm < ALGORITHMS);
    return names[algorithm];
}
