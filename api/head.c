/* What a request's head decides: where it goes, and whether its body is worth reading.
 * SPDX-License-Identifier: MIT */
#include "head.h"

#include "hints.h"
#include "tensors.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char prefix[] = "/v1/";

api_route api_find_route(const char *path)
{
    if (strncmp(path, prefix, sizeof prefix - 1) == 0)
        for (size_t i = 0; i < api_operation_count(); i++)
            if (strcmp(path + sizeof prefix - 1, api_operation_name(i)) == 0)
                return (api_route){.operation = api_operation_at(i)};
    for (size_t i = 0; i < api_page_count; i++)
        if (strcmp(path, api_pages[i].path) == 0)
            return (api_route){.page = &api_pages[i]};
    return (api_route){0};
}

/* The path without what every operation's begins with. */
static const char *last_part(const char *path)
{
    const bool versioned = strncmp(path, prefix, sizeof prefix - 1) == 0;
    return path + (versioned ? sizeof prefix - 1 : (size_t)(*path == '/'));
}

static bool refuse_path(const char *path, api_arena *arena, api_response *response)
{
    char detail[API_DETAIL_SIZE];
    api_hint hint = api_hint_for(last_part(path));
    for (size_t i = 0; i < api_operation_count(); i++)
        api_hint_offer(&hint, api_operation_name(i));
    if (hint.nearest != NULL)
        snprintf(detail, sizeof detail, "there is no %.96s; did you mean %s%s?", path, prefix,
                 hint.nearest);
    else
        snprintf(detail, sizeof detail, "there is no %.96s; GET /v1 lists the operations", path);
    api_problem_response(arena, 404, detail, NULL, response);
    return false;
}

/* OPTIONS asks what the path takes; every other method that it does not take is an error. */
static bool refuse_method(const char *method, const char *allowed, api_arena *arena,
                          api_response *response)
{
    if (strcmp(method, "OPTIONS") == 0) {
        *response = (api_response){.status = 204, .allow = allowed, .body = ""};
        return false;
    }
    char detail[API_DETAIL_SIZE];
    snprintf(detail, sizeof detail, "this path takes %s", allowed);
    api_problem_response(arena, 405, detail, NULL, response);
    response->allow = allowed;
    return false;
}

/* ---- Content types --------------------------------------------------------------------------- */

/* Skips `word` in any case and the blanks behind it; NULL if it is not there. */
static const char *skip(const char *text, const char *word)
{
    const size_t length = strlen(word);
    if (text == NULL || strncasecmp(text, word, length) != 0)
        return NULL;
    return text + length + strspn(text + length, " \t");
}

/* "", "; charset=utf-8", "; charset=\"UTF-8\"": JSON is UTF-8 and nothing else. */
static bool is_utf8(const char *parameters)
{
    if (parameters == NULL || *parameters == '\0')
        return parameters != NULL;
    const char *const value = skip(skip(parameters, ";"), "charset=");
    const char *end = skip(value, "utf-8");
    if (end == NULL)
        end = skip(value, "\"utf-8\"");
    return end != NULL && *end == '\0';
}

static bool check_content_type(const api_request *head, api_arena *arena, api_response *response)
{
    const char *const type = head->content_type;
    if (type == NULL || is_utf8(skip(type, "application/json")))
        return true;
    const char *const parameters = skip(type, "application/octet-stream");
    const bool binary = parameters != NULL && (*parameters == '\0' || *parameters == ';');
    if (binary && head->json_length != NULL)
        return true;
    api_problem_response(
        arena, 415,
        binary ? "application/octet-stream needs the header Inference-Header-Content-Length: the "
                 "length of the JSON before the tensors' bytes"
               : "send JSON with the header Content-Type: application/json (curl --json does), or "
                 "JSON and tensors' bytes with application/octet-stream and "
                 "Inference-Header-Content-Length",
        NULL, response);
    return false;
}

static bool check_framing(const api_request *head, api_arena *arena, api_response *response)
{
    size_t length;
    if (api_read_json_length(head->json_length, &length))
        return true;
    api_problem_response(arena, 400,
                         "bad binary framing: Inference-Header-Content-Length is not a number of "
                         "bytes",
                         NULL, response);
    return false;
}

bool api_check_head(const api_request *head, api_arena *arena, api_response *response)
{
    const api_route route = api_find_route(head->path);
    if (route.page != NULL)
        return strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0 ||
               refuse_method(head->method, "GET, HEAD, OPTIONS", arena, response);
    if (strcmp(head->path, "*") == 0)
        return refuse_method(head->method, "GET, HEAD, POST, OPTIONS", arena, response);
    if (route.operation == NULL)
        return refuse_path(head->path, arena, response);
    if (strcmp(head->method, "POST") != 0)
        return refuse_method(head->method, "POST, OPTIONS", arena, response);
    return check_content_type(head, arena, response) && check_framing(head, arena, response);
}
