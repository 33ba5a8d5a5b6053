/* Gathering: a block of threads takes TILE rows of the batch, a warp a row at a time, lanes along its columns and its
 * features, so reads and writes of a row are contiguous. Where the rows come from is computed once a row, a thread
 * each. Dense columns move 16 bytes a thread where everything is aligned for it. 8 bytes a value.
 *
 * Ragged features: the same launch leaves each row's number of ids in offsets, a second one makes running sums of them
 * in place (a block a feature), a third copies the ids (eight lanes a row). */
#include "kernels/batch/batch.h"
#include "kernels/cuda/exec.cuh"

#include "core/philox.h"

static constexpr int TILE = 32, WARPS = PEN_CUDA_BLOCK / 32, SCAN_BLOCK = 1024, LANES_A_ROW = 8, COPY_BLOCKS = 256;

static __device__ __forceinline__ int64_t source_row(const pen_gather &g, int64_t i)
{
    return g.step == NULL ? g.first + i
                          : (int64_t)pen_philox_permute(g.step->order_seed, g.step->order_stream,
                                                        (uint64_t)(g.step->first_place + i), (uint64_t)g.step->n_order);
}

static __device__ __forceinline__ float standardise(float x, float shift, float scale)
{
    float v = (x - shift) * scale;
    return fabsf(v) <= 3.40282347e38f ? v : 0.0f; /* false for NaN as well */
}

static __device__ __forceinline__ float4 standardise(float4 x, float4 shift, float4 scale)
{
    return make_float4(standardise(x.x, shift.x, scale.x), standardise(x.y, shift.y, scale.y),
                       standardise(x.z, shift.z, scale.z), standardise(x.w, shift.w, scale.w));
}

/* V: float, or float4 where rows are whole numbers of it. rows: [B], where each row came from (NULL: not wanted). */
template <class V> static __global__ void rows_k(pen_gather g, int64_t *rows)
{
    PEN_SHARED(int64_t, row_of, [TILE]);
    int64_t first = (int64_t)blockIdx.x * TILE, left = g.n_rows - first;
    int n = (int)(left < TILE ? left : TILE), t = (int)threadIdx.x, lane = t % 32, warp = t / 32;
    if (t < n) {
        int64_t i = first + t, row = source_row(g, i);
        row_of[t] = row;
        g.label[i] = g.from_label != NULL ? g.from_label[row] : NAN;
        g.weight[i] = g.from_weight != NULL ? g.from_weight[row] : 1.0f;
        if (rows != NULL) {
            rows[i] = row;
        }
    }
    __syncthreads();
    constexpr int64_t width = sizeof(V) / sizeof(float);
    int64_t n_dense = g.n_dense / width, ld_x = g.ld_x / width;
    const V *dense = reinterpret_cast<const V *>(g.dense), *shift = reinterpret_cast<const V *>(g.shift);
    const V *scale = reinterpret_cast<const V *>(g.scale);
    V *x = reinterpret_cast<V *>(g.x);
    for (int64_t j = lane; j < n_dense; j += 32) {
        V by = shift[j], times = scale[j];
        for (int i = warp; i < n; i += WARPS) {
            x[(first + i) * ld_x + j] = standardise(dense[row_of[i] * n_dense + j], by, times);
        }
    }
    for (int64_t f = lane; f < g.n_ids; f += 32) {
        pen_gather_from from = g.from[f];
        pen_gather_to to = g.to[f];
        for (int i = warp; i < n; i += WARPS) {
            int64_t row = row_of[i];
            if (to.offsets == NULL) {
                to.ids[(first + i) * to.stride] = from.values[row * from.stride];
            } else {
                to.offsets[first + i + 1] = from.row_offsets[row + 1] - from.row_offsets[row];
            }
        }
    }
}

/* offsets[i + 1] holds the ids of row i; afterwards those of the rows up to and with i. */
static __global__ void offsets_k(const pen_gather_to *to, int64_t n_rows)
{
    PEN_SHARED(int64_t, partial, [SCAN_BLOCK / 32]);
    int64_t *offsets = to[blockIdx.x].offsets, before = 0;
    if (offsets == NULL) {
        return;
    }
    if (threadIdx.x == 0) {
        offsets[0] = 0;
    }
    for (int64_t first = 0; first < n_rows; first += SCAN_BLOCK) {
        int64_t i = first + threadIdx.x, total = 0;
        int64_t sum = pen_block_scan(i < n_rows ? offsets[i + 1] : int64_t{0}, partial, &total);
        if (i < n_rows) {
            offsets[i + 1] = before + sum;
        }
        before += total;
    }
}

static __global__ void ragged_k(const pen_gather_from *from, const pen_gather_to *to, const int64_t *rows,
                                int64_t n_rows, int64_t n_ids)
{
    int64_t lane = threadIdx.x % LANES_A_ROW, step = pen_cuda_step() / LANES_A_ROW;
    for (int64_t f = blockIdx.y; f < n_ids; f += gridDim.y) {
        const int64_t *offsets = to[f].offsets, *row_offsets = from[f].row_offsets;
        for (int64_t i = pen_cuda_first() / LANES_A_ROW; offsets != NULL && i < n_rows; i += step) {
            int64_t n = offsets[i + 1] - offsets[i];
            const int32_t *source = from[f].values + row_offsets[rows[i]];
            int32_t *target = to[f].ids + offsets[i];
            for (int64_t k = lane; k < n; k += LANES_A_ROW) {
                target[k] = source[k];
            }
        }
    }
}

static pen_status gather_ragged(struct pen_exec *exec, const struct pen_gather *g, const int64_t *rows,
                                struct pen_error *err)
{
    PEN_LAUNCH(offsets_k, (unsigned)g->n_ids, SCAN_BLOCK, 0, pen_cuda_stream(exec), g->to, g->n_rows);
    PEN_CUDA_LAUNCHED("gather", err);
    int64_t blocks = pen_ceil_div(g->n_rows * LANES_A_ROW, PEN_CUDA_BLOCK);
    dim3 grid(pen_cuda_grid(blocks < COPY_BLOCKS ? blocks : COPY_BLOCKS, 1),
              (unsigned)(g->n_ids < 65535 ? g->n_ids : 65535));
    PEN_LAUNCH(ragged_k, grid, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), g->from, g->to, rows, g->n_rows, g->n_ids);
    PEN_CUDA_LAUNCHED("gather", err);
    return PEN_OK;
}

static bool is_aligned(const struct pen_gather *g)
{
    uintptr_t bits = (uintptr_t)g->dense | (uintptr_t)g->shift | (uintptr_t)g->scale | (uintptr_t)g->x;
    return bits % sizeof(float4) == 0 && g->n_dense % 4 == 0 && g->ld_x % 4 == 0;
}

extern "C" pen_status pen_gather_cuda(struct pen_exec *exec, const struct pen_gather *g, struct pen_error *err)
{
    PEN_TRY(pen_gather_check(g, err));
    char *rows = NULL;
    if (g->n_ragged > 0) {
        PEN_TRY(pen_cuda_workspace(exec, &rows, (size_t)g->n_rows * sizeof(int64_t), "gather", err));
    }
    if (g->n_rows > 0) {
        unsigned grid = (unsigned)pen_ceil_div(g->n_rows, TILE);
        PEN_LAUNCH((is_aligned(g) ? rows_k<float4> : rows_k<float>), grid, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *g,
                   reinterpret_cast<int64_t *>(rows));
        PEN_CUDA_LAUNCHED("gather", err);
    }
    return g->n_ragged > 0 ? gather_ragged(exec, g, reinterpret_cast<int64_t *>(rows), err) : PEN_OK;
}
