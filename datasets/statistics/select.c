/* Radix select (select.h): creation and the sweep. */
#include "datasets/statistics/select_internal.h"

#include "core/memory.h"

enum {
    FIRST_BINS = 65536,   /* 512 KiB of counters: fits a second-level cache */
    MAX_COLLECT = 524288, /* values sorted at the end */
    SORT_AT_ONCE = 8192,  /* so few are sorted without counting first */
    INDEX_BLOCK = 1024
};

struct pen_select_part {
    const struct pen_select *select;
    int64_t *counts;
    double *weights;
    uint64_t *key_ends;
    int64_t n_collected, capacity, weight_capacity;
    uint64_t *keys;
    double *key_weights;
};

/* ---- creation ---- */

static struct window first_window(const struct pen_select_query *query)
{
    int64_t max_bins = query->max_bins > 0 ? query->max_bins : FIRST_BINS, n_bins = 256;
    while (n_bins < query->n_values / 4 && n_bins < max_bins) {
        n_bins *= 2;
    }
    struct window window = {.low = key_of(query->min), .n_values = query->n_values};
    uint64_t span = key_of(query->max) - window.low;
    while ((span >> window.shift) >= (uint64_t)n_bins) {
        window.shift++;
    }
    window.n_bins = (int64_t)(span >> window.shift) + 1;
    return window;
}

static pen_status copy_wanted(struct wanted **wanted, const double *targets, int64_t n_targets, struct pen_error *err)
{
    PEN_ALLOC(*wanted, n_targets + 1, err);
    for (int64_t i = 0; i < n_targets; i++) {
        (*wanted)[i].target = targets[i];
    }
    return PEN_OK;
}

pen_status pen_select_alloc_bins(const struct pen_select *select, int64_t **counts, double **weights,
                                 uint64_t **key_ends, struct pen_error *err)
{
    if (select->collecting) {
        return PEN_OK;
    }
    PEN_ALLOC(*counts, select->n_bins, err);
    PEN_ALLOC(*key_ends, 2 * select->n_windows, err);
    for (int64_t i = 0; i < select->n_windows; i++) {
        (*key_ends)[2 * i] = UINT64_MAX;
    }
    if (select->query.weighted) {
        PEN_ALLOC(*weights, select->n_bins, err);
    }
    return PEN_OK;
}

pen_status pen_select_create(struct pen_select **select, const struct pen_select_query *query, struct pen_error *err)
{
    PEN_ASSERT(query->n_ranks + query->n_edges <= PEN_SELECT_MAX_WANTED);
    struct pen_select *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->query = *query;
    if (made->query.max_collect <= 0) {
        made->query.max_collect = MAX_COLLECT;
    }
    PEN_TRY_GOTO(cleanup, copy_wanted(&made->ranks, query->ranks, query->n_ranks, err));
    PEN_TRY_GOTO(cleanup, copy_wanted(&made->edges, query->edges, query->n_edges, err));
    made->query.ranks = made->query.edges = NULL;
    PEN_ALLOC_GOTO(cleanup, made->windows, query->n_ranks + query->n_edges + 1, err);
    made->first = first_window(query);
    made->windows[0] = made->first;
    made->n_windows = 1;
    made->n_bins = made->first.n_bins;
    made->collecting = query->n_values <= SORT_AT_ONCE && query->n_values <= made->query.max_collect;
    made->unfinished = query->n_values > 0 && query->n_ranks + query->n_edges > 0;
    PEN_TRY_GOTO(cleanup, pen_select_alloc_bins(made, &made->counts, &made->weights, &made->key_ends, err));
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
        pen_free(select->interesting);
        pen_free(select->counts);
        pen_free(select->weights);
        pen_free(select->key_ends);
        pen_free(select->keys);
        pen_free(select->key_weights);
        pen_free(select);
    }
}

bool pen_select_unfinished(const struct pen_select *select)
{
    return select->unfinished;
}

/* ---- a sweep ---- */

pen_status pen_select_part_create(struct pen_select_part **part, const struct pen_select *select, struct pen_error *err)
{
    struct pen_select_part *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->select = select;
    PEN_TRY_GOTO(cleanup, pen_select_alloc_bins(select, &made->counts, &made->weights, &made->key_ends, err));
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
        pen_free(part->counts);
        pen_free(part->weights);
        pen_free(part->key_ends);
        pen_free(part->keys);
        pen_free(part->key_weights);
        pen_free(part);
    }
}

static inline __attribute__((always_inline)) void indices_body(uint32_t *restrict bins, const double *restrict values,
                                                               int64_t n_values, uint64_t low, int shift,
                                                               uint64_t last_bin)
{
    for (int64_t i = 0; i < n_values; i++) {
        uint64_t bin = (key_of(values[i]) - low) >> shift;
        bins[i] = (uint32_t)(bin < last_bin ? bin : last_bin);
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512"))) static void
indices_avx512(uint32_t *bins, const double *values, int64_t n_values, uint64_t low, int shift, uint64_t last_bin)
{
    indices_body(bins, values, n_values, low, shift, last_bin);
}

__attribute__((target("avx2"))) static void indices_avx2(uint32_t *bins, const double *values, int64_t n_values,
                                                         uint64_t low, int shift, uint64_t last_bin)
{
    indices_body(bins, values, n_values, low, shift, last_bin);
}
#endif

/* Bin numbers of the first sweep; a value outside the range told at creation goes to the last bin, never beyond. */
static void first_bins(const struct pen_select *select, uint32_t *bins, const double *values, int64_t n_values)
{
    const struct window *first = &select->first;
    uint64_t last_bin = (uint64_t)first->n_bins - 1;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        indices_avx512(bins, values, n_values, first->low, first->shift, last_bin);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        indices_avx2(bins, values, n_values, first->low, first->shift, last_bin);
        return;
    }
#endif
    indices_body(bins, values, n_values, first->low, first->shift, last_bin);
}

/* Keys past the last bin of the first window count as in its last bin. */
const struct window *pen_select_window_of(const struct pen_select *select, uint64_t key)
{
    int64_t low = 0, high = select->n_windows;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (select->windows[middle].low <= key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return NULL;
    }
    const struct window *window = &select->windows[low - 1];
    return (key - window->low) >> window->shift < (uint64_t)window->n_bins ? window : NULL;
}

static pen_status collect(struct pen_select_part *part, uint64_t key, double weight, struct pen_error *err)
{
    if (part->n_collected == part->capacity) {
        void *memory = part->keys;
        pen_status status = pen_grow(&memory, &part->capacity, part->n_collected + 1, sizeof *part->keys, err);
        part->keys = memory;
        PEN_TRY(status);
    }
    if (part->select->query.weighted) {
        if (part->n_collected == part->weight_capacity) {
            void *memory = part->key_weights;
            pen_status status =
                pen_grow(&memory, &part->weight_capacity, part->n_collected + 1, sizeof *part->key_weights, err);
            part->key_weights = memory;
            PEN_TRY(status);
        }
        part->key_weights[part->n_collected] = weight;
    }
    part->keys[part->n_collected++] = key;
    return PEN_OK;
}

/* `first`: the first window in the value's bin of the first sweep; nearly always the only one. */
static inline pen_status accept_in_window(struct pen_select_part *part, int64_t first, double value, double weight,
                                          struct pen_error *err)
{
    const struct pen_select *select = part->select;
    uint64_t key = key_of(value);
    int64_t at = first;
    while (at < select->n_windows && select->windows[at].low <= key &&
           (key - select->windows[at].low) >> select->windows[at].shift >= (uint64_t)select->windows[at].n_bins) {
        at++;
    }
    if (at == select->n_windows || select->windows[at].low > key) {
        return PEN_OK;
    }
    if (select->collecting) {
        return collect(part, key, weight, err);
    }
    const struct window *window = &select->windows[at];
    uint64_t *ends = part->key_ends + 2 * at;
    int64_t bin = window->first_bin + (int64_t)((key - window->low) >> window->shift);
    ends[0] = key < ends[0] ? key : ends[0];
    ends[1] = key > ends[1] ? key : ends[1];
    part->counts[bin]++;
    if (part->weights != NULL) {
        part->weights[bin] += weight;
    }
    return PEN_OK;
}

pen_status pen_select_accept(struct pen_select_part *part, const double *values, const double *weights,
                             int64_t n_values, struct pen_error *err)
{
    const struct pen_select *select = part->select;
    bool first_sweep = select->interesting == NULL && !select->collecting;
    uint32_t bins[INDEX_BLOCK];
    for (int64_t first = 0; first < n_values; first += INDEX_BLOCK) {
        int64_t n = n_values - first < INDEX_BLOCK ? n_values - first : INDEX_BLOCK;
        const double *block = values + first;
        first_bins(select, bins, block, n);
        if (first_sweep) {
            for (int64_t i = 0; i < n; i++) {
                part->counts[bins[i]]++;
            }
            for (int64_t i = 0; i < n && part->weights != NULL; i++) {
                part->weights[bins[i]] += weights[first + i];
            }
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            int64_t window = select->interesting == NULL ? 1 : select->interesting[bins[i]];
            if (window != 0) {
                PEN_TRY(accept_in_window(part, window - 1, block[i], weights == NULL ? 1.0 : weights[first + i], err));
            }
        }
    }
    return PEN_OK;
}

pen_status pen_select_merge(struct pen_select *select, const struct pen_select_part *part, struct pen_error *err)
{
    if (!select->collecting) {
        for (int64_t i = 0; i < select->n_bins; i++) {
            select->counts[i] += part->counts[i];
        }
        for (int64_t i = 0; i < select->n_bins && select->weights != NULL; i++) {
            select->weights[i] += part->weights[i];
        }
        for (int64_t i = 0; i < 2 * select->n_windows; i += 2) {
            uint64_t *ends = select->key_ends + i, *others = part->key_ends + i;
            ends[0] = others[0] < ends[0] ? others[0] : ends[0];
            ends[1] = others[1] > ends[1] ? others[1] : ends[1];
        }
        return PEN_OK;
    }
    if (part->n_collected == 0) {
        return PEN_OK;
    }
    int64_t needed = select->n_collected + part->n_collected;
    void *memory = select->keys;
    pen_status status = pen_grow(&memory, &select->capacity, needed, sizeof *select->keys, err);
    select->keys = memory;
    PEN_TRY(status);
    memcpy(select->keys + select->n_collected, part->keys, (size_t)part->n_collected * sizeof *select->keys);
    if (select->query.weighted) {
        memory = select->key_weights;
        status = pen_grow(&memory, &select->weight_capacity, needed, sizeof *select->key_weights, err);
        select->key_weights = memory;
        PEN_TRY(status);
        memcpy(select->key_weights + select->n_collected, part->key_weights,
               (size_t)part->n_collected * sizeof *select->key_weights);
    }
    select->n_collected = needed;
    return PEN_OK;
}
