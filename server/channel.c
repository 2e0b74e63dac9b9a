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
static int connect_to(const struct sockaddr *address, socklen_t size)
{
    const struct timeval limit = {.tv_sec = TIMEOUT_SECONDS};
    const int descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(descriptor, address, size) == 0)
        return descriptor;
    const int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static const char *connect_to_path(server_channel *channel, const char *path)
{
    struct sockaddr_un address;
    errno = ENAMETOOLONG;
    if (server_address_unix(&address, path))
        channel->descriptor = connect_to((const struct sockaddr *)&address, sizeof address);
    return channel->descriptor < 0 ? strerror(errno) : NULL;
}

static const char *connect_to_name(server_channel *channel, const char *host, const char *port)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    const int status = getaddrinfo(host, port, &wanted, &addresses);
    if (status != 0)
        return gai_strerror(status);
    for (const struct addrinfo *at = addresses; at != NULL && channel->descriptor < 0;
         at = at->ai_next)
        channel->descriptor = connect_to(at->ai_addr, at->ai_addrlen);
    const int error = errno;
    freeaddrinfo(addresses);
    return channel->descriptor < 0 ? strerror(error) : NULL;
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
    do
        status = gnutls_handshake(channel->session);
    while (status == GNUTLS_E_INTERRUPTED);
    return status == 0 ? NULL : gnutls_strerror(status);
}

const char *server_channel_open(server_channel *channel, const server_address *address, bool tls)
{
    *channel = (server_channel){.descriptor = -1};
    const char *const wrong = address->path != NULL
                                  ? connect_to_path(channel, address->path)
                                  : connect_to_name(channel, address->host, address->port);
    return wrong == NULL && tls ? shake_hands(channel) : wrong;
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

/* A process that was stopped and goes on finds its calls interrupted. */
ssize_t server_channel_send(server_channel *channel, const void *data, size_t size)
{
    if (channel->session == NULL)
        return TEMP_FAILURE_RETRY(send(channel->descriptor, data, size, MSG_NOSIGNAL));
    ssize_t sent;
    do
        sent = gnutls_record_send(channel->session, data, size);
    while (sent == GNUTLS_E_INTERRUPTED);
    return sent;
}

ssize_t server_channel_receive(server_channel *channel, void *room, size_t size)
{
    if (channel->session == NULL)
        return TEMP_FAILURE_RETRY(recv(channel->descriptor, room, size, 0));
    ssize_t received;
    do
        received = gnutls_record_recv(channel->session, room, size);
    while (received == GNUTLS_E_INTERRUPTED);
    return received;
}
