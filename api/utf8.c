/* UTF-8, checked and written.
 * SPDX-License-Identifier: MIT */
#include "utf8.h"

#include <stdbool.h>

static bool is_between(char byte, unsigned lowest, unsigned highest)
{
    return (unsigned char)byte >= lowest && (unsigned char)byte <= highest;
}

/* Only the second byte's range depends on the first: it keeps out what another form would say. */
static bool is_second(unsigned char first, char second)
{
    switch (first) {
    case 0xE0:
        return is_between(second, 0xA0, 0xBF);
    case 0xED:
        return is_between(second, 0x80, 0x9F);
    case 0xF0:
        return is_between(second, 0x90, 0xBF);
    case 0xF4:
        return is_between(second, 0x80, 0x8F);
    default:
        return is_between(second, 0x80, 0xBF);
    }
}

static size_t announced_size(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

size_t api_utf8_size(const char *text, const char *end)
{
    if (text == end)
        return 0;
    const unsigned char first = (unsigned char)*text;
    const size_t size = announced_size(first);
    if (size > (size_t)(end - text))
        return 0;
    if (size > 1 && !is_second(first, text[1]))
        return 0;
    for (size_t index = 2; index < size; ++index)
        if (!is_between(text[index], 0x80, 0xBF))
            return 0;
    return size;
}

char *api_utf8_write(char *text, uint32_t code)
{
    if (code < 0x80) {
        *text++ = (char)code;
        return text;
    }
    if (code < 0x800) {
        *text++ = (char)(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *text++ = (char)(0xE0 | code >> 12);
        } else {
            *text++ = (char)(0xF0 | code >> 18);
            *text++ = (char)(0x80 | (code >> 12 & 0x3F));
        }
        *text++ = (char)(0x80 | (code >> 6 & 0x3F));
    }
    *text++ = (char)(0x80 | (code & 0x3F));
    return text;
}
