/* Sliding windows: worked examples and every refusal.
 * SPDX-License-Identifier: MIT */
#include "layer/window.h"
#include "support/refusal.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOTSET     LAYER_AUTO_PAD_NOTSET
#define VALID      LAYER_AUTO_PAD_VALID
#define SAME_UPPER LAYER_AUTO_PAD_SAME_UPPER
#define SAME_LOWER LAYER_AUTO_PAD_SAME_LOWER
#define FULL       LAYER_AUTO_PAD_FULL

/* Windows are {input, kernel, stride, dilation, pad_begin, pad_end, output}. */
static void windows_are_derived(void **state)
{
    (void)state;
    static const struct {
        layer_window given;
        layer_auto_pad auto_pad;
        bool ceil_mode;
        int pad_begin, pad_end, output;
    } cases[] = {
        {{5, 3, 1, 1, 0, 0, 0}, NOTSET, false, 0, 0, 3},
        {{5, 3, 2, 1, 1, 1, 0}, NOTSET, false, 1, 1, 3},
        {{6, 3, 2, 1, 1, 1, 0}, NOTSET, false, 1, 1, 3},
        {{6, 3, 2, 1, 1, 1, 0}, NOTSET, true, 1, 1, 4},
        {{7, 3, 1, 2, 0, 0, 0}, NOTSET, false, 0, 0, 3},
        {{1, 3, 1, 1, 2, 0, 0}, NOTSET, false, 2, 0, 1},
        {{224, 7, 2, 1, 3, 3, 0}, NOTSET, false, 3, 3, 112},
        /* ONNX's maxpool_2d_ceil and maxpool_2d_ceil_output_size_reduce_by_one */
        {{4, 3, 2, 1, 0, 0, 0}, NOTSET, true, 0, 0, 2},
        {{2, 1, 2, 1, 0, 0, 0}, NOTSET, true, 0, 0, 1},
        {{4, 2, 3, 1, 1, 1, 0}, NOTSET, true, 1, 1, 2},
        {{5, 3, 2, 1, 0, 0, 0}, VALID, false, 0, 0, 2},
        {{5, 3, 1, 1, 0, 0, 0}, SAME_UPPER, false, 1, 1, 5},
        {{6, 3, 2, 1, 0, 0, 0}, SAME_UPPER, false, 0, 1, 3},
        {{6, 3, 2, 1, 0, 0, 0}, SAME_LOWER, false, 1, 0, 3},
        {{5, 2, 1, 3, 0, 0, 0}, SAME_UPPER, false, 1, 2, 5},
        {{5, 2, 1, 3, 0, 0, 0}, SAME_LOWER, false, 2, 1, 5},
        {{9, 1, 4, 1, 0, 0, 0}, SAME_UPPER, false, 0, 0, 3},
        {{3, 2, 1, 1, 0, 0, 0}, FULL, false, 1, 1, 4},
        {{1, 5, 1, 2, 0, 0, 0}, FULL, false, 8, 8, 9},
        {{INT_MAX, 1, 1, 1, 0, 0, 0}, NOTSET, false, 0, 0, INT_MAX},
        {{1, 2, 1, INT_MAX - 1, 0, INT_MAX - 1, 0}, NOTSET, false, 0, INT_MAX - 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer_window window = cases[i].given;
        layer_error error;
        assert_int_equal(
            layer_window_describe(&window, cases[i].auto_pad, cases[i].ceil_mode, 0, &error),
            LAYER_OK);
        assert_int_equal(window.pad_begin, cases[i].pad_begin);
        assert_int_equal(window.pad_end, cases[i].pad_end);
        assert_int_equal(window.output, cases[i].output);
    }
}

static void windows_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct {
        layer_window given;
        layer_auto_pad auto_pad;
        layer_status status;
        const char *argument, *reason;
    } cases[] = {
        {{0, 3, 1, 1, 0, 0, 0},
         NOTSET,
         LAYER_INVALID,
         "input",
         "input is 0 along axis 1, expected at least 1"},
        {{5, 0, 1, 1, 0, 0, 0},
         NOTSET,
         LAYER_INVALID,
         "weight",
         "kernel is 0 along axis 1, expected at least 1"},
        {{5, 3, 0, 1, 0, 0, 0},
         NOTSET,
         LAYER_INVALID,
         "strides",
         "stride is 0 along axis 1, expected at least 1"},
        {{5, 3, 1, -2, 0, 0, 0},
         NOTSET,
         LAYER_INVALID,
         "dilations",
         "dilation is -2 along axis 1, expected at least 1"},
        {{5, 3, 1, 1, -1, 0, 0},
         NOTSET,
         LAYER_INVALID,
         "pads",
         "padding at the beginning is -1 along axis 1, expected at least 0"},
        {{5, 3, 1, 1, 0, INT_MIN, 0},
         NOTSET,
         LAYER_INVALID,
         "pads",
         "padding at the end is -2147483648 along axis 1, expected at least 0"},
        {{3, 3, 1, 2, 0, 1, 0},
         NOTSET,
         LAYER_INVALID,
         "weight",
         "weight spans 5, more than the padded input of 4 along axis 1"},
        {{3, 4, 1, 1, 0, 0, 0},
         VALID,
         LAYER_INVALID,
         "weight",
         "weight spans 4, more than the padded input of 3 along axis 1"},
        {{5, 3, 2, 1, 0, 0, 0},
         FULL,
         LAYER_INVALID,
         "strides",
         "auto_pad FULL takes stride 1 only, but the stride is 2 along axis 1"},
        {{5, 3, 1, 1, 0, 0, 0},
         (layer_auto_pad)99,
         LAYER_INVALID,
         "auto_pad",
         "auto_pad 99 is none of the list"},
        {{5, 3, 1, 1, INT_MAX, INT_MAX, 0},
         NOTSET,
         LAYER_TOO_LARGE,
         "pads",
         "the padded input is 4294967299 long along axis 1, expected at most 2147483647"},
        {{5, INT_MAX, 1, INT_MAX, 0, 0, 0},
         SAME_UPPER,
         LAYER_TOO_LARGE,
         "dilations",
         "the padded input is 4611686011984936967 long along axis 1, expected at most 2147483647"},
        {{5, INT_MAX, 1, INT_MAX, 0, 0, 0},
         FULL,
         LAYER_TOO_LARGE,
         "dilations",
         "the padded input is 9223372023969873929 long along axis 1, expected at most 2147483647"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer_window window = cases[i].given;
        layer_error error = {0};
        const layer_status status =
            layer_window_describe(&window, cases[i].auto_pad, false, 1, &error);
        expect_refusal(status, &error,
                       &(refusal){cases[i].status, cases[i].argument, cases[i].reason});
        assert_memory_equal(&window, &cases[i].given, sizeof window);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_derived),
        cmocka_unit_test(windows_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
