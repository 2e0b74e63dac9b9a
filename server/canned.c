/* Whole replies sent straight to a socket.
 * SPDX-License-Identifier: MIT */
#include "canned.h"

#include "tls.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { REPLY_SIZE = 2048 };

static const struct {
    int status;
    const char *headers, *body;
} replies[] = {
    [SERVER_CANNED_TOO_MANY] = {503, "Retry-After: 1\r\n",
                                SERVER_PROBLEM(503, "Service Unavailable",
                                               "too many connections to this server")},
    [SERVER_CANNED_ADDRESS] = {429, "Retry-After: 1\r\n",
                               SERVER_PROBLEM(429, "Too Many Requests",
                                              "too many connections from this address")},
    [SERVER_CANNED_TIMEOUT] = {408, "",
                               SERVER_PROBLEM(408, "Request Timeout",
                                              "the request did not arrive in time")},
};

static void send_plain(int descriptor, const char *text, size_t size)
{
    (void)!send(descriptor, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Its size, or 0 if there is no room for it. */
static size_t write_reply(char reply[REPLY_SIZE], int status, const char *headers, const char *body,
                          size_t body_size)
{
    const int size = snprintf(reply, REPLY_SIZE,
                              "HTTP/1.1 %d %s\r\nContent-Type: " SERVER_PROBLEM_TYPE
                              "\r\nContent-Length: %zu\r\n"
                              "%sConnection: close\r\n\r\n%.*s",
                              status, MHD_get_reason_phrase_for((unsigned)status), body_size,
                              headers, (int)body_size, body);
    return size < REPLY_SIZE ? (size_t)size : 0;
}

void server_send_raw(struct MHD_Connection *connection, int status, const char *headers,
                     const char *body, size_t body_size)
{
    char reply[REPLY_SIZE];
    const size_t size = write_reply(reply, status, headers, body, body_size);
    if (server_tls_enabled())
        gnutls_record_send(
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session,
            reply, size);
    else
        send_plain(
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
            reply, size);
}

void server_send_canned(int descriptor, server_canned which)
{
    char reply[REPLY_SIZE];
    const char *const body = replies[which].body;
    const size_t size =
        write_reply(reply, replies[which].status, replies[which].headers, body, strlen(body));
    if (!server_tls_enabled())
        send_plain(descriptor, reply, size);
}
