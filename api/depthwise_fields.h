/* What going forward and backward through a depthwise-separable convolution share.
 * SPDX-License-Identifier: MIT */
#ifndef API_DEPTHWISE_FIELDS_H
#define API_DEPTHWISE_FIELDS_H

#include "geometry_fields.h"

#include <layer/separable_depthwise.h>

typedef struct {
    api_tensor input, depthwise_weight, depthwise_bias, pointwise_weight, pointwise_bias;
    api_choice mode;
    api_geometry geometry;
} api_depthwise;

/* For rows of api_included_kind in a request's table: the second is for the geometry. */
extern const api_field api_depthwise_fields[];

/* Checks ranks, kernels, geometry and biases, and describes.
 * False with a problem that points at a field. */
bool api_describe_depthwise(const api_depthwise *asked, layer_separable_depthwise *separable,
                            api_problem *problem);

layer_separable_depthwise_operands api_depthwise_operands(const api_depthwise *asked);

#endif
