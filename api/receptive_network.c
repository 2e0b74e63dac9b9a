/* A network's layers: their fields, and reading them.
 * SPDX-License-Identifier: MIT */
#include "receptive_network.h"

#include "layer_names.h"
#include "operation.h"

#include <string.h>

static const api_field layer_fields[] = {
    {.name = "name",
     .kind = &api_text_kind,
     .offset = offsetof(api_network_layer, name),
     .fewest = 1,
     .most = API_MAX_NAME,
     .summary = "what the inputs of later layers call it; not \"input\", which is the network's"},
    {.name = "geometry",
     .kind = &api_included_kind,
     .offset = offsetof(api_network_layer, geometry),
     .fields = api_geometry_fields},
    {.name = "inputs",
     .kind = &api_texts_kind,
     .offset = offsetof(api_network_layer, inputs),
     .fewest = 1,
     .most = API_MAX_LAYER_INPUTS,
     .summary = "names of the layers it reads, each before it, or \"input\"; by default the one "
                "before it"},
    {0},
};

const api_field api_network_fields[] = {
    {.name = "layers",
     .kind = &api_objects_kind,
     .offset = offsetof(api_network, layers),
     .required = true,
     .fewest = 1,
     .most = LAYER_RECEPTIVE_LAYERS,
     .fields = layer_fields,
     .item_size = sizeof(api_network_layer),
     .summary = "each after those that it reads; the last one is the output. One that only adds or "
                "applies a function has no kernel_shape, which means 1"},
    {.name = "input_size",
     API_PER_AXIS(1, API_MAX_AXIS),
     .offset = offsetof(api_network, input_size),
     .summary = "the input's spatial extents, per axis or one for all; needed where SAME padding "
                "meets a stride"},
    {.name = "output_position",
     API_PER_AXIS(0, API_MAX_AXIS - 1),
     .offset = offsetof(api_network, output_position),
     .summary = "asks for the region that this output sees, per axis or one for all"},
    {.name = "input_position",
     API_PER_AXIS(0, API_MAX_AXIS - 1),
     .offset = offsetof(api_network, input_position),
     .summary = "asks for the outputs that this cell of the input reaches, per axis or one for "
                "all"},
    {0},
};

/* ---- Axes ------------------------------------------------------------------------------------ */

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* As many axes as arrays have; a pair of pads is one axis. */
static int count_axes(const api_network *asked)
{
    const api_network_layer *const items = asked->layers.items;
    int axes = larger(larger(asked->input_size.count, 1),
                      larger(asked->output_position.count, asked->input_position.count));
    for (size_t i = 0; i < asked->layers.count; i++) {
        const api_geometry *const geometry = &items[i].geometry;
        axes = larger(axes, larger(geometry->kernel_shape.count, geometry->pads.count / 2));
        axes = larger(axes, larger(geometry->strides.count, geometry->dilations.count));
    }
    return axes;
}

/* One extent or position an axis, in the arena; NULL if it was not given. */
static bool read_axes(const api_integers *integers, const char *pointer, int axes, api_arena *arena,
                      const int **read, api_problem *problem)
{
    if (!integers->given)
        return true;
    int *const values = api_arena_allocate(arena, (size_t)axes * sizeof *values);
    if (values == NULL)
        return api_refuse_layers_memory(problem);
    *read = values;
    return api_spread(integers, pointer, axes, values, problem);
}

/* ---- Layers ---------------------------------------------------------------------------------- */

static bool read_layer(const api_network_layer *item, int axes, layer_receptive_layer *layer,
                       api_problem *problem)
{
    return api_spread(&item->geometry.kernel_shape, "/kernel_shape", axes, layer->kernel,
                      problem) &&
           api_read_geometry(&item->geometry, axes, &layer->geometry, problem);
}

static bool read_layers(const api_network *asked, int axes, api_arena *arena,
                        layer_receptive_layer *layers, api_problem *problem)
{
    const api_network_layer *const items = asked->layers.items;
    api_layer_names names;
    if (!api_gather_names(&asked->layers, arena, &names, problem))
        return false;
    for (size_t i = 0; i < asked->layers.count; i++) {
        api_problem found = {0};
        layers[i] = (layer_receptive_layer){0};
        if (!read_layer(&items[i], axes, &layers[i], &found))
            return api_refuse_within_layer(i, &found, problem);
        if (!api_find_inputs(&names, &items[i].inputs, i, arena, &layers[i], problem))
            return false;
    }
    return true;
}

static bool describe(api_receptive_network *read, api_problem *problem)
{
    layer_error error;
    size_t place;
    if (layer_receptive_field_describe(read->fields, &read->network, &place, &error) == LAYER_OK)
        return true;
    return place < read->network.count ? api_refuse_layer_at(problem, place, &error)
                                       : api_refuse_layer(problem, &error);
}

/* ---- Positions ------------------------------------------------------------------------------- */

static bool check_position(const int *position, const char *field, int size, int axis,
                           api_problem *problem)
{
    char pointer[API_POINTER_SIZE] = "";
    api_pointer_push(pointer, field);
    return position == NULL || size == 0 || position[axis] < size ||
           api_refuse(problem, 422, pointer, "%s is %d along axis %d; expected 0 to %d", field,
                      position[axis], axis, size - 1);
}

static bool check_positions(const api_receptive_network *read, api_problem *problem)
{
    const layer_receptive_network *const network = &read->network;
    const layer_receptive_axis *const last = read->fields[network->count - 1].axis;
    for (int axis = 0; axis < network->axes && network->input_size != NULL; axis++)
        if (!check_position(read->output_position, "output_position", last[axis].output, axis,
                            problem) ||
            !check_position(read->input_position, "input_position", network->input_size[axis], axis,
                            problem))
            return false;
    return true;
}

bool api_read_network(const api_network *asked, api_arena *arena, api_receptive_network *read,
                      api_problem *problem)
{
    const size_t count = asked->layers.count;
    const int axes = count_axes(asked);
    layer_receptive_layer *const layers = api_arena_allocate(arena, count * sizeof *layers);
    *read = (api_receptive_network){
        .network = {.count = count, .layers = layers, .axes = axes},
        .fields = api_arena_allocate(arena, count * sizeof *read->fields),
        .regions = api_arena_allocate(arena, count * sizeof *read->regions),
    };
    if (layers == NULL || read->fields == NULL || read->regions == NULL)
        return api_refuse_layers_memory(problem);
    return read_axes(&asked->input_size, "/input_size", axes, arena, &read->network.input_size,
                     problem) &&
           read_axes(&asked->output_position, "/output_position", axes, arena,
                     &read->output_position, problem) &&
           read_axes(&asked->input_position, "/input_position", axes, arena, &read->input_position,
                     problem) &&
           read_layers(asked, axes, arena, layers, problem) && describe(read, problem) &&
           check_positions(read, problem);
}
