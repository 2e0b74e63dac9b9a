/* What the OpenAPI document's paths refer to: schemas, parameters, headers, problems.
 * SPDX-License-Identifier: MIT */
#ifndef API_OPENAPI_COMPONENTS_H
#define API_OPENAPI_COMPONENTS_H

#include "writer.h"

/* The member "components". */
void api_write_components(api_writer *writer);

/* The members of "responses" for what goes wrong, in an operation or when a document is read. */
void api_write_operation_problems(api_writer *writer);
void api_write_document_problems(api_writer *writer);

#endif
