/* Did you mean.
 * SPDX-License-Identifier: MIT */
#include "hints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const char *const known[] = {"input",     "weight",       "bias",  "strides",
                                    "pads",      "auto_pad",     "group", "dilations",
                                    "algorithm", "kernel_shape", "mode",  "output_format"};

static const char *nearest(const char *unknown)
{
    api_hint hint = api_hint_for(unknown);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        api_hint_offer(&hint, known[i]);
    return hint.nearest;
}

static void other_frameworks_names_are_known(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"stride", "strides"}, {"padding", "pads"},  {"dilation", "dilations"},
        {"groups", "group"},   {"kernel", "weight"}, {"kernel_size", "kernel_shape"},
        {"filter", "weight"},  {"x", "input"},       {"w", "weight"},
        {"b", "bias"},         {"X", "input"},       {"Dilation_Rate", "dilations"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(nearest(rows[i][0]), rows[i][1]);
}

static void slips_of_the_pen_are_forgiven(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"weigth", "weight"},
        {"inputs", "input"},
        {"INPUT", "input"},
        {"autoPad", "auto_pad"},
        {"auto-pad", "auto_pad"},
        {"agorithm", "algorithm"},
        {"outputformat", "output_format"},

        {"bais", "bias"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(nearest(rows[i][0]), rows[i][1]);
}

static void what_is_like_nothing_has_no_hint(void **state)
{
    (void)state;
    static const char *const names[] = {"", "q", "colour", "temperature", "ho"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_null(nearest(names[i]));
}

static void long_names_are_harmless(void **state)
{
    (void)state;
    char name[5000];
    memset(name, 's', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_null(nearest(name));
    api_hint hint = api_hint_for("short");
    api_hint_offer(&hint, name);
    assert_null(hint.nearest);
}

static void the_nearest_wins_the_first_of_equals(void **state)
{
    (void)state;
    api_hint hint = api_hint_for("abcdef");
    api_hint_offer(&hint, "abcdxx");
    api_hint_offer(&hint, "abcdex");
    api_hint_offer(&hint, "xbcdef");
    assert_string_equal(hint.nearest, "abcdex");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_frameworks_names_are_known),
        cmocka_unit_test(slips_of_the_pen_are_forgiven),
        cmocka_unit_test(what_is_like_nothing_has_no_hint),
        cmocka_unit_test(long_names_are_harmless),
        cmocka_unit_test(the_nearest_wins_the_first_of_equals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
