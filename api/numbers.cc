/* Numbers to text and back.
 * SPDX-License-Identifier: MIT */
#include "numbers.h"

#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace {

/* What a number's text says: (-1)^negative * mantissa * 10^exponent. */
struct decimal {
    uint64_t mantissa; /* meaningless unless `exact` */
    int64_t exponent;
    bool negative;
    bool exact; /* the digits fit the mantissa */
};

constexpr int mantissa_digits = 19;                 /* all numbers of so many digits fit 64 bits */
constexpr int64_t exponent_ceiling = 1000000000000; /* no text is so long */

constexpr double powers_of_ten[] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
    1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27,
    1e28, 1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 1e39, 1e40, 1e41,
    1e42, 1e43, 1e44, 1e45, 1e46, 1e47, 1e48, 1e49, 1e50, 1e51, 1e52, 1e53, 1e54, 1e55};
constexpr int64_t largest_power = sizeof powers_of_ten / sizeof *powers_of_ten - 1;

bool is_digit(const char *at, const char *end)
{
    return at < end && static_cast<unsigned char>(*at - '0') < 10;
}

const char *skip_digits(const char *at, const char *end)
{
    while (is_digit(at, end))
        ++at;
    return at;
}

/* Up to eight digits that stand side by side in memory. */
struct digit_group {
    uint64_t value;
    int count;
};

/* Finds out how many of the eight bytes at `at` are digits before the first that is none, and what
 * they say, without a branch: how long numbers are is what no processor can predict. */
digit_group read_group(const char *at)
{
    constexpr uint64_t every_byte = UINT64_C(0x0101010101010101);
    uint64_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    bytes ^= '0' * every_byte;
    const uint64_t others = ((bytes + (0x80 - 10) * every_byte) | bytes) & 0x80 * every_byte;
    const int count = others == 0 ? 8 : __builtin_ctzll(others) / 8;
    /* Zeros go in front; then neighbours join to pairs, pairs to fours, fours to all eight. */
    bytes = bytes << 4 * (8 - count) << 4 * (8 - count);
    bytes = (bytes * (1 + (10 << 8)) >> 8) & UINT64_C(0x00FF00FF00FF00FF);
    bytes = (bytes * (1 + (100 << 16)) >> 16) & UINT64_C(0x0000FFFF0000FFFF);
    bytes = bytes * (1 + (UINT64_C(10000) << 32)) >> 32;
    return {bytes, count};
}

/* An integer read from text, and where it ended. */
struct integer_text {
    uint64_t value;
    const char *end;
};

/* Appends the digits at `at` to `value`, which wraps when they are too many. */
integer_text read_digits(const char *at, const char *end, uint64_t value)
{
    static constexpr uint64_t shifts[] = {1,      10,      100,      1000,     10000,
                                          100000, 1000000, 10000000, 100000000};
    while (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && end - at >= 16) {
        const digit_group first = read_group(at), second = read_group(at + 8);
        const int second_count = first.count == 8 ? second.count : 0;
        const uint64_t second_value = first.count == 8 ? second.value : 0;
        value = value * shifts[first.count] + first.value;
        value = value * shifts[second_count] + second_value;
        at += first.count + second_count;
        if (second_count < 8)
            return {value, at};
    }
    for (; is_digit(at, end); ++at)
        value = value * 10 + static_cast<uint64_t>(*at - '0');
    return {value, at};
}

/* The digits before the point: none behind a zero, and most often one. */
integer_text read_integer(const char *at, const char *end)
{
    const uint64_t first = static_cast<uint64_t>(*at - '0');
    if (!is_digit(at + 1, end) || *at == '0')
        return {first, at + 1};
    return read_digits(at + 1, end, first);
}

/* Reads what stands behind 'e', saturating; NULL without a digit. */
const char *read_exponent(const char *at, const char *end, int64_t *exponent)
{
    const bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        ++at;
    if (!is_digit(at, end))
        return nullptr;
    int64_t value = 0;
    for (; is_digit(at, end); ++at)
        value = value < exponent_ceiling ? value * 10 + (*at - '0') : value;
    *exponent += negative ? -value : value;
    return at;
}

/* Whether the digits from `text` to `end`, without zeros in front, fit the mantissa. */
[[gnu::noinline]] bool digits_fit(const char *text, const char *end)
{
    while (text < end && (*text == '0' || *text == '.'))
        ++text;
    const bool point = std::memchr(text, '.', static_cast<size_t>(end - text)) != nullptr;
    return end - text - point <= mantissa_digits;
}

const char *read_decimal(const char *text, const char *end, decimal *number)
{
    const bool negative = text < end && *text == '-';
    const char *const digits = text + negative;
    if (!is_digit(digits, end))
        return nullptr;
    integer_text mantissa = read_integer(digits, end);
    int64_t exponent = 0;
    if (mantissa.end < end && *mantissa.end == '.') {
        const char *const fraction = mantissa.end + 1;
        mantissa = read_digits(fraction, end, mantissa.value);
        if (mantissa.end == fraction)
            return nullptr;
        exponent = fraction - mantissa.end;
    }
    const char *at = mantissa.end;
    const bool exact = at - digits <= mantissa_digits || digits_fit(digits, at);
    if (at < end && (*at | 0x20) == 'e') {
        int64_t sum = exponent;
        at = read_exponent(at + 1, end, &sum);
        exponent = sum;
    }
    *number = {mantissa.value, exponent, negative, exact};
    return at;
}

/* mantissa * 10^exponent in double has three roundings, so it is off by at most 3 * 2^-53 of
 * itself: 3 units of its last place. Rounding it on to float is right unless a midpoint of two
 * floats may lie between it and the exact value: the 29 bits that float lacks tell how far the next
 * midpoint is. False where that cannot be excluded, or beyond the normal floats. */
bool round_quickly(const decimal &number, float *value)
{
    if (!number.exact || number.exponent > largest_power || number.exponent < -largest_power)
        return false;
    double product = static_cast<double>(number.mantissa);
    if (number.exponent < 0)
        product /= powers_of_ten[-number.exponent];
    else
        product *= powers_of_ten[number.exponent];
    uint64_t bits;
    std::memcpy(&bits, &product, sizeof bits);
    constexpr uint64_t missing = (UINT64_C(1) << 29) - 1, midpoint = UINT64_C(1) << 28, margin = 8;
    const bool clear = (bits & missing) - (midpoint - margin) > 2 * margin;
    const bool normal =
        product >= static_cast<double>(FLT_MIN) && product < static_cast<double>(FLT_MAX);
    if (!(clear && normal) && number.mantissa != 0)
        return false;
    static constexpr float signs[] = {1, -1}; /* no branch: signs cannot be predicted */
    *value = static_cast<float>(product) * signs[number.negative];
    return true;
}

/* <charconv> leaves the value alone where it is out of range: whether that is above or below shows
 * in the power of ten of the first digit that counts. */
template <typename real> real out_of_range(const char *text, const char *end)
{
    const bool negative = *text == '-';
    const char *first = text + negative;
    while (first < end && (*first == '0' || *first == '.'))
        ++first;
    const char *at = skip_digits(text + negative, end);
    int64_t exponent = at - first - (first < at ? 1 : 0);
    while (at < end && (*at | 0x20) != 'e')
        ++at;
    if (at < end)
        read_exponent(at + 1, end, &exponent);
    const real magnitude = exponent > 0 ? std::numeric_limits<real>::infinity() : real(0);
    return negative ? -magnitude : magnitude;
}

template <typename real> [[gnu::noinline]] real read_exactly(const char *text, const char *end)
{
    real value = 0;
    const auto result = std::from_chars(text, end, value);
    return result.ec == std::errc() ? value : out_of_range<real>(text, end);
}

} // namespace

const char *api_read_float(const char *text, const char *end, float *value)
{
    decimal number;
    const char *const after = read_decimal(text, end, &number);
    if (after != nullptr && !round_quickly(number, value))
        *value = read_exactly<float>(text, after);
    return after;
}

const char *api_number_fault(const char *text, const char *end)
{
    const char *const digits = text + (text < end && *text == '-');
    if (!is_digit(digits, end))
        return digits;
    const char *at = *digits == '0' ? digits + 1 : skip_digits(digits, end);
    if (at < end && *at == '.') {
        const char *const fraction = at + 1;
        at = skip_digits(fraction, end);
        if (at == fraction)
            return at;
    }
    if (at < end && (*at | 0x20) == 'e')
        ++at;
    return at + (at < end && (*at == '-' || *at == '+'));
}

double api_read_double(const char *text, const char *end)
{
    return read_exactly<double>(text, end);
}

bool api_is_integer(const char *text, const char *end)
{
    constexpr int harmless_digits = 7; /* 9999999 < 2^24 */
    const char *const point = skip_digits(text + (*text == '-'), end);
    if (point == end && end - text <= harmless_digits)
        return true;
    const char *mantissa_end = point;
    if (point < end && *point == '.')
        mantissa_end = skip_digits(point + 1, end);
    int64_t exponent = 0;
    if (mantissa_end < end)
        read_exponent(mantissa_end + 1, end, &exponent);
    const char *last = mantissa_end; /* behind the last digit that counts */
    while (last > text && (last[-1] == '0' || last[-1] == '.'))
        --last;
    if (last == text || last[-1] == '-')
        return true;
    const int64_t place = last <= point ? point - last : point + 1 - last;
    return place + exponent >= 0 && std::fabs(api_read_double(text, end)) <= 0x1p24;
}

char *api_write_double(char *text, double value)
{
    return std::to_chars(text, text + API_DOUBLE_TEXT_SIZE, value).ptr;
}
