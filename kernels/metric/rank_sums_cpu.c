/* ROC AUC and average precision in one falling sweep over sorted keys, all lanes at once.
 *
 * Rows of one score form a group; at its end, with tp and fp the weights above the group:
 *   auc += neg (tp + pos / 2),  ap += pos tp' / (tp' + fp'),  tp' = tp + pos, fp' = fp + neg
 * Eight lanes are swept together (two AVX2 registers a variable), so 20 resamples cost three sweeps and not 21. A
 * segment is cut at group ends into chunks of about CHUNK keys: a first pass sums each chunk's weights, so that the
 * second knows tp and fp above its chunk. Chunks and blocks of lanes are independent tasks; their cuts depend on the
 * keys alone and their sums are added in order, so bits do not depend on threads. */
#include "kernels/metric/metric.h"
#include "kernels/sort/sort.h"

#include "core/memory.h"

#include <math.h>

enum { LANES = 8, MOST_BUCKETS = 255, CHUNK = 65536 };

struct lanes {
    double tp[LANES], fp[LANES], pos[LANES], neg[LANES], auc[LANES], ap[LANES];
};

/* Keys [first, last) of a segment. */
struct chunk {
    int64_t first, last;
};

struct ranking {
    const struct pen_rank_sums *job;
    struct chunk *chunks; /* of all segments; a segment's fall from its highest scores */
    int64_t *first_chunk; /* [n_segments + 1] */
    int64_t n_lane_blocks;
    struct lanes *sweeps; /* [n_chunks, n_lane_blocks] */
};

static inline __attribute__((always_inline)) void close_group(struct lanes *s, bool has_positive)
{
    for (int l = 0; l < LANES; l++) {
        s->auc[l] += s->neg[l] * (s->tp[l] + 0.5 * s->pos[l]);
        s->tp[l] += s->pos[l];
        s->fp[l] += s->neg[l];
    }
    if (has_positive) {
        for (int l = 0; l < LANES; l++) {
            double all = s->tp[l] + s->fp[l];
            s->ap[l] += s->pos[l] * (s->tp[l] / (all > 0 ? all : 1.0));
        }
    }
    for (int l = 0; l < LANES; l++) {
        s->pos[l] = 0;
        s->neg[l] = 0;
    }
}

/* times: [MOST_BUCKETS + 1][LANES], how often a row of a bucket stands in each lane. */
static inline __attribute__((always_inline)) void sweep(const struct pen_rank_sums *job, struct chunk chunk,
                                                        int64_t first_lane, const double (*times)[LANES],
                                                        struct lanes *s)
{
    const struct pen_resampling *resampling = &job->resampling;
    int64_t n_resamples = resampling->n_lanes - 1;
    bool has_positive = false;
    for (int64_t i = chunk.last - 1; i >= chunk.first; i--) {
        uint64_t key = job->keys[i];
        int64_t row = pen_sort_key_row(key);
        double weight = job->weights != NULL ? (double)job->weights[row] : 1.0;
        double *side = pen_sort_key_positive(key) ? s->pos : s->neg;
        has_positive = has_positive || pen_sort_key_positive(key);
        if (resampling->kind == PEN_RESAMPLE_LEAVE_OUT) {
            const double *t = times[resampling->bucket[row]];
            for (int l = 0; l < LANES; l++) {
                side[l] += weight * t[l];
            }
        } else {
            const uint8_t *counts = resampling->counts + row * n_resamples;
            for (int l = 0; l < LANES; l++) {
                int64_t lane = first_lane + l;
                side[l] += lane == 0 ? weight : lane <= n_resamples ? weight * (double)counts[lane - 1] : 0.0;
            }
        }
        if (i == chunk.first || pen_sort_key_order(job->keys[i - 1]) != pen_sort_key_order(key)) {
            close_group(s, has_positive);
            has_positive = false;
        }
    }
}

static void sweep_plain(const struct pen_rank_sums *job, struct chunk chunk, int64_t first_lane,
                        const double (*times)[LANES], struct lanes *s)
{
    sweep(job, chunk, first_lane, times, s);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void sweep_avx2(const struct pen_rank_sums *job, struct chunk chunk,
                                                       int64_t first_lane, const double (*times)[LANES],
                                                       struct lanes *s)
{
    sweep(job, chunk, first_lane, times, s);
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}
#else
static bool has_avx2(void)
{
    return false;
}
#define sweep_avx2 sweep_plain
#endif

static void sweep_lanes(const struct pen_rank_sums *job, struct chunk chunk, int64_t first_lane, struct lanes *s)
{
    double times[MOST_BUCKETS + 1][LANES];
    for (int bucket = 0; bucket <= MOST_BUCKETS; bucket++) {
        for (int l = 0; l < LANES; l++) {
            times[bucket][l] = first_lane + l == bucket + 1 ? 0 : 1;
        }
    }
    if (has_avx2()) {
        sweep_avx2(job, chunk, first_lane, (const double(*)[LANES])times, s);
    } else {
        sweep_plain(job, chunk, first_lane, (const double(*)[LANES])times, s);
    }
}

/* Without resamples one lane, and no table of buckets. */
static void sweep_once(const struct pen_rank_sums *job, struct chunk chunk, struct lanes *s)
{
    double tp = s->tp[0], fp = s->fp[0], pos = 0, neg = 0, auc = 0, ap = 0;
    for (int64_t i = chunk.last - 1; i >= chunk.first; i--) {
        uint64_t key = job->keys[i];
        double weight = job->weights != NULL ? (double)job->weights[pen_sort_key_row(key)] : 1.0;
        bool positive = pen_sort_key_positive(key);
        pos += positive ? weight : 0;
        neg += positive ? 0 : weight;
        if (i == chunk.first || pen_sort_key_order(job->keys[i - 1]) != pen_sort_key_order(key)) {
            auc += neg * (tp + 0.5 * pos);
            tp += pos;
            fp += neg;
            if (pos > 0) {
                ap += pos * (tp / (tp + fp));
            }
            pos = 0;
            neg = 0;
        }
    }
    s->tp[0] = tp;
    s->fp[0] = fp;
    s->auc[0] = auc;
    s->ap[0] = ap;
}

/* ---- weights of a chunk, for those below it ---- */

/* Leave-one-out: by bucket first, then each lane the others' sum (no cancellation). */
static void total_buckets(const struct pen_rank_sums *job, struct chunk chunk, struct lanes *sweeps)
{
    double sums[MOST_BUCKETS + 1][2] = {{0}};
    int64_t n_lanes = job->resampling.n_lanes;
    for (int64_t i = chunk.first; i < chunk.last; i++) {
        int64_t row = pen_sort_key_row(job->keys[i]);
        double weight = job->weights != NULL ? (double)job->weights[row] : 1.0;
        sums[job->resampling.bucket[row]][pen_sort_key_positive(job->keys[i]) ? 1 : 0] += weight;
    }
    for (int64_t lane = 0; lane < n_lanes; lane++) {
        struct lanes *s = &sweeps[lane / LANES];
        for (int64_t bucket = 0; bucket < n_lanes - 1; bucket++) {
            s->tp[lane % LANES] += bucket == lane - 1 ? 0 : sums[bucket][1];
            s->fp[lane % LANES] += bucket == lane - 1 ? 0 : sums[bucket][0];
        }
    }
}

static void total_chunk(const struct ranking *r, int64_t chunk)
{
    const struct pen_rank_sums *job = r->job;
    struct lanes *sweeps = &r->sweeps[chunk * r->n_lane_blocks];
    if (job->resampling.kind == PEN_RESAMPLE_LEAVE_OUT) {
        total_buckets(job, r->chunks[chunk], sweeps);
        return;
    }
    int64_t n_resamples = job->resampling.n_lanes - 1;
    for (int64_t i = r->chunks[chunk].first; i < r->chunks[chunk].last; i++) {
        int64_t row = pen_sort_key_row(job->keys[i]);
        double weight = job->weights != NULL ? (double)job->weights[row] : 1.0;
        const uint8_t *counts = n_resamples > 0 ? job->resampling.counts + row * n_resamples : NULL;
        for (int64_t lane = 0; lane <= n_resamples; lane++) {
            struct lanes *s = &sweeps[lane / LANES];
            double *side = pen_sort_key_positive(job->keys[i]) ? s->tp : s->fp;
            side[lane % LANES] += lane == 0 ? weight : weight * (double)counts[lane - 1];
        }
    }
}

/* ---- chunks ---- */

static void sweep_chunk(const struct ranking *r, int64_t chunk, int64_t lane_block)
{
    struct lanes *s = &r->sweeps[chunk * r->n_lane_blocks + lane_block];
    if (r->job->resampling.kind == PEN_RESAMPLE_NONE) {
        sweep_once(r->job, r->chunks[chunk], s);
    } else {
        sweep_lanes(r->job, r->chunks[chunk], lane_block * LANES, s);
    }
}

/* First key of [first, at] that has the order of keys[at]. */
static int64_t group_begin(const uint64_t *keys, int64_t first, int64_t at)
{
    uint32_t order = pen_sort_key_order(keys[at]);
    int64_t low = first, high = at;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (pen_sort_key_order(keys[middle]) < order) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Chunks of all segments; r->chunks NULL: only counts. */
static int64_t cut_chunks(const struct ranking *r)
{
    const struct pen_rank_sums *job = r->job;
    int64_t n = 0;
    for (int64_t s = 0; s < job->n_segments; s++) {
        int64_t first = job->begin[s], last = job->begin[s + 1];
        if (r->chunks != NULL) {
            r->first_chunk[s] = n;
        }
        while (last > first) {
            int64_t cut = last - first <= CHUNK ? first : group_begin(job->keys, first, last - CHUNK);
            if (r->chunks != NULL) {
                r->chunks[n] = (struct chunk){cut, last};
            }
            n++;
            last = cut;
        }
    }
    if (r->chunks != NULL) {
        r->first_chunk[job->n_segments] = n;
    }
    return n;
}

static bool some_segment_has_chunks(const struct ranking *r)
{
    for (int64_t segment = 0; segment < r->job->n_segments; segment++) {
        if (r->first_chunk[segment + 1] - r->first_chunk[segment] > 1) {
            return true;
        }
    }
    return false;
}

/* What stands above each chunk of a segment, from the chunks' totals. */
static void set_above(const struct ranking *r, int64_t segment)
{
    for (int64_t b = 0; b < r->n_lane_blocks; b++) {
        struct lanes above = {0};
        for (int64_t c = r->first_chunk[segment]; c < r->first_chunk[segment + 1]; c++) {
            struct lanes *s = &r->sweeps[c * r->n_lane_blocks + b];
            struct lanes next = above;
            for (int l = 0; l < LANES; l++) {
                next.tp[l] += s->tp[l];
                next.fp[l] += s->fp[l];
            }
            *s = above;
            above = next;
        }
    }
}

static void finish_segment(const struct ranking *r, int64_t segment)
{
    const struct pen_rank_sums *job = r->job;
    int64_t n_lanes = job->resampling.n_lanes;
    for (int64_t lane = 0; lane < n_lanes; lane++) {
        double tp = 0, fp = 0, auc = 0, ap = 0;
        for (int64_t c = r->first_chunk[segment]; c < r->first_chunk[segment + 1]; c++) {
            const struct lanes *s = &r->sweeps[c * r->n_lane_blocks + lane / LANES];
            tp = s->tp[lane % LANES]; /* the last chunk's is everybody's */
            fp = s->fp[lane % LANES];
            auc += s->auc[lane % LANES];
            ap += s->ap[lane % LANES];
        }
        job->auc[segment * n_lanes + lane] = tp > 0 && fp > 0 ? auc / (tp * fp) : (double)NAN;
        job->average_precision[segment * n_lanes + lane] = tp > 0 ? ap / tp : (double)NAN;
    }
}

pen_status pen_rank_sums_cpu(struct pen_exec *exec, const struct pen_rank_sums *job, struct pen_error *err)
{
    int64_t n_lanes = job->resampling.n_lanes;
    if (job->n_segments < 0 || n_lanes < 1 ||
        (job->resampling.kind == PEN_RESAMPLE_LEAVE_OUT && n_lanes > MOST_BUCKETS + 1)) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "rank_sums: expected segments and 1 to %d lanes, found %lld and %lld",
                 MOST_BUCKETS + 1, (long long)job->n_segments, (long long)n_lanes);
    }
    struct ranking r = {.job = job, .n_lane_blocks = (n_lanes + LANES - 1) / LANES};
    int64_t n_chunks = cut_chunks(&r), n_tasks = n_chunks * r.n_lane_blocks;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, r.first_chunk, job->n_segments + 1, err);
    PEN_ALLOC_GOTO(cleanup, r.sweeps, n_tasks, err);
    PEN_ALLOC_GOTO(cleanup, r.chunks, n_chunks, err);
    (void)cut_chunks(&r);
    if (some_segment_has_chunks(&r)) {
#pragma omp parallel for schedule(dynamic, 1)
        for (int64_t chunk = 0; chunk < n_chunks; chunk++) {
            total_chunk(&r, chunk);
        }
        for (int64_t segment = 0; segment < job->n_segments; segment++) {
            set_above(&r, segment);
        }
    }
#pragma omp parallel for schedule(dynamic, 1) if (n_tasks > 1)
    for (int64_t task = 0; task < n_tasks; task++) {
        sweep_chunk(&r, task / r.n_lane_blocks, task % r.n_lane_blocks);
    }
    for (int64_t segment = 0; segment < job->n_segments; segment++) {
        finish_segment(&r, segment);
    }
cleanup:
    pen_free(r.first_chunk);
    pen_free(r.sweeps);
    pen_free(r.chunks);
    return status;
}
