/* What carries HTTP between the tests and their daemons: TCP, or TLS with TRANSPORT=tls in the
 * environment.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_TRANSPORT_H
#define SUPPORT_TRANSPORT_H

#include <stdbool.h>

bool transport_is_tls(void);

/* Variables for a daemon, "NAME=value" each, NULL at the end. */
const char *const *transport_environment(void);

/* The certificate that clients trust. */
const char *transport_authority(void);

#endif
