/* Checks a request's head. libmicrohttpd is lenient about framing; a proxy in front may read the
 * same bytes otherwise, so whatever is ambiguous ends the connection (RFC 9112, section 6.3).
 * SPDX-License-Identifier: MIT */
#include "request_head.h"

#include "body.h"
#include "headers.h"
#include "lifecycle.h"
#include "reply.h"
#include "target.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_HEADER_LINES = 100, INLINE_BODY_SIZE = 64 << 10 };

static bool refuse(server_request *request, int status, const char *detail)
{
    request->must_close = true;
    server_refuse(request, status, "%s", detail);
    return false;
}

static bool check_size(server_request *request, const server_headers *seen)
{
    const size_t limit = request->options->max_header;
    request->must_close = true;
    if (request->target_size > limit)
        server_refuse_past(request, SERVER_LIMIT_HEADER, 414,
                           "the request target has %zu bytes, more than the limit of %zu",
                           request->target_size, limit);
    else if (seen->size > limit)
        server_refuse_past(request, SERVER_LIMIT_HEADER, 431,
                           "the headers have %zu bytes, more than the limit of %zu", seen->size,
                           limit);
    else if (seen->lines > MAX_HEADER_LINES)
        server_refuse_past(request, SERVER_LIMIT_FIXED, 431,
                           "there are %zu headers, more than the limit of %d", seen->lines,
                           MAX_HEADER_LINES);
    else
        request->must_close = false;
    return !request->must_close;
}

static bool refuse_repeated(server_request *request, const char *name)
{
    request->must_close = true;
    server_refuse(request, 400, "there is more than one %s", name);
    return false;
}

static bool check_framing(server_request *request, const server_headers *seen, const char *version)
{
    const bool old = strcmp(version, "HTTP/1.0") == 0;
    if (!old && strcmp(version, "HTTP/1.1") != 0)
        return refuse(request, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    if (seen->malformed)
        return refuse(request, 400, "a header has a malformed name or control characters");
    if (seen->repeated != NULL)
        return refuse_repeated(request, seen->repeated);
    if (seen->host == NULL && !old)
        return refuse(request, 400, "the header Host is missing");
    const char *const encoding = seen->transfer_encoding;
    if (encoding != NULL && seen->content_length != NULL)
        return refuse(request, 400, "there are both Content-Length and Transfer-Encoding");
    if (encoding != NULL && strcasecmp(encoding, "chunked") != 0)
        return refuse(request, 501, "the only Transfer-Encoding known here is chunked");
    if (encoding != NULL && old)
        return refuse(request, 400, "HTTP/1.0 has no Transfer-Encoding");
    return true;
}

/* A length that no size_t holds counts as the longest one. */
static bool read_length(server_request *request, const server_headers *seen)
{
    request->chunked = seen->transfer_encoding != NULL;
    if (seen->content_length == NULL)
        return true;
    const char *const text = seen->content_length;
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits] != '\0')
        return refuse(request, 400, "Content-Length is not a number of bytes");
    request->body_announced = strtoull(text, NULL, 10);
    return true;
}

static bool read_timeout(server_request *request, const char *text)
{
    request->deadline_seconds = request->options->deadline;
    if (text == NULL)
        return true;
    char *end = NULL;
    const double seconds = strtod(text, &end);
    if (text[strspn(text, "0123456789.")] != '\0' || end == text || *end != '\0')
        return refuse(request, 400, "X-Request-Timeout: expected seconds, such as 2.5");
    if (seconds < request->deadline_seconds)
        request->deadline_seconds = seconds;
    return true;
}

/* Nothing is inflated: what a few bytes become could not be told from the head. */
static bool check_coding(server_request *request, const char *coding)
{
    if (coding == NULL || coding[0] == '\0' || strcasecmp(coding, "identity") == 0)
        return true;
    request->accept_encoding = "identity";
    return refuse(request, 415, "send the body as it is, without Content-Encoding");
}

static void copy(char *room, size_t size, const char *string)
{
    server_text text = server_text_begin(room, size);
    server_text_add(&text, string);
}

bool server_head_read(server_request *request, const char *method, const char *path,
                      const char *version)
{
    const server_headers seen = server_headers_read(request->connection);
    const char *const wrong = server_target_read(request->path, sizeof request->path, path);
    copy(request->method, sizeof request->method, method);
    request->operation = server_metrics_operation(request->path);
    server_request_id(request->id, seen.malformed ? NULL : seen.request_id);
    request->call = (api_request){.method = strcmp(method, "HEAD") == 0 ? "GET" : method,
                                  .path = request->path,
                                  .content_type = seen.content_type,
                                  .json_length = seen.json_length,
                                  .body = ""};
    request->authorization = seen.authorization;
    request->origin = seen.origin;
    if (!check_size(request, &seen) || !check_framing(request, &seen, version) ||
        !read_length(request, &seen) || !read_timeout(request, seen.request_timeout))
        return false;
    if (wrong != NULL)
        return refuse(request, 400, wrong);
    return check_coding(request, seen.content_encoding);
}

static bool refuse_memory(server_request *request, server_admission admission)
{
    if (admission == SERVER_NOT_NOW)
        server_refuse_for_now(request, SERVER_REFUSED_MEMORY,
                              "other requests hold the memory that this one needs");
    else
        server_refuse_past(request, SERVER_LIMIT_MEMORY, 413,
                           "a body of %zu bytes is more than the memory limit of %zu",
                           request->body_announced, server_memory_limit());
    return false;
}

bool server_head_admit(server_request *request)
{
    server_limit which;
    const size_t size = request->body_announced, limit = server_body_limit(request, &which);
    if (size > limit) {
        server_refuse_past(request, which, 413,
                           "the body has %zu bytes, more than the limit of %zu", size, limit);
        return false;
    }
    if (server_stage_now() == SERVER_STOPPING) {
        server_refuse_for_now(request, SERVER_REFUSED_STOPPING, "the server is stopping");
        return false;
    }
    if (size > INLINE_BODY_SIZE && server_workers_full()) {
        server_refuse_for_now(request, SERVER_REFUSED_QUEUE_FULL, "the queue is full");
        return false;
    }
    const server_admission admission = server_admission_asks(size);
    return admission == SERVER_ADMITTED || refuse_memory(request, admission);
}
