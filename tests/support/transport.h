/* What carries HTTP between the tests and their daemons: TCP, or with TRANSPORT=tls in the
 * environment TLS, with TRANSPORT=unix unix sockets.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_TRANSPORT_H
#define SUPPORT_TRANSPORT_H

#include <stdbool.h>

bool transport_is_tls(void);

/* Variables for the next daemon, "NAME=value" each, NULL at the end. */
const char *const *transport_environment(void);

/* The certificate that clients trust. */
const char *transport_authority(void);

#endif
