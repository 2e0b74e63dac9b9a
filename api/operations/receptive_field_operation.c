/* POST /v1/receptive-field: what of a network's input its outputs see.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "receptive_network.h"

/* A region of cells. */
typedef struct {
    bool given;
    api_reals first, last, centre;
} range;

/* What the outputs of a layer see. */
typedef struct {
    api_reals size, effective_stride, effective_padding, centre;
    api_boolean aligned;
    api_integers output_size;
} sight;

typedef struct {
    bool given;
    api_text name;
    sight sight;
    api_decided_geometry geometry;
} row;

typedef struct {
    api_call call;
    api_network request;
    api_receptive_network read;
    struct {
        sight sight;
        range region, clipped, reached;
        api_objects layers;
    } reply;
} receptive_field_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_field request_fields[] = {
    {.name = "network",
     .kind = &api_included_kind,
     .offset = offsetof(receptive_field_call, request),
     .fields = api_network_fields},
    {0},
};

static const api_field sight_fields[] = {
    {.name = "size",
     .kind = &api_reals_kind,
     .offset = offsetof(sight, size),
     .summary = "cells of the input that one output sees, per axis; like the stride, the padding "
                "and the centre left out where the paths from the input differ in stride"},
    {.name = "effective_stride",
     .kind = &api_reals_kind,
     .offset = offsetof(sight, effective_stride),
     .summary = "cells of the input from one output's region to the next one's"},
    {.name = "effective_padding",
     .kind = &api_reals_kind,
     .offset = offsetof(sight, effective_padding),
     .summary = "cells around the input that the regions take in: all begins, then all ends"},
    {.name = "centre",
     .kind = &api_reals_kind,
     .offset = offsetof(sight, centre),
     .summary = "the middle of the first output's region, in the input's cells"},
    {.name = "aligned",
     .kind = &api_boolean_kind,
     .offset = offsetof(sight, aligned),
     .required = true,
     .summary = "whether all paths from the input agree in stride and centre"},
    {.name = "output_size",
     .kind = &api_list_kind,
     .offset = offsetof(sight, output_size),
     .summary = "how many outputs there are, per axis, of an input of input_size"},
    {0},
};

static const api_field range_fields[] = {
    {.name = "first",
     .kind = &api_reals_kind,
     .offset = offsetof(range, first),
     .required = true,
     .summary = "per axis"},
    {.name = "last",
     .kind = &api_reals_kind,
     .offset = offsetof(range, last),
     .required = true,
     .summary = "per axis, part of it"},
    {.name = "centre",
     .kind = &api_reals_kind,
     .offset = offsetof(range, centre),
     .required = true,
     .summary = "half way from first to last"},
    {0},
};

static const api_field row_fields[] = {
    {.name = "name", .kind = &api_text_kind, .offset = offsetof(row, name), .most = API_MAX_NAME},
    {.name = "sight",
     .kind = &api_included_kind,
     .offset = offsetof(row, sight),
     .fields = sight_fields},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(row, geometry),
     .fields = api_decided_geometry_fields},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "sight",
     .kind = &api_included_kind,
     .offset = offsetof(receptive_field_call, reply.sight),
     .fields = sight_fields},
    {.name = "region",
     .kind = &api_object_kind,
     .offset = offsetof(receptive_field_call, reply.region),
     .fields = range_fields,
     .summary = "what the output at output_position sees, padding and all"},
    {.name = "clipped",
     .kind = &api_object_kind,
     .offset = offsetof(receptive_field_call, reply.clipped),
     .fields = range_fields,
     .summary = "with input_size, what it sees of the input, without looking through any layer's "
                "padding; left out where that is nothing"},
    {.name = "reached",
     .kind = &api_object_kind,
     .offset = offsetof(receptive_field_call, reply.reached),
     .fields = range_fields,
     .summary = "the outputs that the input at input_position reaches; left out where it reaches "
                "none"},
    {.name = "layers",
     .kind = &api_objects_kind,
     .offset = offsetof(receptive_field_call, reply.layers),
     .required = true,
     .fields = row_fields,
     .item_size = sizeof(row),
     .fewest = 1,
     .most = LAYER_RECEPTIVE_LAYERS,
     .summary = "the same of each layer"},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static sight sight_of(const layer_receptive_field *field, int axes)
{
    const api_reals reals = {.given = field->uniform, .count = axes};
    sight sees = {.size = reals,
                  .effective_stride = reals,
                  .effective_padding = {.given = field->uniform, .count = 2 * axes},
                  .centre = reals,
                  .aligned = {true, field->aligned},
                  .output_size = {.given = field->axis[0].output > 0, .count = axes}};
    for (int i = 0; i < axes; i++) {
        const layer_receptive_axis *const axis = &field->axis[i];
        sees.size.value[i] = (double)(axis->last - axis->first + 1);
        sees.effective_stride.value[i] = (double)axis->stride;
        sees.effective_padding.value[i] = axis->first == 0 ? 0 : -(double)axis->first;
        sees.effective_padding.value[axes + i] = (double)axis->pad_end;
        sees.centre.value[i] = (double)(axis->first + axis->last) / 2;
        sees.output_size.value[i] = axis->output;
    }
    return sees;
}

static range range_of(const layer_region *region, int axes)
{
    const api_reals reals = {.given = true, .count = axes};
    range cells = {.given = true, .first = reals, .last = reals, .centre = reals};
    for (int axis = 0; axis < axes; axis++) {
        cells.given = cells.given && region->first[axis] <= region->last[axis];
        cells.first.value[axis] = (double)region->first[axis];
        cells.last.value[axis] = (double)region->last[axis];
        cells.centre.value[axis] = (double)(region->first[axis] + region->last[axis]) / 2;
    }
    return cells;
}

static bool fill_rows(receptive_field_call *call, api_problem *problem)
{
    const layer_receptive_network *const network = &call->read.network;
    const api_network_layer *const items = call->request.layers.items;
    row *const rows = api_arena_allocate(call->call.arena, network->count * sizeof *rows);
    if (rows == NULL)
        return api_refuse_past(problem, API_LIMIT_MEMORY, "/layers", "no memory for the layers");
    for (size_t i = 0; i < network->count; i++) {
        const layer_receptive_field *const field = &call->read.fields[i];
        rows[i] =
            (row){.given = true, .name = items[i].name, .sight = sight_of(field, network->axes)};
        api_decide_geometry(&rows[i].geometry, field->window, network->axes);
    }
    call->reply.layers = (api_objects){true, network->count, rows};
    call->reply.sight = rows[network->count - 1].sight;
    return true;
}

static bool fill_seen(const api_receptive_network *read, bool clipped, range *cells,
                      api_problem *problem)
{
    layer_region seen;
    layer_error error;
    if (layer_receptive_field_seen(&read->network, read->fields, read->output_position, clipped,
                                   read->regions, &seen, &error) != LAYER_OK)
        return api_refuse_layer(problem, &error);
    *cells = range_of(&seen, read->network.axes);
    return true;
}

static bool describe(api_call *base, api_problem *problem)
{
    receptive_field_call *const call = (receptive_field_call *)base;
    const api_receptive_network *const read = &call->read;
    if (!api_read_network(&call->request, base->arena, &call->read, problem) ||
        !fill_rows(call, problem))
        return false;
    if (read->output_position != NULL && !fill_seen(read, false, &call->reply.region, problem))
        return false;
    if (read->output_position != NULL && read->network.input_size != NULL &&
        !fill_seen(read, true, &call->reply.clipped, problem))
        return false;
    if (read->input_position != NULL) {
        layer_region reached;
        layer_receptive_field_reached(&read->network, read->fields, read->input_position,
                                      read->regions, &reached);
        call->reply.reached = range_of(&reached, read->network.axes);
    }
    return true;
}

/* ---- Computing: all is described already ----------------------------------------------------- */

static layer_status compute(api_call *call, const layer_run *run)
{
    (void)call;
    (void)run;
    return LAYER_OK;
}

const api_operation api_operation_receptive_field = {
    .name = "receptive-field",
    .summary = "Tell what of its input a network sees",
    .description =
        "The receptive fields of a network's layers, in a chain or, with `inputs`, in a graph. "
        "Only windows count: kernel_shape, strides, pads and dilations. Arrays decide the number "
        "of spatial axes; without any there is one. Where a layer reads several, its region is "
        "the smallest that holds theirs. With output_position, the region of the input that this "
        "output sees; with input_position, the outputs that this cell reaches. Regions are exact, "
        "but where windows leave cells out (dilations, strides wider than the kernel) or paths "
        "join, clipped and reached may hold cells between that do not count.",
    .example = "{\"layers\":[{\"kernel_shape\":[3,3],\"pads\":1},"
               "{\"kernel_shape\":[2,2],\"strides\":2}],\"output_position\":0}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(receptive_field_call),
    .describe = describe,
    .compute = compute,
};
