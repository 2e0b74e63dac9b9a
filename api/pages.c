/* The documents that GET answers: the list of operations, and OpenAPI.
 * SPDX-License-Identifier: MIT */
#include "pages.h"

#include "openapi.h"
#include "operation.h"

#include <stdio.h>

static void write_member(api_writer *writer, const char *key, const char *value)
{
    api_write_key(writer, key);
    api_write_string(writer, value);
}

static void write_operation(api_writer *writer, const api_operation *operation)
{
    char path[64];
    snprintf(path, sizeof path, "/v1/%s", operation->name);
    api_write_begin(writer, '{');
    write_member(writer, "name", operation->name);
    write_member(writer, "method", "POST");
    write_member(writer, "path", path);
    write_member(writer, "summary", operation->summary);
    api_write_key(writer, "example");
    api_write_raw(writer, operation->example);
    api_write_end(writer, '}');
}

static void write_index(api_writer *writer)
{
    api_write_begin(writer, '{');
    write_member(writer, "name", "layerd");
    write_member(writer, "version", LAYERD_VERSION);
    write_member(writer, "documentation", "/openapi.json");
    api_write_key(writer, "operations");
    api_write_begin(writer, '[');
    for (size_t i = 0; i < api_operation_count(); i++)
        write_operation(writer, api_operation_at(i));
    api_write_end(writer, ']');
    api_write_end(writer, '}');
}

const api_page api_pages[] = {
    {"/v1", "index", "Index", "The list of operations", false, write_index},
    {"/openapi.json", "openapi", "Document", "This document", true, api_write_openapi},
};
const size_t api_page_count = sizeof api_pages / sizeof *api_pages;

void api_answer_page(const api_page *page, api_arena *arena, api_response *response)
{
    enum { ROOM = 1 << 20 };
    api_writer writer;
    api_writer_open(&writer, arena, ROOM, API_NONFINITE_ERROR);
    page->write(&writer);
    const size_t size = api_writer_close(&writer);
    if (writer.full) {
        api_problem_response(arena, api_arena_is_starved(arena) ? 503 : 413,
                             "no memory for this document", NULL, response);
        return;
    }
    *response = (api_response){
        .status = 200, .content_type = "application/json", .body = writer.begin, .body_size = size};
}
