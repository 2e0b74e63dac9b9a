/* The three forms of a tensor on the wire.
 * SPDX-License-Identifier: MIT */
#include "support/tensor_forms.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const TENSOR_FORM_NAMES[FORM_COUNT] = {"nested", "object", "binary"};

tensor tensor_create(size_t rank, const size_t extent[])
{
    tensor values = {.rank = rank, .count = 1};
    for (size_t axis = 0; axis < rank; axis++) {
        values.extent[axis] = extent[axis];
        values.count *= extent[axis];
    }
    values.data = calloc(values.count + 1, sizeof(float));
    if (values.data == NULL)
        abort();
    return values;
}

void tensor_free(tensor *values)
{
    free(values->data);
    *values = (tensor){0};
}

/* ---- From JSON ---- */

static float float_of(const cJSON *item)
{
    if (cJSON_IsNumber(item))
        return (float)item->valuedouble;
    const char *const text = cJSON_GetStringValue(item);
    return text != NULL ? strtof(text, NULL) : NAN;
}

/* Copies the leaves of nested arrays in order; false where their lengths are not the shape's. */
static bool copy_leaves(const cJSON *item, const tensor *values, size_t axis, float **at)
{
    if (axis == values->rank) {
        *(*at)++ = float_of(item);
        return !cJSON_IsArray(item);
    }
    if ((size_t)cJSON_GetArraySize(item) != values->extent[axis])
        return false;
    bool copied = true;
    const cJSON *element;
    cJSON_ArrayForEach(element, item)
    {
        copied = copied && copy_leaves(element, values, axis + 1, at);
    }
    return copied;
}

static bool read_nested(const cJSON *item, tensor *values)
{
    size_t rank = 0, extent[TENSOR_MAX_RANK];
    for (const cJSON *at = item; cJSON_IsArray(at) && rank < TENSOR_MAX_RANK; at = at->child)
        extent[rank++] = (size_t)cJSON_GetArraySize(at);
    *values = tensor_create(rank, extent);
    float *at = values->data;
    if (copy_leaves(item, values, 0, &at))
        return true;
    tensor_free(values);
    return false;
}

static bool read_shape(const cJSON *shape, tensor *values)
{
    size_t rank = 0, extent[TENSOR_MAX_RANK];
    const cJSON *element;
    cJSON_ArrayForEach(element, shape)
    {
        if (rank == TENSOR_MAX_RANK || !cJSON_IsNumber(element) || element->valueint < 0)
            return false;
        extent[rank++] = (size_t)element->valueint;
    }
    *values = tensor_create(rank, extent);
    return cJSON_IsArray(shape);
}

static bool read_object(const cJSON *item, tensor *values)
{
    tensor flat = {0};
    if (!read_shape(cJSON_GetObjectItemCaseSensitive(item, "shape"), values)) {
        tensor_free(values);
        return false;
    }
    const bool read = read_nested(cJSON_GetObjectItemCaseSensitive(item, "data"), &flat) &&
                      flat.count == values->count;
    if (read)
        memcpy(values->data, flat.data, flat.count * sizeof(float));
    else
        tensor_free(values);
    tensor_free(&flat);
    return read;
}

bool tensor_read(const cJSON *item, tensor *values)
{
    *values = (tensor){0};
    if (cJSON_IsObject(item))
        return read_object(item, values);
    return (cJSON_IsArray(item) || cJSON_IsNumber(item)) && read_nested(item, values);
}

/* ---- To a request ---- */

static void append(tensor_request *request, const char *text)
{
    text_append(&request->json, &request->json_size, text, strlen(text));
}

static void append_size(tensor_request *request, size_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%zu", number);
    append(request, text);
}

/* Writes nested arrays of `rank` extents, returns where the next element is. */
static const float *append_nested(tensor_request *request, const float *at, size_t rank,
                                  const size_t extent[])
{
    if (rank == 0) {
        char text[48];
        snprintf(text, sizeof text, "%.9g", (double)*at);
        append(request, text);
        return at + 1;
    }
    append(request, "[");
    for (size_t index = 0; index < *extent; index++) {
        append(request, index > 0 ? "," : "");
        at = append_nested(request, at, rank - 1, extent + 1);
    }
    append(request, "]");
    return at;
}

static void append_object(tensor_request *request, const tensor *values)
{
    append(request, "{\"shape\":[");
    for (size_t axis = 0; axis < values->rank; axis++) {
        append(request, axis > 0 ? "," : "");
        append_size(request, values->extent[axis]);
    }
    append(request, "],\"datatype\":\"FP32\",");
    if (request->form == FORM_BINARY) {
        const size_t size = values->count * sizeof(float);
        append(request, "\"parameters\":{\"binary_data_size\":");
        append_size(request, size);
        append(request, "}}");
        text_append(&request->bytes, &request->bytes_size, values->data, size);
        return;
    }
    append(request, "\"data\":");
    append_nested(request, values->data, 1, &values->count);
    append(request, "}");
}

tensor_request tensor_request_open(tensor_form form)
{
    tensor_request request = {.form = form};
    append(&request, "{");
    return request;
}

static void append_key(tensor_request *request, const char *name)
{
    append(request, request->json_size > 1 ? ",\"" : "\"");
    append(request, name);
    append(request, "\":");
}

void tensor_request_add(tensor_request *request, const char *name, const tensor *values)
{
    append_key(request, name);
    if (request->form == FORM_NESTED)
        append_nested(request, values->data, values->rank, values->extent);
    else
        append_object(request, values);
}

void tensor_request_add_json(tensor_request *request, const char *name, const char *json)
{
    append_key(request, name);
    append(request, json);
}

http_request tensor_request_close(tensor_request *request, const char *path)
{
    append(request, "}");
    if (request->form == FORM_BINARY) {
        snprintf(request->framing, sizeof request->framing, "Inference-Header-Content-Length: %zu",
                 request->json_size);
        request->headers[0] = "Content-Type: application/octet-stream";
        request->headers[1] = request->framing;
        text_append(&request->json, &request->json_size, request->bytes, request->bytes_size);
    }
    return (http_request){.path = path,
                          .headers = request->headers,
                          .body = request->json,
                          .body_size = request->json_size};
}

void tensor_request_free(tensor_request *request)
{
    free(request->json);
    free(request->bytes);
    *request = (tensor_request){0};
}

static bool is_named(const char *name, const char *const names[])
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

bool tensor_request_from(tensor_request *request, tensor_form form, const cJSON *original,
                         const char *const tensors[])
{
    bool complete = true;
    *request = tensor_request_open(form);
    const cJSON *member;
    cJSON_ArrayForEach(member, original)
    {
        tensor values;
        if (!is_named(member->string, tensors)) {
            char *const text = cJSON_PrintUnformatted(member);
            tensor_request_add_json(request, member->string, text);
            free(text);
        } else if (tensor_read(member, &values)) {
            tensor_request_add(request, member->string, &values);
            tensor_free(&values);
        } else {
            complete = false;
        }
    }
    return complete;
}

/* ---- From a reply ---- */

/* Finds the bytes of tensor `name`: binary tensors follow the JSON in its order. */
static bool read_binary(const http_reply *reply, const cJSON *json, size_t offset, const char *name,
                        tensor *values)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, json)
    {
        const cJSON *const parameters = cJSON_GetObjectItemCaseSensitive(member, "parameters");
        const cJSON *const size = cJSON_GetObjectItemCaseSensitive(parameters, "binary_data_size");
        const size_t bytes = cJSON_IsNumber(size) ? (size_t)size->valuedouble : 0;
        if (strcmp(member->string, name) == 0) {
            const cJSON *const shape = cJSON_GetObjectItemCaseSensitive(member, "shape");
            if (!read_shape(shape, values) || values->count * sizeof(float) != bytes ||
                offset + bytes > reply->body_size)
                return false;
            memcpy(values->data, reply->body + offset, bytes);
            return true;
        }
        offset += bytes;
    }
    return false;
}

bool tensor_read_reply(const http_reply *reply, const char *name, tensor *values)
{
    const char *const length = http_header(reply, "Inference-Header-Content-Length");
    const size_t size = length != NULL ? strtoul(length, NULL, 10) : reply->body_size;
    cJSON *const json = size <= reply->body_size ? cJSON_ParseWithLength(reply->body, size) : NULL;
    *values = (tensor){0};
    const cJSON *const item = cJSON_GetObjectItemCaseSensitive(json, name);
    const bool read = cJSON_GetObjectItemCaseSensitive(item, "parameters") != NULL
                          ? read_binary(reply, json, size, name, values)
                          : tensor_read(item, values);
    if (!read)
        tensor_free(values);
    cJSON_Delete(json);
    return read;
}

double tensor_distance(const tensor *actual, const tensor *expected)
{
    double greatest = 0, difference = 0;
    if (actual->rank != expected->rank ||
        memcmp(actual->extent, expected->extent, actual->rank * sizeof *actual->extent) != 0)
        return INFINITY;
    for (size_t index = 0; index < expected->count; index++) {
        const double wanted = (double)expected->data[index];
        greatest = fmax(greatest, fabs(wanted));
        const double off = fabs((double)actual->data[index] - wanted);
        difference = off <= difference ? difference : off;
    }
    return difference / (greatest > 0 ? greatest : 1);
}
