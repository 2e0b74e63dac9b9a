/* Strings: checked, and freed of their escapes, so that equal keys are equal bytes.
 * SPDX-License-Identifier: MIT */
#include "scan.h"

#include "utf8.h"

#include <string.h>

/* Appends to the string; what is too long is counted only. */
static void append(api_scan *scan, const char *bytes, size_t size)
{
    if (size <= API_MAX_STRING - scan->string_size && scan->string_size <= API_MAX_STRING)
        memcpy(scan->string + scan->string_size, bytes, size);
    scan->string_size += size;
}

static void append_character(api_scan *scan, uint32_t code)
{
    char text[8];
    if (code == 0)
        api_refuse_here(scan, 422, "a string holds U+0000, which is not supported");
    append(scan, text, (size_t)(api_utf8_write(text, code) - text));
}

static int hexadecimal(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    const char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Reads the four digits at scan->at. */
static bool read_unit(api_scan *scan, uint32_t *unit)
{
    *unit = 0;
    for (int digits = 0; digits < 4; ++digits, ++scan->at) {
        const int digit = scan->at < scan->end ? hexadecimal(*scan->at) : -1;
        if (digit < 0)
            return api_fault(scan, scan->at, NULL, "a hexadecimal digit");
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return true;
}

/* Reads what stands behind \u: one unit, or two that are a surrogate pair. */
static bool read_units(api_scan *scan, uint32_t *code)
{
    const char *const begin = scan->at - 2;
    uint32_t low;
    if (!read_unit(scan, code))
        return false;
    if (*code < 0xD800 || *code > 0xDFFF)
        return true;
    if (*code > 0xDBFF)
        return api_fault(scan, begin, "the second half of a surrogate pair", "its first before it");
    if (scan->end - scan->at < 2 || memcmp(scan->at, "\\u", 2) != 0)
        return api_fault(scan, scan->at, NULL, "the second half of a surrogate pair");
    const char *const second = scan->at;
    scan->at += 2;
    if (!read_unit(scan, &low))
        return false;
    if (low < 0xDC00 || low > 0xDFFF)
        return api_fault(scan, second, NULL, "the second half of a surrogate pair");
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static bool scan_escape(api_scan *scan)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char letter = (char)(scan->end - scan->at < 2 ? 0 : scan->at[1]);
    const char *const known = letter == 0 ? NULL : strchr(letters, letter);
    uint32_t code;
    if (known == NULL && letter != 'u')
        return api_fault(scan, scan->at + 1, NULL, "one of \" \\ / b f n r t u behind a backslash");
    scan->at += 2;
    if (known != NULL)
        code = (unsigned char)meanings[known - letters];
    else if (!read_units(scan, &code))
        return false;
    append_character(scan, code);
    return true;
}

/* Past bytes that stand for themselves. */
static const char *skip_plain(const char *at, const char *end)
{
    while (at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\') {
        const size_t size = (unsigned char)*at < 0x80 ? 1 : api_utf8_size(at, end);
        if (size == 0)
            break;
        at += size;
    }
    return at;
}

/* What ends a run of plain bytes and is neither quote nor backslash. */
static bool fault_in_string(api_scan *scan)
{
    const bool control = scan->at < scan->end && (unsigned char)*scan->at < 0x20;
    return api_fault(scan, scan->at, NULL,
                     scan->at == scan->end ? "'\"' to end the string"
                     : control             ? "an escape: control characters cannot stand in strings"
                                           : "well-formed UTF-8");
}

bool api_scan_string(api_scan *scan)
{
    scan->string_size = 0;
    ++scan->at;
    for (;;) {
        const char *const run = scan->at;
        scan->at = skip_plain(run, scan->end);
        append(scan, run, (size_t)(scan->at - run));
        if (scan->at == scan->end || (*scan->at != '"' && *scan->at != '\\'))
            return fault_in_string(scan);
        if (*scan->at == '"')
            break;
        if (!scan_escape(scan))
            return false;
    }
    ++scan->at;
    if (scan->string_size > API_MAX_STRING)
        api_refuse_here(scan, 413, "a string of %zu bytes, more than %d", scan->string_size,
                        API_MAX_STRING);
    else
        scan->string[scan->string_size] = '\0';
    return true;
}
