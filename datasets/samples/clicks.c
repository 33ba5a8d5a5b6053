/* Advertisements shown, in the shape of click logs: 13 counts with gaps, 26 categories whose values are hexadecimal
 * tokens with long tails, from a handful of values to a million.
 *
 * The log-odds of a click add up effects of seven categories, two counts and one pair of categories; every other
 * column is noise a model must learn to ignore. */
#include "datasets/samples/rows_internal.h"

enum { N_NUMBERS = 13, N_CATEGORIES = 26 };

const char pen_sample_clicks_header[] =
    "clicked,i1,i2,i3,i4,i5,i6,i7,i8,i9,i10,i11,i12,i13,c1,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13,c14,c15,c16,c17,"
    "c18,c19,c20,c21,c22,c23,c24,c25,c26\n";

/* Number of values of each category. */
static const int64_t cardinality[N_CATEGORIES] = {1400,  550,  1000000, 300000, 300, 20,     12000,  630,   3,
                                                  90000, 5600, 800000,  3200,   26,  15000,  500000, 10,    5600,
                                                  2100,  4,    700000,  18,     15,  280000, 100,    140000};
/* Size of each category's effect on the log-odds; 0: none. */
static const double weight[N_CATEGORIES] = {0.5, 0, 0, 0.4, 0, 0.6, 0, 0, 0.5, 0, 0.4, 0, 0,
                                            0.5, 0, 0, 0.5, 0, 0,   0, 0, 0,   0, 0,   0, 0};

static char *put_token(char *out, int64_t category, int64_t rank)
{
    static const char hex[] = "0123456789abcdef";
    /* A bijection of the rank mixed with the category: different values never share a token. */
    uint32_t token = (uint32_t)rank * 2654435761u ^ (uint32_t)category * 0x9E3779B9u;
    for (int shift = 28; shift >= 0; shift -= 4) {
        *out++ = hex[token >> shift & 15];
    }
    return out;
}

char *pen_sample_clicks_row(char *out, uint64_t seed, int64_t row)
{
    struct sample_draws draws;
    int64_t numbers[N_NUMBERS], ranks[N_CATEGORIES];
    double logit = -2.1;
    draws_begin(&draws, seed, row);
    for (int64_t i = 0; i < N_NUMBERS; i++) {
        int64_t scale = i % 4 == 0 ? 20 : i % 4 == 1 ? 300 : i % 4 == 2 ? 60 : 10000;
        int64_t value = draw_zipf(&draws, scale);
        numbers[i] = draw_below(&draws, 100) < 5 + 3 * i ? -1 : value;
    }
    for (int64_t i = 0; i < N_CATEGORIES; i++) {
        int64_t rank = draw_zipf(&draws, cardinality[i]);
        ranks[i] = i % 5 == 3 && draw_below(&draws, 100) < 4 * i ? -1 : rank;
        if (weight[i] > 0) {
            logit += weight[i] * true_effect(20 + (uint64_t)i, ranks[i]);
        }
    }
    logit += numbers[0] > 2 ? 0.5 : 0.0;
    logit += numbers[5] < 0 ? -0.4 : 0.12 * log1p((double)numbers[5]);
    logit += 0.5 * true_effect(60, (ranks[5] + 1) * 8 + ranks[8]); /* a pair */
    bool clicked = draw_uniform(&draws) < 1.0 / (1.0 + exp(-logit));
    *out++ = clicked ? '1' : '0';
    for (int64_t i = 0; i < N_NUMBERS; i++) {
        *out++ = ',';
        out = numbers[i] < 0 ? out : put_int(out, numbers[i]);
    }
    for (int64_t i = 0; i < N_CATEGORIES; i++) {
        *out++ = ',';
        out = ranks[i] < 0 ? out : put_token(out, i, ranks[i]);
    }
    *out++ = '\n';
    return out;
}
