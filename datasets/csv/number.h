/* Fast number parsing; false means "ask pen_csv_classify", never "not a number".
 *
 * Integers: 8 digits are one word, turned into a number by three multiplications (Lemire, "Quickly parsing eight
 * digits", 2018). Doubles: up to 19 digits give an exact integer m and a power of ten. If m <= 2^53 and the power is
 * at most 10^22, both are doubles and one division rounds correctly (Clinger, 1990). Else the x87 format: m and powers
 * up to 10^27 (5^27 < 2^64) are exact, so the quotient has one rounding to 64 bits; rounding again to 53 is correct
 * unless the 11 dropped bits are within one of the half, which is left to strtod. */
#ifndef PEN_DATASETS_CSV_NUMBER_H
#define PEN_DATASETS_CSV_NUMBER_H

#include <float.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t pen_csv_load8(const char *text)
{
    uint64_t word;
    memcpy(&word, text, 8);
    return word;
}

/* n = 1..8 characters as 8 digits with leading zeros, the first in the lowest byte. */
static inline uint64_t pen_csv_align8(const char *text, size_t n)
{
    const uint64_t zeros = UINT64_C(0x3030303030303030) & ((UINT64_C(1) << (63 - 8 * (n - 1) - 7)) - 1);
    return (pen_csv_load8(text) << (64 - 8 * n)) | zeros;
}

static inline bool pen_csv_are_digits8(uint64_t word)
{
    const uint64_t high = UINT64_C(0xf0f0f0f0f0f0f0f0);
    return ((word & high) | (((word + UINT64_C(0x0606060606060606)) & high) >> 4)) == UINT64_C(0x3333333333333333);
}

static inline uint64_t pen_csv_value8(uint64_t word)
{
    word = ((word & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561) >> 8;
    word = ((word & UINT64_C(0x00ff00ff00ff00ff)) * 6553601) >> 16;
    return ((word & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001)) >> 32;
}

/* [-] and 1 to 16 digits. */
static inline bool pen_csv_fast_int(const char *text, size_t size, int64_t *value)
{
    const bool minus = *text == '-';
    text += minus;
    size -= minus;
    if (size - 1 >= 16) {
        return false;
    }
    uint64_t result;
    if (size <= 8) {
        const uint64_t word = pen_csv_align8(text, size);
        if (!pen_csv_are_digits8(word)) {
            return false;
        }
        result = pen_csv_value8(word);
    } else {
        const uint64_t high = pen_csv_align8(text, size - 8);
        const uint64_t low = pen_csv_load8(text + size - 8);
        if (!pen_csv_are_digits8(high) || !pen_csv_are_digits8(low)) {
            return false;
        }
        result = pen_csv_value8(high) * 100000000 + pen_csv_value8(low);
    }
    *value = minus ? -(int64_t)result : (int64_t)result;
    return true;
}

static const double pen_csv_tens[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

#if LDBL_MANT_DIG == 64
static const long double pen_csv_long_tens[28] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
                                                  1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
                                                  1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};

static inline bool pen_csv_scale_long(uint64_t digits, int power, double *value)
{
    if (power > 27 || power < -27) {
        return false;
    }
    const long double scaled =
        power < 0 ? (long double)digits / pen_csv_long_tens[-power] : (long double)digits * pen_csv_long_tens[power];
    uint64_t mantissa;
    memcpy(&mantissa, &scaled, 8);
    *value = (double)scaled;
    return (mantissa & 0x7ff) - 0x3ff > 2;
}
#else
static inline bool pen_csv_scale_long(uint64_t digits, int power, double *value)
{
    (void)digits;
    (void)power;
    (void)value;
    return false;
}
#endif

/* digits * 10^power, correctly rounded. */
static inline bool pen_csv_scale(uint64_t digits, int power, double *value)
{
    if (digits <= (UINT64_C(1) << 53) && power >= -22 && power <= 22) {
        *value = power < 0 ? (double)digits / pen_csv_tens[-power] : (double)digits * pen_csv_tens[power];
        return true;
    }
    return pen_csv_scale_long(digits, power, value);
}

/* Digits from text on: their number, added to value's end. Stops behind the 19 that fit into 64 bits. */
static inline size_t pen_csv_take_digits(const char *text, const char *end, uint64_t *value)
{
    const char *at = text;
    while (end - at >= 8 && at - text < 16) {
        const uint64_t word = pen_csv_load8(at);
        if (!pen_csv_are_digits8(word)) {
            break;
        }
        *value = *value * 100000000 + pen_csv_value8(word);
        at += 8;
    }
    for (; at < end && (unsigned char)(*at - '0') <= 9 && at - text < 20; at++) {
        *value = *value * 10 + (uint64_t)(*at - '0');
    }
    return (size_t)(at - text);
}

/* [-] digits [. digits] [e[+-]dd], with at most 19 digits in all, or 18 for an integer. *is_int: no dot, no e. */
static inline bool pen_csv_fast_double(const char *text, size_t size, double *value, bool *is_int)
{
    const bool minus = *text == '-';
    uint64_t digits = 0;
    int power = 0;
    size_t i = minus;
    i += pen_csv_take_digits(text + i, text + size, &digits);
    size_t n_digits = i - minus, n_fraction = 0;
    const bool dot = i < size && text[i] == '.';
    if (dot) {
        n_fraction = pen_csv_take_digits(text + i + 1, text + size, &digits);
        n_digits += n_fraction;
        i += 1 + n_fraction;
    }
    *is_int = !dot && i == size;
    if (n_digits == 0 || n_digits > (*is_int ? 18 : 19)) {
        return false;
    }
    if (i < size) {
        if ((text[i] | 0x20) != 'e') {
            return false;
        }
        i++;
        const bool negative = i < size && text[i] == '-';
        i += i < size && (text[i] == '-' || text[i] == '+');
        if (size - i < 1 || size - i > 2) {
            return false;
        }
        for (; i < size; i++) {
            const unsigned digit = (unsigned)(unsigned char)text[i] - '0';
            if (digit > 9) {
                return false;
            }
            power = power * 10 + (int)digit;
        }
        power = negative ? -power : power;
    }
    if (!pen_csv_scale(digits, power - (int)n_fraction, value)) {
        return false;
    }
    *value = minus ? -*value : *value;
    return true;
}

#endif
