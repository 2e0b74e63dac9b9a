/* Sockets that libmicrohttpd closes while their clients still send: closed so, the kernel would
 * reset them, and the client would lose the reply that says why.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_LINGER_H
#define SERVER_LINGER_H

#include <stdbool.h>
#include <stdint.h>

/* Keeps a socket that is about to be closed open by a descriptor of our own. */
void server_linger(int descriptor);

/* Drops what has come, and closes what has ended or lingered long enough. True: some are left. */
bool server_linger_round(int64_t now);

void server_linger_stop(void);

#endif
