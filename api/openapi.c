/* OpenAPI 3.1, made from the tables that decode requests and write replies.
 * SPDX-License-Identifier: MIT */
#include "openapi.h"

#include "openapi_components.h"
#include "operation.h"
#include "pages.h"

#include <ctype.h>
#include <stdio.h>

/* A path that GET reads. */
typedef struct {
    const char *path, *name, *type, *schema, *summary;
    bool open; /* asks for no token */
} document;

/* Those that the daemon answers by itself; the others are pages. */
static const document daemons[] = {
    {"/v2", "metadata", "application/json", "Metadata", "Name, version and extensions", false},
    {"/v2/health/live", "live", "application/json", "Live", "Whether the daemon runs", true},
    {"/v2/health/ready", "ready", "application/json", "Ready",
     "Whether it takes requests; 503 if not", true},
    {"/metrics", "metrics", "text/plain", "Exposition", "Metrics in Prometheus's text format",
     false},
};

static void open_member(api_writer *writer, const char *key)
{
    api_write_key(writer, key);
    api_write_begin(writer, '{');
}

static void write_member(api_writer *writer, const char *key, const char *value)
{
    api_write_key(writer, key);
    api_write_string(writer, value);
}

static void write_raw_member(api_writer *writer, const char *key, const char *json)
{
    api_write_key(writer, key);
    api_write_raw(writer, json);
}

static void close_members(api_writer *writer, int count)
{
    for (int i = 0; i < count; i++)
        api_write_end(writer, '}');
}

/* ---- Schemas --------------------------------------------------------------------------------- */

/* The summary, and what each option of a choice means. */
static void write_description(api_writer *writer, const api_field *field)
{
    char text[1024];
    size_t length = (size_t)snprintf(text, sizeof text, "%s", field->summary);
    const char *separator = ": ";
    for (const api_option *option = field->options; option != NULL && option->name != NULL;
         option++) {
        if (option->summary == NULL || length >= sizeof text)
            continue;
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s (%s)", separator,
                                   option->name, option->summary);
        separator = ", ";
    }
    write_member(writer, "description", text);
}

static void write_property(api_writer *writer, const api_field *field)
{
    open_member(writer, field->name);
    field->kind->schema(writer, field);
    if (field->summary != NULL)
        write_description(writer, field);
    if (field->fallback != NULL)
        write_raw_member(writer, "default", field->fallback);
    api_write_end(writer, '}');
}

void api_write_object_schema(api_writer *writer, const api_field *const tables[])
{
    write_member(writer, "type", "object");
    write_raw_member(writer, "additionalProperties", "false");
    api_write_key(writer, "required");
    api_write_begin(writer, '[');
    for (const api_field *const *table = tables; *table != NULL; table++)
        for (api_rows rows = api_rows_of(*table); api_next_row(&rows);)
            if (rows.field->required)
                api_write_string(writer, rows.field->name);
    api_write_end(writer, ']');
    open_member(writer, "properties");
    for (const api_field *const *table = tables; *table != NULL; table++)
        for (api_rows rows = api_rows_of(*table); api_next_row(&rows);)
            write_property(writer, rows.field);
    api_write_end(writer, '}');
}

/* ---- Dry runs -------------------------------------------------------------------------------- */

/* In a dry run a tensor of the reply is a shape. What is known only after computing is missing, so
 * nothing else is required. */
static void write_dry_properties(api_writer *writer, const api_field *table);

static void write_dry_object(api_writer *writer, const api_field *table)
{
    write_member(writer, "type", "object");
    write_raw_member(writer, "additionalProperties", "false");
    open_member(writer, "properties");
    write_dry_properties(writer, table);
    api_write_end(writer, '}');
}

static void write_dry_property(api_writer *writer, const api_field *field)
{
    char name[64];
    snprintf(name, sizeof name, "%s_shape", field->name);
    if (field->kind == &api_result_kind) {
        write_raw_member(writer, name, "{\"$ref\":\"#/components/schemas/ResultShape\"}");
    } else if (field->kind == &api_object_kind) {
        open_member(writer, field->name);
        write_dry_object(writer, field->fields);
        api_write_end(writer, '}');
    } else if (field->kind == &api_objects_kind) {
        open_member(writer, field->name);
        write_member(writer, "type", "array");
        open_member(writer, "items");
        write_dry_object(writer, field->fields);
        close_members(writer, 2);
    } else {
        write_property(writer, field);
    }
}

static void write_dry_properties(api_writer *writer, const api_field *table)
{
    for (api_rows rows = api_rows_of(table); api_next_row(&rows);)
        write_dry_property(writer, rows.field);
}

static void write_dry_schema(api_writer *writer, const api_operation *operation)
{
    write_member(writer, "type", "object");
    write_member(writer, "description", "what the request would cost");
    write_raw_member(writer, "additionalProperties", "false");
    write_raw_member(writer, "required", "[\"dry_run\",\"multiplications\",\"memory_bytes\"]");
    open_member(writer, "properties");
    write_raw_member(writer, "dry_run", "{\"const\":true}");
    write_dry_properties(writer, operation->reply);
    write_raw_member(writer, "multiplications", "{\"type\":\"integer\",\"minimum\":0}");
    write_raw_member(writer, "memory_bytes", "{\"type\":\"integer\",\"minimum\":0}");
    api_write_end(writer, '}');
}

/* ---- Paths ----------------------------------------------------------------------------------- */

static void write_request_body(api_writer *writer, const api_operation *operation)
{
    open_member(writer, "requestBody");
    write_raw_member(writer, "required", "true");
    open_member(writer, "content");
    open_member(writer, "application/json");
    open_member(writer, "schema");
    api_write_object_schema(
        writer, (const api_field *const[]){operation->request, api_common_fields, NULL});
    api_write_end(writer, '}');
    write_raw_member(writer, "example", operation->example);
    api_write_end(writer, '}');
    write_raw_member(writer, "application/octet-stream",
                     "{\"schema\":{\"type\":\"string\",\"contentMediaType\":"
                     "\"application/octet-stream\",\"description\":\"the JSON, then the tensors' "
                     "bytes; Inference-Header-Content-Length is the length of the JSON\"}}");
    api_write_end(writer, '}');
    api_write_end(writer, '}');
}

static void write_success(api_writer *writer, const api_operation *operation)
{
    open_member(writer, "200");
    write_member(writer, "description", "computed, or what it would cost");
    write_raw_member(writer, "headers",
                     "{\"X-Request-Id\":{\"$ref\":\"#/components/headers/RequestId\"},"
                     "\"Server-Timing\":{\"$ref\":\"#/components/headers/ServerTiming\"},"
                     "\"Inference-Header-Content-Length\":"
                     "{\"$ref\":\"#/components/headers/JsonLength\"}}");
    open_member(writer, "content");
    open_member(writer, "application/json");
    open_member(writer, "schema");
    api_write_key(writer, "oneOf");
    api_write_begin(writer, '[');
    api_write_begin(writer, '{');
    api_write_object_schema(writer, (const api_field *const[]){operation->reply, NULL});
    api_write_end(writer, '}');
    api_write_begin(writer, '{');
    write_dry_schema(writer, operation);
    api_write_end(writer, '}');
    api_write_end(writer, ']');
    close_members(writer, 2);
    write_raw_member(writer, "application/octet-stream",
                     "{\"schema\":{\"type\":\"string\",\"contentMediaType\":"
                     "\"application/octet-stream\",\"description\":\"the JSON, then the tensors' "
                     "bytes, if output_format is binary\"}}");
    close_members(writer, 2);
}

/* Generators of clients make function names of it: "conv/backward" becomes conv_backward. */
static void write_operation_id(api_writer *writer, const char *name)
{
    char id[64];
    snprintf(id, sizeof id, "%s", name);
    for (char *at = id; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at))
            *at = '_';
    write_member(writer, "operationId", id);
}

static void write_operation(api_writer *writer, const api_operation *operation)
{
    char path[64];
    snprintf(path, sizeof path, "/v1/%s", operation->name);
    open_member(writer, path);
    open_member(writer, "post");
    write_operation_id(writer, operation->name);
    write_raw_member(writer, "tags", "[\"Operations\"]");
    write_member(writer, "summary", operation->summary);
    write_member(writer, "description", operation->description);
    write_raw_member(writer, "parameters",
                     "[{\"$ref\":\"#/components/parameters/JsonLength\"},"
                     "{\"$ref\":\"#/components/parameters/Timeout\"},"
                     "{\"$ref\":\"#/components/parameters/RequestId\"}]");
    write_request_body(writer, operation);
    open_member(writer, "responses");
    write_success(writer, operation);
    api_write_operation_problems(writer);
    close_members(writer, 3);
}

static void write_document(api_writer *writer, const document *of)
{
    char schema[96];
    snprintf(schema, sizeof schema, "{\"$ref\":\"#/components/schemas/%s\"}", of->schema);
    open_member(writer, of->path);
    open_member(writer, "get");
    write_operation_id(writer, of->name);
    write_raw_member(writer, "tags", "[\"Documents\"]");
    write_member(writer, "summary", of->summary);
    if (of->open)
        write_raw_member(writer, "security", "[]");
    open_member(writer, "responses");
    open_member(writer, "200");
    write_member(writer, "description", of->summary);
    write_raw_member(writer, "headers",
                     "{\"X-Request-Id\":{\"$ref\":\"#/components/headers/RequestId\"}}");
    open_member(writer, "content");
    open_member(writer, of->type);
    write_raw_member(writer, "schema", schema);
    close_members(writer, 3);
    api_write_document_problems(writer);
    close_members(writer, 3);
}

static void write_documents(api_writer *writer)
{
    for (size_t i = 0; i < api_page_count; i++) {
        const api_page *const page = &api_pages[i];
        const document of = {page->path,   page->name,    "application/json",
                             page->schema, page->summary, page->open};
        write_document(writer, &of);
    }
    for (size_t i = 0; i < sizeof daemons / sizeof *daemons; i++)
        write_document(writer, &daemons[i]);
}

/* ---- The document ---------------------------------------------------------------------------- */

static void write_info(api_writer *writer)
{
    open_member(writer, "info");
    write_member(writer, "title", "layerd");
    write_member(writer, "version", LAYERD_VERSION);
    write_member(writer, "summary", "The building blocks of convolutional networks");
    write_member(writer, "description",
                 "Attributes have ONNX's names, tensors PyTorch's. Every operation is pure: a "
                 "request may be repeated. Every error is application/problem+json and points at "
                 "the field that is wrong.");
    write_raw_member(writer, "license", "{\"name\":\"MIT\",\"identifier\":\"MIT\"}");
    api_write_end(writer, '}');
    write_raw_member(writer, "servers",
                     "[{\"url\":\"/\",\"description\":\"the daemon that answered this\"}]");
    write_raw_member(writer, "security", "[{},{\"Token\":[]}]");
    write_raw_member(writer, "tags",
                     "[{\"name\":\"Operations\",\"description\":\"JSON in, JSON out\"},"
                     "{\"name\":\"Documents\",\"description\":\"About the daemon\"}]");
}

void api_write_openapi(api_writer *writer)
{
    api_write_begin(writer, '{');
    write_member(writer, "openapi", "3.1.0");
    write_info(writer);
    open_member(writer, "paths");
    for (size_t i = 0; i < api_operation_count(); i++)
        write_operation(writer, api_operation_at(i));
    write_documents(writer);
    api_write_end(writer, '}');
    api_write_components(writer);
    api_write_end(writer, '}');
}
