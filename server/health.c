/* layerd healthcheck: a container's health command that needs no other program.
 * SPDX-License-Identifier: MIT */
#include "health.h"

#include "channel.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 512 };

/* Who is asked, and for what. */
typedef struct {
    bool tls;
    char name[TEXT_SIZE], parts[TEXT_SIZE]; /* the address, whole and cut up */
    server_address address;
    char path[TEXT_SIZE];
} target;

/* The status of the reply, or 0. */
static int ask(server_channel *channel, const target *of)
{
    char text[3 * TEXT_SIZE];
    const int size =
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                 of->path, of->address.host != NULL ? of->address.host : "localhost");
    if (server_channel_send(channel, text, (size_t)size) != size)
        return 0;
    size_t received = 0;
    while (received < sizeof "HTTP/1.1 200" - 1) {
        const ssize_t part =
            server_channel_receive(channel, text + received, sizeof text - 1 - received);
        if (part <= 0)
            return 0;
        received += (size_t)part;
    }
    text[received] = '\0';
    return strncmp(text, "HTTP/1.", 7) == 0 ? (int)strtol(text + 9, NULL, 10) : 0;
}

static int check(const target *of)
{
    server_channel channel;
    const char *const wrong = server_channel_open(&channel, &of->address, of->tls);
    const int answer = wrong == NULL ? ask(&channel, of) : 0;
    server_channel_close(&channel);
    if (wrong != NULL)
        fprintf(stderr, "layerd: %s: %s\n", of->name, wrong);
    else if (answer != 200)
        fprintf(stderr, "layerd: %s: %s: %s %d\n", of->name, of->path,
                answer == 0 ? "no answer, status" : "status", answer);
    return answer == 200 ? 0 : 1;
}

static bool begins(const char *text, const char *with, const char **rest)
{
    const size_t size = strlen(with);
    if (strncmp(text, with, size) != 0)
        return false;
    *rest = text + size;
    return true;
}

/* Who listens everywhere listens here. */
static const char *reachable(const char *host)
{
    if (host == NULL || strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

/* Of a URL, or of the address that the daemon of these options listens on first. */
static bool find(target *found, const server_options *options, const char *url)
{
    const char *text = url != NULL ? url : options->listen, *path = "/v2/health/ready";
    size_t size = strcspn(text, ",");
    found->tls = options->tls_certificate[0] != '\0';
    if (url != NULL && strncmp(url, "unix:", 5) != 0) {
        found->tls = begins(url, "https://", &text);
        if (!found->tls && !begins(url, "http://", &text))
            return false;
        size = strcspn(text, "/");
        if (text[size] == '/' && text[size + 1] != '\0')
            path = text + size;
    }
    if (strlen(path) >= TEXT_SIZE || size >= TEXT_SIZE)
        return false;
    snprintf(found->path, TEXT_SIZE, "%s", path);
    snprintf(found->name, TEXT_SIZE, "%.*s", (int)size, text);
    snprintf(found->parts, TEXT_SIZE, "%s", found->name);
    return server_address_read(&found->address, found->parts);
}

int server_healthcheck(const server_options *options, const char *url)
{
    target found;
    if (!find(&found, options, url)) {
        fprintf(
            stderr,
            "layerd: '%s': expected http://HOST:PORT/PATH, https://HOST:PORT/PATH or unix:PATH\n",
            url != NULL ? url : options->listen);
        return 1;
    }
    found.address.host = reachable(found.address.host);
    return check(&found);
}
