/* Pooling on numbers that are worth a look: ties, NaN, infinities, zeros, padding alone, extremes
 * of the range. SPDX-License-Identifier: MIT */
#include "layer/pool.h"
#include "support/pooling.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOST = 16 };

static layer_pool describe(layer_shape input, layer_pool_options options)
{
    layer_pool pool;
    layer_error error;
    assert_int_equal(layer_pool_describe(&pool, &input, &options, &error), LAYER_OK);
    return pool;
}

static void assert_float(float actual, float expected)
{
    if (!(actual == expected || (isnan(actual) && isnan(expected)) ||
          fabsf(actual - expected) <= 1e-6f * fabsf(expected)))
        fail_msg("%.9g, expected %.9g", (double)actual, (double)expected);
}

/* One row of cells, pooled. */
static void assert_pooled(layer_pool_options options, int count, const float *input,
                          const float *expected)
{
    const layer_pool pool = describe((layer_shape){3, {1, 1, count}}, options);
    float output[MOST];
    assert_int_equal(pooling_forward(&pool, input, output, NULL, (pooling_way){.threads = 1}),
                     LAYER_OK);
    for (size_t i = 0; i < pooling_outputs(&pool); i++)
        assert_float(output[i], expected[i]);
}

static void the_first_of_equals_is_the_maximum(void **state)
{
    (void)state;
    const layer_pool pool = describe(
        (layer_shape){4, {1, 1, 3, 3}},
        (layer_pool_options){.kernel = {2, 2}, .geometry.strides = {1, 1}, .indices = true});
    const float input[] = {7, 7, 7, 7, 7, 7, 7, 7, 7}, grad_output[] = {1, 10, 100, 1000};
    const float first[] = {0, 1, 3, 4};
    float output[4], indices[4], grad_input[9];
    assert_int_equal(pooling_forward(&pool, input, output, indices, (pooling_way){.threads = 1}),
                     LAYER_OK);
    assert_int_equal(
        pooling_backward(&pool, input, grad_output, NULL, grad_input, (pooling_way){.threads = 1}),
        LAYER_OK);
    assert_memory_equal(indices, first, sizeof first);
    const float expected[] = {1, 10, 0, 100, 1000, 0, 0, 0, 0};
    assert_memory_equal(grad_input, expected, sizeof expected);
}

/* In the lecture's way: where windows overlap on one maximum it gets what all of them bring. */
static void overlapping_windows_add_up(void **state)
{
    (void)state;
    const layer_pool pool =
        describe((layer_shape){4, {1, 1, 3, 3}},
                 (layer_pool_options){.kernel = {2, 2}, .geometry.strides = {1, 1}});
    const float input[] = {1, 2, 3, 4, 9, 5, 6, 7, 8}, grad_output[] = {1, 10, 100, 1000};
    const float expected[] = {0, 0, 0, 0, 1111, 0, 0, 0, 0};
    float grad_input[9];
    assert_int_equal(
        pooling_backward(&pool, input, grad_output, NULL, grad_input, (pooling_way){.threads = 1}),
        LAYER_OK);
    assert_memory_equal(grad_input, expected, sizeof expected);
}

static void nan_wins(void **state)
{
    (void)state;
    const float input[] = {1, NAN, 3, INFINITY, NAN, NAN, -1, -2};
    const float largest[] = {NAN, INFINITY, NAN, -1}, where[] = {1, 3, 4, 6};
    const layer_pool pool =
        describe((layer_shape){3, {1, 1, 8}}, (layer_pool_options){.kernel = {2}, .indices = true});
    float output[4], indices[4];
    assert_int_equal(pooling_forward(&pool, input, output, indices, (pooling_way){.threads = 1}),
                     LAYER_OK);
    assert_memory_equal(indices, where, sizeof where);
    for (int i = 0; i < 4; i++)
        assert_float(output[i], largest[i]);
    assert_pooled((layer_pool_options){.kernel = {2}}, 8, input, largest);
    assert_pooled((layer_pool_options){.global = true}, 8, input, (const float[]){NAN});
}

static void minus_infinity_is_a_maximum_too(void **state)
{
    (void)state;
    const float input[] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    const layer_pool pool =
        describe((layer_shape){3, {1, 1, 4}}, (layer_pool_options){.kernel = {2}, .indices = true});
    float output[2], indices[2];
    assert_int_equal(pooling_forward(&pool, input, output, indices, (pooling_way){.threads = 1}),
                     LAYER_OK);
    assert_true(isinf(output[0]) && isinf(output[1]));
    assert_true(indices[0] == 0 && indices[1] == 2);
}

/* Windows at the ends see padding alone, and so does one whose cells lie left and right of the
 * input. */
static void padding_alone_is_no_cell(void **state)
{
    (void)state;
    const float input[] = {-3, 5}, grad_output[] = {1, 2, 4, 8, 16}, none = -INFINITY;
    const layer_geometry wide = {.strides = {1}, .pads_begin = {2}, .pads_end = {2}};
    const layer_pool pool =
        describe((layer_shape){3, {1, 1, 2}},
                 (layer_pool_options){.kernel = {2}, .geometry = wide, .indices = true});
    float output[5], indices[5], grad_input[2];
    assert_int_equal(pooling_forward(&pool, input, output, indices, (pooling_way){.threads = 1}),
                     LAYER_OK);
    const float largest[] = {none, -3, 5, 5, none}, where[] = {-1, 0, 1, 1, -1};
    assert_memory_equal(output, largest, sizeof largest);
    assert_memory_equal(indices, where, sizeof where);
    assert_int_equal(pooling_backward(&pool, input, grad_output, indices, grad_input,
                                      (pooling_way){.threads = 1}),
                     LAYER_OK);
    assert_true(grad_input[0] == 2 && grad_input[1] == 12);
    assert_pooled((layer_pool_options){.kernel = {2}, .geometry = wide}, 2, input, largest);
    assert_pooled((layer_pool_options){.kind = LAYER_POOL_AVERAGE, .kernel = {2}, .geometry = wide},
                  2, input, (const float[]){0, -3, 1, 5, 0});
    assert_pooled((layer_pool_options){.kind = LAYER_POOL_LP, .kernel = {2}, .geometry = wide}, 2,
                  input, (const float[]){0, 3, sqrtf(34), 5, 0});
    assert_pooled(
        (layer_pool_options){.kernel = {2},
                             .geometry = {.dilations = {2}, .pads_begin = {1}, .pads_end = {1}}},
        1, input, &none);
}

/* 1 2 3 4 5 by windows of 2, the last of which hangs over by one. */
static void the_divisor_is_what_counts(void **state)
{
    (void)state;
    const float input[] = {1, 2, 3, 4, 5};
    const layer_pool_options plain = {.kind = LAYER_POOL_AVERAGE, .kernel = {2}, .ceil_mode = true};
    layer_pool_options padded = plain;
    assert_pooled(plain, 5, input, (const float[]){1.5f, 3.5f, 5});
    padded.geometry = (layer_geometry){.pads_begin = {1}};
    assert_pooled(padded, 5, input, (const float[]){1, 2.5f, 4.5f});
    padded.count_include_pad = true;
    assert_pooled(padded, 5, input, (const float[]){0.5f, 2.5f, 4.5f});
    padded.geometry = (layer_geometry){.strides = {3}, .pads_begin = {1}, .pads_end = {1}};
    padded.kernel[0] = 3;
    assert_pooled(padded, 5, input, (const float[]){1, 4, 2.5f});
}

/* |x|^p would leave the range of double, the norm stays. */
static void norms_stay_in_range(void **state)
{
    (void)state;
    const float large[] = {FLT_MAX / 2, -FLT_MAX / 4, FLT_MIN, 0}, zero[] = {0, 0, 0, 0};
    layer_pool_options options = {.kind = LAYER_POOL_LP, .kernel = {2}, .p = 50};
    assert_pooled(options, 4, large, (const float[]){FLT_MAX / 2, FLT_MIN});
    assert_pooled(options, 4, zero, zero);
    options.p = 2;
    assert_pooled(options, 4, large, (const float[]){FLT_MAX / 4 * sqrtf(5), FLT_MIN});
    options.p = 1;
    assert_pooled(options, 4, large, (const float[]){FLT_MAX / 4 * 3, FLT_MIN});
    options.p = 3;
    const float odd[] = {INFINITY, 1, NAN, 0, NAN, INFINITY, 1, -2};
    assert_pooled(options, 8, odd, (const float[]){INFINITY, NAN, NAN, cbrtf(9)});
}

/* Where a norm is 0 it has no slope, where a cell is 0 there is none along it; tiny norms' slopes
 * are as good as any. */
static void norms_slope(void **state)
{
    (void)state;
    static const double powers[] = {1, 2, 2.5};
    const float input[] = {0, 0, 0, -4, 3e-30f, 4e-30f}, grad_output[] = {1, 2, 1e10f};
    const float slopes[][3] = {
        {-2, 1e10f, 1e10f}, {-2, 6e9f, 8e9f}, {-2, 5.1189502e9f, 7.8811394e9f}};
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
        const layer_pool pool =
            describe((layer_shape){3, {1, 1, 6}},
                     (layer_pool_options){.kind = LAYER_POOL_LP, .kernel = {2}, .p = powers[i]});
        float grad_input[6];
        assert_int_equal(pooling_backward(&pool, input, grad_output, NULL, grad_input,
                                          (pooling_way){.threads = 1}),
                         LAYER_OK);
        assert_true(grad_input[0] == 0 && grad_input[1] == 0 && grad_input[2] == 0);
        for (int cell = 0; cell < 3; cell++)
            assert_float(grad_input[3 + cell], slopes[i][cell]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_equals_is_the_maximum),
        cmocka_unit_test(overlapping_windows_add_up),
        cmocka_unit_test(nan_wins),
        cmocka_unit_test(minus_infinity_is_a_maximum_too),
        cmocka_unit_test(padding_alone_is_no_cell),
        cmocka_unit_test(the_divisor_is_what_counts),
        cmocka_unit_test(norms_stay_in_range),
        cmocka_unit_test(norms_slope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
