/* JSON text, written.
 * SPDX-License-Identifier: MIT */
#include "writer.h"

#include "numbers.h"
#include "utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NONFINITE_SIZE = sizeof "\"-Infinity\"" - 1 };

void api_writer_open(api_writer *writer, api_arena *arena, size_t capacity, api_nonfinite nonfinite)
{
    size_t granted;
    char *const text = api_arena_open(arena, capacity, &granted);
    *writer = (api_writer){.arena = arena,
                           .begin = text,
                           .at = text,
                           .end = text == NULL ? NULL : text + granted,
                           .full = text == NULL,
                           .nonfinite = nonfinite};
}

size_t api_writer_close(api_writer *writer)
{
    const size_t size = writer->full ? 0 : (size_t)(writer->at - writer->begin);
    if (writer->begin != NULL)
        api_arena_close(writer->arena, size);
    return size;
}

/* Whether `size` more bytes fit; once they do not, nothing does. */
static bool has_room(api_writer *writer, size_t size)
{
    if (!writer->full && size > (size_t)(writer->end - writer->at))
        writer->full = true;
    return !writer->full;
}

static void put(api_writer *writer, const char *text, size_t size)
{
    if (has_room(writer, size))
        writer->at = (char *)memcpy(writer->at, text, size) + size;
}

static void put_byte(api_writer *writer, char byte)
{
    if (has_room(writer, 1))
        *writer->at++ = byte;
}

/* What comes before a value. */
static void begin_value(api_writer *writer)
{
    if (writer->comma)
        put_byte(writer, ',');
    writer->comma = true;
}

static void put_value(api_writer *writer, const char *text, size_t size)
{
    begin_value(writer);
    put(writer, text, size);
}

void api_write_begin(api_writer *writer, char bracket)
{
    put_value(writer, &bracket, 1);
    writer->comma = false;
}

void api_write_end(api_writer *writer, char bracket)
{
    put_byte(writer, bracket);
    writer->comma = true;
}

void api_write_key(api_writer *writer, const char *key)
{
    api_write_string(writer, key);
    put_byte(writer, ':');
    writer->comma = false;
}

static void put_escaped(api_writer *writer, unsigned char byte)
{
    static const char shorthand[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char text[8];
    int size;
    if (byte >= sizeof shorthand)
        size = snprintf(text, sizeof text, "\\%c", byte);
    else if (shorthand[byte] != 0)
        size = snprintf(text, sizeof text, "\\%c", shorthand[byte]);
    else
        size = snprintf(text, sizeof text, "\\u%04x", byte);
    put(writer, text, (size_t)size);
}

/* Bytes from `text` on that need no second look. */
static size_t plain_size(const char *text)
{
    size_t size = 0;
    while (text[size] >= 0x20 && text[size] < 0x7F && text[size] != '"' && text[size] != '\\')
        size++;
    return size;
}

/* Bytes that are not UTF-8 become U+FFFD: a path that an error quotes may hold any. */
void api_write_string(api_writer *writer, const char *text)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    const char *const end = text + strlen(text);
    begin_value(writer);
    put_byte(writer, '"');
    while (text < end) {
        const size_t plain = plain_size(text);
        put(writer, text, plain);
        text += plain;
        if (text == end)
            break;
        const unsigned char byte = (unsigned char)*text;
        const size_t size = api_utf8_size(text, end);
        if (size == 0)
            put(writer, replacement, sizeof replacement - 1);
        else if (byte < 0x20 || byte == '"' || byte == '\\')
            put_escaped(writer, byte);
        else
            put(writer, text, size);
        text += size == 0 ? 1 : size;
    }
    put_byte(writer, '"');
}

void api_write_boolean(api_writer *writer, bool value)
{
    const char *const text = value ? "true" : "false";
    put_value(writer, text, strlen(text));
}

/* Integers are the most of a small reply: their digits are put here, not by printf. */
static void put_integer(api_writer *writer, bool negative, uint64_t magnitude)
{
    char text[sizeof "-18446744073709551615"];
    char *const end = text + sizeof text, *at = end;
    do
        *--at = (char)('0' + magnitude % 10);
    while ((magnitude /= 10) > 0);
    if (negative)
        *--at = '-';
    put_value(writer, at, (size_t)(end - at));
}

void api_write_integer(api_writer *writer, int64_t value)
{
    put_integer(writer, value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void api_write_unsigned(api_writer *writer, uint64_t value)
{
    put_integer(writer, false, value);
}

static void put_nonfinite(api_writer *writer, double value)
{
    const char *text = "null";
    if (writer->nonfinite == API_NONFINITE_STRING)
        text = isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    if (writer->nonfinite == API_NONFINITE_ERROR)
        writer->nonfinite_met = true;
    put(writer, text, strlen(text));
}

void api_write_number(api_writer *writer, double value)
{
    char text[API_DOUBLE_TEXT_SIZE];
    begin_value(writer);
    if (isfinite(value))
        put(writer, text, (size_t)(api_write_double(text, value) - text));
    else
        put_nonfinite(writer, value);
}

void api_write_null(api_writer *writer)
{
    put_value(writer, "null", 4);
}

void api_write_raw(api_writer *writer, const char *json)
{
    put_value(writer, json, strlen(json));
}

/* The innermost loop of every large reply: straight into the room where that is wide enough. */
static void write_row(api_writer *writer, const float *data, size_t count)
{
    for (size_t index = 0; index < count; ++index) {
        if (index > 0)
            put_byte(writer, ',');
        char text[API_FLOAT_TEXT_SIZE];
        if (!isfinite(data[index]))
            put_nonfinite(writer, (double)data[index]);
        else if (writer->end - writer->at >= API_FLOAT_TEXT_SIZE)
            writer->at = api_write_float(writer->at, data[index]);
        else
            put(writer, text, (size_t)(api_write_float(text, data[index]) - text));
    }
}

/* Writes one array of `rank` extents and returns the elements behind it. */
static const float *write_level(api_writer *writer, const float *data, int rank, const int extent[])
{
    api_write_begin(writer, '[');
    if (rank == 1) {
        write_row(writer, data, (size_t)extent[0]);
        data += extent[0];
    } else {
        for (int index = 0; index < extent[0] && !writer->full; ++index)
            data = write_level(writer, data, rank - 1, extent + 1);
    }
    api_write_end(writer, ']');
    return data;
}

void api_write_floats(api_writer *writer, const float *data, int rank, const int extent[])
{
    write_level(writer, data, rank, extent);
}

void api_write_single(api_writer *writer, float value)
{
    begin_value(writer);
    write_row(writer, &value, 1);
}

size_t api_floats_text_size(int rank, const int extent[])
{
    enum { BRACKETS_SIZE = sizeof "[]," - 1, ELEMENT_SIZE = API_FLOAT_TEXT_SIZE + sizeof "," - 1 };
    _Static_assert((int)NONFINITE_SIZE <= (int)API_FLOAT_TEXT_SIZE, "no element is longer");
    size_t size = 0, count = 1; /* of the arrays so deep; at last, of the elements */
    for (int axis = 0; axis < rank; ++axis) {
        size += count * BRACKETS_SIZE;
        count *= (size_t)extent[axis];
    }
    return size + count * ELEMENT_SIZE;
}
