/* Properties of transposed convolution over random geometries: the definition, the same bits for
 * any number of threads, the shapes and pads that are derived, the adjoint identity.
 * SPDX-License-Identifier: MIT */
#include "layer/conv_backward.h"
#include "layer/conv_transpose.h"
#include "oracle/conv_transpose_oracle.h"
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

enum { GEOMETRIES = 400, PAIRS = 200, MOST_THREADS = 3 };

/* Allowed difference from a sum in double, relative to the largest sum of |terms|. */
static const double BOUND = 2e-6;

typedef struct {
    layer_shape input, weight;
    layer_conv_transpose_options options;
} transpose_geometry;

typedef struct {
    float *input, *weight, *bias; /* bias may be NULL */
} operands;

/* ---- Drawing --------------------------------------------------------------------------------- */

/* What is left when nothing is cut off. */
static int whole_output(const transpose_geometry *drawn, int axis)
{
    const layer_geometry *const geometry = &drawn->options.geometry;
    return geometry->strides[axis] * (drawn->input.extent[2 + axis] - 1) +
           drawn->options.output_padding[axis] +
           geometry->dilations[axis] * (drawn->weight.extent[2 + axis] - 1) + 1;
}

static void draw_axis(sampling *from, transpose_geometry *drawn, int axis, bool shaped)
{
    const int axes = drawn->input.rank - 2, most = axes == 1 ? 150 : axes == 2 ? 17 : 6;
    layer_geometry *const geometry = &drawn->options.geometry;
    drawn->input.extent[2 + axis] = sampling_between(from, 1, most);
    drawn->weight.extent[2 + axis] = sampling_between(from, 1, 5);
    const int stride = geometry->strides[axis] = sampling_between(from, 1, 4);
    const int dilation = geometry->dilations[axis] = sampling_between(from, 1, 4);
    drawn->options.output_padding[axis] =
        sampling_between(from, 0, (stride > dilation ? stride : dilation) - 1);
    const int whole = whole_output(drawn, axis);
    if (shaped)
        drawn->options.output_shape[axis] =
            sampling_between(from, whole > 4 ? whole - 4 : 1, whole + 4);
    if (shaped || geometry->auto_pad != LAYER_AUTO_PAD_NOTSET)
        return;
    geometry->pads_begin[axis] = sampling_between(from, 0, whole - 1 < 6 ? whole - 1 : 6);
    const int left = whole - geometry->pads_begin[axis] - 1;
    geometry->pads_end[axis] = sampling_between(from, 0, left < 6 ? left : 6);
}

static transpose_geometry draw_geometry(sampling *from)
{
    const int axes = sampling_between(from, 1, 3);
    const int group = sampling_between(from, 0, 2) == 0 ? sampling_between(from, 2, 4) : 1;
    const int channels = sampling_between(from, 1, 6);
    const int outputs = sampling_between(from, 1, 6);
    const bool shaped = sampling_between(from, 0, 3) == 0;
    transpose_geometry drawn = {
        .input = {2 + axes, {sampling_between(from, 1, 3), group * channels}},
        .weight = {2 + axes, {group * channels, outputs}},
        .options = {.group = group,
                    .mode = (layer_conv_mode)sampling_between(from, 0, 1),
                    .geometry.auto_pad =
                        (layer_auto_pad)sampling_between(from, 0, LAYER_AUTO_PAD_SAME_LOWER)},
    };
    for (int axis = 0; axis < axes; axis++)
        draw_axis(from, &drawn, axis, shaped);
    return drawn;
}

static layer_conv_transpose describe(const transpose_geometry *drawn)
{
    layer_conv_transpose transpose;
    layer_error error;
    if (layer_conv_transpose_describe(&transpose, &drawn->input, &drawn->weight, &drawn->options,
                                      &error) != LAYER_OK)
        fail_msg("%s: %s", error.argument, error.reason);
    return transpose;
}

static operands draw_operands(sampling *from, const layer_conv_transpose *transpose)
{
    const bool biased = sampling_between(from, 0, 1) == 1;
    return (operands){
        floats_drawn(from, floats_count(&transpose->input)),
        floats_drawn(from, floats_count(&transpose->weight)),
        biased ? floats_drawn(from, (size_t)transpose->output.extent[1]) : NULL,
    };
}

static void release(const operands *drawn)
{
    free(drawn->input);
    free(drawn->weight);
    free(drawn->bias);
}

static layer_status run_with(const layer_conv_transpose *transpose, const operands *given,
                             float *output, int threads, const int *cancelled)
{
    void *const workspace =
        floats_workspace(layer_conv_transpose_workspace_size(transpose, threads));
    const layer_executor executor = threads_executor(threads);
    const layer_run run = {.workspace = workspace,
                           .executor = threads == 1 ? NULL : &executor,
                           .cancelled = cancelled};
    memset(output, 0xFF, floats_count(&transpose->output) * sizeof *output);
    const layer_status status =
        layer_conv_transpose_run(transpose, given->input, given->weight, given->bias, output, &run);
    free(workspace);
    return status;
}

/* ---- The definition -------------------------------------------------------------------------- */

static double allowed_for(const layer_conv_transpose *transpose, const operands *given)
{
    const size_t count = floats_count(&transpose->output);
    const size_t channels = (size_t)transpose->output.extent[1];
    const operands all = {
        floats_magnitudes(given->input, floats_count(&transpose->input)),
        floats_magnitudes(given->weight, floats_count(&transpose->weight)),
        given->bias == NULL ? NULL : floats_magnitudes(given->bias, channels),
    };
    double *const sums = doubles_new(count);
    conv_transpose_oracle(transpose, all.input, all.weight, all.bias, sums);
    const double most = doubles_largest(sums, count);
    free(sums);
    release(&all);
    return BOUND * most;
}

static void check_output(const layer_conv_transpose *transpose, const operands *given)
{
    const size_t count = floats_count(&transpose->output);
    const double allowed = allowed_for(transpose, given);
    double *const expected = doubles_new(count);
    float *const alone = floats_new(count), *const together = floats_new(count);
    conv_transpose_oracle(transpose, given->input, given->weight, given->bias, expected);
    assert_int_equal(run_with(transpose, given, alone, 1, NULL), LAYER_OK);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)alone[i] - expected[i]) <= allowed))
            fail_msg("transpose of %s: output %zu is %.9g, expected %.9g within %g",
                     conv_sampling_sentence(&transpose->adjoint), i, (double)alone[i], expected[i],
                     allowed);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        assert_int_equal(run_with(transpose, given, together, threads, NULL), LAYER_OK);
        assert_memory_equal(alone, together, count * sizeof *alone);
    }
    const int cancelled = 1;
    assert_int_equal(run_with(transpose, given, together, 2, &cancelled), LAYER_CANCELLED);
    free(together);
    free(alone);
    free(expected);
}

static void outputs_are_as_defined(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < GEOMETRIES; number++) {
        const transpose_geometry drawn = draw_geometry(from);
        const layer_conv_transpose transpose = describe(&drawn);
        const operands given = draw_operands(from, &transpose);
        check_output(&transpose, &given);
        release(&given);
    }
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

/* Cuts (or, where there is too little, adds) a cell at a time, from alternate sides. */
static void pad_by_steps(int whole, int output, bool end_first, int *begin, int *end)
{
    *begin = *end = 0;
    while (whole - *begin - *end > output)
        ++*((*begin == *end) == end_first ? end : begin);
    while (whole - *begin - *end < output)
        --*((*begin == *end) == end_first ? begin : end);
}

static void check_axis(const transpose_geometry *drawn, const layer_window *window, int axis)
{
    const layer_geometry *const geometry = &drawn->options.geometry;
    const bool upper = geometry->auto_pad == LAYER_AUTO_PAD_SAME_UPPER;
    const bool same = upper || geometry->auto_pad == LAYER_AUTO_PAD_SAME_LOWER;
    const int whole = whole_output(drawn, axis), asked = drawn->options.output_shape[axis];
    int begin = geometry->pads_begin[axis], end = geometry->pads_end[axis];
    int output = whole - begin - end;
    if (asked != 0 || same) {
        output = asked != 0 ? asked : drawn->input.extent[2 + axis] * geometry->strides[axis];
        pad_by_steps(whole, output, upper, &begin, &end);
    }
    assert_int_equal(window->input, output);
    assert_int_equal(window->pad_begin, begin);
    assert_int_equal(window->pad_end, end);
    assert_int_equal(window->output, drawn->input.extent[2 + axis]);
}

static void shapes_are_as_counted(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < GEOMETRIES; number++) {
        const transpose_geometry drawn = draw_geometry(from);
        const layer_conv_transpose transpose = describe(&drawn);
        const int axes = drawn.input.rank - 2;
        assert_int_equal(transpose.output.extent[0], drawn.input.extent[0]);
        assert_int_equal(transpose.output.extent[1], drawn.weight.extent[1] * drawn.options.group);
        for (int axis = 0; axis < axes; axis++) {
            const layer_window *const window =
                &transpose.adjoint.window[LAYER_MAX_SPATIAL - axes + axis];
            check_axis(&drawn, window, axis);
            assert_int_equal(transpose.output.extent[2 + axis], window->input);
        }
    }
}

/* ---- Beside convolution ---------------------------------------------------------------------- */

/* The options that lead from a convolution's output back to its input; false if output_padding
 * would be out of its range. */
static bool lead_back(const layer_conv *conv, layer_conv_transpose_options *back)
{
    *back = (layer_conv_transpose_options){.group = conv->group, .mode = conv->mode};
    for (int axis = 0; axis < conv->axes; axis++) {
        const layer_window *const window = &conv->window[LAYER_MAX_SPATIAL - conv->axes + axis];
        const int reach = window->stride * (window->output - 1) +
                          window->dilation * (window->kernel - 1) + 1 - window->pad_begin -
                          window->pad_end;
        back->geometry.strides[axis] = window->stride;
        back->geometry.dilations[axis] = window->dilation;
        back->geometry.pads_begin[axis] = window->pad_begin;
        back->geometry.pads_end[axis] = window->pad_end;
        back->output_padding[axis] = window->input - reach;
        if (back->output_padding[axis] < 0)
            return false;
    }
    return true;
}

static double product(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* <conv(x, w), y> = <x, transpose(y, w)>, both computed by the library. */
static void check_adjoint(sampling *from, const layer_conv *conv,
                          const layer_conv_transpose *transpose)
{
    const size_t inputs = floats_count(&conv->input), outputs = floats_count(&conv->output);
    const operands given = {floats_drawn(from, outputs),
                            floats_drawn(from, floats_count(&conv->weight)), NULL};
    float *const x = floats_drawn(from, inputs);
    float *const forward = floats_new(outputs), *const back = floats_new(inputs);
    void *const workspace = floats_workspace(layer_conv_workspace_size(conv, 1));
    assert_int_equal(layer_conv_forward(conv, x, given.weight, NULL, forward,
                                        &(layer_run){.workspace = workspace}),
                     LAYER_OK);
    assert_int_equal(run_with(transpose, &given, back, 2, NULL), LAYER_OK);
    const double allowed = allowed_for(transpose, &given) * (double)inputs;
    const double one = product(forward, given.input, outputs), other = product(x, back, inputs);
    if (!(fabs(one - other) <= allowed))
        fail_msg("%s: %.9g forward, %.9g back", conv_sampling_sentence(conv), one, other);
    free(workspace);
    free(back);
    free(forward);
    free(x);
    release(&given);
}

static void transposes_are_adjoint_to_convolutions(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < PAIRS;) {
        layer_conv conv;
        layer_conv_transpose transpose;
        layer_conv_transpose_options back;
        layer_error error;
        conv_sampling_draw(from, 1, &conv);
        if (!lead_back(&conv, &back))
            continue;
        assert_int_equal(
            layer_conv_transpose_describe(&transpose, &conv.output, &conv.weight, &back, &error),
            LAYER_OK);
        assert_memory_equal(&transpose.output, &conv.input, sizeof conv.input);
        assert_memory_equal(transpose.adjoint.window, conv.window, sizeof conv.window);
        check_adjoint(from, &conv, &transpose);
        number++;
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(outputs_are_as_defined, &from),
        cmocka_unit_test_prestate(shapes_are_as_counted, &from),
        cmocka_unit_test_prestate(transposes_are_adjoint_to_convolutions, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
