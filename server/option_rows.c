/* The rows, and their names.
 * SPDX-License-Identifier: MIT */
#include "option_rows.h"

#include <ctype.h>
#include <string.h>

#define ROW(option_kind, option, option_preset, allowed, option_help)                              \
    {.kind = SERVER_##option_kind,                                                                 \
     .name = #option,                                                                              \
     .offset = offsetof(server_options, option),                                                   \
     .preset = option_preset,                                                                      \
     allowed,                                                                                      \
     .help = option_help},
const server_option_row server_option_rows[] = {SERVER_OPTIONS(ROW)};
#undef ROW

const size_t server_option_count = sizeof server_option_rows / sizeof server_option_rows[0];

const char *server_option_flag(const server_option_row *row, char text[SERVER_NAME_SIZE])
{
    size_t length = 0;
    for (; row->name[length] != '\0' && length < SERVER_NAME_SIZE - 1; length++)
        text[length] = row->name[length] == '_' ? '-' : row->name[length];
    text[length] = '\0';
    return text;
}

const char *server_option_variable(const server_option_row *row, char text[SERVER_NAME_SIZE])
{
    const size_t prefix = strlen(strcpy(text, "LAYERD_"));
    size_t length = 0;
    for (; row->name[length] != '\0' && prefix + length < SERVER_NAME_SIZE - 1; length++)
        text[prefix + length] = (char)toupper((unsigned char)row->name[length]);
    text[prefix + length] = '\0';
    return text;
}

const char *server_option_word(const server_option_row *row)
{
    static const char *const words[] = {"TEXT", "FILE", "SIZE", "COUNT", "MODE", "SECONDS"};
    return words[row->kind];
}

const char *server_option_allowed(const server_option_row *row, char *text, size_t size)
{
    static const char *const what[] = {"a text",
                                       "a file",
                                       "bytes (a suffix KiB, MiB or GiB is allowed)",
                                       "a whole number",
                                       "octal permissions",
                                       "seconds"};
    if (row->choices != NULL)
        snprintf(text, size, "one of %s", row->choices);
    else if (row->kind <= SERVER_FILE)
        snprintf(text, size, "%s", what[row->kind]);
    else if (row->kind == SERVER_MODE)
        snprintf(text, size, "%s from %04o to %04o", what[row->kind], (unsigned)row->minimum,
                 (unsigned)row->maximum);
    else
        snprintf(text, size, "%s from %.15g to %.15g%s", what[row->kind], row->minimum,
                 row->maximum, strcmp(row->preset, "auto") == 0 ? ", or auto" : "");
    return text;
}
