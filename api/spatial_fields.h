/* What going forward and backward through a spatially separable convolution share.
 * SPDX-License-Identifier: MIT */
#ifndef API_SPATIAL_FIELDS_H
#define API_SPATIAL_FIELDS_H

#include "conv_fields.h"

#include <layer/separable_spatial.h>

typedef struct {
    api_tensor input, column, row, bias;
    api_geometry geometry;
    api_conv_attributes attributes;
} api_spatial;

/* For a row of api_included_kind in a request's table; geometry and attributes have their own. */
extern const api_field api_spatial_fields[];

/* Checks ranks, kernels, geometry and bias, and describes.
 * False with a problem that points at a field. */
bool api_describe_spatial(const api_spatial *asked, layer_separable_spatial *separable,
                          api_problem *problem);

layer_separable_spatial_operands api_spatial_operands(const api_spatial *asked);

#endif
