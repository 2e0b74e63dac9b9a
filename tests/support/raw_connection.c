/* A connection whose bytes a test writes by hand.
 * SPDX-License-Identifier: MIT */
#include "support/raw_connection.h"

#include "support/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CEILING_SECONDS = 300 };

static int connect_to(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int descriptor = -1;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return -1;
    for (const struct addrinfo *at = found; at != NULL && descriptor < 0; at = at->ai_next) {
        descriptor = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (descriptor >= 0 && connect(descriptor, at->ai_addr, at->ai_addrlen) != 0) {
            close(descriptor);
            descriptor = -1;
        }
    }
    freeaddrinfo(found);
    return descriptor;
}

static raw_connection open_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    strcpy(address.sun_path, path);
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0)
        fail_msg("cannot connect to %s", path);
    return (raw_connection){.descriptor = descriptor};
}

static raw_connection open_url(const char *url)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLU *const parts = curl_url();
    curl_url_set(parts, CURLUPART_URL, url, 0);
    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    curl_url_get(parts, CURLUPART_HOST, &host, 0);
    curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    raw_connection connection = {.descriptor = connect_to(host, port)};
    const bool secret = strcmp(scheme, "https") == 0;
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    if (connection.descriptor < 0)
        fail_msg("cannot connect to %s", url);
    if (secret)
        connection.tls = raw_tls_open(connection.descriptor);
    return connection;
}

raw_connection raw_open(const char *url)
{
    const bool is_unix = strncmp(url, "unix:", 5) == 0;
    const raw_connection connection = is_unix ? open_path(url + 5) : open_url(url);
    const struct timeval ceiling = {.tv_sec = CEILING_SECONDS};
    setsockopt(connection.descriptor, SOL_SOCKET, SO_RCVTIMEO, &ceiling, sizeof ceiling);
    setsockopt(connection.descriptor, SOL_SOCKET, SO_SNDTIMEO, &ceiling, sizeof ceiling);
    return connection;
}

static void drop(raw_connection *connection, bool goodbye)
{
    if (connection->tls != NULL)
        raw_tls_close(connection->tls, goodbye);
    close(connection->descriptor);
    free(connection->received);
    *connection = (raw_connection){.descriptor = -1};
}

void raw_close(raw_connection *connection)
{
    drop(connection, true);
}

void raw_abort(raw_connection *connection)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection->descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    drop(connection, false);
}

bool raw_send(raw_connection *connection, const void *data, size_t size)
{
    if (connection->tls != NULL)
        return raw_tls_send(connection->tls, data, size);
    for (size_t sent = 0; sent < size;) {
        const ssize_t step = TEMP_FAILURE_RETRY(
            send(connection->descriptor, (const char *)data + sent, size - sent, MSG_NOSIGNAL));
        if (step <= 0)
            return false;
        sent += (size_t)step;
    }
    return true;
}

bool raw_write(raw_connection *connection, const char *text)
{
    return raw_send(connection, text, strlen(text));
}

bool raw_post(raw_connection *connection, const char *path, const char *json)
{
    char head[512];
    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n",
             path, strlen(json));
    return raw_write(connection, head) && raw_write(connection, json);
}

/* A process that was stopped and goes on finds the calls interrupted that have a ceiling. */
static ssize_t receive(raw_connection *connection, void *room, size_t size, bool wait)
{
    if (connection->tls != NULL)
        return raw_tls_receive(connection->tls, room, size, wait);
    return TEMP_FAILURE_RETRY(recv(connection->descriptor, room, size, wait ? 0 : MSG_DONTWAIT));
}

/* Reads some more; false at the end, an error or the ceiling. */
static bool read_more(raw_connection *connection)
{
    char block[16384];
    const ssize_t count = receive(connection, block, sizeof block, true);
    if (count <= 0)
        return false;
    text_append(&connection->received, &connection->received_size, block, (size_t)count);
    return true;
}

static void drop_received(raw_connection *connection, size_t size)
{
    connection->received_size -= size;
    memmove(connection->received, connection->received + size, connection->received_size);
    connection->received[connection->received_size] = '\0';
}

/* Moves the head out of the received bytes, its lines ended by NUL. */
static bool take_head(raw_connection *connection, http_reply *reply)
{
    const char *end = NULL;
    while (connection->received == NULL || (end = strstr(connection->received, "\r\n\r\n")) == NULL)
        if (!read_more(connection))
            return false;
    const size_t size = (size_t)(end - connection->received) + 4;
    reply->head_size = 0;
    for (size_t begin = 0; begin + 2 < size;) {
        const size_t length = strcspn(connection->received + begin, "\r");
        text_append(&reply->head, &reply->head_size, connection->received + begin, length);
        text_append(&reply->head, &reply->head_size, "", 1);
        begin += length + 2;
    }
    drop_received(connection, size);
    reply->status = strncmp(reply->head, "HTTP/1.", 7) == 0 ? strtol(reply->head + 9, NULL, 10) : 0;
    return true;
}

http_reply raw_receive(raw_connection *connection)
{
    http_reply reply = {.result = CURLE_GOT_NOTHING};
    do {
        if (!take_head(connection, &reply)) {
            reply.status = 0;
            text_append(&reply.head, &reply.head_size, "", 0);
            text_append(&reply.body, &reply.body_size, "", 0);
            return reply;
        }
        reply.continues += reply.status == 100;
    } while (reply.status == 100);
    const char *const length = http_header(&reply, "Content-Length");
    const size_t size = length == NULL ? 0 : strtoul(length, NULL, 10);
    reply.result = CURLE_OK;
    while (connection->received_size < size && reply.result == CURLE_OK)
        reply.result = read_more(connection) ? CURLE_OK : CURLE_PARTIAL_FILE;
    const size_t got = connection->received_size < size ? connection->received_size : size;
    text_append(&reply.body, &reply.body_size, got > 0 ? connection->received : "", got);
    if (got > 0)
        drop_received(connection, got);
    return reply;
}

bool raw_ended(raw_connection *connection)
{
    char byte;
    if (connection->received_size > 0)
        return false;
    const ssize_t count = receive(connection, &byte, 1, true);
    return count == 0 || (count < 0 && errno != EAGAIN);
}

bool raw_silent(raw_connection *connection)
{
    char byte;
    if (connection->received_size > 0)
        return false;
    const ssize_t count = receive(connection, &byte, 1, false);
    if (count > 0)
        text_append(&connection->received, &connection->received_size, &byte, 1);
    return count < 0 && errno == EAGAIN;
}

static bool is_not_silent(void *connection)
{
    return !raw_silent(connection);
}

bool raw_has_something(raw_connection *connection)
{
    return wait_until(is_not_silent, connection);
}

http_reply raw_exchange(const char *url, const char *text)
{
    raw_connection connection = raw_open(url);
    raw_write(&connection, text);
    const http_reply reply = raw_receive(&connection);
    raw_close(&connection);
    return reply;
}
