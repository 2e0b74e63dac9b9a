/* What the parts of the strict pass share: errors with their places, nesting.
 * SPDX-License-Identifier: MIT */
#include "scan.h"

#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FOUND_SIZE = 32 };

static void describe(char found[FOUND_SIZE], const char *at, const char *end)
{
    const size_t size = api_utf8_size(at, end);
    if (at == end)
        snprintf(found, FOUND_SIZE, "the end of the text");
    else if (size == 0 || (unsigned char)*at < 0x20 || *at == 0x7F)
        snprintf(found, FOUND_SIZE, "byte 0x%02X", (unsigned char)*at);
    else if (size == 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
        snprintf(found, FOUND_SIZE, "a byte order mark");
    else
        snprintf(found, FOUND_SIZE, "'%.*s'", (int)size, at);
}

/* Columns are characters, from 1. */
static void locate(const api_scan *scan, const char *at, size_t *line, size_t *column)
{
    *line = *column = 1;
    for (const char *passed = scan->begin; passed < at; ++passed) {
        if (*passed == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)*passed & 0xC0) != 0x80) {
            ++*column;
        }
    }
}

bool api_fault(api_scan *scan, const char *at, const char *found, const char *expected)
{
    char description[FOUND_SIZE];
    size_t line, column;
    describe(description, at, scan->end);
    locate(scan, at, &line, &column);
    scan->problem->status = 0;
    return api_refuse(scan->problem, 400, "", "line %zu, column %zu: found %s, expected %s", line,
                      column, found == NULL ? description : found, expected);
}

/* Writes '/' and the step's token; returns its end, or NULL if it does not fit. */
static char *write_step(const api_step *step, char *at, const char *end)
{
    if (step->key == NULL) {
        const int size = snprintf(at, (size_t)(end - at), "/%zu", step->index);
        return size < end - at ? at + size : NULL;
    }
    const char *key = step->key;
    enum { LONGEST = sizeof "/~1" };
    for (*at++ = '/'; *key != '\0' && end - at >= LONGEST; key++) {
        const bool special = *key == '~' || *key == '/';
        if (special)
            *at++ = '~';
        *at++ = (char)(!special ? *key : *key == '~' ? '0' : '1');
    }
    return *key != '\0' ? NULL : at;
}

/* Where the pass is, as RFC 6901 says it; what contains it, when that would be too long. */
static void write_pointer(const api_scan *scan, char pointer[API_POINTER_SIZE])
{
    const api_step *steps[API_MAX_DEPTH];
    int count = 0;
    for (const api_step *step = scan->step; step != NULL; step = step->up)
        steps[count++] = step;
    char *at = pointer;
    while (count > 0) {
        *at = 0;
        if (pointer + API_POINTER_SIZE - at < 2)
            return;
        char *const begin = at;
        at = write_step(steps[--count], at, pointer + API_POINTER_SIZE - 1);
        if (at == NULL) {
            *begin = 0;
            return;
        }
    }
    *at = 0;
}

void api_refuse_here(api_scan *scan, int status, const char *format, ...)
{
    if (api_is_silent(scan))
        return;
    char pointer[API_POINTER_SIZE], detail[API_DETAIL_SIZE];
    write_pointer(scan, pointer);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    api_refuse(scan->problem, status, pointer, "%s", detail);
}

void api_refuse_memory(api_scan *scan)
{
    const size_t limit = api_arena_used(scan->arena) + api_arena_left(scan->arena);
    char pointer[API_POINTER_SIZE];
    if (api_is_silent(scan))
        return;
    write_pointer(scan, pointer);
    api_refuse_past(scan->problem, API_LIMIT_MEMORY, pointer,
                    "the request takes more than the %zu bytes of memory it may", limit);
}

void api_refuse_elements(api_scan *scan)
{
    char pointer[API_POINTER_SIZE];
    if (api_is_silent(scan))
        return;
    write_pointer(scan, pointer);
    api_refuse_past(scan->problem, API_LIMIT_ELEMENTS, pointer,
                    "more than %zu elements in one array", scan->max_elements);
}

void api_refuse_number(api_scan *scan, const char *text, const char *end)
{
    enum { SHOWN = 40 };
    const bool long_text = end - text > SHOWN;
    api_refuse_here(scan, 422, "%.*s%s is beyond binary32, at most 3.4028235e38",
                    long_text ? SHOWN : (int)(end - text), text, long_text ? "..." : "");
}

bool api_enter(api_scan *scan, const api_step *step)
{
    if (scan->depth == API_MAX_DEPTH) {
        char expected[32];
        snprintf(expected, sizeof expected, "at most %d of them", API_MAX_DEPTH);
        return api_fault(scan, scan->at, "one more level of nesting", expected);
    }
    ++scan->depth;
    ++scan->at;
    scan->step = step;
    return true;
}

void api_leave(api_scan *scan)
{
    --scan->depth;
    scan->step = scan->step->up;
}

bool api_next_element(api_scan *scan, char bracket, bool *more)
{
    *more = api_is_next(scan, ',');
    if (!*more && !api_is_next(scan, bracket))
        return api_fault(scan, scan->at, NULL, bracket == ']' ? "',' or ']'" : "',' or '}'");
    ++scan->at;
    return true;
}
