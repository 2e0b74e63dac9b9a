/* The list of the daemon's own pages.
 * SPDX-License-Identifier: MIT */
#include "routes.h"

#include "canned.h"
#include "lifecycle.h"
#include "reply.h"

#include <string.h>

static const char json[] = "application/json";

static enum MHD_Result metadata(server_request *request)
{
    return server_reply_text(request, 200, json,
                             "{\"name\":\"layerd\",\"version\":\"" LAYERD_VERSION "\","
                             "\"extensions\":[\"binary_tensor_data\"]}");
}

static enum MHD_Result live(server_request *request)
{
    return server_reply_text(request, 200, json, "{\"live\":true}");
}

static enum MHD_Result ready(server_request *request)
{
    if (server_stage_now() == SERVER_SERVING)
        return server_reply_text(request, 200, json, "{\"ready\":true}");
    return server_reply_text(
        request, 503, SERVER_PROBLEM_TYPE,
        SERVER_PROBLEM(503, "Service Unavailable", "the server is shutting down"));
}

static enum MHD_Result metrics(server_request *request)
{
    size_t size = 0;
    char *const page = server_metrics_page(&size);
    if (page != NULL)
        return server_reply_page(request, "text/plain; version=0.0.4; charset=utf-8", page, size);
    return server_reply_text(request, 503, SERVER_PROBLEM_TYPE,
                             SERVER_PROBLEM(503, "Service Unavailable", "no memory for this page"));
}

static const struct {
    const char *path;
    enum MHD_Result (*answer)(server_request *request);
} routes[] = {
    {"/v2", metadata},
    {"/v2/health/live", live},
    {"/v2/health/ready", ready},
    {"/metrics", metrics},
};

/* OPTIONS asks what the path takes; every other method is an error. */
static void refuse_method(server_request *request, const char *path)
{
    if (strcmp(request->call.method, "OPTIONS") == 0)
        request->response = (api_response){.status = 204, .body = ""};
    else
        server_refuse(request, 405, "%s takes GET and HEAD, not %s", path, request->method);
    request->response.allow = "GET, HEAD, OPTIONS";
}

bool server_routes_answer(server_request *request, enum MHD_Result *result)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(request->call.path, routes[i].path) != 0)
            continue;
        if (strcmp(request->call.method, "GET") == 0) { /* HEAD is GET by now */
            *result = routes[i].answer(request);
            return true;
        }
        refuse_method(request, routes[i].path);
        *result = server_reply(request);
        return true;
    }
    return false;
}
