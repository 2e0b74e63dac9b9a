/* The daemon's own pages: health, readiness, metadata, metrics.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "request.h"

#include <microhttpd.h>

/* Answers the request if its path is one of these. They never wait, and need no memory of the
 * budget. False: the path is another's. */
bool server_routes_answer(server_request *request, enum MHD_Result *result);

#endif
