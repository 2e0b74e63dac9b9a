/* Properties of convolution over random geometries: every algorithm against the definition, the
 * same bits for any number of threads, linearity, cancellation.
 * SPDX-License-Identifier: MIT */
#include "support/conv_checking.h"
#include "support/floats.h"
#include "support/part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Favourites are the geometries of networks, for which special algorithms are. */
enum {
    GEOMETRIES = 400 / PART,
    FAVOURITES = 300 / PART,
    LINEARITY_GEOMETRIES = 60 / PART,
    FEWEST_CHECKED = 200 / PART
};

static void every_algorithm_computes_the_definition(void **state)
{
    sampling *const from = *state;
    int counts[CONV_ALGORITHMS] = {0};
    for (int number = 0; number < GEOMETRIES; number++) {
        layer_conv conv;
        const conv_geometry drawn = conv_sampling_draw(from, 1, &conv);
        conv_check_algorithms(from, &drawn, &conv, counts);
    }
    for (int number = 0; number < FAVOURITES; number++) {
        layer_conv conv;
        const conv_geometry drawn = conv_sampling_draw_favourite(from, &conv);
        conv_check_algorithms(from, &drawn, &conv, counts);
    }
    conv_check_counts(counts, FEWEST_CHECKED);
}

/* conv(a x + b y) = a conv(x) + b conv(y), as far as floats go. */
static void check_linearity(sampling *from, const layer_conv *conv)
{
    const size_t inputs = floats_count(&conv->input), outputs = floats_count(&conv->output);
    conv_operands x = conv_operands_draw(from, conv, false);
    conv_operands y = x, mixed = x;
    y.input = floats_new(inputs);
    mixed.input = floats_new(inputs);
    sampling_fill(from, y.input, inputs);
    const float a = 0.75f, b = -1.5f;
    for (size_t i = 0; i < inputs; i++)
        mixed.input[i] = a * x.input[i] + b * y.input[i];
    float *const of_x = floats_new(outputs), *const of_y = floats_new(outputs);
    float *const of_mixed = floats_new(outputs);
    double *const expected = doubles_new(outputs);
    assert_int_equal(conv_run(conv, &x, of_x, (conv_way){.threads = 2}), LAYER_OK);
    assert_int_equal(conv_run(conv, &y, of_y, (conv_way){.threads = 2}), LAYER_OK);
    assert_int_equal(conv_run(conv, &mixed, of_mixed, (conv_way){.threads = 2}), LAYER_OK);
    for (size_t i = 0; i < outputs; i++)
        expected[i] = (double)a * (double)of_x[i] + (double)b * (double)of_y[i];
    conv_assert_close(conv, of_mixed,
                      &(conv_expectation){expected, doubles_largest(expected, outputs)});
    free(expected);
    free(of_mixed);
    free(of_y);
    free(of_x);
    free(mixed.input);
    free(y.input);
    conv_operands_release(&x);
}

static void convolution_is_linear(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < LINEARITY_GEOMETRIES; number++) {
        layer_conv conv;
        conv_sampling_draw(from, CONV_MANY_OUTPUTS, &conv);
        check_linearity(from, &conv);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_algorithm_computes_the_definition, &from),
        cmocka_unit_test_prestate(convolution_is_linear, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
