/* Properties of unpooling over random geometries: the definition, pooling undone, the same bits for
 * any number of threads, cancellation.
 * SPDX-License-Identifier: MIT */
#include "oracle/unpool_oracle.h"
#include "support/pooling.h"
#include "support/threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GEOMETRIES = 500, MOST_THREADS = 3 };

static size_t count_of(const layer_shape *shape)
{
    size_t count = 0;
    layer_error error;
    assert_int_equal(layer_shape_count(shape, "shape", &count, &error), LAYER_OK);
    return count;
}

static layer_unpool draw(sampling *from)
{
    for (;;) {
        const int axes = sampling_between(from, 1, 3);
        const int most = axes == 1 ? 40 : axes == 2 ? 12 : 5;
        layer_shape input = {2 + axes,
                             {sampling_between(from, 1, 3), sampling_between(from, 1, 4)}};
        layer_unpool_options options = {
            .index_base = (layer_index_base)sampling_between(from, 0, 1),
            .index_shape = (layer_index_shape)sampling_between(from, 0, 1),
        };
        const bool shaped = sampling_between(from, 0, 1) == 1;
        for (int axis = 0; axis < axes; axis++) {
            input.extent[2 + axis] = sampling_between(from, 1, most);
            options.kernel[axis] = sampling_between(from, 1, 4);
            options.strides[axis] = sampling_between(from, 0, 4);
            options.pads_begin[axis] = sampling_between(from, 0, 2);
            options.pads_end[axis] = sampling_between(from, 0, 2);
            options.output[axis] = shaped ? sampling_between(from, 1, 4 * most) : 0;
        }
        layer_unpool unpool;
        layer_error error;
        if (layer_unpool_describe(&unpool, &input, &options, &error) == LAYER_OK)
            return unpool;
        assert_true(strcmp(error.argument, "pads") == 0 ||
                    strcmp(error.argument, "output_shape") == 0);
    }
}

static float *draw_indices(sampling *from, const layer_unpool *unpool, size_t count)
{
    float *const indices = malloc(count * sizeof *indices);
    int cells = unpool->indexed[0] * unpool->indexed[1] * unpool->indexed[2];
    if (unpool->index_base == LAYER_INDEX_BASE_TENSOR)
        cells *= unpool->input.extent[0] * unpool->input.extent[1];
    for (size_t i = 0; i < count; i++)
        indices[i] = (float)sampling_between(from, -1, cells - 1);
    return indices;
}

static layer_status run(const layer_unpool *unpool, const float *input, const float *indices,
                        float *output, int threads, const int *cancelled)
{
    const layer_executor executor = threads_executor(threads);
    const layer_run how = {.executor = threads == 1 ? NULL : &executor, .cancelled = cancelled};
    memset(output, 0xFF, count_of(&unpool->output) * sizeof *output);
    return layer_unpool_forward(unpool, input, indices, output, &how);
}

static void values_go_to_their_cells(void **state)
{
    sampling *const from = *state;
    const int cancelled = 1;
    for (int number = 0; number < GEOMETRIES; number++) {
        const layer_unpool unpool = draw(from);
        const size_t inputs = count_of(&unpool.input), outputs = count_of(&unpool.output);
        float *const input = pooling_numbers(from, inputs, false);
        float *const indices = draw_indices(from, &unpool, inputs);
        float *const output = malloc(outputs * sizeof *output);
        float *const expected = malloc(outputs * sizeof *expected);
        layer_error error;
        assert_int_equal(layer_unpool_check_indices(&unpool, indices, &error), LAYER_OK);
        unpool_oracle(&unpool, input, indices, expected);
        for (int threads = 1; threads <= MOST_THREADS; threads++) {
            assert_int_equal(run(&unpool, input, indices, output, threads, NULL), LAYER_OK);
            assert_memory_equal(output, expected, outputs * sizeof *output);
        }
        assert_int_equal(run(&unpool, input, indices, output, 2, &cancelled), LAYER_CANCELLED);
        free(input);
        free(indices);
        free(output);
        free(expected);
    }
}

/* What the input is where the indices say, and 0 elsewhere. */
static float *maxima_alone(const layer_pool *pool, const float *input, const float *indices)
{
    const size_t planes = (size_t)pool->input.extent[0] * (size_t)pool->input.extent[1];
    const size_t inputs = pooling_inputs(pool), outputs = pooling_outputs(pool);
    float *const maxima = calloc(inputs, sizeof *maxima);
    for (size_t i = 0; i < outputs; i++) {
        if (indices[i] < 0)
            continue;
        const bool in_plane = pool->index_base == LAYER_INDEX_BASE_PLANE;
        const size_t first = in_plane ? i / (outputs / planes) * (inputs / planes) : 0;
        maxima[first + (size_t)indices[i]] = input[first + (size_t)indices[i]];
    }
    return maxima;
}

static layer_unpool describe_inverse(const layer_pool *pool)
{
    layer_unpool_options options = {.index_base = pool->index_base};
    for (int axis = 0; axis < pool->axes; axis++) {
        options.kernel[axis] = 1;
        options.output[axis] = pool->input.extent[2 + axis];
    }
    layer_unpool unpool;
    layer_error error;
    assert_int_equal(layer_unpool_describe(&unpool, &pool->output, &options, &error), LAYER_OK);
    return unpool;
}

static void check_inverse(const layer_pool *pool, const float *input)
{
    const size_t inputs = pooling_inputs(pool), outputs = pooling_outputs(pool);
    const layer_unpool unpool = describe_inverse(pool);
    float *const output = malloc(outputs * sizeof *output);
    float *const indices = malloc(outputs * sizeof *indices);
    float *const undone = malloc(inputs * sizeof *undone);
    layer_error error;
    assert_int_equal(pooling_forward(pool, input, output, indices, (pooling_way){.threads = 1}),
                     LAYER_OK);
    assert_int_equal(layer_unpool_check_indices(&unpool, indices, &error), LAYER_OK);
    assert_int_equal(run(&unpool, output, indices, undone, 2, NULL), LAYER_OK);
    float *const expected = maxima_alone(pool, input, indices);
    assert_memory_equal(undone, expected, inputs * sizeof *undone);
    free(output);
    free(indices);
    free(undone);
    free(expected);
}

/* A pooling's output put back by its indices: what was a maximum is there again. */
static void pooling_is_undone(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < GEOMETRIES;) {
        const layer_pool pool = pooling_draw(from);
        if (pool.kind != LAYER_POOL_MAX || pool.column_major)
            continue;
        number++;
        float *const input = pooling_numbers(from, pooling_inputs(&pool), false);
        check_inverse(&pool, input);
        free(input);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(values_go_to_their_cells, &from),
        cmocka_unit_test_prestate(pooling_is_undone, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
