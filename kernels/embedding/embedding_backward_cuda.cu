/* Sparse gradients of all tables together, without float atomics: the batch's ids sorted by table and id (places.cuh),
 * then sums over neighbours that always add in the same order.
 *
 *   1. A block has a tile of 1024 sorted places, groups of lanes have runs of them, a lane one column or four. A group
 *      adds up its run; an id that lies in one run is done.
 *   2. In the block, an id that leaves its run is added up over the runs.                                      sums_k
 *   3. An id that leaves its tile is added up over the tiles, by a warp.                                       join_k
 *
 * So a row that every example hits costs what others cost. Twins share the sort and all launches.
 * Bytes: about 70 an id for the sort, 4 D an id and as much a distinct id for the sums. The slots of the contract are
 * not needed and stay as they are. */
#include "kernels/embedding/tile_sums.cuh"

namespace
{

using namespace pen_places;

/* Distinct ids of the feature in the tiles before, in every thread. */
__device__ int64_t heads_before(const places &p, int64_t tile, int64_t k)
{
    PEN_SHARED(int64_t, partial, [PEN_CUDA_BLOCK / 32]);
    PEN_SHARED(int64_t, total, [1]);
    int64_t n = 0;
    for (int64_t i = p.tile_base[k] + threadIdx.x; i < tile; i += PEN_CUDA_BLOCK) {
        n += p.n_heads[i];
    }
    n = pen_block_sum(n, partial);
    if (threadIdx.x == 0) {
        total[0] = n;
    }
    __syncthreads();
    return total[0];
}

/* Ranks and rows of a tile into shared memory, its distinct ids into the list of touched ones. */
__device__ void rank_places(const places &p, const side &s, tile_view *t, int *rank, uint32_t *rows)
{
    PEN_SHARED(uint32_t, partial, [PEN_CUDA_BLOCK / 32]);
    const seen found = look(p, t->number, t->feature);
    const uint4 from = reinterpret_cast<const uint4 *>(p.sorted_rows + t->number * TILE)[threadIdx.x];
    const uint32_t four[4] = {from.x, from.y, from.z, from.w};
    uint32_t own = 0, total = 0; /* heads; ids, times 2^16 */
    for (int j = 0; j < 4; j++) {
        own += (found.head[j] ? 1u : 0u) + (found.present[j] ? 1u << 16 : 0u);
    }
    int here = (int)((pen_block_scan(own, partial, &total) - own) & 0xffffu);
    for (int j = 0; j < 4; j++) {
        const int place = 4 * (int)threadIdx.x + j;
        here += found.head[j] ? 1 : 0;
        rank[place] = here;
        rows[place] = four[j];
        if (found.head[j]) {
            s.features[t->feature].touched[t->before + here - 1] = (int32_t)(found.key[j] - p.key_base[t->feature]);
        }
    }
    t->n = (int)(total >> 16);
    const int64_t next = (t->number + 1) * TILE, heads = total & 0xffffu;
    t->goes_on = t->n == TILE && t->number + 1 < p.n_tiles && p.sorted_keys[next] == p.sorted_keys[next - 1];
    if (threadIdx.x == 0) {
        s.leaves[t->number] = !t->goes_on ? NOTHING : heads == 0 ? PASSES : t->before + heads - 1;
        if (t->number + 1 == p.tile_base[t->feature + 1]) {
            s.features[t->feature].n_touched = t->before + heads;
        }
    }
    __syncthreads();
}

__global__ void __launch_bounds__(PEN_CUDA_BLOCK) sums_k(places p, side features, side twins)
{
    PEN_SHARED(int, rank, [TILE]);
    PEN_SHARED(uint32_t, rows, [TILE]);
    PEN_SHARED(float4, came, [PEN_CUDA_BLOCK]);
    PEN_SHARED(float4, left, [PEN_CUDA_BLOCK]);
    const side s = blockIdx.y == 0 ? features : twins;
    for (int64_t k = pen_cuda_first(); k < p.n_features; k += pen_cuda_step()) {
        if (p.tile_base[k] == p.tile_base[k + 1]) {
            s.features[k].n_touched = 0;
        }
    }
    tile_view t = {blockIdx.x, p.feature[blockIdx.x], 0, false, 0, rank, rows, &came[0].x, &left[0].x};
    if (t.feature < 0) {
        if (threadIdx.x == 0) {
            s.leaves[t.number] = NOTHING;
        }
        return;
    }
    t.before = heads_before(p, t.number, t.feature);
    rank_places(p, s, &t, rank, rows);
    const pen_embedding_feature f = s.features[t.feature];
    const float *scale = f.mean && f.row_offsets != NULL ? p.scale + t.feature * p.n_rows : NULL;
    const bool quads = s.aligned && f.dim % 4 == 0 && f.column % 4 == 0 && pen_cuda_aligned(f.grad, 16);
    if (quads) {
        sum_tile<4>(s, t, f, scale);
    } else {
        sum_tile<1>(s, t, f, scale);
    }
}

/* Tiles after `first` that an id passes through, without the last one it comes into. Every lane of the warp comes. */
__device__ int64_t tiles_passed(const places &p, const side &s, int64_t first)
{
    const unsigned all = 0xffffffffu;
    int64_t n = 0;
    for (;;) {
        const int64_t tile = first + 1 + n + threadIdx.x % 32;
        const unsigned ends = __ballot_sync(all, tile >= p.n_tiles || s.leaves[tile] != PASSES);
        if (ends != 0) {
            return n + __ffs((int)ends) - 1;
        }
        n += 32;
    }
}

/* A warp has the id that leaves a tile which it began in: groups of lanes add up every so many tiles, then each other.
 */
__global__ void join_k(places p, side features, side twins)
{
    const unsigned all = 0xffffffffu;
    const side s = blockIdx.y == 0 ? features : twins;
    const int64_t tile = pen_cuda_first() / 32;
    const int64_t row = tile < p.n_tiles ? s.leaves[tile] : NOTHING;
    if (row < 0) {
        return;
    }
    const pen_embedding_feature f = s.features[p.feature[tile]];
    const int64_t n = tiles_passed(p, s, tile) + 1;
    const int lanes = lanes_for(f.dim, 4), own = (int)threadIdx.x % 32, groups = 32 / lanes;
    const bool aligned = f.dim % 4 == 0 && pen_cuda_aligned(f.grad, 16);
    for (int64_t first = 0; first < f.dim; first += 4 * lanes) {
        const int64_t d = first + own % lanes * 4, left = f.dim - d;
        float sum[4] = {}, x[4];
        for (int64_t i = own / lanes; i < n; i += groups) {
            pen_load_quad(x, part(s, tile + 1 + i, 0) + d, left, true);
            add<4>(sum, x);
        }
        for (int apart = lanes; apart < 32; apart *= 2) {
            for (int j = 0; j < 4; j++) {
                sum[j] += __shfl_xor_sync(all, sum[j], apart);
            }
        }
        if (own < lanes && left > 0) {
            pen_load_quad(x, part(s, tile, 1) + d, left, true);
            add<4>(sum, x);
            pen_store_quad(f.grad + row * f.dim + d, sum, left, aligned);
        }
    }
}

pen_status add_up(struct pen_exec *exec, const places &p, const side &features, const side &twins,
                  struct pen_error *err)
{
    const unsigned n_sides = twins.features != NULL ? 2 : 1, warps = PEN_CUDA_BLOCK / 32;
    PEN_LAUNCH(sums_k, dim3((unsigned)p.n_tiles, n_sides), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), p, features,
               twins);
    PEN_LAUNCH(join_k, dim3((unsigned)pen_ceil_div(p.n_tiles, warps), n_sides), PEN_CUDA_BLOCK, 0,
               pen_cuda_stream(exec), p, features, twins);
    PEN_CUDA_LAUNCHED("embedding_backward", err);
    return PEN_OK;
}

side side_of(pen_embedding_feature *features, const float *dout, int64_t ld_dout, int64_t most_dim)
{
    const bool aligned = ld_dout % 4 == 0 && pen_cuda_aligned(dout, 16);
    return {features, dout, ld_dout, aligned, NULL, NULL, pen_ceil_div(most_dim, 4) * 4};
}

void carve_side(carver *c, side *s, int64_t n_tiles)
{
    c->take(&s->leaves, n_tiles);
    c->take(&s->parts, n_tiles * 2 * s->ld_parts);
}

pen_status check(const struct pen_embedding_grad &g, struct pen_error *err)
{
    if (g.n_rows < 0 || g.n_features < 0 || g.most_ids < 0 || g.n_ragged < 0 || g.n_ragged > g.n_features ||
        g.most_dim < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "embedding_backward: expected sizes >= 0, found %lld rows, %lld features",
                 (long long)g.n_rows, (long long)g.n_features);
    }
    if (g.n_values < 0 || g.n_values + g.n_features > UINT32_MAX || tiles_for(g) * TILE > INT32_MAX) {
        PEN_FAIL(err, PEN_ERR_SHAPE,
                 "embedding_backward: expected fewer than 2^32 table rows and 2^31 ids on a GPU, found %lld and %lld",
                 (long long)g.n_values, (long long)g.most_ids);
    }
    return PEN_OK;
}

} // namespace

extern "C" pen_status pen_embedding_backward_cuda(struct pen_exec *exec, const struct pen_embedding_grad *g,
                                                  struct pen_error *err)
{
    PEN_TRY(check(*g, err));
    if (g->n_features == 0) {
        return PEN_OK;
    }
    int64_t n_tiles = tiles_for(*g);
    places p = {};
    p.n_rows = g->n_rows;
    p.n_features = g->n_features;
    p.n_tiles = n_tiles > 0 ? n_tiles : 1;
    side features = side_of(g->features, g->dout, g->ld_dout, g->most_dim);
    side twins = side_of(g->twins, g->dout_twins, g->ld_dout_twins, g->most_dim);
    size_t sort_bytes = 0;
    char *workspace = NULL, *scratch = NULL;
    PEN_TRY(pen_cuda_sort_bytes(&sort_bytes, p.n_tiles * TILE, err));
    for (int pass = 0; pass < 2; pass++) { /* how much, then where */
        carver c = {workspace, 0};
        carve(&c, &p);
        carve_side(&c, &features, p.n_tiles);
        carve_side(&c, &twins, g->twins != NULL ? p.n_tiles : 0);
        c.take(&scratch, (int64_t)sort_bytes);
        if (pass == 0) {
            PEN_TRY(pen_cuda_workspace(exec, &workspace, c.used, "embedding_backward", err));
        }
    }
    PEN_TRY(fill(exec, p, *g, scratch, sort_bytes, err));
    return add_up(exec, p, features, twins, err);
}
