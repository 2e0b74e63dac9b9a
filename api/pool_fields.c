/* The fields of pooling: kind, windows, indices.
 * SPDX-License-Identifier: MIT */
#include "pool_fields.h"

#include "operation.h"
#include "ranks.h"

#include <string.h>

#define MOST_POWER 1e6

static const api_option kinds[] = {
#define KIND_OPTION(id, name, sentence) {name, LAYER_POOL_##id, sentence},
    LAYER_POOL_KIND_LIST(KIND_OPTION)
#undef KIND_OPTION
        {0}};

const api_option api_index_bases[] = {
#define BASE_OPTION(id, name, sentence) {name, LAYER_INDEX_BASE_##id, sentence},
    LAYER_INDEX_BASE_LIST(BASE_OPTION)
#undef BASE_OPTION
        {0}};

/* Unlike a convolution's in what their defaults are and what padding is. */
const api_field api_pool_window_fields[] = {
    {.name = "kernel_shape",
     API_PER_AXIS(1, API_MAX_WINDOW),
     .offset = offsetof(api_geometry, kernel_shape),
     .summary = "the window's extents: an array decides the number of spatial axes; one integer is "
                "for all axes that the input's rank says"},
    {.name = "strides",
     API_PER_AXIS(1, API_MAX_WINDOW),
     .offset = offsetof(api_geometry, strides),
     .summary = "cells from one window to the next, per spatial axis or one for all; by default "
                "kernel_shape, windows side by side (ONNX's default is 1)"},
    {.name = "pads",
     API_PER_SIDE(0, API_MAX_WINDOW),
     .offset = offsetof(api_geometry, pads),
     .fallback = "0",
     .summary = "cells of padding around the input, which windows do not see: all begins, then all "
                "ends, or one for all; conflicts with auto_pad"},
    {.name = "auto_pad",
     .kind = &api_choice_kind,
     .offset = offsetof(api_geometry, auto_pad),
     .options = api_auto_pads,
     .fallback = "\"NOTSET\"",
     .summary = "how padding is decided: NOTSET by pads; VALID none; SAME_UPPER and SAME_LOWER so "
                "that the output has input / stride cells, rounded up, an odd cell at the end or "
                "at the beginning; FULL every position where the window touches the input"},
    {.name = "dilations",
     API_PER_AXIS(1, API_MAX_WINDOW),
     .offset = offsetof(api_geometry, dilations),
     .fallback = "1",
     .summary = "cells from one of a window's cells to the next, per spatial axis or one for all"},
    {0},
};

const api_field api_pooling_fields[] = {
    {.name = "kind",
     .kind = &api_choice_kind,
     .offset = offsetof(api_pooling, kind),
     .required = true,
     .options = kinds,
     .summary = "what becomes of a window's cells"},
    {.name = "global",
     .kind = &api_boolean_kind,
     .offset = offsetof(api_pooling, global),
     .fallback = "false",
     .summary = "one window, the whole plane; in place of kernel_shape and all that goes with it"},
    {.name = "ceil_mode",
     .kind = &api_boolean_kind,
     .offset = offsetof(api_pooling, ceil_mode),
     .fallback = "false",
     .summary = "also windows that hang over the end, if they begin before the end padding does; "
                "what hangs over counts for nothing"},
    {.name = "count_include_pad",
     .kind = &api_boolean_kind,
     .offset = offsetof(api_pooling, count_include_pad),
     .fallback = "false",
     .summary = "of average: the divisor counts cells of padding too"},
    {.name = "p",
     .kind = &api_number_kind,
     .offset = offsetof(api_pooling, p),
     .minimum = 1,
     .maximum = MOST_POWER,
     .summary = "of lp: the power, by default 2"},
    {.name = "index_base",
     .kind = &api_choice_kind,
     .offset = offsetof(api_pooling, index_base),
     .options = api_index_bases,
     .fallback = "\"plane\"",
     .summary = "in what indices count cells"},
    {.name = "storage_order",
     .kind = &api_integer_kind,
     .offset = offsetof(api_pooling, storage_order),
     .minimum = 0,
     .maximum = 1,
     .fallback = "0",
     .summary = "the order in which indices count a plane's cells: 0 row-major, 1 column-major"},
    {0},
};

const api_field api_decided_kernel_fields[] = {
    {.name = "kernel_shape",
     .kind = &api_list_kind,
     .required = true,
     .summary = "the window's extents"},
    {0},
};

/* ---- Ranks ----------------------------------------------------------------------------------- */

enum { MOST_BARE_AXES = 2 };

static bool refuse_rank(const layer_shape *input, const char *input_field, int axes,
                        api_problem *problem)
{
    char pointer[API_POINTER_SIZE] = "";
    api_pointer_push(pointer, input_field);
    if (axes > MOST_BARE_AXES)
        return api_refuse(problem, 422, pointer,
                          "%s has rank %d; a kernel_shape of %d axes takes an input of rank %d, or "
                          "%d for one sample",
                          input_field, input->rank, axes, axes + 2, axes + 1);
    return api_refuse(problem, 422, pointer,
                      "%s has rank %d; a kernel_shape of %d axes takes an input of rank %d, %d for "
                      "one sample, or %d for a bare plane",
                      input_field, input->rank, axes, axes + 2, axes + 1, axes);
}

static bool axes_by_rank(const layer_shape *input, bool global, int *axes, api_problem *problem)
{
    if (input->rank == 3 && !global)
        return api_refuse(problem, 422, "/kernel_shape",
                          "kernel_shape is one integer; with an input of rank 3 it takes an array, "
                          "of 1 for [N, C, W] or of 2 for one sample [C, H, W]");
    *axes = input->rank <= MOST_BARE_AXES ? input->rank : input->rank - API_CHANNEL_AXES;
    return true;
}

bool api_pooled_axes(const api_integers *kernel_shape, const layer_shape *input,
                     const char *input_field, int *axes, api_problem *problem)
{
    if (kernel_shape->count == 0)
        return axes_by_rank(input, !kernel_shape->given, axes, problem);
    *axes = kernel_shape->count;
    const int channels = input->rank - *axes;
    return (channels >= (*axes > MOST_BARE_AXES ? 1 : 0) && channels <= API_CHANNEL_AXES) ||
           refuse_rank(input, input_field, *axes, problem);
}

/* ---- Describing ------------------------------------------------------------------------------ */

static bool check_kernel(const api_pooling *fields, api_problem *problem)
{
    const bool shaped = fields->geometry.kernel_shape.given;
    if (shaped && fields->global.value)
        return api_refuse_both(problem, "kernel_shape", "global");
    return shaped || fields->global.value ||
           api_refuse(problem, 422, "/kernel_shape",
                      "missing field \"kernel_shape\", or \"global\": true");
}

bool api_describe_pooling(const api_pooling *fields, const layer_shape *input,
                          const char *input_field, bool indices, layer_pool *pool,
                          api_problem *problem)
{
    int axes;
    layer_pool_options options = {
        .kind = (layer_pool_kind)fields->kind.value,
        .global = fields->global.value,
        .ceil_mode = fields->ceil_mode.value,
        .count_include_pad = fields->count_include_pad.value,
        .p = fields->p.value,
        .indices = indices,
        .index_base = (layer_index_base)fields->index_base.value,
        .column_major = fields->storage_order.value == 1,
    };
    const api_integers *const kernel = &fields->geometry.kernel_shape;
    if (!check_kernel(fields, problem) ||
        !api_pooled_axes(kernel, input, input_field, &axes, problem) ||
        !api_spread(kernel, "/kernel_shape", axes, options.kernel, problem) ||
        !api_read_geometry(&fields->geometry, axes, &options.geometry, problem))
        return false;
    const layer_shape wide = api_widened(input, axes + API_CHANNEL_AXES);
    layer_error error;
    if (layer_pool_describe(pool, &wide, &options, &error) == LAYER_OK)
        return true;
    if (strcmp(error.argument, "input") == 0)
        error.argument = input_field;
    return api_refuse_layer(problem, &error);
}

void api_decide_pooling(api_decided_pooling *decided, const layer_pool *pool)
{
    const layer_window *const last = pool->window + LAYER_MAX_SPATIAL - pool->axes;
    decided->kernel_shape = (api_integers){.given = true, .count = pool->axes};
    for (int axis = 0; axis < pool->axes; axis++)
        decided->kernel_shape.value[axis] = last[axis].kernel;
    api_decide_geometry(&decided->geometry, pool->window, pool->axes);
}
