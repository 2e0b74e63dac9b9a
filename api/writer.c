/* JSON text, written.
 * SPDX-License-Identifier: MIT */
#include "writer_bytes.h"

#include "numbers.h"
#include "utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* A value that needs nothing but the comma before it. */
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

void api_put_nonfinite(api_writer *writer, double value)
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
        api_put_nonfinite(writer, value);
}

void api_write_null(api_writer *writer)
{
    put_value(writer, "null", 4);
}

void api_write_raw(api_writer *writer, const char *json)
{
    put_value(writer, json, strlen(json));
}
