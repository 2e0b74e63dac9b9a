/* What a request's head decides: where it goes, and whether its body is worth reading.
 * SPDX-License-Identifier: MIT */
#ifndef API_HEAD_H
#define API_HEAD_H

#include "operation.h"
#include "pages.h"

/* Where a path leads: to an operation, to a page, or nowhere. */
typedef struct {
    const api_operation *operation;
    const api_page *page;
} api_route;

api_route api_find_route(const char *path);

#endif
