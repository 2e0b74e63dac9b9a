/* A network's layers as a request has them, and what they become.
 * SPDX-License-Identifier: MIT */
#ifndef API_RECEPTIVE_NETWORK_H
#define API_RECEPTIVE_NETWORK_H

#include "geometry_fields.h"

#include <layer/receptive_field.h>

enum { API_MAX_NAME = 64, API_MAX_LAYER_INPUTS = 64 };

typedef struct {
    bool given;
    api_text name;
    api_geometry geometry;
    api_texts inputs;
} api_network_layer;

typedef struct {
    api_objects layers; /* of api_network_layer */
    api_integers input_size, output_position, input_position;
} api_network;

/* For a row of api_included_kind in a request's table. */
extern const api_field api_network_fields[];

/* What was asked for, with the arrays in the arena; position is NULL where it was not given. */
typedef struct {
    layer_receptive_network network;
    layer_receptive_field *fields;
    layer_region *regions; /* scratch, one a layer */
    const int *output_position, *input_position;
} api_receptive_network;

/* Resolves the names, reads the geometries and describes. As many axes as arrays have, or else one.
 * False with a problem that points at a field. */
bool api_read_network(const api_network *asked, api_arena *arena, api_receptive_network *read,
                      api_problem *problem);

#endif
