/* Describing convolutions as matrices: what is counted, what is refused, stopping early.
 * SPDX-License-Identifier: MIT */
#include "layer/conv_matrix.h"
#include "support/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static layer_conv describe(layer_shape input, layer_shape weight, layer_conv_options options)
{
    layer_conv conv;
    layer_error error;
    assert_int_equal(layer_conv_describe(&conv, &input, &weight, &options, &error), LAYER_OK);
    return conv;
}

static void cells_are_counted(void **state)
{
    (void)state;
    static const struct {
        layer_shape input, weight;
        layer_conv_options options;
        int rows, columns, nonzeros;
    } cases[] = {
        {{4, {1, 1, 3, 3}}, {4, {1, 1, 2, 2}}, {.group = 0}, 4, 9, 16},
        {{4, {1, 3, 224, 224}},
         {4, {8, 3, 3, 3}},
         {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER},
         8 * 224 * 224,
         3 * 224 * 224,
         8 * 3 * (224 * 3 - 2) * (224 * 3 - 2)},
        {{3, {1, 4, 5}},
         {3, {6, 2, 2}},
         {.group = 2, .geometry.strides = {2}},
         6 * 2,
         4 * 5,
         6 * 2 * 2 * 2},
        {{3, {1, 1, 1}}, {3, {1, 1, 1}}, {.geometry.pads_begin = {3}}, 4, 1, 1},
        {{3, {1, 1, 1}},
         {3, {1, 1, 1}},
         {.geometry.pads_begin = {1}, .geometry.strides = {2}},
         1,
         1,
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const layer_conv conv = describe(cases[i].input, cases[i].weight, cases[i].options);
        layer_conv_matrix matrix;
        layer_error error;
        assert_int_equal(layer_conv_matrix_describe(&matrix, &conv, &error), LAYER_OK);
        assert_int_equal(matrix.rows, cases[i].rows);
        assert_int_equal(matrix.columns, cases[i].columns);
        assert_int_equal(matrix.nonzeros, cases[i].nonzeros);
    }
}

static void check_refusal(const layer_conv *conv, layer_status status, const char *reason)
{
    layer_conv_matrix matrix;
    layer_error error;
    spoil(&matrix, sizeof matrix);
    const layer_status returned = layer_conv_matrix_describe(&matrix, conv, &error);
    expect_refusal(returned, &error, &(refusal){status, "input", reason});
    expect_spoilt(&matrix, sizeof matrix);
}

static void batches_and_too_many_nonzeros_are_refused(void **state)
{
    (void)state;
    const layer_conv_options defaults = {0};
    const layer_conv batch =
        describe((layer_shape){3, {2, 1, 3}}, (layer_shape){3, {1, 1, 1}}, defaults);
    const layer_conv large =
        describe((layer_shape){4, {1, 1, 4096, 4096}}, (layer_shape){4, {1, 1, 32, 32}}, defaults);
    check_refusal(&batch, LAYER_INVALID,
                  "input is a batch of 2, expected one sample: the matrix is the same for each");
    check_refusal(&large, LAYER_TOO_LARGE,
                  "the matrix has 16920806400 nonzeros, expected at most 2147483647");
}

static void a_matrix_without_nonzeros_needs_no_lists(void **state)
{
    (void)state;
    const layer_conv conv =
        describe((layer_shape){3, {1, 1, 1}}, (layer_shape){3, {1, 1, 1}},
                 (layer_conv_options){.geometry.pads_begin = {1}, .geometry.strides = {2}});
    const float weight = 5;
    const layer_run run = {0};
    layer_conv_matrix matrix;
    layer_error error;
    float dense = 1;
    int indptr[2] = {-1, -1};
    assert_int_equal(layer_conv_matrix_describe(&matrix, &conv, &error), LAYER_OK);
    assert_int_equal(layer_conv_matrix_dense(&matrix, &weight, &dense, &run), LAYER_OK);
    assert_int_equal(layer_conv_matrix_coo(&matrix, &weight, NULL, NULL, NULL, &run), LAYER_OK);
    assert_int_equal(layer_conv_matrix_csr(&matrix, &weight, indptr, NULL, NULL, &run), LAYER_OK);
    assert_true(dense == 0);
    assert_int_equal(indptr[0], 0);
    assert_int_equal(indptr[1], 0);
}

static void cancelling_stops(void **state)
{
    (void)state;
    const layer_conv conv =
        describe((layer_shape){3, {1, 1, 2}}, (layer_shape){3, {1, 1, 1}}, (layer_conv_options){0});
    const float weight = 5;
    const int cancelled = 1;
    const layer_run run = {.cancelled = &cancelled};
    layer_conv_matrix matrix;
    layer_error error;
    float dense[4], values[2];
    int rows[2], columns[2], indptr[3];
    assert_int_equal(layer_conv_matrix_describe(&matrix, &conv, &error), LAYER_OK);
    assert_int_equal(layer_conv_matrix_dense(&matrix, &weight, dense, &run), LAYER_CANCELLED);
    assert_int_equal(layer_conv_matrix_coo(&matrix, &weight, rows, columns, values, &run),
                     LAYER_CANCELLED);
    assert_int_equal(layer_conv_matrix_csr(&matrix, &weight, indptr, columns, values, &run),
                     LAYER_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_counted),
        cmocka_unit_test(batches_and_too_many_nonzeros_are_refused),
        cmocka_unit_test(a_matrix_without_nonzeros_needs_no_lists),
        cmocka_unit_test(cancelling_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
