/* Names of layers, and the places they stand for.
 * SPDX-License-Identifier: MIT */
#include "layer_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char network_input[] = "input";

bool api_refuse_layers_memory(api_problem *problem)
{
    return api_refuse_past(problem, API_LIMIT_MEMORY, "/layers", "no memory for the layers");
}

static int compare_names(const void *left, const void *right)
{
    const api_layer_name *const a = left, *const b = right;
    const int order = strcmp(a->name, b->name);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

static bool check_alike(const api_layer_names *names, api_problem *problem)
{
    for (size_t i = 1; i < names->count; i++) {
        char pointer[API_POINTER_SIZE];
        snprintf(pointer, sizeof pointer, "/layers/%d/name", names->names[i].place);
        if (strcmp(names->names[i - 1].name, names->names[i].name) == 0)
            return api_refuse(
                problem, 422, pointer, "name \"%s\" is that of %s already", names->names[i].name,
                names->names[i - 1].place == LAYER_NETWORK_INPUT ? "the network's input"
                                                                 : "another layer");
    }
    return true;
}

bool api_gather_names(const api_objects *layers, api_arena *arena, api_layer_names *names,
                      api_problem *problem)
{
    const api_network_layer *const items = layers->items;
    names->names = api_arena_allocate(arena, (layers->count + 1) * sizeof *names->names);
    if (names->names == NULL)
        return api_refuse_layers_memory(problem);
    names->names[0] = (api_layer_name){network_input, LAYER_NETWORK_INPUT};
    names->count = 1;
    for (size_t i = 0; i < layers->count; i++)
        if (items[i].name.given)
            names->names[names->count++] = (api_layer_name){items[i].name.value, (int)i};
    qsort(names->names, names->count, sizeof *names->names, compare_names);
    return check_alike(names, problem);
}

static int compare_to_name(const void *key, const void *element)
{
    return strcmp(key, ((const api_layer_name *)element)->name);
}

bool api_find_inputs(const api_layer_names *names, const api_texts *inputs, size_t place,
                     api_arena *arena, layer_receptive_layer *layer, api_problem *problem)
{
    if (!inputs->given)
        return true;
    int *const places = api_arena_allocate(arena, inputs->count * sizeof *places);
    if (places == NULL)
        return api_refuse_layers_memory(problem);
    for (size_t i = 0; i < inputs->count; i++) {
        const api_layer_name *const found = bsearch(inputs->values[i], names->names, names->count,
                                                    sizeof *names->names, compare_to_name);
        char pointer[API_POINTER_SIZE];
        snprintf(pointer, sizeof pointer, "/layers/%zu/inputs/%zu", place, i);
        if (found == NULL || found->place >= (int)place)
            return api_refuse(problem, 422, pointer, "\"%.64s\" is no layer before this one",
                              inputs->values[i]);
        places[i] = found->place;
    }
    layer->input_count = (int)inputs->count;
    layer->inputs = places;
    return true;
}
