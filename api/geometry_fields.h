/* The fields of windows, which every operation that has windows includes, and what they become.
 * SPDX-License-Identifier: MIT */
#ifndef API_GEOMETRY_FIELDS_H
#define API_GEOMETRY_FIELDS_H

#include "fields.h"

#include <layer/window.h>

/* Of a row: one integer for each spatial axis, or one for all. */
#define API_PER_AXIS(least, greatest)                                                              \
    .kind = &api_integers_kind, .minimum = (least), .maximum = (greatest), .fewest = 1,            \
    .most = LAYER_MAX_SPATIAL

/* Of a row of pads: all begins, then all ends, or one for all. */
#define API_PER_SIDE(least, greatest)                                                              \
    .kind = &api_integers_kind, .minimum = (least), .maximum = (greatest), .fewest = 2,            \
    .most = 2 * LAYER_MAX_SPATIAL

typedef struct {
    api_integers kernel_shape, strides, pads, dilations;
    api_choice auto_pad;
} api_geometry;

/* The words of auto_pad, in the order of layer_auto_pad. */
extern const api_option api_auto_pads[];

/* For a row of api_included_kind in a request's table. */
extern const api_field api_geometry_fields[];

/* What defaults and auto_pad decided, for a row of api_included_kind in a reply's table. */
typedef struct {
    api_integers strides, pads, dilations;
} api_decided_geometry;

extern const api_field api_decided_geometry_fields[];

/* Spreads what was given over `count` axes; what was not given leaves them zero.
 * False with a 422 at `pointer` if it was given for another number of axes. */
bool api_spread(const api_integers *integers, const char *pointer, int count, int to[],
                api_problem *problem);

/* The geometry over `axes` spatial axes. False with a 422: wrong counts, pads beside auto_pad. */
bool api_read_geometry(const api_geometry *fields, int axes, layer_geometry *geometry,
                       api_problem *problem);

/* Whether the extents of a kernel are within the limit and what kernel_shape says. `weight` is the
 * field that it is from. */
bool api_check_kernel(const api_geometry *fields, const layer_shape *kernel, const char *weight,
                      api_problem *problem);

/* Fills the reply from the last `axes` of the windows. */
void api_decide_geometry(api_decided_geometry *decided, const layer_window window[], int axes);

#endif
