/* Describes the windows of all spatial axes.
 * SPDX-License-Identifier: MIT */
#include "core/sliding.h"
#include "core/refuse.h"

#include <stdio.h>
#include <string.h>

void layer_write_extents(char *text, size_t size, const long long extents[], int count)
{
    size_t length = 0;
    for (int i = 0; i < count && length < size; i++)
        length +=
            (size_t)snprintf(text + length, size - length, "%s%lld", i == 0 ? "" : "x", extents[i]);
}

static layer_status check_pads(const layer_geometry *geometry, int axes, layer_error *error)
{
    for (int axis = 0; axis < axes && geometry->auto_pad != LAYER_AUTO_PAD_NOTSET; axis++)
        if (geometry->pads_begin[axis] != 0 || geometry->pads_end[axis] != 0)
            return layer_refuse(error, LAYER_INVALID, "pads",
                                "pads are %d and %d along axis %d, expected none: auto_pad decides "
                                "them",
                                geometry->pads_begin[axis], geometry->pads_end[axis], axis);
    return LAYER_OK;
}

static layer_window window_of(const layer_geometry *geometry, int axis, int input, int kernel)
{
    return (layer_window){
        .input = input,
        .kernel = kernel,
        .stride = geometry->strides[axis] == 0 ? 1 : geometry->strides[axis],
        .dilation = geometry->dilations[axis] == 0 ? 1 : geometry->dilations[axis],
        .pad_begin = geometry->pads_begin[axis],
        .pad_end = geometry->pads_end[axis],
    };
}

/* Says it of all axes at once, where layer_window_describe() would name the first. */
static layer_status refuse_span(const layer_window window[], int axes, const char *kernel,
                                layer_error *error)
{
    long long spans[LAYER_MAX_SPATIAL], padded[LAYER_MAX_SPATIAL];
    bool dilated = false;
    for (int axis = 0; axis < axes; axis++) {
        const layer_window *const at = &window[axis];
        spans[axis] = (long long)at->dilation * (at->kernel - 1) + 1;
        padded[axis] = (long long)at->input + at->pad_begin + at->pad_end;
        dilated = dilated || (at->dilation > 1 && at->kernel > 1);
    }
    char span_text[64], padded_text[64];
    layer_write_extents(span_text, sizeof span_text, spans, axes);
    layer_write_extents(padded_text, sizeof padded_text, padded, axes);
    return layer_refuse(error, LAYER_INVALID, kernel,
                        "%s%s spans %s, more than the padded input of %s",
                        dilated ? "dilated " : "", kernel, span_text, padded_text);
}

static bool spans_too_much(layer_status status, const layer_error *error)
{
    return status == LAYER_INVALID && strcmp(error->argument, "weight") == 0;
}

layer_status layer_sliding_describe(layer_window window[LAYER_MAX_SPATIAL], int axes,
                                    const int inputs[], const int kernels[],
                                    const layer_geometry *geometry, bool ceil_mode,
                                    const char *kernel, layer_error *error)
{
    layer_window asked[LAYER_MAX_SPATIAL], derived[LAYER_MAX_SPATIAL];
    bool too_wide = false;
    layer_status status = check_pads(geometry, axes, error);
    for (int axis = 0; axis < axes && status == LAYER_OK; axis++) {
        derived[axis] = asked[axis] = window_of(geometry, axis, inputs[axis], kernels[axis]);
        status = layer_window_describe(&derived[axis], geometry->auto_pad, ceil_mode, axis, error);
        if (spans_too_much(status, error)) {
            too_wide = true;
            status = LAYER_OK;
        }
    }
    if (status != LAYER_OK)
        return status;
    if (too_wide)
        return refuse_span(asked, axes, kernel, error);
    const int trivial = LAYER_MAX_SPATIAL - axes;
    for (int i = 0; i < trivial; i++)
        window[i] =
            (layer_window){.input = 1, .kernel = 1, .stride = 1, .dilation = 1, .output = 1};
    memcpy(window + trivial, derived, (size_t)axes * sizeof *derived);
    return LAYER_OK;
}
