/* Initial weights: fans, laws by their statistics, the same bits whatever the
 * threads, every refusal.
 * SPDX-License-Identifier: MIT */
#include "layer/initialize.h"
#include "layer/random.h"
#include "support/drawing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST_THREADS = 4 };

static void assert_near(double actual, double expected, double relative)
{
    if (!(fabs(actual - expected) <= relative * fabs(expected)))
        fail_msg("%.17g, expected %.17g within %g", actual, expected, relative);
}

static void fans_count_the_group(void **state)
{
    (void)state;
    static const struct {
        layer_shape shape;
        int group;
        double fan_in, fan_out;
    } cases[] = {
        {{2, {30, 20}}, 0, 20, 30},          {{4, {64, 3, 7, 7}}, 1, 3 * 49, 64 * 49},
        {{4, {32, 1, 3, 3}}, 32, 9, 9},      {{4, {64, 16, 3, 3}}, 4, 144, 144},
        {{5, {6, 2, 2, 3, 4}}, 3, 48, 48},   {{3, {8, 4, 5}}, 2, 20, 20},
        {{4, {64, 1, 3, 3}}, 32, 9, 2 * 9.},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const layer_initialize normal =
            drawing_describe(cases[i].shape, (layer_initialize_options){.group = cases[i].group});
        const layer_initialize uniform = drawing_describe(
            cases[i].shape, (layer_initialize_options){.method = LAYER_INITIALIZE_XAVIER_UNIFORM,
                                                       .group = cases[i].group,
                                                       .gain = 2});
        assert_true(normal.fan_in == cases[i].fan_in && normal.fan_out == cases[i].fan_out);
        const double std = sqrt(2 / (cases[i].fan_in + cases[i].fan_out));
        assert_near(normal.std, std, 1e-15);
        assert_true(normal.bound == 0 && normal.gain == 1);
        assert_near(uniform.std, 2 * std, 1e-15);
        assert_near(uniform.bound, 2 * sqrt(3) * std, 1e-15);
        assert_int_equal(layer_initialize_workspace_size(&normal), 0);
    }
}

static void elements_are_those_of_the_stream(void **state)
{
    (void)state;
    const layer_shape shape = {2, {77, 131}};
    const layer_initialize normal = drawing_describe(shape, (layer_initialize_options){.seed = 5});
    const layer_initialize uniform = drawing_describe(
        shape,
        (layer_initialize_options){.method = LAYER_INITIALIZE_XAVIER_UNIFORM, .seed = UINT64_MAX});
    float *const normals = drawing_new(&normal, 1), *const uniforms = drawing_new(&uniform, 1);
    for (size_t i = 0; i < 77 * 131; i++) {
        assert_true(normals[i] == (float)(normal.std * layer_random_normal(5, i)));
        assert_true(uniforms[i] ==
                    (float)(uniform.bound * (2 * layer_random_uniform(UINT64_MAX, i) - 1)));
    }
    free(normals);
    free(uniforms);
}

/* Of a million elements: mean and variance within five of their standard errors, skewness none,
 * kurtosis that of the law. */
static void laws_have_their_moments(void **state)
{
    (void)state;
    static const struct {
        layer_initialize_method method;
        double kurtosis;
    } cases[] = {{LAYER_INITIALIZE_XAVIER_NORMAL, 3}, {LAYER_INITIALIZE_XAVIER_UNIFORM, 1.8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const layer_initialize initialize =
            drawing_describe((layer_shape){2, {1000, 1000}},
                             (layer_initialize_options){.method = cases[i].method, .seed = 1234});
        const size_t count = drawing_count(&initialize);
        float *const weight = drawing_new(&initialize, 2);
        double mean, variance, third = 0, fourth = 0;
        layer_moments(weight, count, &mean, &variance);
        for (size_t j = 0; j < count; j++) {
            const double deviation = (double)weight[j] / initialize.std;
            third += deviation * deviation * deviation / (double)count;
            fourth += deviation * deviation * deviation * deviation / (double)count;
            assert_true(initialize.bound == 0 || fabs((double)weight[j]) <= initialize.bound);
        }
        const double error = 1 / sqrt((double)count);
        assert_true(fabs(mean) <= 5 * error * initialize.std);
        assert_near(variance, initialize.std * initialize.std,
                    5 * error * sqrt(cases[i].kurtosis - 1));
        assert_true(fabs(third) <= 5 * error * sqrt(15));
        assert_near(fourth, cases[i].kurtosis, 0.03);
        free(weight);
    }
}

static void threads_do_not_show(void **state)
{
    (void)state;
#define METHOD(id, name, law) LAYER_INITIALIZE_##id,
    static const layer_initialize_method methods[] = {LAYER_INITIALIZE_METHOD_LIST(METHOD)};
#undef METHOD
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const layer_initialize initialize =
            drawing_describe((layer_shape){4, {47, 31, 3, 5}},
                             (layer_initialize_options){.method = methods[i], .seed = 7});
        float *const alone = drawing_new(&initialize, 1);
        for (int threads = 1; threads <= MOST_THREADS; threads++) {
            float *const together = drawing_new(&initialize, threads);
            assert_memory_equal(alone, together, drawing_count(&initialize) * sizeof *alone);
            free(together);
        }
        const int cancelled = 1;
        assert_int_equal(drawing_run(&initialize, alone, 2, &cancelled), LAYER_CANCELLED);
        free(alone);
    }
}

static void seeds_differ(void **state)
{
    (void)state;
    const layer_shape shape = {2, {8, 8}};
    const layer_initialize one = drawing_describe(shape, (layer_initialize_options){.seed = 1});
    const layer_initialize other =
        drawing_describe(shape, (layer_initialize_options){.seed = 1 + (UINT64_C(1) << 32)});
    float *const first = drawing_new(&one, 1), *const second = drawing_new(&other, 1);
    assert_memory_not_equal(first, second, 64 * sizeof *first);
    free(first);
    free(second);
}

static void methods_have_names(void **state)
{
    (void)state;
#define CHECK_NAME(id, name, law)                                                                  \
    assert_string_equal(layer_initialize_method_name(LAYER_INITIALIZE_##id), name);
    LAYER_INITIALIZE_METHOD_LIST(CHECK_NAME)
#undef CHECK_NAME
}

static void moments_survive_a_large_mean(void **state)
{
    (void)state;
    static const float elements[] = {16777210, 16777212, 16777214, 16777216};
    double mean, variance;
    layer_moments(elements, 4, &mean, &variance);
    assert_true(mean == 16777213 && variance == 5);
}

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
         "gain 1e+300 makes weights beyond what a float holds"},
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
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer_initialize initialize;
        layer_error error = {0};
        assert_int_equal(
            layer_initialize_describe(&initialize, &cases[i].shape, &cases[i].options, &error),
            cases[i].status);
        assert_int_equal(error.status, cases[i].status);
        assert_string_equal(error.argument, cases[i].argument);
        assert_string_equal(error.reason, cases[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fans_count_the_group),
        cmocka_unit_test(elements_are_those_of_the_stream),
        cmocka_unit_test(laws_have_their_moments),
        cmocka_unit_test(threads_do_not_show),
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(methods_have_names),
        cmocka_unit_test(moments_survive_a_large_mean),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
