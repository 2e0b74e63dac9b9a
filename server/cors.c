/* Says to browsers whose pages may read replies.
 * SPDX-License-Identifier: MIT */
#include "cors.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

/* "*", "https://a.example,http://localhost:3000", or "" */
static const char *origins = "";

/* Scheme and authority, as browsers write them. */
static bool is_origin(const char *text, size_t size)
{
    const size_t scheme = size > 8 && strncmp(text, "https://", 8) == 0  ? 8
                          : size > 7 && strncmp(text, "http://", 7) == 0 ? 7
                                                                         : 0;
    return scheme > 0 &&
           strspn(text + scheme, "abcdefghijklmnopqrstuvwxyz0123456789-._:[]") >= size - scheme;
}

bool server_cors_start(const server_options *options)
{
    origins = options->cors_origins;
    if (strcmp(origins, "*") == 0 || origins[0] == '\0')
        return true;
    for (const char *at = origins;; at++) {
        const size_t size = strcspn(at, ",");
        if (!is_origin(at, size)) {
            fprintf(stderr,
                    "layerd: --cors-origins: '%.*s': expected *, or http(s)://HOST or "
                    "http(s)://HOST:PORT in small letters, several with commas\n",
                    (int)size, at);
            return false;
        }
        at += size;
        if (*at == '\0')
            return true;
    }
}

static bool is_allowed(const char *origin)
{
    const size_t length = strlen(origin);
    for (const char *at = origins; length > 0; at++) {
        const size_t size = strcspn(at, ",");
        if (size == length && strncmp(at, origin, size) == 0)
            return true;
        at += size;
        if (*at == '\0')
            break;
    }
    return false;
}

void server_cors_allow(const server_request *request, struct MHD_Response *reply)
{
    const bool all = strcmp(origins, "*") == 0;
    if (origins[0] == '\0')
        return;
    if (!all)
        MHD_add_response_header(reply, "Vary", "Origin");
    if (request->origin == NULL || !(all || is_allowed(request->origin)))
        return;
    MHD_add_response_header(reply, "Access-Control-Allow-Origin", all ? "*" : request->origin);
    MHD_add_response_header(reply, "Access-Control-Expose-Headers",
                            "Inference-Header-Content-Length, Retry-After, Server-Timing, "
                            "WWW-Authenticate, X-Request-Id");
    if (request->response.status != 204)
        return;
    MHD_add_response_header(reply, "Access-Control-Allow-Methods", request->response.allow);
    MHD_add_response_header(reply, "Access-Control-Allow-Headers",
                            "Authorization, Content-Type, Inference-Header-Content-Length, "
                            "X-Request-Id, X-Request-Timeout");
    MHD_add_response_header(reply, "Access-Control-Max-Age", "600");
}
