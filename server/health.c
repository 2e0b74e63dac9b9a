/* layerd healthcheck: a container's health command that needs no other program.
 * SPDX-License-Identifier: MIT */
#include "health.h"

#include "channel.h"
#include "listener.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 512 };

/* Who is asked, and for what. */
typedef struct {
    bool tls;
    char address[TEXT_SIZE]; /* is cut up */
    const char *host, *port;
    char path[TEXT_SIZE];
} target;

/* The status of the reply, or 0. */
static int ask(server_channel *channel, const target *of)
{
    char text[3 * TEXT_SIZE];
    const int size =
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                 of->path, of->host);
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
    const char *const wrong = server_channel_open(&channel, of->host, of->port, of->tls);
    const int answer = wrong == NULL ? ask(&channel, of) : 0;
    server_channel_close(&channel);
    if (wrong != NULL)
        fprintf(stderr, "layerd: %s:%s: %s\n", of->host, of->port, wrong);
    else if (answer != 200)
        fprintf(stderr, "layerd: %s:%s%s: %s %d\n", of->host, of->port, of->path,
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
    const char *text = options->listen;
    found->tls = options->tls_certificate[0] != '\0';
    if (url != NULL) {
        found->tls = begins(url, "https://", &text);
        if (!found->tls && !begins(url, "http://", &text))
            return false;
    }
    const char *const end = text + strcspn(text, url != NULL ? "/" : ",");
    const bool has_path = url != NULL && end[0] == '/' && end[1] != '\0';
    const char *const path = has_path ? end : "/v2/health/ready";
    if (strlen(path) >= TEXT_SIZE || end - text >= TEXT_SIZE)
        return false;
    snprintf(found->path, TEXT_SIZE, "%s", path);
    snprintf(found->address, TEXT_SIZE, "%.*s", (int)(end - text), text);
    return server_split_address(found->address, &found->host, &found->port);
}

int server_healthcheck(const server_options *options, const char *url)
{
    target found;
    if (!find(&found, options, url)) {
        fprintf(stderr,
                "layerd: '%s': expected http://HOST:PORT or https://HOST:PORT, and a path\n",
                url != NULL ? url : options->listen);
        return 1;
    }
    found.host = reachable(found.host);
    return check(&found);
}
