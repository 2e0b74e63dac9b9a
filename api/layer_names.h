/* Names of layers, and the places they stand for.
 * SPDX-License-Identifier: MIT */
#ifndef API_LAYER_NAMES_H
#define API_LAYER_NAMES_H

#include "receptive_network.h"

typedef struct {
    const char *name;
    int place;
} api_layer_name;

/* Sorted by name. */
typedef struct {
    size_t count;
    api_layer_name *names;
} api_layer_names;

/* Gathers the names of the layers and of the network's input. False with a problem: two alike. */
bool api_gather_names(const api_objects *layers, api_arena *arena, api_layer_names *names,
                      api_problem *problem);

/* The places of what the layer at `place` says it reads. False with a problem. */
bool api_find_inputs(const api_layer_names *names, const api_texts *inputs, size_t place,
                     api_arena *arena, layer_receptive_layer *layer, api_problem *problem);

/* 413. Returns false. */
bool api_refuse_layers_memory(api_problem *problem);

#endif
