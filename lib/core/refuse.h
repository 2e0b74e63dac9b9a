/* How a describe function says no.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_REFUSE_H
#define LAYER_CORE_REFUSE_H

#include "layer/status.h"

/* Fills *error with the formatted reason, cut to LAYER_REASON_SIZE, and returns `status`, so that
 * a check reads `return layer_refuse(...)`. `argument` has static lifetime. */
layer_status layer_refuse(layer_error *error, layer_status status, const char *argument,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
