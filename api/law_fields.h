/* The fields of a law that weights are drawn from, which every operation that draws weights
 * includes, and what they become.
 * SPDX-License-Identifier: MIT */
#ifndef API_LAW_FIELDS_H
#define API_LAW_FIELDS_H

#include "fields.h"

#include <layer/initialize.h>

typedef struct {
    api_choice method;
    api_number gain;
    api_choice mode;
    api_number scale;
    api_choice distribution;
    api_number mean, std, lower, upper, low, high, value;
    api_integer seed;
} api_law;

/* For a row of api_included_kind in a request's table. */
extern const api_field api_law_fields[];

/* What the law was, for a row of api_included_kind in a reply's table. */
typedef struct {
    api_choice method;
    api_integer seed;
    api_number gain;
    api_choice mode;
    api_number scale;
    api_choice distribution;
    api_number lower, upper, untruncated_std, low, high;
} api_decided_law;

extern const api_field api_decided_law_fields[];

/* Of a choice of nonlinearity. */
extern const api_option api_nonlinearities[];

/* Fills the options from what was given, draws a seed where none was; leaves group and shape to the
 * caller. False with a 422: an option that the method does not take, or out of its bounds. */
bool api_read_law(const api_law *law, layer_initialize_options *options, api_problem *problem);

/* Whether a slope was given for leaky_relu alone; puts it, or the default, into *value. */
bool api_read_slope(const api_number *slope, const api_choice *nonlinearity, double *value,
                    api_problem *problem);

void api_decide_law(api_decided_law *decided, const layer_initialize *law);

#endif
