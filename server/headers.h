/* The headers of a request that the daemon reads.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_HEADERS_H
#define SERVER_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

/* ROW(field, name) */
#define SERVER_HEADERS(ROW)                                                                        \
    ROW(host, "Host")                                                                              \
    ROW(authorization, "Authorization")                                                            \
    ROW(content_encoding, "Content-Encoding")                                                      \
    ROW(content_length, "Content-Length")                                                          \
    ROW(content_type, "Content-Type")                                                              \
    ROW(transfer_encoding, "Transfer-Encoding")                                                    \
    ROW(json_length, "Inference-Header-Content-Length")                                            \
    ROW(origin, "Origin")                                                                          \
    ROW(request_id, "X-Request-Id")                                                                \
    ROW(request_timeout, "X-Request-Timeout")

#define SERVER_HEADER_FIELD(field, name) const char *field;
typedef struct {
    size_t lines, size;                 /* of all headers */
    bool malformed;                     /* one has a bad name, or control characters */
    const char *repeated;               /* the name of one of these that came twice, or NULL */
    SERVER_HEADERS(SERVER_HEADER_FIELD) /* the value; NULL without the header */
} server_headers;
#undef SERVER_HEADER_FIELD

/* The texts are libmicrohttpd's, and stay as long as the request. */
server_headers server_headers_read(struct MHD_Connection *connection);

#endif
