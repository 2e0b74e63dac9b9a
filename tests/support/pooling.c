/* Pooling for tests: geometries drawn at random, and runs that leave nothing to chance.
 * SPDX-License-Identifier: MIT */
#include "support/pooling.h"
#include "support/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static void fail(const char *why)
{
    fprintf(stderr, "pooling: %s\n", why);
    abort();
}

static void *new_memory(size_t size)
{
    void *const memory = aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    if (memory == NULL)
        fail("no memory");
    memset(memory, 0xFF, size);
    return memory;
}

/* ---- Drawing --------------------------------------------------------------------------------- */

static void draw_axis(sampling *from, int axis, int axes, layer_pool_options *options,
                      layer_shape *input)
{
    layer_geometry *const geometry = &options->geometry;
    const int most_extent = axes == 1 ? 300 : axes == 2 ? 40 : 9;
    const int most_kernel = axes == 1 ? 90 : axes == 2 ? 11 : 4;
    const bool wide = sampling_between(from, 0, 4) == 0;
    input->extent[2 + axis] =
        sampling_between(from, 0, 7) == 0 ? 1 : sampling_between(from, 2, most_extent);
    options->kernel[axis] = sampling_between(from, 1, wide ? most_kernel : 3);
    geometry->strides[axis] =
        geometry->auto_pad == LAYER_AUTO_PAD_FULL ? 1 : sampling_between(from, 0, 4);
    geometry->dilations[axis] =
        sampling_between(from, 0, 2) == 0 ? sampling_between(from, 1, 4) : 0;
    if (geometry->auto_pad == LAYER_AUTO_PAD_NOTSET) {
        geometry->pads_begin[axis] = sampling_between(from, 0, 1) * sampling_between(from, 0, 5);
        geometry->pads_end[axis] = sampling_between(from, 0, 1) * sampling_between(from, 0, 5);
    }
}

static layer_pool_options draw_options(sampling *from, int axes, layer_shape *input)
{
    static const double powers[] = {0, 1, 2, 3, 1.5, 7.25};
    layer_pool_options options = {
        .kind = (layer_pool_kind)sampling_between(from, LAYER_POOL_MAX, LAYER_POOL_LP),
        .geometry.auto_pad = (layer_auto_pad)(sampling_between(from, 0, 1) *
                                              sampling_between(from, 0, LAYER_AUTO_PAD_FULL)),
        .ceil_mode = sampling_between(from, 0, 1) == 1,
        .index_base = (layer_index_base)sampling_between(from, 0, 1),
        .column_major = sampling_between(from, 0, 1) == 1,
    };
    options.indices = options.kind == LAYER_POOL_MAX;
    options.count_include_pad =
        options.kind == LAYER_POOL_AVERAGE && sampling_between(from, 0, 1) == 1;
    if (options.kind == LAYER_POOL_LP)
        options.p = powers[sampling_between(from, 0, 5)];
    for (int axis = 0; axis < axes; axis++)
        draw_axis(from, axis, axes, &options, input);
    if (sampling_between(from, 0, 9) == 0) {
        options.global = true;
        options.ceil_mode = false;
        memset(options.kernel, 0, sizeof options.kernel);
        options.geometry = (layer_geometry){0};
    }
    return options;
}

layer_pool pooling_draw(sampling *from)
{
    for (;;) {
        const int axes = sampling_between(from, 1, 3);
        layer_shape input = {2 + axes,
                             {sampling_between(from, 1, 3), sampling_between(from, 1, 5)}};
        const layer_pool_options options = draw_options(from, axes, &input);
        layer_pool pool;
        layer_error error;
        if (layer_pool_describe(&pool, &input, &options, &error) == LAYER_OK)
            return pool;
        if (strcmp(error.argument, "kernel_shape") != 0)
            fail(error.reason);
    }
}

static size_t count_of(const layer_shape *shape)
{
    size_t count = 1;
    for (int axis = 0; axis < shape->rank; axis++)
        count *= (size_t)shape->extent[axis];
    return count;
}

size_t pooling_inputs(const layer_pool *pool)
{
    return count_of(&pool->input);
}

size_t pooling_outputs(const layer_pool *pool)
{
    return count_of(&pool->output);
}

float *pooling_numbers(sampling *from, size_t count, bool ties)
{
    float *const numbers = new_memory(count * sizeof *numbers);
    sampling_fill(from, numbers, count);
    for (size_t i = 0; ties && i < count; i++)
        numbers[i] = (float)(int)(3 * numbers[i]);
    return numbers;
}

double *pooling_doubles(const float *numbers, size_t count)
{
    double *const doubles = new_memory(count * sizeof *doubles);
    for (size_t i = 0; i < count; i++)
        doubles[i] = (double)numbers[i];
    return doubles;
}

/* ---- Running --------------------------------------------------------------------------------- */

static layer_run run_of(pooling_way way, void *workspace, const layer_executor *executor)
{
    return (layer_run){.workspace = workspace,
                       .executor = way.threads == 1 ? NULL : executor,
                       .cancelled = way.cancelled,
                       .isa = way.isa};
}

layer_status pooling_forward(const layer_pool *pool, const float *input, float *output,
                             float *indices, pooling_way way)
{
    const size_t size = pooling_outputs(pool) * sizeof *output;
    const layer_executor executor = threads_executor(way.threads);
    void *const workspace = new_memory(layer_pool_workspace_size(pool, way.threads));
    const layer_run run = run_of(way, workspace, &executor);
    memset(output, 0xFF, size);
    if (indices != NULL)
        memset(indices, 0xFF, size);
    const layer_status status = layer_pool_forward(pool, input, output, indices, &run);
    free(workspace);
    return status;
}

layer_status pooling_backward(const layer_pool *pool, const float *input, const float *grad_output,
                              const float *indices, float *grad_input, pooling_way way)
{
    const layer_executor executor = threads_executor(way.threads);
    void *const workspace = new_memory(layer_pool_workspace_size(pool, way.threads));
    const layer_run run = run_of(way, workspace, &executor);
    memset(grad_input, 0xFF, pooling_inputs(pool) * sizeof *grad_input);
    const layer_status status =
        layer_pool_backward(pool, input, grad_output, indices, grad_input, &run);
    free(workspace);
    return status;
}

const char *pooling_sentence(const layer_pool *pool)
{
    static char text[512];
    int length = snprintf(text, sizeof text, "kind %d, p %g, N %d, C %d%s%s", (int)pool->kind,
                          pool->p, pool->input.extent[0], pool->input.extent[1],
                          pool->count_include_pad ? ", count_include_pad" : "",
                          pool->column_major ? ", column-major" : "");
    for (int axis = LAYER_MAX_SPATIAL - pool->axes; axis < LAYER_MAX_SPATIAL; axis++) {
        const layer_window *const w = &pool->window[axis];
        length +=
            snprintf(text + length, sizeof text - (size_t)length,
                     "; input %d kernel %d stride %d dilation %d pads %d %d output %d", w->input,
                     w->kernel, w->stride, w->dilation, w->pad_begin, w->pad_end, w->output);
    }
    return text;
}
