/* A request on its way through the daemon.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include "admission.h"
#include "metrics.h"
#include "options.h"
#include "request_id.h"
#include "workers.h"

#include <stdint.h>

enum { SERVER_PATH_SIZE = 256, SERVER_METHOD_SIZE = 16 };

struct MHD_Connection;

/* Where a request stands between two calls of the handler. */
typedef enum {
    SERVER_STEP_HEAD,    /* its head has not been looked at */
    SERVER_STEP_BODY,    /* its body is being received */
    SERVER_STEP_SWALLOW, /* response is an error; the rest of the body is received and dropped */
    SERVER_STEP_WORK,    /* suspended, or just resumed with a response */
    SERVER_STEP_REPLIED, /* its reply is being sent */
} server_step;

/* Why a computation is to stop; the value of `cancelled`. */
typedef enum {
    SERVER_NOT_CANCELLED,
    SERVER_CANCELLED_DEADLINE,
    SERVER_CANCELLED_GONE, /* the client has left */
    SERVER_CANCELLED_STOPPING,
} server_cancellation;

typedef struct {
    server_work work;
    const server_options *options;
    struct MHD_Connection *connection;
    int descriptor;
    server_step step;

    /* The head. */
    char id[SERVER_ID_SIZE];
    char method[SERVER_METHOD_SIZE];
    char path[SERVER_PATH_SIZE]; /* may be cut: ours are short */
    api_request call;            /* what the api sees; its texts are libmicrohttpd's */
    const char *authorization;   /* the headers, or NULL */
    const char *origin;
    size_t target_size; /* with the query */
    size_t operation;   /* its number in the metrics */
    bool chunked;
    size_t body_announced; /* Content-Length, or 0 */
    size_t body_offset;    /* of the body in its buffer */
    bool must_close;       /* the connection cannot go on after the reply */
    bool unread;           /* it was answered before its body had come */
    double deadline_seconds;

    /* What it holds, and what came of it. */
    server_lease *lease;
    size_t swallowed;
    api_job *job;
    api_response response;
    int status; /* of the reply; 0: none was sent */
    size_t bytes_out;
    unsigned retry_after;
    const char *challenge;       /* WWW-Authenticate of a 401 */
    const char *accept_encoding; /* of a 415, or NULL */

    int64_t begun;    /* when its head had come */
    int64_t enqueued; /* when it began to wait for a worker */
    int64_t deadline; /* of its computation */
    int64_t times[SERVER_PHASE_COUNT];
    int cancelled; /* atomic: the reaper stores, the computation looks */
} server_request;

static inline bool server_request_has_body(const server_request *request)
{
    return request->chunked || request->body_announced > 0;
}

#endif
