/* Whole replies sent straight to a socket.
 * SPDX-License-Identifier: MIT */
#include "canned.h"

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
    [SERVER_CANNED_ADDRESS] = {503, "Retry-After: 1\r\n",
                               SERVER_PROBLEM(503, "Service Unavailable",
                                              "too many connections from this address")},
    [SERVER_CANNED_TIMEOUT] = {408, "",
                               SERVER_PROBLEM(408, "Request Timeout",
                                              "the request did not arrive in time")},
};

void server_send_raw(int descriptor, int status, const char *headers, const char *body,
                     size_t body_size)
{
    char reply[REPLY_SIZE];
    const int size = snprintf(reply, sizeof reply,
                              "HTTP/1.1 %d %s\r\nContent-Type: " SERVER_PROBLEM_TYPE
                              "\r\nContent-Length: %zu\r\n"
                              "%sConnection: close\r\n\r\n%.*s",
                              status, MHD_get_reason_phrase_for((unsigned)status), body_size,
                              headers, (int)body_size, body);
    if (size < REPLY_SIZE)
        (void)!send(descriptor, reply, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void server_send_canned(int descriptor, server_canned which)
{
    server_send_raw(descriptor, replies[which].status, replies[which].headers, replies[which].body,
                    strlen(replies[which].body));
}
