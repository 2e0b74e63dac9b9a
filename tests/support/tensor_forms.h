/* The three forms of a tensor on the wire, as a client writes and reads them.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_TENSOR_FORMS_H
#define SUPPORT_TENSOR_FORMS_H

#include "support/http_client.h"

#include <cjson/cJSON.h>

enum { TENSOR_MAX_RANK = 8 };

typedef enum { FORM_NESTED, FORM_OBJECT, FORM_BINARY, FORM_COUNT } tensor_form;

extern const char *const TENSOR_FORM_NAMES[FORM_COUNT]; /* "nested", "object", "binary" */

typedef struct {
    size_t rank;
    size_t extent[TENSOR_MAX_RANK];
    size_t count;
    float *data; /* freed by tensor_free() */
} tensor;

/* A tensor of zeros. */
tensor tensor_create(size_t rank, const size_t extent[]);
void tensor_free(tensor *values);

/* Reads a number, nested arrays, or an object with shape and data. False if it is none of them. */
bool tensor_read(const cJSON *item, tensor *values);

/* A request under construction: JSON, then the bytes of its binary tensors. */
typedef struct {
    tensor_form form;
    char *json;
    size_t json_size;
    char *bytes;
    size_t bytes_size;
    char framing[80];       /* the framing header, where the form is binary */
    const char *headers[5]; /* for http_request.headers, room for two more */
} tensor_request;

tensor_request tensor_request_open(tensor_form form);

/* One more member: a tensor in the request's form, or any JSON text. */
void tensor_request_add(tensor_request *request, const char *name, const tensor *values);
void tensor_request_add_json(tensor_request *request, const char *name, const char *json);

/* Ends it: afterwards `json` holds the whole body, json_size bytes of it in all. */
http_request tensor_request_close(tensor_request *request, const char *path);
void tensor_request_free(tensor_request *request);

/* The same request, its members named in `tensors` (NULL at the end) in another form; false if one
 * of them is no tensor. */
bool tensor_request_from(tensor_request *request, tensor_form form, const cJSON *original,
                         const char *const tensors[]);

/* Reads tensor `name` of a reply, whatever its form. False if there is none. */
bool tensor_read_reply(const http_reply *reply, const char *name, tensor *values);

/* The greatest |actual - expected| over the greatest |expected| (over 1 if that is 0); infinite if
 * the shapes differ. */
double tensor_distance(const tensor *actual, const tensor *expected);

#endif
