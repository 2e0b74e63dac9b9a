/* The writer's inner interface: bytes, as long as there is room.
 * SPDX-License-Identifier: MIT */
#ifndef API_WRITER_BYTES_H
#define API_WRITER_BYTES_H

#include "writer.h"

#include <string.h>

/* Whether `size` more bytes fit; once they do not, nothing does. */
static inline bool has_room(api_writer *writer, size_t size)
{
    if (!writer->full && size > (size_t)(writer->end - writer->at))
        writer->full = true;
    return !writer->full;
}

static inline void put(api_writer *writer, const char *text, size_t size)
{
    if (has_room(writer, size))
        writer->at = (char *)memcpy(writer->at, text, size) + size;
}

static inline void put_byte(api_writer *writer, char byte)
{
    if (has_room(writer, 1))
        *writer->at++ = byte;
}

/* What comes before a value. */
static inline void begin_value(api_writer *writer)
{
    if (writer->comma)
        put_byte(writer, ',');
    writer->comma = true;
}

/* A number that JSON cannot write, as the writer was told. */
enum { API_NONFINITE_SIZE = sizeof "\"-Infinity\"" - 1 };
void api_put_nonfinite(api_writer *writer, double value);

#endif
