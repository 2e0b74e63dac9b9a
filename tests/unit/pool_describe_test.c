/* Describing pooling and unpooling: what is derived, and every refusal.
 * SPDX-License-Identifier: MIT */
#include "layer/pool.h"
#include "layer/unpool.h"
#include "support/refusal.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void outputs_are_derived(void **state)
{
    (void)state;
    static const struct {
        layer_shape input;
        layer_pool_options options;
        layer_shape output;
        uint64_t multiplications;
    } cases[] = {
        {{4, {1, 1, 4, 4}}, {.kernel = {2, 2}}, {4, {1, 1, 2, 2}}, 16},
        {{4, {2, 64, 112, 112}},
         {.kernel = {3, 3},
          .geometry = {.strides = {2, 2}, .pads_begin = {1, 1}, .pads_end = {1, 1}}},
         {4, {2, 64, 56, 56}},
         2ull * 64 * 56 * 56 * 9},
        {{3, {1, 2, 7}}, {.kernel = {2}}, {3, {1, 2, 3}}, 12},
        {{3, {1, 2, 7}}, {.kernel = {2}, .ceil_mode = true}, {3, {1, 2, 4}}, 16},
        {{5, {1, 3, 8, 9, 10}}, {.kernel = {2, 3, 5}}, {5, {1, 3, 4, 3, 2}}, 3 * 24 * 30},
        {{4, {2, 5, 7, 9}}, {.kind = LAYER_POOL_AVERAGE, .global = true}, {4, {2, 5, 1, 1}}, 630},
        {{4, {1, 1, 5, 5}},
         {.kernel = {3, 3}, .geometry = {.auto_pad = LAYER_AUTO_PAD_SAME_UPPER}},
         {4, {1, 1, 2, 2}},
         36},
        {{3, {1, 1, 4}}, {.kind = LAYER_POOL_LP, .kernel = {2}, .p = 3}, {3, {1, 1, 2}}, 4 * 32},
        {{3, {1, 1, 4}}, {.kernel = {2}, .geometry.pads_begin = {9}}, {3, {1, 1, 6}}, 12},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer_pool pool;
        layer_error error;
        assert_int_equal(layer_pool_describe(&pool, &cases[i].input, &cases[i].options, &error),
                         LAYER_OK);
        expect_shape(&pool.input, &cases[i].input);
        expect_shape(&pool.output, &cases[i].output);
        assert_int_equal(pool.multiplications, cases[i].multiplications);
        assert_int_equal(pool.axes, cases[i].input.rank - 2);
    }
}

static void defaults_are_decided(void **state)
{
    (void)state;
    const layer_shape input = {4, {1, 1, 10, 20}};
    const layer_pool_options options = {
        .kind = LAYER_POOL_LP, .kernel = {2, 3}, .geometry.strides = {0, 1}};
    layer_pool pool;
    layer_error error;
    assert_int_equal(layer_pool_describe(&pool, &input, &options, &error), LAYER_OK);
    assert_int_equal(pool.window[1].stride, 2);
    assert_int_equal(pool.window[2].stride, 1);
    assert_int_equal(pool.window[0].kernel, 1);
    assert_true(pool.p == 2);
}

static const struct {
    layer_shape input;
    layer_pool_options options;
    layer_status status;
    const char *argument, *reason;
} refusals[] = {
    {{2, {4, 4}},
     {.kernel = {2, 2}},
     LAYER_INVALID,
     "input",
     "input has rank 2, expected 3 to 5: [N, C, 1 to 3 spatial axes]"},
    {{6, {1, 1, 4, 4}},
     {.kernel = {2, 2}},
     LAYER_INVALID,
     "input",
     "input has rank 6, expected 3 to 5: [N, C, 1 to 3 spatial axes]"},
    {{4, {1, 1, 0, 4}},
     {.kernel = {2, 2}},
     LAYER_INVALID,
     "input",
     "input has extent 0 along axis 2, expected at least 1"},
    {{4, {1, 1, 4, 4}},
     {.kernel = {2}},
     LAYER_INVALID,
     "kernel_shape",
     "kernel_shape is 0 along axis 1, expected at least 1"},
    {{4, {1, 1, 4, 4}},
     {.kernel = {5, 2}},
     LAYER_INVALID,
     "kernel_shape",
     "kernel_shape spans 5x2, more than the padded input of 4x4"},
    {{4, {1, 1, 4, 4}},
     {.kernel = {3, 3}, .geometry.dilations = {2, 2}},
     LAYER_INVALID,
     "kernel_shape",
     "dilated kernel_shape spans 5x5, more than the padded input of 4x4"},
    {{4, {1, 1, 4, 4}},
     {.kind = (layer_pool_kind)9, .kernel = {2, 2}},
     LAYER_INVALID,
     "kind",
     "kind 9 is none of the list"},
    {{4, {1, 1, 4, 4}}, {.kernel = {2, 2}, .p = 2}, LAYER_INVALID, "p", "p goes with kind lp only"},
    {{4, {1, 1, 4, 4}},
     {.kind = LAYER_POOL_LP, .kernel = {2, 2}, .p = 0.5},
     LAYER_INVALID,
     "p",
     "p is 0.5, expected a number of at least 1"},
    {{4, {1, 1, 4, 4}},
     {.kind = LAYER_POOL_LP, .kernel = {2, 2}, .p = INFINITY},
     LAYER_INVALID,
     "p",
     "p is inf, expected a number of at least 1"},
    {{4, {1, 1, 4, 4}},
     {.kernel = {2, 2}, .count_include_pad = true},
     LAYER_INVALID,
     "count_include_pad",
     "count_include_pad goes with kind average only"},
    {{4, {1, 1, 4, 4}},
     {.kind = LAYER_POOL_AVERAGE, .kernel = {2, 2}, .indices = true},
     LAYER_INVALID,
     "return_indices",
     "indices go with kind max only"},
    {{4, {1, 1, 4, 4}},
     {.global = true, .kernel = {2, 2}},
     LAYER_INVALID,
     "kernel_shape",
     "kernel_shape conflicts with global, whose window is the whole plane"},
    {{4, {1, 1, 4, 4}},
     {.global = true, .geometry.strides = {0, 1}},
     LAYER_INVALID,
     "strides",
     "strides conflicts with global, whose window is the whole plane"},
    {{4, {1, 1, 4, 4}},
     {.global = true, .geometry.dilations = {1}},
     LAYER_INVALID,
     "dilations",
     "dilations conflicts with global, whose window is the whole plane"},
    {{4, {1, 1, 4, 4}},
     {.global = true, .geometry.pads_end = {1}},
     LAYER_INVALID,
     "pads",
     "pads conflicts with global, whose window is the whole plane"},
    {{4, {1, 1, 4, 4}},
     {.global = true, .geometry.auto_pad = LAYER_AUTO_PAD_VALID},
     LAYER_INVALID,
     "auto_pad",
     "auto_pad conflicts with global, whose window is the whole plane"},
    {{4, {1, 1, 4, 4}},
     {.global = true, .ceil_mode = true},
     LAYER_INVALID,
     "ceil_mode",
     "ceil_mode conflicts with global, whose window is the whole plane"},
    {{4, {1, 1, 4, 4}},
     {.kernel = {2, 2}, .geometry.strides = {1, -1}},
     LAYER_INVALID,
     "strides",
     "stride is -1 along axis 1, expected at least 1"},
    {{4, {1, 1, 4, 4}},
     {.kernel = {2, 2}, .geometry.auto_pad = LAYER_AUTO_PAD_FULL},
     LAYER_INVALID,
     "strides",
     "auto_pad FULL takes stride 1 only, but the stride is 2 along axis 0"},
    {{4, {1, 2, 3000, 3000}},
     {.kernel = {2, 2}, .indices = true, .index_base = LAYER_INDEX_BASE_TENSOR},
     LAYER_TOO_LARGE,
     "index_base",
     "the tensor has 18000000 cells; indices, being floats, count at most 16777216"},
    {{4, {1, 1, 5000, 5000}},
     {.kernel = {2, 2}, .indices = true},
     LAYER_TOO_LARGE,
     "index_base",
     "the plane has 25000000 cells; indices, being floats, count at most 16777216"},
    {{4, {1, 1, 30000, 30000}},
     {.kernel = {1, 1}, .geometry = {.strides = {1, 1}, .pads_end = {30000, 30000}}},
     LAYER_TOO_LARGE,
     "input",
     "the output of 1x1x60000x60000 has more than 2147483647 elements, the most a tensor holds"},
};

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        layer_pool pool;
        layer_error error = {0};
        spoil(&pool, sizeof pool);
        const layer_status status =
            layer_pool_describe(&pool, &refusals[i].input, &refusals[i].options, &error);
        expect_refusal(status, &error,
                       &(refusal){refusals[i].status, refusals[i].argument, refusals[i].reason});
        expect_spoilt(&pool, sizeof pool);
    }
}

/* Kernels as wide as their padding lets them be: their cells are counted without wrapping around.
 */
static void enormous_kernels_are_counted(void **state)
{
    (void)state;
    enum { KERNEL = INT_MAX - 8 };
    const layer_shape input = {5, {1, 1, 3, 3, 3}};
    const layer_pool_options options = {
        .kind = LAYER_POOL_AVERAGE,
        .kernel = {KERNEL, KERNEL, KERNEL},
        .geometry.pads_begin = {KERNEL, KERNEL, KERNEL},
    };
    layer_pool pool;
    layer_error error;
    assert_int_equal(layer_pool_describe(&pool, &input, &options, &error), LAYER_OK);
    assert_true(pool.multiplications == UINT64_MAX);
}

static layer_pool describe(layer_shape input, layer_pool_options options)
{
    layer_pool pool;
    layer_error error;
    assert_int_equal(layer_pool_describe(&pool, &input, &options, &error), LAYER_OK);
    return pool;
}

/* Of two planes of 2x2 cells, pooled to 1x2 each. */
static void wrong_indices_are_named(void **state)
{
    (void)state;
    static const struct {
        layer_index_base base;
        float indices[4];
        const char *reason;
    } cases[] = {
        {LAYER_INDEX_BASE_PLANE,
         {0, 1, 2, 4},
         "element 3 of indices is 4; its plane's cells are 0 to 3"},
        {LAYER_INDEX_BASE_PLANE,
         {0, -2, 2, 3},
         "element 1 of indices is -2; its plane's cells are 0 to 3"},
        {LAYER_INDEX_BASE_PLANE,
         {0.5f, 1, 2, 3},
         "element 0 of indices is 0.5; its plane's cells are 0 to 3"},
        {LAYER_INDEX_BASE_TENSOR,
         {0, 1, 3, 4},
         "element 2 of indices is 3; its plane's cells are 4 to 7"},
        {LAYER_INDEX_BASE_TENSOR,
         {0, 1, 4, NAN},
         "element 3 of indices is nan; its plane's cells are 4 to 7"},
        {LAYER_INDEX_BASE_TENSOR, {0, -1, 4, 7}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const layer_pool pool = describe(
            (layer_shape){4, {1, 2, 2, 2}},
            (layer_pool_options){.kernel = {2, 1}, .indices = true, .index_base = cases[i].base});
        layer_error error = {.reason = ""};
        const layer_status status = layer_pool_check_indices(&pool, cases[i].indices, &error);
        assert_int_equal(status, cases[i].reason == NULL ? LAYER_OK : LAYER_INVALID);
        assert_string_equal(error.reason, cases[i].reason == NULL ? "" : cases[i].reason);
    }
}

static void unpooled_shapes_are_derived(void **state)
{
    (void)state;
    static const struct {
        layer_shape input;
        layer_unpool_options options;
        layer_shape output;
    } cases[] = {
        {{4, {1, 2, 3, 4}}, {.kernel = {2, 2}}, {4, {1, 2, 6, 8}}},
        {{4, {1, 2, 3, 4}}, {.kernel = {3, 3}, .strides = {2, 1}}, {4, {1, 2, 7, 6}}},
        {{3, {1, 1, 5}},
         {.kernel = {3}, .strides = {2}, .pads_begin = {1}, .pads_end = {2}},
         {3, {1, 1, 8}}},
        {{4, {1, 1, 2, 2}}, {.kernel = {2, 2}, .output = {5, 5}}, {4, {1, 1, 5, 5}}},
        {{5, {2, 1, 2, 2, 2}}, {.kernel = {2, 2, 2}, .output = {4, 5, 3}}, {5, {2, 1, 4, 5, 3}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer_unpool unpool;
        layer_error error;
        assert_int_equal(layer_unpool_describe(&unpool, &cases[i].input, &cases[i].options, &error),
                         LAYER_OK);
        expect_shape(&unpool.output, &cases[i].output);
    }
}

static const struct {
    layer_shape input;
    layer_unpool_options options;
    layer_status status;
    const char *argument, *reason;
} unpool_refusals[] = {
    {{2, {2, 2}},
     {.kernel = {2}},
     LAYER_INVALID,
     "input",
     "input has rank 2, expected 3 to 5: [N, C, 1 to 3 spatial axes]"},
    {{4, {1, 1, 2, 2}},
     {.kernel = {2, 0}},
     LAYER_INVALID,
     "kernel_shape",
     "kernel_shape is 0 along axis 1, expected at least 1"},
    {{4, {1, 1, 2, 2}},
     {.kernel = {2, 2}, .strides = {-1}},
     LAYER_INVALID,
     "strides",
     "strides is -1 along axis 0, expected at least 0"},
    {{4, {1, 1, 2, 2}},
     {.kernel = {2, 2}, .pads_begin = {0, -3}},
     LAYER_INVALID,
     "pads",
     "pads is -3 along axis 1, expected at least 0"},
    {{4, {1, 1, 2, 2}},
     {.kernel = {2, 2}, .pads_end = {0, -3}},
     LAYER_INVALID,
     "pads",
     "pads is -3 along axis 1, expected at least 0"},
    {{4, {1, 1, 1, 2}},
     {.kernel = {2, 2}, .pads_begin = {1}, .pads_end = {1}},
     LAYER_INVALID,
     "pads",
     "the output is 0 long along axis 0, expected at least 1"},
    {{4, {1, 1, 2, 2}},
     {.kernel = {2, 2}, .output = {4, 3}, .index_shape = LAYER_INDEX_SHAPE_INFERRED},
     LAYER_INVALID,
     "output_shape",
     "output_shape is 3 along axis 1, expected at least 4"},
    {{4, {1, 1, 2, 2}},
     {.kernel = {2, 2}, .output = {4, 0}},
     LAYER_INVALID,
     "output_shape",
     "output_shape is 0 along axis 1, expected at least 1"},
    {{4, {1, 1, 2000, 2000}},
     {.kernel = {1000, 1000}},
     LAYER_TOO_LARGE,
     "input",
     "the output has more than 2147483647 elements, the most a tensor holds"},
    {{4, {1, 1, 2500, 2500}},
     {.kernel = {2, 2}},
     LAYER_TOO_LARGE,
     "index_base",
     "the plane has 25000000 cells; indices, being floats, count at most 16777216"},
};

static void unpooling_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof unpool_refusals / sizeof *unpool_refusals; i++) {
        layer_unpool unpool;
        layer_error error = {0};
        spoil(&unpool, sizeof unpool);
        const layer_status status = layer_unpool_describe(&unpool, &unpool_refusals[i].input,
                                                          &unpool_refusals[i].options, &error);
        expect_refusal(status, &error,
                       &(refusal){unpool_refusals[i].status, unpool_refusals[i].argument,
                                  unpool_refusals[i].reason});
        expect_spoilt(&unpool, sizeof unpool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_derived),
        cmocka_unit_test(defaults_are_decided),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(enormous_kernels_are_counted),
        cmocka_unit_test(wrong_indices_are_named),
        cmocka_unit_test(unpooled_shapes_are_derived),
        cmocka_unit_test(unpooling_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
