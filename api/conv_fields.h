/* What the operations on convolutions share: group and mode, and describing what was asked for.
 * SPDX-License-Identifier: MIT */
#ifndef API_CONV_FIELDS_H
#define API_CONV_FIELDS_H

#include "geometry_fields.h"

#include <layer/conv.h>

typedef struct {
    api_integer group;
    api_choice mode;
} api_conv_attributes;

/* For a row of api_included_kind in a request's table. */
extern const api_field api_conv_attribute_fields[];

/* The words of mode, in the order of layer_conv_mode. */
extern const api_option api_conv_modes[];

/* A convolution as a request has it: shapes in the ranks that were given. */
typedef struct {
    const layer_shape *input, *weight;
    const char *input_field; /* the field that `input` comes from */
    const api_geometry *geometry;
    const api_conv_attributes *attributes;
    layer_conv_algorithm algorithm;
} api_conv_asked;

/* Checks ranks, kernel and geometry, widens the shapes and describes.
 * False with a problem that points at a field. */
bool api_describe_conv(const api_conv_asked *asked, layer_conv *conv, api_problem *problem);

#endif
