/* A ring of text between those who log and the thread that writes.
 * SPDX-License-Identifier: MIT */
#include "log.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RING_SIZE = 1 << 19, LINE_SIZE = 2048, TEXT_SIZE = 1024, BATCH_MILLISECONDS = 5 };

static struct {
    server_log_level level;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t filled, drained;
    bool started, stopping, finished;
    bool waiting;         /* the writer sleeps until a line comes */
    size_t begin, length; /* of the text in the ring */
    _Atomic uint64_t dropped;
    char ring[RING_SIZE];
} state = {.level = SERVER_LOG_OFF, .mutex = PTHREAD_MUTEX_INITIALIZER};

static uint64_t count_lines(const char *text, size_t size)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    return lines;
}

/* Blocks as long as the reader of standard error does; what it refuses is counted. */
static void write_all(const char *text, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(STDERR_FILENO, text, size);
        if (written >= 0) {
            text += written;
            size -= (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
            poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            atomic_fetch_add(&state.dropped, count_lines(text, size));
            return;
        }
    }
}

/* Lets lines gather for a moment, so that a busy daemon pays for few wake-ups and few writes. */
static void wait_for_lines(void)
{
    while (state.length == 0 && !state.stopping) {
        state.waiting = true;
        pthread_cond_wait(&state.filled, &state.mutex);
        state.waiting = false;
    }
    if (state.stopping)
        return;
    pthread_mutex_unlock(&state.mutex);
    const struct timespec pause = {0, BATCH_MILLISECONDS * 1000000};
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&state.mutex);
}

static void *write_lines(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&state.mutex);
    for (;;) {
        wait_for_lines();
        if (state.length == 0 && state.stopping)
            break;
        const size_t room = RING_SIZE - state.begin;
        const size_t size = state.length < room ? state.length : room;
        const char *const text = state.ring + state.begin;
        pthread_mutex_unlock(&state.mutex);
        write_all(text, size);
        pthread_mutex_lock(&state.mutex);
        state.begin = (state.begin + size) % RING_SIZE;
        state.length -= size;
    }
    state.finished = true;
    pthread_cond_signal(&state.drained);
    pthread_mutex_unlock(&state.mutex);
    return NULL;
}

static void append(const char *line, size_t size)
{
    pthread_mutex_lock(&state.mutex);
    if (size > RING_SIZE - state.length) {
        atomic_fetch_add(&state.dropped, 1);
    } else {
        const size_t at = (state.begin + state.length) % RING_SIZE;
        const size_t first = size < RING_SIZE - at ? size : RING_SIZE - at;
        memcpy(state.ring + at, line, first);
        memcpy(state.ring, line + first, size - first);
        state.length += size;
        if (state.waiting)
            pthread_cond_signal(&state.filled);
    }
    pthread_mutex_unlock(&state.mutex);
}

/* `text` between the quotes of a JSON string, cut where the room ends. */
static const char *escape(const char *text, char escaped[TEXT_SIZE])
{
    size_t length = 0;
    for (; *text != '\0' && length + 7 < TEXT_SIZE; text++) {
        const unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            escaped[length++] = '\\';
        if (byte >= 0x20 && byte < 0x7f)
            escaped[length++] = (char)byte;
        else
            length += (size_t)snprintf(escaped + length, 7, "\\u%04x", byte);
    }
    escaped[length] = '\0';
    return escaped;
}

/* {"time":"2026-01-31T12:00:00.000Z","level":"info" */
static size_t begin_line(char line[LINE_SIZE], server_log_level level)
{
    struct timespec now;
    struct tm date;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &date);
    return (size_t)snprintf(
        line, LINE_SIZE, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\",\"level\":\"%s\"",
        date.tm_year + 1900, date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec,
        (int)(now.tv_nsec / 1000000), level == SERVER_LOG_ERROR ? "error" : "info");
}

void server_log_event(server_log_level level, const char *format, ...)
{
    if (level < state.level)
        return;
    char text[TEXT_SIZE / 2], escaped[TEXT_SIZE], line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text[strcspn(text, "\n")] = '\0';
    size_t length = begin_line(line, level);
    length += (size_t)snprintf(line + length, LINE_SIZE - length, ",\"message\":\"%s\"}\n",
                               escape(text, escaped));
    append(line, length);
}

void server_log_request(const server_log_entry *entry)
{
    const server_log_level level = entry->status >= 500 ? SERVER_LOG_ERROR : SERVER_LOG_INFO;
    if (level < state.level)
        return;
    char path[TEXT_SIZE], id[TEXT_SIZE], line[LINE_SIZE + TEXT_SIZE];
    size_t length = begin_line(line, level);
    length += (size_t)snprintf(
        line + length, sizeof line - length,
        ",\"request_id\":\"%s\",\"client\":\"%s\",\"method\":\"%s\",\"path\":\"%s\","
        "\"operation\":\"%s\",\"status\":%d,\"bytes_in\":%zu,\"bytes_out\":%zu,"
        "\"parse_ms\":%.3f,\"queue_ms\":%.3f,\"compute_ms\":%.3f,\"write_ms\":%.3f,"
        "\"total_ms\":%.3f}\n",
        escape(entry->request_id, id), entry->client, entry->method, escape(entry->path, path),
        entry->operation, entry->status, entry->bytes_in, entry->bytes_out,
        (double)entry->parse / 1e6, (double)entry->queue / 1e6, (double)entry->compute / 1e6,
        (double)entry->write / 1e6, (double)entry->total / 1e6);
    append(line, length);
}

uint64_t server_log_dropped(void)
{
    return atomic_load(&state.dropped);
}

static server_log_level level_named(const char *name)
{
    if (strcmp(name, "off") == 0)
        return SERVER_LOG_OFF;
    return strcmp(name, "error") == 0 ? SERVER_LOG_ERROR : SERVER_LOG_INFO;
}

bool server_log_start(const char *level)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&state.filled, &attributes);
    pthread_cond_init(&state.drained, &attributes);
    pthread_condattr_destroy(&attributes);
    state.level = level_named(level);
    if (state.level == SERVER_LOG_OFF)
        return true;
    state.started = pthread_create(&state.thread, NULL, write_lines, NULL) == 0;
    return state.started;
}

void server_log_stop(void)
{
    if (!state.started)
        return;
    const struct timespec limit = server_timespec(server_now() + SERVER_SECOND);
    pthread_mutex_lock(&state.mutex);
    state.stopping = true;
    pthread_cond_signal(&state.filled);
    int status = 0;
    while (!state.finished && status == 0)
        status = pthread_cond_timedwait(&state.drained, &state.mutex, &limit);
    const bool finished = state.finished;
    pthread_mutex_unlock(&state.mutex);
    if (finished)
        pthread_join(state.thread, NULL);
}
