/* Strings of a profile: a counter per dictionary code, or a table of distinct values for text without a dictionary
 * and for integers declared categorical (kept as their 8 bytes, written in decimal at the end). */
#include "core/text.h"
#include "datasets/statistics/hll.h"
#include "datasets/statistics/profile_internal.h"
#include "datasets/statistics/top.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static pen_status create_table(struct pen_profile *profile, struct pen_error *err)
{
    return pen_value_table_create(&profile->string.table, profile->options.memory_bytes, profile->options.max_distinct,
                                  err);
}

pen_status pen_string_profile_init(struct pen_profile *profile, struct pen_error *err)
{
    struct string_profile *string = &profile->string;
    string->integers = profile->type == PEN_TYPE_INT64;
    string->min_length = INT64_MAX;
    if (profile->type != PEN_TYPE_CODES || profile->options.count_in_table) {
        return create_table(profile, err);
    }
    return PEN_OK;
}

/* ---- a sweep ---- */

static pen_status grow_counts(struct pen_profile *profile, int64_t n_codes, struct pen_error *err)
{
    struct string_profile *string = &profile->string;
    if (n_codes <= string->capacity) {
        return PEN_OK;
    }
    int64_t capacity = 2 * string->capacity > n_codes ? 2 * string->capacity : n_codes;
    int64_t *counts = NULL;
    double *weights = NULL;
    PEN_ALLOC(counts, capacity, err);
    if (string->capacity > 0) {
        memcpy(counts, string->counts, (size_t)string->capacity * sizeof *counts);
    }
    pen_free(string->counts);
    string->counts = counts;
    if (profile->options.weighted) {
        PEN_ALLOC(weights, capacity, err);
        if (string->capacity > 0) {
            memcpy(weights, string->weights, (size_t)string->capacity * sizeof *weights);
        }
        pen_free(string->weights);
        string->weights = weights;
    }
    string->capacity = capacity;
    return PEN_OK;
}

static pen_status accept_codes(struct pen_profile *profile, const struct pen_column *chunk, const int32_t *rows,
                               int64_t n_rows, const double *weights, struct pen_error *err)
{
    struct string_profile *string = &profile->string;
    const int32_t *codes = chunk->values;
    int64_t n_codes = chunk->dictionary == NULL ? 0 : chunk->dictionary->n_entries;
    PEN_TRY(grow_counts(profile, n_codes, err));
    if (string->dictionary == NULL || n_codes > string->dictionary->n_entries) {
        string->dictionary = chunk->dictionary;
    }
    if (rows == NULL && chunk->validity == NULL && weights == NULL) {
        for (int64_t i = 0; i < n_rows; i++) {
            if ((uint32_t)codes[i] < (uint64_t)n_codes) {
                string->counts[codes[i]]++;
            }
        }
        return PEN_OK;
    }
    for (int64_t i = 0; i < n_rows; i++) {
        int64_t row = rows == NULL ? i : rows[i];
        if (pen_is_valid(chunk->validity, row) && (uint32_t)codes[row] < (uint64_t)n_codes) {
            string->counts[codes[row]]++;
            if (weights != NULL) {
                string->weights[codes[row]] += weights[row];
            }
        }
    }
    return PEN_OK;
}

static int64_t decimal_length(int64_t value)
{
    char text[32];
    return snprintf(text, sizeof text, "%" PRId64, value);
}

static pen_status accept_table(struct pen_profile *profile, const struct pen_column *chunk, const int32_t *rows,
                               int64_t n_rows, const double *weights, struct pen_error *err)
{
    struct string_profile *string = &profile->string;
    for (int64_t i = 0; i < n_rows; i++) {
        int64_t row = rows == NULL ? i : rows[i];
        if (!pen_is_valid(chunk->validity, row)) {
            continue;
        }
        size_t size_bytes = sizeof(int64_t);
        const char *bytes = string->integers ? (const char *)((const int64_t *)chunk->values + row)
                                             : pen_column_string(chunk, row, &size_bytes);
        bool invalid = false;
        double weight = weights == NULL ? 0.0 : weights[row];
        PEN_TRY(pen_value_table_add(string->table, bytes, size_bytes, 1, weight, &invalid, err));
        if (profile->sweep > 0) {
            continue;
        }
        int64_t length = string->integers ? decimal_length(((const int64_t *)chunk->values)[row]) : (int64_t)size_bytes;
        string->sum_length += length;
        string->min_length = length < string->min_length ? length : string->min_length;
        string->max_length = length > string->max_length ? length : string->max_length;
        string->n_invalid += invalid && !string->integers;
        string->weight += weight;
        string->weighted_length += weight * (double)length;
    }
    return PEN_OK;
}

pen_status pen_string_profile_accept(struct pen_profile *profile, const struct pen_column *chunk, const int32_t *rows,
                                     int64_t n_rows, const double *weights, struct pen_error *err)
{
    if (profile->string.table != NULL) {
        bool needed = profile->sweep == 0 || !pen_value_table_exact(profile->string.table) || profile->is_fork;
        return needed ? accept_table(profile, chunk, rows, n_rows, weights, err) : PEN_OK;
    }
    return profile->sweep == 0 ? accept_codes(profile, chunk, rows, n_rows, weights, err) : PEN_OK;
}

pen_status pen_string_profile_fork(struct pen_profile *fork, const struct pen_profile *profile, struct pen_error *err)
{
    if (profile->string.table != NULL && profile->sweep > 0) {
        pen_value_table_destroy(fork->string.table);
        fork->string.table = NULL;
        return pen_value_table_copy(&fork->string.table, profile->string.table, err);
    }
    return PEN_OK;
}

pen_status pen_string_profile_merge(struct pen_profile *profile, const struct pen_profile *fork, struct pen_error *err)
{
    struct string_profile *string = &profile->string;
    const struct string_profile *other = &fork->string;
    if (string->table != NULL) {
        if (profile->sweep > 0 && pen_value_table_exact(string->table)) {
            return PEN_OK;
        }
        PEN_TRY(pen_value_table_merge(string->table, other->table, err));
        string->sum_length += other->sum_length;
        string->min_length = other->min_length < string->min_length ? other->min_length : string->min_length;
        string->max_length = other->max_length > string->max_length ? other->max_length : string->max_length;
        string->n_invalid += other->n_invalid;
        string->weight += other->weight;
        string->weighted_length += other->weighted_length;
        return PEN_OK;
    }
    if (profile->sweep > 0 || other->dictionary == NULL) {
        return PEN_OK;
    }
    if (string->dictionary == NULL || other->dictionary->n_entries > string->dictionary->n_entries) {
        string->dictionary = other->dictionary;
    }
    PEN_TRY(grow_counts(profile, other->capacity, err));
    for (int64_t i = 0; i < other->capacity; i++) {
        string->counts[i] += other->counts[i];
    }
    for (int64_t i = 0; i < other->capacity && other->weights != NULL; i++) {
        string->weights[i] += other->weights[i];
    }
    return PEN_OK;
}

void pen_string_profile_end_sweep(struct pen_profile *profile, bool *again)
{
    struct string_profile *string = &profile->string;
    if (profile->sweep == 0 && string->table != NULL && !pen_value_table_exact(string->table)) {
        pen_value_table_begin_recount(string->table);
        *again = true;
    }
}

/* ---- result ---- */

/* One distinct value, wherever it was counted. Integers are written into `text`. */
struct distinct {
    const char *bytes;
    size_t size_bytes;
    double count, weight;
};

static int64_t n_distinct(const struct string_profile *string)
{
    return string->table != NULL ? pen_value_table_n_entries(string->table) : string->capacity;
}

static struct distinct distinct_at(const struct string_profile *string, struct pen_arena *decimals, int64_t index)
{
    if (string->table == NULL) {
        const struct pen_dictionary *dictionary = string->dictionary;
        if (dictionary == NULL || index >= dictionary->n_entries) {
            return (struct distinct){"", 0, 0, 0};
        }
        return (struct distinct){dictionary->bytes + dictionary->offsets[index],
                                 (size_t)(dictionary->offsets[index + 1] - dictionary->offsets[index]),
                                 (double)string->counts[index], string->weights == NULL ? 0 : string->weights[index]};
    }
    const struct pen_value_entry *entry = pen_value_table_entry(string->table, index);
    const char *bytes = pen_value_table_bytes(string->table, entry);
    if (string->integers) {
        int64_t value;
        memcpy(&value, bytes, sizeof value);
        const char *text = pen_arena_printf(decimals, "%" PRId64, value);
        bytes = text == NULL ? "" : text;
        return (struct distinct){bytes, strlen(bytes), (double)entry->count, entry->weight};
    }
    return (struct distinct){bytes, (size_t)entry->size_bytes, (double)entry->count, entry->weight};
}

/* Lengths and invalid texts of a dictionary column, from its counts. */
static void add_up_codes(struct string_profile *string, int64_t *n_unique)
{
    string->sum_length = 0;
    for (int64_t i = 0; i < string->capacity; i++) {
        struct distinct value = distinct_at(string, NULL, i);
        if (!(value.count > 0)) {
            continue;
        }
        int64_t length = (int64_t)value.size_bytes;
        (*n_unique)++;
        string->sum_length += (int64_t)value.count * length;
        string->min_length = length < string->min_length ? length : string->min_length;
        string->max_length = length > string->max_length ? length : string->max_length;
        if (pen_utf8_valid_prefix(value.bytes, value.size_bytes) != value.size_bytes) {
            string->n_invalid += (int64_t)value.count;
        }
        string->weight += value.weight;
        string->weighted_length += value.weight * (double)length;
    }
}

static pen_status need_exact(const struct string_profile *string, struct pen_error *err)
{
    if (string->table != NULL && !pen_value_table_exact(string->table)) {
        PEN_FAIL(
            err, PEN_ERR_LIMIT,
            "a vocabulary: expected distinct values that fit into memory_mb, found about %.0f; raise memory_mb, or "
            "set exact: always",
            pen_value_table_n_distinct(string->table));
    }
    return PEN_OK;
}

static pen_status list_values(const struct pen_profile *profile, bool weighted, struct pen_arena *arena,
                              struct pen_string_statistics *out, struct pen_error *err)
{
    const struct string_profile *string = &profile->string;
    const struct pen_profile_options *options = &profile->options;
    struct pen_arena decimals = {0};
    struct pen_top top;
    pen_status status = PEN_OK;
    int64_t k = options->n_top_values > options->n_rank_buckets ? options->n_top_values : options->n_rank_buckets;
    bool list_all = options->list_all && !weighted;
    k = list_all && n_distinct(string) > k ? n_distinct(string) : k;
    double least = weighted ? options->least_weight : (double)options->least_count;
    PEN_TRY(pen_top_init(&top, k, err));
    for (int64_t i = 0; i < n_distinct(string); i++) {
        struct distinct value = distinct_at(string, &decimals, i);
        double count = weighted ? value.weight : value.count;
        if (value.count > 0 && count >= least) {
            pen_top_offer(&top, value.bytes, value.size_bytes, count);
        }
    }
    pen_top_sort(&top);
    if (string->table != NULL && !pen_value_table_exact(string->table)) {
        double missed = (double)pen_value_table_missed(string->table);
        bool full = top.n_items == k && k > 0 && top.items[k - 1].count > missed;
        out->exact_counts = !weighted && (full || least > missed);
    }
    PEN_TRY_GOTO(cleanup, pen_top_values(&top, options->n_top_values, PEN_TOP_LONGEST, arena, &out->top, err));
    PEN_TRY_GOTO(cleanup, pen_top_values(&top, options->n_rank_buckets, PEN_TOP_LONGEST, arena, &out->ranks, err));
    if (list_all) {
        PEN_TRY_GOTO(cleanup, need_exact(string, err));
        PEN_TRY_GOTO(cleanup, pen_top_values(&top, top.n_items, SIZE_MAX, arena, &out->vocabulary, err));
    }
cleanup:
    pen_top_deinit(&top);
    pen_arena_deinit(&decimals);
    return status;
}

pen_status pen_string_profile_finish(struct pen_profile *profile, struct pen_arena *arena,
                                     struct pen_feature_statistics *feature, struct pen_error *err)
{
    struct string_profile *string = &profile->string;
    struct pen_string_statistics *out = &feature->string;
    if (string->table == NULL) {
        add_up_codes(string, &out->n_unique);
    }
    out->exact_unique = out->exact_counts = true;
    if (string->table != NULL) {
        double distinct = pen_value_table_n_distinct(string->table);
        out->exact_unique = pen_value_table_exact(string->table);
        out->unique_error = out->exact_unique ? 0 : pen_hll_error();
        out->n_unique = (int64_t)llround(distinct);
        out->n_unique = out->n_unique < profile->n_present ? out->n_unique : profile->n_present;
    }
    out->avg_length = profile->n_present == 0 ? 0 : (double)string->sum_length / (double)profile->n_present;
    out->min_length = profile->n_present == 0 ? 0 : string->min_length;
    out->max_length = string->max_length;
    out->n_invalid_utf8 = string->n_invalid;
    PEN_TRY(list_values(profile, false, arena, out, err));
    if (profile->options.weighted) {
        feature->weighted_string = *out;
        feature->weighted_string.avg_length = string->weight > 0 ? string->weighted_length / string->weight : 0;
        PEN_TRY(list_values(profile, true, arena, &feature->weighted_string, err));
    }
    return PEN_OK;
}

void pen_string_profile_deinit(struct pen_profile *profile)
{
    pen_free(profile->string.counts);
    pen_free(profile->string.weights);
    pen_value_table_destroy(profile->string.table);
}
