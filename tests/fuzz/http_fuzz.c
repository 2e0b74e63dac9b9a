/* The daemon as a client meets it: the bytes of a connection, end to end, through libmicrohttpd,
 * admission, workers and reaper. An input's first byte says in pieces of how many bytes the rest is
 * sent ('0': at once).
 * SPDX-License-Identifier: MIT */
#include "admission.h"
#include "compute.h"
#include "connections.h"
#include "fuzz/fuzz.h"
#include "http.h"
#include "log.h"
#include "metrics.h"
#include "tokens.h"
#include "workers.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_SIZE = 1 << 20, QUIET_MILLISECONDS = 1, LATE_SECONDS = 60 };

static void stop_server(void)
{
    server_workers_stop();
    server_reaper_stop();
    server_http_stop();
    server_connections_stop();
    server_admission_stop();
    server_metrics_stop();
}

static void start_server(void)
{
    static server_options options;
    char name[] = "layerd", *arguments[] = {name, NULL};
    fuzz_require(server_options_read(&options, 1, arguments) == SERVER_RUN, "no options");
    options.io_threads = 1;
    options.workers = 2;
    options.inline_multiplications = 8; /* most requests take both ways */
    options.max_body = options.max_json = 64 << 10;
    options.max_memory = 64 << 20;
    options.max_elements = 1 << 14;
    options.max_multiplications = 1000000;
    options.log = "off";
    signal(SIGPIPE, SIG_IGN);
    fuzz_require(server_tokens_start(options.token_file), "no tokens");
    server_compute_start(&options);
    server_admission_start(options.max_memory);
    fuzz_require(server_log_start(options.log) && server_metrics_start(&options) &&
                     server_connections_start(&options) &&
                     server_workers_start(options.workers, options.queue) &&
                     server_http_start(&options) && server_reaper_start(&options),
                 "the server does not start");
    atexit(stop_server);
}

/* A connection between this thread and the server; our end. */
static int open_connection(void)
{
    int ends[2];
    struct sockaddr_storage address = {0};
    *(struct sockaddr_in *)&address = (struct sockaddr_in){.sin_family = AF_INET};
    fuzz_require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
                 "no sockets");
    fuzz_require(server_connections_add(ends[1], &address) == SERVER_WELCOME, "not welcome");
    fuzz_require(server_http_add(ends[1], &address, sizeof(struct sockaddr_in)), "not taken over");
    return ends[0];
}

typedef struct {
    int descriptor;
    const uint8_t *at, *end;
    size_t piece;
    bool ended;
    char reply[REPLY_SIZE];
    size_t reply_size;
} exchange;

static void send_piece(exchange *with)
{
    const size_t left = (size_t)(with->end - with->at);
    const ssize_t sent = send(with->descriptor, with->at,
                              with->piece > 0 && with->piece < left ? with->piece : left, 0);
    if (sent > 0)
        with->at += sent;
    else
        with->at = with->end; /* the server has had enough */
}

static void receive(exchange *with)
{
    fuzz_require(with->reply_size < REPLY_SIZE, "a reply without end");
    const ssize_t received =
        recv(with->descriptor, with->reply + with->reply_size, REPLY_SIZE - with->reply_size, 0);
    if (received > 0)
        with->reply_size += (size_t)received;
    else
        with->ended = true;
}

/* Sends all, reads what comes; when it is quiet says that there is no more to come. */
static void converse(exchange *with)
{
    bool quiet = false;
    while (!with->ended) {
        const bool all_sent = with->at == with->end;
        struct pollfd client = {.fd = with->descriptor, .events = POLLIN};
        client.events |= all_sent ? 0 : POLLOUT;
        const int wait = quiet ? LATE_SECONDS * 1000 : QUIET_MILLISECONDS;
        const int ready = poll(&client, 1, wait);
        if (ready < 0 && errno == EINTR) /* libFuzzer's own clock */
            continue;
        fuzz_require(ready > 0 || !quiet, "the server does not end the connection");
        if (ready == 0) {
            quiet = true;
            shutdown(with->descriptor, SHUT_WR);
        } else if (client.revents & POLLOUT) {
            send_piece(with);
        } else {
            receive(with);
        }
    }
}

static void wait_for_rest(void)
{
    const struct timespec pause = {0, 20000};
    time_t begun = time(NULL);
    while (server_connection_count() > 0) {
        nanosleep(&pause, NULL);
        fuzz_require(time(NULL) < begun + LATE_SECONDS, "the connection is not forgotten");
    }
    fuzz_require(server_memory_in_flight() == 0, "%zu bytes held", server_memory_in_flight());
}

/* What a client wrote cannot look like a failure: its quotes are escaped. */
static void check_replies(const exchange *with)
{
    static const char begin[] = "HTTP/1.", failure[] = "\"status\":500";
    const size_t size = with->reply_size, begin_size = sizeof begin - 1;
    fuzz_require(size == 0 || (size > begin_size && memcmp(with->reply, begin, begin_size) == 0),
                 "%.*s", (int)size, with->reply);
    fuzz_require(memmem(with->reply, size, failure, sizeof failure - 1) == NULL, "%.*s", (int)size,
                 with->reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static exchange with;
    static bool started;
    if (size == 0)
        return 0;
    if (!started)
        start_server();
    started = true;
    with.descriptor = open_connection();
    with.at = data + 1;
    with.end = data + size;
    with.piece = (size_t)(data[0] - '0') % 256;
    with.ended = false;
    with.reply_size = 0;
    converse(&with);
    close(with.descriptor);
    wait_for_rest();
    check_replies(&with);
    return 0;
}
