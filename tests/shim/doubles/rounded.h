/* What tensor cores make of a factor. */
#ifndef PEN_TESTS_SHIM_DOUBLES_ROUNDED_H
#define PEN_TESTS_SHIM_DOUBLES_ROUNDED_H

#include <cstdint>
#include <cstring>

constexpr int TF32_DROPPED_BITS = 13, BF16_DROPPED_BITS = 16;

/* To the nearest number of 24 - dropped bits; NaN and infinity stay. */
static inline double rounded(float x, int dropped)
{
    uint32_t bits = 0;
    std::memcpy(&bits, &x, sizeof bits);
    if (dropped > 0 && (bits & 0x7f800000u) != 0x7f800000u) {
        uint32_t half = (1u << (dropped - 1)) - 1 + (bits >> dropped & 1);
        bits = (bits + half) >> dropped << dropped;
        std::memcpy(&x, &bits, sizeof bits);
    }
    return static_cast<double>(x);
}

#endif
