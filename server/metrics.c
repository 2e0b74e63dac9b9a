/* Counters and histograms, added to without locks.
 * SPDX-License-Identifier: MIT */
#include "metrics.h"

#include "admission.h"
#include "connections.h"
#include "log.h"
#include "tls.h"
#include "workers.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The statuses that are counted apart; any other counts as 0. */
static const int statuses[] = {200, 204, 400, 401, 404, 405, 408, 413, 414, 415,
                               422, 429, 431, 499, 500, 501, 503, 504, 505, 0};
static const double bounds[] = {1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2,
                                3e-2, 0.1,  0.3,  1,    3,    10,   30};
enum {
    STATUS_COUNT = sizeof statuses / sizeof statuses[0],
    BOUND_COUNT = sizeof bounds / sizeof bounds[0],
};

typedef struct {
    _Atomic uint64_t buckets[BOUND_COUNT + 1];
    _Atomic uint64_t nanoseconds;
} histogram;

typedef struct {
    _Atomic uint64_t requests[STATUS_COUNT];
    histogram phases[SERVER_PHASE_COUNT];
} operation_metrics;

#define PHASE_TEXT(name, text) text,
static const char *const phase_names[] = {SERVER_PHASES(PHASE_TEXT)};
static const char *const refusal_names[] = {SERVER_REFUSALS(PHASE_TEXT)};
static const char *const limit_names[] = {SERVER_LIMITS(PHASE_TEXT)};
#undef PHASE_TEXT

static struct {
    operation_metrics *operations; /* the service's, then one for all else */
    size_t operation_count;
    _Atomic uint64_t refused[SERVER_REFUSAL_COUNT];
    _Atomic uint64_t exceeded[SERVER_LIMIT_COUNT];
    const server_options *options;
    double start_time;
    int isa;
} state;

bool server_metrics_start(const server_options *options)
{
    state.options = options;
    api_isa_find(options->isa, &state.isa);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    state.start_time = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
    state.operation_count = api_operation_count();
    state.operations = calloc(state.operation_count + 1, sizeof *state.operations);
    return state.operations != NULL;
}

void server_metrics_stop(void)
{
    free(state.operations);
}

size_t server_metrics_operation(const char *path)
{
    size_t i = state.operation_count;
    if (strncmp(path, "/v1/", 4) == 0)
        for (i = 0; i < state.operation_count; i++)
            if (strcmp(path + 4, api_operation_name(i)) == 0)
                break;
    return i;
}

const char *server_metrics_operation_name(size_t operation)
{
    return operation < state.operation_count ? api_operation_name(operation) : "other";
}

void server_metrics_count(size_t operation, int status)
{
    size_t i = 0;
    while (i < STATUS_COUNT - 1 && statuses[i] != status)
        i++;
    atomic_fetch_add_explicit(&state.operations[operation].requests[i], 1, memory_order_relaxed);
}

void server_metrics_time(size_t operation, server_phase phase, int64_t nanoseconds)
{
    histogram *const times = &state.operations[operation].phases[phase];
    const double seconds = (double)nanoseconds / 1e9;
    size_t i = 0;
    while (i < BOUND_COUNT && seconds > bounds[i])
        i++;
    atomic_fetch_add_explicit(&times->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&times->nanoseconds, (uint64_t)nanoseconds, memory_order_relaxed);
}

void server_metrics_refuse(server_refusal reason)
{
    atomic_fetch_add_explicit(&state.refused[reason], 1, memory_order_relaxed);
}

void server_metrics_exceed(server_limit limit)
{
    atomic_fetch_add_explicit(&state.exceeded[limit], 1, memory_order_relaxed);
}

static void head(FILE *page, const char *name, const char *type, const char *help)
{
    fprintf(page, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(FILE *page, const char *name, const char *help, double value)
{
    head(page, name, "gauge", help);
    fprintf(page, "%s %.15g\n", name, value);
}

static void write_requests(FILE *page)
{
    head(page, "layerd_requests_total", "counter", "Requests answered, by operation and status.");
    for (size_t operation = 0; operation <= state.operation_count; operation++)
        for (size_t i = 0; i < STATUS_COUNT; i++) {
            const uint64_t count = atomic_load(&state.operations[operation].requests[i]);
            if (count > 0 || i == 0)
                fprintf(page, "layerd_requests_total{operation=\"%s\",status=\"%d\"} %ju\n",
                        server_metrics_operation_name(operation), statuses[i], (uintmax_t)count);
        }
}

static void write_histogram(FILE *page, size_t operation, size_t phase)
{
    static const char name[] = "layerd_request_phase_seconds";
    histogram *const times = &state.operations[operation].phases[phase];
    char labels[256];
    snprintf(labels, sizeof labels, "operation=\"%s\",phase=\"%s\"", api_operation_name(operation),
             phase_names[phase]);
    uint64_t total = 0;
    for (size_t i = 0; i < BOUND_COUNT; i++) {
        total += atomic_load(&times->buckets[i]);
        fprintf(page, "%s_bucket{%s,le=\"%g\"} %ju\n", name, labels, bounds[i], (uintmax_t)total);
    }
    total += atomic_load(&times->buckets[BOUND_COUNT]);
    fprintf(page, "%s_bucket{%s,le=\"+Inf\"} %ju\n", name, labels, (uintmax_t)total);
    fprintf(page, "%s_sum{%s} %.9f\n", name, labels,
            (double)atomic_load(&times->nanoseconds) / 1e9);
    fprintf(page, "%s_count{%s} %ju\n", name, labels, (uintmax_t)total);
}

static void write_counters(FILE *page)
{
    head(page, "layerd_refused_total", "counter", "Turned away for want of room, by what lacked.");
    for (size_t i = 0; i < SERVER_REFUSAL_COUNT; i++)
        fprintf(page, "layerd_refused_total{reason=\"%s\"} %ju\n", refusal_names[i],
                (uintmax_t)atomic_load(&state.refused[i]));
    head(page, "layerd_limits_exceeded_total", "counter",
         "What clients asked too much of or were too slow for, by the option that sets it.");
    for (size_t i = 0; i < SERVER_LIMIT_COUNT; i++)
        fprintf(page, "layerd_limits_exceeded_total{option=\"%s\"} %ju\n", limit_names[i],
                (uintmax_t)atomic_load(&state.exceeded[i]));
    head(page, "layerd_log_lines_dropped_total", "counter", "Log lines that could not be written.");
    fprintf(page, "layerd_log_lines_dropped_total %ju\n", (uintmax_t)server_log_dropped());
}

static double resident_memory(void)
{
    unsigned long pages = 0;
    FILE *const stream = fopen("/proc/self/statm", "re");
    if (stream == NULL)
        return 0;
    if (fscanf(stream, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(stream);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_descriptors(void)
{
    DIR *const directory = opendir("/proc/self/fd");
    double count = -3; /* ".", ".." and the directory's own */
    while (directory != NULL && readdir(directory) != NULL)
        count++;
    if (directory != NULL)
        closedir(directory);
    return count < 0 ? 0 : count;
}

static void write_gauges(FILE *page)
{
    gauge(page, "layerd_connections", "Open connections.", (double)server_connection_count());
    gauge(page, "layerd_connections_limit", "How many there may be.",
          (double)state.options->max_connections);
    gauge(page, "layerd_queue_limit", "How many requests may wait.", (double)state.options->queue);
    gauge(page, "layerd_queue_length", "Requests waiting for a worker.",
          (double)server_workers_queue_length());
    gauge(page, "layerd_memory_in_flight_bytes", "Memory reserved by requests in flight.",
          (double)server_memory_in_flight());
    gauge(page, "layerd_memory_kept_bytes", "Memory kept for the next requests.",
          (double)server_memory_kept());
    gauge(page, "layerd_memory_limit_bytes", "What may be reserved at most.",
          (double)server_memory_limit());
    if (server_tls_enabled())
        gauge(page, "layerd_tls_certificate_expiry_time_seconds",
              "End of the certificate, seconds since the epoch.", (double)server_tls_expiry());
    head(page, "layerd_build_info", "gauge", "The version and the instruction set, as labels.");
    fprintf(page, "layerd_build_info{version=\"%s\",isa=\"%s\"} 1\n", LAYERD_VERSION,
            api_isa_name(state.isa));
    gauge(page, "process_resident_memory_bytes", "Resident memory.", resident_memory());
    gauge(page, "process_open_fds", "Open file descriptors.", open_descriptors());
    head(page, "process_start_time_seconds", "gauge", "Start, seconds since the epoch.");
    fprintf(page, "process_start_time_seconds %.3f\n", state.start_time);
}

char *server_metrics_page(size_t *size)
{
    char *text = NULL;
    FILE *const page = open_memstream(&text, size);
    if (page == NULL)
        return NULL;
    write_requests(page);
    head(page, "layerd_request_phase_seconds", "histogram", "Time of requests by phase.");
    for (size_t operation = 0; operation < state.operation_count; operation++)
        for (size_t phase = 0; phase < SERVER_PHASE_COUNT; phase++)
            write_histogram(page, operation, phase);
    write_counters(page);
    write_gauges(page);
    const bool failed = ferror(page) != 0;
    if (fclose(page) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}
