/* Number columns with SSE4 and BMI: a decimal of up to 16 characters in one register.
 *
 * The bytes are shuffled so that the dot is gone and the digits end at byte 15, then multiply-add pairs give two
 * numbers of 8 digits. A second dot or any other byte is above 9 and sends the cell to the general parser. */
#pragma GCC target("avx2,bmi,bmi2,popcnt")
#include "datasets/csv/csv_internal.h"
#include "datasets/csv/number.h"

#include <immintrin.h>

/* Byte 16 - n + j of the result is digit j: shift = 16 - n for those before the dot, one more character behind it.
 * Indices below 0 have their high bit set, which makes the shuffle write 0. */
static inline __m128i pen_csv_digits16(const char *text, int size, int dot)
{
    const __m128i places = _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const int n_digits = size - (dot < size);
    /* character index of a byte of the result, were there no dot */
    const __m128i index = _mm_sub_epi8(places, _mm_set1_epi8((char)(16 - n_digits)));
    const __m128i behind_dot = _mm_cmpgt_epi8(index, _mm_set1_epi8((char)(dot - 1)));
    const __m128i raw = _mm_sub_epi8(_mm_loadu_si128((const __m128i_u *)text), _mm_set1_epi8('0'));
    return _mm_shuffle_epi8(raw, _mm_sub_epi8(index, behind_dot));
}

static inline bool pen_csv_level_double(const char *text, size_t size, double *value, bool *is_int)
{
    const bool minus = *text == '-';
    const char *digits = text + minus;
    const size_t n = size - minus;
    if (n - 1 >= 16) {
        return pen_csv_fast_double(text, size, value, is_int);
    }
    const __m128i bytes = _mm_loadu_si128((const __m128i_u *)digits);
    const uint32_t dots = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
    const int dot = (int)_tzcnt_u32(dots | (1u << n));
    const __m128i d = pen_csv_digits16(digits, (int)n, dot);
    const __m128i excess = _mm_subs_epu8(d, _mm_set1_epi8(9));
    if (!_mm_testz_si128(excess, excess) || (n == 1 && dot == 0)) {
        return pen_csv_fast_double(text, size, value, is_int);
    }
    const __m128i tens = _mm_maddubs_epi16(d, _mm_set1_epi16(0x010a));
    const __m128i hundreds = _mm_madd_epi16(tens, _mm_set1_epi32(0x00010064));
    const __m128i fours = _mm_packus_epi32(hundreds, hundreds);
    const __m128i eights = _mm_madd_epi16(fours, _mm_set1_epi32(0x00012710));
    const uint64_t halves = (uint64_t)_mm_cvtsi128_si64(eights);
    const uint64_t number = (halves & 0xffffffff) * 100000000 + (halves >> 32);
    *is_int = dot == (int)n;
    const int n_fraction = *is_int ? 0 : (int)n - dot - 1;
    if (number <= (UINT64_C(1) << 53)) {
        *value = (double)number / pen_csv_tens[n_fraction];
    } else if (!pen_csv_scale(number, -n_fraction, value)) {
        return false;
    }
    *value = minus ? -*value : *value;
    return true;
}

#include "datasets/csv/convert_template.h"

/* Thirty-two bytes at a time, up to and with the next quote. */
static int64_t pen_csv_unquote_level(char *to, const char *from, int64_t size, char quote)
{
    const __m256i quotes = _mm256_set1_epi8(quote);
    const char *begin = to;
    const char *end = from + size;
    while (from < end) {
        const __m256i bytes = _mm256_loadu_si256((const __m256i_u *)from);
        _mm256_storeu_si256((__m256i_u *)to, bytes);
        const uint32_t found = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, quotes));
        const int64_t at = (int64_t)_tzcnt_u32(found);
        const int64_t left = end - from;
        if (at >= left || found == 0) {
            const int64_t n = left < 32 ? left : 32;
            to += n;
            from += n;
            continue;
        }
        if (at + 1 >= left || from[at + 1] != quote) {
            return -1;
        }
        to += at + 1;
        from += at + 2;
    }
    return to - begin;
}

const struct pen_csv_convert_ops pen_csv_convert_avx2 = {pen_csv_ints_level, pen_csv_doubles_level,
                                                         pen_csv_unquote_level};
