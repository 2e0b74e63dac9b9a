/* A JSON text read for a test, from memory that ends where the text does.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_READING_H
#define SUPPORT_READING_H

#include "reader.h"

enum { READING_ELEMENTS = 1000 }; /* the most of one array */

typedef struct {
    api_arena *arena;
    char *text;
    bool read;
    api_document document;
    api_problem problem;
} reading;

/* Reads under an arena's limit. Fails the test unless the problem, the tree and what api_read()
 * says agree with each other. */
reading reading_of_bytes(const char *text, size_t size, size_t limit);

/* The same, under a limit that is no matter. */
reading reading_of(const char *text);

void reading_release(reading *made);

/* Fails the test unless the text is refused like this; any detail, if that is NULL. */
void reading_refused(const char *text, int status, const char *pointer, const char *detail);

/* Fails the test unless the text is refused with 400, a line and a column. */
void reading_not_json(const char *text, size_t size);

#endif
