/* The ids of a batch in places, for embedding_backward: each feature has tiles of its own, TILE places each, filled
 * with its ids in the order of the rows and then with ABSENT ones, which also stand for ids outside the table. One sort
 * by (feature, id) therefore moves ids within their feature's tiles only: a tile is of one feature before and after,
 * equal ids lie side by side in the order of the rows, what is absent lies behind them. */
#ifndef PEN_KERNELS_EMBEDDING_PLACES_CUH
#define PEN_KERNELS_EMBEDDING_PLACES_CUH

#include "kernels/cuda/radix_sort.cuh"
#include "kernels/embedding/embedding.h"

namespace pen_places
{

constexpr int TILE = 1024;

struct places {
    int64_t n_rows, n_features, n_tiles; /* n_tiles: most there may be */
    int64_t *tile_base;                  /* [n_features + 1] first tile of a feature */
    int64_t *key_base;                   /* [n_features + 1] key of its id 0; its last key is that of absent ids */
    int32_t *feature;                    /* [n_tiles] of a tile; -1: none */
    float *scale;                        /* [n_features, n_rows] 1 / ids of the row, where a mean is taken */
    uint32_t *keys, *rows;               /* [n_tiles, TILE] */
    uint32_t *sorted_keys, *sorted_rows;
    int32_t *n_heads; /* [n_tiles] first places of an id */
};

/* Largest i in [0, n) with base[i] <= x; base rises from base[0] <= x. */
static __device__ int64_t last_not_above(const int64_t *base, int64_t n, int64_t x)
{
    int64_t low = 0, high = n;
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        low = base[middle] <= x ? middle : low;
        high = base[middle] <= x ? high : middle;
    }
    return low;
}

static __device__ __forceinline__ bool is_present(const pen_embedding_feature &f, int32_t id)
{
    return id >= 0 && id < f.n_values;
}

static __device__ __forceinline__ int64_t ids_of(const pen_embedding_feature &f, int64_t n_rows)
{
    return f.row_offsets == NULL ? n_rows : f.row_offsets[n_rows] - f.row_offsets[0];
}

/* One block. */
static __global__ void bases_k(places p, const pen_embedding_feature *features)
{
    PEN_SHARED(int64_t, partial, [PEN_CUDA_BLOCK / 32]);
    int64_t tiles = 0, keys = 0;
    for (int64_t first = 0; first < p.n_features; first += PEN_CUDA_BLOCK) {
        int64_t k = first + threadIdx.x, own_tiles = 0, own_keys = 0, all_tiles = 0, all_keys = 0;
        if (k < p.n_features) {
            own_tiles = (ids_of(features[k], p.n_rows) + TILE - 1) / TILE;
            own_keys = features[k].n_values + 1;
        }
        int64_t tiles_end = tiles + pen_block_scan(own_tiles, partial, &all_tiles);
        int64_t keys_end = keys + pen_block_scan(own_keys, partial, &all_keys);
        if (k < p.n_features) {
            p.tile_base[k + 1] = tiles_end;
            p.key_base[k + 1] = keys_end;
        }
        tiles += all_tiles;
        keys += all_keys;
    }
    if (threadIdx.x == 0) {
        p.tile_base[0] = p.key_base[0] = 0;
    }
}

static __device__ void find_scale(const places &p, const pen_embedding_feature &f, int64_t k, int64_t row)
{
    int64_t n = 0;
    for (int64_t i = f.row_offsets[row]; i < f.row_offsets[row + 1]; i++) {
        n += is_present(f, f.ids[i]);
    }
    p.scale[k * p.n_rows + row] = n > 0 ? 1.0f / (float)n : 0.0f;
}

/* A block fills a tile. twins: NULL or tables over the same ids, of which some may take a mean. */
static __global__ void keys_k(places p, const pen_embedding_feature *features, const pen_embedding_feature *twins)
{
    PEN_SHARED(int64_t, found, [1]);
    const int64_t tile = blockIdx.x;
    if (threadIdx.x == 0) {
        found[0] = -1;
    }
    __syncthreads();
    for (int64_t k = threadIdx.x; k < p.n_features; k += PEN_CUDA_BLOCK) {
        if (p.tile_base[k] <= tile && tile < p.tile_base[k + 1]) {
            found[0] = k;
        }
    }
    __syncthreads();
    const int64_t k = found[0];
    if (threadIdx.x == 0) {
        p.feature[tile] = (int32_t)k;
    }
    for (int i = (int)threadIdx.x; i < TILE; i += PEN_CUDA_BLOCK) {
        uint32_t key = 0xffffffffu;
        int64_t row = 0;
        if (k >= 0) {
            const pen_embedding_feature &f = features[k];
            int64_t number = (tile - p.tile_base[k]) * TILE + i, at = number * f.id_stride;
            int32_t id = -1;
            if (number < ids_of(f, p.n_rows)) {
                row = number;
                if (f.row_offsets != NULL) {
                    at = f.row_offsets[0] + number;
                    row = last_not_above(f.row_offsets, p.n_rows, at);
                    if (at == f.row_offsets[row] && (f.mean || (twins != NULL && twins[k].mean))) {
                        find_scale(p, f, k, row);
                    }
                }
                id = f.ids[at];
            }
            key = (uint32_t)(p.key_base[k] + (is_present(f, id) ? id : f.n_values));
        }
        p.keys[tile * TILE + i] = key;
        p.rows[tile * TILE + i] = (uint32_t)row;
    }
}

/* Four neighbouring places of a sorted tile, a thread's: is an id there, is it the first of its kind? */
struct seen {
    uint32_t key[4];
    bool present[4], head[4];
};

static __device__ __forceinline__ seen look(const places &p, int64_t tile, int64_t k)
{
    const int64_t first = tile * TILE + 4 * (int64_t)threadIdx.x, absent = p.key_base[k + 1] - 1;
    const uint4 keys = *reinterpret_cast<const uint4 *>(p.sorted_keys + first);
    seen s = {{keys.x, keys.y, keys.z, keys.w}, {}, {}};
    uint32_t before = first > 0 ? p.sorted_keys[first - 1] : ~keys.x;
    for (int j = 0; j < 4; j++) {
        s.present[j] = s.key[j] != absent;
        s.head[j] = s.present[j] && s.key[j] != before;
        before = s.key[j];
    }
    return s;
}

static __global__ void heads_k(places p)
{
    PEN_SHARED(int, partial, [PEN_CUDA_BLOCK / 32]);
    const int64_t tile = blockIdx.x, k = p.feature[tile];
    int n = 0;
    if (k >= 0) {
        seen s = look(p, tile, k);
        n = s.head[0] + s.head[1] + s.head[2] + s.head[3];
    }
    n = pen_block_sum(n, partial);
    if (threadIdx.x == 0) {
        p.n_heads[tile] = n;
    }
}

/* Most tiles that a batch may need. */
static inline int64_t tiles_for(const pen_embedding_grad &g)
{
    int64_t n_single = g.n_features - g.n_ragged, many = g.most_ids - n_single * g.n_rows;
    return n_single * pen_ceil_div(g.n_rows, TILE) + (many > 0 ? pen_ceil_div(many, TILE) : 0) + g.n_ragged;
}

/* Takes pieces from a workspace whose size it also finds: with base NULL nothing is placed. */
struct carver {
    char *base;
    size_t used;

    template <class T> void take(T **piece, int64_t n)
    {
        *piece = base == NULL ? NULL : reinterpret_cast<T *>(base + used);
        used += pen_cuda_piece((size_t)n * sizeof(T));
    }
};

static inline void carve(carver *c, places *p)
{
    c->take(&p->tile_base, p->n_features + 1);
    c->take(&p->key_base, p->n_features + 1);
    c->take(&p->feature, p->n_tiles);
    c->take(&p->scale, p->n_features * p->n_rows);
    c->take(&p->keys, p->n_tiles * TILE);
    c->take(&p->rows, p->n_tiles * TILE);
    c->take(&p->sorted_keys, p->n_tiles * TILE);
    c->take(&p->sorted_rows, p->n_tiles * TILE);
    c->take(&p->n_heads, p->n_tiles);
}

/* Bits that tell keys below n_keys apart. */
static inline int bits_for(int64_t n_keys)
{
    int bits = 1;
    while (bits < 32 && (n_keys >> bits) > 0) {
        bits++;
    }
    return bits;
}

static inline pen_status fill(struct pen_exec *exec, const places &p, const pen_embedding_grad &g, char *scratch,
                              size_t sort_bytes, struct pen_error *err)
{
    cudaStream_t stream = pen_cuda_stream(exec);
    auto n_tiles = (unsigned)p.n_tiles;
    PEN_LAUNCH(bases_k, 1, PEN_CUDA_BLOCK, 0, stream, p, g.features);
    PEN_LAUNCH(keys_k, n_tiles, PEN_CUDA_BLOCK, 0, stream, p, g.features, g.twins);
    PEN_CUDA_LAUNCHED("embedding_backward", err);
    PEN_TRY(pen_cuda_sort_pairs32(exec, p.sorted_keys, p.sorted_rows, p.keys, p.rows, p.n_tiles * TILE,
                                  bits_for(g.n_values + g.n_features), scratch, sort_bytes, err));
    PEN_LAUNCH(heads_k, n_tiles, PEN_CUDA_BLOCK, 0, stream, p);
    PEN_CUDA_LAUNCHED("embedding_backward", err);
    return PEN_OK;
}

} // namespace pen_places

#endif
