/* CUB's radix sorts. */
#include "kernels/cuda/radix_sort.cuh"

#include <cub/device/device_radix_sort.cuh>

pen_status pen_cuda_sort_bytes(size_t *bytes, int64_t n, struct pen_error *err)
{
    size_t keys = 0, pairs32 = 0, pairs64 = 0;
    uint64_t *key64 = NULL;
    uint32_t *key32 = NULL;
    PEN_CUDA(err, cub::DeviceRadixSort::SortKeys(NULL, keys, key64, key64, n));
    PEN_CUDA(err, cub::DeviceRadixSort::SortPairs(NULL, pairs32, key32, key32, key32, key32, n));
    PEN_CUDA(err, cub::DeviceRadixSort::SortPairs(NULL, pairs64, key32, key32, key64, key64, n));
    *bytes = keys > pairs32 ? keys : pairs32;
    *bytes = *bytes > pairs64 ? *bytes : pairs64;
    return PEN_OK;
}

pen_status pen_cuda_sort_keys(struct pen_exec *exec, uint64_t *out, const uint64_t *in, int64_t n, int begin_bit,
                              int end_bit, void *scratch, size_t scratch_bytes, struct pen_error *err)
{
    PEN_CUDA(err, cub::DeviceRadixSort::SortKeys(scratch, scratch_bytes, in, out, n, begin_bit, end_bit,
                                                 pen_cuda_stream(exec)));
    return PEN_OK;
}

pen_status pen_cuda_sort_pairs32(struct pen_exec *exec, uint32_t *out_keys, uint32_t *out_values, const uint32_t *keys,
                                 const uint32_t *values, int64_t n, int end_bit, void *scratch, size_t scratch_bytes,
                                 struct pen_error *err)
{
    PEN_CUDA(err, cub::DeviceRadixSort::SortPairs(scratch, scratch_bytes, keys, out_keys, values, out_values, n, 0,
                                                  end_bit, pen_cuda_stream(exec)));
    return PEN_OK;
}

pen_status pen_cuda_sort_pairs64(struct pen_exec *exec, uint32_t *out_keys, uint64_t *out_values, const uint32_t *keys,
                                 const uint64_t *values, int64_t n, int end_bit, void *scratch, size_t scratch_bytes,
                                 struct pen_error *err)
{
    PEN_CUDA(err, cub::DeviceRadixSort::SortPairs(scratch, scratch_bytes, keys, out_keys, values, out_values, n, 0,
                                                  end_bit, pen_cuda_stream(exec)));
    return PEN_OK;
}
