/* The options: one row each, from which the flag, the environment variable, the line of --help and
 * of --print-config, the manual page and completion come.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SERVER_RANGE(least, most) .minimum = (least), .maximum = (most)
#define SERVER_ONE_OF(words)      .choices = (words)
#define SERVER_ANY                .choices = NULL

/* ROW(kind, name, default, what is allowed, help); a field `max_body` is --max-body and
 * LAYERD_MAX_BODY. "auto" is decided by server_options_resolve(). */
#define SERVER_OPTIONS(ROW)                                                                        \
    ROW(TEXT, listen, "127.0.0.1:8080", SERVER_ANY,                                                \
        "where to listen: HOST:PORT or unix:PATH, several with commas; port 0 takes a free one")   \
    ROW(MODE, socket_mode, "0660", SERVER_RANGE(0, 0777),                                          \
        "permissions of the files of unix sockets")                                                \
    ROW(COUNT, io_threads, "auto", SERVER_RANGE(1, 32),                                            \
        "threads that serve connections; auto: the processors, at most 4")                         \
    ROW(COUNT, workers, "auto", SERVER_RANGE(1, 63),                                               \
        "threads that compute; auto: the processors; with the I/O threads at most 64")             \
    ROW(TEXT, isa, "auto", SERVER_ONE_OF("auto|baseline|avx2|avx512"),                             \
        "instructions that compute; auto: the best that the processor has")                        \
    ROW(SIZE, max_body, "64MiB", SERVER_RANGE(1024, 1e12), "longest body of a request")            \
    ROW(SIZE, max_json, "32MiB", SERVER_RANGE(1024, 1e12), "longest JSON text of a request")       \
    ROW(COUNT, max_elements, "16777216", SERVER_RANGE(1, 2147483647), "most elements of a tensor") \
    ROW(COUNT, max_axis, "65536", SERVER_RANGE(1, 16777216), "longest axis of a tensor")           \
    ROW(COUNT, max_multiplications, "1e11", SERVER_RANGE(1, 9e15),                                 \
        "most multiplications of a request")                                                       \
    ROW(SIZE, max_memory, "auto", SERVER_RANGE(1048576, 1e15),                                     \
        "memory of all requests in flight; auto: half of the control group's limit or 1GiB")       \
    ROW(COUNT, inline_multiplications, "2e6", SERVER_RANGE(0, 9e15),                               \
        "requests up to this cost are computed without a worker")                                  \
    ROW(COUNT, queue, "64", SERVER_RANGE(1, 1e6), "requests that may wait for a worker")           \
    ROW(SECONDS, deadline, "30", SERVER_RANGE(0.001, 86400),                                       \
        "time from a request's last byte to its answer; X-Request-Timeout asks for less")          \
    ROW(COUNT, max_connections, "4096", SERVER_RANGE(1, 1e6), "connections at a time")             \
    ROW(COUNT, max_connections_per_address, "256", SERVER_RANGE(1, 1e6),                           \
        "connections at a time from one address (IPv6: from one /64)")                             \
    ROW(SIZE, max_header, "16KiB", SERVER_RANGE(1024, 24576), "longest head of a request")         \
    ROW(SECONDS, head_timeout, "10", SERVER_RANGE(0.01, 86400), "time for a request's head")       \
    ROW(SECONDS, body_timeout, "30", SERVER_RANGE(0.01, 86400),                                    \
        "time for a body or a reply, and a second more for each --min-rate bytes")                 \
    ROW(SIZE, min_rate, "16KiB", SERVER_RANGE(1, 1e12),                                            \
        "bytes that earn a second more than --body-timeout")                                       \
    ROW(SECONDS, idle_timeout, "60", SERVER_RANGE(0.01, 86400),                                    \
        "time a connection may wait for its next request")                                         \
    ROW(SECONDS, drain_delay, "5", SERVER_RANGE(0, 3600),                                          \
        "time from SIGTERM, when readiness ends, to the end of accepting")                         \
    ROW(SECONDS, drain_deadline, "30", SERVER_RANGE(0, 3600),                                      \
        "time for what is in flight when accepting has ended")                                     \
    ROW(FILE, token_file, "", SERVER_ANY,                                                          \
        "file of bearer tokens, one a line, one of which clients must show; none: all may ask")    \
    ROW(FILE, tls_certificate, "", SERVER_ANY,                                                     \
        "file of the certificate (PEM, with its chain): all connections speak TLS")                \
    ROW(FILE, tls_key, "", SERVER_ANY, "file of the certificate's key (PEM)")                      \
    ROW(TEXT, cors_origins, "", SERVER_ANY,                                                        \
        "sites whose pages may read replies: https://HOST:PORT, several with commas; or *")        \
    ROW(TEXT, log, "info", SERVER_ONE_OF("info|warning|error|off"), "the least that is logged")

#define SERVER_FIELD_TEXT    const char *
#define SERVER_FIELD_FILE    const char *
#define SERVER_FIELD_SIZE    size_t
#define SERVER_FIELD_COUNT   size_t
#define SERVER_FIELD_MODE    size_t
#define SERVER_FIELD_SECONDS double

#define SERVER_FIELD(kind, name, ...) SERVER_FIELD_##kind name;
typedef struct {
    SERVER_OPTIONS(SERVER_FIELD)
} server_options;
#undef SERVER_FIELD

typedef enum {
    SERVER_RUN,         /* serve */
    SERVER_EXIT,        /* asked for text, which is printed: exit 0 */
    SERVER_USAGE_ERROR, /* the reason is printed: exit 2 */
} server_verdict;

/* Defaults, then the environment, then the flags. */
server_verdict server_options_read(server_options *options, int argc, char **argv);

#endif
