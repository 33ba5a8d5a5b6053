/* The CSV scan without vector instructions: eight bytes at a time (SWAR). The reference of the other levels.
 *
 * A byte of x is zero where the high bit of ~(((x & 0x7f..) + 0x7f..) | x | 0x7f..) is set: exact, no carries between
 * bytes. Eight such high bits are gathered into one byte by a multiplication. */
#include "datasets/csv/csv_internal.h"

#define PEN_CSV_POPCOUNT(x) __builtin_popcountll(x)

struct pen_csv_needles {
    uint64_t quote, delimiter;
};

struct pen_csv_masks {
    uint64_t quote, delimiter, lf, cr, nul, high;
};

#define PEN_CSV_EACH UINT64_C(0x0101010101010101)

static struct pen_csv_needles pen_csv_needles_of(char quote, char delimiter)
{
    struct pen_csv_needles needles = {PEN_CSV_EACH * (uint8_t)quote, PEN_CSV_EACH * (uint8_t)delimiter};
    return needles;
}

/* Bit i of the result: high bit of byte i. */
static inline uint64_t pen_csv_gather(uint64_t high_bits)
{
    return ((high_bits >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

static inline uint64_t pen_csv_equal(uint64_t word, uint64_t needle)
{
    const uint64_t x = word ^ needle;
    const uint64_t low = ~(PEN_CSV_EACH << 7);
    return pen_csv_gather(~(((x & low) + low) | x | low));
}

static inline void pen_csv_masks_of(const char *text, const struct pen_csv_needles *needles, struct pen_csv_masks *m)
{
    memset(m, 0, sizeof *m);
    for (int i = 0; i < 8; i++) {
        uint64_t word;
        memcpy(&word, text + 8 * i, 8);
        m->quote |= pen_csv_equal(word, needles->quote) << (8 * i);
        m->delimiter |= pen_csv_equal(word, needles->delimiter) << (8 * i);
        m->lf |= pen_csv_equal(word, PEN_CSV_EACH * '\n') << (8 * i);
        m->cr |= pen_csv_equal(word, PEN_CSV_EACH * '\r') << (8 * i);
        m->nul |= pen_csv_equal(word, 0) << (8 * i);
        m->high |= pen_csv_gather(word & (PEN_CSV_EACH << 7)) << (8 * i);
    }
}

static inline uint64_t pen_csv_prefix_xor(uint64_t mask)
{
    mask ^= mask << 1;
    mask ^= mask << 2;
    mask ^= mask << 4;
    mask ^= mask << 8;
    mask ^= mask << 16;
    mask ^= mask << 32;
    return mask;
}

static inline uint32_t *pen_csv_emit(uint32_t *ends, uint64_t mask, uint32_t base)
{
    while (mask != 0) {
        *ends++ = base + (uint32_t)__builtin_ctzll(mask);
        mask &= mask - 1;
    }
    return ends;
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

const struct pen_csv_ops pen_csv_ops_scalar = {pen_csv_survey_level, pen_csv_index_level, &pen_csv_convert_scalar};
