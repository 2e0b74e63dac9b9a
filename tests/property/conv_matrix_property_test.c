/* Properties of a convolution's matrix over random geometries: the definition in all formats, the
 * product with an input, the transposed product with a gradient.
 * SPDX-License-Identifier: MIT */
#include "layer/conv_backward.h"
#include "layer/conv_matrix.h"
#include "oracle/conv_matrix_oracle.h"
#include "oracle/conv_oracle.h"
#include "support/conv_sampling.h"
#include "support/floats.h"
#include "support/threads.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GEOMETRIES = 300, MOST_CELLS = 200000 };

static const double BOUND = 2e-6;

/* A matrix in all formats, by the library. */
typedef struct {
    float *dense, *coo_values, *csr_values;
    int *rows, *columns, *indptr, *indices;
} formats;

static int *integers_new(size_t count)
{
    int *const integers = malloc((count + 1) * sizeof *integers);
    assert_non_null(integers);
    memset(integers, 0xFF, (count + 1) * sizeof *integers);
    return integers;
}

static layer_conv_matrix draw_matrix(sampling *from)
{
    for (;;) {
        layer_conv conv;
        layer_error error;
        conv_geometry drawn = conv_sampling_draw(from, 1, &conv);
        drawn.input.extent[0] = 1;
        assert_int_equal(
            layer_conv_describe(&conv, &drawn.input, &drawn.weight, &drawn.options, &error),
            LAYER_OK);
        if (floats_count(&conv.input) * floats_count(&conv.output) > MOST_CELLS)
            continue;
        layer_conv_matrix matrix;
        assert_int_equal(layer_conv_matrix_describe(&matrix, &conv, &error), LAYER_OK);
        return matrix;
    }
}

static formats write_formats(const layer_conv_matrix *matrix, const float *weight, int threads)
{
    const size_t rows = (size_t)matrix->rows, nonzeros = (size_t)matrix->nonzeros;
    const layer_executor executor = threads_executor(threads);
    const layer_run run = {.executor = threads == 1 ? NULL : &executor};
    const formats to = {
        floats_new(rows * (size_t)matrix->columns),
        floats_new(nonzeros + 1),
        floats_new(nonzeros + 1),
        integers_new(nonzeros),
        integers_new(nonzeros),
        integers_new(rows + 1),
        integers_new(nonzeros),
    };
    assert_int_equal(layer_conv_matrix_dense(matrix, weight, to.dense, &run), LAYER_OK);
    assert_int_equal(
        layer_conv_matrix_coo(matrix, weight, to.rows, to.columns, to.coo_values, &run), LAYER_OK);
    assert_int_equal(
        layer_conv_matrix_csr(matrix, weight, to.indptr, to.indices, to.csr_values, &run),
        LAYER_OK);
    return to;
}

static void release(const formats *matrix)
{
    free(matrix->dense);
    free(matrix->coo_values);
    free(matrix->csr_values);
    free(matrix->rows);
    free(matrix->columns);
    free(matrix->indptr);
    free(matrix->indices);
}

/* Goes through the expected cells by row, then column, and expects each format to say the same. */
static void check_formats(const layer_conv_matrix *matrix, const formats *got, const float *dense,
                          const bool *there)
{
    int nonzero = 0;
    assert_int_equal(got->indptr[0], 0);
    for (int row = 0; row < matrix->rows; row++) {
        for (int column = 0; column < matrix->columns; column++) {
            const size_t cell = (size_t)row * (size_t)matrix->columns + (size_t)column;
            assert_true(got->dense[cell] == dense[cell]);
            if (!there[cell])
                continue;
            assert_true(nonzero < matrix->nonzeros);
            assert_int_equal(got->rows[nonzero], row);
            assert_int_equal(got->columns[nonzero], column);
            assert_int_equal(got->indices[nonzero], column);
            assert_true(got->coo_values[nonzero] == dense[cell]);
            assert_true(got->csr_values[nonzero] == dense[cell]);
            nonzero++;
        }
        assert_int_equal(got->indptr[row + 1], nonzero);
    }
    assert_int_equal(nonzero, matrix->nonzeros);
}

static void formats_are_as_defined(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < GEOMETRIES; number++) {
        const layer_conv_matrix matrix = draw_matrix(from);
        const size_t cells = (size_t)matrix.rows * (size_t)matrix.columns;
        float *const weight = floats_drawn(from, floats_count(&matrix.conv.weight));
        float *const dense = floats_new(cells);
        bool *const there = malloc(cells);
        conv_matrix_oracle(&matrix.conv, weight, dense, there);
        for (int threads = 1; threads <= 2; threads++) {
            const formats got = write_formats(&matrix, weight, threads);
            check_formats(&matrix, &got, dense, there);
            release(&got);
        }
        free(there);
        free(dense);
        free(weight);
    }
}

/* T vec(x) = vec(conv(x, w)). */
static void check_forward(const layer_conv_matrix *matrix, const formats *written,
                          const float *input, const float *weight)
{
    double *const output = doubles_new((size_t)matrix->rows);
    conv_oracle(&matrix->conv, input, weight, NULL, output);
    for (int row = 0; row < matrix->rows; row++) {
        double sum = 0;
        for (int i = written->indptr[row]; i < written->indptr[row + 1]; i++)
            sum += (double)written->csr_values[i] * (double)input[written->indices[i]];
        if (!(fabs(sum - output[row]) <= 1e-9))
            fail_msg("%s: row %d makes %.9g, the convolution %.9g",
                     conv_sampling_sentence(&matrix->conv), row, sum, output[row]);
    }
    free(output);
}

/* T' vec(g) = vec(grad_input). */
static void check_backward(const layer_conv_matrix *matrix, const formats *written,
                           const float *weight, const float *gradient)
{
    const size_t columns = (size_t)matrix->columns;
    float *const grad_input = floats_new(columns);
    double *const sums = doubles_new(columns), *const magnitudes = doubles_new(columns);
    void *const workspace =
        floats_workspace(layer_conv_grad_input_workspace_size(&matrix->conv, 1));
    assert_int_equal(layer_conv_grad_input(&matrix->conv, weight, gradient, grad_input,
                                           &(layer_run){.workspace = workspace}),
                     LAYER_OK);
    for (size_t i = 0; i < columns; i++)
        sums[i] = magnitudes[i] = 0;
    for (int i = 0; i < matrix->nonzeros; i++) {
        const double term = (double)written->coo_values[i] * (double)gradient[written->rows[i]];
        sums[written->columns[i]] += term;
        magnitudes[written->columns[i]] += fabs(term);
    }
    const double allowed = BOUND * doubles_largest(magnitudes, columns);
    for (size_t i = 0; i < columns; i++)
        if (!(fabs(sums[i] - (double)grad_input[i]) <= allowed))
            fail_msg("%s: column %zu makes %.9g, grad_input is %.9g",
                     conv_sampling_sentence(&matrix->conv), i, sums[i], (double)grad_input[i]);
    free(workspace);
    free(magnitudes);
    free(sums);
    free(grad_input);
}

static void products_are_the_convolution(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < GEOMETRIES; number++) {
        const layer_conv_matrix matrix = draw_matrix(from);
        float *const weight = floats_drawn(from, floats_count(&matrix.conv.weight));
        float *const input = floats_drawn(from, (size_t)matrix.columns);
        float *const gradient = floats_drawn(from, (size_t)matrix.rows);
        const formats written = write_formats(&matrix, weight, 2);
        check_forward(&matrix, &written, input, weight);
        check_backward(&matrix, &written, weight, gradient);
        release(&written);
        free(gradient);
        free(input);
        free(weight);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(formats_are_as_defined, &from),
        cmocka_unit_test_prestate(products_are_the_convolution, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
