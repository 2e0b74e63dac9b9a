/* A request's way: find the operation, decode, describe, admit, compute, write.
 * SPDX-License-Identifier: MIT */
#include "head.h"
#include "shapes.h"
#include "tensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A reply's text but for its tensors and arrays of objects: names, attributes, brackets. */
enum { FRAME_TEXT_SIZE = 4096, ALIGNMENT = 64 };

struct api_job {
    const api_operation *operation;
    api_arena *arena;
    api_limits limits;
    api_cost cost;
    api_call *call;
};

api_cost api_job_cost(const api_job *job)
{
    return job->cost;
}

const char *api_job_operation(const api_job *job)
{
    return job->operation->name;
}

/* What lacked memory that its limits would have allowed may have it another time. */
static bool answer_problem(const api_problem *problem, api_arena *arena, api_response *response)
{
    if (problem->limit == API_LIMIT_MEMORY && api_arena_is_starved(arena)) {
        api_problem_response(arena, 503, "the system has no memory for this request now", NULL,
                             response);
        return false;
    }
    const char *const pointer = *problem->pointer == '\0' ? NULL : problem->pointer;
    api_problem_response(arena, problem->status, problem->detail, pointer, response);
    response->limit = problem->limit;
    return false;
}

static bool refuse_memory(api_problem *problem, const api_arena *arena, size_t size)
{
    return api_refuse_past(
        problem, API_LIMIT_MEMORY, "", "the limit of memory is %zu bytes; this request takes %zu",
        api_arena_used(arena) + api_arena_left(arena), api_arena_used(arena) + size);
}

/* The reply's tensors in turn, as rows are; NULL after the last. */
static api_result *next_result(const api_job *job, api_rows *rows)
{
    while (api_next_row(rows)) {
        api_result *const result = (void *)((char *)job->call + rows->offset);
        if (rows->field->kind == &api_result_kind && result->given)
            return result;
    }
    return NULL;
}

/* ---- Parsing --------------------------------------------------------------------------------- */

static bool read_document(const api_request *request, const api_limits *limits, api_arena *arena,
                          size_t size, api_document *document, api_problem *problem)
{
    if (size > limits->json_size)
        return api_refuse_past(problem, API_LIMIT_JSON, "",
                               "the limit of JSON is %zu bytes; this request has %zu",
                               limits->json_size, size);
    return api_read(request->body == NULL ? "" : request->body, size, limits->tensor_elements,
                    arena, document, problem) &&
           (cJSON_IsObject(document->root) ||
            api_refuse(problem, 400, "", "the request is not a JSON object"));
}

static bool decode(api_job *job, const api_request *request, api_problem *problem)
{
    size_t json_size;
    api_document document;
    api_decoder decoder = {
        .document = &document, .limits = &job->limits, .arena = job->arena, .problem = problem};
    const api_field *const tables[] = {job->operation->request, api_common_fields, NULL};
    if (!api_split_body(request, &decoder, &json_size) ||
        !read_document(request, &job->limits, job->arena, json_size, &document, problem) ||
        !api_decode_object(&decoder, document.root, tables, job->call) ||
        !api_check_all_taken(&decoder))
        return false;
    const api_choice *const form = &job->call->output_format;
    job->call->form = form->given ? (api_form)form->value : decoder.form;
    return true;
}

static size_t plus(size_t a, size_t b)
{
    size_t sum;
    return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

/* An upper bound of the reply's text but for its tensors. */
static size_t frame_text_size(const api_job *job)
{
    size_t size = FRAME_TEXT_SIZE;
    api_rows rows = api_rows_of(job->operation->reply);
    while (api_next_row(&rows))
        if (rows.field->kind == &api_objects_kind)
            size = plus(size, api_objects_text_size(
                                  rows.field, (const void *)((char *)job->call + rows.offset)));
    return size;
}

static size_t workspace_size(const api_job *job, int threads)
{
    const api_operation *const operation = job->operation;
    return operation->workspace_size == NULL ? 0 : operation->workspace_size(job->call, threads);
}

/* Counts a tensor's elements, of the larger shape where there are two, and the memory that it takes
 * and its text. */
static bool measure_result(const api_job *job, const api_field *field, api_result *result,
                           size_t *size, api_problem *problem)
{
    const int longest = field->maximum > 0 ? (int)field->maximum : job->limits.tensor_axis;
    const layer_shape *const shapes[] = {&result->shape, &result->alternative};
    size_t text_size = 0;
    for (size_t i = 0; i < 2 && shapes[i]->rank > 0; i++) {
        api_result one = {.shape = *shapes[i]};
        if (!api_shape_admit(&one.shape, field->name, "", longest, job->limits.tensor_elements,
                             &one.count, problem))
            return false;
        const size_t text = api_result_text_size(&one, job->call->form);
        text_size = text > text_size ? text : text_size;
        result->count = one.count > result->count ? one.count : result->count;
    }
    *size = plus(result->count * sizeof(float) + ALIGNMENT, text_size);
    return true;
}

/* Counts the reply's tensors and what computing and writing them will take from the arena. */
static bool measure(api_job *job, api_problem *problem)
{
    const int threads = job->limits.threads > 0 ? job->limits.threads : 1;
    size_t size = plus(frame_text_size(job), 2 * ALIGNMENT);
    size = plus(size, workspace_size(job, threads));
    api_rows rows = api_rows_of(job->operation->reply);
    for (api_result *result; (result = next_result(job, &rows)) != NULL;) {
        size_t result_size;
        if (!measure_result(job, rows.field, result, &result_size, problem))
            return false;
        size = plus(size, result_size);
    }
    const api_call *const call = job->call;
    job->cost = (api_cost){
        call->work > call->multiplications ? call->work : call->multiplications,
        size,
    };
    return true;
}

static size_t whole_memory(const api_job *job)
{
    return plus(api_arena_used(job->arena), job->cost.memory_size);
}

static bool admit(const api_job *job, api_problem *problem)
{
    const api_limits *const limits = &job->limits;
    if (job->cost.multiplications > limits->multiplications)
        return api_refuse_past(problem, API_LIMIT_MULTIPLICATIONS, "",
                               "the limit of multiplications is %llu; this request takes %llu",
                               (unsigned long long)limits->multiplications,
                               (unsigned long long)job->cost.multiplications);
    if (whole_memory(job) > limits->memory_size)
        return api_refuse_past(problem, API_LIMIT_MEMORY, "",
                               "the limit of memory is %zu bytes; this request takes %zu",
                               limits->memory_size, whole_memory(job));
    return true;
}

static api_job *create_job(const api_operation *operation, const api_limits *limits,
                           api_arena *arena, api_problem *problem)
{
    api_job *const job = api_arena_allocate(arena, sizeof *job);
    api_call *const call = api_arena_allocate(arena, operation->call_size);
    if (job == NULL || call == NULL) {
        refuse_memory(problem, arena, sizeof *job + operation->call_size);
        return NULL;
    }
    memset(call, 0, operation->call_size);
    call->arena = arena;
    *job = (api_job){.operation = operation, .arena = arena, .limits = *limits, .call = call};
    return job;
}

static void write_dry_run(const api_job *job, api_response *response);

api_job *api_parse(const api_request *request, const api_limits *limits, api_arena *arena,
                   api_response *response)
{
    if (!api_check_head(request, arena, response))
        return NULL;
    const api_route route = api_find_route(request->path);
    if (route.page != NULL) {
        api_answer_page(route.page, arena, response);
        return NULL;
    }
    api_problem problem = {0};
    api_job *const job = create_job(route.operation, limits, arena, &problem);
    if (job == NULL || !decode(job, request, &problem) ||
        !job->operation->describe(job->call, &problem) || !measure(job, &problem) ||
        !admit(job, &problem)) {
        answer_problem(&problem, arena, response);
        return NULL;
    }
    if (!job->call->dry_run.value)
        return job;
    write_dry_run(job, response);
    return NULL;
}

/* ---- Computing ------------------------------------------------------------------------------- */

static bool allocate_results(const api_job *job, api_problem *problem)
{
    api_rows rows = api_rows_of(job->operation->reply);
    for (api_result *result; (result = next_result(job, &rows)) != NULL;) {
        const size_t size = result->count * sizeof(float);
        result->data = api_arena_allocate(job->arena, size);
        if (result->data == NULL)
            return refuse_memory(problem, job->arena, size);
    }
    return true;
}

static bool check_status(layer_status status, api_problem *problem)
{
    if (status == LAYER_CANCELLED)
        return api_refuse(problem, 504, "", "the deadline passed before the computation was done");
    return status == LAYER_OK || api_refuse(problem, 500, "", "%s", layer_status_sentence(status));
}

static bool compute(const api_job *job, const api_run *run, api_problem *problem)
{
    const layer_executor executor = {run->parallel_for, run->context,
                                     run->threads > 0 ? run->threads : 1};
    const size_t size = workspace_size(job, executor.threads);
    layer_run how = {.executor = run->parallel_for == NULL ? NULL : &executor,
                     .cancelled = run->cancelled,
                     .isa = (layer_isa)run->isa};
    if (!allocate_results(job, problem))
        return false;
    how.workspace = api_arena_allocate(job->arena, size); /* never NULL, for offsets are added */
    if (how.workspace == NULL)
        return refuse_memory(problem, job->arena, size);
    return check_status(job->operation->compute(job->call, &how), problem);
}

bool api_compute(api_job *job, const api_run *run, api_response *response)
{
    api_problem problem = {0};
    return compute(job, run, &problem) || answer_problem(&problem, job->arena, response);
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Says which element of the reply JSON cannot write. */
static void describe_nonfinite(const api_job *job, api_problem *problem)
{
    static const char advice[] = "which JSON cannot write: give nonfinite, or output_format binary";
    api_rows rows = api_rows_of(job->operation->reply);
    for (const api_result *result; (result = next_result(job, &rows)) != NULL;) {
        size_t i = result->data == NULL ? result->count : 0; /* a dry run has no data */
        while (i < result->count && isfinite(result->data[i]))
            i++;
        if (i < result->count)
            api_refuse(problem, 422, "/nonfinite", "element %zu of %s is %s, %s", i,
                       rows.field->name, isnan(result->data[i]) ? "NaN" : "infinite", advice);
    }
    api_refuse(problem, 422, "/nonfinite", "the reply has an infinity or NaN, %s", advice);
}

static void finish(const api_job *job, api_encoder *encoder, api_response *response)
{
    api_writer *const writer = encoder->writer;
    const size_t size = api_writer_close(writer);
    const bool binary = encoder->binary_count > 0;
    const api_bytes *const tensors = binary ? api_binary_tensors(encoder, job->arena) : NULL;
    api_problem problem = {0};
    if (writer->full || (binary && tensors == NULL))
        refuse_memory(&problem, job->arena, job->cost.memory_size);
    else if (writer->nonfinite_met)
        describe_nonfinite(job, &problem);
    if (problem.status != 0) {
        answer_problem(&problem, job->arena, response);
        return;
    }
    *response = (api_response){
        .status = 200,
        .content_type = binary ? "application/octet-stream" : "application/json",
        .body = writer->begin,
        .body_size = size,
        .tensors = tensors,
        .tensor_count = (size_t)encoder->binary_count,
    };
}

void api_write(api_job *job, const api_run *run, api_response *response)
{
    const api_call *const call = job->call;
    size_t capacity = frame_text_size(job);
    api_rows rows = api_rows_of(job->operation->reply);
    for (const api_result *result; (result = next_result(job, &rows)) != NULL;)
        capacity += api_result_text_size(result, call->form);
    api_writer writer;
    api_encoder encoder = {.writer = &writer, .form = call->form};
    api_writer_open(&writer, job->arena, capacity,
                    call->nonfinite.given ? (api_nonfinite)call->nonfinite.value
                                          : API_NONFINITE_ERROR);
    writer.run = run;
    api_write_begin(&writer, '{');
    api_encode_fields(&encoder, job->operation->reply, call);
    api_write_end(&writer, '}');
    finish(job, &encoder, response);
}

static void write_dry_run(const api_job *job, api_response *response)
{
    api_writer writer;
    api_encoder encoder = {.writer = &writer, .dry_run = true};
    const size_t memory = whole_memory(job);
    if (job->operation->explain != NULL)
        job->operation->explain(job->call);
    api_writer_open(&writer, job->arena, frame_text_size(job), API_NONFINITE_ERROR);
    api_write_begin(&writer, '{');
    api_write_key(&writer, "dry_run");
    api_write_boolean(&writer, true);
    api_encode_fields(&encoder, job->operation->reply, job->call);
    api_write_key(&writer, "multiplications");
    api_write_unsigned(&writer, job->call->multiplications);
    api_write_key(&writer, "memory_bytes");
    api_write_unsigned(&writer, memory);
    api_write_end(&writer, '}');
    finish(job, &encoder, response);
}

void api_respond(const api_request *request, const api_limits *limits, const api_run *run,
                 api_arena *arena, api_response *response)
{
    api_job *const job = api_parse(request, limits, arena, response);
    if (job != NULL && api_compute(job, run, response))
        api_write(job, run, response);
}
