/* The path that a request asks for (RFC 9112, section 3.2; RFC 3986, section 6.2.2).
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_TARGET_H
#define SERVER_TARGET_H

#include <stddef.h>

/* Writes the path of a target to `room`, cut if it is longer: without the authority that a proxy
 * may be sent, and with letters, digits and -._~ as they are if they came percent-encoded. All else
 * stays, dots too: no path of ours has any. Returns what is wrong with it, or NULL. */
const char *server_target_read(char *room, size_t size, const char *target);

#endif
