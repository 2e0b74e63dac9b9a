/* TLS of a raw connection.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_RAW_TLS_H
#define SUPPORT_RAW_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct raw_tls raw_tls;

/* Shakes hands over a connected socket; the certificate is believed. NULL: that failed. */
raw_tls *raw_tls_open(int descriptor);

/* Says goodbye, if wanted; the socket stays open. */
void raw_tls_close(raw_tls *tls, bool goodbye);

bool raw_tls_send(raw_tls *tls, const void *data, size_t size);

/* Like recv(); without waiting -1 also says that nothing has come. */
ssize_t raw_tls_receive(raw_tls *tls, void *room, size_t size, bool wait);

#endif
