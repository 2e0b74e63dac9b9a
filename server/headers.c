/* Looks for the headers that the daemon reads, and at the form of all.
 * SPDX-License-Identifier: MIT */
#include "headers.h"

#include <ctype.h>
#include <microhttpd.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    size_t size, offset;
} rows[] = {
#define ROW(field, name) {name, sizeof name - 1, offsetof(server_headers, field)},
    SERVER_HEADERS(ROW)
#undef ROW
};

static bool is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("!#$%&'*+-.^_`|~", text[i]) == NULL)
            return false;
    return size > 0;
}

static bool is_clean(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)text[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

static void note(server_headers *seen, const char *name, size_t name_size, const char *value)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].size != name_size || strncasecmp(rows[i].name, name, name_size) != 0)
            continue;
        const char **const field = (const char **)(void *)((char *)seen + rows[i].offset);
        if (*field != NULL)
            seen->repeated = rows[i].name;
        *field = value;
        return;
    }
}

static enum MHD_Result visit(void *argument, enum MHD_ValueKind kind, const char *name,
                             size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    server_headers *const seen = argument;
    seen->lines++;
    seen->size += name_size + value_size + 4;
    if (!is_token(name, name_size) || (value != NULL && !is_clean(value, value_size)))
        seen->malformed = true;
    else
        note(seen, name, name_size, value != NULL ? value : "");
    return MHD_YES;
}

server_headers server_headers_read(struct MHD_Connection *connection)
{
    server_headers seen = {0};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, visit, &seen);
    return seen;
}
