/* TLS by GnuTLS, as libmicrohttpd has it: the daemon's certificate and key.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "options.h"

#include <gnutls/abstract.h>
#include <time.h>

/* Reads certificate and key; without them there is no TLS. False: the reason is on standard
 * error. */
bool server_tls_start(const server_options *options);
void server_tls_stop(void);

/* Reads them again, for the handshakes to come. They stay as they were unless both are good and
 * fit together; the log says which. */
void server_tls_reload(void);

bool server_tls_enabled(void);

/* When the certificate ends. */
time_t server_tls_expiry(void);

/* For MHD_OPTION_HTTPS_CERT_CALLBACK. */
gnutls_certificate_retrieve_function2 server_tls_certificate;

#endif
