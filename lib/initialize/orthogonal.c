/* Orthogonal weights: gain times the Q of a Gaussian matrix, uniform over orthogonal matrices.
 * Sources: Saxe, McClelland & Ganguli 2014; Mezzadri, math-ph/0609050: without the signs of R's
 * diagonal, Q would not be uniform.
 * SPDX-License-Identifier: MIT */
#include "core/draw.h"
#include "core/qr.h"
#include "core/tasks.h"
#include "initialize/method.h"

#include <assert.h>
#include <math.h>

/* Elements a task draws or writes: a multiple of what a Philox block yields. */
enum { CHUNK = 4096 };

/* The weight is rows x columns; what is decomposed is longer x shorter. */
typedef struct {
    int rows, columns, longer, shorter;
} dimensions;

typedef struct {
    const layer_initialize *initialize;
    dimensions size;
    double *matrix; /* [shorter][longer]: LAPACK's column-major order of longer x shorter */
    double *signs;  /* [shorter] */
    float *weight;
    size_t count;
} decomposition;

static dimensions dimensions_of(const layer_initialize *initialize, size_t count)
{
    const int rows = initialize->shape.extent[0];
    const int columns = (int)(count / (size_t)rows);
    const bool tall = rows >= columns;
    return (dimensions){rows, columns, tall ? rows : columns, tall ? columns : rows};
}

/* The decomposition's multiplications are 2 longer shorter^2, counted twice for being in double. */
static layer_status describe(layer_initialize *initialize, const layer_initialize_options *options,
                             size_t count, layer_error *error)
{
    (void)options;
    (void)error;
    const dimensions size = dimensions_of(initialize, count);
    initialize->std = initialize->gain * sqrt(1.0 / size.longer);
    const uint64_t decomposing = 4 * (uint64_t)count * (uint64_t)size.shorter;
    const uint64_t drawing = (uint64_t)count * LAYER_NORMAL_MULTIPLICATIONS;
    initialize->multiplications = decomposing + drawing;
    return LAYER_OK;
}

static size_t workspace_size(const layer_initialize *initialize, size_t count)
{
    const size_t shorter = (size_t)dimensions_of(initialize, count).shorter;
    return sizeof(double) * (count + shorter + layer_qr_scratch_count((int)shorter));
}

static size_t chunk_end(const decomposition *whole, size_t task)
{
    const size_t end = (task + 1) * CHUNK;
    return end < whole->count ? end : whole->count;
}

/* Element A[i][j] is normal number i * shorter + j of the stream. */
static void draw_chunk(void *argument, size_t task, int thread)
{
    (void)thread;
    const decomposition *const whole = argument;
    const size_t shorter = (size_t)whole->size.shorter, end = chunk_end(whole, task);
    double(*const a)[whole->size.longer] = (double(*)[whole->size.longer])whole->matrix;
    for (size_t first = task * CHUNK; first < end; first += LAYER_NORMALS_PER_BLOCK) {
        double normals[LAYER_NORMALS_PER_BLOCK];
        layer_draw_normals(whole->initialize->seed, first / LAYER_NORMALS_PER_BLOCK, normals);
        for (size_t i = first; i < end && i < first + LAYER_NORMALS_PER_BLOCK; i++)
            a[i % shorter][i / shorter] = normals[i - first];
    }
}

/* The weight is Q, or its transpose where rows < columns. */
static void write_chunk(void *argument, size_t task, int thread)
{
    (void)thread;
    const decomposition *const whole = argument;
    const size_t columns = (size_t)whole->size.columns, end = chunk_end(whole, task);
    const bool tall = whole->size.rows >= whole->size.columns;
    const double(*const q)[whole->size.longer] = (const double(*)[whole->size.longer])whole->matrix;
    for (size_t i = task * CHUNK; i < end; i++) {
        const size_t row = i / columns, column = i % columns;
        const size_t along = tall ? row : column, vector = tall ? column : row;
        const double element = whole->initialize->gain * whole->signs[vector] * q[vector][along];
        whole->weight[i] = (float)element;
    }
}

static layer_status run(const layer_initialize *initialize, float *weight, size_t count,
                        const layer_run *how)
{
    assert(how->workspace != NULL);
    const dimensions size = dimensions_of(initialize, count);
    double *const matrix = how->workspace;
    double *const signs = matrix + count;
    decomposition whole = {initialize, size, matrix, signs, weight, count};
    const size_t chunks = (count + CHUNK - 1) / CHUNK;
    layer_status status = layer_run_tasks(how, chunks, draw_chunk, &whole);
    if (status == LAYER_OK)
        status = layer_qr(size.longer, size.shorter, matrix, signs, signs + size.shorter);
    if (status == LAYER_OK)
        status = layer_run_tasks(how, chunks, write_chunk, &whole);
    return status;
}

const layer_initialize_law layer_initialize_law_ORTHOGONAL = {
    .describe = describe, .workspace_size = workspace_size, .run = run, .widener = "gain"};
