/* A ring of text between those who log and the thread that writes.
 * SPDX-License-Identifier: MIT */
#include "log.h"

#include "clock.h"
#include "text.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A line has room for its longest texts (a path, an id) with every byte escaped. */
enum { RING_SIZE = 1 << 19, LINE_SIZE = 4096, MESSAGE_SIZE = 512, BATCH_MILLISECONDS = 5 };

static const char *const level_names[] = {"info", "warning", "error", "off"};

static struct {
    server_log_level level;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t filled, drained;
    bool started, stopping, finished;
    bool waiting;         /* the writer sleeps until a line comes */
    size_t begin, length; /* of the text in the ring */
    _Atomic uint64_t dropped;
    time_t second; /* the last that was written, and its text */
    char second_text[32];
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

/* The second's text is kept: the calendar is asked once a second. Called under the lock. */
static void write_time(server_text *line)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != state.second) {
        struct tm date;
        gmtime_r(&now.tv_sec, &date);
        state.second = now.tv_sec;
        strftime(state.second_text, sizeof state.second_text, "%Y-%m-%dT%H:%M:%S", &date);
    }
    server_text_add(line, "{\"time\":\"");
    server_text_add(line, state.second_text);
    server_text_add(line, ".");
    server_text_padded(line, (uint64_t)now.tv_nsec / 1000000, 3);
    server_text_add(line, "Z\",\"level\":\"");
}

/* Called under the lock. */
static void put(const char *text, size_t size)
{
    const size_t at = (state.begin + state.length) % RING_SIZE;
    const size_t first = size < RING_SIZE - at ? size : RING_SIZE - at;
    memcpy(state.ring + at, text, first);
    memcpy(state.ring, text + first, size - first);
    state.length += size;
}

/* Logs a line whose JSON goes on with `rest`. */
static void append(server_log_level level, const char *rest, size_t rest_size)
{
    char begin[64];
    server_text line = server_text_begin(begin, sizeof begin);
    pthread_mutex_lock(&state.mutex);
    write_time(&line);
    server_text_add(&line, level_names[level]);
    server_text_add(&line, "\",");
    const size_t begin_size = (size_t)(line.at - begin);
    if (begin_size + rest_size > RING_SIZE - state.length) {
        atomic_fetch_add(&state.dropped, 1);
    } else {
        put(begin, begin_size);
        put(rest, rest_size);
        if (state.waiting)
            pthread_cond_signal(&state.filled);
    }
    pthread_mutex_unlock(&state.mutex);
}

void server_log_event(server_log_level level, const char *format, ...)
{
    if (level < state.level)
        return;
    char message[MESSAGE_SIZE], rest[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    message[strcspn(message, "\n")] = '\0';
    server_text line = server_text_begin(rest, sizeof rest);
    server_text_add(&line, "\"message\":\"");
    server_text_escaped(&line, message);
    server_text_add(&line, "\"}\n");
    append(level, rest, (size_t)(line.at - rest));
}

static void add_text(server_text *line, const char *key, const char *value)
{
    server_text_add(line, key);
    server_text_escaped(line, value);
}

static void add_number(server_text *line, const char *key, uint64_t value)
{
    server_text_add(line, key);
    server_text_number(line, value);
}

static void add_time(server_text *line, const char *key, int64_t nanoseconds)
{
    server_text_add(line, key);
    server_text_milliseconds(line, nanoseconds);
}

void server_log_request(const server_log_entry *entry)
{
    const server_log_level level = entry->status >= 500 ? SERVER_LOG_ERROR : SERVER_LOG_INFO;
    if (level < state.level)
        return;
    char rest[LINE_SIZE];
    server_text line = server_text_begin(rest, sizeof rest);
    add_text(&line, "\"request_id\":\"", entry->request_id);
    add_text(&line, "\",\"client\":\"", entry->client);
    add_text(&line, "\",\"method\":\"", entry->method);
    add_text(&line, "\",\"path\":\"", entry->path);
    add_text(&line, "\",\"operation\":\"", entry->operation);
    add_number(&line, "\",\"status\":", (uint64_t)entry->status);
    add_number(&line, ",\"bytes_in\":", entry->bytes_in);
    add_number(&line, ",\"bytes_out\":", entry->bytes_out);
    add_time(&line, ",\"parse_ms\":", entry->parse);
    add_time(&line, ",\"queue_ms\":", entry->queue);
    add_time(&line, ",\"compute_ms\":", entry->compute);
    add_time(&line, ",\"write_ms\":", entry->write);
    add_time(&line, ",\"total_ms\":", entry->total);
    server_text_add(&line, "}\n");
    append(level, rest, (size_t)(line.at - rest));
}

uint64_t server_log_dropped(void)
{
    return atomic_load(&state.dropped);
}

static server_log_level level_named(const char *name)
{
    server_log_level level = SERVER_LOG_INFO;
    while (level < SERVER_LOG_OFF && strcmp(name, level_names[level]) != 0)
        level++;
    return level;
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
