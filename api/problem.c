/* Problems: recorded by whoever meets them first, told as application/problem+json (RFC 9457).
 * SPDX-License-Identifier: MIT */
#include "problem.h"

#include "writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The statuses that are answered, with RFC 9110's (429, 431: RFC 6585's) phrases. */
#define STATUS_LIST(X)                                                                             \
    X(400, "Bad Request")                                                                          \
    X(401, "Unauthorized")                                                                         \
    X(403, "Forbidden")                                                                            \
    X(404, "Not Found")                                                                            \
    X(405, "Method Not Allowed")                                                                   \
    X(406, "Not Acceptable")                                                                       \
    X(408, "Request Timeout")                                                                      \
    X(409, "Conflict")                                                                             \
    X(411, "Length Required")                                                                      \
    X(413, "Content Too Large")                                                                    \
    X(414, "URI Too Long")                                                                         \
    X(415, "Unsupported Media Type")                                                               \
    X(417, "Expectation Failed")                                                                   \
    X(421, "Misdirected Request")                                                                  \
    X(422, "Unprocessable Content")                                                                \
    X(429, "Too Many Requests")                                                                    \
    X(431, "Request Header Fields Too Large")                                                      \
    X(500, "Internal Server Error")                                                                \
    X(501, "Not Implemented")                                                                      \
    X(503, "Service Unavailable")                                                                  \
    X(504, "Gateway Timeout")                                                                      \
    X(505, "HTTP Version Not Supported")

typedef struct {
    int status;
    const char *title;
    const char *body; /* the whole reply, when there is no memory for a better one */
} status_row;

static const status_row rows[] = {
#define STATUS_ROW(status, title)                                                                  \
    {status, title,                                                                                \
     "{\"type\":\"about:blank\",\"title\":\"" title "\",\"status\":" #status                       \
     ",\"detail\":\"" title "\",\"error\":\"" title "\"}"},
    STATUS_LIST(STATUS_ROW)
#undef STATUS_ROW
};

/* A status without a row is our mistake, and is told as such. */
static const status_row *find_row(int status)
{
    const status_row *failed = rows;
    for (size_t index = 0; index < sizeof rows / sizeof *rows; ++index) {
        if (rows[index].status == status)
            return &rows[index];
        if (rows[index].status == 500)
            failed = &rows[index];
    }
    return failed;
}

static void record(api_problem *problem, int status, api_limit limit, const char *pointer,
                   const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));

static void record(api_problem *problem, int status, api_limit limit, const char *pointer,
                   const char *format, va_list arguments)
{
    if (problem->status != 0)
        return;
    problem->status = status;
    problem->limit = limit;
    snprintf(problem->pointer, sizeof problem->pointer, "%s", pointer);
    vsnprintf(problem->detail, sizeof problem->detail, format, arguments);
}

bool api_refuse(api_problem *problem, int status, const char *pointer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record(problem, status, status == 413 ? API_LIMIT_FIXED : API_LIMIT_NONE, pointer, format,
           arguments);
    va_end(arguments);
    return false;
}

bool api_refuse_past(api_problem *problem, api_limit limit, const char *pointer, const char *format,
                     ...)
{
    va_list arguments;
    va_start(arguments, format);
    record(problem, 413, limit, pointer, format, arguments);
    va_end(arguments);
    return false;
}

bool api_refuse_both(api_problem *problem, const char *field, const char *other)
{
    char pointer[API_POINTER_SIZE];
    snprintf(pointer, sizeof pointer, "/%s", field);
    return api_refuse(problem, 422, pointer, "%s conflicts with %s; give one of them", field,
                      other);
}

static void write_member(api_writer *writer, const char *key, const char *value)
{
    api_write_key(writer, key);
    api_write_string(writer, value);
}

/* The text in the arena; NULL when that is full. */
static const char *write_problem(api_arena *arena, const status_row *row, const char *detail,
                                 const char *pointer, size_t *size)
{
    enum { FRAME_SIZE = 192, LONGEST_ESCAPE = 6 };
    const size_t text_size = 2 * strlen(detail) + (pointer == NULL ? 0 : strlen(pointer));
    api_writer writer;
    api_writer_open(&writer, arena, FRAME_SIZE + LONGEST_ESCAPE * text_size, API_NONFINITE_ERROR);
    api_write_begin(&writer, '{');
    write_member(&writer, "type", "about:blank");
    write_member(&writer, "title", row->title);
    api_write_key(&writer, "status");
    api_write_integer(&writer, row->status);
    write_member(&writer, "detail", detail);
    if (pointer != NULL && *pointer != 0)
        write_member(&writer, "pointer", pointer);
    write_member(&writer, "error", detail);
    api_write_end(&writer, '}');
    *size = api_writer_close(&writer);
    return writer.full ? NULL : writer.begin;
}

void api_problem_response(api_arena *arena, int status, const char *detail, const char *pointer,
                          api_response *response)
{
    const status_row *const row = find_row(status);
    size_t size = 0;
    const char *body = arena == NULL ? NULL : write_problem(arena, row, detail, pointer, &size);
    if (body == NULL) {
        body = row->body;
        size = strlen(body);
    }
    *response = (api_response){.status = row->status,
                               .content_type = "application/problem+json",
                               .body = body,
                               .body_size = size};
}
