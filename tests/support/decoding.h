/* Decoding a text by field tables, and writing by them, without an operation around.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_DECODING_H
#define SUPPORT_DECODING_H

#include "fields.h"

/* What came of it; what was decoded points into the arena. */
typedef struct {
    api_arena *arena;
    api_problem problem;
} decoding;

/* Decodes the text, which is JSON, by `tables` (ended by NULL) into `target`, which is zeroed. The
 * caller destroys the arena. */
decoding decode_text(const char *text, const api_field *const tables[], void *target);

/* Checks that the tables refuse the text with 422, this pointer and this detail. */
void decode_refused(const char *text, const api_field *const tables[], size_t target_size,
                    const char *pointer, const char *detail);

/* Checks what the table writes of `target`. */
void encode_written(const api_field *table, const void *target, api_form form, bool dry_run,
                    const char *expected);

#endif
