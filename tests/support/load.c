/* Load from threads.
 * SPDX-License-Identifier: MIT */
#include "support/load.h"

#include "support/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_SIZE = 256 << 10, STACK_SIZE = 128 << 10, CEILING_SECONDS = 120 };

/* Times in seconds, in an array that grows. */
typedef struct {
    float *each;
    size_t count, room;
} times;

typedef struct {
    load *of;
    pthread_t thread;
    int descriptor;
    char *reply;
    times answers, refusals;
    size_t failed;
} client;

struct load {
    load_options options;
    struct sockaddr_in address;
    char *request;
    size_t request_size;
    struct timespec begun;
    client *clients;
    _Atomic bool stopping;
    _Atomic size_t sent, answered;
};

static double seconds_since(const struct timespec *begun)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begun->tv_sec) + (double)(now.tv_nsec - begun->tv_nsec) / 1e9;
}

static void add_time(times *to, double seconds)
{
    if (to->count == to->room) {
        to->room = to->room > 0 ? 2 * to->room : 256;
        to->each = realloc(to->each, to->room * sizeof *to->each);
        if (to->each == NULL)
            abort();
    }
    to->each[to->count++] = (float)seconds;
}

/* ---- One exchange ---- */

static bool connect_client(client *own)
{
    const int yes = 1;
    const struct timeval ceiling = {.tv_sec = CEILING_SECONDS};
    own->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool connected = connect(own->descriptor, (const struct sockaddr *)&own->of->address,
                                   sizeof own->of->address) == 0;
    setsockopt(own->descriptor, SOL_SOCKET, SO_RCVTIMEO, &ceiling, sizeof ceiling);
    setsockopt(own->descriptor, SOL_SOCKET, SO_SNDTIMEO, &ceiling, sizeof ceiling);
    setsockopt(own->descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return connected;
}

static void disconnect(client *own)
{
    if (own->descriptor >= 0)
        close(own->descriptor);
    own->descriptor = -1;
}

static bool send_request(client *own)
{
    const load *const of = own->of;
    for (size_t sent = 0; sent < of->request_size;) {
        const ssize_t step = TEMP_FAILURE_RETRY(
            send(own->descriptor, of->request + sent, of->request_size - sent, MSG_NOSIGNAL));
        if (step <= 0)
            return false;
        sent += (size_t)step;
    }
    return true;
}

/* The end of the reply's head, once it is there. */
static const char *end_of_head(const char *reply)
{
    const char *const end = strstr(reply, "\r\n\r\n");
    return end != NULL ? end + 4 : NULL;
}

static size_t body_size_of(const char *reply)
{
    const char *const length = strcasestr(reply, "\r\nContent-Length:");
    return length != NULL ? strtoul(length + 17, NULL, 10) : 0;
}

/* The status of a whole reply, or 0. Of a long one the first half of the room's size is kept. */
static int receive_reply(client *own)
{
    size_t kept = 0, size = 0, whole = SIZE_MAX;
    while (size < whole && kept < REPLY_SIZE - 1) {
        const ssize_t step =
            TEMP_FAILURE_RETRY(recv(own->descriptor, own->reply + kept, REPLY_SIZE - 1 - kept, 0));
        if (step <= 0)
            return 0;
        kept += (size_t)step;
        size += (size_t)step;
        own->reply[kept] = '\0';
        const char *const body = whole == SIZE_MAX ? end_of_head(own->reply) : NULL;
        if (body != NULL)
            whole = (size_t)(body - own->reply) + body_size_of(own->reply);
        if (whole != SIZE_MAX && kept > REPLY_SIZE / 2)
            kept = REPLY_SIZE / 2;
    }
    return size >= whole ? (int)strtol(own->reply + strlen("HTTP/1.1 "), NULL, 10) : 0;
}

static int exchange(client *own)
{
    if (own->descriptor < 0 && !connect_client(own))
        return 0;
    return send_request(own) ? receive_reply(own) : 0;
}

static bool is_expected(const client *own)
{
    const char *const expected = own->of->options.expected;
    return expected == NULL || strstr(own->reply, expected) != NULL;
}

static void rest(double seconds)
{
    const struct timespec pause = {(time_t)seconds,
                                   (long)((seconds - (double)(time_t)seconds) * 1e9)};
    if (seconds > 0)
        nanosleep(&pause, NULL);
}

static void ask(client *own)
{
    struct timespec begun;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    const int status = exchange(own);
    const double seconds = seconds_since(&begun);
    if (status == 200 && is_expected(own)) {
        add_time(&own->answers, seconds);
        atomic_fetch_add(&own->of->answered, 1);
    } else if (status == 429 || status == 503) {
        add_time(&own->refusals, seconds);
        rest(own->of->options.pause_if_refused);
    } else {
        own->failed++;
    }
    if (status == 0 || strcasestr(own->reply, "\r\nConnection: close") != NULL)
        disconnect(own);
}

/* ---- All of them ---- */

static void *run_client(void *argument)
{
    client *const own = argument;
    load *const of = own->of;
    while (!atomic_load(&of->stopping)) {
        if (of->options.requests > 0 && atomic_fetch_add(&of->sent, 1) >= of->options.requests)
            break;
        ask(own);
    }
    disconnect(own);
    return NULL;
}

static void write_request(load *of)
{
    const load_options *const options = &of->options;
    const size_t body_size = options->body_size > 0 ? options->body_size : strlen(options->body);
    char head[1024];
    const int head_size =
        snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %zu\r\n\r\n",
                 options->path,
                 options->headers != NULL ? options->headers : "Content-Type: application/json\r\n",
                 body_size);
    text_append(&of->request, &of->request_size, head, (size_t)head_size);
    text_append(&of->request, &of->request_size, options->body, body_size);
}

static struct sockaddr_in address_of(const char *url)
{
    char host[64] = "";
    int port = 0;
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (sscanf(url, "http://%63[0-9.]:%d", host, &port) != 2 ||
        inet_pton(AF_INET, host, &address.sin_addr) != 1)
        abort();
    address.sin_port = htons((uint16_t)port);
    return address;
}

load *load_start(const load_options *options)
{
    load *const of = calloc(1, sizeof *of);
    client *const clients = calloc(options->clients, sizeof *clients);
    if (of == NULL || clients == NULL)
        abort();
    *of = (load){.options = *options, .clients = clients, .address = address_of(options->url)};
    write_request(of);
    clock_gettime(CLOCK_MONOTONIC, &of->begun);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    for (size_t i = 0; i < options->clients; i++) {
        clients[i] = (client){.of = of, .descriptor = -1, .reply = calloc(1, REPLY_SIZE)};
        if (clients[i].reply == NULL ||
            pthread_create(&clients[i].thread, &attributes, run_client, &clients[i]) != 0)
            abort();
    }
    pthread_attr_destroy(&attributes);
    return of;
}

size_t load_answered(const load *running)
{
    return atomic_load(&running->answered);
}

static void move_times(times *all, times *from)
{
    for (size_t i = 0; i < from->count; i++)
        add_time(all, (double)from->each[i]);
    free(from->each);
}

static int compare(const void *one, const void *other)
{
    const float a = *(const float *)one, b = *(const float *)other;
    return (a > b) - (a < b);
}

static void sort(times *all)
{
    if (all->count > 0)
        qsort(all->each, all->count, sizeof *all->each, compare);
}

/* The time within which this part of the sorted ones lies. */
static double quantile(const times *sorted, double part)
{
    if (sorted->count == 0)
        return 0;
    const size_t index = (size_t)(part * (double)sorted->count);
    return (double)sorted->each[index < sorted->count ? index : sorted->count - 1];
}

load_figures load_finish(load *running)
{
    times answers = {0}, refusals = {0};
    load_figures figures = {0};
    for (size_t i = 0; i < running->options.clients; i++) {
        client *const own = &running->clients[i];
        pthread_join(own->thread, NULL);
        move_times(&answers, &own->answers);
        move_times(&refusals, &own->refusals);
        figures.failed += own->failed;
        free(own->reply);
    }
    figures.seconds = seconds_since(&running->begun);
    figures.answered = answers.count;
    figures.refused = refusals.count;
    sort(&answers);
    sort(&refusals);
    figures.half = quantile(&answers, 0.5);
    figures.nearly_all = quantile(&answers, 0.99);
    figures.longest = quantile(&answers, 1);
    figures.refusal = quantile(&refusals, 0.99);
    free(answers.each);
    free(refusals.each);
    free(running->clients);
    free(running->request);
    free(running);
    return figures;
}

load_figures load_stop(load *running)
{
    atomic_store(&running->stopping, true);
    return load_finish(running);
}

load_figures load_run(const load_options *options, double seconds)
{
    load *const running = load_start(options);
    rest(seconds);
    return load_stop(running);
}
