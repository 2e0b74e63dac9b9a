/* Builds short texts.
 * SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdbool.h>
#include <string.h>

server_text server_text_begin(char *room, size_t size)
{
    room[0] = '\0';
    return (server_text){room, room + size - 1};
}

static void add_bytes(server_text *text, const char *bytes, size_t size)
{
    const size_t room = (size_t)(text->end - text->at);
    const size_t fitting = size < room ? size : room;
    memcpy(text->at, bytes, fitting);
    text->at += fitting;
    *text->at = '\0';
}

void server_text_add(server_text *text, const char *string)
{
    add_bytes(text, string, strlen(string));
}

void server_text_padded(server_text *text, uint64_t number, int digits)
{
    char room[24];
    char *at = room + sizeof room;
    for (int i = 0; i < digits || number > 0; i++, number /= 10)
        *--at = (char)('0' + number % 10);
    add_bytes(text, at, (size_t)(room + sizeof room - at));
}

void server_text_number(server_text *text, uint64_t number)
{
    server_text_padded(text, number, 1);
}

void server_text_milliseconds(server_text *text, int64_t nanoseconds)
{
    const uint64_t microseconds = (uint64_t)nanoseconds / 1000;
    server_text_number(text, microseconds / 1000);
    server_text_add(text, ".");
    server_text_padded(text, microseconds % 1000, 3);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

void server_text_escaped(server_text *text, const char *string)
{
    static const char digits[] = "0123456789abcdef";
    while (*string != '\0') {
        size_t plain = 0;
        while (is_plain((unsigned char)string[plain]))
            plain++;
        add_bytes(text, string, plain);
        string += plain;
        const unsigned char byte = (unsigned char)*string;
        if (byte == '\0')
            return;
        const char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
        if (byte == '"' || byte == '\\')
            add_bytes(text, (const char[]){'\\', (char)byte}, 2);
        else
            add_bytes(text, escape, sizeof escape);
        string++;
    }
}
