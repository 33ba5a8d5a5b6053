/* Rows to slices: each column's cells become small codes, codes of several columns combine to one, combinations are
 * counted, filtered, ordered by value and numbered. */
#include "components/evaluator/slices.h"

#include "core/hash.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* Distinct 64-bit keys numbered by first appearance; open addressing, at most half full. */
struct numbering {
    uint64_t *keys; /* [n], by number */
    int64_t n, capacity, mask;
    int32_t *table; /* number + 1; 0: free */
};

static pen_status rehash(struct numbering *set, struct pen_error *err)
{
    int64_t slots = set->mask == 0 ? 1024 : 2 * (set->mask + 1);
    int32_t *table = NULL;
    PEN_ALLOC(table, slots, err);
    for (int64_t i = 0; i < set->n; i++) {
        int64_t at = (int64_t)pen_hash64(&set->keys[i], 8) & (slots - 1);
        while (table[at] != 0) {
            at = (at + 1) & (slots - 1);
        }
        table[at] = (int32_t)(i + 1);
    }
    pen_free(set->table);
    set->table = table;
    set->mask = slots - 1;
    return PEN_OK;
}

static pen_status number_of(struct numbering *set, uint64_t key, int32_t *number, struct pen_error *err)
{
    if (set->table == NULL || 2 * set->n >= set->mask) {
        PEN_TRY(rehash(set, err));
    }
    int64_t at = (int64_t)pen_hash64(&key, 8) & set->mask;
    for (; set->table[at] != 0; at = (at + 1) & set->mask) {
        if (set->keys[set->table[at] - 1] == key) {
            *number = set->table[at] - 1;
            return PEN_OK;
        }
    }
    PEN_TRY(pen_grow((void **)&set->keys, &set->capacity, set->n + 1, sizeof *set->keys, err));
    set->keys[set->n] = key;
    *number = (int32_t)set->n++;
    set->table[at] = *number + 1;
    return PEN_OK;
}

static void numbering_deinit(struct numbering *set)
{
    pen_free(set->keys);
    pen_free(set->table);
    *set = (struct numbering){0};
}

/* ---- one column ---- */

struct coded {
    int64_t column;
    enum pen_type type;
    struct numbering set; /* bits of the value, or its dictionary code */
    int32_t *codes;       /* [n_rows]; missing: -1 */
};

static uint64_t bits_of(const struct pen_column *view, int64_t row)
{
    uint64_t bits = 0;
    if (view->type == PEN_TYPE_FLOAT64 || view->type == PEN_TYPE_FLOAT32) {
        double value = view->type == PEN_TYPE_FLOAT64 ? ((const double *)view->values)[row]
                                                      : (double)((const float *)view->values)[row];
        value += 0.0;
        memcpy(&bits, &value, sizeof bits);
    } else if (view->type == PEN_TYPE_INT64) {
        bits = (uint64_t)((const int64_t *)view->values)[row];
    } else {
        bits = (uint64_t)((const int32_t *)view->values)[row];
    }
    return bits;
}

/* A number column stops early once it has more than most_values values. */
static pen_status code_column(const struct pen_store *store, const uint8_t *keep, int64_t most_values,
                              struct coded *coded, struct pen_error *err)
{
    struct pen_store_buffer buffer = {0};
    pen_status status = PEN_OK;
    int64_t raw = 0, kept = 0;
    bool number = pen_type_is_number(coded->type);
    for (int64_t chunk = 0; chunk < pen_store_n_chunks(store); chunk++) {
        struct pen_column view;
        PEN_TRY_GOTO(cleanup, pen_store_read(store, coded->column, chunk, &buffer, &view, err));
        for (int64_t row = 0; row < view.n_rows; row++, raw++) {
            if (keep[raw] == 0) {
                continue;
            }
            int32_t *code = &coded->codes[kept++];
            *code = -1;
            if (view.type != PEN_TYPE_NONE && pen_is_valid(view.validity, row)) {
                PEN_TRY_GOTO(cleanup, number_of(&coded->set, bits_of(&view, row), code, err));
            }
        }
        if (number && coded->set.n > most_values) {
            break;
        }
    }
cleanup:
    pen_store_buffer_deinit(&buffer);
    return status;
}

/* The text of a column's value number; NULL: missing. */
static const char *text_of(struct pen_arena *arena, const struct pen_store *store, const struct coded *coded,
                           int32_t code)
{
    if (code < 0) {
        return NULL;
    }
    uint64_t bits = coded->set.keys[code];
    if (coded->type == PEN_TYPE_CODES) {
        const struct pen_dictionary *dictionary = pen_store_dictionary(store, coded->column);
        int64_t at = dictionary->offsets[bits], size = dictionary->offsets[bits + 1] - at;
        return pen_arena_strndup(arena, dictionary->bytes + at, (size_t)size);
    }
    if (coded->type == PEN_TYPE_INT64) {
        return pen_arena_printf(arena, "%lld", (long long)(int64_t)bits);
    }
    double value = 0;
    char out[PEN_NUMBER_BYTES];
    memcpy(&value, &bits, sizeof value);
    return pen_arena_strdup(arena, pen_format_double(out, value));
}

/* ---- combinations ---- */

static int compare_slices(const void *left, const void *right)
{
    const struct pen_slice *a = left, *b = right;
    for (int64_t i = 0; i < a->spec->n_columns; i++) {
        const char *x = a->values[i], *y = b->values[i];
        double u = 0, v = 0;
        if (x == NULL || y == NULL) {
            if (x != y) {
                return x == NULL ? 1 : -1;
            }
            continue;
        }
        bool numbers = pen_parse_double(x, strlen(x), &u) && pen_parse_double(y, strlen(y), &v);
        int order = numbers && (u < v || u > v) ? (u < v ? -1 : 1) : strcmp(x, y);
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

static int larger_first(const void *left, const void *right)
{
    const struct pen_slice *a = left, *b = right;
    int order = (a->n_rows < b->n_rows) - (a->n_rows > b->n_rows);
    return order != 0 ? order : compare_slices(left, right);
}

struct work {
    struct pen_arena *arena;
    const struct pen_store *store;
    const struct pen_slice_spec *spec;
    struct coded coded[4];
    struct numbering combined;
    int32_t *rows;   /* combination of each row */
    int64_t *counts; /* of each combination */
    int32_t *place;  /* combination -> slice, or -1 */
};

/* A combination is a number with one digit a column; false when it might not fit. */
static bool can_combine(const struct work *work)
{
    uint64_t size = 1;
    for (int64_t c = 0; c < work->spec->n_columns; c++) {
        PEN_ASSERT(work->coded[c].codes != NULL);
        if (__builtin_mul_overflow(size, (uint64_t)(work->coded[c].set.n + 1), &size)) {
            return false;
        }
    }
    return true;
}

static pen_status combine(struct work *work, int64_t n_rows, struct pen_error *err)
{
    for (int64_t row = 0; row < n_rows; row++) {
        uint64_t key = 0;
        for (int64_t c = 0; c < work->spec->n_columns; c++) {
            key = key * (uint64_t)(work->coded[c].set.n + 1) + (uint64_t)(work->coded[c].codes[row] + 1);
        }
        PEN_TRY(number_of(&work->combined, key, &work->rows[row], err));
    }
    PEN_ALLOC(work->counts, work->combined.n + 1, err);
    PEN_ALLOC(work->place, work->combined.n + 1, err);
    for (int64_t row = 0; row < n_rows; row++) {
        work->counts[work->rows[row]]++;
    }
    return PEN_OK;
}

/* Values and title of one combination; *wanted is false when the spec asks for other values. */
static pen_status describe(struct work *work, int32_t combination, struct pen_slice *slice, bool *wanted,
                           struct pen_error *err)
{
    int64_t n = work->spec->n_columns;
    const char **values = pen_arena_alloc(work->arena, n, sizeof *values);
    bool *is_number = pen_arena_alloc(work->arena, n, sizeof *is_number);
    const char *title = "";
    uint64_t key = work->combined.keys[combination];
    *wanted = true;
    for (int64_t c = n - 1; values != NULL && is_number != NULL && title != NULL && c >= 0; c--) {
        uint64_t base = (uint64_t)(work->coded[c].set.n + 1);
        values[c] = text_of(work->arena, work->store, &work->coded[c], (int32_t)(key % base) - 1);
        is_number[c] = pen_type_is_number(work->coded[c].type);
        key /= base;
        const char *asked = work->spec->values != NULL ? work->spec->values[c] : NULL;
        *wanted = *wanted && (asked == NULL || (values[c] != NULL && strcmp(asked, values[c]) == 0));
        title = pen_arena_printf(work->arena, "%s=%s%s%s", work->spec->columns[c], values[c] ? values[c] : "(missing)",
                                 title[0] != '\0' ? " " : "", title);
    }
    if (values == NULL || is_number == NULL || title == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: slices");
    }
    *slice = (struct pen_slice){work->spec, values, is_number, title, work->counts[combination]};
    return PEN_OK;
}

/* The `most` largest combinations of at least min_rows, ordered by value; place[] and the note follow. */
static pen_status select_slices(struct work *work, const struct pen_slice_limits *limits, struct pen_slicing *slicing,
                                struct pen_error *err)
{
    int64_t n = work->combined.n, n_small = 0, n_found = 0;
    struct pen_slice *found = pen_arena_alloc(work->arena, n + 1, sizeof *found);
    if (found == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld slices", (long long)n);
    }
    for (int32_t i = 0; i < n; i++) {
        bool wanted = false;
        if (work->counts[i] < limits->min_rows) {
            n_small++;
            continue;
        }
        PEN_TRY(describe(work, i, &found[n_found], &wanted, err));
        n_found += wanted ? 1 : 0;
    }
    int64_t n_kept = n_found < limits->max_slices ? n_found : limits->max_slices;
    qsort(found, (size_t)n_found, sizeof *found, larger_first);
    qsort(found, (size_t)n_kept, sizeof *found, compare_slices);
    slicing->slices = found;
    slicing->n_slices = n_kept;
    if (n_small > 0 || n_kept < n_found) {
        slicing->note = pen_arena_printf(work->arena,
                                         "%lld slices with fewer than %lld rows and %lld beyond the "
                                         "largest %lld left out",
                                         (long long)n_small, (long long)limits->min_rows, (long long)(n_found - n_kept),
                                         (long long)limits->max_slices);
    }
    return PEN_OK;
}

static pen_status place_rows(struct work *work, int64_t n_rows, struct pen_slicing *slicing, struct pen_error *err)
{
    for (int32_t i = 0; i < work->combined.n; i++) {
        struct pen_slice slice = {0};
        bool wanted = false;
        PEN_TRY(describe(work, i, &slice, &wanted, err));
        const struct pen_slice *at =
            bsearch(&slice, slicing->slices, (size_t)slicing->n_slices, sizeof slice, compare_slices);
        work->place[i] = wanted && at != NULL ? (int32_t)(at - slicing->slices) : -1;
    }
    for (int64_t row = 0; row < n_rows; row++) {
        slicing->slice_of[row] = work->place[work->rows[row]];
    }
    return PEN_OK;
}

static pen_status fail_no_column(const struct work *work, const char *name, struct pen_error *err)
{
    int64_t n = pen_store_n_columns(work->store);
    const char **names = pen_arena_alloc(work->arena, n + 1, sizeof *names);
    char quoted[PEN_QUOTE_BYTES];
    if (names == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: slices");
    }
    for (int64_t i = 0; i < n; i++) {
        names[i] = pen_store_column_name(work->store, i);
    }
    const char *near = pen_nearest_name(name, names, n);
    return pen_config_error(work->spec->node, err, "slices: expected a column of the data, found '%s'%s%s%s",
                            pen_quote(quoted, name, strlen(name)), near != NULL ? "; did you mean '" : "",
                            near != NULL ? near : "", near != NULL ? "'?" : "");
}

static pen_status code_columns(struct work *work, const uint8_t *keep, int64_t n_rows, int64_t most_values,
                               struct pen_slicing *slicing, struct pen_error *err)
{
    for (int64_t c = 0; c < work->spec->n_columns && slicing->note == NULL; c++) {
        struct coded *coded = &work->coded[c];
        const char *name = work->spec->columns[c];
        coded->column = pen_store_find_column(work->store, name);
        if (coded->column < 0) {
            return fail_no_column(work, name, err);
        }
        coded->type = pen_store_column_type(work->store, coded->column);
        if (coded->type == PEN_TYPE_BYTES) {
            slicing->note = pen_arena_printf(work->arena, "not sliced by %s: too many different texts", name);
            return PEN_OK;
        }
        PEN_ALLOC(coded->codes, n_rows + 1, err);
        PEN_TRY(code_column(work->store, keep, most_values, coded, err));
        if (pen_type_is_number(coded->type) && coded->set.n > most_values) {
            slicing->note = pen_arena_printf(work->arena, "not sliced by %s: more than %lld different numbers", name,
                                             (long long)most_values);
        }
    }
    return PEN_OK;
}

pen_status pen_slice_rows(struct pen_arena *arena, const struct pen_store *store, const struct pen_slice_spec *spec,
                          const uint8_t *keep, int64_t n_rows, const struct pen_slice_limits *limits,
                          struct pen_slicing *slicing, struct pen_error *err)
{
    struct work work = {.arena = arena, .store = store, .spec = spec};
    pen_status status = PEN_OK;
    *slicing = (struct pen_slicing){0};
    PEN_ALLOC_GOTO(cleanup, slicing->slice_of, n_rows + 1, err);
    if (spec->n_columns == 0) {
        slicing->slices = pen_arena_alloc(arena, 1, sizeof *slicing->slices);
        if (slicing->slices == NULL) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: slices");
        }
        slicing->slices[0] = (struct pen_slice){spec, NULL, NULL, "overall", n_rows};
        slicing->n_slices = 1;
        return PEN_OK;
    }
    PEN_TRY_GOTO(cleanup, code_columns(&work, keep, n_rows, limits->max_values, slicing, err));
    if (slicing->note == NULL && !can_combine(&work)) {
        slicing->note = pen_arena_printf(arena, "not sliced by %s and %lld more: more than 2^64 combinations",
                                         spec->columns[0], (long long)(spec->n_columns - 1));
    }
    if (slicing->note == NULL) {
        PEN_ALLOC_GOTO(cleanup, work.rows, n_rows + 1, err);
        PEN_TRY_GOTO(cleanup, combine(&work, n_rows, err));
        PEN_TRY_GOTO(cleanup, select_slices(&work, limits, slicing, err));
        PEN_TRY_GOTO(cleanup, place_rows(&work, n_rows, slicing, err));
    }
cleanup:
    for (int c = 0; c < 4; c++) {
        pen_free(work.coded[c].codes);
        numbering_deinit(&work.coded[c].set);
    }
    numbering_deinit(&work.combined);
    pen_free(work.rows);
    pen_free(work.counts);
    pen_free(work.place);
    if (status != PEN_OK) {
        pen_slicing_deinit(slicing);
    }
    return status;
}

void pen_slicing_deinit(struct pen_slicing *slicing)
{
    pen_free(slicing->slice_of);
    slicing->slice_of = NULL;
}
