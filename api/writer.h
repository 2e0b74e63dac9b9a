/* JSON text, written into the arena's open end: commas and nesting are kept by the writer.
 * SPDX-License-Identifier: MIT */
#ifndef API_WRITER_H
#define API_WRITER_H

#include "arena.h"

#include <stdint.h>

/* How a number that JSON cannot write is written. */
typedef enum { API_NONFINITE_ERROR, API_NONFINITE_NULL, API_NONFINITE_STRING } api_nonfinite;

/* While a writer is open nothing else may be allocated from its arena. When the room ends, the
 * writer keeps quiet and `full` says so at the end. */
typedef struct {
    api_arena *arena;
    char *begin, *at, *end;
    bool comma;         /* a value was written at this level */
    bool full;          /* the room ended: the text is worthless */
    bool nonfinite_met; /* an infinity or NaN was met under API_NONFINITE_ERROR */
    api_nonfinite nonfinite;
    const api_run *run; /* who helps with long arrays; NULL: nobody */
} api_writer;

void api_writer_open(api_writer *writer, api_arena *arena, size_t capacity,
                     api_nonfinite nonfinite);

/* Ends the text, gives the rest of the room back, and returns its size. */
size_t api_writer_close(api_writer *writer);

void api_write_begin(api_writer *writer, char bracket); /* '{' or '[' */
void api_write_end(api_writer *writer, char bracket);   /* '}' or ']' */
void api_write_key(api_writer *writer, const char *key);
void api_write_string(api_writer *writer, const char *text);
void api_write_boolean(api_writer *writer, bool value);
void api_write_integer(api_writer *writer, int64_t value);
void api_write_unsigned(api_writer *writer, uint64_t value);
void api_write_number(api_writer *writer, double value);
void api_write_single(api_writer *writer, float value);
void api_write_null(api_writer *writer);

/* `rank` extents deep; rank 1 writes the flat form, and may be empty. */
void api_write_floats(api_writer *writer, const float *data, int rank, const int extent[]);

/* Text that is JSON already, as one value. */
void api_write_raw(api_writer *writer, const char *json);

/* An upper bound of the bytes that api_write_floats() takes for this shape, whose elements fit
 * an int. */
size_t api_floats_text_size(int rank, const int extent[]);

#endif
