/* Look-ups of all tables in one launch: 4 bytes of id and 4 D of table read a look-up, 4 D written.
 *
 * Replacing: groups of lanes have a row each, a block a few rows of FEATURES features, whose table rows are all on
 * their way at once, since each lies anywhere in memory. Where rows of `out` are aligned, a lane moves four columns.
 * Adding: features may share columns (the wide part), so a group has a row and takes all features in order; a lane
 * always has the same columns of the row. */
#include "kernels/cuda/exec.cuh"
#include "kernels/cuda/quad.cuh"
#include "kernels/embedding/embedding.h"

namespace
{

constexpr int FEATURES = 4;

/* n_values < 2^31, so that ids below 0 are above it. */
__device__ __forceinline__ bool is_present(const pen_embedding_feature &f, int32_t id)
{
    return (int64_t)(uint32_t)id < f.n_values;
}

/* One look-up: the table's row (NULL: nothing to add) and where it goes. dim 0: no such feature. */
struct look_up {
    const float *from;
    float *to;
    int64_t dim;
    bool ragged;
};

/* Of features k, k + 1, ...: all ids are on their way before one is looked at. */
__device__ __forceinline__ void look(look_up (&l)[FEATURES], const pen_embedding &e, int64_t k, int64_t row)
{
    int32_t id[FEATURES];
    for (int u = 0; u < FEATURES; u++) {
        const pen_embedding_feature &f = e.features[k + u < e.n_features ? k + u : k];
        l[u].ragged = f.row_offsets != NULL;
        id[u] = l[u].ragged ? -1 : f.ids[row * f.id_stride];
    }
    for (int u = 0; u < FEATURES; u++) {
        const pen_embedding_feature &f = e.features[k + u < e.n_features ? k + u : k];
        l[u].dim = k + u < e.n_features ? f.dim : 0;
        l[u].to = e.out + row * e.ld_out + f.column;
        l[u].from = is_present(f, id[u]) ? e.values + f.offset + id[u] * f.dim : NULL;
    }
}

/* WIDTH columns of one row, as far as there are n. */
template <int WIDTH> __device__ __forceinline__ void load(float (&v)[WIDTH], const float *from, int64_t n)
{
    if constexpr (WIDTH == 4) {
        pen_load_quad(v, from, n, pen_cuda_aligned(from, 16));
    } else {
        v[0] = from[0];
    }
}

template <int WIDTH> __device__ __forceinline__ void store(float *to, const float (&v)[WIDTH], int64_t n)
{
    if constexpr (WIDTH == 4) {
        pen_store_quad(to, v, n, pen_cuda_aligned(to, 16));
    } else {
        to[0] = v[0];
    }
}

/* Adds what a ragged feature's row has from column d on: the ids in their order, each times the scale. */
template <int WIDTH>
__device__ void pool(float (&sum)[WIDTH], const pen_embedding &e, const pen_embedding_feature &f, int64_t row,
                     int64_t d)
{
    const int64_t first = f.row_offsets[row], end = f.row_offsets[row + 1];
    const float *table = e.values + f.offset + d;
    float scale = 1.0f;
    if (f.mean) {
        int64_t n = 0;
        for (int64_t i = first; i < end; i++) {
            n += is_present(f, f.ids[i]);
        }
        scale = n > 0 ? 1.0f / (float)n : 0.0f;
    }
    for (int64_t i = first; i < end; i++) {
        const int32_t id = f.ids[i];
        float x[WIDTH] = {};
        if (is_present(f, id)) {
            load<WIDTH>(x, table + id * f.dim, f.dim - d);
        }
        for (int j = 0; j < WIDTH; j++) {
            sum[j] += scale * x[j];
        }
    }
}

/* A lane moves WIDTH columns at a time, 4 or 1; the lanes of a group together 16. */
template <int WIDTH> constexpr int LANES = 16 / WIDTH;

template <int WIDTH>
__device__ void replace_ragged(const pen_embedding &e, const pen_embedding_feature &f, int64_t row, int lane)
{
    for (int64_t d = lane * WIDTH; d < f.dim; d += 16) {
        float sum[WIDTH] = {};
        pool<WIDTH>(sum, e, f, row, d);
        store<WIDTH>(e.out + row * e.ld_out + f.column + d, sum, f.dim - d);
    }
}

template <int WIDTH> __global__ void replace_k(pen_embedding e)
{
    const int64_t row = pen_cuda_first() / LANES<WIDTH>, k = (int64_t)blockIdx.y * FEATURES;
    const int lane = (int)threadIdx.x % LANES<WIDTH>;
    if (row >= e.n_rows) {
        return;
    }
    look_up l[FEATURES];
    int64_t widest = 0;
    look(l, e, k, row);
    for (int u = 0; u < FEATURES; u++) {
        l[u].dim = l[u].ragged ? 0 : l[u].dim;
        widest = l[u].dim > widest ? l[u].dim : widest;
    }
    for (int64_t d = lane * WIDTH; d < widest; d += 16) {
        float v[FEATURES][WIDTH] = {};
        for (int u = 0; u < FEATURES; u++) {
            if (l[u].from != NULL && d < l[u].dim) {
                load<WIDTH>(v[u], l[u].from + d, l[u].dim - d);
            }
        }
        for (int u = 0; u < FEATURES; u++) {
            if (d < l[u].dim) {
                store<WIDTH>(l[u].to + d, v[u], l[u].dim - d);
            }
        }
    }
    for (int64_t f = k; f < k + FEATURES && f < e.n_features; f++) {
        if (e.features[f].row_offsets != NULL) {
            replace_ragged<WIDTH>(e, e.features[f], row, lane);
        }
    }
}

/* A column of `out` that stays in a register while feature after feature adds to it. */
struct running {
    float *at;
    float sum[1];

    __device__ __forceinline__ void move(float *to)
    {
        if (to != at) {
            leave();
            at = to;
            sum[0] = *to;
        }
    }
    __device__ __forceinline__ void leave(void) const
    {
        if (at != NULL) {
            *at = sum[0];
        }
    }
};

/* lanes: a power of two. */
__global__ void add_k(pen_embedding e, int lanes)
{
    const int64_t row = pen_cuda_first() / lanes;
    if (row >= e.n_rows) {
        return;
    }
    running own = {NULL, {0}};
    for (int64_t k = 0; k < e.n_features; k += FEATURES) {
        look_up l[FEATURES];
        int64_t first[FEATURES]; /* of the feature's columns, the first that is the lane's */
        float v[FEATURES];
        look(l, e, k, row);
        for (int u = 0; u < FEATURES; u++) {
            first[u] = l[u].dim > 0 ? (threadIdx.x - e.features[k + u].column) & (lanes - 1) : 0;
            v[u] = l[u].from != NULL && first[u] < l[u].dim ? l[u].from[first[u]] : 0.0f;
        }
        for (int u = 0; u < FEATURES; u++) {
            for (int64_t d = first[u]; d < l[u].dim; d += lanes) {
                if (l[u].ragged) {
                    own.move(l[u].to + d);
                    pool<1>(own.sum, e, e.features[k + u], row, d);
                } else if (l[u].from != NULL) {
                    own.move(l[u].to + d);
                    own.sum[0] += d == first[u] ? v[u] : l[u].from[d];
                }
            }
        }
    }
    own.leave();
}

pen_status replace(struct pen_exec *exec, const pen_embedding &e, struct pen_error *err)
{
    const bool quads = e.ld_out % 4 == 0 && pen_cuda_aligned(e.out, 16) && pen_cuda_aligned(e.values, 16);
    const int64_t blocks = pen_ceil_div(e.n_rows * (quads ? LANES<4> : LANES<1>), PEN_CUDA_BLOCK);
    const dim3 grid((unsigned)blocks, (unsigned)pen_ceil_div(e.n_features, FEATURES));
    if (quads) {
        PEN_LAUNCH(replace_k<4>, grid, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), e);
    } else {
        PEN_LAUNCH(replace_k<1>, grid, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), e);
    }
    PEN_CUDA_LAUNCHED("embedding_forward", err);
    return PEN_OK;
}

} // namespace

extern "C" pen_status pen_embedding_forward_cuda(struct pen_exec *exec, const struct pen_embedding *e,
                                                 struct pen_error *err)
{
    if (e->n_rows < 0 || e->n_features < 0 || e->n_features > 65535 * FEATURES || e->n_rows > INT32_MAX) {
        PEN_FAIL(err, PEN_ERR_SHAPE,
                 "embedding_forward: expected sizes >= 0, at most 2^31 - 1 rows and 262140 features, found %lld rows, "
                 "%lld features",
                 (long long)e->n_rows, (long long)e->n_features);
    }
    if (e->n_rows == 0 || e->n_features == 0) {
        return PEN_OK;
    }
    if (!e->add) {
        return replace(exec, *e, err);
    }
    int lanes = 1; /* as many as a row of `out` has columns, at most a warp */
    while (lanes < 32 && lanes < e->ld_out) {
        lanes *= 2;
    }
    PEN_LAUNCH(add_k, (unsigned)pen_ceil_div(e->n_rows * lanes, PEN_CUDA_BLOCK), PEN_CUDA_BLOCK, 0,
               pen_cuda_stream(exec), *e, lanes);
    PEN_CUDA_LAUNCHED("embedding_forward", err);
    return PEN_OK;
}
