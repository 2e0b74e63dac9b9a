/* OpenAPI 3.1, made from the tables that decode requests and write replies.
 * SPDX-License-Identifier: MIT */
#include "openapi.h"

#include "operation.h"
#include "pages.h"

#include <stdio.h>

/* One row an error that an operation can answer: its status and when. */
#define PROBLEM_LIST(X)                                                                            \
    X(400, "not JSON, not an object, not UTF-8, or bad binary framing")                            \
    X(401, "a token is required and missing or wrong")                                             \
    X(408, "the request did not arrive in time")                                                   \
    X(413, "the body, a tensor, the memory or the multiplications are over the limit")             \
    X(415, "a Content-Type that is neither JSON nor octet-stream with the framing header")         \
    X(422, "valid JSON that does not make sense: the pointer shows the field")                     \
    X(500, "a mistake of ours")                                                                    \
    X(503, "the queue is full, or the daemon is stopping: try again after Retry-After")            \
    X(504, "the deadline passed")

/* One row a path that the daemon answers by itself: path, name, content type, summary. */
#define DAEMON_PATH_LIST(X)                                                                        \
    X("/v2", "metadata", "application/json", "Name, version and extensions")                       \
    X("/v2/health/live", "live", "application/json", "Whether the daemon runs")                    \
    X("/v2/health/ready", "ready", "application/json", "Whether it takes requests; 503 if not")    \
    X("/metrics", "metrics", "text/plain", "Metrics in Prometheus's text format")

static const char tensor_schemas[] =
    "\"Tensor\":{\"description\":\"a tensor in any of three forms\",\"oneOf\":["
    "{\"$ref\":\"#/components/schemas/NestedTensor\"},"
    "{\"$ref\":\"#/components/schemas/FlatTensor\"},"
    "{\"$ref\":\"#/components/schemas/BinaryTensor\"}]},"
    "\"NestedTensor\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"anyOf\":[{\"type\":"
    "\"number\"},{\"$ref\":\"#/components/schemas/NestedTensor\"}]}},"
    "\"FlatTensor\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"shape\","
    "\"data\"],\"properties\":{\"shape\":{\"$ref\":\"#/components/schemas/Shape\"},\"datatype\":{"
    "\"const\":\"FP32\"},\"data\":{\"$ref\":\"#/components/schemas/NestedTensor\"}}},"
    "\"BinaryTensor\":{\"type\":\"object\",\"description\":\"binary32, little-endian, row-major, "
    "behind the JSON in the order in which the tensors stand in it\",\"additionalProperties\":"
    "false,\"required\":[\"shape\",\"parameters\"],\"properties\":{\"shape\":{\"$ref\":"
    "\"#/components/schemas/Shape\"},\"datatype\":{\"const\":\"FP32\"},\"parameters\":{\"type\":"
    "\"object\",\"additionalProperties\":false,\"required\":[\"binary_data_size\"],\"properties\":"
    "{\"binary_data_size\":{\"type\":\"integer\",\"minimum\":4}}}}},"
    "\"Shape\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":5,\"items\":{\"type\":\"integer\","
    "\"minimum\":1,\"maximum\":65536}}";

static const char result_schemas[] =
    "\"Result\":{\"description\":\"a tensor in the form that output_format chose\",\"oneOf\":["
    "{\"$ref\":\"#/components/schemas/NestedResult\"},"
    "{\"$ref\":\"#/components/schemas/FlatResult\"},"
    "{\"$ref\":\"#/components/schemas/BinaryTensor\"}]},"
    "\"Element\":{\"description\":\"null and the words stand for what JSON cannot write, if "
    "nonfinite asked for them\",\"oneOf\":[{\"type\":\"number\"},{\"type\":\"null\"},{\"enum\":["
    "\"NaN\",\"Infinity\",\"-Infinity\"]}]},"
    "\"NestedResult\":{\"type\":\"array\",\"items\":{\"anyOf\":[{\"$ref\":"
    "\"#/components/schemas/Element\"},{\"$ref\":\"#/components/schemas/NestedResult\"}]}},"
    "\"FlatResult\":{\"type\":\"object\",\"required\":[\"shape\",\"datatype\",\"data\"],"
    "\"properties\":{\"shape\":{\"$ref\":\"#/components/schemas/Shape\"},\"datatype\":{\"const\":"
    "\"FP32\"},\"data\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Element\"}"
    "}}}";

static const char problem_schema[] =
    "\"Problem\":{\"type\":\"object\",\"description\":\"RFC 9457, and the Open Inference "
    "Protocol's error beside it\",\"required\":[\"type\",\"title\",\"status\",\"detail\",\"error\"]"
    ",\"properties\":{\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},\"status\":{"
    "\"type\":\"integer\"},\"detail\":{\"type\":\"string\"},\"pointer\":{\"type\":\"string\","
    "\"description\":\"RFC 6901: the field that is wrong\"},\"error\":{\"type\":\"string\"}}}";

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
static void write_dry_property(api_writer *writer, const api_field *field)
{
    if (field->kind != &api_result_kind) {
        write_property(writer, field);
        return;
    }
    char name[64];
    snprintf(name, sizeof name, "%s_shape", field->name);
    write_raw_member(writer, name, "{\"$ref\":\"#/components/schemas/Shape\"}");
}

static void write_dry_schema(api_writer *writer, const api_operation *operation)
{
    write_member(writer, "type", "object");
    write_raw_member(writer, "additionalProperties", "false");
    write_raw_member(writer, "required", "[\"dry_run\",\"multiplications\",\"memory_bytes\"]");
    open_member(writer, "properties");
    write_raw_member(writer, "dry_run", "{\"const\":true}");
    for (api_rows rows = api_rows_of(operation->reply); api_next_row(&rows);)
        write_dry_property(writer, rows.field);
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
    api_write_end(writer, '}');
    api_write_end(writer, '}');
    write_raw_member(writer, "application/octet-stream",
                     "{\"schema\":{\"type\":\"string\",\"contentMediaType\":"
                     "\"application/octet-stream\"}}");
    api_write_end(writer, '}');
    api_write_end(writer, '}');
}

static void write_operation(api_writer *writer, const api_operation *operation)
{
    char path[64];
    snprintf(path, sizeof path, "/v1/%s", operation->name);
    open_member(writer, path);
    open_member(writer, "post");
    write_member(writer, "operationId", operation->name);
    write_member(writer, "summary", operation->summary);
    write_member(writer, "description", operation->description);
    write_raw_member(writer, "parameters",
                     "[{\"$ref\":\"#/components/parameters/JsonLength\"},"
                     "{\"$ref\":\"#/components/parameters/Timeout\"}]");
    write_request_body(writer, operation);
    open_member(writer, "responses");
    write_success(writer, operation);
#define PROBLEM_REFERENCE(status, when)                                                            \
    write_raw_member(writer, #status, "{\"$ref\":\"#/components/responses/" #status "\"}");
    PROBLEM_LIST(PROBLEM_REFERENCE)
#undef PROBLEM_REFERENCE
    api_write_end(writer, '}');
    api_write_end(writer, '}');
    api_write_end(writer, '}');
}

static void write_get(api_writer *writer, const char *path, const char *name, const char *type,
                      const char *summary)
{
    open_member(writer, path);
    open_member(writer, "get");
    write_member(writer, "operationId", name);
    write_member(writer, "summary", summary);
    open_member(writer, "responses");
    open_member(writer, "200");
    write_member(writer, "description", summary);
    open_member(writer, "content");
    write_raw_member(writer, type, "{}");
    for (int i = 0; i < 5; i++)
        api_write_end(writer, '}');
}

static void write_gets(api_writer *writer)
{
    for (size_t i = 0; i < api_page_count; i++)
        write_get(writer, api_pages[i].path, api_pages[i].name, "application/json",
                  api_pages[i].summary);
#define DAEMON_PATH(path, name, type, summary) write_get(writer, path, name, type, summary);
    DAEMON_PATH_LIST(DAEMON_PATH)
#undef DAEMON_PATH
}

/* ---- The document ---------------------------------------------------------------------------- */

static void write_info(api_writer *writer)
{
    open_member(writer, "info");
    write_member(writer, "title", "layerd");
    write_member(writer, "version", LAYERD_VERSION);
    write_member(writer, "description",
                 "The building blocks of convolutional networks. Attributes have ONNX's names, "
                 "tensors PyTorch's. Every operation is pure: a request may be repeated.");
    write_raw_member(writer, "license", "{\"name\":\"MIT\",\"identifier\":\"MIT\"}");
    api_write_end(writer, '}');
}

static void write_responses(api_writer *writer)
{
    open_member(writer, "responses");
#define PROBLEM_RESPONSE(status, when)                                                             \
    write_raw_member(writer, #status,                                                              \
                     "{\"description\":\"" when "\",\"content\":{\"application/problem+json\":{"   \
                     "\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}");
    PROBLEM_LIST(PROBLEM_RESPONSE)
#undef PROBLEM_RESPONSE
    api_write_end(writer, '}');
}

static void write_components(api_writer *writer)
{
    open_member(writer, "components");
    write_raw_member(writer, "parameters",
                     "{\"JsonLength\":{\"name\":\"Inference-Header-Content-Length\",\"in\":"
                     "\"header\",\"description\":\"bytes of JSON before the tensors' bytes\","
                     "\"schema\":{\"type\":\"integer\",\"minimum\":0}},"
                     "\"Timeout\":{\"name\":\"X-Request-Timeout\",\"in\":\"header\","
                     "\"description\":\"seconds that the answer may take, at most the server's "
                     "own limit\",\"schema\":{\"type\":\"number\",\"exclusiveMinimum\":0}}}");
    write_responses(writer);
    open_member(writer, "schemas");
    api_write_raw(writer, tensor_schemas);
    api_write_raw(writer, result_schemas);
    api_write_raw(writer, problem_schema);
    api_write_end(writer, '}');
    api_write_end(writer, '}');
}

void api_write_openapi(api_writer *writer)
{
    api_write_begin(writer, '{');
    write_member(writer, "openapi", "3.1.0");
    write_info(writer);
    open_member(writer, "paths");
    for (size_t i = 0; i < api_operation_count(); i++)
        write_operation(writer, api_operation_at(i));
    write_gets(writer);
    api_write_end(writer, '}');
    write_components(writer);
    api_write_end(writer, '}');
}
