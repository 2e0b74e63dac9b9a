/* The layers of a stack whose variances are followed: as a request has them, as a reply tells them.
 * SPDX-License-Identifier: MIT */
#ifndef API_VARIANCE_FIELDS_H
#define API_VARIANCE_FIELDS_H

#include "fields.h"

#include <layer/variance.h>

/* A layer as the request has it. */
typedef struct {
    bool given;
    api_shape shape;
    api_integer group;
} api_asked_layer;

/* One direction's part of a layer's reply. */
typedef struct {
    bool given;
    api_number predicted, measured, factor;
    api_boolean holds;
} api_direction;

typedef struct {
    bool given;
    api_number mean, smallest, largest;
} api_norm_ratio;

typedef struct {
    bool given;
    api_integers shape;
    api_integer group, seed;
    api_number fan_in, fan_out, weight_variance;
    api_direction forward, backward;
    api_norm_ratio norm_ratio;
} api_told_layer;

/* For rows of api_objects_kind. */
extern const api_field api_asked_layer_fields[];
extern const api_field api_told_layer_fields[];

/* What is known before measuring. */
api_told_layer api_tell_layer(const layer_variance_layer *layer);

/* And what is known afterwards. */
void api_tell_measured(api_told_layer *told, const layer_variance_measured *measured);

#endif
