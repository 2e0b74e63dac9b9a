/* Pooling by its definition, in double: what every kind is held to, forward and backward.
 * SPDX-License-Identifier: MIT */
#include "oracle/pool_oracle.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { AXES = LAYER_MAX_SPATIAL };

/* A window: its real cells in row-major order, as offsets into the plane, and what a mean divides
 * by. */
typedef struct {
    size_t *cells;
    size_t count;
    double divisor;
} seen;

static bool lies_between(const int position[AXES], const int begin[AXES], const int end[AXES])
{
    for (int axis = 0; axis < AXES; axis++)
        if (position[axis] < begin[axis] || position[axis] >= end[axis])
            return false;
    return true;
}

/* One kernel cell of the window at p. */
static void look(const layer_pool *pool, const int p[AXES], const int r[AXES], seen *window)
{
    int position[AXES], input_begin[AXES] = {0}, input_end[AXES], begin[AXES], end[AXES];
    for (int axis = 0; axis < AXES; axis++) {
        const layer_window *const w = &pool->window[axis];
        position[axis] = p[axis] * w->stride - w->pad_begin + r[axis] * w->dilation;
        input_end[axis] = w->input;
        begin[axis] = pool->count_include_pad ? -w->pad_begin : 0;
        end[axis] = w->input + (pool->count_include_pad ? w->pad_end : 0);
    }
    if (lies_between(position, input_begin, input_end))
        window->cells[window->count++] =
            ((size_t)position[0] * (size_t)input_end[1] + (size_t)position[1]) *
                (size_t)input_end[2] +
            (size_t)position[2];
    window->divisor += lies_between(position, begin, end);
}

static void look_at_all(const layer_pool *pool, const int p[AXES], seen *window)
{
    int r[AXES];
    window->count = 0;
    window->divisor = 0;
    for (r[0] = 0; r[0] < pool->window[0].kernel; r[0]++)
        for (r[1] = 0; r[1] < pool->window[1].kernel; r[1]++)
            for (r[2] = 0; r[2] < pool->window[2].kernel; r[2]++)
                look(pool, p, r, window);
}

/* The place among the window's cells of the first NaN, or else of the first that none exceeds. */
static size_t first_largest(const double *plane, const seen *window)
{
    size_t largest = 0;
    for (size_t i = 0; i < window->count; i++)
        if (isnan(plane[window->cells[i]]))
            return i;
    for (size_t i = 1; i < window->count; i++)
        if (plane[window->cells[i]] > plane[window->cells[largest]])
            largest = i;
    return largest;
}

static double value_of(const layer_pool *pool, const double *plane, const seen *window)
{
    double sum = 0;
    if (window->count == 0)
        return pool->kind == LAYER_POOL_MAX ? -INFINITY : 0;
    if (pool->kind == LAYER_POOL_MAX)
        return plane[window->cells[first_largest(plane, window)]];
    for (size_t i = 0; i < window->count; i++) {
        const double x = plane[window->cells[i]];
        sum += pool->kind == LAYER_POOL_AVERAGE ? x : pow(fabs(x), pool->p);
    }
    return pool->kind == LAYER_POOL_AVERAGE ? sum / window->divisor : pow(sum, 1 / pool->p);
}

static double index_of(const layer_pool *pool, size_t plane, const double *x, const seen *window)
{
    const size_t depth = (size_t)pool->window[0].input, height = (size_t)pool->window[1].input;
    const size_t width = (size_t)pool->window[2].input;
    if (window->count == 0)
        return -1;
    size_t cell = window->cells[first_largest(x, window)];
    if (pool->column_major)
        cell =
            cell / (height * width) + cell / width % height * depth + cell % width * depth * height;
    return (double)(cell + (pool->index_base == LAYER_INDEX_BASE_TENSOR
                                ? plane * depth * height * width
                                : 0));
}

/* The derivative of the window's value by its cell number i. */
static double derivative(const layer_pool *pool, const double *plane, const seen *window, size_t i)
{
    const double x = plane[window->cells[i]];
    if (pool->kind == LAYER_POOL_MAX)
        return i == first_largest(plane, window);
    if (pool->kind == LAYER_POOL_AVERAGE)
        return 1 / window->divisor;
    const double norm = value_of(pool, plane, window);
    const double sign = x > 0 ? 1 : x < 0 ? -1 : 0;
    return norm == 0 ? 0 : sign * pow(fabs(x), pool->p - 1) * pow(norm, 1 - pool->p);
}

typedef void visit(void *context, size_t plane, size_t output, const seen *window);

static void visit_windows(const layer_pool *pool, visit *function, void *context)
{
    const size_t planes = (size_t)pool->input.extent[0] * (size_t)pool->input.extent[1];
    size_t kernel = 1, output = 0;
    for (int axis = 0; axis < AXES; axis++)
        kernel *= (size_t)pool->window[axis].kernel;
    seen window = {.cells = malloc(kernel * sizeof *window.cells)};
    if (window.cells == NULL)
        abort();
    int p[AXES];
    for (size_t plane = 0; plane < planes; plane++)
        for (p[0] = 0; p[0] < pool->window[0].output; p[0]++)
            for (p[1] = 0; p[1] < pool->window[1].output; p[1]++)
                for (p[2] = 0; p[2] < pool->window[2].output; p[2]++, output++) {
                    look_at_all(pool, p, &window);
                    function(context, plane, output, &window);
                }
    free(window.cells);
}

typedef struct {
    const layer_pool *pool;
    size_t plane_cells;
    const double *input, *grad_output;
    double *output, *indices, *grad_input;
} tensors;

static size_t plane_cells(const layer_pool *pool)
{
    return (size_t)pool->window[0].input * (size_t)pool->window[1].input *
           (size_t)pool->window[2].input;
}

static void forward(void *context, size_t plane, size_t output, const seen *window)
{
    const tensors *const all = context;
    const double *const x = all->input + plane * all->plane_cells;
    all->output[output] = value_of(all->pool, x, window);
    if (all->indices != NULL)
        all->indices[output] = index_of(all->pool, plane, x, window);
}

void pool_oracle(const layer_pool *pool, const double *input, double *output, double *indices)
{
    tensors all = {pool, plane_cells(pool), input, NULL, output, indices, NULL};
    visit_windows(pool, forward, &all);
}

static void backward(void *context, size_t plane, size_t output, const seen *window)
{
    const tensors *const all = context;
    const double *const x = all->input + plane * all->plane_cells;
    for (size_t i = 0; i < window->count; i++)
        all->grad_input[plane * all->plane_cells + window->cells[i]] +=
            all->grad_output[output] * derivative(all->pool, x, window, i);
}

void pool_backward_oracle(const layer_pool *pool, const double *input, const double *grad_output,
                          double *grad_input)
{
    const size_t planes = (size_t)pool->input.extent[0] * (size_t)pool->input.extent[1];
    tensors all = {pool, plane_cells(pool), input, grad_output, NULL, NULL, grad_input};
    for (size_t i = 0; i < planes * all.plane_cells; i++)
        grad_input[i] = 0;
    visit_windows(pool, backward, &all);
}
