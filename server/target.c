/* Reads targets.
 * SPDX-License-Identifier: MIT */
#include "target.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool begins(const char *text, const char *with)
{
    return strncasecmp(text, with, strlen(with)) == 0;
}

/* "http://host/v1/conv" is "/v1/conv". */
static const char *skip_authority(const char *target)
{
    if (!begins(target, "http://") && !begins(target, "https://"))
        return target;
    const char *const path = strchr(strchr(target, ':') + 3, '/');
    return path != NULL ? path : "/";
}

static int digit(char letter)
{
    static const char digits[] = "0123456789abcdef";
    const char *const at = strchr(digits, tolower((unsigned char)letter));
    return letter != '\0' && at != NULL ? (int)(at - digits) : -1;
}

/* The byte that "%2E" stands for, or -1. */
static int escaped(const char *text)
{
    const int high = digit(text[1]), low = high < 0 ? -1 : digit(text[2]);
    return low < 0 ? -1 : high << 4 | low;
}

static bool is_unreserved(int byte)
{
    return byte < 0x80 && (isalnum(byte) || (byte != 0 && strchr("-._~", byte) != NULL));
}

const char *server_target_read(char *room, size_t size, const char *target)
{
    const char *wrong = NULL;
    size_t length = 0;
    for (const char *at = skip_authority(target); *at != '\0'; at++) {
        char byte = *at;
        const int code = byte == '%' ? escaped(at) : 0;
        if (byte <= 0x20 || byte == 0x7f)
            wrong = "the request target has bytes that must be percent-encoded";
        else if (code < 0)
            wrong = "the request target has a % without two hexadecimal digits";
        else if (code > 0 && is_unreserved(code)) {
            byte = (char)code;
            at += 2;
        }
        if (length + 1 < size)
            room[length++] = byte;
    }
    room[length] = '\0';
    return wrong;
}
