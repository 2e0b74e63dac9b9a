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

/* Appends the digits at `at` to *mantissa, which wraps when they are too many. */
const char *read_digits(const char *at, const char *end, uint64_t *mantissa)
{
    uint64_t value = *mantissa;
    for (; is_digit(at, end); ++at)
        value = value * 10 + static_cast<uint64_t>(*at - '0');
    *mantissa = value;
    return at;
}

/* Reads the digits behind 'e', saturating; NULL without any. */
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
bool digits_fit(const char *text, const char *end)
{
    while (text < end && (*text == '0' || *text == '.'))
        ++text;
    const bool point = std::memchr(text, '.', static_cast<size_t>(end - text)) != nullptr;
    return end - text - point <= mantissa_digits;
}

const char *read_decimal(const char *text, const char *end, decimal *number)
{
    *number = {0, 0, text < end && *text == '-', true};
    const char *const digits = text + number->negative;
    if (!is_digit(digits, end))
        return nullptr;
    const char *at = *digits == '0' ? digits + 1 : read_digits(digits, end, &number->mantissa);
    if (at < end && *at == '.') {
        const char *const fraction = at + 1;
        at = read_digits(fraction, end, &number->mantissa);
        if (at == fraction)
            return nullptr;
        number->exponent = fraction - at;
    }
    number->exact = at - digits <= mantissa_digits || digits_fit(digits, at);
    if (at < end && (*at | 0x20) == 'e')
        at = read_exponent(at + 1, end, &number->exponent);
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
    const float magnitude = static_cast<float>(product);
    *value = number.negative ? -magnitude : magnitude;
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
    const char *at = text + negative;
    while (is_digit(at, end))
        ++at;
    int64_t exponent = at - first - (first < at ? 1 : 0);
    while (at < end && (*at | 0x20) != 'e')
        ++at;
    if (at < end)
        read_exponent(at + 1, end, &exponent);
    const real magnitude = exponent > 0 ? std::numeric_limits<real>::infinity() : real(0);
    return negative ? -magnitude : magnitude;
}

template <typename real> real read_exactly(const char *text, const char *end)
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
    const char *at = text + (text < end && *text == '-');
    if (!is_digit(at, end))
        return at;
    uint64_t ignored = 0;
    at = *at == '0' ? at + 1 : read_digits(at, end, &ignored);
    if (at < end && *at == '.') {
        const char *const fraction = at + 1;
        at = read_digits(fraction, end, &ignored);
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
    decimal number;
    read_decimal(text, end, &number);
    if (number.exact && number.exponent == 0)
        return number.mantissa <= UINT64_C(1) << 24;
    /* The last digit that counts must not stand behind the point. */
    number.exponent = 0;
    const char *mantissa_end = text;
    while (mantissa_end < end && (*mantissa_end | 0x20) != 'e')
        ++mantissa_end;
    if (mantissa_end < end)
        read_exponent(mantissa_end + 1, end, &number.exponent);
    const char *point = text;
    while (point < mantissa_end && *point != '.')
        ++point;
    const char *last = mantissa_end;
    while (last > text && (last[-1] == '0' || last[-1] == '.'))
        --last;
    if (last == text || last[-1] == '-')
        return true;
    const auto place = last <= point ? point - last : point + 1 - last;
    return place + number.exponent >= 0 && std::fabs(api_read_double(text, end)) <= 0x1p24;
}

char *api_write_float(char *text, float value)
{
    return std::to_chars(text, text + API_FLOAT_TEXT_SIZE, value).ptr;
}

char *api_write_double(char *text, double value)
{
    return std::to_chars(text, text + API_DOUBLE_TEXT_SIZE, value).ptr;
}
