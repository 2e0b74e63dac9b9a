/* libmicrohttpd's daemon and its handler.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include "options.h"

#include <stdbool.h>
#include <sys/socket.h>

bool server_http_start(const server_options *options);

/* Every connection must have been resumed. */
void server_http_stop(void);

/* Hands over a registered socket, to be closed there in any case. False: it is closed. */
bool server_http_add(int descriptor, const struct sockaddr_storage *address, socklen_t size);

#endif
