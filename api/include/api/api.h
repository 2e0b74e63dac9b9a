/* The service without a network: JSON in, JSON out.
 *
 * A request lives in an arena. It goes through four steps, so that whoever serves can admit, queue
 * and time them apart; api_respond() is all of them in turn:
 *
 *     api_check_head()   before the body is read: is there such a path, method, content type?
 *     api_parse()        decode, validate, describe: afterwards the cost is known, nothing large
 *                        is allocated yet
 *     api_compute()      the mathematics
 *     api_write()        the reply's text
 *
 * Every function is thread-safe as long as an arena is used by one thread at a time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory of one request, freed at once. It grows region by region; what it hands out is 64-byte
 * aligned and never moves. */
typedef struct api_arena api_arena;

/* A new arena that hands out at most `limit` bytes; NULL if the system has no memory. */
api_arena *api_arena_create(size_t limit);

/* Forgets everything handed out. Keeps up to 16 MiB of it for the next request. */
void api_arena_reset(api_arena *arena, size_t limit);

/* Bytes kept for the next request, after a reset. */
size_t api_arena_kept(const api_arena *arena);

void api_arena_destroy(api_arena *arena);

/* `size` bytes, uninitialized; NULL past the limit or without memory. */
void *api_arena_allocate(api_arena *arena, size_t size);

/* Bytes handed out since the last reset. */
size_t api_arena_used(const api_arena *arena);

/* What one request may cost at most. */
typedef struct {
    size_t json_size;         /* bytes of JSON text */
    size_t tensor_elements;   /* of input, output, weight each */
    int tensor_axis;          /* the longest axis of each */
    size_t memory_size;       /* bytes of arena: tensors, workspace and reply */
    uint64_t multiplications; /* of the operation, or what an algorithm's work amounts to */
    int threads;              /* the most that a run will have; 0 means 1 */
} api_limits;

/* Which of them a request goes past. */
typedef enum {
    API_LIMIT_NONE,
    API_LIMIT_FIXED, /* a bound that is the same for all callers, such as the depth of JSON */
    API_LIMIT_JSON,
    API_LIMIT_ELEMENTS,
    API_LIMIT_AXIS,
    API_LIMIT_MEMORY,
    API_LIMIT_MULTIPLICATIONS,
} api_limit;

typedef struct {
    const char *method;       /* "POST" */
    const char *path;         /* "/v1/conv": raw, without the query */
    const char *content_type; /* header Content-Type, or NULL */
    const char *json_length;  /* header Inference-Header-Content-Length, or NULL */
    const void *body;         /* stays untouched and alive until the arena is reset */
    size_t body_size;
} api_request;

/* A binary tensor of a reply. */
typedef struct {
    const void *bytes;
    size_t size;
} api_bytes;

/* Everything it points to lives in the arena or for ever. */
typedef struct {
    int status;               /* 200, 422 ... */
    api_limit limit;          /* that a 413 is about */
    const char *content_type; /* of the body; NULL without one */
    const char *allow;        /* header Allow of a 405, or of a reply to OPTIONS, else NULL */
    const void *body;         /* JSON */
    size_t body_size;
    const api_bytes *tensors; /* what follows it, and makes body_size the value of the header */
    size_t tensor_count;      /* Inference-Header-Content-Length; none for JSON alone */
} api_response;

/* How the computation runs; the counterpart of layer_run. All zero: this thread alone. */
typedef void api_task(void *argument, size_t task, int thread);

typedef struct {
    void (*parallel_for)(void *context, size_t tasks, api_task *function, void *argument);
    void *context;
    int threads; /* at most this many at once; 0 means 1 */
    const int *cancelled;
    int isa; /* instruction set, of api_isa_find(); 0: the best that the processor has */
} api_run;

/* The instruction set called "baseline", "avx2" or "avx512", or 0 for "auto". False, leaving *isa
 * alone, if the processor lacks it or there is none of that name. */
bool api_isa_find(const char *name, int *isa);

/* Its name; for 0 that of the best one. */
const char *api_isa_name(int isa);

typedef struct {
    uint64_t multiplications;
    size_t memory_size; /* bytes that computing and writing will still take from the arena */
} api_cost;

/* A request that makes sense and has not been computed. Lives in the arena. */
typedef struct api_job api_job;

/* Looks at the head alone: method, path, content type, the framing header.
 * True if the body should be read (or there is none to read); otherwise *response is the answer:
 * 404, 405, 415 or 400, or 204 to OPTIONS. */
bool api_check_head(const api_request *head, api_arena *arena, api_response *response);

/* Decodes and validates the request, derives its shapes, holds its cost against `limits`.
 * NULL if *response is already the answer: an error, a dry run, a document such as GET /v1. */
api_job *api_parse(const api_request *request, const api_limits *limits, api_arena *arena,
                   api_response *response);

api_cost api_job_cost(const api_job *job);

/* The last part of the operation's path, "conv"; the label for metrics. */
const char *api_job_operation(const api_job *job);

/* Computes. False if *response is the answer: an error, among them 504 if run->cancelled was set
 * (the caller may know better why). */
bool api_compute(api_job *job, const api_run *run, api_response *response);

/* Writes the reply of a computed job: the same bytes for any run. */
void api_write(api_job *job, const api_run *run, api_response *response);

/* All steps in turn. */
void api_respond(const api_request *request, const api_limits *limits, const api_run *run,
                 api_arena *arena, api_response *response);

/* An error of the caller's own in the service's form: application/problem+json with type, title,
 * status, detail, error and, unless it is NULL, the pointer of the offending field. Falls back to
 * a fixed body when the arena is full, so it cannot fail. */
void api_problem_response(api_arena *arena, int status, const char *detail, const char *pointer,
                          api_response *response);

/* How many operations there are, and the name of one, as api_job_operation() has it; a metrics
 * page can list them before they are used. */
size_t api_operation_count(void);
const char *api_operation_name(size_t index);

#endif
