/* Text put together piece by piece, without what printf() costs; what does not fit is left out.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_TEXT_H
#define SERVER_TEXT_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *at, *end; /* one byte is always left for the final '\0' */
} server_text;

server_text server_text_begin(char *room, size_t size);

/* Each leaves a whole string behind. */
void server_text_add(server_text *text, const char *string);
void server_text_number(server_text *text, uint64_t number);

/* At least `digits` digits. */
void server_text_padded(server_text *text, uint64_t number, int digits);

/* Nanoseconds as milliseconds with three decimals. */
void server_text_milliseconds(server_text *text, int64_t nanoseconds);

/* What stands between the quotes of a JSON string. */
void server_text_escaped(server_text *text, const char *string);

#endif
