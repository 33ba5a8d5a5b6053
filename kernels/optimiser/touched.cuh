/* The touched rows of all tables as one list of work: each table's gradient is cut into pieces of PEN_TOUCHED_PIECE
 * values, which the warps of a grid take in turn. How many there are lies in device memory (n_touched), so every warp
 * counts for itself, 32 tables at a time, a lane a table: one launch whatever the tables, no wait, and no table waits
 * for a larger one. */
#ifndef PEN_KERNELS_OPTIMISER_TOUCHED_CUH
#define PEN_KERNELS_OPTIMISER_TOUCHED_CUH

#include "kernels/cuda/common.cuh"
#include "kernels/embedding/embedding.h"

constexpr int PEN_TOUCHED_PIECE = 512;
constexpr unsigned PEN_TOUCHED_BLOCKS = 512; /* always as many, so that who sums what never changes */

/* visit(feature, first, n): values [first, first + n) of feature's gradient, n <= PEN_TOUCHED_PIECE, by a whole warp.
 * Every lane comes. */
template <class Visit>
static __device__ __forceinline__ void pen_visit_touched(const struct pen_embedding_feature *features,
                                                         int64_t n_features, const Visit &visit)
{
    const unsigned all = 0xffffffffu;
    int lane = (int)(threadIdx.x % 32);
    int64_t piece = pen_cuda_first() / 32, n_warps = pen_cuda_step() / 32, before = 0;
    for (int64_t f = 0; f < n_features; f += 32) {
        int64_t size = f + lane < n_features ? features[f + lane].n_touched * features[f + lane].dim : 0;
        int64_t own = (size + PEN_TOUCHED_PIECE - 1) / PEN_TOUCHED_PIECE, end = own;
        for (int delta = 1; delta < 32; delta *= 2) {
            int64_t left = __shfl_up_sync(all, end, delta);
            end += lane >= delta ? left : 0;
        }
        int64_t total = __shfl_sync(all, end, 31);
        for (; piece < before + total; piece += n_warps) {
            int at = __popc(__ballot_sync(all, before + end <= piece));
            int64_t first = (piece - before - __shfl_sync(all, end - own, at)) * PEN_TOUCHED_PIECE;
            int64_t left = __shfl_sync(all, size, at) - first;
            visit(features[f + at], first, left < PEN_TOUCHED_PIECE ? left : PEN_TOUCHED_PIECE);
        }
        before += total;
    }
}

#endif
