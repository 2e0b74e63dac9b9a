/* Checks a request's head. libmicrohttpd is lenient about framing; a proxy in front may read the
 * same bytes otherwise, so whatever is ambiguous ends the connection (RFC 9112, section 6.3).
 * SPDX-License-Identifier: MIT */
#include "request_head.h"

#include "body.h"
#include "lifecycle.h"
#include "reply.h"
#include "text.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum { MAX_HEADER_LINES = 100, INLINE_BODY_SIZE = 64 << 10 };

typedef struct {
    size_t lines, size; /* of all headers */
    bool malformed;
    int hosts, lengths, encodings;
    const char *content_length, *encoding, *content_type, *json_length, *request_id, *timeout;
} headers;

static bool is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("!#$%&'*+-.^_`|~", text[i]) == NULL)
            return false;
    return size > 0;
}

static bool is_clean(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)text[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

static void note_header(headers *seen, const char *name, const char *value)
{
    if (strcasecmp(name, "Host") == 0)
        seen->hosts++;
    else if (strcasecmp(name, "Content-Length") == 0)
        seen->lengths++, seen->content_length = value;
    else if (strcasecmp(name, "Transfer-Encoding") == 0)
        seen->encodings++, seen->encoding = value;
    else if (strcasecmp(name, "Content-Type") == 0)
        seen->content_type = value;
    else if (strcasecmp(name, "Inference-Header-Content-Length") == 0)
        seen->json_length = value;
    else if (strcasecmp(name, "X-Request-Id") == 0)
        seen->request_id = value;
    else if (strcasecmp(name, "X-Request-Timeout") == 0)
        seen->timeout = value;
}

static enum MHD_Result visit_header(void *argument, enum MHD_ValueKind kind, const char *name,
                                    size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    headers *const seen = argument;
    seen->lines++;
    seen->size += name_size + value_size + 4;
    if (!is_token(name, name_size) || (value != NULL && !is_clean(value, value_size)))
        seen->malformed = true;
    else
        note_header(seen, name, value != NULL ? value : "");
    return MHD_YES;
}

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

/* 128 bits that do not come again: a counter, spread by a key drawn at start. */
static void make_id(char id[SERVER_ID_SIZE])
{
    static _Atomic uint64_t counter, keys[2];
    if (atomic_load_explicit(&keys[0], memory_order_acquire) == 0) {
        uint64_t drawn[2] = {1, 1};
        (void)!getrandom(drawn, sizeof drawn, GRND_NONBLOCK);
        atomic_store(&keys[1], drawn[1]);
        atomic_store_explicit(&keys[0], drawn[0] | 1, memory_order_release);
    }
    const uint64_t count = atomic_fetch_add(&counter, 1) * UINT64_C(0x9E3779B97F4A7C15);
    const uint64_t words[2] = {mix(count + atomic_load(&keys[0])),
                               mix(count ^ atomic_load(&keys[1]))};
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++)
        id[i] = digits[words[i / 16] >> (60 - i % 16 * 4) & 15];
    id[32] = '\0';
}

/* The client's own, if it is printable and not too long. */
static void take_id(server_request *request, const char *wanted)
{
    const size_t size = wanted != NULL ? strlen(wanted) : 0;
    bool printable = size > 0 && size < SERVER_ID_SIZE;
    for (size_t i = 0; printable && i < size; i++)
        printable = wanted[i] >= 0x20 && wanted[i] < 0x7f;
    if (printable)
        memcpy(request->id, wanted, size + 1);
    else
        make_id(request->id);
}

static bool refuse(server_request *request, int status, const char *detail)
{
    request->must_close = true;
    server_refuse(request, status, "%s", detail);
    return false;
}

static bool check_size(server_request *request, const headers *seen)
{
    const size_t limit = request->options->max_header;
    request->must_close = true;
    if (request->target_size > limit)
        server_refuse(request, 414, "the request target has %zu bytes, more than the limit of %zu",
                      request->target_size, limit);
    else if (seen->size > limit)
        server_refuse(request, 431, "the headers have %zu bytes, more than the limit of %zu",
                      seen->size, limit);
    else if (seen->lines > MAX_HEADER_LINES)
        server_refuse(request, 431, "there are %zu headers, more than the limit of %d", seen->lines,
                      MAX_HEADER_LINES);
    else
        request->must_close = false;
    return !request->must_close;
}

static bool check_framing(server_request *request, const headers *seen, const char *version)
{
    const bool old = strcmp(version, "HTTP/1.0") == 0;
    if (!old && strcmp(version, "HTTP/1.1") != 0)
        return refuse(request, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    if (seen->malformed)
        return refuse(request, 400, "a header has a malformed name or control characters");
    if (seen->hosts > 1 || (seen->hosts == 0 && !old))
        return refuse(request, 400, "expected exactly one header Host");
    if (seen->lengths > 1)
        return refuse(request, 400, "there is more than one Content-Length");
    if (seen->encodings > 1)
        return refuse(request, 400, "there is more than one Transfer-Encoding");
    if (seen->lengths > 0 && seen->encodings > 0)
        return refuse(request, 400, "there are both Content-Length and Transfer-Encoding");
    if (seen->encodings > 0 && strcasecmp(seen->encoding, "chunked") != 0)
        return refuse(request, 501, "the only Transfer-Encoding known here is chunked");
    if (seen->encodings > 0 && old)
        return refuse(request, 400, "HTTP/1.0 has no Transfer-Encoding");
    return true;
}

/* A length that no size_t holds counts as the longest one. */
static bool read_length(server_request *request, const headers *seen)
{
    request->chunked = seen->encodings > 0;
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

static bool is_clean_path(const char *path)
{
    while (*path > 0x20 && (unsigned char)*path < 0x7f)
        path++;
    return *path == '\0';
}

/* "http://host/v1/conv", which a proxy may be sent, is "/v1/conv" (RFC 9112, section 3.2.2). */
static const char *strip_authority(const char *path)
{
    if (strncasecmp(path, "http://", 7) != 0)
        return path;
    const char *const rest = strchr(path + 7, '/');
    return rest != NULL ? rest : "/";
}

static void copy(char *room, size_t size, const char *string)
{
    server_text text = server_text_begin(room, size);
    server_text_add(&text, string);
}

bool server_head_read(server_request *request, const char *method, const char *path,
                      const char *version)
{
    headers seen = {0};
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, visit_header, &seen);
    path = strip_authority(path);
    copy(request->method, sizeof request->method, method);
    copy(request->path, sizeof request->path, path);
    request->operation = server_metrics_operation(path);
    take_id(request, seen.malformed ? NULL : seen.request_id);
    request->call = (api_request){.method = strcmp(method, "HEAD") == 0 ? "GET" : method,
                                  .path = path,
                                  .content_type = seen.content_type,
                                  .json_length = seen.json_length,
                                  .body = ""};
    if (!check_size(request, &seen) || !check_framing(request, &seen, version) ||
        !read_length(request, &seen) || !read_timeout(request, seen.timeout))
        return false;
    return is_clean_path(path) ||
           refuse(request, 400, "the request target has bytes that must be percent-encoded");
}

static bool refuse_memory(server_request *request, server_admission admission)
{
    if (admission == SERVER_NOT_NOW)
        server_refuse_for_now(request, SERVER_REFUSED_MEMORY,
                              "other requests hold the memory that this one needs");
    else
        server_refuse(request, 413, "a body of %zu bytes is more than the memory limit of %zu",
                      request->body_announced, server_memory_limit());
    return false;
}

bool server_head_admit(server_request *request)
{
    const size_t size = request->body_announced, limit = server_body_limit(request);
    if (size > limit) {
        server_refuse(request, 413, "the body has %zu bytes, more than the limit of %zu", size,
                      limit);
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
