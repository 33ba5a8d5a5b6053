/* ROC AUC and average precision over sorted keys, a block of threads a chunk of keys and a lane.
 *
 * As on the CPU: a segment is cut at group ends into chunks, a first pass sums each chunk's weights, their prefix tells
 * what stands above a chunk, a second pass scans the chunk from its highest score, tile by tile. With tp and fp the
 * scanned weights and tp0, fp0 those at the end of the group before, the key that ends a group adds
 *   auc += (fp - fp0) (tp0 + tp) / 2,   ap += (tp - tp0) tp / (tp + fp)
 * 8 bytes a key, lane and pass, plus its weight at random. Chunks of CHUNK keys keep every multiprocessor busy from
 * some millions of keys on; one group longer than a chunk is one block's work. */
#include "kernels/cuda/exec.cuh"
#include "kernels/metric/metric.h"
#include "kernels/sort/sort.h"

#include "core/memory.h"

static const int64_t CHUNK = 16384;
static const int64_t MOST_BUCKETS = 255;
constexpr int WARPS = PEN_CUDA_BLOCK / 32;

/* All in device memory. */
struct ranking {
    const uint64_t *keys;
    const float *weights;
    enum pen_resample kind;
    const uint8_t *bucket, *counts;
    int64_t n_lanes, n_segments, n_chunks;
    const int64_t *begin; /* [n_segments + 1] */
    const int64_t *segment,
        *first_chunk;                  /* [n_chunks]; [n_segments + 1]: a segment's chunks fall from its highest key */
    int64_t *chunk_first, *chunk_last; /* [n_chunks] keys */
    double *sums;                      /* [n_chunks, n_lanes, 2] tp, fp: of the chunk, then above it */
    double *areas;                     /* [n_chunks, n_lanes, 2] auc, ap */
    double *totals;                    /* [n_segments, n_lanes, 2] */
    double *auc, *average_precision;
};

static __device__ __forceinline__ uint32_t order_at(const ranking &r, int64_t i)
{
    return (uint32_t)(r.keys[i] >> 32);
}

/* First key of [first, at] that has the order of key `at`. */
static __device__ int64_t group_begin(const ranking &r, int64_t first, int64_t at)
{
    uint32_t order = order_at(r, at);
    int64_t low = first, high = at;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (order_at(r, middle) < order) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Chunk c of a segment holds the groups that begin in the c-th CHUNK keys from its end. */
static __global__ void cut_k(ranking r)
{
    for (int64_t i = pen_cuda_first(); i < r.n_chunks; i += pen_cuda_step()) {
        int64_t segment = r.segment[i], c = i - r.first_chunk[segment];
        int64_t first = r.begin[segment], last = r.begin[segment + 1];
        int64_t high = last - c * CHUNK, low = last - (c + 1) * CHUNK;
        r.chunk_last[i] = c == 0 ? last : group_begin(r, first, high);
        r.chunk_first[i] = low <= first ? first : group_begin(r, first, low);
    }
}

static __device__ __forceinline__ double weight_of(const ranking &r, int64_t lane, int64_t i)
{
    int64_t row = (int64_t)((uint32_t)r.keys[i] >> 1);
    double weight = r.weights != NULL ? (double)r.weights[row] : 1.0;
    if (lane == 0 || r.kind == PEN_RESAMPLE_NONE) {
        return weight;
    }
    if (r.kind == PEN_RESAMPLE_LEAVE_OUT) {
        return r.bucket[row] == lane - 1 ? 0 : weight;
    }
    return weight * (double)r.counts[row * (r.n_lanes - 1) + lane - 1];
}

static __global__ void total_k(ranking r)
{
    PEN_SHARED(double, partial, [WARPS]);
    int64_t chunk = blockIdx.x, lane = blockIdx.y;
    double tp = 0, fp = 0;
    for (int64_t i = r.chunk_first[chunk] + threadIdx.x; i < r.chunk_last[chunk]; i += blockDim.x) {
        double weight = weight_of(r, lane, i);
        tp += (r.keys[i] & 1) != 0 ? weight : 0;
        fp += (r.keys[i] & 1) != 0 ? 0 : weight;
    }
    tp = pen_block_sum(tp, partial);
    fp = pen_block_sum(fp, partial);
    if (threadIdx.x == 0) {
        double *sums = r.sums + (chunk * r.n_lanes + lane) * 2;
        sums[0] = tp;
        sums[1] = fp;
    }
}

/* Totals of the chunks to what stands above each. */
static __global__ void above_k(ranking r)
{
    for (int64_t i = pen_cuda_first(); i < r.n_segments * r.n_lanes; i += pen_cuda_step()) {
        int64_t segment = i / r.n_lanes, lane = i % r.n_lanes;
        double tp = 0, fp = 0;
        for (int64_t c = r.first_chunk[segment]; c < r.first_chunk[segment + 1]; c++) {
            double *sums = r.sums + (c * r.n_lanes + lane) * 2;
            double own_tp = sums[0], own_fp = sums[1];
            sums[0] = tp;
            sums[1] = fp;
            tp += own_tp;
            fp += own_fp;
        }
        r.totals[2 * i] = tp;
        r.totals[2 * i + 1] = fp;
    }
}

/* The last thread up to this one, this one left out, that has `mine`; -1: none. last: shared, an int for each warp. */
static __device__ int last_before(bool mine, int *last)
{
    int lane = (int)(threadIdx.x % 32), warp = (int)(threadIdx.x / 32);
    unsigned ballot = __ballot_sync(0xffffffffu, mine);
    if (lane == 0) {
        last[warp] = ballot == 0 ? -1 : warp * 32 + 31 - __clz((int)ballot);
    }
    __syncthreads();
    unsigned below = ballot & ((1u << lane) - 1);
    int found = below == 0 ? -1 : warp * 32 + 31 - __clz((int)below);
    for (int w = warp - 1; found < 0 && w >= 0; w--) {
        found = last[w];
    }
    __syncthreads();
    return found;
}

static __global__ void area_k(ranking r)
{
    PEN_SHARED(double, partial, [WARPS]);
    PEN_SHARED(int, last, [WARPS]);
    PEN_SHARED(double, tps, [PEN_CUDA_BLOCK]);
    PEN_SHARED(double, fps, [PEN_CUDA_BLOCK]);
    PEN_SHARED(double, carried, [2]); /* tp, fp at the end of the last group that has ended */
    int64_t chunk = blockIdx.x, lane = blockIdx.y;
    int64_t first = r.chunk_first[chunk], end = r.chunk_last[chunk];
    const double *above = r.sums + (chunk * r.n_lanes + lane) * 2;
    double seen_tp = above[0], seen_fp = above[1], auc = 0, ap = 0;
    int t = (int)threadIdx.x;
    if (t == 0) {
        carried[0] = seen_tp;
        carried[1] = seen_fp;
    }
    __syncthreads();
    for (int64_t tile = end; tile > first; tile -= PEN_CUDA_BLOCK) {
        int64_t i = tile - 1 - t;
        bool here = i >= first, positive = here && (r.keys[i] & 1) != 0;
        double weight = here ? weight_of(r, lane, i) : 0, tile_tp = 0, tile_fp = 0;
        double tp = seen_tp + pen_block_scan(positive ? weight : 0.0, partial, &tile_tp);
        double fp = seen_fp + pen_block_scan(positive ? 0.0 : weight, partial, &tile_fp);
        bool ends = here && (i == first || order_at(r, i - 1) != order_at(r, i));
        tps[t] = tp;
        fps[t] = fp;
        int before = last_before(ends, last); /* its barriers also publish tps and fps */
        if (ends) {
            double tp0 = before < 0 ? carried[0] : tps[before], fp0 = before < 0 ? carried[1] : fps[before];
            auc += (fp - fp0) * (tp0 + tp) / 2;
            ap += tp > tp0 ? (tp - tp0) * (tp / (tp + fp)) : 0;
        }
        int newest = last_before(ends, last); /* of the last thread: the last but itself */
        __syncthreads();
        if (t == PEN_CUDA_BLOCK - 1) {
            int at = ends ? t : newest;
            if (at >= 0) {
                carried[0] = tps[at];
                carried[1] = fps[at];
            }
        }
        __syncthreads();
        seen_tp += tile_tp;
        seen_fp += tile_fp;
    }
    auc = pen_block_sum(auc, partial);
    ap = pen_block_sum(ap, partial);
    if (t == 0) {
        double *areas = r.areas + (chunk * r.n_lanes + lane) * 2;
        areas[0] = auc;
        areas[1] = ap;
    }
}

static __global__ void finish_k(ranking r)
{
    for (int64_t i = pen_cuda_first(); i < r.n_segments * r.n_lanes; i += pen_cuda_step()) {
        int64_t segment = i / r.n_lanes, lane = i % r.n_lanes;
        double auc = 0, ap = 0, tp = r.totals[2 * i], fp = r.totals[2 * i + 1];
        for (int64_t c = r.first_chunk[segment]; c < r.first_chunk[segment + 1]; c++) {
            const double *areas = r.areas + (c * r.n_lanes + lane) * 2;
            auc += areas[0];
            ap += areas[1];
        }
        r.auc[i] = tp > 0 && fp > 0 ? auc / (tp * fp) : (double)NAN;
        r.average_precision[i] = tp > 0 ? ap / tp : (double)NAN;
    }
}

/* ---- the host's side ---- */

/* begin, first_chunk and segment as one array of numbers: [2 (n_segments + 1) + n_chunks]. */
static pen_status list_chunks(int64_t **numbers, int64_t *n_chunks, int64_t n_segments, const int64_t *begin,
                              struct pen_error *err)
{
    int64_t n = 0;
    for (int64_t s = 0; s < n_segments; s++) {
        n += pen_ceil_div(begin[s + 1] - begin[s], CHUNK);
    }
    int64_t *out = static_cast<int64_t *>(pen_calloc(2 * (n_segments + 1) + n, sizeof(int64_t)));
    if (out == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: ranking %lld segments", (long long)n_segments);
    }
    int64_t *first_chunk = out + n_segments + 1, *segment = first_chunk + n_segments + 1;
    n = 0;
    for (int64_t s = 0; s < n_segments; s++) {
        out[s] = begin[s];
        first_chunk[s] = n;
        for (int64_t c = pen_ceil_div(begin[s + 1] - begin[s], CHUNK); c > 0; c--) {
            segment[n++] = s;
        }
    }
    out[n_segments] = n_segments > 0 ? begin[n_segments] : 0;
    first_chunk[n_segments] = n;
    *numbers = out;
    *n_chunks = n;
    return PEN_OK;
}

/* Places a ranking's arrays in the workspace. */
static pen_status place(struct pen_exec *exec, ranking *r, const int64_t *numbers, const char *op,
                        struct pen_error *err)
{
    int64_t n_numbers = 2 * (r->n_segments + 1) + r->n_chunks;
    int64_t n_doubles = 4 * r->n_chunks * r->n_lanes + 2 * r->n_segments * r->n_lanes;
    size_t bytes = (size_t)n_numbers * sizeof(int64_t);
    char *at = NULL;
    PEN_TRY(pen_cuda_workspace(
        exec, &at, pen_cuda_piece(bytes) + (size_t)(2 * r->n_chunks + n_doubles) * sizeof(double), op, err));
    int64_t *placed = reinterpret_cast<int64_t *>(at);
    r->begin = placed;
    r->first_chunk = placed + r->n_segments + 1;
    r->segment = r->first_chunk + r->n_segments + 1;
    r->chunk_first = reinterpret_cast<int64_t *>(at + pen_cuda_piece(bytes));
    r->chunk_last = r->chunk_first + r->n_chunks;
    r->sums = reinterpret_cast<double *>(r->chunk_last + r->n_chunks);
    r->areas = r->sums + 2 * r->n_chunks * r->n_lanes;
    r->totals = r->areas + 2 * r->n_chunks * r->n_lanes;
    return pen_cuda_stage(exec, placed, numbers, bytes, err);
}

/* Chunks and what stands above each. */
static pen_status total_chunks(struct pen_exec *exec, const ranking &r, const char *op, struct pen_error *err)
{
    cudaStream_t stream = pen_cuda_stream(exec);
    dim3 grid((unsigned)r.n_chunks, (unsigned)r.n_lanes);
    PEN_LAUNCH(cut_k, pen_cuda_grid(r.n_chunks), PEN_CUDA_BLOCK, 0, stream, r);
    PEN_CUDA_LAUNCHED(op, err);
    if (r.n_chunks > 0) {
        PEN_LAUNCH(total_k, grid, PEN_CUDA_BLOCK, 0, stream, r);
        PEN_CUDA_LAUNCHED(op, err);
    }
    PEN_LAUNCH(above_k, pen_cuda_grid(r.n_segments * r.n_lanes), PEN_CUDA_BLOCK, 0, stream, r);
    PEN_CUDA_LAUNCHED(op, err);
    return PEN_OK;
}

static pen_status rank(struct pen_exec *exec, ranking *r, const int64_t *numbers, struct pen_error *err)
{
    cudaStream_t stream = pen_cuda_stream(exec);
    PEN_TRY(place(exec, r, numbers, "rank_sums", err));
    PEN_TRY(total_chunks(exec, *r, "rank_sums", err));
    if (r->n_chunks > 0) {
        PEN_LAUNCH(area_k, dim3((unsigned)r->n_chunks, (unsigned)r->n_lanes), PEN_CUDA_BLOCK, 0, stream, *r);
        PEN_CUDA_LAUNCHED("rank_sums", err);
    }
    PEN_LAUNCH(finish_k, pen_cuda_grid(r->n_segments * r->n_lanes), PEN_CUDA_BLOCK, 0, stream, *r);
    PEN_CUDA_LAUNCHED("rank_sums", err);
    return PEN_OK;
}

extern "C" pen_status pen_rank_sums_cuda(struct pen_exec *exec, const struct pen_rank_sums *job, struct pen_error *err)
{
    const struct pen_resampling *resampling = &job->resampling;
    if (job->n_segments < 0 || resampling->n_lanes < 1 ||
        (resampling->kind == PEN_RESAMPLE_LEAVE_OUT && resampling->n_lanes > MOST_BUCKETS + 1)) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "rank_sums: expected segments and 1 to %d lanes, found %lld and %lld",
                 (int)MOST_BUCKETS + 1, (long long)job->n_segments, (long long)resampling->n_lanes);
    }
    if (job->n_segments == 0) {
        return PEN_OK;
    }
    ranking r = {};
    r.keys = job->keys;
    r.weights = job->weights;
    r.kind = resampling->kind;
    r.bucket = resampling->bucket;
    r.counts = resampling->counts;
    r.n_lanes = resampling->n_lanes;
    r.n_segments = job->n_segments;
    r.auc = job->auc;
    r.average_precision = job->average_precision;
    int64_t *numbers = NULL;
    PEN_TRY(list_chunks(&numbers, &r.n_chunks, job->n_segments, job->begin, err));
    pen_status status = rank(exec, &r, numbers, err);
    pen_free(numbers);
    return status;
}

/* ---- the curve ---- */

/* A block a point: what stands above its chunk, and the chunk's keys from the point's group on. */
static __global__ void point_k(ranking r, int64_t n, int64_t n_points, double *points)
{
    PEN_SHARED(double, partial, [WARPS]);
    int64_t k = blockIdx.x;
    double tp = 0, fp = 0, above_tp = r.totals[0], above_fp = r.totals[1];
    if (k < n_points) {
        int64_t at = group_begin(r, 0, n - 1 - k * n / n_points), chunk = 0;
        while (r.chunk_first[chunk] > at) {
            chunk++;
        }
        above_tp = r.sums[2 * chunk];
        above_fp = r.sums[2 * chunk + 1];
        for (int64_t i = at + threadIdx.x; i < r.chunk_last[chunk]; i += blockDim.x) {
            double weight = weight_of(r, 0, i);
            tp += (r.keys[i] & 1) != 0 ? weight : 0;
            fp += (r.keys[i] & 1) != 0 ? 0 : weight;
        }
    }
    tp = pen_block_sum(tp, partial);
    fp = pen_block_sum(fp, partial);
    if (threadIdx.x == 0) {
        points[2 * k] = above_tp + tp;
        points[2 * k + 1] = above_fp + fp;
    }
}

static pen_status draw(struct pen_exec *exec, ranking *r, const int64_t *numbers, const struct pen_rank_curve *job,
                       struct pen_error *err)
{
    PEN_TRY(place(exec, r, numbers, "rank_curve", err));
    PEN_TRY(total_chunks(exec, *r, "rank_curve", err));
    PEN_LAUNCH(point_k, (unsigned)(job->n_points + 1), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *r, job->n,
               job->n_points, job->points);
    PEN_CUDA_LAUNCHED("rank_curve", err);
    return PEN_OK;
}

extern "C" pen_status pen_rank_curve_cuda(struct pen_exec *exec, const struct pen_rank_curve *job,
                                          struct pen_error *err)
{
    if (job->n < 0 || job->n_points < 1 || job->n_points > 1 << 20) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "rank_curve: expected n >= 0 and 1 to 2^20 points, found %lld and %lld",
                 (long long)job->n, (long long)job->n_points);
    }
    if (job->n == 0) {
        return pen_device_fill(exec, job->points, 0, (size_t)(2 * job->n_points + 2) * sizeof *job->points, err);
    }
    const int64_t begin[2] = {0, job->n};
    ranking r = {};
    r.keys = job->keys;
    r.weights = job->weights;
    r.kind = PEN_RESAMPLE_NONE;
    r.n_lanes = 1;
    r.n_segments = 1;
    int64_t *numbers = NULL;
    PEN_TRY(list_chunks(&numbers, &r.n_chunks, 1, begin, err));
    pen_status status = draw(exec, &r, numbers, job, err);
    pen_free(numbers);
    return status;
}
