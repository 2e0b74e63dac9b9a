/* Asks for tokens.
 * SPDX-License-Identifier: MIT */
#include "access.h"

#include "reply.h"
#include "tokens.h"

#include <string.h>

/* What probes ask without a token, and what is the same in every installation. */
static const char *const open_paths[] = {"/v2/health/live", "/v2/health/ready", "/openapi.json"};

/* A browser asks what it may send before it sends a token. */
static bool is_open(const char *method, const char *path)
{
    if (strcmp(method, "OPTIONS") == 0)
        return true;
    for (size_t i = 0; i < sizeof open_paths / sizeof open_paths[0]; i++)
        if (strcmp(path, open_paths[i]) == 0)
            return true;
    return false;
}

bool server_access_granted(server_request *request)
{
    if (is_open(request->call.method, request->call.path))
        return true;
    const server_token_verdict verdict = server_tokens_check(request->authorization);
    if (verdict == SERVER_TOKEN_GOOD)
        return true;
    const bool missing = verdict == SERVER_TOKEN_MISSING;
    server_refuse(request, 401, "%s",
                  missing ? "send a token with the header Authorization: Bearer TOKEN"
                          : "the token is not known here");
    request->challenge = missing ? "Bearer" : "Bearer error=\"invalid_token\"";
    return false;
}
