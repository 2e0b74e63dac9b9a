/* A body in one buffer: of the announced size, or growing with the chunks.
 * SPDX-License-Identifier: MIT */
#include "body.h"

#include "canned.h"
#include "clock.h"
#include "connections.h"
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is received in vain before the connection ends. */
static const size_t swallow_limit = (size_t)1 << 20;

/* A body's room grows as it comes: what is only announced holds no memory. */
static const size_t first_room_size = (size_t)64 << 10;

/* The longer it gets, the later its deadline, so that only a body too slow is cut off. */
static void extend_deadline(const server_request *request)
{
    const server_options *const options = request->options;
    const double received = (double)(request->call.body_size + request->swallowed);
    const double seconds = options->body_timeout + received / (double)options->min_rate;
    server_connection_enter(server_connections_find(request->descriptor), SERVER_BODY,
                            request->begun + server_nanoseconds(seconds));
}

size_t server_body_limit(const server_request *request, server_limit *which)
{
    const server_options *const options = request->options;
    const bool text = request->call.json_length == NULL && options->max_json < options->max_body;
    *which = text ? SERVER_LIMIT_JSON : SERVER_LIMIT_BODY;
    return text ? options->max_json : options->max_body;
}

/* Puts what follows the JSON at a multiple of `alignment`, so that a tensor's bytes can be computed
 * with where they lie. */
static size_t offset_of(const char *json_length)
{
    enum { ALIGNMENT = 16 }; /* of realloc's memory, and of it alone when that moves */
    if (json_length == NULL)
        return 0;
    return -(size_t)strtoull(json_length, NULL, 10) % ALIGNMENT;
}

void server_body_begin(server_request *request)
{
    request->step = SERVER_STEP_BODY;
    request->body_offset = offset_of(request->call.json_length);
    extend_deadline(request);
}

static bool refuse(server_request *request, server_admission admission)
{
    if (admission == SERVER_NOT_NOW)
        server_refuse_for_now(request, SERVER_REFUSED_MEMORY,
                              "other requests hold the memory that this one needs");
    else
        server_refuse_past(request, SERVER_LIMIT_MEMORY, 413,
                           "the body is longer than the memory limit of %zu bytes",
                           server_memory_limit());
    return false;
}

/* Makes room for `size` bytes: twice the room there was, so that bytes are copied seldom. */
static bool grow(server_request *request, size_t size)
{
    server_lease *const lease = request->lease;
    server_limit which;
    const size_t allowed = server_body_limit(request, &which);
    const size_t limit = request->chunked ? allowed : request->body_announced;
    if (size > limit) {
        server_refuse_past(request, which, 413, "the body is longer than the limit of %zu bytes",
                           limit);
        return false;
    }
    const size_t offset = request->body_offset, needed = offset + size, most = offset + limit;
    if (needed <= lease->body_capacity && needed <= lease->reserved)
        return true;
    size_t capacity = lease->body_capacity > 0 ? lease->body_capacity : first_room_size;
    while (capacity < needed)
        capacity *= 2;
    const server_admission admission = server_lease_body(lease, capacity < most ? capacity : most);
    return admission == SERVER_ADMITTED || refuse(request, admission);
}

/* libmicrohttpd takes no reply in the middle of a body, and writes nothing there. */
static void reply_at_once(server_request *request)
{
    const api_response *const response = &request->response;
    request->status = response->status;
    request->bytes_out = response->body_size;
    request->unread = true;
    char headers[SERVER_ID_SIZE + 64];
    const int size = snprintf(headers, sizeof headers, "X-Request-Id: %s\r\n", request->id);
    if (response->status == 503)
        snprintf(headers + size, sizeof headers - (size_t)size, "Retry-After: %u\r\n",
                 request->retry_after > 0 ? request->retry_after : 1);
    server_send_raw(request->connection, response->status, headers, response->body,
                    response->body_size);
}

static bool swallow(server_request *request, size_t size)
{
    request->step = SERVER_STEP_SWALLOW;
    request->must_close = true;
    request->swallowed += size;
    if (request->swallowed > swallow_limit) {
        reply_at_once(request);
        return false;
    }
    extend_deadline(request);
    return true;
}

bool server_body_receive(server_request *request, const char *data, size_t size)
{
    const size_t total = request->call.body_size + size;
    if (request->step == SERVER_STEP_SWALLOW || !grow(request, total))
        return swallow(request, size);
    memcpy(request->lease->body + request->body_offset + request->call.body_size, data, size);
    request->call.body_size = total;
    extend_deadline(request);
    return true;
}
