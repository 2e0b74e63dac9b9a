/* layerd healthcheck: a container's health command that needs no other program.
 * SPDX-License-Identifier: MIT */
#include "health.h"

#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEXT_SIZE = 512, TIMEOUT_SECONDS = 3 };

/* Connected, or -1 and errno. */
static int connect_to(const struct addrinfo *addresses)
{
    const struct timeval limit = {.tv_sec = TIMEOUT_SECONDS};
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
        const int descriptor = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (connect(descriptor, at->ai_addr, at->ai_addrlen) == 0)
            return descriptor;
        const int error = errno;
        close(descriptor);
        errno = error;
    }
    return -1;
}

/* The status of the reply, or 0. */
static int ask(int descriptor, const char *host, const char *path)
{
    char text[2 * TEXT_SIZE];
    const int size = snprintf(
        text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
    if (send(descriptor, text, (size_t)size, MSG_NOSIGNAL) != size)
        return 0;
    size_t received = 0;
    while (received < sizeof "HTTP/1.1 200" - 1) {
        const ssize_t part = recv(descriptor, text + received, sizeof text - 1 - received, 0);
        if (part <= 0)
            return 0;
        received += (size_t)part;
    }
    text[received] = '\0';
    return strncmp(text, "HTTP/1.", 7) == 0 ? (int)strtol(text + 9, NULL, 10) : 0;
}

static int check(const char *host, const char *port, const char *path)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    const int status = getaddrinfo(host, port, &wanted, &addresses);
    if (status != 0) {
        fprintf(stderr, "layerd: %s:%s: %s\n", host, port, gai_strerror(status));
        return 1;
    }
    const int descriptor = connect_to(addresses);
    freeaddrinfo(addresses);
    if (descriptor < 0) {
        fprintf(stderr, "layerd: %s:%s: %s\n", host, port, strerror(errno));
        return 1;
    }
    const int answer = ask(descriptor, host, path);
    close(descriptor);
    if (answer == 200)
        return 0;
    fprintf(stderr, "layerd: %s:%s%s: %s %d\n", host, port, path,
            answer == 0 ? "no answer, status" : "status", answer);
    return 1;
}

int server_healthcheck(const server_options *options, const char *url)
{
    char address[TEXT_SIZE];
    const char *path = "/v2/health/ready", *host = NULL, *port = NULL;
    const bool is_http = url != NULL && strncmp(url, "http://", 7) == 0;
    const char *const text = is_http ? url + 7 : options->listen;
    const char *const end = text + strcspn(text, url != NULL ? "/" : ",");
    snprintf(address, sizeof address, "%.*s", (int)(end - text), text);
    if (url != NULL && end[0] == '/' && end[1] != '\0')
        path = end;
    if ((url != NULL && !is_http) || strlen(path) >= TEXT_SIZE ||
        !server_split_address(address, &host, &port)) {
        fprintf(stderr, "layerd: '%s': expected http://HOST:PORT or http://HOST:PORT/PATH\n",
                url != NULL ? url : options->listen);
        return 1;
    }
    /* Who listens everywhere listens here. */
    if (host == NULL || strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "::") == 0)
        host = "::1";
    return check(host, port, path);
}
