/* The fields of windows: kernel_shape, strides, pads, dilations, auto_pad.
 * SPDX-License-Identifier: MIT */
#include "geometry_fields.h"

#include "shapes.h"

const api_option api_auto_pads[] = {
#define AUTO_PAD_OPTION(name) {#name, LAYER_AUTO_PAD_##name, NULL},
    LAYER_AUTO_PAD_LIST(AUTO_PAD_OPTION)
#undef AUTO_PAD_OPTION
        {0}};

const api_field api_geometry_fields[] = {
    {.name = "strides",
     API_PER_AXIS(1, API_MAX_WINDOW),
     .offset = offsetof(api_geometry, strides),
     .fallback = "1",
     .summary = "cells from one window to the next, per spatial axis or one for all"},
    {.name = "pads",
     API_PER_SIDE(0, API_MAX_WINDOW),
     .offset = offsetof(api_geometry, pads),
     .fallback = "0",
     .summary = "cells of zeros around the input: all begins, then all ends, or one for all; "
                "conflicts with auto_pad"},
    {.name = "auto_pad",
     .kind = &api_choice_kind,
     .offset = offsetof(api_geometry, auto_pad),
     .options = api_auto_pads,
     .fallback = "\"NOTSET\"",
     .summary = "how padding is decided: NOTSET by pads; VALID none; SAME_UPPER and SAME_LOWER so "
                "that the output has input / stride cells, rounded up, an odd cell at the end or "
                "at the beginning; FULL every position where the kernel touches the input"},
    {.name = "dilations",
     API_PER_AXIS(1, API_MAX_WINDOW),
     .offset = offsetof(api_geometry, dilations),
     .fallback = "1",
     .summary = "cells from one kernel element to the next, per spatial axis or one for all"},
    {.name = "kernel_shape",
     API_PER_AXIS(1, API_MAX_WINDOW),
     .offset = offsetof(api_geometry, kernel_shape),
     .summary = "the kernel's spatial extents; where there is a weight, what its own are expected "
                "to be"},
    {0},
};

const api_field api_decided_geometry_fields[] = {
    {.name = "strides",
     .kind = &api_list_kind,
     .offset = offsetof(api_decided_geometry, strides),
     .required = true,
     .summary = "per spatial axis"},
    {.name = "pads",
     .kind = &api_list_kind,
     .offset = offsetof(api_decided_geometry, pads),
     .required = true,
     .summary = "all begins, then all ends"},
    {.name = "dilations",
     .kind = &api_list_kind,
     .offset = offsetof(api_decided_geometry, dilations),
     .required = true,
     .summary = "per spatial axis"},
    {0},
};

bool api_spread(const api_integers *integers, const char *pointer, int count, int to[],
                api_problem *problem)
{
    if (integers->given && integers->count != 0 && integers->count != count)
        return api_refuse(problem, 422, pointer, "%s has %d integers; this kernel takes %d",
                          pointer + 1, integers->count, count);
    for (int i = 0; i < count; i++)
        to[i] = integers->value[integers->count == 0 ? 0 : i];
    return true;
}

static bool read_pads(const api_geometry *fields, int axes, layer_geometry *geometry,
                      api_problem *problem)
{
    int pads[API_MAX_INTEGERS];
    if (fields->pads.given && geometry->auto_pad != LAYER_AUTO_PAD_NOTSET)
        return api_refuse(problem, 422, "/pads", "pads conflicts with auto_pad \"%s\"",
                          api_auto_pads[geometry->auto_pad].name);
    if (!api_spread(&fields->pads, "/pads", 2 * axes, pads, problem))
        return false;
    for (int axis = 0; axis < axes; axis++) {
        geometry->pads_begin[axis] = pads[axis];
        geometry->pads_end[axis] = pads[axes + axis];
    }
    return true;
}

bool api_read_geometry(const api_geometry *fields, int axes, layer_geometry *geometry,
                       api_problem *problem)
{
    *geometry = (layer_geometry){.auto_pad = (layer_auto_pad)fields->auto_pad.value};
    return api_spread(&fields->strides, "/strides", axes, geometry->strides, problem) &&
           api_spread(&fields->dilations, "/dilations", axes, geometry->dilations, problem) &&
           read_pads(fields, axes, geometry, problem);
}

bool api_check_kernel(const api_geometry *fields, const layer_shape *kernel, const char *weight,
                      api_problem *problem)
{
    char is[API_SHAPE_TEXT_SIZE], said[API_SHAPE_TEXT_SIZE], pointer[API_POINTER_SIZE] = "";
    layer_shape expected = *kernel;
    api_pointer_push(pointer, weight);
    if (!api_spread(&fields->kernel_shape, "/kernel_shape", kernel->rank, expected.extent, problem))
        return false;
    for (int axis = 0; axis < kernel->rank; axis++) {
        if (kernel->extent[axis] > API_MAX_WINDOW)
            return api_refuse(problem, 413, pointer,
                              "%s spans %s; the limit of a kernel is %d along each axis", weight,
                              api_shape_text(kernel, is), API_MAX_WINDOW);
        if (fields->kernel_shape.given && kernel->extent[axis] != expected.extent[axis])
            return api_refuse(problem, 422, "/kernel_shape", "kernel_shape is %s, but %s spans %s",
                              api_shape_text(&expected, said), weight, api_shape_text(kernel, is));
    }
    return true;
}

void api_decide_geometry(api_decided_geometry *decided, const layer_window window[], int axes)
{
    const layer_window *const last = window + LAYER_MAX_SPATIAL - axes;
    decided->strides = (api_integers){.given = true, .count = axes};
    decided->dilations = (api_integers){.given = true, .count = axes};
    decided->pads = (api_integers){.given = true, .count = 2 * axes};
    for (int axis = 0; axis < axes; axis++) {
        decided->strides.value[axis] = last[axis].stride;
        decided->dilations.value[axis] = last[axis].dilation;
        decided->pads.value[axis] = last[axis].pad_begin;
        decided->pads.value[axes + axis] = last[axis].pad_end;
    }
}
