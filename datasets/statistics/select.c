/* Radix select (select.h): creation and the sweep. */
#include "datasets/statistics/select_internal.h"

#include "core/memory.h"
#include "datasets/statistics/pages.h"

enum {
    MAX_BINS = 1 << 20,   /* few of them are ever touched: numbers live in some tens of octaves */
    LEAST_BINS = 256,     /* for finer windows to make progress */
    MAX_COLLECT = 524288, /* values sorted at the end */
    BLOCK = 1024
};

struct pen_select_part {
    const struct pen_select *select;
    struct select_bins bins;
    struct select_keys collected;
};

/* ---- creation ---- */

static int floor_log2(int64_t n)
{
    int log2 = 0;
    while ((n >> (log2 + 1)) > 0) {
        log2++;
    }
    return log2;
}

pen_status pen_select_create(struct pen_select **select, const struct pen_select_options *options,
                             struct pen_error *err)
{
    struct pen_select *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->options = *options;
    int64_t max_bins = options->max_bins > 0 ? options->max_bins : MAX_BINS;
    max_bins = max_bins > LEAST_BINS ? (int64_t)1 << floor_log2(max_bins) : LEAST_BINS;
    made->options.max_bins = max_bins < MAX_BINS ? max_bins : MAX_BINS;
    made->options.max_collect = options->max_collect > 0 ? options->max_collect : MAX_COLLECT;
    made->first_shift = 64 - floor_log2(made->options.max_bins);
    PEN_ALLOC_GOTO(cleanup, made->windows, 1, err);
    made->windows[0] =
        (struct window){.last = UINT64_MAX, .shift = made->first_shift, .n_bins = made->options.max_bins};
    made->n_windows = 1;
    made->n_bins = made->options.max_bins;
cleanup:
    if (status != PEN_OK) {
        pen_select_destroy(made);
        made = NULL;
    }
    *select = made;
    return status;
}

void pen_select_destroy(struct pen_select *select)
{
    if (select != NULL) {
        pen_free(select->ranks);
        pen_free(select->edges);
        pen_free(select->windows);
        pen_pages_free(select->interesting, select->options.max_bins * (int64_t)sizeof *select->interesting);
        pen_select_bins_deinit(&select->bins);
        pen_select_keys_deinit(&select->collected);
        pen_free(select);
    }
}

bool pen_select_unfinished(const struct pen_select *select)
{
    return select->unfinished;
}

pen_status pen_select_bins_init(struct select_bins *bins, const struct pen_select *select, int lanes,
                                struct pen_error *err)
{
    if (select->n_bins == 0) {
        return PEN_OK;
    }
    void *memory = NULL;
    PEN_TRY(pen_pages_alloc(&memory, select->n_bins * lanes * (int64_t)sizeof *bins->counts, err));
    bins->counts = memory;
    bins->n_counts = select->n_bins * lanes;
    PEN_ALLOC(bins->touched, (select->n_bins >> PEN_SELECT_GROUP_BITS) + 1, err);
    PEN_ALLOC(bins->key_ends, 2 * select->n_windows, err);
    for (int64_t i = 0; i < select->n_windows; i++) {
        bins->key_ends[2 * i] = UINT64_MAX;
    }
    if (select->options.weighted) {
        PEN_TRY(pen_pages_alloc(&memory, select->n_bins * (int64_t)sizeof *bins->weights, err));
        bins->weights = memory;
        bins->n_weights = select->n_bins;
    }
    return PEN_OK;
}

void pen_select_bins_deinit(struct select_bins *bins)
{
    pen_pages_free(bins->counts, bins->n_counts * (int64_t)sizeof *bins->counts);
    pen_pages_free(bins->weights, bins->n_weights * (int64_t)sizeof *bins->weights);
    pen_free(bins->touched);
    pen_free(bins->key_ends);
    *bins = (struct select_bins){0};
}

pen_status pen_select_part_create(struct pen_select_part **part, const struct pen_select *select, struct pen_error *err)
{
    struct pen_select_part *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->select = select;
    PEN_TRY_GOTO(cleanup, pen_select_bins_init(&made->bins, select, select->asked ? 1 : PEN_SELECT_LANES, err));
cleanup:
    if (status != PEN_OK) {
        pen_select_part_destroy(made);
        made = NULL;
    }
    *part = made;
    return status;
}

void pen_select_part_destroy(struct pen_select_part *part)
{
    if (part != NULL) {
        pen_select_bins_deinit(&part->bins);
        pen_select_keys_deinit(&part->collected);
        pen_free(part);
    }
}

/* ---- the first sweep ---- */

static inline __attribute__((always_inline)) void bins_body(uint32_t *restrict bins, const double *restrict values,
                                                            int64_t n_values, int shift)
{
    for (int64_t i = 0; i < n_values; i++) {
        bins[i] = (uint32_t)(key_of(values[i]) >> shift);
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512"))) static void
bins_avx512(uint32_t *bins, const double *values, int64_t n_values, int shift)
{
    bins_body(bins, values, n_values, shift);
}

__attribute__((target("avx2"))) static void bins_avx2(uint32_t *bins, const double *values, int64_t n_values, int shift)
{
    bins_body(bins, values, n_values, shift);
}
#endif

/* Bins of the first sweep. */
static void find_bins(uint32_t *bins, const double *values, int64_t n_values, int shift)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        bins_avx512(bins, values, n_values, shift);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        bins_avx2(bins, values, n_values, shift);
        return;
    }
#endif
    bins_body(bins, values, n_values, shift);
}

static inline void count_one(int64_t *restrict counts, uint8_t *restrict touched, uint32_t bin, int lane)
{
    int64_t *count = &counts[(int64_t)PEN_SELECT_LANES * bin + lane];
    if (__builtin_expect((*count)++ == 0, 0)) {
        touched[bin >> PEN_SELECT_GROUP_BITS] = 1;
    }
}

static void count_block(const struct select_bins *bins, const uint32_t *block, const double *weights, int64_t n_values)
{
    int64_t i = 0;
    for (; i + PEN_SELECT_LANES <= n_values; i += PEN_SELECT_LANES) {
        count_one(bins->counts, bins->touched, block[i], 0);
        count_one(bins->counts, bins->touched, block[i + 1], 1);
    }
    if (i < n_values) {
        count_one(bins->counts, bins->touched, block[i], 0);
    }
    for (i = 0; i < n_values && weights != NULL; i++) {
        bins->weights[block[i]] += weights[i];
    }
}

/* ---- later sweeps ---- */

/* `first`: the first window in the value's bin of the first sweep; nearly always the only one. */
static inline void accept_in_window(struct pen_select_part *part, int64_t first, double value, double weight)
{
    const struct pen_select *select = part->select;
    uint64_t key = key_of(value);
    int64_t at = first;
    while (at < select->n_windows && select->windows[at].last < key) {
        at++;
    }
    if (at == select->n_windows || select->windows[at].low > key) {
        return;
    }
    const struct window *window = &select->windows[at];
    if (window->collect) {
        if (part->collected.weights != NULL) {
            part->collected.weights[part->collected.n] = weight;
        }
        part->collected.keys[part->collected.n++] = key;
        return;
    }
    uint64_t *ends = part->bins.key_ends + 2 * at;
    int64_t bin = window->first_bin + (int64_t)((key - window->low) >> window->shift);
    ends[0] = key < ends[0] ? key : ends[0];
    ends[1] = key > ends[1] ? key : ends[1];
    part->bins.counts[bin]++;
    if (part->bins.weights != NULL) {
        part->bins.weights[bin] += weight;
    }
}

/* Rows of a block in a bin that matters: without a branch on the data, for there is no guessing it. */
static int64_t survivors(uint16_t *rows, const struct pen_select *select, const uint32_t *bins, int64_t n_values)
{
    const uint16_t *restrict interesting = select->interesting;
    int64_t n = 0;
    for (int64_t i = 0; i < n_values; i++) {
        rows[n] = (uint16_t)i;
        n += interesting[bins[i]] != 0;
    }
    return n;
}

pen_status pen_select_accept(struct pen_select_part *part, const double *values, const double *weights,
                             int64_t n_values, struct pen_error *err)
{
    const struct pen_select *select = part->select;
    uint32_t bins[BLOCK];
    uint16_t rows[BLOCK];
    for (int64_t first = 0; first < n_values; first += BLOCK) {
        int64_t n = n_values - first < BLOCK ? n_values - first : BLOCK;
        const double *some = values + first, *weight = weights == NULL ? NULL : weights + first;
        find_bins(bins, some, n, select->first_shift);
        if (!select->asked) {
            count_block(&part->bins, bins, weight, n);
            continue;
        }
        PEN_TRY(pen_select_keys_reserve(&part->collected, n, select->options.weighted, err));
        int64_t n_rows = survivors(rows, select, bins, n);
        for (int64_t i = 0; i < n_rows; i++) {
            accept_in_window(part, select->interesting[bins[rows[i]]] - 1, some[rows[i]],
                             weight == NULL ? 1.0 : weight[rows[i]]);
        }
    }
    return PEN_OK;
}

void pen_select_count(struct pen_select_part *part, double value, int64_t count, double weight)
{
    struct select_bins *bins = &part->bins;
    int64_t bin = (int64_t)(key_of(value) >> part->select->first_shift);
    bins->counts[PEN_SELECT_LANES * bin] += count;
    bins->touched[bin >> PEN_SELECT_GROUP_BITS] = 1;
    if (bins->weights != NULL) {
        bins->weights[bin] += weight;
    }
}

static void merge_first(struct select_bins *bins, const struct select_bins *part, int64_t n_groups)
{
    PEN_ASSERT(bins->counts != NULL && part->counts != NULL);
    for (int64_t group = 0; group < n_groups; group++) {
        int64_t first = part->touched[group] == 0 ? 0 : group << PEN_SELECT_GROUP_BITS;
        int64_t end = part->touched[group] == 0 ? 0 : first + (1 << PEN_SELECT_GROUP_BITS);
        for (int64_t i = first; i < end; i++) {
            bins->counts[i] += part->counts[PEN_SELECT_LANES * i] + part->counts[PEN_SELECT_LANES * i + 1];
        }
        for (int64_t i = first; i < end && bins->weights != NULL; i++) {
            bins->weights[i] += part->weights[i];
        }
        bins->touched[group] |= part->touched[group];
    }
}

static void merge_later(struct select_bins *bins, const struct select_bins *part, int64_t n_bins, int64_t n_windows)
{
    for (int64_t i = 0; i < n_bins; i++) {
        bins->counts[i] += part->counts[i];
    }
    for (int64_t i = 0; i < n_bins && bins->weights != NULL; i++) {
        bins->weights[i] += part->weights[i];
    }
    for (int64_t i = 0; i < 2 * n_windows; i += 2) {
        uint64_t *ends = bins->key_ends + i, *others = part->key_ends + i;
        ends[0] = others[0] < ends[0] ? others[0] : ends[0];
        ends[1] = others[1] > ends[1] ? others[1] : ends[1];
    }
}

pen_status pen_select_merge(struct pen_select *select, const struct pen_select_part *part, struct pen_error *err)
{
    if (select->asked && select->n_bins > 0) {
        merge_later(&select->bins, &part->bins, select->n_bins, select->n_windows);
    } else if (select->n_bins > 0) {
        if (select->bins.counts == NULL) {
            PEN_TRY(pen_select_bins_init(&select->bins, select, 1, err));
        }
        merge_first(&select->bins, &part->bins, select->n_bins >> PEN_SELECT_GROUP_BITS);
    }
    if (part->collected.n == 0) {
        return PEN_OK;
    }
    struct select_keys *all = &select->collected;
    PEN_TRY(pen_select_keys_reserve(all, part->collected.n, select->options.weighted, err));
    memcpy(all->keys + all->n, part->collected.keys, (size_t)part->collected.n * sizeof *all->keys);
    if (select->options.weighted) {
        memcpy(all->weights + all->n, part->collected.weights, (size_t)part->collected.n * sizeof *all->weights);
    }
    all->n += part->collected.n;
    return PEN_OK;
}
