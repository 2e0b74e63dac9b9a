/* The log: one JSON object per line on standard error, written by a thread of its own. Nobody who
 * logs ever waits: a line that finds no room is dropped and counted.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    SERVER_LOG_INFO,
    SERVER_LOG_WARNING,
    SERVER_LOG_ERROR,
    SERVER_LOG_OFF,
} server_log_level;

/* What is told of one request. Times in nanoseconds. */
typedef struct {
    const char *request_id, *client, *method, *path, *operation;
    int status;
    int64_t parse, queue, compute, write, total;
    size_t bytes_in, bytes_out;
} server_log_entry;

/* Starts the writer; `level` is one of info, warning, error, off. */
bool server_log_start(const char *level);

/* Gives the writer up to a second to write what is left. */
void server_log_stop(void);

/* Something that happened to the daemon itself. */
void server_log_event(server_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A request that has ended. Status 500 and above is level error. */
void server_log_request(const server_log_entry *entry);

uint64_t server_log_dropped(void);

#endif
