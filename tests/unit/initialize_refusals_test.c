/* Initial weights that make no sense: which argument is refused, and why.
 * SPDX-License-Identifier: MIT */
#include "layer/initialize.h"
#include "support/refusal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct {
        layer_shape shape;
        layer_initialize_options options;
        layer_status status;
        const char *argument, *reason;
    } cases[] = {
        {{1, {5}},
         {.gain = 0},
         LAYER_INVALID,
         "shape",
         "shape has rank 1, expected 2 to 5: [out, in] or [K, C/group, kernel ...]"},
        {{6, {5, 5}},
         {.gain = 0},
         LAYER_INVALID,
         "shape",
         "shape has rank 6, expected 2 to 5: [out, in] or [K, C/group, kernel ...]"},
        {{2, {5, 0}},
         {.gain = 0},
         LAYER_INVALID,
         "shape",
         "shape has extent 0 along axis 1, expected at least 1"},
        {{2, {65536, 65536}},
         {.gain = 0},
         LAYER_TOO_LARGE,
         "shape",
         "shape has more than 2147483647 elements, the most a tensor holds"},
        {{2, {5, 5}},
         {.gain = -1},
         LAYER_INVALID,
         "gain",
         "gain is -1, expected a positive finite number"},
        {{2, {5, 5}},
         {.gain = (double)NAN},
         LAYER_INVALID,
         "gain",
         "gain is nan, expected a positive finite number"},
        {{2, {5, 5}},
         {.gain = 1e300},
         LAYER_TOO_LARGE,
         "gain",
         "gain makes weights beyond what a float holds"},
        {{2, {5, 5}}, {.group = -2}, LAYER_INVALID, "group", "group is -2, expected at least 1"},
        {{2, {5, 5}},
         {.group = 2},
         LAYER_INVALID,
         "group",
         "shape's 5 output channels do not divide into 2 groups"},
        {{2, {5, 5}},
         {.method = (layer_initialize_method)88},
         LAYER_INVALID,
         "method",
         "method 88 is none of the list"},
        {{2, {5, 5}}, {.mode = (layer_fan)3}, LAYER_INVALID, "mode", "mode 3 is none of the list"},
        {{2, {5, 5}},
         {.distribution = (layer_distribution)3},
         LAYER_INVALID,
         "distribution",
         "distribution 3 is none of the list"},
        {{2, {5, 5}},
         {.method = LAYER_INITIALIZE_KAIMING_NORMAL, .mode = LAYER_FAN_AVG},
         LAYER_INVALID,
         "mode",
         "mode fan_avg goes with variance_scaling; expected fan_in or fan_out"},
        {{2, {5, 5}},
         {.method = LAYER_INITIALIZE_NORMAL, .std = -1},
         LAYER_INVALID,
         "std",
         "std is -1, expected a positive finite number"},
        {{2, {5, 5}},
         {.method = LAYER_INITIALIZE_NORMAL, .mean = (double)INFINITY},
         LAYER_INVALID,
         "mean",
         "mean is inf, expected a finite number"},
        {{2, {5, 5}},
         {.method = LAYER_INITIALIZE_NORMAL, .mean = 1e39},
         LAYER_TOO_LARGE,
         "std",
         "std makes weights beyond what a float holds"},
        {{2, {5, 5}},
         {.method = LAYER_INITIALIZE_CONSTANT, .value = 1e39},
         LAYER_TOO_LARGE,
         "value",
         "value makes weights beyond what a float holds"},
        {{2, {5, 5}},
         {.method = LAYER_INITIALIZE_TRUNCATED_NORMAL, .lower = -31, .upper = 1},
         LAYER_INVALID,
         "lower",
         "lower is -31, expected standard deviations from -30 to 30"},
        {{2, {5, 5}},
         {.method = LAYER_INITIALIZE_TRUNCATED_NORMAL, .upper = 31},
         LAYER_INVALID,
         "upper",
         "upper is 31, expected standard deviations from -30 to 30"},
        {{2, {5, 5}},
         {.method = LAYER_INITIALIZE_TRUNCATED_NORMAL, .lower = 1, .upper = 1.001},
         LAYER_INVALID,
         "upper",
         "upper is 1.001, expected at least 0.01 more than lower, 1"},
        {{2, {5, 5}},
         {.method = LAYER_INITIALIZE_UNIFORM, .low = 2, .high = 2},
         LAYER_INVALID,
         "high",
         "high is 2, expected more than low, 2"},
        {{3, {5, 5, 5}},
         {.method = LAYER_INITIALIZE_EYE},
         LAYER_INVALID,
         "shape",
         "shape has rank 3, expected 2 for eye; dirac is a convolution's"},
        {{2, {5, 5}},
         {.method = LAYER_INITIALIZE_DIRAC},
         LAYER_INVALID,
         "shape",
         "shape has rank 2, expected 3 to 5 for dirac; eye is a linear layer's"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer_initialize initialize;
        layer_error error = {0};
        const layer_status status =
            layer_initialize_describe(&initialize, &cases[i].shape, &cases[i].options, &error);
        expect_refusal(status, &error,
                       &(refusal){cases[i].status, cases[i].argument, cases[i].reason});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_makes_no_sense_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
