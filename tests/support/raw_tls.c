/* TLS of a raw connection.
 * SPDX-License-Identifier: MIT */
#include "support/raw_tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct raw_tls {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    int descriptor;
    bool wait;
};

static ssize_t pull(gnutls_transport_ptr_t context, void *room, size_t size)
{
    const raw_tls *const tls = context;
    return TEMP_FAILURE_RETRY(recv(tls->descriptor, room, size, tls->wait ? 0 : MSG_DONTWAIT));
}

static ssize_t push(gnutls_transport_ptr_t context, const void *data, size_t size)
{
    const raw_tls *const tls = context;
    return TEMP_FAILURE_RETRY(send(tls->descriptor, data, size, MSG_NOSIGNAL));
}

static int pull_timeout(gnutls_transport_ptr_t context, unsigned milliseconds)
{
    (void)context;
    (void)milliseconds;
    return 1;
}

raw_tls *raw_tls_open(int descriptor)
{
    raw_tls *const tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        abort();
    *tls = (raw_tls){.descriptor = descriptor, .wait = true};
    gnutls_init(&tls->session, GNUTLS_CLIENT);
    gnutls_certificate_allocate_credentials(&tls->credentials);
    gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, tls->credentials);
    gnutls_set_default_priority(tls->session);
    gnutls_transport_set_ptr(tls->session, tls);
    gnutls_transport_set_pull_function(tls->session, pull);
    gnutls_transport_set_push_function(tls->session, push);
    gnutls_transport_set_pull_timeout_function(tls->session, pull_timeout);
    int status;
    do
        status = gnutls_handshake(tls->session);
    while (status < 0 && !gnutls_error_is_fatal(status));
    if (status == 0)
        return tls;
    raw_tls_close(tls, false);
    return NULL;
}

void raw_tls_close(raw_tls *tls, bool goodbye)
{
    if (goodbye)
        gnutls_bye(tls->session, GNUTLS_SHUT_WR);
    gnutls_deinit(tls->session);
    gnutls_certificate_free_credentials(tls->credentials);
    free(tls);
}

bool raw_tls_send(raw_tls *tls, const void *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        const ssize_t step =
            gnutls_record_send(tls->session, (const char *)data + sent, size - sent);
        if (step <= 0)
            return false;
        sent += (size_t)step;
    }
    return true;
}

/* What is not for the application, such as tickets, counts as an interruption. */
ssize_t raw_tls_receive(raw_tls *tls, void *room, size_t size, bool wait)
{
    ssize_t count;
    tls->wait = wait;
    do
        count = gnutls_record_recv(tls->session, room, size);
    while (wait && (count == GNUTLS_E_AGAIN || count == GNUTLS_E_INTERRUPTED));
    tls->wait = true;
    errno = count == GNUTLS_E_AGAIN || count == GNUTLS_E_INTERRUPTED ? EAGAIN : ECONNRESET;
    return count < 0 ? -1 : count;
}
