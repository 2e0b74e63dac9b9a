/* layerd: starts the parts, says where it listens, waits, stops them in turn.
 * SPDX-License-Identifier: MIT */
#include "admission.h"
#include "compute.h"
#include "connections.h"
#include "cors.h"
#include "health.h"
#include "http.h"
#include "lifecycle.h"
#include "linger.h"
#include "listener.h"
#include "log.h"
#include "metrics.h"
#include "options.h"
#include "sockets.h"
#include "systemd.h"
#include "tls.h"
#include "tokens.h"
#include "workers.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, SPARE_DESCRIPTORS = 256 };

/* Signals are waited for, by the main thread alone; a client that leaves is an error of send(). */
static void prepare_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void raise_descriptor_limit(const server_options *options)
{
    struct rlimit limit;
    const rlim_t wanted = options->max_connections + SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        server_log_event(SERVER_LOG_ERROR, "the limit of %ju open files is low for %zu connections",
                         (uintmax_t)limit.rlim_cur, options->max_connections);
}

static bool start(const server_options *options)
{
    server_compute_start(options);
    server_admission_start(options->max_memory);
    const bool started = server_log_start(options->log) && server_metrics_start(options) &&
                         server_connections_start(options) &&
                         server_workers_start(options->workers, options->queue) &&
                         server_http_start(options) && server_reaper_start(options);
    if (started)
        raise_descriptor_limit(options);
    return started && server_listener_start();
}

static void warn_of_open_doors(void)
{
    if (!server_sockets_are_local() && !server_tokens_required())
        server_log_event(SERVER_LOG_WARNING,
                         "who can reach %s may use it: set --token-file to ask for tokens",
                         server_sockets_url());
}

static void reload(void)
{
    server_log_event(SERVER_LOG_INFO, "reloading");
    server_systemd_tell_reloading();
    server_tokens_reload();
    server_tls_reload();
    server_systemd_tell("READY=1");
}

static void announce(void)
{
    const char *const url = server_sockets_url();
    const char *const path = strncmp(url, "unix:", 5) == 0 ? url + 5 : NULL;
    printf("layerd %s listening on %s\ntry: curl ", LAYERD_VERSION, url);
    if (path != NULL)
        printf("--unix-socket %s ", path);
    printf("--json '{\"input\":[[1,2,3],[4,5,6],[7,8,9]],\"weight\":[[1,2],[3,4]]}' %s/v1/conv\n",
           path == NULL           ? url
           : server_tls_enabled() ? "https://localhost"
                                  : "http://localhost");
    fflush(stdout);
    server_systemd_tell("READY=1");
}

/* Work that does not heed its cancellation would make joining its thread wait for ever. */
static void stop_or_leave(void)
{
    const bool finished = server_connection_count() == 0;
    if (!finished)
        server_log_event(SERVER_LOG_ERROR, "stopping: %zu connections did not end",
                         server_connection_count());
    if (!finished) {
        server_log_stop();
        _exit(EXIT_SUCCESS);
    }
    server_workers_stop();
    server_reaper_stop();
    server_http_stop();
    server_linger_stop();
    server_connections_stop();
    server_admission_stop();
    server_tls_stop();
    server_tokens_stop();
    server_log_event(SERVER_LOG_INFO, "stopped");
    server_log_stop();
    server_metrics_stop();
}

/* Small pieces that are freed would keep the pages around them until a large one is. */
static void keep_memory_low(void)
{
    mallopt(M_MXFAST, 0);
}

int main(int argc, char **argv)
{
    static server_options options;
    const bool asks_health = argc > 1 && strcmp(argv[1], "healthcheck") == 0;
    const int skipped = asks_health ? (argc > 2 ? 2 : 1) : 0;
    const char *const url = asks_health && argc > 2 ? argv[2] : NULL;
    const server_verdict verdict = server_options_read(&options, argc - skipped, argv + skipped);
    if (verdict != SERVER_RUN)
        return verdict == SERVER_EXIT ? EXIT_SUCCESS : EXIT_USAGE;
    if (asks_health)
        return server_healthcheck(&options, url);
    keep_memory_low();
    prepare_signals();
    if (!server_cors_start(&options) || !server_tokens_start(options.token_file) ||
        !server_tls_start(&options) || !server_sockets_open(&options))
        return EXIT_FAILURE;
    if (!start(&options)) {
        server_log_stop();
        fprintf(stderr, "layerd: cannot start: no memory or no threads\n");
        return EXIT_FAILURE;
    }
    warn_of_open_doors();
    announce();
    server_lifecycle_run(&options, &(server_lifecycle_steps){reload, server_listener_stop});
    stop_or_leave();
    return EXIT_SUCCESS;
}
