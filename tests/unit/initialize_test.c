/* Initial weights: fans, laws by their statistics, the same bits whatever the
 * threads.
 * SPDX-License-Identifier: MIT */
#include "layer/initialize.h"
#include "layer/random.h"
#include "support/drawing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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

/* Of a million elements: mean and variance within five of their standard errors, which a kurtosis
 * of up to 3 makes; no element out of bounds. */
static void laws_have_their_moments(void **state)
{
    (void)state;
    static const layer_initialize_options cases[] = {
        {.method = LAYER_INITIALIZE_XAVIER_NORMAL},
        {.method = LAYER_INITIALIZE_XAVIER_UNIFORM},
        {.method = LAYER_INITIALIZE_KAIMING_NORMAL},
        {.method = LAYER_INITIALIZE_KAIMING_UNIFORM, .mode = LAYER_FAN_OUT},
        {.method = LAYER_INITIALIZE_LECUN_NORMAL},
        {.method = LAYER_INITIALIZE_LECUN_UNIFORM},
        {.method = LAYER_INITIALIZE_VARIANCE_SCALING, .scale = 3},
        {.method = LAYER_INITIALIZE_VARIANCE_SCALING, .distribution = LAYER_DISTRIBUTION_NORMAL},
        {.method = LAYER_INITIALIZE_VARIANCE_SCALING, .distribution = LAYER_DISTRIBUTION_UNIFORM},
        {.method = LAYER_INITIALIZE_TRUNCATED_NORMAL, .mean = 3, .std = 0.5},
        {.method = LAYER_INITIALIZE_TRUNCATED_NORMAL, .lower = 0.5, .upper = 6},
        {.method = LAYER_INITIALIZE_TRUNCATED_NORMAL, .lower = -30, .upper = -29},
        {.method = LAYER_INITIALIZE_NORMAL, .mean = -7, .std = 2},
        {.method = LAYER_INITIALIZE_UNIFORM, .low = -1, .high = 5},
        {.method = LAYER_INITIALIZE_UNIFORM},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer_initialize_options options = cases[i];
        options.seed = 1234 + i;
        const layer_initialize law = drawing_describe((layer_shape){2, {1000, 1000}}, options);
        const size_t count = drawing_count(&law);
        float *const weight = drawing_new(&law, 2);
        double mean, variance;
        layer_moments(weight, count, &mean, &variance);
        const double error = 5 / sqrt((double)count);
        assert_true(fabs(mean - law.mean) <= error * law.std);
        assert_near(variance, law.std * law.std, error * sqrt(2.1));
        for (size_t j = 0; law.bound > 0 && j < count; j++)
            assert_true((double)weight[j] >= law.low && (double)weight[j] <= law.high &&
                        fabs((double)weight[j]) <= law.bound);
        free(weight);
    }
}

/* The third and fourth moments say that it is the law, not another of the same variance. */
static void laws_have_their_shapes(void **state)
{
    (void)state;
    static const struct {
        layer_initialize_method method;
        double kurtosis;
    } cases[] = {
        {LAYER_INITIALIZE_XAVIER_NORMAL, 3},
        {LAYER_INITIALIZE_XAVIER_UNIFORM, 1.8},
        {LAYER_INITIALIZE_VARIANCE_SCALING, 2.36539478},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const layer_initialize law =
            drawing_describe((layer_shape){2, {1000, 1000}},
                             (layer_initialize_options){.method = cases[i].method, .seed = 1234});
        const size_t count = drawing_count(&law);
        float *const weight = drawing_new(&law, 2);
        double third = 0, fourth = 0;
        for (size_t j = 0; j < count; j++) {
            const double deviation = (double)weight[j] / law.std;
            third += deviation * deviation * deviation / (double)count;
            fourth += deviation * deviation * deviation * deviation / (double)count;
        }
        assert_true(fabs(third) <= 5 * sqrt(15 / (double)count));
        assert_near(fourth, cases[i].kurtosis, 0.03);
        free(weight);
    }
}

static void deviations_follow_the_fans(void **state)
{
    (void)state;
    static const struct {
        layer_initialize_options options;
        double mean, std, bound;
    } cases[] = {
        {{.method = LAYER_INITIALIZE_KAIMING_NORMAL}, 0, 0.16666666666666667, 0},
        {{.method = LAYER_INITIALIZE_KAIMING_NORMAL, .mode = LAYER_FAN_OUT, .gain = 1}, 0, 0.25, 0},
        {{.method = LAYER_INITIALIZE_KAIMING_UNIFORM}, 0, 0.16666666666666667, 0.28867513459481288},
        {{.method = LAYER_INITIALIZE_LECUN_NORMAL}, 0, 0.11785113019775793, 0},
        {{.method = LAYER_INITIALIZE_LECUN_UNIFORM}, 0, 0.11785113019775793, 0.20412414523193151},
        {{.method = LAYER_INITIALIZE_VARIANCE_SCALING, .scale = 4.5},
         0,
         0.25,
         0.5 / 0.87962566103423978},
        {{.method = LAYER_INITIALIZE_VARIANCE_SCALING,
          .scale = 11,
          .mode = LAYER_FAN_AVG,
          .distribution = LAYER_DISTRIBUTION_NORMAL},
         0,
         0.5,
         0},
        {{.method = LAYER_INITIALIZE_VARIANCE_SCALING,
          .scale = 4,
          .mode = LAYER_FAN_OUT,
          .distribution = LAYER_DISTRIBUTION_UNIFORM},
         0,
         0.5,
         0.86602540378443865},
        {{.method = LAYER_INITIALIZE_TRUNCATED_NORMAL}, 0, 0.87962566103423978, 2},
        {{.method = LAYER_INITIALIZE_TRUNCATED_NORMAL, .mean = 1, .std = 2, .upper = 30},
         1 + 2 * 0.79788456080286536,
         2 * 0.60281027498908697,
         61},
        {{.method = LAYER_INITIALIZE_NORMAL, .mean = 4}, 4, 1, 0},
        {{.method = LAYER_INITIALIZE_UNIFORM, .low = -5, .high = 1}, -2, 1.7320508075688772, 5},
        {{.method = LAYER_INITIALIZE_CONSTANT, .value = -3}, -3, 0, 3},
        {{.method = LAYER_INITIALIZE_DIRAC}, 1. / 72, 0.11702985796078276, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* fan_in 8 * 9 = 72, fan_out 16 / 9 * 9 = 16 */
        layer_initialize_options options = cases[i].options;
        options.group = 9;
        const layer_initialize law = drawing_describe((layer_shape){4, {144, 72, 1, 1}}, options);
        assert_true(law.fan_in == 72 && law.fan_out == 16);
        assert_near(law.mean, cases[i].mean, 1e-14);
        assert_near(law.std, cases[i].std, 1e-14);
        assert_near(law.bound, cases[i].bound, 1e-14);
    }
}

/* Convolving with a dirac weight, or multiplying by an eye, gives the channels back. */
static void identities_have_ones_where_they_should(void **state)
{
    (void)state;
    static const struct {
        layer_shape shape;
        int group;
        size_t ones[4];
        size_t count;
    } cases[] = {
        {{2, {2, 3}}, 1, {0, 4}, 2},        {{2, {3, 2}}, 1, {0, 3}, 2},
        {{3, {2, 2, 3}}, 1, {1, 10}, 2},    {{4, {2, 2, 3, 4}}, 1, {6, 42}, 2},
        {{4, {4, 1, 3, 3}}, 2, {4, 22}, 2}, {{4, {4, 2, 1, 1}}, 2, {0, 3, 4, 7}, 4},
        {{5, {1, 1, 3, 3, 3}}, 1, {13}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const layer_initialize law = drawing_describe(
            cases[i].shape,
            (layer_initialize_options){.method = cases[i].shape.rank == 2 ? LAYER_INITIALIZE_EYE
                                                                          : LAYER_INITIALIZE_DIRAC,
                                       .group = cases[i].group});
        const size_t count = drawing_count(&law);
        float *const weight = drawing_new(&law, 2);
        double mean, variance;
        layer_moments(weight, count, &mean, &variance);
        assert_near(law.mean, mean, 1e-14);
        assert_near(law.std * law.std, variance, 1e-14);
        for (size_t one = 0; one < cases[i].count; one++) {
            assert_true(weight[cases[i].ones[one]] == 1);
            weight[cases[i].ones[one]] = 0;
        }
        for (size_t j = 0; j < count; j++)
            assert_true(weight[j] == 0);
        free(weight);
    }
}

static void threads_do_not_show(void **state)
{
    (void)state;
#define METHOD(id, name, takes, law) LAYER_INITIALIZE_##id,
    static const layer_initialize_method methods[] = {LAYER_INITIALIZE_METHOD_LIST(METHOD)};
#undef METHOD
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const bool flat = methods[i] == LAYER_INITIALIZE_EYE;
        const layer_initialize initialize =
            drawing_describe((layer_shape){flat ? 2 : 4, {47, 310, 3, 5}},
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
#define CHECK_NAME(id, name, takes, law)                                                           \
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fans_count_the_group),
        cmocka_unit_test(elements_are_those_of_the_stream),
        cmocka_unit_test(laws_have_their_moments),
        cmocka_unit_test(laws_have_their_shapes),
        cmocka_unit_test(deviations_follow_the_fans),
        cmocka_unit_test(identities_have_ones_where_they_should),
        cmocka_unit_test(threads_do_not_show),
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(methods_have_names),
        cmocka_unit_test(moments_survive_a_large_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
