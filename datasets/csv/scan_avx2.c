/* The CSV scan with AVX2 and PCLMULQDQ: two 32-byte halves a step, positions by a bit loop of eight at a time. */
#pragma GCC target("avx2,pclmul,popcnt,bmi")
#include "datasets/csv/csv_internal.h"

#include <immintrin.h>

#define PEN_CSV_POPCOUNT(x) _mm_popcnt_u64(x)

struct pen_csv_needles {
    __m256i quote, delimiter;
};

struct pen_csv_masks {
    uint64_t quote, delimiter, lf, cr, nul, high;
};

static inline struct pen_csv_needles pen_csv_needles_of(char quote, char delimiter)
{
    struct pen_csv_needles needles = {_mm256_set1_epi8(quote), _mm256_set1_epi8(delimiter)};
    return needles;
}

static inline uint64_t pen_csv_pair(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | ((uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32);
}

static inline uint64_t pen_csv_equal(__m256i low, __m256i high, __m256i needle)
{
    return pen_csv_pair(_mm256_cmpeq_epi8(low, needle), _mm256_cmpeq_epi8(high, needle));
}

static inline void pen_csv_masks_of(const char *text, const struct pen_csv_needles *needles, struct pen_csv_masks *m)
{
    const __m256i low = _mm256_loadu_si256((const __m256i_u *)text);
    const __m256i high = _mm256_loadu_si256((const __m256i_u *)(text + 32));
    m->quote = pen_csv_equal(low, high, needles->quote);
    m->delimiter = pen_csv_equal(low, high, needles->delimiter);
    m->lf = pen_csv_equal(low, high, _mm256_set1_epi8('\n'));
    m->cr = pen_csv_equal(low, high, _mm256_set1_epi8('\r'));
    m->nul = pen_csv_equal(low, high, _mm256_setzero_si256());
    m->high = pen_csv_pair(low, high);
}

static inline uint64_t pen_csv_prefix_xor(uint64_t mask)
{
    const __m128i ones = _mm_set1_epi8(-1);
    return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)mask), ones, 0));
}

/* Writes up to 8 positions more than there are: the index reserves room. */
static inline uint32_t *pen_csv_emit(uint32_t *ends, uint64_t mask, uint32_t base)
{
    uint32_t *last = ends + _mm_popcnt_u64(mask);
    while (ends < last) {
        for (int i = 0; i < 8; i++) {
            ends[i] = base + (uint32_t)_tzcnt_u64(mask);
            mask = _blsr_u64(mask);
        }
        ends += 8;
    }
    return last;
}

struct pen_csv_bytes_seen {
    uint64_t nul, high;
};

static inline struct pen_csv_bytes_seen pen_csv_bytes_seen_none(void)
{
    struct pen_csv_bytes_seen seen = {0, 0};
    return seen;
}

static inline void pen_csv_bytes_see(struct pen_csv_bytes_seen *seen, const struct pen_csv_masks *m, uint64_t keep)
{
    seen->nul |= m->nul & keep;
    seen->high |= m->high & keep;
}

static inline void pen_csv_bytes_result(const struct pen_csv_bytes_seen *seen, bool *has_high, bool *has_nul)
{
    *has_high = seen->high != 0;
    *has_nul = seen->nul != 0;
}

#include "datasets/csv/scan_template.h"

const struct pen_csv_ops pen_csv_ops_avx2 = {pen_csv_survey_level, pen_csv_index_level, &pen_csv_convert_avx2};
