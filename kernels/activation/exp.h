/* exp, sigmoid and tanh of a float in plain arithmetic that compilers vectorise.
 *
 * exp(x) = 2^k e^r with k = round(x / ln 2), |r| <= ln 2 / 2, e^r by its Taylor polynomial of degree 7 (remainder
 * below 6e-9 of the value) and 2^k by placing k in the exponent bits. x is held to [-87.3, 88.0], so results lie in
 * [1.2e-38, 1.7e38]; NaN stays NaN. Error at most 2 units in the last place. */
#ifndef PEN_KERNELS_ACTIVATION_EXP_H
#define PEN_KERNELS_ACTIVATION_EXP_H

#include <stdint.h>
#include <string.h>

static inline float pen_exp_f32(float x)
{
    const float shift = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer kept in the low bits */
    x = x < -87.3f ? -87.3f : x;
    x = x > 88.0f ? 88.0f : x;
    float shifted = x * 1.44269504088896341f + shift;
    float k = shifted - shift;
    float r = (x - k * 0.693359375f) - k * -2.12194440054690583e-4f; /* ln 2 in two parts: the first is exact */
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127u) << 23; /* the high bits of `shifted` fall off */
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

static inline float pen_sigmoid_f32(float x)
{
    return 1.0f / (1.0f + pen_exp_f32(-x));
}

static inline float pen_tanh_f32(float x)
{
    /* Below 0.3 the quotient cancels: an odd Taylor polynomial there (next term under 1e-8 of the value). */
    float s = x * x;
    float q = -1382.0f / 155925;
    q = q * s + 62.0f / 2835;
    q = q * s + -17.0f / 315;
    q = q * s + 2.0f / 15;
    q = q * s + -1.0f / 3;
    float small = x + x * s * q;
    float e = pen_exp_f32(2.0f * x);
    float large = 1.0f - 2.0f / (e + 1.0f);
    return s < 0.09f ? small : large;
}

#endif
