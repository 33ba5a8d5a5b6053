/* Columns with AVX-512: eight numbers at a time, quoted text 64 bytes a step.
 *
 * Four cells fill a register, each at the end of sixteen bytes of its own, so that one mask blanks what stands before
 * it. The dot goes by moving the digits before it up one byte, multiply-add pairs make two numbers of 8 digits of each
 * cell, and one division by powers of ten serves eight. Digits (at most 2^53) and power of ten (at most 10^15) are
 * exact, so the quotient is rounded correctly (Clinger, "How to read floating point numbers accurately", 1990). Cells
 * that are no such number (missing, quoted, with exponent, of more than 16 characters) go one by one. */
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx512vbmi2,avx2,bmi,bmi2,popcnt,lzcnt,pclmul")
#include "datasets/csv/csv_internal.h"
#include "datasets/csv/number.h"

#include <immintrin.h>

#define pen_csv_level_double pen_csv_fast_double
#include "datasets/csv/convert_template.h"

/* Eight cells; bit i of a mask is cell i. */
struct pen_csv_eight {
    __m512i digits;     /* the value, were there no dot and no sign */
    __m256i n_fraction; /* digits behind the dot; 16: no dot */
    __mmask8 good;      /* [-] digits [. digits], at most 16 characters */
    __mmask8 minus, dotted;
};

static inline __m512i pen_csv_four_cells(const char *text, const uint32_t *ends, int64_t stride)
{
    const char *before = text - 16;
    const __m128i a = _mm_loadu_si128((const __m128i_u *)(before + ends[0]));
    const __m128i b = _mm_loadu_si128((const __m128i_u *)(before + ends[stride]));
    const __m128i c = _mm_loadu_si128((const __m128i_u *)(before + ends[2 * stride]));
    const __m128i d = _mm_loadu_si128((const __m128i_u *)(before + ends[3 * stride]));
    const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
    const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(c), d, 1);
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* Which of the sixteen bytes belong to the cell, sixteen bits a cell; 0 when the size is not 1 to 16. */
static inline __m128i pen_csv_cell_bytes(const uint32_t *ends, int64_t stride)
{
    const __m256i each = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    const __m256i places = _mm256_mullo_epi32(each, _mm256_set1_epi32((int)stride));
    const __m256i end = _mm256_i32gather_epi32((const int *)ends, places, 4);
    const __m256i begin_less_1 = _mm256_i32gather_epi32((const int *)ends - 1, places, 4);
    const __m256i free = _mm256_sub_epi32(_mm256_set1_epi32(17), _mm256_sub_epi32(end, begin_less_1));
    /* A shift by 32 or more, as by a negative number, gives 0. */
    return _mm256_cvtepi32_epi16(_mm256_sllv_epi32(_mm256_set1_epi32(0xffff), free));
}

static inline __m128i pen_csv_words(__mmask64 low, __mmask64 high)
{
    return _mm_set_epi64x((int64_t)high, (int64_t)low);
}

/* Sixteen digits in each four of a and b: their values, the fours one behind the other. */
static inline __m512i pen_csv_values(__m512i a, __m512i b)
{
    const __m512i by_10 = _mm512_set1_epi16(0x010a);
    const __m512i by_100 = _mm512_set1_epi32(0x00010064);
    const __m512i fours = _mm512_packus_epi32(_mm512_madd_epi16(_mm512_maddubs_epi16(a, by_10), by_100),
                                              _mm512_madd_epi16(_mm512_maddubs_epi16(b, by_10), by_100));
    const __m512i eights = _mm512_madd_epi16(fours, _mm512_set1_epi32(0x00012710));
    const __m512i mixed = _mm512_add_epi64(_mm512_mul_epu32(eights, _mm512_set1_epi64(100000000)),
                                           _mm512_srli_epi64(eights, 32)); /* a0 b0 a1 b1 a2 b2 a3 b3 */
    return _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0), mixed);
}

static inline struct pen_csv_eight pen_csv_eight_cells(const char *text, const uint32_t *ends, int64_t stride)
{
    const __m512i a = pen_csv_four_cells(text, ends, stride);
    const __m512i b = pen_csv_four_cells(text, ends + 4 * stride, stride);
    const __m128i cell = pen_csv_cell_bytes(ends, stride);
    const __mmask64 cell_a = (__mmask64)_mm_cvtsi128_si64(cell), cell_b = (__mmask64)_mm_extract_epi64(cell, 1);

    const __m512i zeros = _mm512_set1_epi8('0'), nines = _mm512_set1_epi8(9), dots = _mm512_set1_epi8('.');
    __m512i digits_a = _mm512_sub_epi8(a, zeros), digits_b = _mm512_sub_epi8(b, zeros);
    const __mmask64 digit_a = _mm512_mask_cmple_epu8_mask(cell_a, digits_a, nines);
    const __mmask64 digit_b = _mm512_mask_cmple_epu8_mask(cell_b, digits_b, nines);
    digits_a = _mm512_maskz_mov_epi8(digit_a, digits_a);
    digits_b = _mm512_maskz_mov_epi8(digit_b, digits_b);

    const __m128i digit = pen_csv_words(digit_a, digit_b);
    const __m128i dot =
        pen_csv_words(_mm512_mask_cmpeq_epi8_mask(cell_a, a, dots), _mm512_mask_cmpeq_epi8_mask(cell_b, b, dots));
    const __m128i below_dot = _mm_subs_epu16(dot, _mm_set1_epi16(1));
    const __m128i first = _mm_andnot_si128(_mm_slli_epi16(cell, 1), cell);
    const __m512i dashes = _mm512_set1_epi8('-');
    const __m128i minus = pen_csv_words(_mm512_mask_cmpeq_epi8_mask((__mmask64)_mm_cvtsi128_si64(first), a, dashes),
                                        _mm512_mask_cmpeq_epi8_mask((__mmask64)_mm_extract_epi64(first, 1), b, dashes));

    const __m128i known = _mm_or_si128(_mm_or_si128(digit, dot), minus);
    const __m128i wrong = _mm_or_si128(_mm_xor_si128(cell, known), _mm_and_si128(dot, below_dot)); /* or two dots */
    const __m128i to_move = _mm_or_si128(dot, below_dot);
    digits_a = _mm512_mask_mov_epi8(digits_a, (__mmask64)_mm_cvtsi128_si64(to_move), _mm512_bslli_epi128(digits_a, 1));
    digits_b =
        _mm512_mask_mov_epi8(digits_b, (__mmask64)_mm_extract_epi64(to_move, 1), _mm512_bslli_epi128(digits_b, 1));

    struct pen_csv_eight eight;
    eight.digits = pen_csv_values(digits_a, digits_b);
    eight.n_fraction = _mm256_sub_epi32(_mm256_lzcnt_epi32(_mm256_cvtepu16_epi32(dot)), _mm256_set1_epi32(16));
    eight.good = (__mmask8)(_mm_testn_epi16_mask(wrong, wrong) & _mm_test_epi16_mask(digit, digit));
    eight.minus = _mm_test_epi16_mask(minus, minus);
    eight.dotted = _mm_test_epi16_mask(dot, dot);
    return eight;
}

static inline __m512d pen_csv_eight_doubles(const struct pen_csv_eight *eight)
{
    const __m512d low = _mm512_loadu_pd(pen_csv_tens), high = _mm512_loadu_pd(pen_csv_tens + 8);
    const __m512i power = _mm512_cvtepi32_epi64(eight->n_fraction); /* 16 finds 10^0: four bits count */
    const __m512d tens = _mm512_permutex2var_pd(low, power, high);
    const __m512d value = _mm512_div_pd(_mm512_cvtepi64_pd(eight->digits), tens);
    return _mm512_mask_xor_pd(value, eight->minus, value, _mm512_set1_pd(-0.0));
}

/* A carriage return belongs to the line end, and a null marker may look like a number: these go cell by cell. */
static int64_t pen_csv_rows_by_eight(const struct pen_csv_tile *tile)
{
    return tile->strip_cr || tile->number_markers ? 0 : tile->n_rows & ~INT64_C(7);
}

static enum pen_csv_class pen_csv_ints_eight(struct pen_csv_tile *tile, int64_t *values)
{
    const struct pen_csv_walk walk = pen_csv_walk_of(tile);
    const int64_t by_eight = pen_csv_rows_by_eight(tile);
    enum pen_csv_class seen = PEN_CSV_CLASS_NONE;
    for (int64_t i = 0; i < by_eight; i += 8) {
        const struct pen_csv_eight eight = pen_csv_eight_cells(walk.text, walk.ends + i * walk.stride, walk.stride);
        const __mmask8 good = (__mmask8)(eight.good & ~eight.dotted);
        _mm512_storeu_si512(values + i,
                            _mm512_mask_sub_epi64(eight.digits, eight.minus, _mm512_setzero_si512(), eight.digits));
        seen = good != 0 ? pen_csv_higher(seen, PEN_CSV_CLASS_INT) : seen;
        for (uint32_t left = (uint8_t)~good; left != 0; left &= left - 1) {
            seen = pen_csv_higher(seen, pen_csv_int_cell(tile, &walk, i + (int64_t)_tzcnt_u32(left), values));
        }
    }
    return pen_csv_higher(seen, pen_csv_int_cells(tile, &walk, by_eight, values));
}

static enum pen_csv_class pen_csv_doubles_eight(struct pen_csv_tile *tile, double *values)
{
    const struct pen_csv_walk walk = pen_csv_walk_of(tile);
    const int64_t by_eight = pen_csv_rows_by_eight(tile);
    enum pen_csv_class seen = PEN_CSV_CLASS_NONE;
    for (int64_t i = 0; i < by_eight; i += 8) {
        const struct pen_csv_eight eight = pen_csv_eight_cells(walk.text, walk.ends + i * walk.stride, walk.stride);
        const __mmask8 good =
            _mm512_mask_cmple_epu64_mask(eight.good, eight.digits, _mm512_set1_epi64(INT64_C(1) << 53));
        _mm512_storeu_pd(values + i, pen_csv_eight_doubles(&eight));
        seen = good != 0 ? pen_csv_higher(seen, PEN_CSV_CLASS_INT) : seen;
        seen = (good & eight.dotted) != 0 ? pen_csv_higher(seen, PEN_CSV_CLASS_FLOAT) : seen;
        for (uint32_t left = (uint8_t)~good; left != 0; left &= left - 1) {
            seen = pen_csv_higher(seen, pen_csv_double_cell(tile, &walk, i + (int64_t)_tzcnt_u32(left), values));
        }
    }
    return pen_csv_higher(seen, pen_csv_double_cells(tile, &walk, by_eight, values));
}

/* Of the quotes every second one goes, where it stands right behind the first of its pair. */
static int64_t pen_csv_unquote_64(char *to, const char *from, int64_t size, char quote)
{
    const __m512i quotes = _mm512_set1_epi8(quote);
    const __m128i ones = _mm_set1_epi8(-1);
    const char *begin = to;
    uint64_t odd_before = 0, first_before = 0;
    for (int64_t at = 0; at < size; at += 64) {
        const uint64_t keep = _bzhi_u64(~UINT64_C(0), size - at < 64 ? (uint32_t)(size - at) : 64);
        const __m512i bytes = _mm512_loadu_si512(from + at);
        const uint64_t quote_bits = _mm512_mask_cmpeq_epi8_mask(keep, bytes, quotes);
        const uint64_t odd =
            (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)quote_bits), ones, 0)) ^
            odd_before;
        const uint64_t second = quote_bits & ~odd;
        if (second != (((quote_bits & odd) << 1) | first_before)) {
            return -1;
        }
        first_before = (quote_bits & odd) >> 63;
        odd_before = UINT64_C(0) - (odd >> 63);
        _mm512_storeu_si512(to, _mm512_maskz_compress_epi8(keep & ~second, bytes));
        to += _mm_popcnt_u64(keep & ~second);
    }
    return first_before != 0 ? -1 : to - begin;
}

const struct pen_csv_convert_ops pen_csv_convert_avx512 = {pen_csv_ints_eight, pen_csv_doubles_eight,
                                                           pen_csv_unquote_64};
