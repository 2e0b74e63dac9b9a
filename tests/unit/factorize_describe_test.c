/* Describing factorizations: what is derived, every refusal.
 * SPDX-License-Identifier: MIT */
#include "layer/factorize.h"
#include "support/refusal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static layer_factorize describe(layer_shape weight, layer_factorize_options options)
{
    layer_factorize bank;
    layer_error error;
    assert_int_equal(layer_factorize_describe(&bank, &weight, &options, &error), LAYER_OK);
    return bank;
}

static void a_kernel_is_a_bank_of_one(void **state)
{
    (void)state;
    const layer_factorize kernel = describe((layer_shape){2, {3, 5}}, (layer_factorize_options){0});
    assert_true(kernel.outputs == 1 && kernel.channels == 1);
    assert_true(kernel.height == 3 && kernel.width == 5 && kernel.each_most == 3);
    assert_int_equal(kernel.scheme, LAYER_FACTORIZE_EACH);
    assert_true(kernel.columns == 9 && kernel.rows == 15 && kernel.values == 3);
    assert_int_equal(kernel.full_multiplications, 15);
    assert_int_equal(kernel.multiplications, 8 * 15 * 3);
}

static void a_bank_tries_both_schemes(void **state)
{
    (void)state;
    const layer_factorize bank =
        describe((layer_shape){4, {4, 2, 3, 5}}, (layer_factorize_options){0});
    assert_int_equal(bank.scheme, LAYER_FACTORIZE_AUTO);
    assert_true(bank.each_most == 3 && bank.shared_most == 6);
    assert_true(bank.columns == 4 * 2 * 3 * 3 && bank.rows == 4 * 2 * 3 * 5);
    assert_int_equal(bank.values, 4 * 2 * 3);
    assert_int_equal(bank.full_multiplications, 120);
    assert_int_equal(bank.multiplications, 8 * 120 * (3 + 6));
}

/* Beside the kernels' own, the shared columns of a flat bank take more. */
static void there_is_room_for_either_scheme(void **state)
{
    (void)state;
    const layer_factorize flat =
        describe((layer_shape){4, {1, 2, 3, 9}}, (layer_factorize_options){0});
    assert_int_equal(flat.shared_most, 6);
    assert_true(flat.columns == 6 * 2 * 3 && flat.rows == 2 * 3 * 9 && flat.values == 6);
}

static void each_is_what_is_left(void **state)
{
    (void)state;
    const layer_shape bank = {4, {4, 2, 3, 5}}, wide = {4, {1, 2, 1, 3000}};
    const layer_shape large = {4, {800, 800, 2, 2}}, long_bank = {4, {1, 5000, 1, 1}};
    assert_int_equal(describe(bank, (layer_factorize_options){.rank = 2}).scheme,
                     LAYER_FACTORIZE_EACH);
    assert_int_equal(describe(wide, (layer_factorize_options){0}).scheme, LAYER_FACTORIZE_AUTO);
    assert_int_equal(describe(large, (layer_factorize_options){0}).scheme, LAYER_FACTORIZE_EACH);
    assert_int_equal(describe(long_bank, (layer_factorize_options){0}).scheme,
                     LAYER_FACTORIZE_EACH);
    assert_int_equal(
        describe(large, (layer_factorize_options){.scheme = LAYER_FACTORIZE_SHARED}).scheme,
        LAYER_FACTORIZE_SHARED);
}

static const struct {
    layer_shape weight;
    layer_factorize_options options;
    layer_status status;
    const char *argument, *reason;
} refusals[] = {
    {{1, {3}},
     {.rank = 0},
     LAYER_INVALID,
     "weight",
     "weight has rank 1, expected 2, [R, S], or 4, [K, C, R, S]"},
    {{3, {4, 3, 3}},
     {.rank = 0},
     LAYER_INVALID,
     "weight",
     "weight has rank 3, expected 2, [R, S], or 4, [K, C, R, S]"},
    {{2, {3, 0}},
     {.rank = 0},
     LAYER_INVALID,
     "weight",
     "weight has extent 0 along axis 1, expected at least 1"},
    {{2, {4097, 1}},
     {.rank = 0},
     LAYER_TOO_LARGE,
     "weight",
     "weight spans 4097x1, expected at most 4096 along each axis"},
    {{2, {1, 4097}},
     {.rank = 0},
     LAYER_TOO_LARGE,
     "weight",
     "weight spans 1x4097, expected at most 4096 along each axis"},
    {{4, {1, 4097, 1, 1}},
     {.scheme = LAYER_FACTORIZE_SHARED},
     LAYER_TOO_LARGE,
     "weight",
     "the bank is a matrix of 4097x1, expected at most 4096 along each axis"},
    {{4, {2049, 1, 1, 2}},
     {.scheme = LAYER_FACTORIZE_SHARED},
     LAYER_TOO_LARGE,
     "weight",
     "the bank is a matrix of 1x4098, expected at most 4096 along each axis"},
    {{2, {2, 3}},
     {.rank = 3},
     LAYER_INVALID,
     "rank",
     "rank is 3, expected 1 to 2, the kernel's shorter side"},
    {{2, {2, 3}},
     {.rank = -1},
     LAYER_INVALID,
     "rank",
     "rank is -1, expected 1 to 2, the kernel's shorter side"},
    {{4, {4, 2, 3, 5}},
     {.rank = 7, .scheme = LAYER_FACTORIZE_SHARED},
     LAYER_INVALID,
     "rank",
     "rank is 7, expected 1 to 6, the bank's shorter side"},
    {{4, {4, 2, 3, 5}},
     {.rank = 4},
     LAYER_INVALID,
     "rank",
     "rank is 4, expected 1 to 3, the kernel's shorter side"},
    {{2, {2, 3}},
     {.tolerance = 1.5},
     LAYER_INVALID,
     "tolerance",
     "tolerance is 1.5, expected 0 to 1"},
    {{2, {2, 3}},
     {.tolerance = (double)NAN},
     LAYER_INVALID,
     "tolerance",
     "tolerance is nan, expected 0 to 1"},
    {{2, {2, 3}},
     {.scheme = (layer_factorize_scheme)17},
     LAYER_INVALID,
     "scheme",
     "scheme 17 is none of the list"},
};

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        layer_factorize bank;
        layer_error error = {0};
        spoil(&bank, sizeof bank);
        const layer_status status =
            layer_factorize_describe(&bank, &refusals[i].weight, &refusals[i].options, &error);
        expect_refusal(status, &error,
                       &(refusal){refusals[i].status, refusals[i].argument, refusals[i].reason});
        expect_spoilt(&bank, sizeof bank);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kernel_is_a_bank_of_one),
        cmocka_unit_test(a_bank_tries_both_schemes),
        cmocka_unit_test(there_is_room_for_either_scheme),
        cmocka_unit_test(each_is_what_is_left),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
