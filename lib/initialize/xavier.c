/* Xavier's laws: independent elements, normal or uniform, whose variance is 2 / (fan_in + fan_out).
 * Source: Glorot & Bengio 2010, eqs. 12 and 16.
 * SPDX-License-Identifier: MIT */
#include "core/draw.h"
#include "core/tasks.h"
#include "initialize/method.h"

#include <math.h>

/* Elements a task draws: a multiple of what a Philox block yields. */
enum { CHUNK = 4096 };

typedef struct {
    const layer_initialize *initialize;
    float *weight;
    size_t count;
} drawing;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t no_workspace(const layer_initialize *initialize, size_t count)
{
    (void)initialize;
    (void)count;
    return 0;
}

static layer_status draw_chunks(const layer_initialize *initialize, float *weight, size_t count,
                                layer_task *draw_chunk, const layer_run *run)
{
    drawing whole = {initialize, weight, count};
    return layer_run_tasks(run, (count + CHUNK - 1) / CHUNK, draw_chunk, &whole);
}

static void describe_normal(layer_initialize *initialize, size_t count)
{
    initialize->std = initialize->gain * sqrt(2 / (initialize->fan_in + initialize->fan_out));
    initialize->multiplications = count * LAYER_NORMAL_MULTIPLICATIONS;
}

static void draw_normals(void *argument, size_t task, int thread)
{
    (void)thread;
    const drawing *const whole = argument;
    const size_t end = smaller(whole->count, (task + 1) * CHUNK);
    for (size_t first = task * CHUNK; first < end; first += LAYER_NORMALS_PER_BLOCK) {
        double normals[LAYER_NORMALS_PER_BLOCK];
        layer_draw_normals(whole->initialize->seed, first / LAYER_NORMALS_PER_BLOCK, normals);
        for (size_t i = 0; i < smaller(LAYER_NORMALS_PER_BLOCK, end - first); i++)
            whole->weight[first + i] = (float)(whole->initialize->std * normals[i]);
    }
}

static layer_status run_normal(const layer_initialize *initialize, float *weight, size_t count,
                               const layer_run *run)
{
    return draw_chunks(initialize, weight, count, draw_normals, run);
}

static void describe_uniform(layer_initialize *initialize, size_t count)
{
    initialize->bound = initialize->gain * sqrt(6 / (initialize->fan_in + initialize->fan_out));
    initialize->std = initialize->bound / sqrt(3);
    initialize->multiplications = count * LAYER_UNIFORM_MULTIPLICATIONS;
}

/* Rounding an element just below the bound to float could carry it beyond. */
static float largest_within(double bound)
{
    const float rounded = (float)bound;
    return (double)rounded > bound ? nextafterf(rounded, 0) : rounded;
}

static void draw_uniforms(void *argument, size_t task, int thread)
{
    (void)thread;
    const drawing *const whole = argument;
    const double bound = whole->initialize->bound;
    const float limit = largest_within(bound);
    const size_t end = smaller(whole->count, (task + 1) * CHUNK);
    for (size_t first = task * CHUNK; first < end; first += LAYER_UNIFORMS_PER_BLOCK) {
        double uniforms[LAYER_UNIFORMS_PER_BLOCK];
        layer_draw_uniforms(whole->initialize->seed, first / LAYER_UNIFORMS_PER_BLOCK, uniforms);
        for (size_t i = 0; i < smaller(LAYER_UNIFORMS_PER_BLOCK, end - first); i++) {
            const float element = (float)(bound * (2 * uniforms[i] - 1));
            whole->weight[first + i] = fminf(limit, fmaxf(-limit, element));
        }
    }
}

static layer_status run_uniform(const layer_initialize *initialize, float *weight, size_t count,
                                const layer_run *run)
{
    return draw_chunks(initialize, weight, count, draw_uniforms, run);
}

const layer_initialize_law layer_initialize_law_XAVIER_NORMAL = {
    describe_normal,
    no_workspace,
    run_normal,
};

const layer_initialize_law layer_initialize_law_XAVIER_UNIFORM = {
    describe_uniform,
    no_workspace,
    run_uniform,
};
