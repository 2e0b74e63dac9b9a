/* Numbers and their text: rounding, shortest text, grammar.
 * SPDX-License-Identifier: MIT */
#include "numbers.h"
#include "support/sampling.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The steps of SplitMix64. */
static uint64_t draw(sampling *from)
{
    uint64_t bits = from->seed + ++from->drawn * UINT64_C(0x9E3779B97F4A7C15);
    bits = (bits ^ bits >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94D049BB133111EB);
    return bits ^ bits >> 31;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Reads `text` with nothing behind it, and again with much behind it: one of them is the way of
 * eight bytes at a time. */
static float read_both_ways(const char *text)
{
    const size_t size = strlen(text);
    char *const alone = malloc(size), *const padded = malloc(size + 32);
    memcpy(alone, text, size);
    memcpy(padded, text, size);
    memset(padded + size, ',', 32);
    float value, again;
    assert_ptr_equal(api_read_float(alone, alone + size, &value), alone + size);
    assert_ptr_equal(api_read_float(padded, padded + size + 32, &again), padded + size);
    assert_int_equal(bits_of(value), bits_of(again));
    free(alone);
    free(padded);
    return value;
}

static void check_as_strtof(const char *text)
{
    const float value = read_both_ways(text), expected = strtof(text, NULL);
    if (bits_of(value) != bits_of(expected))
        fail_msg("%s is read as %.9g, not %.9g", text, (double)value, (double)expected);
}

static void check_round_trip(float value)
{
    char text[API_FLOAT_ROOM + 32];
    char *const end = api_write_float(text, value);
    assert_true(end - text < API_FLOAT_TEXT_SIZE);
    memset(end, ']', 32);
    float again;
    assert_ptr_equal(api_read_float(text, end, &again), end);
    assert_int_equal(bits_of(again), bits_of(value));
    assert_ptr_equal(api_read_float(text, end + 32, &again), end);
    assert_int_equal(bits_of(again), bits_of(value));
}

static void test_every_exponent(void **state)
{
    (void)state;
    static const uint32_t fractions[] = {0,        1,        2,        3,        0x3FFFFF,
                                         0x400000, 0x400001, 0x7FFFFE, 0x7FFFFF, 0x2AAAAA};
    for (uint32_t exponent = 0; exponent < 255; ++exponent)
        for (size_t index = 0; index < sizeof fractions / sizeof *fractions; ++index) {
            check_round_trip(float_of(exponent << 23 | fractions[index]));
            check_round_trip(float_of(UINT32_C(1) << 31 | exponent << 23 | fractions[index]));
        }
}

static void test_random_floats(void **state)
{
    (void)state;
    sampling from = sampling_start();
    for (int round = 0; round < 2000000; ++round) {
        const float value = float_of((uint32_t)draw(&from));
        if (isfinite(value))
            check_round_trip(value);
    }
}

/* No text with a digit less reads back as the same float, and none of as many digits is nearer.
 * Whole numbers are left out: where digits are no longer than zeros and an exponent, all of them
 * are written. */
static void test_shortest(void **state)
{
    (void)state;
    sampling from = sampling_start();
    for (int round = 0; round < 400000; ++round) {
        const float value = float_of((uint32_t)draw(&from));
        char text[API_FLOAT_ROOM + 1], shorter[64], nearest[64];
        if (!isfinite(value) || value == 0)
            continue;
        char *const end = api_write_float(text, value);
        *end = '\0';
        if (memchr(text, '.', (size_t)(end - text)) == NULL)
            continue;
        int digits = 0, zeros = 0;
        for (const char *at = text; at < end && (*at | 0x20) != 'e'; ++at)
            if (*at >= '0' && *at <= '9' && (digits > 0 || *at != '0')) {
                zeros = *at == '0' ? zeros + 1 : 0;
                ++digits;
            }
        snprintf(nearest, sizeof nearest, "%.*e", digits - zeros - 1, (double)value);
        if (bits_of(strtof(nearest, NULL)) == bits_of(value))
            assert_true(strtod(nearest, NULL) == strtod(text, NULL));
        if (digits - zeros < 2)
            continue;
        snprintf(shorter, sizeof shorter, "%.*e", digits - zeros - 2, (double)value);
        assert_int_not_equal(bits_of(strtof(shorter, NULL)), bits_of(value));
    }
}

/* A number of up to 25 digits, with or without point and exponent. */
static void make_decimal(sampling *from, char *text)
{
    const int digits = 1 + (int)(draw(from) % 25), point = (int)(draw(from) % 26);
    if (draw(from) % 2)
        *text++ = '-';
    const char *const first = text;
    for (int digit = 0; digit < digits; ++digit) {
        *text++ = (char)('0' + draw(from) % 10);
        if (*first == '0' && text - first == 1 && digit + 1 < digits)
            *text++ = '.';
        else if (digit == point && digit + 1 < digits && *first != '0')
            *text++ = '.';
    }
    *text = 0;
    static const char *const exponents[] = {"", "e%d", "E+%d", "e0%d", "e-%d", "E-00%d"};
    const char *const exponent = exponents[draw(from) % (sizeof exponents / sizeof *exponents)];
    const int power = (int)(draw(from) % 70);
    sprintf(text, exponent, power);
}

static void test_random_decimals(void **state)
{
    (void)state;
    sampling from = sampling_start();
    for (int round = 0; round < 500000; ++round) {
        char text[64];
        make_decimal(&from, text);
        check_as_strtof(text);
    }
}

/* Exactly between two floats, and next to that by far less than a double can tell. */
static void test_midpoints(void **state)
{
    (void)state;
    sampling from = sampling_start();
    for (int round = 0; round < 50000; ++round) {
        const uint32_t bits = (uint32_t)draw(&from) & 0x7FFFFFFF;
        if (bits >= 0x7F7FFFFF)
            continue;
        const double middle = ((double)float_of(bits) + (double)float_of(bits + 1)) / 2;
        char text[400];
        snprintf(text, sizeof text, "%.*f", middle < 1 ? 180 : 0, middle);
        check_as_strtof(text);
        strcat(text, middle < 1 ? "1" : ".00000000000001");
        check_as_strtof(text);
        snprintf(text, sizeof text, "%.17g", nextafter(middle, round % 2 ? 0 : INFINITY));
        check_as_strtof(text);
        snprintf(text, sizeof text, "%.18g", middle);
        check_as_strtof(text);
    }
}

static void test_ends_of_the_range(void **state)
{
    (void)state;
    /* clang-format off */
    static const char *const texts[] = {
        "0", "-0", "0.0", "-0e5", "0e999999999999999999999", "0.0000000000000000000000000000000",
        "3.4028234e38", "3.4028235e38", "3.4028235677973365e38", "3.4028235677973366e38",
        "3.4028235677973367e38", "340282356779733661637539395458142568447",
        "340282356779733661637539395458142568448", "1e39", "-1e39", "1e400", "-1e400",
        "1e99999999999999999999", "1e-99999999999999999999", "-1e-400", "1e-46", "-1e-46",
        "7.0064923216240853e-46", "7.0064923216240854e-46", "7.0064923216240862e-46", "1e-45",
        "1.401298464324817e-45", "1.1754943e-38", "1.1754944e-38", "1.17549435e-38",
        "1.1754942807573643e-38", "16777216", "16777217", "16777218", "16777219",
        "16777217.00000000000000000000001", "9007199254740993", "18446744073709551615",
        "18446744073709551616", "9999999999999999999", "99999999999999999999",
        "0.1000000000000000055511151231257827021181583404541015625",
        "123456789012345678901234567890", "1000000000000000000000000000000e-30",
        "0.000000000000000000000000000001e30", "8.5899345e9", "1e22", "1e23", "1e-22", "1e-23",
        "1e55", "1e-55", "5e-324"
    };
    /* clang-format on */
    for (size_t index = 0; index < sizeof texts / sizeof *texts; ++index)
        check_as_strtof(texts[index]);
}

/* As long as a body may be: the zeros move the point, the exponent moves it back. */
static void test_long_numbers(void **state)
{
    (void)state;
    enum { ZEROS = 2000000 };
    char *const text = malloc(ZEROS + 64);
    memcpy(text, "0.", 2);
    memset(text + 2, '0', ZEROS);
    sprintf(text + 2 + ZEROS, "15e%d", ZEROS + 1);
    assert_true(read_both_ways(text) == 1.5f);
    sprintf(text + 2 + ZEROS, "15e%d", ZEROS + 60);
    assert_true(isinf(read_both_ways(text)));
    memset(text, '1', ZEROS);
    sprintf(text + ZEROS, "e-%d", ZEROS - 1);
    assert_true(read_both_ways(text) == 1.1111112f);
    sprintf(text + ZEROS, "e-%d", ZEROS + 100);
    assert_true(read_both_ways(text) == 0);
    free(text);
}

static void test_grammar(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int fault; /* where a digit is missing */
    } rows[] = {{"", 0},     {"-", 1},       {"+1", 0},  {".5", 0},   {"-.5", 1},
                {"1.", 2},   {"1.e5", 2},    {"1.x", 2}, {"1e", 2},   {"1e+", 3},
                {"1E-", 3},  {"1.5e", 4},    {"NaN", 0}, {"-NaN", 1}, {"-Infinity", 1},
                {"0e", 2},   {"0.", 2},      {"-x", 1},  {"--1", 1},  {"12345678901234567.", 18},
                {"1eE2", 2}, {"\xD9\xA1", 0}};
    for (size_t index = 0; index < sizeof rows / sizeof *rows; ++index) {
        const char *const text = rows[index].text, *const end = text + strlen(text);
        float value;
        assert_null(api_read_float(text, end, &value));
        assert_ptr_equal(api_number_fault(text, end), text + rows[index].fault);
    }
}

/* What follows a number is none of its business: "01" is a zero, and the rest the caller's. */
static void test_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int size;
    } rows[] = {{"01", 1},
                {"-01.5", 2},
                {"00", 1},
                {"1.5.2", 3},
                {"1e5e5", 3},
                {"1e5.5", 3},
                {"12x", 2},
                {"1 ", 1},
                {"0x10", 1},
                {"1-2", 1},
                {"1.0]", 3},
                {"00000000000000000000000000000000", 1},
                {"12345678123456781234567812345678,", 32}};
    for (size_t index = 0; index < sizeof rows / sizeof *rows; ++index) {
        const char *const text = rows[index].text;
        float value;
        assert_ptr_equal(api_read_float(text, text + strlen(text), &value),
                         text + rows[index].size);
    }
}

static void test_integers(void **state)
{
    (void)state;
    /* clang-format off */
    static const char *const integers[] = {
        "0", "-0", "1", "-1", "1.0", "1.000", "10e-1", "1e7", "1.5e1", "16777216", "-16777216",
        "16777216.0", "1677721600e-2", "0.0", "0e99999999999", "0.00000e-5", "120e-1", "9999999",
        "10000000", "1000000000000000000000000000e-27", "0.000001e6", "1.50e1", "-1.0", "0.0e-99"
    };
    /* clang-format on */
    /* clang-format off */
    static const char *const others[] = {
        "0.5", "1.00000001", "1.0000000000000000000000000000001", "16777217", "16777216.5", "1e8",
        "-16777217", "15e-1", "1e-1", "1e-99999999999999", "99999999", "0.00000000000000000000001",
        "3.9999999999", "1e99999999999999", "16777216.0000000000000000000001", "1.5e0", "-1e-400"
    };
    /* clang-format on */
    for (size_t index = 0; index < sizeof integers / sizeof *integers; ++index)
        if (!api_is_integer(integers[index], integers[index] + strlen(integers[index])))
            fail_msg("%s is an integer", integers[index]);
    for (size_t index = 0; index < sizeof others / sizeof *others; ++index)
        if (api_is_integer(others[index], others[index] + strlen(others[index])))
            fail_msg("%s is no integer of 24 bits", others[index]);
}

static void test_doubles(void **state)
{
    (void)state;
    sampling from = sampling_start();
    for (int round = 0; round < 200000; ++round) {
        const uint64_t bits = draw(&from);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        char text[API_DOUBLE_TEXT_SIZE];
        const char *const end = api_write_double(text, value);
        assert_true(end - text < API_DOUBLE_TEXT_SIZE);
        const double again = api_read_double(text, end);
        assert_memory_equal(&again, &value, sizeof value);
    }
    static const char tiny[] = "-1e-400", huge[] = "1e400";
    assert_true(api_read_double(tiny, tiny + sizeof tiny - 1) == 0);
    assert_true(isinf(api_read_double(huge, huge + sizeof huge - 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_exponent), cmocka_unit_test(test_random_floats),
        cmocka_unit_test(test_shortest),       cmocka_unit_test(test_random_decimals),
        cmocka_unit_test(test_midpoints),      cmocka_unit_test(test_ends_of_the_range),
        cmocka_unit_test(test_long_numbers),   cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_ends),           cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
