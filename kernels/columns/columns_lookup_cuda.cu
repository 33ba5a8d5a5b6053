/* A thread looks up four neighbouring codes: codes and items move as 4 to 16 bytes at a time where the arrays allow it,
 * and the four reads of the table are in flight together. Bytes a row: the code, the item, and a sector of the table
 * where it is not in a cache. */
#include "kernels/columns/columns.h"
#include "kernels/cuda/exec.cuh"

#include <string.h>

namespace
{

constexpr int EACH = 4;

template <class T> struct alignas(sizeof(T) == 1 ? 4 : 16) items {
    T at[EACH];
};

template <class T> __device__ __forceinline__ T item_of(const T *table, T missing, int32_t code)
{
    return code < 0 ? missing : __ldg(table + code);
}

template <class T> __global__ void lookup_k(T *y, const int32_t *codes, const T *table, T missing, int64_t n, bool wide)
{
    for (int64_t i = EACH * pen_cuda_first(); i < n; i += EACH * pen_cuda_step()) {
        if (wide && i + EACH <= n) {
            items<int32_t> four = *reinterpret_cast<const items<int32_t> *>(codes + i);
            items<T> found;
            for (int k = 0; k < EACH; k++) {
                found.at[k] = item_of(table, missing, four.at[k]);
            }
            *reinterpret_cast<items<T> *>(y + i) = found;
            continue;
        }
        for (int64_t k = i; k < n && k < i + EACH; k++) {
            y[k] = item_of(table, missing, codes[k]);
        }
    }
}

template <class T> void launch(struct pen_exec *exec, const struct pen_columns_lookup *l)
{
    T missing;
    memcpy(&missing, l->missing, sizeof missing);
    bool wide = pen_cuda_aligned(l->codes, 16) && pen_cuda_aligned(l->y, alignof(items<T>));
    PEN_LAUNCH(lookup_k<T>, pen_cuda_grid(l->n, EACH * PEN_CUDA_BLOCK), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec),
               static_cast<T *>(l->y), l->codes, static_cast<const T *>(l->table), missing, l->n, wide);
}

} // namespace

extern "C" pen_status pen_columns_lookup_cuda(struct pen_exec *exec, const struct pen_columns_lookup *l,
                                              struct pen_error *err)
{
    if (l->n < 0 || (l->item_bytes != 1 && l->item_bytes != 4 && l->item_bytes != 8)) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_lookup: expected n >= 0 and items of 1, 4 or 8 bytes, found %lld and %zu",
                 (long long)l->n, l->item_bytes);
    }
    if (l->n == 0) {
        return PEN_OK;
    }
    if (l->item_bytes == 8) {
        launch<unsigned long long>(exec, l);
    } else if (l->item_bytes == 4) {
        launch<unsigned>(exec, l);
    } else {
        launch<unsigned char>(exec, l);
    }
    PEN_CUDA_LAUNCHED("columns_lookup", err);
    return PEN_OK;
}
