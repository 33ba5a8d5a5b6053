/* PEN_SIMD in front of a function compiles it for AVX-512, AVX2 and the x86-64 baseline; the loader picks once.
 *
 * Bits stay the same on every machine: contraction is off, and the compiler may not reorder float sums, so a sum is
 * written in lanes by hand where it should be fast. OpenMP regions are not cloned: mark the loop body's function. */
#ifndef PEN_KERNELS_SIMD_H
#define PEN_KERNELS_SIMD_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define PEN_SIMD __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define PEN_SIMD
#endif

/* Inlined into the clones of its callers, so that it is compiled for their processor. */
#define PEN_INLINE static inline __attribute__((always_inline))

#endif
