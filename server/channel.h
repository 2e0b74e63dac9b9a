/* A connection to a daemon, as its own health check makes it.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_CHANNEL_H
#define SERVER_CHANNEL_H

#include "address.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct {
    int descriptor;
    gnutls_session_t session; /* NULL: no TLS */
    gnutls_certificate_credentials_t credentials;
} server_channel;

/* Connects; with TLS the certificate is not looked at. Returns NULL, or what went wrong. */
const char *server_channel_open(server_channel *channel, const server_address *address, bool tls);
void server_channel_close(server_channel *channel);

/* Like send() and recv(). */
ssize_t server_channel_send(server_channel *channel, const void *data, size_t size);
ssize_t server_channel_receive(server_channel *channel, void *room, size_t size);

#endif
