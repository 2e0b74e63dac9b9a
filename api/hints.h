/* Did you mean: the known name that an unknown one was probably meant to be.
 * SPDX-License-Identifier: MIT */
#ifndef API_HINTS_H
#define API_HINTS_H

/* Offer every known name; `nearest` is then the best, or NULL if none is near. */
typedef struct {
    const char *unknown;
    const char *nearest;
    int distance; /* edits to the nearest; at first one more than are forgiven */
} api_hint;

api_hint api_hint_for(const char *unknown);
void api_hint_offer(api_hint *hint, const char *known);

#endif
