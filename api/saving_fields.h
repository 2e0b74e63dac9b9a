/* What a separable convolution spares: its multiplications, and those of the one in one piece.
 * SPDX-License-Identifier: MIT */
#ifndef API_SAVING_FIELDS_H
#define API_SAVING_FIELDS_H

#include "fields.h"

typedef struct {
    api_integer before, after;
} api_saving;

/* For a row of api_included_kind in a reply's table. */
extern const api_field api_saving_fields[];

api_saving api_saving_of(uint64_t before, uint64_t after);

#endif
