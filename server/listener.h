/* The thread that accepts from the listening sockets.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include <stdbool.h>

bool server_listener_start(void);

/* Takes what the kernel has accepted already, then closes the sockets and ends the thread. */
void server_listener_stop(void);

#endif
