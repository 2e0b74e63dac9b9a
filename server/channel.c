/* Connects and speaks TLS where that is wanted.
 * SPDX-License-Identifier: MIT */
#include "channel.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_SECONDS = 3 };

/* Connected, or -1 and errno. */
static int connect_to(const struct addrinfo *addresses)
{
    const struct timeval limit = {.tv_sec = TIMEOUT_SECONDS};
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
        const int descriptor = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (connect(descriptor, at->ai_addr, at->ai_addrlen) == 0)
            return descriptor;
        const int error = errno;
        close(descriptor);
        errno = error;
    }
    return -1;
}

static const char *shake_hands(server_channel *channel)
{
    int status = gnutls_init(&channel->session, GNUTLS_CLIENT | GNUTLS_NO_TICKETS);
    if (status == 0)
        status = gnutls_certificate_allocate_credentials(&channel->credentials);
    if (status != 0)
        return gnutls_strerror(status);
    gnutls_credentials_set(channel->session, GNUTLS_CRD_CERTIFICATE, channel->credentials);
    gnutls_set_default_priority(channel->session);
    gnutls_transport_set_int(channel->session, channel->descriptor);
    status = gnutls_handshake(channel->session);
    return status == 0 ? NULL : gnutls_strerror(status);
}

const char *server_channel_open(server_channel *channel, const char *host, const char *port,
                                bool tls)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    *channel = (server_channel){.descriptor = -1};
    const int status = getaddrinfo(host, port, &wanted, &addresses);
    if (status != 0)
        return gai_strerror(status);
    channel->descriptor = connect_to(addresses);
    const int error = errno;
    freeaddrinfo(addresses);
    if (channel->descriptor < 0)
        return strerror(error);
    return tls ? shake_hands(channel) : NULL;
}

void server_channel_close(server_channel *channel)
{
    if (channel->session != NULL)
        gnutls_deinit(channel->session);
    if (channel->credentials != NULL)
        gnutls_certificate_free_credentials(channel->credentials);
    if (channel->descriptor >= 0)
        close(channel->descriptor);
}

ssize_t server_channel_send(server_channel *channel, const void *data, size_t size)
{
    if (channel->session != NULL)
        return gnutls_record_send(channel->session, data, size);
    return send(channel->descriptor, data, size, MSG_NOSIGNAL);
}

ssize_t server_channel_receive(server_channel *channel, void *room, size_t size)
{
    if (channel->session != NULL)
        return gnutls_record_recv(channel->session, room, size);
    return recv(channel->descriptor, room, size, 0);
}
