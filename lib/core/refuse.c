/* How a describe function says no.
 * SPDX-License-Identifier: MIT */
#include "core/refuse.h"

#include <stdarg.h>
#include <stdio.h>

layer_status layer_refuse(layer_error *error, layer_status status, const char *argument,
                          const char *format, ...)
{
    error->status = status;
    error->argument = argument;
    va_list values;
    va_start(values, format);
    vsnprintf(error->reason, sizeof error->reason, format, values);
    va_end(values);
    return status;
}
