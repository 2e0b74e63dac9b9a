/* Receives a request's body into its lease.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_BODY_H
#define SERVER_BODY_H

#include "request.h"

/* The longest body that the request may have, and which limit that is: text has one of its own. */
size_t server_body_limit(const server_request *request, server_limit *which);

void server_body_begin(server_request *request);

/* Takes the next piece. What does not fit makes the response an error, which can only be queued at
 * the body's end: up to a bound the rest is received and dropped. False: it is more than that, the
 * error was sent, and the connection must be closed. */
bool server_body_receive(server_request *request, const char *data, size_t size);

#endif
