/* What the OpenAPI document's paths refer to: schemas, parameters, headers, problems.
 * SPDX-License-Identifier: MIT */
#include "openapi_components.h"

#include <stdbool.h>
#include <stdio.h>

/* JSON as it is: the preprocessor makes the string. */
#define JSON(...) #__VA_ARGS__

typedef struct {
    const char *name;
    const char *json;
} component;

/* clang-format off */
static const component schemas[] = {
    {"Tensor", JSON({
        "description": "a tensor in any of three forms",
        "oneOf": [
            {"$ref": "#/components/schemas/NestedTensor"},
            {"$ref": "#/components/schemas/FlatTensor"},
            {"$ref": "#/components/schemas/BinaryTensor"}]})},
    {"NestedTensor", JSON({
        "description": "arrays in arrays, all of one axis of the same length",
        "type": "array", "minItems": 1,
        "items": {"anyOf": [{"type": "number"}, {"$ref": "#/components/schemas/NestedTensor"}]}})},
    {"FlatTensor", JSON({
        "description": "the shape, and the numbers in row-major order, flat or nested",
        "type": "object", "additionalProperties": false, "required": ["shape", "data"],
        "properties": {
            "shape": {"$ref": "#/components/schemas/Shape"},
            "datatype": {"const": "FP32"},
            "data": {"$ref": "#/components/schemas/NestedTensor"}}})},
    {"BinaryTensor", JSON({
        "description": "the shape alone; binary32, little-endian, row-major, follows behind the JSON in the order in which the tensors stand in it",
        "type": "object", "additionalProperties": false, "required": ["shape", "parameters"],
        "properties": {
            "shape": {"$ref": "#/components/schemas/Shape"},
            "datatype": {"const": "FP32"},
            "parameters": {
                "type": "object", "additionalProperties": false, "required": ["binary_data_size"],
                "properties": {"binary_data_size": {"type": "integer", "minimum": 4}}}}})},
    {"Shape", JSON({
        "description": "extents, the outermost axis first",
        "type": "array", "minItems": 1, "maxItems": 5,
        "items": {"type": "integer", "minimum": 1, "maximum": 16777216}})},
    {"ResultShape", JSON({
        "description": "extents of a tensor of the reply, the outermost axis first",
        "type": "array", "minItems": 1, "maxItems": 5,
        "items": {"type": "integer", "minimum": 1}})},
    {"Result", JSON({
        "description": "a tensor in the form that output_format chose",
        "oneOf": [
            {"$ref": "#/components/schemas/NestedResult"},
            {"$ref": "#/components/schemas/FlatResult"},
            {"$ref": "#/components/schemas/BinaryResult"}]})},
    {"NestedResult", JSON({
        "type": "array",
        "items": {"anyOf": [
            {"$ref": "#/components/schemas/Number"},
            {"$ref": "#/components/schemas/NestedResult"}]}})},
    {"FlatResult", JSON({
        "type": "object", "additionalProperties": false, "required": ["shape", "datatype", "data"],
        "properties": {
            "shape": {"$ref": "#/components/schemas/ResultShape"},
            "datatype": {"const": "FP32"},
            "data": {"type": "array", "items": {"$ref": "#/components/schemas/Number"}}}})},
    {"BinaryResult", JSON({
        "type": "object", "additionalProperties": false, "required": ["shape", "datatype", "parameters"],
        "properties": {
            "shape": {"$ref": "#/components/schemas/ResultShape"},
            "datatype": {"const": "FP32"},
            "parameters": {
                "type": "object", "additionalProperties": false, "required": ["binary_data_size"],
                "properties": {"binary_data_size": {"type": "integer", "minimum": 0}}}}})},
    {"Number", JSON({
        "description": "null and the words stand for what JSON cannot write, if nonfinite asked for them",
        "oneOf": [{"type": "number"}, {"type": "null"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]})},
    {"Problem", JSON({
        "description": "RFC 9457, and the Open Inference Protocol's error beside it",
        "type": "object", "required": ["type", "title", "status", "detail", "error"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string", "description": "the status in words"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "what was wrong and what was expected"},
            "pointer": {"type": "string", "format": "json-pointer", "description": "RFC 6901: the field that is wrong"},
            "error": {"type": "string", "description": "the detail once more"}},
        "example": {
            "type": "about:blank", "title": "Unprocessable Content", "status": 422,
            "detail": "weight spans 5x5, more than the padded input of 3x3", "pointer": "/weight",
            "error": "weight spans 5x5, more than the padded input of 3x3"}})},
    {"Index", JSON({
        "type": "object", "additionalProperties": false,
        "required": ["name", "version", "documentation", "operations"],
        "properties": {
            "name": {"const": "layerd"},
            "version": {"type": "string"},
            "documentation": {"type": "string", "format": "uri-reference"},
            "operations": {"type": "array", "items": {
                "type": "object", "additionalProperties": false,
                "required": ["name", "method", "path", "summary", "example"],
                "properties": {
                    "name": {"type": "string"},
                    "method": {"const": "POST"},
                    "path": {"type": "string", "format": "uri-reference"},
                    "summary": {"type": "string"},
                    "example": {"type": "object", "description": "a request"}}}}}})},
    {"Metadata", JSON({
        "type": "object", "additionalProperties": false, "required": ["name", "version", "extensions"],
        "properties": {
            "name": {"const": "layerd"},
            "version": {"type": "string"},
            "extensions": {"type": "array", "items": {"type": "string"}}}})},
    {"Live", JSON({
        "type": "object", "additionalProperties": false, "required": ["live"],
        "properties": {"live": {"const": true}}})},
    {"Ready", JSON({
        "type": "object", "additionalProperties": false, "required": ["ready"],
        "properties": {"ready": {"const": true}}})},
    {"Document", JSON({"type": "object", "description": "OpenAPI 3.1", "required": ["openapi", "info", "paths"]})},
    {"Exposition", JSON({"type": "string", "description": "Prometheus's text format 0.0.4"})},
    {0},
};

static const component parameters[] = {
    {"JsonLength", JSON({
        "name": "Inference-Header-Content-Length", "in": "header",
        "description": "bytes of JSON before the tensors' bytes; without it all is JSON",
        "schema": {"type": "integer", "minimum": 0}})},
    {"Timeout", JSON({
        "name": "X-Request-Timeout", "in": "header",
        "description": "seconds that the answer may take, at most the server's own limit",
        "schema": {"type": "number", "exclusiveMinimum": 0}})},
    {"RequestId", JSON({
        "name": "X-Request-Id", "in": "header",
        "description": "a name for this request in the log; left out, one is made",
        "schema": {"type": "string"}})},
    {0},
};

static const component headers[] = {
    {"JsonLength", JSON({
        "description": "bytes of JSON before the tensors' bytes",
        "schema": {"type": "integer", "minimum": 0}})},
    {"RequestId", JSON({
        "description": "the request's name in the log",
        "schema": {"type": "string"}})},
    {"RetryAfter", JSON({
        "description": "seconds after which it is worth trying again",
        "schema": {"type": "integer", "minimum": 0}})},
    {"ServerTiming", JSON({
        "description": "milliseconds of parse, queue, compute and write",
        "schema": {"type": "string"}})},
    {0},
};
static const component security_schemes[] = {
    {"Token", JSON({
        "type": "http", "scheme": "bearer",
        "description": "one of the tokens of the daemon's --token-file, where it has one"})},
    {0},
};
/* clang-format on */

/* One row a problem: its status, when it is met, and whether reading a document can meet it too. */
static const struct {
    int status;
    bool of_documents;
    const char *when;
} problems[] = {
    {400, true,
     "HTTP that is not understood; of operations also what is not JSON, not an object, "
     "not UTF-8, or badly framed"},
    {401, true, "a token is required, and is missing or wrong"},
    {408, true, "the request did not arrive in time"},
    {413, false, "the body, a tensor, the memory or the multiplications are over the limit"},
    {414, true, "the request's target is too long"},
    {415, false,
     "a Content-Type that is neither JSON nor octet-stream with the framing header, or a "
     "Content-Encoding"},
    {422, false, "valid JSON that does not make sense: the pointer shows the field"},
    {429, true, "too many connections from this address: close some, try again after Retry-After"},
    {431, true, "the request's headers are too long"},
    {500, false, "a mistake of ours"},
    {503, true, "too much is going on, or the daemon is stopping: try again after Retry-After"},
    {504, false, "the deadline passed"},
};

static void open_member(api_writer *writer, const char *key)
{
    api_write_key(writer, key);
    api_write_begin(writer, '{');
}

static void write_list(api_writer *writer, const char *name, const component *list)
{
    open_member(writer, name);
    for (; list->name != NULL; list++) {
        api_write_key(writer, list->name);
        api_write_raw(writer, list->json);
    }
    api_write_end(writer, '}');
}

static const char problem_content[] =
    JSON({"application/problem+json" : {"schema" : {"$ref" : "#/components/schemas/Problem"}}});

static void write_problems(api_writer *writer)
{
    static const char common[] =
        JSON({"X-Request-Id" : {"$ref" : "#/components/headers/RequestId"}});
    static const char busy[] = JSON({
        "X-Request-Id" : {"$ref" : "#/components/headers/RequestId"},
        "Retry-After" : {"$ref" : "#/components/headers/RetryAfter"}
    });
    open_member(writer, "responses");
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        char name[8];
        snprintf(name, sizeof name, "%d", problems[i].status);
        open_member(writer, name);
        api_write_key(writer, "description");
        api_write_string(writer, problems[i].when);
        api_write_key(writer, "headers");
        api_write_raw(writer,
                      problems[i].status == 503 || problems[i].status == 429 ? busy : common);
        api_write_key(writer, "content");
        api_write_raw(writer, problem_content);
        api_write_end(writer, '}');
    }
    api_write_end(writer, '}');
}

void api_write_components(api_writer *writer)
{
    open_member(writer, "components");
    write_list(writer, "parameters", parameters);
    write_list(writer, "headers", headers);
    write_problems(writer);
    write_list(writer, "securitySchemes", security_schemes);
    write_list(writer, "schemas", schemas);
    api_write_end(writer, '}');
}

static void write_references(api_writer *writer, bool of_documents_alone)
{
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        if (of_documents_alone && !problems[i].of_documents)
            continue;
        char name[8], reference[64];
        snprintf(name, sizeof name, "%d", problems[i].status);
        snprintf(reference, sizeof reference, "#/components/responses/%s", name);
        open_member(writer, name);
        api_write_key(writer, "$ref");
        api_write_string(writer, reference);
        api_write_end(writer, '}');
    }
}

void api_write_operation_problems(api_writer *writer)
{
    write_references(writer, false);
}

void api_write_document_problems(api_writer *writer)
{
    write_references(writer, true);
}
