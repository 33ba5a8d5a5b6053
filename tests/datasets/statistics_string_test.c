/* String statistics and slices against naive counting; the stated errors of the sketches. */
#include "core/memory.h"
#include "core/rng.h"
#include "datasets/statistics/compute.h"
#include "datasets/statistics/hll.h"
#include "datasets/statistics/render.h"
#include "datasets/statistics/value_table.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 5000 };

/* Values with a long tail, some of them not UTF-8, some empty. */
static const char *word(uint64_t i, char text[32])
{
    double u = pen_rng_uniform(23, 1, i);
    int k = (int)(1.0 / (u + 0.003));
    (void)snprintf(text, 32, k % 7 == 3 ? "caf\xc3\xa9-%d" : k % 7 == 4 ? "\xff%d" : k % 7 == 5 ? "" : "v%d", k);
    return text;
}

struct reference {
    char text[32];
    int64_t count;
};

static int reference_order(const void *a, const void *b)
{
    const struct reference *x = a, *y = b;
    if (x->count != y->count) {
        return x->count > y->count ? -1 : 1;
    }
    return strcmp(y->text, x->text);
}

static int64_t count_naively(struct reference *list, int64_t n_rows)
{
    int64_t n = 0;
    for (int64_t i = 0; i < n_rows; i++) {
        char text[32];
        int64_t k = 0;
        if (i % 5 == 0) {
            continue; /* missing */
        }
        (void)word((uint64_t)i, text);
        while (k < n && strcmp(list[k].text, text) != 0) {
            k++;
        }
        if (k == n) {
            (void)snprintf(list[n++].text, sizeof list->text, "%s", text);
        }
        list[k].count++;
    }
    qsort(list, (size_t)n, sizeof *list, reference_order);
    return n;
}

/* The rows as text, and as codes of a dictionary in order of first appearance; every fifth is missing. */
struct texts {
    int64_t offsets[ROWS + 1], dictionary_offsets[ROWS + 1], integers[ROWS];
    char bytes[ROWS * 32], dictionary_bytes[ROWS * 32];
    int32_t codes[ROWS];
    uint8_t validity[ROWS / 8 + 1];
    struct pen_dictionary dictionary;
};

static void fill_texts(struct texts *texts)
{
    struct pen_dictionary *dictionary = &texts->dictionary;
    memset(texts, 0, sizeof *texts);
    dictionary->offsets = texts->dictionary_offsets;
    dictionary->bytes = texts->dictionary_bytes;
    for (int64_t i = 0; i < ROWS; i++) {
        char text[32] = "";
        texts->integers[i] = (int64_t)(10 * pen_rng_uniform(1, 2, (uint64_t)i)) - 3;
        texts->codes[i] = -1;
        texts->offsets[i + 1] = texts->offsets[i];
        if (i % 5 == 0) {
            continue;
        }
        texts->validity[i / 8] = (uint8_t)(texts->validity[i / 8] | (1 << (i % 8)));
        size_t length = strlen(word((uint64_t)i, text));
        memcpy(texts->bytes + texts->offsets[i], text, length);
        texts->offsets[i + 1] += (int64_t)length;
        int64_t code = 0, n = dictionary->n_entries;
        for (; code < n; code++) {
            int64_t start = texts->dictionary_offsets[code];
            if ((size_t)(texts->dictionary_offsets[code + 1] - start) == length &&
                memcmp(texts->dictionary_bytes + start, text, length) == 0) {
                break;
            }
        }
        if (code == n) {
            memcpy(texts->dictionary_bytes + texts->dictionary_offsets[n], text, length);
            texts->dictionary_offsets[n + 1] = texts->dictionary_offsets[n] + (int64_t)length;
            dictionary->n_entries++;
        }
        texts->codes[i] = (int32_t)code;
    }
}

static struct pen_column column_of(const struct texts *texts, enum pen_type type)
{
    struct pen_column column = {.type = type, .n_rows = ROWS, .validity = texts->validity};
    if (type == PEN_TYPE_BYTES) {
        column.offsets = texts->offsets;
        column.bytes = texts->bytes;
    } else if (type == PEN_TYPE_CODES) {
        column.values = texts->codes;
        column.dictionary = &texts->dictionary;
    } else {
        column.values = texts->integers;
        column.validity = NULL;
    }
    return column;
}

static void check_strings(const struct pen_feature_statistics *found, const struct reference *list, int64_t n_distinct)
{
    int64_t length = 0, n_present = 0, n_invalid = 0, least = 99, most = 0;
    for (int64_t i = 0; i < n_distinct; i++) {
        int64_t bytes = (int64_t)strlen(list[i].text);
        length += bytes * list[i].count;
        n_present += list[i].count;
        n_invalid += list[i].text[0] == '\xff' ? list[i].count : 0;
        least = bytes < least ? bytes : least;
        most = bytes > most ? bytes : most;
    }
    const struct pen_string_statistics *string = &found->string;
    PEN_CHECK(found->has_string && !found->has_numeric && string->exact_unique && string->exact_counts);
    PEN_CHECK_EQ_I64(found->n_present, n_present);
    PEN_CHECK_EQ_I64(found->n_missing, ROWS - n_present);
    PEN_CHECK_EQ_I64(string->n_unique, n_distinct);
    PEN_CHECK_EQ_F64(string->avg_length, (double)length / (double)n_present);
    PEN_CHECK_EQ_I64(string->min_length, least);
    PEN_CHECK_EQ_I64(string->max_length, most);
    PEN_CHECK_EQ_I64(string->n_invalid_utf8, n_invalid);
    PEN_CHECK_EQ_I64(string->top.n_items, 20);
    PEN_REQUIRE_EQ_I64(string->ranks.n_items, n_distinct < 50 ? n_distinct : 50);
    for (int64_t i = 0; i < string->ranks.n_items; i++) {
        char shown[64];
        bool invalid = list[i].text[0] == '\xff';
        (void)snprintf(shown, sizeof shown, "%s%s", invalid ? "\xef\xbf\xbd" : "", list[i].text + (invalid ? 1 : 0));
        PEN_CHECK_EQ_STR(string->ranks.items[i].value, shown);
        PEN_CHECK_EQ_F64(string->ranks.items[i].count, (double)list[i].count);
    }
}

static void strings_equal_counting(void)
{
    struct texts *texts = pen_calloc(1, sizeof *texts);
    struct reference *list = pen_calloc(ROWS, sizeof *list);
    static const char *const names[] = {"text", "codes"};
    int64_t n_distinct = count_naively(list, ROWS);
    fill_texts(texts);
    struct pen_column columns[2] = {column_of(texts, PEN_TYPE_BYTES), column_of(texts, PEN_TYPE_CODES)};
    struct pen_batch batch = {ROWS, 0, 2, names, columns};
    struct pen_statistics_batches batches = {"train", 1, &batch};
    struct pen_statistics_source source = pen_statistics_source_batches(&batches);
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    struct pen_statistics statistics;
    struct pen_error err = PEN_ERROR_INIT;
    options.n_rank_buckets = 50;
    PEN_REQUIRE_OK(pen_statistics_compute(&statistics, &source, 1, &options, &err), &err);
    check_strings(&statistics.splits[0].features[0], list, n_distinct);
    check_strings(&statistics.splits[0].features[1], list, n_distinct);
    struct pen_text page = {0};
    pen_statistics_render(&statistics, &page, 100);
    PEN_CHECK_CONTAINS(pen_text_view(&page), "split train: 5000 rows, 2 features");
    pen_text_deinit(&page);
    pen_statistics_deinit(&statistics);
    pen_free(texts);
    pen_free(list);
}

static void integers_declared_categorical_are_counted_as_text(void)
{
    struct texts *texts = pen_calloc(1, sizeof *texts);
    static const char *const names[] = {"k"};
    fill_texts(texts);
    struct pen_column column = column_of(texts, PEN_TYPE_INT64);
    struct pen_batch batch = {ROWS, 0, 1, names, &column};
    struct pen_statistics_batches batches = {"train", 1, &batch};
    struct pen_statistics_source source = pen_statistics_source_batches(&batches);
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    struct pen_statistics statistics;
    struct pen_error err = PEN_ERROR_INIT;
    options.categorical = names;
    options.n_categorical = 1;
    PEN_REQUIRE_OK(pen_statistics_compute(&statistics, &source, 1, &options, &err), &err);
    const struct pen_feature_statistics *found = &statistics.splits[0].features[0];
    PEN_CHECK(found->has_numeric && found->has_string);
    int64_t n_unique = 0, length = 0;
    for (int64_t value = -3; value < 7; value++) {
        int64_t count = 0;
        char text[8];
        (void)snprintf(text, sizeof text, "%lld", (long long)value);
        for (int64_t i = 0; i < ROWS; i++) {
            count += texts->integers[i] == value;
        }
        n_unique += count > 0;
        length += count * (int64_t)strlen(text);
        for (int64_t k = 0; k < found->string.ranks.n_items; k++) {
            if (strcmp(found->string.ranks.items[k].value, text) == 0) {
                PEN_CHECK_EQ_F64(found->string.ranks.items[k].count, (double)count);
            }
        }
    }
    PEN_CHECK_EQ_I64(found->string.n_unique, n_unique);
    PEN_CHECK_EQ_I64(found->string.ranks.n_items, n_unique);
    PEN_CHECK_EQ_F64(found->string.avg_length, (double)length / ROWS);
    pen_statistics_deinit(&statistics);
    pen_free(texts);
}

/* Every slice equals statistics of its rows alone. */
static void slices_equal_their_rows(void)
{
    struct texts *texts = pen_calloc(1, sizeof *texts);
    static const char *const names[] = {"text", "codes", "k"};
    fill_texts(texts);
    struct pen_column columns[3] = {column_of(texts, PEN_TYPE_BYTES), column_of(texts, PEN_TYPE_CODES),
                                    column_of(texts, PEN_TYPE_INT64)};
    struct pen_batch batch = {ROWS, 0, 3, names, columns};
    struct pen_statistics_batches batches = {"train", 1, &batch};
    struct pen_statistics_source source = pen_statistics_source_batches(&batches);
    struct pen_slice_item items[] = {{"k", NULL}, {"codes", "v1"}};
    struct pen_slicing slicings[] = {{1, items}, {2, items}};
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    struct pen_statistics statistics;
    struct pen_error err = PEN_ERROR_INIT;
    options.slicings = slicings;
    options.n_slicings = 2;
    PEN_REQUIRE_OK(pen_statistics_compute(&statistics, &source, 1, &options, &err), &err);
    PEN_CHECK(statistics.n_splits > 1 + 10);
    int64_t covered = 0;
    for (int64_t value = -3; value < 7; value++) {
        char slice[32];
        int64_t n_rows = 0, n_v1 = 0, n_present = 0;
        for (int64_t i = 0; i < ROWS; i++) {
            char text[32];
            bool inside = texts->integers[i] == value, present = i % 5 != 0;
            n_rows += inside;
            n_present += inside && present;
            n_v1 += inside && present && strcmp(word((uint64_t)i, text), "v1") == 0;
        }
        (void)snprintf(slice, sizeof slice, "k=%lld", (long long)value);
        const struct pen_split_statistics *one = pen_statistics_find_split(&statistics, "train", slice);
        PEN_REQUIRE(one != NULL);
        PEN_CHECK_EQ_I64(one->n_rows, n_rows);
        PEN_CHECK_EQ_I64(one->features[0].n_present, n_present);
        PEN_CHECK_EQ_I64(one->features[1].string.n_unique, one->features[0].string.n_unique);
        PEN_CHECK_EQ_F64(one->features[2].numeric.mean, (double)value);
        covered += one->n_rows;
        (void)snprintf(slice, sizeof slice, "k=%lld codes=v1", (long long)value);
        one = pen_statistics_find_split(&statistics, "train", slice);
        PEN_CHECK_EQ_I64(one == NULL ? 0 : one->n_rows, n_v1);
    }
    PEN_CHECK_EQ_I64(covered, ROWS);
    pen_statistics_deinit(&statistics);
    pen_free(texts);
}

/* All of them, at full length, of whole splits; and an error rather than some of them. */
static void vocabularies_are_whole_or_refused(void)
{
    enum { N = 8192, LENGTH = 1500 };
    int64_t *offsets = pen_calloc(N + 1, sizeof *offsets);
    char *bytes = pen_calloc(N + 1, LENGTH);
    static const char *const names[] = {"text", "k"};
    for (int64_t i = 0; i < N; i++) {
        (void)memset(bytes + i * LENGTH, 'x', LENGTH);
        bytes[i * LENGTH + LENGTH - 2] = (char)('0' + i / 2 / 64);
        bytes[i * LENGTH + LENGTH - 1] = (char)('0' + i / 2 % 64);
        offsets[i + 1] = (i + 1) * LENGTH;
    }
    const struct pen_column columns[2] = {{.type = PEN_TYPE_BYTES, .n_rows = N, .offsets = offsets, .bytes = bytes},
                                          {.type = PEN_TYPE_INT64, .n_rows = N, .values = offsets}};
    const struct pen_batch batch = {N, 0, 2, names, columns};
    const struct pen_statistics_batches batches = {"train", 1, &batch};
    struct pen_statistics_source source = pen_statistics_source_batches(&batches);
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    struct pen_statistics statistics;
    struct pen_error err = PEN_ERROR_INIT;
    options.vocabularies = names;
    options.n_vocabularies = 1;
    PEN_REQUIRE_OK(pen_statistics_compute(&statistics, &source, 1, &options, &err), &err);
    const struct pen_string_statistics *found = &statistics.splits[0].features[0].string;
    PEN_CHECK_EQ_I64(found->ranks.n_items, 1000);
    PEN_REQUIRE_EQ_I64(found->vocabulary.n_items, N / 2);
    for (int64_t i = 0; i < N / 2; i++) { /* each twice: the larger byte string first */
        const char *wanted = bytes + (N - 2 - 2 * i) * LENGTH;
        PEN_CHECK_EQ_I64((int64_t)strlen(found->vocabulary.items[i].value), LENGTH);
        PEN_CHECK(memcmp(found->vocabulary.items[i].value, wanted, LENGTH) == 0);
    }
    pen_statistics_deinit(&statistics);
    options.memory_bytes = 1 << 20;
    PEN_CHECK_STATUS(pen_statistics_compute(&statistics, &source, 1, &options, &err), PEN_ERR_LIMIT);
    PEN_CHECK_CONTAINS(err.message, "raise memory_mb");
    options.n_vocabularies = 2;
    PEN_CHECK_STATUS(pen_statistics_compute(&statistics, &source, 1, &options, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "expected features of strings or of option categorical, found k, which is int64");
    pen_free(offsets);
    pen_free(bytes);
}

/* 40,000 values, every one of the first hundred 1,000 times, in a table for 1,000. */
static void a_cut_table_keeps_its_bounds(void)
{
    struct pen_value_table *table = NULL;
    struct pen_error err = PEN_ERROR_INIT;
    bool invalid = false;
    int64_t n = 0;
    PEN_REQUIRE_OK(pen_value_table_create(&table, 1 << 20, 1000, &err), &err);
    for (int sweep = 0; sweep < 2; sweep++) {
        n = 0;
        for (int64_t i = 0; i < 140000; i++, n++) {
            char text[32];
            (void)snprintf(text, sizeof text, i % 7 < 5 ? "often %lld" : "once %lld",
                           (long long)(i % 7 < 5 ? (i / 7 * 5 + i % 7) % 100 : i));
            PEN_REQUIRE_OK(pen_value_table_add(table, text, strlen(text), 1, 0, &invalid, &err), &err);
        }
        if (sweep == 0) {
            PEN_CHECK(!pen_value_table_exact(table));
            pen_value_table_begin_recount(table);
        }
    }
    PEN_CHECK(pen_value_table_missed(table) <= n / 500);
    PEN_CHECK_NEAR(pen_value_table_n_distinct(table), 40100.0, 4 * pen_hll_error() * 40100.0);
    int64_t n_often = 0;
    for (int64_t i = 0; i < pen_value_table_n_entries(table); i++) {
        const struct pen_value_entry *entry = pen_value_table_entry(table, i);
        if (strncmp(pen_value_table_bytes(table, entry), "often", 5) == 0) {
            n_often++;
            PEN_CHECK_EQ_I64(entry->count, 1000);
        }
    }
    PEN_CHECK_EQ_I64(n_often, 100);
    pen_value_table_destroy(table);
}

static void distinct_counts_stay_within_their_error(void)
{
    static const int64_t sizes[] = {0, 1, 10, 1000, 20000, 100000, 1000000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct pen_hll *hll = pen_calloc(1, sizeof *hll), *half = pen_calloc(1, sizeof *half);
        for (int64_t i = 0; i < sizes[s]; i++) {
            pen_hll_add(i % 2 == 0 ? hll : half, (uint64_t)i * 0x9E3779B97F4A7C15U);
            pen_hll_add(half, (uint64_t)i * 0x9E3779B97F4A7C15U);
        }
        pen_hll_merge(hll, half);
        PEN_CHECK_NEAR(pen_hll_estimate(hll), (double)sizes[s], 4 * pen_hll_error() * (double)sizes[s]);
        pen_free(hll);
        pen_free(half);
    }
}

PEN_SUITE(statistics_string, PEN_CASE(strings_equal_counting),
          PEN_CASE(integers_declared_categorical_are_counted_as_text), PEN_CASE(slices_equal_their_rows),
          PEN_CASE(vocabularies_are_whole_or_refused), PEN_CASE(a_cut_table_keeps_its_bounds),
          PEN_CASE(distinct_counts_stay_within_their_error));
