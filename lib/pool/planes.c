/* Cuts pooling into tasks: rows of outputs, planes that are one window, planes of gradients.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/tasks.h"
#include "pool/pool_kind.h"

#include <assert.h>
#include <string.h>

/* Cells that a task's windows should look at, so that handing it to a thread costs little. */
enum { TASK_CELLS = 1 << 16 };

typedef struct {
    const layer_pool *pool;
    const layer_pool_implementation *kind;
    const layer_run *run;
    layer_pool_plan plan;
    const float *input, *grad_output, *given; /* given indices */
    float *output, *indices, *grad_input;
    size_t planes, rows;          /* rows of a plane's outputs */
    size_t units, units_per_task; /* rows or planes */
    size_t scratch_size;          /* of a thread */
} pooling;

static size_t scratch_size(const layer_pool *pool)
{
    const size_t size = layer_pool_implementation_of(pool)->scratch_size(pool);
    return layer_aligned(size);
}

size_t layer_pool_workspace_size(const layer_pool *pool, int threads)
{
    assert(threads >= 1);
    return scratch_size(pool) * (size_t)threads;
}

static pooling pooling_of(const layer_pool *pool, const float *input, const layer_run *run)
{
    return (pooling){
        .pool = pool,
        .kind = layer_pool_implementation_of(pool),
        .run = run,
        .plan = layer_pool_plan_of(pool, run),
        .input = input,
        .planes = (size_t)pool->input.extent[0] * (size_t)pool->input.extent[1],
        .rows = (size_t)pool->window[LAYER_POOL_DEPTH].output *
                (size_t)pool->window[LAYER_POOL_HEIGHT].output,
        .scratch_size = scratch_size(pool),
    };
}

/* Runs `function` over `units` rows or planes, as many at a time as are worth a task. */
static layer_status run_units(pooling *call, size_t units, layer_task *function)
{
    const size_t cells = (size_t)(call->pool->multiplications / units) + 1;
    call->units = units;
    call->units_per_task = TASK_CELLS / cells + 1;
    const size_t tasks = (units - 1) / call->units_per_task + 1;
    return layer_run_tasks(call->run, tasks, function, call);
}

static size_t end_of(const pooling *call, size_t task)
{
    const size_t end = (task + 1) * call->units_per_task;
    return end < call->units ? end : call->units;
}

static void *scratch_of(const pooling *call, int thread)
{
    return (char *)call->run->workspace + (size_t)thread * call->scratch_size;
}

static layer_pool_row locate_row(const pooling *call, size_t plane, int d, int p)
{
    const layer_window *const window = call->pool->window;
    return (layer_pool_row){
        .plan = &call->plan,
        .pool = call->pool,
        .plane = plane,
        .input = call->input == NULL ? NULL : call->input + plane * call->plan.input_plane,
        .d = d,
        .p = p,
        .depth = layer_inside_taps(&window[LAYER_POOL_DEPTH], d),
        .height = layer_inside_taps(&window[LAYER_POOL_HEIGHT], p),
    };
}

static void pool_rows(void *argument, size_t task, int thread)
{
    const pooling *const call = argument;
    const int height = call->pool->window[LAYER_POOL_HEIGHT].output;
    const size_t width = (size_t)call->pool->window[LAYER_POOL_WIDTH].output;
    const size_t begin = task * call->units_per_task, end = end_of(call, task);
    size_t plane = begin / call->rows;
    int d = (int)(begin % call->rows) / height, p = (int)(begin % call->rows) % height;
    for (size_t i = begin; i < end; i++) {
        const layer_pool_row row = locate_row(call, plane, d, p);
        call->kind->row(&row, call->output + i * width,
                        call->indices == NULL ? NULL : call->indices + i * width,
                        scratch_of(call, thread));
        if (++p < height)
            continue;
        p = 0;
        if (++d < call->pool->window[LAYER_POOL_DEPTH].output)
            continue;
        d = 0;
        plane++;
    }
}

static void pool_whole(void *argument, size_t task, int thread)
{
    (void)thread;
    const pooling *const call = argument;
    const size_t begin = task * call->units_per_task;
    call->kind->whole(&call->plan, call->input + begin * call->plan.input_plane,
                      call->plan.input_plane, call->output + begin, end_of(call, task) - begin);
}

layer_status layer_pool_forward(const layer_pool *pool, const float *input, float *output,
                                float *indices, const layer_run *run)
{
    assert(input != NULL && output != NULL && run != NULL && (indices == NULL || pool->indices));
    pooling call = pooling_of(pool, input, run);
    call.output = output;
    call.indices = indices;
    if (indices == NULL && layer_pool_is_whole(pool))
        return run_units(&call, call.planes, pool_whole);
    return run_units(&call, call.planes * call.rows, pool_rows);
}

/* Outputs whose indices tell all, some of them between two looks at the cancellation flag. */
static void backward_indexed(const pooling *call, size_t plane, float *grad_input)
{
    const size_t width = (size_t)call->pool->window[LAYER_POOL_WIDTH].output;
    const size_t outputs = call->rows * width;
    const float *const grad_output = call->grad_output + plane * outputs;
    const float *const indices = call->given + plane * outputs;
    for (size_t i = 0; i < outputs && !layer_run_cancelled(call->run); i += TASK_CELLS)
        call->kind->indexed_backward(&call->plan, plane, grad_output + i, indices + i,
                                     outputs - i < TASK_CELLS ? outputs - i : TASK_CELLS,
                                     grad_input);
}

static void backward_plane(const pooling *call, size_t plane, void *scratch)
{
    const int depth = call->pool->window[LAYER_POOL_DEPTH].output;
    const int height = call->pool->window[LAYER_POOL_HEIGHT].output;
    const size_t width = (size_t)call->pool->window[LAYER_POOL_WIDTH].output;
    float *const grad_input = call->grad_input + plane * call->plan.input_plane;
    size_t first = plane * call->rows * width;
    memset(grad_input, 0, call->plan.input_plane * sizeof *grad_input);
    if (call->given != NULL && call->kind->indexed_backward != NULL) {
        backward_indexed(call, plane, grad_input);
        return;
    }
    for (int d = 0; d < depth; d++)
        for (int p = 0; p < height && !layer_run_cancelled(call->run); p++) {
            const layer_pool_row row = locate_row(call, plane, d, p);
            call->kind->row_backward(&row, call->grad_output + first, grad_input, scratch);
            first += width;
        }
}

static void backward_planes(void *argument, size_t task, int thread)
{
    const pooling *const call = argument;
    for (size_t plane = task * call->units_per_task; plane < end_of(call, task); plane++)
        backward_plane(call, plane, scratch_of(call, thread));
}

layer_status layer_pool_backward(const layer_pool *pool, const float *input,
                                 const float *grad_output, const float *indices, float *grad_input,
                                 const layer_run *run)
{
    assert(grad_output != NULL && grad_input != NULL && run != NULL);
    assert(indices == NULL || pool->indices);
    assert(input != NULL || indices != NULL || pool->kind == LAYER_POOL_AVERAGE);
    pooling call = pooling_of(pool, input, run);
    call.grad_output = grad_output;
    call.given = indices;
    call.grad_input = grad_input;
    return run_units(&call, call.planes, backward_planes);
}
