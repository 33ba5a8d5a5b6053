/* Philox against the authors' known answers, and the properties of what is built on it. */
#include "core/rng.h"
#include "tests/pen_test.h"

static void philox_matches_random123_known_answers(void)
{
    struct pen_rng_block zero = pen_rng_at(0, 0, 0);
    static const uint32_t zeros[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    struct pen_rng_block ones = pen_rng_at(UINT64_MAX, UINT64_MAX, UINT64_MAX);
    static const uint32_t all[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
    for (int i = 0; i < 4; i++) {
        PEN_CHECK_EQ_I64(zero.word[i], zeros[i]);
        PEN_CHECK_EQ_I64(ones.word[i], all[i]);
    }
}

static void permutations_visit_everything_once(void)
{
    static const uint64_t sizes[] = {1, 2, 3, 10, 33, 257, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        uint8_t seen[1000] = {0};
        for (uint64_t i = 0; i < sizes[s]; i++) {
            uint64_t at = pen_rng_permute(7, 3, i, sizes[s]);
            PEN_REQUIRE(at < sizes[s] && seen[at] == 0);
            seen[at] = 1;
        }
    }
}

static void moments_are_those_of_the_distributions(void)
{
    enum { N = 200000 };
    double uniform = 0;
    double normal = 0;
    double square = 0;
    for (uint64_t i = 0; i < N; i++) {
        double u = pen_rng_uniform(1, 2, i);
        PEN_REQUIRE(u >= 0 && u < 1);
        uniform += u;
        double z = pen_rng_normal(1, 3, i);
        normal += z;
        square += z * z;
    }
    /* Five standard errors. */
    PEN_CHECK_NEAR(uniform / N, 0.5, 5 * 0.2887 / sqrt(N));
    PEN_CHECK_NEAR(normal / N, 0.0, 5 / sqrt(N));
    PEN_CHECK_NEAR(square / N, 1.0, 5 * sqrt(2.0 / N));
}

PEN_SUITE(rng, PEN_CASE(philox_matches_random123_known_answers), PEN_CASE(permutations_visit_everything_once),
          PEN_CASE(moments_are_those_of_the_distributions));
