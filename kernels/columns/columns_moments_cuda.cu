/* The CPU's sums in the CPU's order, so the bits are the CPU's: eight interleaved lanes over 1024 values, tiles merged
 * left to right, products never fused with sums.
 *
 * A block copies four tiles to shared memory, coalesced, 8 bytes of memory a value and no more; then a thread is a lane
 * of a tile, for the sum and once more for the squares. A second kernel, one block, computes the weights of all merges
 * in parallel and leaves three dependent operations a tile to one thread: about 15 us a million values. */
#include "kernels/columns/columns.h"
#include "kernels/cuda/exec.cuh"

#include <math.h>

namespace
{

constexpr int TILE = 1024, LANES = 8, BLOCK_TILES = 32 / LANES, THREADS = 128;
constexpr int PADDED = TILE + LANES; /* neighbouring tiles begin in other banks */

/* Over the eight lanes of a tile, in each of them: ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)). */
template <class T> __device__ __forceinline__ T fold_lanes(T value)
{
    for (int apart = 1; apart < LANES; apart *= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, apart);
    }
    return value;
}

/* Of one lane: x[0], x[8], ... up to a tile, of which `size` values are there. Comes with its whole warp. */
__device__ pen_column_moments lane_moments(const double *x, int size)
{
    pen_column_moments out = PEN_COLUMN_MOMENTS_INIT;
    double sum = 0, low = out.min, high = out.max, squares = 0;
    int count = 0;
    for (int i = 0; i < TILE; i += LANES) {
        double value = x[i];
        bool finite = isfinite(value);
        sum += finite ? value : 0.0;
        count += finite ? 1 : 0;
        low = finite && value < low ? value : low;
        high = finite && value > high ? value : high;
    }
    sum = fold_lanes(sum);
    count = fold_lanes(count);
    double mean = count > 0 ? sum / (double)count : 0.0;
    for (int i = 0; i < TILE; i += LANES) {
        double d = isfinite(x[i]) ? x[i] - mean : 0.0;
        squares += __dmul_rn(d, d);
    }
    out.m2 = fold_lanes(squares);
    for (int lane = 0; lane < LANES; lane++) {
        double low_there = __shfl_sync(0xffffffffu, low, lane, LANES);
        double high_there = __shfl_sync(0xffffffffu, high, lane, LANES);
        out.min = low_there < out.min ? low_there : out.min;
        out.max = high_there > out.max ? high_there : out.max;
    }
    out.n = count;
    out.n_other = size - count;
    out.mean = mean;
    return out;
}

__global__ void tiles_k(pen_column_moments *tiles, const double *x, int64_t n, int64_t n_tiles)
{
    PEN_SHARED(double, values, [BLOCK_TILES * PADDED]);
    int64_t first = (int64_t)blockIdx.x * BLOCK_TILES * TILE;
    for (int i = (int)threadIdx.x; i < BLOCK_TILES * TILE; i += THREADS) {
        values[i / TILE * PADDED + i % TILE] = first + i < n ? x[first + i] : (double)NAN;
    }
    __syncthreads();
    if (threadIdx.x < 32) {
        int within = (int)threadIdx.x / LANES, lane = (int)threadIdx.x % LANES;
        int64_t tile = (int64_t)blockIdx.x * BLOCK_TILES + within, left = n - tile * TILE;
        pen_column_moments found = lane_moments(values + within * PADDED + lane, (int)(left < TILE ? left : TILE));
        if (lane == 0 && tile < n_tiles) {
            tiles[tile] = found;
        }
    }
}

/* What one tile brings to the merge (pen_column_moments_merge): the shares depend on counts alone. */
struct merged_tile {
    pen_column_moments found;
    double share, both; /* n_b / n, n_a n_b / n */
    bool first;         /* nothing before it */
};

__device__ void merge(pen_column_moments *a, const merged_tile &tile)
{
    const pen_column_moments &b = tile.found;
    a->n_other += b.n_other;
    if (b.n == 0) {
        return;
    }
    double delta = b.mean - a->mean;
    a->m2 = tile.first ? b.m2 : a->m2 + b.m2 + __dmul_rn(__dmul_rn(delta, delta), tile.both);
    a->mean = tile.first ? b.mean : a->mean + __dmul_rn(delta, tile.share);
    a->n += b.n;
    a->min = b.min < a->min ? b.min : a->min;
    a->max = b.max > a->max ? b.max : a->max;
}

__global__ void merge_k(pen_column_moments *out, const pen_column_moments *tiles, int64_t n_tiles)
{
    PEN_SHARED(merged_tile, merged, [PEN_CUDA_BLOCK]);
    PEN_SHARED(int64_t, partial, [PEN_CUDA_BLOCK / 32]);
    pen_column_moments all = PEN_COLUMN_MOMENTS_INIT; /* thread 0's */
    int64_t n_before = 0;
    for (int64_t first = 0; first < n_tiles; first += PEN_CUDA_BLOCK) {
        int t = (int)threadIdx.x;
        merged_tile own = {PEN_COLUMN_MOMENTS_INIT, 0, 0, false};
        if (first + t < n_tiles) {
            own.found = tiles[first + t];
        }
        int64_t n_here = 0, n_with = n_before + pen_block_scan(own.found.n, partial, &n_here);
        int64_t n_a = n_with - own.found.n;
        own.share = (double)own.found.n / (double)n_with;
        own.both = __dmul_rn((double)n_a, (double)own.found.n) / (double)n_with;
        own.first = n_a == 0;
        merged[t] = own;
        n_before += n_here;
        __syncthreads();
        for (int i = 0; t == 0 && i < PEN_CUDA_BLOCK; i++) {
            merge(&all, merged[i]);
        }
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        *out = all;
    }
}

} // namespace

extern "C" pen_status pen_columns_moments_cuda(struct pen_exec *exec, const struct pen_columns_moments *m,
                                               struct pen_error *err)
{
    if (m->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_moments: expected n >= 0, found %lld", (long long)m->n);
    }
    int64_t n_tiles = pen_ceil_div(m->n, TILE);
    pen_column_moments *tiles = NULL;
    if (n_tiles > 0) {
        char *workspace = NULL;
        PEN_TRY(pen_cuda_workspace(exec, &workspace, (size_t)n_tiles * sizeof *tiles, "columns_moments", err));
        tiles = reinterpret_cast<pen_column_moments *>(workspace);
        PEN_LAUNCH(tiles_k, (unsigned)pen_ceil_div(n_tiles, BLOCK_TILES), THREADS, 0, pen_cuda_stream(exec), tiles,
                   m->x, m->n, n_tiles);
        PEN_CUDA_LAUNCHED("columns_moments", err);
    }
    PEN_LAUNCH(merge_k, 1, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), m->out, tiles, n_tiles);
    PEN_CUDA_LAUNCHED("columns_moments", err);
    return PEN_OK;
}
