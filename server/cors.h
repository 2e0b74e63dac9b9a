/* Which pages of other sites may read replies in a browser (Fetch Standard, section 3.2).
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_CORS_H
#define SERVER_CORS_H

#include "request.h"

struct MHD_Response;

/* False: what is wrong with --cors-origins is on standard error. */
bool server_cors_start(const server_options *options);

/* Adds the headers that a browser looks for, if the request comes from a page that may ask. */
void server_cors_allow(const server_request *request, struct MHD_Response *reply);

#endif
