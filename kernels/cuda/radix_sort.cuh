/* Stable radix sorts of the device's library (CUB), behind plain functions, because the host execution shim brings its
 * own. Sorting is by bits [begin_bit, end_bit) of the key, rising. They take the exec's stream and no other workspace
 * than `scratch`, as many bytes as pen_cuda_sort_bytes says. */
#ifndef PEN_KERNELS_CUDA_RADIX_SORT_CUH
#define PEN_KERNELS_CUDA_RADIX_SORT_CUH

#include "kernels/cuda/exec.cuh"

/* Scratch for sorting n items of any kind below. */
pen_status pen_cuda_sort_bytes(size_t *bytes, int64_t n, struct pen_error *err);

/* in and out: [n], they do not overlap. */
pen_status pen_cuda_sort_keys(struct pen_exec *exec, uint64_t *out, const uint64_t *in, int64_t n, int begin_bit,
                              int end_bit, void *scratch, size_t scratch_bytes, struct pen_error *err);
pen_status pen_cuda_sort_pairs32(struct pen_exec *exec, uint32_t *out_keys, uint32_t *out_values, const uint32_t *keys,
                                 const uint32_t *values, int64_t n, int end_bit, void *scratch, size_t scratch_bytes,
                                 struct pen_error *err);
pen_status pen_cuda_sort_pairs64(struct pen_exec *exec, uint32_t *out_keys, uint64_t *out_values, const uint32_t *keys,
                                 const uint64_t *values, int64_t n, int end_bit, void *scratch, size_t scratch_bytes,
                                 struct pen_error *err);

#endif
