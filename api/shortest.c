/* The shortest decimal of a float.
 *
 * A float stands for all numbers that are rounded to it. Those have a decimal of the fewest digits:
 * a multiple of 10^k, with k the largest for which multiples surely lie so close, or one of
 * 10^(k+1). The ends of the interval and its middle are scaled by a power of ten of 64 bits, which
 * is close enough for every float, and compared as integers. Source: Raffaello Giulietti, "The
 * Schubfach way to render doubles", 2020, for binary32. SPDX-License-Identifier: MIT */
#include "numbers.h"

#include <stdint.h>
#include <string.h>

enum { MANTISSA_BITS = 23, EXPONENT_BIAS = 127 + MANTISSA_BITS, LEAST_POWER = -31 };

/* The first 64 bits of 10^LEAST_POWER, ..., 10^45, rounded up. */
static const uint64_t powers_of_ten[] = {
    UINT64_C(0x81CEB32C4B43FCF5), UINT64_C(0xA2425FF75E14FC32), UINT64_C(0xCAD2F7F5359A3B3F),
    UINT64_C(0xFD87B5F28300CA0E), UINT64_C(0x9E74D1B791E07E49), UINT64_C(0xC612062576589DDB),
    UINT64_C(0xF79687AED3EEC552), UINT64_C(0x9ABE14CD44753B53), UINT64_C(0xC16D9A0095928A28),
    UINT64_C(0xF1C90080BAF72CB2), UINT64_C(0x971DA05074DA7BEF), UINT64_C(0xBCE5086492111AEB),
    UINT64_C(0xEC1E4A7DB69561A6), UINT64_C(0x9392EE8E921D5D08), UINT64_C(0xB877AA3236A4B44A),
    UINT64_C(0xE69594BEC44DE15C), UINT64_C(0x901D7CF73AB0ACDA), UINT64_C(0xB424DC35095CD810),
    UINT64_C(0xE12E13424BB40E14), UINT64_C(0x8CBCCC096F5088CC), UINT64_C(0xAFEBFF0BCB24AAFF),
    UINT64_C(0xDBE6FECEBDEDD5BF), UINT64_C(0x89705F4136B4A598), UINT64_C(0xABCC77118461CEFD),
    UINT64_C(0xD6BF94D5E57A42BD), UINT64_C(0x8637BD05AF6C69B6), UINT64_C(0xA7C5AC471B478424),
    UINT64_C(0xD1B71758E219652C), UINT64_C(0x83126E978D4FDF3C), UINT64_C(0xA3D70A3D70A3D70B),
    UINT64_C(0xCCCCCCCCCCCCCCCD), UINT64_C(0x8000000000000000), UINT64_C(0xA000000000000000),
    UINT64_C(0xC800000000000000), UINT64_C(0xFA00000000000000), UINT64_C(0x9C40000000000000),
    UINT64_C(0xC350000000000000), UINT64_C(0xF424000000000000), UINT64_C(0x9896800000000000),
    UINT64_C(0xBEBC200000000000), UINT64_C(0xEE6B280000000000), UINT64_C(0x9502F90000000000),
    UINT64_C(0xBA43B74000000000), UINT64_C(0xE8D4A51000000000), UINT64_C(0x9184E72A00000000),
    UINT64_C(0xB5E620F480000000), UINT64_C(0xE35FA931A0000000), UINT64_C(0x8E1BC9BF04000000),
    UINT64_C(0xB1A2BC2EC5000000), UINT64_C(0xDE0B6B3A76400000), UINT64_C(0x8AC7230489E80000),
    UINT64_C(0xAD78EBC5AC620000), UINT64_C(0xD8D726B7177A8000), UINT64_C(0x878678326EAC9000),
    UINT64_C(0xA968163F0A57B400), UINT64_C(0xD3C21BCECCEDA100), UINT64_C(0x84595161401484A0),
    UINT64_C(0xA56FA5B99019A5C8), UINT64_C(0xCECB8F27F4200F3A), UINT64_C(0x813F3978F8940985),
    UINT64_C(0xA18F07D736B90BE6), UINT64_C(0xC9F2C9CD04674EDF), UINT64_C(0xFC6F7C4045812297),
    UINT64_C(0x9DC5ADA82B70B59E), UINT64_C(0xC5371912364CE306), UINT64_C(0xF684DF56C3E01BC7),
    UINT64_C(0x9A130B963A6C115D), UINT64_C(0xC097CE7BC90715B4), UINT64_C(0xF0BDC21ABB48DB21),
    UINT64_C(0x96769950B50D88F5), UINT64_C(0xBC143FA4E250EB32), UINT64_C(0xEB194F8E1AE525FE),
    UINT64_C(0x92EFD1B8D0CF37BF), UINT64_C(0xB7ABC627050305AE), UINT64_C(0xE596B7B0C643C71A),
    UINT64_C(0x8F7E32CE7BEA5C70), UINT64_C(0xB35DBF821AE4F38C),
};

/* digits * 10^exponent, not negative. */
typedef struct {
    uint32_t digits;
    int exponent;
} decimal;

/* What a float says: mantissa * 2^exponent. */
typedef struct {
    uint32_t mantissa;
    int exponent;
    bool is_power; /* of two: the float below is nearer than that above */
} binary;

static binary take_apart(float magnitude)
{
    uint32_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    const uint32_t fraction = bits & ((1u << MANTISSA_BITS) - 1);
    const int exponent = (int)(bits >> MANTISSA_BITS);
    if (exponent == 0)
        return (binary){fraction, 1 - EXPONENT_BIAS, false};
    return (binary){1u << MANTISSA_BITS | fraction, exponent - EXPONENT_BIAS,
                    fraction == 0 && exponent > 1};
}

/* floor(log2(10^exponent)), for the powers above. */
static int log2_of_power(int exponent)
{
    return exponent * 1741647 >> 19;
}

/* value * 2^-64 * power, rounded down, but odd unless it is exact: so halves stay apart from what
 * is near them. */
static uint32_t scale(uint32_t value, uint64_t power)
{
    const unsigned __int128 product = (unsigned __int128)value * power;
    const uint32_t below = (uint32_t)(product >> 32);
    return (uint32_t)(product >> 64) | (below > 1);
}

/* The candidate within the interval, or the nearer one where both are: units of a quarter of 10^k.
 * Both lengths are computed, for which it will be is what no processor can predict. */
static decimal choose(uint32_t lower, uint32_t middle, uint32_t upper, int k)
{
    const uint32_t digits = middle / 4, tens = digits / 10;
    const bool tens_down = lower <= 40 * tens, tens_up = 40 * tens + 40 <= upper;
    const bool down = lower <= 4 * digits, up = 4 * digits + 4 <= upper;
    const uint32_t half = 4 * digits + 2;
    const bool nearer_up = middle > half || (middle == half && digits % 2 == 1);
    const bool is_shorter = (tens_down != tens_up) & (tens > 0);
    const uint32_t longer = digits + (down != up ? up : nearer_up);
    return (decimal){is_shorter ? tens + tens_up : longer, k + is_shorter};
}

static decimal shortest(binary number)
{
    const int q = number.exponent;
    /* floor(log10(2^q)), or of three quarters of it */
    const int k = (q * 1262611 - (number.is_power ? 524031 : 0)) >> 22;
    const uint64_t power = powers_of_ten[-k - LEAST_POWER];
    const int shift = q + log2_of_power(-k) + 1;
    const uint32_t middle = 4 * number.mantissa;
    const uint32_t is_odd =
        number.mantissa & 1; /* then the ends of the interval do not belong to it */
    return choose(scale((middle - 2 + number.is_power) << shift, power) + is_odd,
                  scale(middle << shift, power), scale((middle + 2) << shift, power) - is_odd, k);
}

/* ---- Digits ---------------------------------------------------------------------------------- */

enum { MOST_DIGITS = 9 };

/* The digits of a decimal, without zeros in front or behind: the first in the lowest byte, ready to
 * be stored. */
typedef struct {
    unsigned __int128 letters;
    int count;
    int zeros; /* that were behind them */
} digit_text;

/* The digits of a number of eight in the bytes of a word, the first in the lowest: it is cut in
 * two, then both halves are in one multiplication each, and so on. */
static uint64_t spread(uint32_t value)
{
    const uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    const uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x7F0000007F);
    const uint64_t pairs = hundreds | (fours - 100 * hundreds) << 16;
    const uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000F000F000F000F);
    return tens | (pairs - 10 * tens) << 8;
}

static digit_text digits_of(uint32_t value)
{
    const uint32_t first = value / 100000000;
    const uint64_t rest = spread(value % 100000000);
    const unsigned __int128 letters =
        (unsigned __int128)(rest | UINT64_C(0x3030303030303030)) << 8 | ('0' + first);
    const int before = first != 0 ? 0 : 1 + __builtin_ctzll(rest | UINT64_C(1) << 63) / 8;
    const int behind = rest == 0 ? 8 : __builtin_clzll(rest) / 8;
    return (digit_text){letters >> 8 * before, MOST_DIGITS - before - behind, behind};
}

/* Stores whole words, longer than the text: that needs no branch, and what follows covers what is
 * too much. */
static void put_letters(char *text, unsigned __int128 letters)
{
    memcpy(text, &letters, sizeof letters);
}

static char *put_digits(char *text, const digit_text *digits)
{
    put_letters(text, digits->letters);
    return text + digits->count;
}

/* Below one: "0.00123". */
static char *put_fraction(char *text, const digit_text *digits, int zeros)
{
    memcpy(text, "0.000000", 8);
    return put_digits(text + 2 + zeros, digits);
}

/* With a point behind the first `whole` digits: "12.3". */
static char *put_pointed(char *text, const digit_text *digits, int whole)
{
    put_letters(text, digits->letters);
    put_letters(text + whole + 1, digits->letters >> 8 * whole);
    text[whole] = '.';
    return text + digits->count + 1;
}

/* "1.23e-10" */
static char *put_scientific(char *text, const digit_text *digits, int exponent)
{
    const int magnitude = exponent < 0 ? -exponent : exponent;
    text = digits->count > 1 ? put_pointed(text, digits, 1) : put_digits(text, digits);
    text[0] = 'e';
    text[1] = exponent < 0 ? '-' : '+';
    text[2] = (char)('0' + magnitude / 10);
    text[3] = (char)('0' + magnitude % 10);
    return text + 4;
}

static char *put_integer(char *text, uint64_t value, int size)
{
    for (int i = size - 1; i >= 0; i--, value /= 10)
        text[i] = (char)('0' + value % 10);
    return text + size;
}

/* As std::to_chars does: without an exponent unless that is longer, and integers exactly. */
static char *put(char *text, decimal number, float magnitude)
{
    const digit_text digits = digits_of(number.digits);
    const int count = digits.count;
    const int exponent = number.exponent + digits.zeros; /* of the last digit */
    const int whole = count + exponent;
    const int scientific_size = count + (count > 1) + 4;
    const int plain_size = exponent >= 0 ? whole : whole > 0 ? count + 1 : 2 - exponent;
    if (plain_size > scientific_size)
        return put_scientific(text, &digits, whole - 1);
    if (exponent >= 0)
        return put_integer(text, (uint64_t)magnitude, whole);
    return whole > 0 ? put_pointed(text, &digits, whole) : put_fraction(text, &digits, -whole);
}

char *api_write_float(char *text, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t is_negative = bits >> 31;
    *text = '-';
    text += is_negative;
    if (value == 0) {
        *text = '0';
        return text + 1;
    }
    const float magnitude = is_negative ? -value : value;
    return put(text, shortest(take_apart(magnitude)), magnitude);
}
