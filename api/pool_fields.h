/* The fields of pooling, which going forward and going backward share, and what they become.
 * SPDX-License-Identifier: MIT */
#ifndef API_POOL_FIELDS_H
#define API_POOL_FIELDS_H

#include "geometry_fields.h"

#include <layer/pool.h>

typedef struct {
    api_choice kind, index_base;
    api_boolean global, ceil_mode, count_include_pad;
    api_geometry geometry;
    api_number p;
    api_integer storage_order;
} api_pooling;

/* For two rows of api_included_kind in a request's table: all but the geometry, and that. */
extern const api_field api_pooling_fields[];
extern const api_field api_pool_window_fields[];

extern const api_option api_index_bases[];

/* What defaults, global and auto_pad decided, for two rows of api_included_kind in a reply's table:
 * the kernel's extents, and with api_decided_geometry_fields the rest. */
typedef struct {
    api_integers kernel_shape;
    api_decided_geometry geometry;
} api_decided_pooling;

extern const api_field api_decided_kernel_fields[];

/* The number of spatial axes: an array kernel_shape says it, and the input is batched, one sample,
 * or, with one or two axes, a bare plane. Without an array the input's rank says it: 1 and 2 are
 * bare planes, 3 to 5 are batched; but rank 3 may also be one sample, so a kernel_shape of a single
 * integer is refused there. False with a 422 that calls the input `input_field`. */
bool api_pooled_axes(const api_integers *kernel_shape, const layer_shape *input,
                     const char *input_field, int *axes, api_problem *problem);

/* Describes the pooling of an input, which comes from the field `input_field`. False with a
 * problem. */
bool api_describe_pooling(const api_pooling *fields, const layer_shape *input,
                          const char *input_field, bool indices, layer_pool *pool,
                          api_problem *problem);

void api_decide_pooling(api_decided_pooling *decided, const layer_pool *pool);

#endif
