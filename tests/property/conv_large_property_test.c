/* Convolutions as large as those of networks: every algorithm against the direct sum.
 * SPDX-License-Identifier: MIT */
#include "support/conv_checking.h"
#include "support/floats.h"
#include "support/part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Sanitizers see each algorithm with one in four of the shapes. */
enum { SHARE = PART > 1 ? 4 : 1 };

/* What the direct sum says. */
static conv_expectation expect_direct(const conv_geometry *drawn, const conv_operands *given)
{
    layer_conv direct;
    assert_true(conv_describe_with(drawn, LAYER_CONV_DIRECT, &direct));
    const size_t count = floats_count(&direct.output);
    float *const output = floats_new(count);
    double *const expected = doubles_new(count);
    assert_int_equal(conv_run(&direct, given, output, (conv_way){.threads = 2}), LAYER_OK);
    for (size_t i = 0; i < count; i++)
        expected[i] = (double)output[i];
    free(output);
    return (conv_expectation){expected, doubles_largest(expected, count)};
}

/* `fft` transforms every plane anew for every output channel: with many that takes too long. */
static bool is_quick(const layer_conv *conv)
{
    return layer_conv_cost(conv, conv->algorithm) < 2e9;
}

/* Layers of networks are larger than what the definition gets through in its time: here the
 * others are held to the direct sum, over several tiles along every axis. */
static void algorithms_agree_on_large_shapes(void **state)
{
    sampling *const from = *state;
    const int turn = sampling_between(from, 0, SHARE - 1);
    static const conv_geometry large[] = {
        {{4, {1, 40, 61, 67}},
         {4, {150, 40, 3, 3}},
         {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER}},
        {{4, {2, 260, 29, 150}}, {4, {100, 130, 3, 3}}, {.group = 2}},
        {{4, {9, 70, 7, 7}}, {4, {200, 70, 3, 3}}, {.geometry.auto_pad = LAYER_AUTO_PAD_FULL}},
        {{4, {1, 130, 13, 15}},
         {4, {330, 130, 3, 3}},
         {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER}},
        {{4, {230, 130, 3, 3}}, {4, {330, 130, 3, 3}}, {.group = 1}},
        {{4, {2, 300, 33, 31}}, {4, {70, 300, 1, 1}}, {.group = 0}},
        {{4, {1, 3, 97, 121}},
         {4, {32, 3, 7, 7}},
         {.geometry.strides = {2, 2}, .geometry.pads_begin = {3, 3}}},
        {{3, {2, 24, 9001}}, {3, {8, 12, 31}}, {.group = 2, .mode = LAYER_CONV_CONVOLUTION}},
        {{5, {1, 20, 9, 20, 21}}, {5, {16, 20, 3, 3, 3}}, {.geometry.dilations = {1, 2, 3}}},
        {{4, {1, 33, 19, 17}},
         {4, {48, 33, 7, 1}},
         {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER, .mode = LAYER_CONV_CONVOLUTION}},
        {{4, {2, 200, 9, 17}},
         {4, {40, 200, 5, 2}},
         {.geometry.pads_begin = {4, 1}, .mode = LAYER_CONV_CONVOLUTION}},
        {{4, {1, 2, 700, 620}}, {4, {3, 2, 2, 3}}, {.geometry.dilations = {255, 127}}},
    };
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        layer_conv conv;
        assert_true(conv_describe_with(&large[i], LAYER_CONV_DIRECT, &conv));
        conv_operands given = conv_operands_draw(from, &conv, true);
        const conv_expectation expected = expect_direct(&large[i], &given);
        for (int algorithm = LAYER_CONV_AUTO + 1; algorithm < CONV_ALGORITHMS; algorithm++)
            if ((algorithm + (int)i + turn) % SHARE == 0 &&
                conv_describe_with(&large[i], (layer_conv_algorithm)algorithm, &conv) &&
                is_quick(&conv))
                conv_check_algorithm(from, &conv, &given, &expected);
        free(expected.output);
        conv_operands_release(&given);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(algorithms_agree_on_large_shapes, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
