/* Sparse gradients on the GPU, all tables together, without atomics:
 *
 *   1. each id of the batch as (row of all tables, row of the batch), sorted by the first, stably      embedding_keys_k
 *   2. the distinct ones numbered, by a scan over their first places                      embedding_count_k, _number_k
 *   3. windows of 32 places summed in order; a run of one id that leaves its window leaves a part there     _windows_k
 *   4. the parts of such a run added in the order of the windows                                               _join_k
 *
 * A row that every example hits costs no more than others: its places lie in as many windows. Bytes: about 40 an id for
 * the sort, 4 D an id for the sums. The slots of the contract are not needed and stay as they are. */
#include "kernels/cuda/radix_sort.cuh"
#include "kernels/embedding/embedding.h"

namespace
{

constexpr uint32_t ABSENT = 0xffffffffu;
constexpr int WINDOW = 32, ITEMS = 4, TILE = PEN_CUDA_BLOCK * ITEMS;

/* What the kernels share; all arrays in the workspace. */
struct plan {
    int64_t n_rows, n_features, n_ids; /* n_ids: most there may be */
    pen_embedding_feature *features;
    const float *dout;
    int64_t ld_dout, most_dim;

    int64_t *id_base, *row_base; /* [n_features + 1] first id, first table row of a feature */
    int64_t *first_run;          /* [n_features + 1] number of its first distinct id */
    int64_t *n_found;            /* [2] distinct ids, ids present */
    float *scale;                /* [n_features, n_rows] of ragged means */
    uint32_t *keys, *rows;       /* [n_ids] as found */
    uint32_t *sorted_keys, *sorted_rows;
    uint32_t *run_begin;   /* [n_ids] place of the first id of a run */
    uint32_t *tile_counts; /* [tiles] runs that begin in the tile; then those before it */
    float *parts;          /* [windows, 2, most_dim] */
};

/* Largest i in [0, n) with base[i] <= x; base rises from base[0] <= x. */
template <class T> __device__ int64_t last_not_above(const T *base, int64_t n, int64_t x)
{
    int64_t low = 0, high = n;
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (static_cast<int64_t>(base[middle]) <= x) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

__global__ void embedding_bases_k(plan p)
{
    PEN_SHARED(int64_t, partial, [PEN_CUDA_BLOCK / 32]);
    int64_t ids = 0, rows = 0;
    for (int64_t first = 0; first < p.n_features; first += PEN_CUDA_BLOCK) {
        const int64_t k = first + threadIdx.x;
        int64_t n = 0, v = 0, total = 0;
        if (k < p.n_features) {
            const pen_embedding_feature &f = p.features[k];
            n = f.row_offsets == NULL ? p.n_rows : f.row_offsets[p.n_rows] - f.row_offsets[0];
            v = f.n_values;
        }
        const int64_t n_through = pen_block_scan(n, partial, &total);
        const int64_t ids_before = ids;
        ids += total;
        const int64_t v_through = pen_block_scan(v, partial, &total);
        const int64_t rows_before = rows;
        rows += total;
        if (k < p.n_features) {
            p.id_base[k + 1] = ids_before + n_through;
            p.row_base[k + 1] = rows_before + v_through;
        }
    }
    if (threadIdx.x == 0) {
        p.id_base[0] = p.row_base[0] = 0;
        p.n_found[0] = p.n_found[1] = 0;
    }
}

__device__ void find_scale(const plan &p, const pen_embedding_feature &f, int64_t k, int64_t row)
{
    int64_t n = 0;
    for (int64_t i = f.row_offsets[row]; i < f.row_offsets[row + 1]; i++) {
        n += f.ids[i] >= 0 && f.ids[i] < f.n_values;
    }
    p.scale[k * p.n_rows + row] = n > 0 ? 1.0f / static_cast<float>(n) : 0.0f;
}

__global__ void embedding_keys_k(plan p)
{
    for (int64_t t = pen_cuda_first(); t < p.n_ids; t += pen_cuda_step()) {
        p.keys[t] = ABSENT;
        p.rows[t] = 0;
        if (t >= p.id_base[p.n_features]) {
            continue;
        }
        const int64_t k = last_not_above(p.id_base, p.n_features, t);
        const pen_embedding_feature &f = p.features[k];
        int64_t row = t - p.id_base[k], place = row * f.id_stride;
        if (f.row_offsets != NULL) {
            place = row + f.row_offsets[0];
            row = last_not_above(f.row_offsets, p.n_rows, place);
            if (f.mean && place == f.row_offsets[row]) {
                find_scale(p, f, k, row);
            }
        }
        const int32_t id = f.ids[place];
        p.keys[t] = id >= 0 && id < f.n_values ? static_cast<uint32_t>(p.row_base[k] + id) : ABSENT;
        p.rows[t] = static_cast<uint32_t>(row);
    }
}

__device__ bool begins_run(const plan &p, int64_t i)
{
    return i < p.n_ids && p.sorted_keys[i] != ABSENT && (i == 0 || p.sorted_keys[i - 1] != p.sorted_keys[i]);
}

__global__ void embedding_count_k(plan p)
{
    PEN_SHARED(int, partial, [PEN_CUDA_BLOCK / 32]);
    const int64_t first = static_cast<int64_t>(blockIdx.x) * TILE + threadIdx.x * ITEMS;
    int n = 0;
    for (int j = 0; j < ITEMS; j++) {
        n += begins_run(p, first + j);
    }
    n = pen_block_sum(n, partial);
    if (threadIdx.x == 0) {
        p.tile_counts[blockIdx.x] = static_cast<uint32_t>(n);
    }
}

__global__ void embedding_scan_k(plan p, int64_t n_tiles)
{
    PEN_SHARED(int64_t, partial, [PEN_CUDA_BLOCK / 32]);
    int64_t before = 0;
    for (int64_t first = 0; first < n_tiles; first += PEN_CUDA_BLOCK) {
        const int64_t i = first + threadIdx.x;
        const int64_t n = i < n_tiles ? p.tile_counts[i] : 0;
        int64_t total = 0;
        const int64_t through = pen_block_scan(n, partial, &total);
        if (i < n_tiles) {
            p.tile_counts[i] = static_cast<uint32_t>(before + through - n);
        }
        before += total;
    }
    if (threadIdx.x == 0) {
        p.n_found[0] = before;
    }
    for (int64_t k = threadIdx.x; k <= p.n_features; k += PEN_CUDA_BLOCK) {
        p.first_run[k] = before; /* of features behind the last one that has any */
    }
}

/* Where runs begin, and the first run of each feature: also of those without ids, which have that of the next one. */
__global__ void embedding_number_k(plan p)
{
    PEN_SHARED(int, partial, [PEN_CUDA_BLOCK / 32]);
    const int64_t first = static_cast<int64_t>(blockIdx.x) * TILE + threadIdx.x * ITEMS;
    int n = 0, total = 0;
    for (int j = 0; j < ITEMS; j++) {
        n += begins_run(p, first + j);
    }
    int64_t run = p.tile_counts[blockIdx.x] + static_cast<uint32_t>(pen_block_scan(n, partial, &total) - n);
    for (int j = 0; j < ITEMS; j++) {
        const int64_t i = first + j;
        if (i < p.n_ids && p.sorted_keys[i] != ABSENT && (i + 1 == p.n_ids || p.sorted_keys[i + 1] == ABSENT)) {
            p.n_found[1] = i + 1;
        }
        if (!begins_run(p, i)) {
            continue;
        }
        const int64_t k = last_not_above(p.row_base, p.n_features, p.sorted_keys[i]);
        const int64_t previous = i == 0 ? -1 : last_not_above(p.row_base, p.n_features, p.sorted_keys[i - 1]);
        for (int64_t g = previous + 1; g <= k; g++) {
            p.first_run[g] = run;
        }
        p.run_begin[run++] = static_cast<uint32_t>(i);
    }
}

__global__ void embedding_list_k(plan p)
{
    for (int64_t run = pen_cuda_first(); run < p.n_found[0]; run += pen_cuda_step()) {
        const int64_t key = p.sorted_keys[p.run_begin[run]];
        const int64_t k = last_not_above(p.row_base, p.n_features, key);
        p.features[k].touched[run - p.first_run[k]] = static_cast<int32_t>(key - p.row_base[k]);
    }
    for (int64_t k = pen_cuda_first(); k < p.n_features; k += pen_cuda_step()) {
        p.features[k].n_touched = p.first_run[k + 1] - p.first_run[k];
    }
}

/* Where the sum of a run goes: its row of the feature's gradient. */
struct target {
    const pen_embedding_feature *f;
    int64_t k;
    float *grad;
};

__device__ target target_of(const plan &p, int64_t run)
{
    target to;
    to.k = last_not_above(p.row_base, p.n_features, p.sorted_keys[p.run_begin[run]]);
    to.f = &p.features[to.k];
    to.grad = to.f->grad + (run - p.first_run[to.k]) * to.f->dim;
    return to;
}

__device__ float *part_of(const plan &p, int64_t window, int which)
{
    return p.parts + (2 * window + which) * p.most_dim;
}

/* A group of lanes has a window, a lane a column. */
__global__ void embedding_windows_k(plan p, int lanes)
{
    const int64_t n = p.n_found[1], groups = pen_cuda_step() / lanes;
    for (int64_t w = pen_cuda_first() / lanes; w * WINDOW < n; w += groups) {
        const int64_t first = w * WINDOW, end = first + WINDOW < n ? first + WINDOW : n;
        const int64_t first_run = last_not_above(p.run_begin, p.n_found[0], first);
        for (int64_t d = threadIdx.x % lanes; d < p.most_dim; d += lanes) {
            int64_t run = first_run;
            bool began_before = p.run_begin[run] < first;
            target to = target_of(p, run);
            float sum = 0;
            for (int64_t i = first; i < end; i++) {
                const uint32_t key = p.sorted_keys[i], row = p.sorted_rows[i];
                if (d < to.f->dim) {
                    const float x = p.dout[row * p.ld_dout + to.f->column + d];
                    const bool scaled = to.f->mean && to.f->row_offsets != NULL;
                    sum += scaled ? p.scale[to.k * p.n_rows + row] * x : x;
                }
                const bool last = i + 1 == n || p.sorted_keys[i + 1] != key;
                if (!last && i + 1 < end) {
                    continue;
                }
                if (d < to.f->dim) {
                    (began_before ? part_of(p, w, 0) : last ? to.grad : part_of(p, w, 1))[d] = sum;
                }
                if (i + 1 < end) {
                    to = target_of(p, ++run);
                    began_before = false;
                    sum = 0;
                }
            }
        }
    }
}

/* A group of lanes has a window that a run leaves which began in it. */
__global__ void embedding_join_k(plan p, int lanes)
{
    const int64_t n = p.n_found[1], groups = pen_cuda_step() / lanes;
    for (int64_t w = pen_cuda_first() / lanes; (w + 1) * WINDOW < n; w += groups) {
        const int64_t next = (w + 1) * WINDOW;
        const uint32_t key = p.sorted_keys[next];
        if (p.sorted_keys[next - 1] != key) {
            continue;
        }
        const int64_t run = last_not_above(p.run_begin, p.n_found[0], next);
        if (p.run_begin[run] < w * WINDOW) {
            continue;
        }
        const int64_t end = run + 1 < p.n_found[0] ? p.run_begin[run + 1] : n;
        const target to = target_of(p, run);
        for (int64_t d = threadIdx.x % lanes; d < to.f->dim; d += lanes) {
            float sum = part_of(p, w, 1)[d];
            for (int64_t v = w + 1; v * WINDOW < end; v++) {
                sum += part_of(p, v, 0)[d];
            }
            to.grad[d] = sum;
        }
    }
}

/* Takes pieces from a workspace whose size it also finds: with base NULL nothing is placed. */
struct carver {
    char *base;
    size_t used;

    template <class T> void take(T **piece, int64_t n)
    {
        *piece = base == NULL ? NULL : reinterpret_cast<T *>(base + used);
        used += pen_cuda_piece((size_t)(n > 0 ? n : 1) * sizeof(T));
    }
};

size_t carve(plan *p, char *base, size_t sort_bytes, char **scratch)
{
    carver c = {base, 0};
    c.take(&p->id_base, p->n_features + 1);
    c.take(&p->row_base, p->n_features + 1);
    c.take(&p->first_run, p->n_features + 1);
    c.take(&p->n_found, 2);
    c.take(&p->scale, p->n_features * p->n_rows);
    c.take(&p->keys, p->n_ids);
    c.take(&p->rows, p->n_ids);
    c.take(&p->sorted_keys, p->n_ids);
    c.take(&p->sorted_rows, p->n_ids);
    c.take(&p->run_begin, p->n_ids);
    c.take(&p->tile_counts, pen_ceil_div(p->n_ids, TILE));
    c.take(&p->parts, pen_ceil_div(p->n_ids, WINDOW) * 2 * p->most_dim);
    c.take(scratch, (int64_t)sort_bytes);
    return c.used;
}

/* Of grids that go on by strides over as many groups as a batch turns out to have. */
unsigned grid_for(int64_t groups, int lanes)
{
    int64_t blocks = pen_ceil_div(groups * lanes, PEN_CUDA_BLOCK);
    return (unsigned)(blocks < 1 ? 1 : blocks > 65536 ? 65536 : blocks);
}

pen_status run(struct pen_exec *exec, const plan &p, char *scratch, size_t sort_bytes, struct pen_error *err)
{
    cudaStream_t stream = pen_cuda_stream(exec);
    const int64_t n_tiles = pen_ceil_div(p.n_ids, TILE), n_windows = pen_ceil_div(p.n_ids, WINDOW);
    int lanes = 1;
    while (lanes < 32 && lanes < p.most_dim) {
        lanes *= 2;
    }
    PEN_LAUNCH(embedding_bases_k, 1, PEN_CUDA_BLOCK, 0, stream, p);
    PEN_LAUNCH(embedding_keys_k, pen_cuda_grid(p.n_ids), PEN_CUDA_BLOCK, 0, stream, p);
    PEN_CUDA_LAUNCHED("embedding_backward", err);
    PEN_TRY(pen_cuda_sort_pairs32(exec, p.sorted_keys, p.sorted_rows, p.keys, p.rows, p.n_ids, 32, scratch, sort_bytes,
                                  err));
    PEN_LAUNCH(embedding_count_k, (unsigned)n_tiles, PEN_CUDA_BLOCK, 0, stream, p);
    PEN_LAUNCH(embedding_scan_k, 1, PEN_CUDA_BLOCK, 0, stream, p, n_tiles);
    PEN_LAUNCH(embedding_number_k, (unsigned)n_tiles, PEN_CUDA_BLOCK, 0, stream, p);
    PEN_LAUNCH(embedding_list_k, grid_for(p.n_ids, 1), PEN_CUDA_BLOCK, 0, stream, p);
    PEN_LAUNCH(embedding_windows_k, grid_for(n_windows, lanes), PEN_CUDA_BLOCK, 0, stream, p, lanes);
    PEN_LAUNCH(embedding_join_k, grid_for(n_windows, lanes), PEN_CUDA_BLOCK, 0, stream, p, lanes);
    PEN_CUDA_LAUNCHED("embedding_backward", err);
    return PEN_OK;
}

} // namespace

extern "C" pen_status pen_embedding_backward_cuda(struct pen_exec *exec, const struct pen_embedding_grad *g,
                                                  struct pen_error *err)
{
    if (g->n_rows < 0 || g->n_features < 0 || g->most_ids < 0 || g->most_ids >= INT64_C(1) << 31 || g->most_dim < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE,
                 "embedding_backward: expected sizes >= 0 and fewer than 2^31 ids, found %lld rows, %lld features, "
                 "%lld ids",
                 (long long)g->n_rows, (long long)g->n_features, (long long)g->most_ids);
    }
    if (g->n_features == 0) {
        return PEN_OK;
    }
    plan p = {};
    p.n_rows = g->n_rows;
    p.n_features = g->n_features;
    p.n_ids = g->most_ids > 0 ? g->most_ids : 1;
    p.features = g->features;
    p.dout = g->dout;
    p.ld_dout = g->ld_dout;
    p.most_dim = g->most_dim;
    size_t sort_bytes = 0;
    char *workspace = NULL, *scratch = NULL;
    PEN_TRY(pen_cuda_sort_bytes(&sort_bytes, p.n_ids, err));
    PEN_TRY(pen_cuda_workspace(exec, &workspace, carve(&p, NULL, sort_bytes, &scratch), "embedding_backward", err));
    (void)carve(&p, workspace, sort_bytes, &scratch);
    return run(exec, p, scratch, sort_bytes, err);
}
