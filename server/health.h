/* The other side of readiness: a client that asks for it.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_HEALTH_H
#define SERVER_HEALTH_H

#include "options.h"

/* Asks http://HOST:PORT/PATH, or, where `url` is NULL, the readiness of the daemon that these
 * options configure. 0: it answered 200. Otherwise 1, and the reason on standard error. */
int server_healthcheck(const server_options *options, const char *url);

#endif
