/* What generators share: the random numbers of a row, and text put together without printf.
 *
 * A generator writes one row at `out` and returns its end; it writes at most SAMPLE_ROW_BYTES. */
#ifndef PEN_DATASETS_SAMPLES_ROWS_INTERNAL_H
#define PEN_DATASETS_SAMPLES_ROWS_INTERNAL_H

#include "core/rng.h"
#include "core/status.h"

#include <math.h>
#include <string.h>

enum { SAMPLE_ROW_BYTES = 4096, SAMPLE_DRAWS = 128 };

/* Uniform 32-bit words, handed out in order, made four at a time. */
struct sample_draws {
    uint64_t seed, row;
    int n_used;
    uint32_t words[SAMPLE_DRAWS];
};

static inline void draws_begin(struct sample_draws *draws, uint64_t seed, int64_t row)
{
    draws->seed = seed;
    draws->row = (uint64_t)row;
    draws->n_used = 0;
}

static inline uint32_t draw_word(struct sample_draws *draws)
{
    int k = draws->n_used++;
    if (k % 4 == 0) {
        struct pen_rng_block block = pen_rng_at(draws->seed, (uint64_t)(k / 4), draws->row);
        memcpy(&draws->words[k % SAMPLE_DRAWS], block.word, sizeof block.word);
    }
    return draws->words[k % SAMPLE_DRAWS];
}

static inline double draw_uniform(struct sample_draws *draws) /* [0, 1) */
{
    return (double)draw_word(draws) * 0x1p-32;
}

static inline int64_t draw_below(struct sample_draws *draws, int64_t n)
{
    return (int64_t)((uint64_t)draw_word(draws) * (uint64_t)n >> 32);
}

/* Mean 0, variance 1, nearly normal: a sum of four uniforms needs no library function. */
static inline double draw_bell(struct sample_draws *draws)
{
    double sum = draw_uniform(draws) + draw_uniform(draws) + draw_uniform(draws) + draw_uniform(draws);
    return (sum - 2.0) * 1.7320508075688772;
}

/* 0 .. n-1 with probability about 1 / (rank + 1): the long tail of real categories. */
static inline int64_t draw_zipf(struct sample_draws *draws, int64_t n)
{
    int64_t rank = (int64_t)exp(draw_uniform(draws) * log((double)n + 1.0)) - 1;
    return rank < 0 ? 0 : rank < n ? rank : n - 1;
}

/* First index whose running total of weights exceeds a draw; the weights sum to 1. */
static inline int64_t draw_weighted(struct sample_draws *draws, const double *weights, int64_t n)
{
    double left = draw_uniform(draws);
    int64_t i = 0;
    while (i + 1 < n && left >= weights[i]) {
        left -= weights[i++];
    }
    return i;
}

/* A fixed effect of a category on the label: part of the truth, the same for every seed. */
static inline double true_effect(uint64_t purpose, int64_t category)
{
    return pen_rng_normal(0x7065737461746f63, purpose, (uint64_t)category);
}

static inline char *put_text(char *out, const char *text)
{
    while (*text != '\0') {
        *out++ = *text++;
    }
    return out;
}

static inline char *put_int(char *out, int64_t value)
{
    char digits[24];
    int n = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (value < 0) {
        *out++ = '-';
    }
    do {
        digits[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    while (n > 0) {
        *out++ = digits[--n];
    }
    return out;
}

/* value / 10^decimals with all its decimals. */
static inline char *put_decimal(char *out, int64_t value, int decimals)
{
    int64_t power = 1;
    for (int i = 0; i < decimals; i++) {
        power *= 10;
    }
    if (value < 0) {
        *out++ = '-';
        value = -value;
    }
    out = put_int(out, value / power);
    *out++ = '.';
    for (int64_t rest = value % power; power > 1; rest %= power) {
        power /= 10;
        *out++ = (char)('0' + rest / power);
    }
    return out;
}

typedef char *sample_row_fn(char *out, uint64_t seed, int64_t row);

char *pen_sample_taxi_row(char *out, uint64_t seed, int64_t row);
char *pen_sample_complaints_row(char *out, uint64_t seed, int64_t row);
char *pen_sample_clicks_row(char *out, uint64_t seed, int64_t row);
extern const char pen_sample_taxi_header[], pen_sample_complaints_header[], pen_sample_clicks_header[];

#endif
