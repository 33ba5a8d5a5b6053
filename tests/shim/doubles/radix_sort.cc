/* Stands for kernels/cuda/radix_sort.cu: std::stable_sort in the order of the stream. */
#include "kernels/cuda/radix_sort.cuh"
#include "tests/shim/shim.h"

#include <algorithm>
#include <numeric>
#include <vector>

template <class Key, class Value>
static void sort_pairs(Key *out_keys, Value *out_values, const Key *keys, const Value *values, int64_t n, int begin_bit,
                       int end_bit)
{
    pen_shim::open_memory open;
    std::vector<int64_t> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    uint64_t mask = (end_bit < 64 ? (uint64_t{1} << end_bit) : 0) - 1;
    std::stable_sort(order.begin(), order.end(), [=](int64_t a, int64_t b) {
        return (keys[a] & mask) >> begin_bit < (keys[b] & mask) >> begin_bit;
    });
    for (int64_t i = 0; i < n; i++) {
        int64_t from = order[static_cast<size_t>(i)];
        out_keys[i] = keys[from];
        if (out_values != nullptr) {
            out_values[i] = values[from];
        }
    }
}

pen_status pen_cuda_sort_bytes(size_t *bytes, int64_t, struct pen_error *)
{
    *bytes = 16;
    return PEN_OK;
}

pen_status pen_cuda_sort_keys(struct pen_exec *exec, uint64_t *out, const uint64_t *in, int64_t n, int begin_bit,
                              int end_bit, void *, size_t, struct pen_error *)
{
    pen_shim::enqueue_call(pen_cuda_stream(exec),
                           [=]() { sort_pairs<uint64_t, uint64_t>(out, nullptr, in, nullptr, n, begin_bit, end_bit); });
    return PEN_OK;
}

pen_status pen_cuda_sort_pairs32(struct pen_exec *exec, uint32_t *out_keys, uint32_t *out_values, const uint32_t *keys,
                                 const uint32_t *values, int64_t n, int end_bit, void *, size_t, struct pen_error *)
{
    pen_shim::enqueue_call(pen_cuda_stream(exec),
                           [=]() { sort_pairs(out_keys, out_values, keys, values, n, 0, end_bit); });
    return PEN_OK;
}

pen_status pen_cuda_sort_pairs64(struct pen_exec *exec, uint32_t *out_keys, uint64_t *out_values, const uint32_t *keys,
                                 const uint64_t *values, int64_t n, int end_bit, void *, size_t, struct pen_error *)
{
    pen_shim::enqueue_call(pen_cuda_stream(exec),
                           [=]() { sort_pairs(out_keys, out_values, keys, values, n, 0, end_bit); });
    return PEN_OK;
}
