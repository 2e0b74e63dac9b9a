/* Properties of depthwise-separable convolution over random geometries: the definition forward and
 * backward, finite differences, adjoint identities, the convolution in one piece.
 * SPDX-License-Identifier: MIT */
#include "layer/separable_depthwise.h"
#include "oracle/conv_oracle.h"
#include "oracle/separable_depthwise_oracle.h"
#include "support/conv_sampling.h"
#include "support/floats.h"
#include "support/multilinear.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { GEOMETRIES = 300, DIFFERENCE_GEOMETRIES = 40, ADJOINT_GEOMETRIES = 150, WHOLE = 100 };

typedef struct {
    layer_shape input, depthwise, pointwise;
    layer_conv_options options;
} geometry;

/* ---- As a multilinear layer ------------------------------------------------------------------ */

typedef enum { INPUT, DEPTHWISE, DEPTHWISE_BIAS, POINTWISE, POINTWISE_BIAS, OPERANDS } operand;

static layer_separable_depthwise_operands named(float *const operands[])
{
    return (layer_separable_depthwise_operands){operands[INPUT], operands[DEPTHWISE],
                                                operands[DEPTHWISE_BIAS], operands[POINTWISE],
                                                operands[POINTWISE_BIAS]};
}

static void define(const void *described, float *const operands[], double *output)
{
    const layer_separable_depthwise_operands given = named(operands);
    separable_depthwise_oracle(described, &given, output);
}

static void define_gradients(const void *described, float *const operands[],
                             const float *grad_output, double *const gradients[])
{
    const layer_separable_depthwise_operands given = named(operands);
    const separable_depthwise_gradients wanted = {gradients[INPUT], gradients[DEPTHWISE],
                                                  gradients[DEPTHWISE_BIAS], gradients[POINTWISE],
                                                  gradients[POINTWISE_BIAS]};
    separable_depthwise_backward_oracle(described, &given, grad_output, &wanted);
}

static size_t workspace_size(const void *described, int threads)
{
    return layer_separable_depthwise_workspace_size(described, threads);
}

static layer_status forward(const void *described, float *const operands[], float *output,
                            const layer_run *run)
{
    const layer_separable_depthwise_operands given = named(operands);
    return layer_separable_depthwise_forward(described, &given, output, run);
}

static size_t backward_workspace_size(const void *described, int threads)
{
    return layer_separable_depthwise_backward_workspace_size(described, threads);
}

static layer_status backward(const void *described, float *const operands[],
                             const float *grad_output, float *const gradients[],
                             const layer_run *run)
{
    const layer_separable_depthwise_operands given = named(operands);
    const layer_separable_depthwise_gradients wanted = {
        gradients[INPUT], gradients[DEPTHWISE], gradients[DEPTHWISE_BIAS], gradients[POINTWISE],
        gradients[POINTWISE_BIAS]};
    return layer_separable_depthwise_backward(described, &given, grad_output, &wanted, run);
}

static multilinear as_multilinear(const layer_separable_depthwise *separable)
{
    const layer_conv *const depthwise = &separable->depthwise;
    const layer_conv *const pointwise = &separable->pointwise;
    return (multilinear){
        .described = separable,
        .sentence = conv_sampling_sentence(depthwise),
        .operands = OPERANDS,
        .operand = {[INPUT] = {"input", floats_count(&depthwise->input), false},
                    [DEPTHWISE] = {"depthwise_weight", floats_count(&depthwise->weight), false},
                    [DEPTHWISE_BIAS] = {"depthwise_bias", (size_t)depthwise->weight.extent[0],
                                        true},
                    [POINTWISE] = {"pointwise_weight", floats_count(&pointwise->weight), false},
                    [POINTWISE_BIAS] = {"pointwise_bias", (size_t)pointwise->weight.extent[0],
                                        true}},
        .outputs = floats_count(&pointwise->output),
        .define = define,
        .define_gradients = define_gradients,
        .workspace_size = workspace_size,
        .forward = forward,
        .backward_workspace_size = backward_workspace_size,
        .backward = backward,
    };
}

/* ---- Geometries ------------------------------------------------------------------------------ */

static geometry draw_geometry(sampling *from)
{
    const int axes = sampling_between(from, 1, 3);
    const int most_extent = axes == 1 ? 200 : axes == 2 ? 25 : 8;
    const int channels = sampling_between(from, 1, 6);
    const int middles = channels * sampling_between(from, 1, 3);
    geometry drawn = {
        .input = {2 + axes, {sampling_between(from, 1, 3), channels}},
        .depthwise = {2 + axes, {middles, 1}},
        .pointwise = {2 + axes,
                      {sampling_between(from, 0, 3) == 0 ? sampling_between(from, 8, 40)
                                                         : sampling_between(from, 1, 5),
                       middles, 1, 1, 1}},
        .options = {.mode = (layer_conv_mode)sampling_between(from, 0, 1),
                    .geometry = conv_sampling_geometry(from, axes)},
    };
    for (int axis = 2; axis < 2 + axes; axis++) {
        drawn.input.extent[axis] =
            sampling_between(from, 0, 7) == 0 ? 1 : sampling_between(from, 2, most_extent);
        drawn.depthwise.extent[axis] = sampling_between(from, 1, axes == 1 ? 9 : 5);
    }
    return drawn;
}

/* Draws until the shapes fit together. */
static layer_separable_depthwise draw(sampling *from)
{
    for (;;) {
        const geometry drawn = draw_geometry(from);
        layer_separable_depthwise separable;
        layer_error error;
        const layer_status status = layer_separable_depthwise_describe(
            &separable, &drawn.input, &drawn.depthwise, &drawn.pointwise, &drawn.options, &error);
        if (status == LAYER_OK)
            return separable;
        assert_int_equal(status, LAYER_INVALID);
        assert_string_equal(error.argument, "depthwise_weight");
    }
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void it_is_as_defined(void **state)
{
    for (int number = 0; number < GEOMETRIES; number++) {
        const layer_separable_depthwise separable = draw(*state);
        const multilinear layer = as_multilinear(&separable);
        multilinear_check_definition(*state, &layer);
    }
}

static void gradients_are_differences_of_the_definition(void **state)
{
    for (int number = 0; number < DIFFERENCE_GEOMETRIES; number++) {
        const layer_separable_depthwise separable = draw(*state);
        const multilinear layer = as_multilinear(&separable);
        multilinear_check_differences(*state, &layer);
    }
}

static void gradients_are_adjoint_to_going_forward(void **state)
{
    for (int number = 0; number < ADJOINT_GEOMETRIES; number++) {
        const layer_separable_depthwise separable = draw(*state);
        const multilinear layer = as_multilinear(&separable);
        multilinear_check_adjoint(*state, &layer);
    }
}

/* The weight of the convolution in one piece: what the channels that come of c add to k. */
static float *whole_weight(const layer_separable_depthwise *separable, const float *depthwise,
                           const float *pointwise, const layer_shape *shape)
{
    const size_t channels = (size_t)shape->extent[1],
                 middles = (size_t)separable->pointwise.weight.extent[1];
    const size_t count = floats_count(shape);
    const size_t cells = count / channels / (size_t)shape->extent[0], each = middles / channels;
    float *const weight = floats_new(count);
    for (size_t i = 0; i < count; i++) {
        const size_t k = i / cells / channels, c = i / cells % channels;
        double sum = 0;
        for (size_t j = c * each; j < (c + 1) * each; j++)
            sum += (double)pointwise[k * middles + j] * (double)depthwise[j * cells + i % cells];
        weight[i] = (float)sum;
    }
    return weight;
}

/* The convolution in one piece, with the windows that the depthwise part was found to have. */
static layer_conv describe_whole(const layer_separable_depthwise *separable)
{
    const layer_conv *const depthwise = &separable->depthwise;
    layer_shape shape = depthwise->weight;
    shape.extent[0] = separable->pointwise.weight.extent[0];
    shape.extent[1] = depthwise->input.extent[1];
    layer_conv_options options = {.mode = depthwise->mode};
    for (int axis = 0; axis < depthwise->axes; axis++) {
        const layer_window *const window =
            &depthwise->window[LAYER_MAX_SPATIAL - depthwise->axes + axis];
        options.geometry.strides[axis] = window->stride;
        options.geometry.dilations[axis] = window->dilation;
        options.geometry.pads_begin[axis] = window->pad_begin;
        options.geometry.pads_end[axis] = window->pad_end;
    }
    layer_conv conv;
    layer_error error;
    assert_int_equal(layer_conv_describe(&conv, &depthwise->input, &shape, &options, &error),
                     LAYER_OK);
    return conv;
}

static void check_whole(sampling *from, const layer_separable_depthwise *separable)
{
    const layer_conv conv = describe_whole(separable);
    assert_memory_equal(&conv.output, &separable->pointwise.output, sizeof conv.output);
    assert_int_equal(separable->full_multiplications, conv.multiplications);
    const multilinear layer = as_multilinear(separable);
    float *operands[OPERANDS] = {0};
    for (operand i = 0; i < OPERANDS; i++)
        if (!layer.operand[i].is_bias)
            operands[i] = floats_drawn(from, layer.operand[i].count);
    float *const weight =
        whole_weight(separable, operands[DEPTHWISE], operands[POINTWISE], &conv.weight);
    double *const expected = doubles_new(layer.outputs);
    conv_oracle(&conv, operands[INPUT], weight, NULL, expected);
    multilinear_check_output(&layer, operands, expected);
    free(expected);
    free(weight);
    for (operand i = 0; i < OPERANDS; i++)
        free(operands[i]);
}

static void it_is_a_convolution_in_one_piece(void **state)
{
    for (int number = 0; number < WHOLE; number++) {
        const layer_separable_depthwise separable = draw(*state);
        check_whole(*state, &separable);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(it_is_as_defined, &from),
        cmocka_unit_test_prestate(gradients_are_differences_of_the_definition, &from),
        cmocka_unit_test_prestate(gradients_are_adjoint_to_going_forward, &from),
        cmocka_unit_test_prestate(it_is_a_convolution_in_one_piece, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
