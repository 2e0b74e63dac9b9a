/* The rows of SERVER_OPTIONS as data: what reads, prints and describes options goes through them.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_OPTION_ROWS_H
#define SERVER_OPTION_ROWS_H

#include "options.h"

typedef enum {
    SERVER_TEXT,
    SERVER_FILE,
    SERVER_SIZE,
    SERVER_COUNT,
    SERVER_MODE,
    SERVER_SECONDS,
} server_option_kind;

typedef struct {
    server_option_kind kind;
    const char *name; /* max_body */
    size_t offset;    /* in server_options */
    const char *preset;
    double minimum, maximum;
    const char *choices; /* "info|error|off" or NULL: any text */
    const char *help;
} server_option_row;

extern const server_option_row server_option_rows[];
extern const size_t server_option_count;

enum { SERVER_NAME_SIZE = 64 };

/* "max_body" as "max-body", or as "LAYERD_MAX_BODY". */
const char *server_option_flag(const server_option_row *row, char text[SERVER_NAME_SIZE]);
const char *server_option_variable(const server_option_row *row, char text[SERVER_NAME_SIZE]);

/* What stands for its value: "SIZE". */
const char *server_option_word(const server_option_row *row);

/* What is allowed: "seconds from 0.01 to 86400". */
const char *server_option_allowed(const server_option_row *row, char *text, size_t size);

#endif
