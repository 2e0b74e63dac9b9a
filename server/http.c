/* The handler: libmicrohttpd calls it with a request's head, with each piece of its body, at the
 * body's end, and once more when a suspended connection was resumed.
 * SPDX-License-Identifier: MIT */
#include "http.h"

#include "access.h"
#include "body.h"
#include "clock.h"
#include "compute.h"
#include "connections.h"
#include "linger.h"
#include "log.h"
#include "reply.h"
#include "request_head.h"
#include "routes.h"
#include "tls.h"

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* A connection's memory: room for the longest head, and a little over the 32 KiB up to which
 * libmicrohttpd takes it from the heap, where it stays when the connection ends. No more, for it is
 * cleared for every request. */
enum { POOL_SIZE = 36 << 10, STACK_SIZE = 1 << 20 };

/* TLS 1.2 and 1.3, with keys that are thrown away. */
static const char priorities[] = "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA";

/* Its own limit must never be reached: it may lock an I/O thread up. Ours is in connections.c. */
static const unsigned no_connection_limit = 1000000000;

static struct {
    struct MHD_Daemon *daemon;
    const server_options *options;
} http;

static server_connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *const info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return server_connections_find(info->connect_fd);
}

static void notice_connection(void *unused, struct MHD_Connection *connection, void **context,
                              enum MHD_ConnectionNotificationCode what)
{
    (void)unused;
    (void)context;
    server_connection *const own = connection_of(connection);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (own->request.unread)
            server_linger(own->descriptor);
        server_connections_remove(own);
        return;
    }
    const int64_t now = server_now();
    own->request.unread = false;
    atomic_store(&own->idle_since, now);
    server_connection_enter(own, SERVER_FRESH,
                            now + server_nanoseconds(http.options->head_timeout));
}

/* The first line of a request has come. */
static void *begin_request(void *unused, const char *target, struct MHD_Connection *connection)
{
    (void)unused;
    server_connection *const own = connection_of(connection);
    server_request *const request = &own->request;
    memset(request, 0, offsetof(server_request, cancelled));
    __atomic_store_n(&request->cancelled, SERVER_NOT_CANCELLED, __ATOMIC_SEQ_CST);
    request->options = http.options;
    request->connection = connection;
    request->descriptor = own->descriptor;
    request->target_size = strlen(target);
    request->begun = server_now();
    request->operation = server_metrics_operation("");
    server_connection_enter(own, SERVER_HEAD,
                            request->begun + server_nanoseconds(http.options->head_timeout));
    return request;
}

/* Answers what the head alone can answer. False: the body is wanted. */
static bool answer_head(server_request *request, enum MHD_Result *result)
{
    if (!server_access_granted(request)) {
        *result = server_reply(request);
        return true;
    }
    if (server_routes_answer(request, result))
        return true;
    request->lease = server_lease_take();
    if (request->lease == NULL)
        server_refuse_for_now(request, SERVER_REFUSED_MEMORY, "no memory for this request now");
    else if (api_check_head(&request->call, request->lease->arena, &request->response) &&
             server_head_admit(request))
        return false;
    *result = server_reply(request);
    return true;
}

/* libmicrohttpd ends a connection whose reply is queued before the request's end. So a reply that
 * spares a body is queued now, and one to a request without a body at its end. */
static enum MHD_Result take_head(server_request *request, const char *path, const char *method,
                                 const char *version)
{
    enum MHD_Result result = MHD_YES;
    request->begun = server_now();
    request->unread = true;
    if (!server_head_read(request, method, path, version))
        return server_reply(request);
    request->must_close = server_request_has_body(request);
    if (request->must_close && answer_head(request, &result))
        return result;
    request->must_close = request->unread = false;
    server_body_begin(request);
    return MHD_YES;
}

/* Marked first, then suspended, then queued: from then on the request is the worker's. */
static enum MHD_Result hand_over(server_request *request)
{
    if (!server_workers_reserve()) {
        server_refuse_for_now(request, SERVER_REFUSED_QUEUE_FULL, "the queue is full");
        return server_reply(request);
    }
    request->step = SERVER_STEP_WORK;
    request->work.run = server_compute_work;
    request->enqueued = server_now();
    server_connection_enter(server_connections_find(request->descriptor), SERVER_WORK,
                            request->deadline);
    MHD_suspend_connection(request->connection);
    server_workers_push(&request->work);
    return MHD_YES;
}

static enum MHD_Result take_end(server_request *request)
{
    enum MHD_Result result = MHD_YES;
    if (request->step == SERVER_STEP_SWALLOW)
        return server_reply(request);
    if (!server_request_has_body(request) && answer_head(request, &result))
        return result;
    request->deadline = server_now() + server_nanoseconds(request->deadline_seconds);
    server_connection_enter(server_connections_find(request->descriptor), SERVER_BUSY, 0);
    if (request->lease->body != NULL)
        request->call.body = request->lease->body + request->body_offset;
    return server_compute_here(request) ? server_reply(request) : hand_over(request);
}

static enum MHD_Result handle(void *unused, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *data_size, void **context)
{
    (void)unused;
    (void)connection;
    server_request *const request = *context;
    switch (request->step) {
    case SERVER_STEP_HEAD:
        return take_head(request, path, method, version);
    case SERVER_STEP_BODY:
    case SERVER_STEP_SWALLOW:
        if (*data_size == 0)
            return take_end(request);
        const size_t size = *data_size;
        *data_size = 0;
        return server_body_receive(request, data, size) ? MHD_YES : MHD_NO;
    case SERVER_STEP_WORK:
        return server_reply(request);
    case SERVER_STEP_REPLIED:
        break;
    }
    return MHD_YES;
}

/* The status of a request that got no reply of ours: a time-out, libmicrohttpd's own refusal of a
 * malformed head (which it does not tell more of), or a client that left. */
static int unanswered_status(const server_connection *own, enum MHD_RequestTerminationCode how)
{
    if (server_state_activity(atomic_load(&own->state)) == SERVER_CUT)
        return 408;
    const bool refused = how == MHD_REQUEST_TERMINATED_WITH_ERROR;
    return refused && own->request.step == SERVER_STEP_HEAD ? 400 : 499;
}

static void record(const server_request *request, const server_connection *own, int status,
                   int64_t now)
{
    server_metrics_count(request->operation, status);
    for (server_phase phase = 0; phase < SERVER_PHASE_COUNT; phase++)
        if (request->times[phase] > 0)
            server_metrics_time(request->operation, phase, request->times[phase]);
    server_log_request(&(server_log_entry){
        .request_id = request->id,
        .client = own->client,
        .method = request->method,
        .path = request->path,
        .operation = server_metrics_operation_name(request->operation),
        .status = status,
        .parse = request->times[SERVER_PHASE_PARSE],
        .queue = request->times[SERVER_PHASE_QUEUE],
        .compute = request->times[SERVER_PHASE_COMPUTE],
        .write = request->times[SERVER_PHASE_WRITE],
        .total = now - request->begun,
        .bytes_in = request->call.body_size,
        .bytes_out = request->bytes_out,
    });
}

/* The reply was sent, or there will be none. */
static void end_request(void *unused, struct MHD_Connection *connection, void **context,
                        enum MHD_RequestTerminationCode how)
{
    (void)unused;
    (void)connection;
    server_request *const request = *context;
    server_connection *const own = server_connections_find(request->descriptor);
    const int64_t now = server_now();
    record(request, own, request->status != 0 ? request->status : unanswered_status(own, how), now);
    if (request->lease != NULL)
        server_lease_release(request->lease);
    request->lease = NULL;
    atomic_store(&own->idle_since, now);
    server_connection_enter(own, SERVER_IDLE, now + server_nanoseconds(http.options->idle_timeout));
}

/* Paths stay as they came: "%00" must not cut one short. */
static size_t leave_escaped(void *unused, struct MHD_Connection *connection, char *text)
{
    (void)unused;
    (void)connection;
    return strlen(text);
}

static void log_message(void *unused, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* It sets TCP's options on unix sockets too, for each reply, and tells when that fails. */
static bool is_about_tcp(const char *format)
{
    return strncmp(format, "Setting %s option to", 20) == 0 ||
           strncmp(format, "Failed to push the data", 23) == 0;
}

static void log_message(void *unused, const char *format, va_list arguments)
{
    (void)unused;
    char text[256];
    if (is_about_tcp(format))
        return;
    vsnprintf(text, sizeof text, format, arguments);
    server_log_event(SERVER_LOG_INFO, "libmicrohttpd: %s", text);
}

bool server_http_start(const server_options *options)
{
    http.options = options;
    struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)server_tls_certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    const unsigned threads = options->io_threads > 1 ? (unsigned)options->io_threads : 0;
    http.daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
            MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
            (server_tls_enabled() ? MHD_USE_TLS : 0u),
        0, NULL, NULL, handle, NULL, MHD_OPTION_EXTERNAL_LOGGER, log_message, NULL,
        MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_SIZE,
        MHD_OPTION_CONNECTION_LIMIT, no_connection_limit, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)POOL_SIZE, MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)(POOL_SIZE / 4),
        MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, notice_connection, NULL, MHD_OPTION_URI_LOG_CALLBACK,
        begin_request, NULL, MHD_OPTION_NOTIFY_COMPLETED, end_request, NULL,
        server_tls_enabled() ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls_options, MHD_OPTION_END);
    return http.daemon != NULL;
}

void server_http_stop(void)
{
    MHD_stop_daemon(http.daemon);
}

bool server_http_add(int descriptor, const struct sockaddr_storage *address, socklen_t size)
{
    return MHD_add_connection(http.daemon, descriptor, (const struct sockaddr *)address, size) ==
           MHD_YES;
}
