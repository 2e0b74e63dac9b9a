/* The steps of a request's computation.
 * SPDX-License-Identifier: MIT */
#include "compute.h"

#include "clock.h"
#include "reply.h"

#include <poll.h>
#include <stddef.h>

/* Bodies up to this size are parsed, and jobs up to this memory computed, on the I/O thread. */
static const size_t inline_body_size = (size_t)64 << 10, inline_memory_size = (size_t)1 << 20;

static int instructions; /* for api_run.isa */

void server_compute_start(const server_options *options)
{
    api_isa_find(options->isa, &instructions);
}

/* What parsing may take besides the text: twice as much for numbers ("0," becomes four bytes), or
 * many times as much for other values, whose number is bounded. */
static size_t parse_memory_size(size_t text_size)
{
    const size_t frame = (size_t)64 << 10, most_values = (size_t)4 << 20;
    const size_t values = 64 * text_size;
    return frame + 2 * text_size + (values < most_values ? values : most_values);
}

static bool refuse_cancelled(server_request *request, server_cancellation why)
{
    if (why == SERVER_CANCELLED_DEADLINE) {
        server_refuse_past(request, SERVER_LIMIT_DEADLINE, 504,
                           "the deadline of %g seconds passed before the answer was ready",
                           request->deadline_seconds);
    } else if (why == SERVER_CANCELLED_GONE) {
        server_refuse(request, 503, "the client has left");
        request->response.status = 499; /* HTTP has no status for it: this is for the log */
        request->must_close = true;
    } else {
        server_refuse_for_now(request, SERVER_REFUSED_STOPPING, "the server is stopping");
    }
    return false;
}

/* False: the request is cancelled, and its response says so. */
static bool is_wanted(server_request *request)
{
    const int why = __atomic_load_n(&request->cancelled, __ATOMIC_SEQ_CST);
    if (why != SERVER_NOT_CANCELLED)
        return refuse_cancelled(request, (server_cancellation)why);
    if (server_now() >= request->deadline)
        return refuse_cancelled(request, SERVER_CANCELLED_DEADLINE);
    return true;
}

static bool charge(server_request *request, size_t size)
{
    const server_admission admission = server_lease_charge(request->lease, size);
    if (admission == SERVER_NOT_NOW)
        server_refuse_for_now(request, SERVER_REFUSED_MEMORY,
                              "other requests hold the memory that this one needs");
    else if (admission == SERVER_NEVER)
        server_refuse_past(request, SERVER_LIMIT_MEMORY, 413,
                           "the request takes %zu bytes of memory, the limit is %zu", size,
                           server_memory_limit());
    return admission == SERVER_ADMITTED;
}

/* What the api has refused counts with what is refused here. */
static void count_refusal(server_request *request)
{
    static const server_limit limits[] = {
        [API_LIMIT_FIXED] = SERVER_LIMIT_FIXED,
        [API_LIMIT_JSON] = SERVER_LIMIT_JSON,
        [API_LIMIT_ELEMENTS] = SERVER_LIMIT_ELEMENTS,
        [API_LIMIT_AXIS] = SERVER_LIMIT_AXIS,
        [API_LIMIT_MEMORY] = SERVER_LIMIT_MEMORY,
        [API_LIMIT_MULTIPLICATIONS] = SERVER_LIMIT_MULTIPLICATIONS,
    };
    if (request->response.limit != API_LIMIT_NONE)
        server_metrics_exceed(limits[request->response.limit]);
    if (request->response.status == 503) {
        server_metrics_refuse(SERVER_REFUSED_MEMORY);
        request->retry_after = server_workers_retry_after();
    }
}

/* Afterwards the budget is charged with all that the request will take. False: the response is
 * ready. */
static bool parse(server_request *request)
{
    const size_t size = request->call.body_size;
    const server_options *const options = request->options;
    const api_limits limits = {.json_size = options->max_json,
                               .tensor_elements = options->max_elements,
                               .tensor_axis = (int)options->max_axis,
                               .memory_size = options->max_memory,
                               .multiplications = options->max_multiplications,
                               .threads = (int)options->workers};
    if (!charge(request, size + parse_memory_size(size)))
        return false;
    const int64_t begin = server_now();
    request->job = api_parse(&request->call, &limits, request->lease->arena, &request->response);
    request->times[SERVER_PHASE_PARSE] = server_now() - begin;
    const size_t used = size + api_arena_used(request->lease->arena);
    if (request->job == NULL) {
        server_lease_charge(request->lease, used);
        count_refusal(request);
        return false;
    }
    return charge(request, used + api_job_cost(request->job).memory_size);
}

static void compute(server_request *request, const api_run *run)
{
    const int64_t begin = server_now();
    const bool computed = api_compute(request->job, run, &request->response);
    const int64_t end = server_now();
    request->times[SERVER_PHASE_COMPUTE] = end - begin;
    if (!computed && run->cancelled != NULL && !is_wanted(request))
        return;
    if (computed) {
        api_write(request->job, run, &request->response);
        request->times[SERVER_PHASE_WRITE] = server_now() - end;
    }
    count_refusal(request);
}

bool server_compute_here(server_request *request)
{
    if (request->call.body_size > inline_body_size)
        return false;
    if (!is_wanted(request) || !parse(request))
        return true;
    const api_cost cost = api_job_cost(request->job);
    if (cost.multiplications > request->options->inline_multiplications ||
        cost.memory_size > inline_memory_size)
        return false;
    const api_run run = {.isa = instructions};
    compute(request, &run);
    return true;
}

/* The reaper looks every now and then; a worker's time is worth a look of its own. */
static void notice_hang_up(server_request *request)
{
    struct pollfd client = {.fd = request->descriptor, .events = POLLRDHUP};
    int none = SERVER_NOT_CANCELLED;
    if (poll(&client, 1, 0) == 1)
        __atomic_compare_exchange_n(&request->cancelled, &none, (int)SERVER_CANCELLED_GONE, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void server_compute_work(server_work *work)
{
    server_request *const request =
        (server_request *)(void *)((char *)work - offsetof(server_request, work));
    request->times[SERVER_PHASE_QUEUE] = server_now() - request->enqueued;
    notice_hang_up(request);
    if (is_wanted(request) && (request->job != NULL || parse(request)) && is_wanted(request)) {
        api_run run = server_workers_executor(&request->cancelled);
        run.isa = instructions;
        compute(request, &run);
    }
    MHD_resume_connection(request->connection);
}
