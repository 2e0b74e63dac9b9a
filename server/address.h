/* Addresses as options and commands have them: HOST:PORT, [IPV6]:PORT, unix:PATH.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct {
    const char *path;        /* of a unix socket, or NULL */
    const char *host, *port; /* an empty HOST is NULL: any address */
} server_address;

/* Cuts `text` up; the parts lie in it. False: it is no address. */
bool server_address_read(server_address *address, char *text);

/* False: the path is too long. */
bool server_address_unix(struct sockaddr_un *address, const char *path);

#endif
