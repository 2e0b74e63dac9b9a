/* Properties of filtering plane by plane, which `depthwise` and `fft` do: wide planes, large
 * kernels, those of rank one and nearly so, against the definition, with every instruction set, the
 * same bits for any number of threads. SPDX-License-Identifier: MIT */
#include "conv/rank_one.h"
#include "oracle/conv_oracle.h"
#include "support/conv_running.h"
#include "support/conv_sampling.h"
#include "support/floats.h"
#include "support/part.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GEOMETRIES = 250 / PART, KERNELS = 300 / PART, MOST_MULTIPLICATIONS = 2000000 };

/* Allowed difference from a sum in double, relative to the largest sum of |terms|. */
static const double BOUND = 2e-6;

/* ---- Drawing --------------------------------------------------------------------------------- */

static void draw_axis(sampling *from, int axis, int most_input, int most_kernel,
                      conv_geometry *drawn)
{
    layer_geometry *const geometry = &drawn->options.geometry;
    drawn->input.extent[2 + axis] = sampling_between(from, 1, most_input);
    drawn->weight.extent[2 + axis] = sampling_between(from, 1, most_kernel);
    geometry->strides[axis] = sampling_between(from, 1, 3);
    geometry->dilations[axis] =
        sampling_between(from, 0, 2) == 0 ? sampling_between(from, 1, 4) : 1;
    geometry->pads_begin[axis] = sampling_between(from, 0, 3) == 0 ? sampling_between(from, 0, 40)
                                                                   : sampling_between(from, 0, 3);
    geometry->pads_end[axis] = sampling_between(from, 0, 3);
}

/* Some kernels are square, without gaps, and slide alike both ways. */
static void make_square(sampling *from, conv_geometry *drawn)
{
    layer_geometry *const geometry = &drawn->options.geometry;
    drawn->weight.extent[2] = drawn->weight.extent[3] = sampling_between(from, 1, 2) * 2 + 1;
    geometry->strides[0] = geometry->strides[1] = sampling_between(from, 1, 2);
    geometry->dilations[0] = geometry->dilations[1] = 1;
}

static bool draw_geometry(sampling *from, conv_geometry *drawn, layer_conv *conv)
{
    static const int wide[] = {20, 130, 600, 1100};
    const int group = sampling_between(from, 1, 3), channels = sampling_between(from, 0, 4) / 4 + 1;
    *drawn = (conv_geometry){
        .input = {4, {sampling_between(from, 1, 2), group * channels}},
        .weight = {4, {group * sampling_between(from, 1, 2), channels}},
        .options = {.group = group,
                    .mode = (layer_conv_mode)sampling_between(from, 0, 1),
                    .algorithm = LAYER_CONV_DEPTHWISE},
    };
    const bool is_large = sampling_between(from, 0, 4) == 0;
    draw_axis(from, 0, 60, is_large ? 40 : 11, drawn);
    draw_axis(from, 1, wide[sampling_between(from, 0, 3)], is_large ? 150 : 13, drawn);
    if (sampling_between(from, 0, 2) == 0)
        make_square(from, drawn);
    layer_error error;
    return layer_conv_describe(conv, &drawn->input, &drawn->weight, &drawn->options, &error) ==
               LAYER_OK &&
           conv->multiplications <= MOST_MULTIPLICATIONS;
}

/* A column times a row, rounded; with zeros now and then. */
static void make_product(sampling *from, int rows, int columns, bool zeros, float *kernel)
{
    float *const column = floats_drawn(from, (size_t)rows);
    float *const row = floats_drawn(from, (size_t)columns);
    if (zeros && sampling_between(from, 0, 3) == 0)
        row[sampling_between(from, 0, columns - 1)] = 0;
    for (int r = 0; r < rows; r++)
        for (int s = 0; s < columns; s++)
            kernel[r * columns + s] = column[r] * row[s];
    free(column);
    free(row);
}

/* Some of which one weight is off by more than roundings. */
static void make_products(sampling *from, const layer_conv *conv, float *weight)
{
    const int rows = conv->weight.extent[2], columns = conv->weight.extent[3];
    const size_t kernels = (size_t)conv->weight.extent[0] * (size_t)conv->weight.extent[1];
    for (size_t i = 0; i < kernels; i++) {
        float *const kernel = weight + i * (size_t)(rows * columns);
        make_product(from, rows, columns, true, kernel);
        if (sampling_between(from, 0, 2) == 0)
            kernel[sampling_between(from, 0, rows * columns - 1)] *= 1.5f;
    }
}

/* ---- Against the definition ------------------------------------------------------------------ */

static double largest_sum_of_terms(const layer_conv *conv, const conv_operands *given)
{
    const size_t outputs = floats_count(&conv->output);
    const conv_operands all = {
        floats_magnitudes(given->input, floats_count(&conv->input)),
        floats_magnitudes(given->weight, floats_count(&conv->weight)),
        floats_magnitudes(given->bias, (size_t)conv->weight.extent[0]),
    };
    double *const sums = doubles_new(outputs);
    conv_oracle(conv, all.input, all.weight, all.bias, sums);
    const double most = doubles_largest(sums, outputs);
    free(sums);
    free(all.input);
    free(all.weight);
    free(all.bias);
    return most;
}

/* One output begins on a cache line, which makes no difference, the other does not. */
static void check(const layer_conv *conv, const conv_operands *given, const double *expected,
                  double allowed, layer_isa isa)
{
    const size_t count = floats_count(&conv->output);
    float *const alone = floats_workspace(count * sizeof *alone);
    float *const memory = floats_new(count + 1), *const together = memory + 1;
    assert_int_equal(conv_run(conv, given, alone, (conv_way){1, isa, NULL}), LAYER_OK);
    assert_int_equal(conv_run(conv, given, together, (conv_way){3, isa, NULL}), LAYER_OK);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)alone[i] - expected[i]) <= allowed))
            fail_msg("%s, %s: output %zu is %.9g, expected %.9g within %g",
                     conv_sampling_sentence(conv), layer_isa_name(isa), i, (double)alone[i],
                     expected[i], allowed);
    assert_memory_equal(alone, together, count * sizeof *alone);
    free(alone);
    free(memory);
}

static void check_instructions(const layer_conv *conv, const conv_operands *given,
                               const double *expected, double allowed)
{
    for (layer_isa isa = LAYER_ISA_BASELINE; isa <= layer_isa_best(); isa++)
        check(conv, given, expected, allowed, isa);
}

static void planes_are_filtered_by_definition(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < GEOMETRIES;) {
        conv_geometry drawn;
        layer_conv conv;
        if (!draw_geometry(from, &drawn, &conv))
            continue;
        conv_operands given = conv_operands_draw(from, &conv, true);
        if (sampling_between(from, 0, 1) == 0)
            make_products(from, &conv, given.weight);
        double *const expected = doubles_new(floats_count(&conv.output));
        conv_oracle(&conv, given.input, given.weight, given.bias, expected);
        const double allowed = BOUND * largest_sum_of_terms(&conv, &given);
        check_instructions(&conv, &given, expected, allowed);
        drawn.options.algorithm = LAYER_CONV_FFT;
        layer_error error;
        if (layer_conv_describe(&conv, &drawn.input, &drawn.weight, &drawn.options, &error) ==
            LAYER_OK)
            check_instructions(&conv, &given, expected, allowed);
        free(expected);
        conv_operands_release(&given);
        number++;
    }
}

/* Outputs that fill the caches are stored past them, where rows lie on cache lines. */
static void many_outputs_are_those_of_the_definition(void **state)
{
    sampling *const from = *state;
    static const conv_geometry large[] = {
        {{4, {1, 1, 518, 1024}},
         {4, {1, 1, 5, 5}},
         {.algorithm = LAYER_CONV_DEPTHWISE, .geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER}},
        {{4, {1, 9, 240, 256}},
         {4, {9, 1, 3, 3}},
         {.algorithm = LAYER_CONV_DEPTHWISE,
          .group = 9,
          .geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER}},
    };
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        layer_conv conv;
        layer_error error;
        assert_int_equal(layer_conv_describe(&conv, &large[i].input, &large[i].weight,
                                             &large[i].options, &error),
                         LAYER_OK);
        conv_operands given = conv_operands_draw(from, &conv, true);
        make_product(from, conv.weight.extent[2], conv.weight.extent[3], false, given.weight);
        double *const expected = doubles_new(floats_count(&conv.output));
        conv_oracle(&conv, given.input, given.weight, given.bias, expected);
        check_instructions(&conv, &given, expected, BOUND * largest_sum_of_terms(&conv, &given));
        free(expected);
        conv_operands_release(&given);
    }
}

/* ---- Rank one -------------------------------------------------------------------------------- */

enum { MOST_LINES = 20 };

static bool factorize(const float *kernel, int rows, int columns)
{
    float column[2 * MOST_LINES], row[MOST_LINES];
    if (!layer_rank_one(kernel, rows, columns, column, 2, row))
        return false;
    for (int r = 0; r < rows; r++)
        for (int s = 0; s < columns; s++) {
            const double weight = (double)kernel[r * columns + s];
            const double product = (double)column[2 * r] * (double)row[s];
            if (!(fabs(product - weight) <= 0x1p-21 * fabs(weight)))
                fail_msg("%d x %d: weight %.9g came out as %.9g", rows, columns, weight, product);
        }
    return true;
}

static void products_are_told_from_others(void **state)
{
    sampling *const from = *state;
    float kernel[MOST_LINES * MOST_LINES];
    for (int number = 0; number < KERNELS; number++) {
        const int rows = sampling_between(from, 2, MOST_LINES);
        const int columns = sampling_between(from, 2, MOST_LINES);
        float *const changed = &kernel[sampling_between(from, 0, rows * columns - 1)];
        make_product(from, rows, columns, true, kernel);
        assert_true(factorize(kernel, rows, columns));
        make_product(from, rows, columns, false, kernel);
        *changed *= 1 + 0x1p-18f;
        assert_false(factorize(kernel, rows, columns));
        *changed = number % 2 == 0 ? NAN : INFINITY;
        assert_false(factorize(kernel, rows, columns));
    }
    memset(kernel, 0, sizeof kernel);
    assert_false(factorize(kernel, 3, 3));
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(planes_are_filtered_by_definition, &from),
        cmocka_unit_test_prestate(many_outputs_are_those_of_the_definition, &from),
        cmocka_unit_test_prestate(products_are_told_from_others, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
