/* The listening sockets: of --listen, or those that systemd has opened.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_SOCKETS_H
#define SERVER_SOCKETS_H

#include "options.h"

enum { SERVER_SOCKET_LIMIT = 16 };

/* Opens them. False: the reason is on standard error. */
bool server_sockets_open(const server_options *options);

size_t server_sockets_count(void);
int server_sockets_descriptor(size_t index);

/* The first one's, with the port that it got: "http://127.0.0.1:8080" or "unix:/run/layerd.sock".
 */
const char *server_sockets_url(void);

/* True if only this machine can reach them. */
bool server_sockets_are_local(void);

/* Lets no new connection in before the socket is closed. True if those that the kernel has accepted
 * already must be taken still; those of systemd's sockets wait for the next daemon. */
bool server_sockets_end(size_t index);

#endif
