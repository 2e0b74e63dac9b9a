/* Answers that need no memory: fixed problem bodies, and whole replies for sockets that
 * libmicrohttpd does not hold or is not writing to.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_CANNED_H
#define SERVER_CANNED_H

#include <stddef.h>

struct MHD_Connection;

#define SERVER_PROBLEM_TYPE "application/problem+json"

/* The body of a problem, a string literal. */
#define SERVER_PROBLEM(status, title, detail)                                                      \
    "{\"type\":\"about:blank\",\"title\":\"" title "\",\"status\":" #status                        \
    ",\"detail\":\"" detail "\",\"error\":\"" detail "\"}"

typedef enum { SERVER_CANNED_TOO_MANY, SERVER_CANNED_ADDRESS, SERVER_CANNED_TIMEOUT } server_canned;

/* Sends a whole reply past libmicrohttpd, from its handler, as far as the socket takes it at once.
 * `headers` are lines that end with CR LF. */
void server_send_raw(struct MHD_Connection *connection, int status, const char *headers,
                     const char *body, size_t body_size);

/* The same from any thread; where TLS is spoken, nothing can be said so. */
void server_send_canned(int descriptor, server_canned which);

#endif
