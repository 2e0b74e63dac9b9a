/* OpenAPI 3.1, made from the tables that decode requests and write replies.
 * SPDX-License-Identifier: MIT */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "fields.h"

/* The whole document. */
void api_write_openapi(api_writer *writer);

/* The members of a JSON schema of an object with the fields of `tables` (ended by NULL). */
void api_write_object_schema(api_writer *writer, const api_field *const tables[]);

#endif
