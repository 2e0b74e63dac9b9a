/* A connection whose bytes a test writes by hand: bad framing, slow senders, early leavers.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_RAW_CONNECTION_H
#define SUPPORT_RAW_CONNECTION_H

#include "support/http_client.h"
#include "support/raw_tls.h"

typedef struct {
    int descriptor;
    raw_tls *tls;   /* NULL: bytes go as they are */
    char *received; /* bytes that no reply has claimed yet */
    size_t received_size;
} raw_connection;

/* Connects to the host and port of a URL; fails the test if that is not possible. */
raw_connection raw_open(const char *url);
void raw_close(raw_connection *connection);

/* Closes with a reset: what was not delivered is lost. */
void raw_abort(raw_connection *connection);

/* False if the daemon has closed the connection. */
bool raw_send(raw_connection *connection, const void *data, size_t size);
bool raw_write(raw_connection *connection, const char *text);

/* Sends a whole request. */
bool raw_post(raw_connection *connection, const char *path, const char *json);

/* The next whole reply, by its Content-Length; an interim 100 is counted and skipped. Status 0 if
 * the connection ended first. */
http_reply raw_receive(raw_connection *connection);

/* Waits for the daemon to close; false if it sends anything more instead. */
bool raw_ended(raw_connection *connection);

/* Waits for the beginning of a reply; false if none comes. */
bool raw_has_something(raw_connection *connection);

/* True if nothing has come and the connection is still open. */
bool raw_silent(raw_connection *connection);

/* Sends `text` on a connection of its own and returns the first reply. */
http_reply raw_exchange(const char *url, const char *text);

#endif
