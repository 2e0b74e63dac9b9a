/* Tensors in their three forms, and the framing that lets bytes follow the JSON.
 * SPDX-License-Identifier: MIT */
#ifndef API_TENSORS_H
#define API_TENSORS_H

#include "fields.h"

/* Reads the header Inference-Header-Content-Length, which may be NULL: the whole body is JSON.
 * False if it is not a number. */
bool api_read_json_length(const char *header, size_t *length);

/* Hands the bytes that follow the JSON to the decoder.
 * False with a 400 if the header promises more JSON than there is body. */
bool api_split_body(const api_request *request, api_decoder *decoder, size_t *json_size);

/* False with a 400 if bytes are left that no tensor has taken. */
bool api_check_all_taken(api_decoder *decoder);

/* Bytes of the reply that the tensor takes at most, in the given form. */
size_t api_result_text_size(const api_result *result, api_form form);

/* The bytes of the binary tensors that were written, which follow the JSON; NULL without memory. */
api_bytes *api_binary_tensors(const api_encoder *encoder, api_arena *arena);

#endif
