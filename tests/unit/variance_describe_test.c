/* Describing stacks: what the formulas predict, whether the conditions hold, every refusal.
 * SPDX-License-Identifier: MIT */
#include "layer/variance.h"
#include "support/refusal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_near(double actual, double expected)
{
    if (!(fabs(actual - expected) <= 1e-12 * fabs(expected)))
        fail_msg("%.17g, expected %.17g", actual, expected);
}

static layer_variance *describe(const layer_variance_weight *weights, size_t count,
                                layer_variance_options options)
{
    layer_variance *const variance = malloc(sizeof *variance);
    size_t place;
    layer_error error;
    assert_non_null(variance);
    assert_int_equal(layer_variance_describe(variance, weights, count, &options, &place, &error),
                     LAYER_OK);
    return variance;
}

/* Glorot & Bengio: with as many inputs as outputs both conditions hold, everywhere. */
static void xavier_keeps_both_where_widths_agree(void **state)
{
    (void)state;
    const layer_variance_weight square[] = {{{2, {7, 7}}, 0}, {{2, {7, 7}}, 0}, {{2, {7, 7}}, 0}};
    layer_variance *const variance = describe(square, 3, (layer_variance_options){.slope = 0});
    for (size_t l = 0; l < 3; l++) {
        assert_near(variance->layers[l].weight_variance, 1. / 7);
        assert_near(variance->layers[l].forward, 1);
        assert_near(variance->layers[l].backward, 1);
        assert_near(variance->layers[l].forward_factor, 1);
        assert_near(variance->layers[l].backward_factor, 1);
    }
    assert_int_equal(variance->samples, LAYER_VARIANCE_SAMPLES);
    free(variance);
}

/* 2 n_in / (n_in + n_out) and 2 n_out / (n_in + n_out): between the two, where they differ. */
static void xavier_compromises_where_widths_differ(void **state)
{
    (void)state;
    const layer_variance_weight weights[] = {{{2, {10, 30}}, 0}, {{2, {6, 10}}, 0}};
    layer_variance *const variance = describe(weights, 2, (layer_variance_options){.slope = 0});
    assert_near(variance->layers[0].forward_factor, 1.5);
    assert_near(variance->layers[0].backward_factor, 0.5);
    assert_near(variance->layers[1].forward_factor, 1.25);
    assert_near(variance->layers[1].backward_factor, 0.75);
    assert_near(variance->layers[0].forward, 1.5);
    assert_near(variance->layers[1].forward, 1.5 * 1.25);
    assert_near(variance->layers[1].backward, 0.75);
    assert_near(variance->layers[0].backward, 0.75 * 0.5);
    free(variance);
}

/* He et al., eqs. 10 and 14: 1/2 n D w = 1. The first layer's input is no ReLU's: z doubles once.
 */
static void kaiming_keeps_one_through_relus(void **state)
{
    (void)state;
    const layer_variance_weight weights[] = {
        {{4, {8, 3, 3, 3}}, 0}, {{4, {16, 4, 3, 3}}, 2}, {{2, {5, 16}}, 0}};
    layer_variance_options options = {.law.method = LAYER_INITIALIZE_KAIMING_NORMAL,
                                      .nonlinearity = LAYER_NONLINEARITY_RELU};
    layer_variance *variance = describe(weights, 3, options);
    for (size_t l = 0; l < 3; l++) {
        assert_near(variance->layers[l].forward_factor, 1);
        assert_near(variance->layers[l].forward, 2);
        assert_near(variance->layers[l].backward_factor,
                    variance->layers[l].law.fan_out / variance->layers[l].law.fan_in);
    }
    assert_int_equal(variance->cells, 9);
    free(variance);
    options.law.mode = LAYER_FAN_OUT;
    variance = describe(weights, 3, options);
    for (size_t l = 0; l < 3; l++)
        assert_near(variance->layers[l].backward_factor, 1);
    assert_near(variance->layers[2].backward, 2);
    assert_near(variance->layers[0].backward, 2);
    free(variance);
}

/* Without He's factor a ReLU halves at every layer, forward and backward. */
static void xavier_halves_through_relus(void **state)
{
    (void)state;
    const layer_variance_weight square[] = {{{2, {9, 9}}, 0}, {{2, {9, 9}}, 0}, {{2, {9, 9}}, 0}};
    layer_variance *const variance =
        describe(square, 3, (layer_variance_options){.nonlinearity = LAYER_NONLINEARITY_RELU});
    assert_near(variance->layers[2].forward, 0.25);
    assert_near(variance->layers[0].backward, 0.25);
    assert_near(variance->layers[1].forward_factor, 0.5);
    assert_near(variance->layers[1].backward_factor, 0.5);
    free(variance);
}

static void layers_have_seeds_of_their_own(void **state)
{
    (void)state;
    const layer_variance_weight square[] = {{{2, {9, 9}}, 0}, {{2, {9, 9}}, 0}};
    layer_variance *const variance =
        describe(square, 2, (layer_variance_options){.law.seed = 5, .samples = 3});
    assert_true(variance->layers[0].law.seed != variance->layers[1].law.seed);
    assert_true(variance->layers[0].law.seed < UINT64_C(1) << 53);
    /* Two laws of 81 normals, 18 x 3 normals at the ends, four products of 9 x 9 x 3. */
    assert_true(variance->multiplications == 2 * 81 * 64 + 18 * 3 * 64 + 4 * 243);
    free(variance);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct {
        layer_variance_weight weights[2];
        size_t count;
        layer_variance_options options;
        layer_status status;
        size_t place;
        const char *argument, *reason;
    } cases[] = {
        {{{{2, {5, 5}}, 0}},
         0,
         {.slope = 0},
         LAYER_INVALID,
         0,
         "layers",
         "0 layers, expected 1 to 64"},
        {{{{2, {5, 5}}, 0}},
         1,
         {.samples = 65537},
         LAYER_INVALID,
         1,
         "samples",
         "samples is 65537, expected 1 to 65536"},
        {{{{2, {5, 5}}, 0}},
         1,
         {.nonlinearity = LAYER_NONLINEARITIES},
         LAYER_INVALID,
         1,
         "nonlinearity",
         "nonlinearity 7 is none of the list"},
        {{{{2, {5, 5}}, 0}},
         1,
         {.slope = (double)INFINITY},
         LAYER_INVALID,
         1,
         "slope",
         "slope is inf, expected a finite number"},
        {{{{2, {5, 5}}, 0}, {{2, {5, 6}}, 0}},
         2,
         {.slope = 0},
         LAYER_INVALID,
         1,
         "shape",
         "layer 1 takes 6 channels; the layer before it makes 5"},
        {{{{2, {5, 5}}, 0}, {{3, {5, 5, 0}}, 0}},
         2,
         {.slope = 0},
         LAYER_INVALID,
         1,
         "shape",
         "layer 1: shape has extent 0 along axis 2, expected at least 1"},
        {{{{3, {5, 5, 1}}, 2}},
         1,
         {.slope = 0},
         LAYER_INVALID,
         0,
         "group",
         "layer 0: shape's 5 output channels do not divide into 2 groups"},
        {{{{2, {5, 5}}, 0}},
         1,
         {.law.gain = -1},
         LAYER_INVALID,
         1,
         "gain",
         "layer 0: gain is -1, expected a positive finite number"},
        {{{{2, {5, 5}}, 0}},
         1,
         {.law = {.method = LAYER_INITIALIZE_CONSTANT, .value = 2}},
         LAYER_INVALID,
         1,
         "method",
         "constant makes weights of mean 2 and deviation 0; expected a law around 0"},
        {{{{2, {5, 5}}, 0}},
         1,
         {.law = {.method = LAYER_INITIALIZE_NORMAL, .mean = 0.5}},
         LAYER_INVALID,
         1,
         "method",
         "normal makes weights of mean 0.5 and deviation 1; expected a law around 0"},
        {{{{3, {1, 1, 70}}, 0}, {{4, {1, 1, 70, 1}}, 0}},
         2,
         {.slope = 0},
         LAYER_TOO_LARGE,
         2,
         "layers",
         "the kernels span 4900 cells, more than 4096"},
    };
    layer_variance *const variance = malloc(sizeof *variance);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t place = SIZE_MAX;
        layer_error error = {.reason = ""};
        const layer_status status = layer_variance_describe(
            variance, cases[i].weights, cases[i].count, &cases[i].options, &place, &error);
        assert_int_equal(place, cases[i].place);
        expect_refusal(status, &error,
                       &(refusal){cases[i].status, cases[i].argument, cases[i].reason});
    }
    free(variance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xavier_keeps_both_where_widths_agree),
        cmocka_unit_test(xavier_compromises_where_widths_differ),
        cmocka_unit_test(kaiming_keeps_one_through_relus),
        cmocka_unit_test(xavier_halves_through_relus),
        cmocka_unit_test(layers_have_seeds_of_their_own),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
