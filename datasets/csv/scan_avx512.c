/* The CSV scan with AVX-512 (BW and VBMI2): compares give masks at once, positions come from one byte compress of
 * 0..63 under the mask, widened sixteen at a time: no loop that depends on the data bit by bit. */
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,pclmul,popcnt,bmi,bmi2")
#include "datasets/csv/csv_internal.h"

#include <immintrin.h>

#define PEN_CSV_POPCOUNT(x) _mm_popcnt_u64(x)

struct pen_csv_needles {
    __m512i quote, delimiter;
};

struct pen_csv_masks {
    uint64_t quote, delimiter, lf, cr;
    __m512i text;
};

static inline struct pen_csv_needles pen_csv_needles_of(char quote, char delimiter)
{
    struct pen_csv_needles needles = {_mm512_set1_epi8(quote), _mm512_set1_epi8(delimiter)};
    return needles;
}

static inline void pen_csv_masks_of(const char *text, const struct pen_csv_needles *needles, struct pen_csv_masks *m)
{
    m->text = _mm512_loadu_si512(text);
    m->quote = _mm512_cmpeq_epi8_mask(m->text, needles->quote);
    m->delimiter = _mm512_cmpeq_epi8_mask(m->text, needles->delimiter);
    m->lf = _mm512_cmpeq_epi8_mask(m->text, _mm512_set1_epi8('\n'));
    m->cr = _mm512_cmpeq_epi8_mask(m->text, _mm512_set1_epi8('\r'));
}

static inline uint64_t pen_csv_prefix_xor(uint64_t mask)
{
    const __m128i ones = _mm_set1_epi8(-1);
    return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)mask), ones, 0));
}

/* Writes up to 16 positions more than there are: the index reserves room. */
static inline uint32_t *pen_csv_emit(uint32_t *ends, uint64_t mask, uint32_t base)
{
    const __m512i numbers =
        _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40,
                        39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
                        15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i bases = _mm512_set1_epi32((int)base);
    const __m512i packed = _mm512_maskz_compress_epi8(mask, numbers);
    const int64_t n = _mm_popcnt_u64(mask);
    _mm512_storeu_si512(ends, _mm512_add_epi32(bases, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(packed))));
    if (n > 16) {
        _mm512_storeu_si512(ends + 16,
                            _mm512_add_epi32(bases, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 1))));
        if (n > 32) {
            _mm512_storeu_si512(ends + 32,
                                _mm512_add_epi32(bases, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 2))));
            _mm512_storeu_si512(ends + 48,
                                _mm512_add_epi32(bases, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 3))));
        }
    }
    return ends + n;
}

struct pen_csv_bytes_seen {
    __m512i least, either;
};

static inline struct pen_csv_bytes_seen pen_csv_bytes_seen_none(void)
{
    struct pen_csv_bytes_seen seen = {_mm512_set1_epi8(-1), _mm512_setzero_si512()};
    return seen;
}

static inline void pen_csv_bytes_see(struct pen_csv_bytes_seen *seen, const struct pen_csv_masks *m, uint64_t keep)
{
    seen->least = _mm512_mask_min_epu8(seen->least, keep, seen->least, m->text);
    seen->either = _mm512_or_si512(seen->either, _mm512_maskz_mov_epi8(keep, m->text));
}

static inline void pen_csv_bytes_result(const struct pen_csv_bytes_seen *seen, bool *has_high, bool *has_nul)
{
    *has_high = _mm512_movepi8_mask(seen->either) != 0;
    *has_nul = _mm512_cmpeq_epi8_mask(seen->least, _mm512_setzero_si512()) != 0;
}

#include "datasets/csv/scan_template.h"

const struct pen_csv_ops pen_csv_ops_avx512 = {pen_csv_survey_level, pen_csv_index_level, &pen_csv_convert_avx512};
