/* From a response to libmicrohttpd's queue.
 * SPDX-License-Identifier: MIT */
#include "reply.h"

#include "canned.h"
#include "clock.h"
#include "connections.h"
#include "cors.h"
#include "lifecycle.h"
#include "text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DETAIL_SIZE = 512, VALUE_SIZE = 160, MOST_PARTS = 8 };

static const size_t short_size = (size_t)16 << 10;

static const char no_memory[] =
    SERVER_PROBLEM(503, "Service Unavailable", "the server has no memory for this request now");

static void refuse(server_request *request, int status, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static void refuse(server_request *request, int status, const char *format, va_list arguments)
{
    if (request->lease == NULL)
        request->lease = server_lease_take();
    if (request->lease == NULL) {
        request->response = (api_response){.status = 503,
                                           .content_type = SERVER_PROBLEM_TYPE,
                                           .body = no_memory,
                                           .body_size = sizeof no_memory - 1};
        return;
    }
    char detail[DETAIL_SIZE];
    vsnprintf(detail, sizeof detail, format, arguments);
    api_problem_response(request->lease->arena, status, detail, NULL, &request->response);
}

void server_refuse(server_request *request, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    refuse(request, status, format, arguments);
    va_end(arguments);
}

void server_refuse_past(server_request *request, server_limit limit, int status, const char *format,
                        ...)
{
    va_list arguments;
    server_metrics_exceed(limit);
    va_start(arguments, format);
    refuse(request, status, format, arguments);
    va_end(arguments);
}

void server_refuse_for_now(server_request *request, server_refusal reason, const char *detail)
{
    server_metrics_refuse(reason);
    request->retry_after = server_workers_retry_after();
    server_refuse(request, 503, "%s", detail);
}

static void add_number(struct MHD_Response *reply, const char *name, size_t number)
{
    char value[VALUE_SIZE];
    server_text text = server_text_begin(value, sizeof value);
    server_text_number(&text, number);
    MHD_add_response_header(reply, name, value);
}

static void add_timing(struct MHD_Response *reply, const int64_t times[SERVER_PHASE_COUNT])
{
#define ENTRY(name, text) text ";dur=",
    static const char *const entries[] = {SERVER_PHASES(ENTRY)};
#undef ENTRY
    char value[VALUE_SIZE];
    server_text text = server_text_begin(value, sizeof value);
    for (size_t phase = 0; phase < SERVER_PHASE_COUNT; phase++) {
        server_text_add(&text, phase > 0 ? ", " : "");
        server_text_add(&text, entries[phase]);
        server_text_milliseconds(&text, times[phase]);
    }
    MHD_add_response_header(reply, "Server-Timing", value);
}

static void add_headers(const server_request *request, struct MHD_Response *reply)
{
    const api_response *const response = &request->response;
    if (response->content_type != NULL)
        MHD_add_response_header(reply, "Content-Type", response->content_type);
    MHD_add_response_header(reply, "Cache-Control", "no-store");
    MHD_add_response_header(reply, "X-Request-Id", request->id);
    if (request->times[SERVER_PHASE_PARSE] > 0)
        add_timing(reply, request->times);
    if (response->status == 401)
        MHD_add_response_header(reply, "WWW-Authenticate", request->challenge);
    if (request->accept_encoding != NULL)
        MHD_add_response_header(reply, "Accept-Encoding", request->accept_encoding);
    server_cors_allow(request, reply);
    if (response->allow != NULL)
        MHD_add_response_header(reply, "Allow", response->allow);
    if (response->status == 503)
        add_number(reply, "Retry-After", request->retry_after > 0 ? request->retry_after : 1);
    if (response->tensor_count > 0)
        add_number(reply, "Inference-Header-Content-Length", response->body_size);
    if (request->must_close || server_stage_now() >= SERVER_DRAINING)
        MHD_add_response_header(reply, "Connection", "close");
}

static size_t size_of(const api_response *response)
{
    size_t size = response->body_size;
    for (size_t i = 0; i < response->tensor_count; i++)
        size += response->tensors[i].size;
    return size;
}

/* Takes over `reply`. */
static enum MHD_Result queue(server_request *request, struct MHD_Response *reply)
{
    const server_options *const options = request->options;
    const size_t size = size_of(&request->response);
    const double seconds = options->body_timeout + (double)size / (double)options->min_rate;
    const bool alive =
        server_connection_enter(server_connections_find(request->descriptor), SERVER_SEND,
                                server_now() + server_nanoseconds(seconds));
    enum MHD_Result result = MHD_NO;
    if (alive) {
        add_headers(request, reply);
        request->status = request->response.status;
        request->bytes_out = size;
        request->step = SERVER_STEP_REPLIED;
        result = MHD_queue_response(request->connection, (unsigned)request->status, reply);
    }
    MHD_destroy_response(reply);
    return result;
}

static void release(void *lease)
{
    if (lease != NULL)
        server_lease_release(lease);
}

/* The reply in one piece if it is short; NULL otherwise. Parts are sent behind the head, by a call
 * to the system more. */
static const char *join(const api_response *response, api_arena *arena)
{
    const size_t size = size_of(response);
    if (response->tensor_count == 0)
        return response->body;
    char *const joined = size <= short_size ? api_arena_allocate(arena, size) : NULL;
    if (joined == NULL)
        return NULL;
    char *at = (char *)memcpy(joined, response->body, response->body_size) + response->body_size;
    for (size_t i = 0; i < response->tensor_count; i++)
        at = (char *)memcpy(at, response->tensors[i].bytes, response->tensors[i].size) +
             response->tensors[i].size;
    return joined;
}

static struct MHD_Response *send_parts(const api_response *response, server_lease *lease)
{
    assert(response->tensor_count < MOST_PARTS);
    struct MHD_IoVec parts[MOST_PARTS] = {{response->body, response->body_size}};
    for (size_t i = 0; i < response->tensor_count; i++)
        parts[i + 1] = (struct MHD_IoVec){response->tensors[i].bytes, response->tensors[i].size};
    return MHD_create_response_from_iovec(parts, (unsigned)response->tensor_count + 1, release,
                                          lease);
}

/* Nothing long is copied: libmicrohttpd sends from the arena, to which it never writes. */
static struct MHD_Response *wrap(const api_response *response, server_lease *lease)
{
    const char *const body = join(response, lease != NULL ? lease->arena : NULL);
    if (body == NULL)
        return send_parts(response, lease);
    return MHD_create_response_from_buffer_with_free_callback_cls(
        size_of(response), (void *)(uintptr_t)body, release, lease);
}

enum MHD_Result server_reply(server_request *request)
{
    struct MHD_Response *const reply = wrap(&request->response, request->lease);
    if (reply == NULL)
        return MHD_NO;
    request->lease = NULL;
    return queue(request, reply);
}

enum MHD_Result server_reply_text(server_request *request, int status, const char *content_type,
                                  const char *text)
{
    request->response = (api_response){
        .status = status, .content_type = content_type, .body = text, .body_size = strlen(text)};
    return server_reply(request);
}

enum MHD_Result server_reply_page(server_request *request, const char *content_type, char *page,
                                  size_t size)
{
    request->response = (api_response){
        .status = 200, .content_type = content_type, .body = page, .body_size = size};
    struct MHD_Response *const reply =
        MHD_create_response_from_buffer(size, page, MHD_RESPMEM_MUST_FREE);
    if (reply == NULL)
        free(page);
    return reply != NULL ? queue(request, reply) : MHD_NO;
}
