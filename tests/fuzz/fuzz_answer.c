/* Answers a request and holds the reply to what all replies promise.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <sys/random.h>

enum { THREADS = 3, MEMORY_SIZE = 4 << 20 };

static const api_limits limits = {.json_size = 64 << 10,
                                  .tensor_elements = 1 << 14,
                                  .tensor_axis = 1 << 12,
                                  .memory_size = MEMORY_SIZE,
                                  .multiplications = 1000000,
                                  .threads = THREADS};

/* In place of the system's: a seed that is drawn is the same each time. */
ssize_t getrandom(void *room, size_t size, unsigned flags)
{
    (void)flags;
    memset(room, 'x', size);
    return (ssize_t)size;
}

/* All tasks, the last one first, as if by several threads in turn. */
static void backwards(void *context, size_t tasks, api_task *function, void *argument)
{
    (void)context;
    for (size_t task = tasks; task-- > 0;)
        function(argument, task, (int)(task % THREADS));
}

/* The arena has room for all that one request may take, and nothing more. */
static void answer(const api_request *request, const api_run *run, api_arena *arena,
                   api_response *response)
{
    api_arena_reset(arena, MEMORY_SIZE);
    api_job *const job = api_parse(request, &limits, arena, response);
    if (job == NULL)
        return;
    const size_t most = api_arena_used(arena) + api_job_cost(job).memory_size;
    if (api_compute(job, run, response))
        api_write(job, run, response);
    fuzz_require(response->status == 200 || response->status == 422, "%s: %d, %.300s",
                 api_job_operation(job), response->status, (const char *)response->body);
    fuzz_require(response->status != 200 || api_arena_used(arena) <= most,
                 "%s: %zu bytes were used, %zu announced", api_job_operation(job),
                 api_arena_used(arena), most);
}

static void check_reply(const api_response *reply)
{
    static const int statuses[] = {200, 400, 404, 405, 413, 415, 422};
    bool known = false;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        known = known || reply->status == statuses[i];
    fuzz_require(known, "%d, %.300s", reply->status, (const char *)reply->body);
    char *const text = malloc(reply->body_size + 1);
    fuzz_require(text != NULL, "no memory");
    memcpy(text, reply->body, reply->body_size);
    text[reply->body_size] = '\0';
    cJSON *const json = cJSON_ParseWithOpts(text, NULL, true);
    fuzz_require(cJSON_IsObject(json), "no JSON object: %.300s", text);
    cJSON_Delete(json);
    free(text);
}

static void require_same(const api_response *one, const api_response *other)
{
    fuzz_require(one->status == other->status && one->body_size == other->body_size &&
                     memcmp(one->body, other->body, one->body_size) == 0 &&
                     one->tensor_count == other->tensor_count,
                 "%.*s\nbackwards:\n%.*s", (int)one->body_size, (const char *)one->body,
                 (int)other->body_size, (const char *)other->body);
    for (size_t i = 0; i < one->tensor_count; i++)
        fuzz_require(
            one->tensors[i].size == other->tensors[i].size &&
                memcmp(one->tensors[i].bytes, other->tensors[i].bytes, one->tensors[i].size) == 0,
            "tensor %zu is another one backwards", i);
}

void fuzz_answer(const api_request *request)
{
    static api_arena *arena, *other_arena;
    if (arena == NULL) {
        arena = api_arena_create(MEMORY_SIZE);
        other_arena = api_arena_create(MEMORY_SIZE);
    }
    api_response reply = {0}, other = {0};
    answer(request, &(api_run){0}, arena, &reply);
    check_reply(&reply);
    if (reply.status != 200)
        return;
    answer(request, &(api_run){.parallel_for = backwards, .threads = THREADS}, other_arena, &other);
    require_same(&reply, &other);
}
