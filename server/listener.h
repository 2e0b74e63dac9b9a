/* The listening sockets, and the thread that accepts from them.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include <stdbool.h>

/* Opens "HOST:PORT,[IPV6]:PORT,...". False: the reason is on standard error. */
bool server_listener_open(const char *addresses);

/* The first one's, "http://127.0.0.1:8080", with the port that it got. */
const char *server_listener_url(void);

/* True if only this machine can reach them. */
bool server_listener_is_local(void);

bool server_listener_start(void);

/* Takes what the kernel has accepted already, then closes the sockets and ends the thread. */
void server_listener_stop(void);

/* Splits "HOST:PORT" or "[HOST]:PORT" in place; an empty HOST is NULL: any address. */
bool server_split_address(char *text, const char **host, const char **port);

#endif
