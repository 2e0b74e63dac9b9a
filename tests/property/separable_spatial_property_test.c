/* Properties of spatially separable convolution over random geometries, each and shared: the
 * definition forward and backward, finite differences, adjoint identities, and that factors of full
 * rank make any convolution.
 * SPDX-License-Identifier: MIT */
#include "layer/factorize.h"
#include "layer/separable_spatial.h"
#include "oracle/conv_oracle.h"
#include "oracle/separable_spatial_oracle.h"
#include "support/conv_sampling.h"
#include "support/floats.h"
#include "support/multilinear.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GEOMETRIES = 250, DIFFERENCE_GEOMETRIES = 25, ADJOINT_GEOMETRIES = 100, FULL = 80 };

typedef struct {
    layer_separable_spatial separable;
    layer_conv whole;
} sample;

/* ---- As a multilinear layer ------------------------------------------------------------------ */

typedef enum { INPUT, COLUMN, ROW, BIAS, OPERANDS } operand;

static layer_separable_spatial_operands named(float *const operands[])
{
    return (layer_separable_spatial_operands){operands[INPUT], operands[COLUMN], operands[ROW],
                                              operands[BIAS]};
}

static void define(const void *described, float *const operands[], double *output)
{
    const sample *const drawn = described;
    const separable_spatial of = {&drawn->separable, &drawn->whole};
    const layer_separable_spatial_operands given = named(operands);
    separable_spatial_oracle(&of, &given, output);
}

static void define_gradients(const void *described, float *const operands[],
                             const float *grad_output, double *const gradients[])
{
    const sample *const drawn = described;
    const separable_spatial of = {&drawn->separable, &drawn->whole};
    const layer_separable_spatial_operands given = named(operands);
    const separable_spatial_gradients wanted = {gradients[INPUT], gradients[COLUMN], gradients[ROW],
                                                gradients[BIAS]};
    separable_spatial_backward_oracle(&of, &given, grad_output, &wanted);
}

static size_t workspace_size(const void *described, int threads)
{
    return layer_separable_spatial_workspace_size(&((const sample *)described)->separable, threads);
}

static layer_status forward(const void *described, float *const operands[], float *output,
                            const layer_run *run)
{
    const layer_separable_spatial_operands given = named(operands);
    return layer_separable_spatial_forward(&((const sample *)described)->separable, &given, output,
                                           run);
}

static size_t backward_workspace_size(const void *described, int threads)
{
    return layer_separable_spatial_backward_workspace_size(&((const sample *)described)->separable,
                                                           threads);
}

static layer_status backward(const void *described, float *const operands[],
                             const float *grad_output, float *const gradients[],
                             const layer_run *run)
{
    const layer_separable_spatial_operands given = named(operands);
    const layer_separable_spatial_gradients wanted = {gradients[INPUT], gradients[COLUMN],
                                                      gradients[ROW], gradients[BIAS]};
    return layer_separable_spatial_backward(&((const sample *)described)->separable, &given,
                                            grad_output, &wanted, run);
}

static const char *sentence(const sample *drawn)
{
    static char text[640];
    const layer_shape *const column = &drawn->separable.column;
    snprintf(text, sizeof text, "%s, column %dx%dx%dx%d: %s",
             drawn->separable.is_shared ? "shared" : "each", column->extent[0], column->extent[1],
             column->extent[2], column->extent[3], conv_sampling_sentence(&drawn->whole));
    return text;
}

static multilinear as_multilinear(const sample *drawn)
{
    const layer_separable_spatial *const separable = &drawn->separable;
    return (multilinear){
        .described = drawn,
        .sentence = sentence(drawn),
        .operands = OPERANDS,
        .operand = {[INPUT] = {"input", floats_count(&separable->input), false},
                    [COLUMN] = {"column", floats_count(&separable->column), false},
                    [ROW] = {"row", floats_count(&separable->row), false},
                    [BIAS] = {"bias", (size_t)separable->row.extent[0], true}},
        .outputs = floats_count(&separable->output),
        .define = define,
        .define_gradients = define_gradients,
        .workspace_size = workspace_size,
        .forward = forward,
        .backward_workspace_size = backward_workspace_size,
        .backward = backward,
    };
}

/* ---- Geometries ------------------------------------------------------------------------------ */

/* Any convolution over two axes. */
static conv_geometry draw_geometry(sampling *from)
{
    const int group = sampling_between(from, 0, 2) == 0 ? sampling_between(from, 2, 4) : 1;
    const int channels = sampling_between(from, 1, 4);
    const int outputs = sampling_between(from, 0, 3) == 0 ? sampling_between(from, 6, 12)
                                                          : sampling_between(from, 1, 4);
    conv_geometry drawn = {
        .input = {4, {sampling_between(from, 1, 3), group * channels}},
        .weight = {4, {group * outputs, channels}},
        .options = {.group = group,
                    .mode = (layer_conv_mode)sampling_between(from, 0, 1),
                    .geometry = conv_sampling_geometry(from, 2)},
    };
    for (int axis = 2; axis < 4; axis++) {
        drawn.input.extent[axis] =
            sampling_between(from, 0, 7) == 0 ? 1 : sampling_between(from, 2, 25);
        drawn.weight.extent[axis] = sampling_between(from, 1, 6);
    }
    return drawn;
}

/* The factors of such kernels, M products each or M intermediate channels a group. */
static void shape_factors(const conv_geometry *geometry, bool shared, int products,
                          layer_shape *column, layer_shape *row)
{
    const int *const weight = geometry->weight.extent;
    if (shared) {
        *column = (layer_shape){3, {products * geometry->options.group, weight[1], weight[2]}};
        *row = (layer_shape){3, {weight[0], products, weight[3]}};
    } else {
        *column = (layer_shape){4, {weight[0], weight[1], products, weight[2]}};
        *row = (layer_shape){4, {weight[0], weight[1], products, weight[3]}};
    }
}

/* What fits as a convolution fits as a separable one, and has the same windows. */
static void describe(const conv_geometry *geometry, bool shared, int products, sample *drawn)
{
    layer_shape column, row;
    layer_error error;
    shape_factors(geometry, shared, products, &column, &row);
    assert_int_equal(layer_separable_spatial_describe(&drawn->separable, &geometry->input, &column,
                                                      &row, &geometry->options, &error),
                     LAYER_OK);
    assert_int_equal(drawn->separable.is_shared, shared);
    assert_int_equal(drawn->separable.full_multiplications, drawn->whole.multiplications);
    assert_memory_equal(drawn->separable.window, drawn->whole.window, sizeof drawn->whole.window);
    assert_memory_equal(&drawn->separable.output, &drawn->whole.output, sizeof drawn->whole.output);
}

static sample draw(sampling *from)
{
    const bool shared = sampling_between(from, 0, 1) == 1;
    for (;;) {
        const conv_geometry geometry = draw_geometry(from);
        sample drawn;
        layer_error error;
        if (layer_conv_describe(&drawn.whole, &geometry.input, &geometry.weight, &geometry.options,
                                &error) != LAYER_OK)
            continue;
        describe(&geometry, shared, sampling_between(from, 1, shared ? 7 : 3), &drawn);
        return drawn;
    }
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void it_is_as_defined(void **state)
{
    for (int number = 0; number < GEOMETRIES; number++) {
        const sample drawn = draw(*state);
        const multilinear layer = as_multilinear(&drawn);
        multilinear_check_definition(*state, &layer);
    }
}

static void gradients_are_differences_of_the_definition(void **state)
{
    for (int number = 0; number < DIFFERENCE_GEOMETRIES; number++) {
        const sample drawn = draw(*state);
        const multilinear layer = as_multilinear(&drawn);
        multilinear_check_differences(*state, &layer);
    }
}

static void gradients_are_adjoint_to_going_forward(void **state)
{
    for (int number = 0; number < ADJOINT_GEOMETRIES; number++) {
        const sample drawn = draw(*state);
        const multilinear layer = as_multilinear(&drawn);
        multilinear_check_adjoint(*state, &layer);
    }
}

static layer_factorize describe_factors(const layer_shape *weight, layer_factorize_scheme scheme,
                                        int rank)
{
    const layer_factorize_options options = {.scheme = scheme, .rank = rank};
    layer_factorize bank;
    layer_error error;
    assert_int_equal(layer_factorize_describe(&bank, weight, &options, &error), LAYER_OK);
    return bank;
}

/* Factors of the highest rank, of which nothing is left out. */
static void factorize(const layer_factorize *bank, const float *weight, float *column, float *row)
{
    layer_factorized result;
    float *const values = floats_new(bank->values);
    void *const workspace = floats_workspace(layer_factorize_workspace_size(bank, 1));
    assert_int_equal(layer_factorize_run(bank, weight, column, row, values, &result,
                                         &(layer_run){.workspace = workspace}),
                     LAYER_OK);
    free(workspace);
    free(values);
}

/* Any convolution; where there are groups factors are of each kernel. */
static sample draw_full(sampling *from, layer_factorize *bank)
{
    sample drawn;
    layer_error error;
    conv_geometry geometry;
    do
        geometry = draw_geometry(from);
    while (layer_conv_describe(&drawn.whole, &geometry.input, &geometry.weight, &geometry.options,
                               &error) != LAYER_OK);
    const bool shared = drawn.whole.group == 1 && sampling_between(from, 0, 1) == 1;
    const layer_factorize_scheme scheme = shared ? LAYER_FACTORIZE_SHARED : LAYER_FACTORIZE_EACH;
    *bank = describe_factors(&geometry.weight, scheme, 0);
    const int rank = shared ? bank->shared_most : bank->each_most;
    *bank = describe_factors(&geometry.weight, scheme, rank);
    describe(&geometry, shared, rank, &drawn);
    return drawn;
}

static void full_factors_make_the_convolution(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < FULL; number++) {
        layer_factorize bank;
        const sample drawn = draw_full(from, &bank);
        const multilinear layer = as_multilinear(&drawn);
        float *operands[OPERANDS] = {0};
        for (operand i = 0; i < OPERANDS; i++)
            operands[i] = floats_drawn(from, layer.operand[i].count);
        float *const weight = floats_drawn(from, floats_count(&drawn.whole.weight));
        double *const expected = doubles_new(layer.outputs);
        factorize(&bank, weight, operands[COLUMN], operands[ROW]);
        conv_oracle(&drawn.whole, operands[INPUT], weight, operands[BIAS], expected);
        multilinear_check_output(&layer, operands, expected);
        free(expected);
        free(weight);
        for (operand i = 0; i < OPERANDS; i++)
            free(operands[i]);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(it_is_as_defined, &from),
        cmocka_unit_test_prestate(gradients_are_differences_of_the_definition, &from),
        cmocka_unit_test_prestate(gradients_are_adjoint_to_going_forward, &from),
        cmocka_unit_test_prestate(full_factors_make_the_convolution, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
