/* Default features: the rules of defaults.h, one function a kind of column. */
#include "components/transform/defaults.h"

#include "components/transform/amounts.h"
#include "components/transform/dates.h"
#include "components/transform/language/syntax.h"
#include "core/text.h"

#include <string.h>

enum {
    MANY_VALUES = 100,
    FEW_STRINGS = 10,
    FEW_INTS = 32,
    TEXT_LENGTH = 15,      /* bytes on average: words of text, when most values are distinct */
    LONG_TEXT_LENGTH = 30, /* the same when they are not */
    MANY_ROWS = 10000,     /* enough to learn from values that come twice */
    VALUES_LOOKED_AT = 20,
    NEARLY_ALL = 90 /* in a hundred of them */
};

struct defaults {
    struct pen_arena *arena;
    struct pen_transform_default *items;
    int64_t n_items;
    bool failed; /* memory ran out */
};

const char *pen_transform_quote_column(struct pen_arena *arena, const char *name)
{
    if (pen_syntax_is_identifier(name)) {
        return pen_arena_strdup(arena, name);
    }
    char *text = pen_arena_alloc(arena, 2 * (int64_t)strlen(name) + 3, 1);
    if (text == NULL) {
        return NULL;
    }
    char *out = text;
    *out++ = '`';
    for (const char *in = name; *in != '\0'; in++) {
        if (*in == '`') {
            *out++ = '`';
        }
        *out++ = *in;
    }
    *out = '`';
    return text;
}

/* A plain name made of the column's: a run of other bytes becomes one '_', and none at the end. */
static const char *feature_name(struct pen_arena *arena, const char *column)
{
    char *name = pen_arena_printf(arena, "%.100s", column), *out = name;
    bool other = false;
    for (const char *c = name; c != NULL && *c != '\0'; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || *c == '_' ||
                     (c != name && (*c == '-' || *c == '.'));
        if (plain || !other) {
            *out++ = plain ? *c : '_';
        }
        other = !plain;
    }
    if (name == NULL) {
        return NULL;
    }
    out -= other && out > name + 1;
    *out = '\0';
    return name[0] == '\0' ? "_" : name;
}

static bool name_taken(const struct defaults *all, const char *name)
{
    for (int64_t i = 0; i < all->n_items; i++) {
        if (all->items[i].expression != NULL && strcmp(all->items[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void add(struct defaults *all, const char *column, const char *suffix, const char *expression, const char *note)
{
    const char *base = feature_name(all->arena, column);
    const char *name = base == NULL ? NULL : pen_arena_printf(all->arena, "%s%s", base, suffix);
    for (int k = 2; name != NULL && expression != NULL && name_taken(all, name); k++) {
        name = pen_arena_printf(all->arena, "%s%s_%d", base, suffix, k);
    }
    if (name == NULL || note == NULL) {
        all->failed = true;
        return;
    }
    all->items[all->n_items++] =
        (struct pen_transform_default){.name = name, .column = column, .expression = expression, .note = note};
}

/* Expression text around the quoted column; a failed allocation marks the whole. */
static void add_format(struct defaults *all, const char *column, const char *suffix, const char *before,
                       const char *after, const char *note)
{
    const char *quoted = pen_transform_quote_column(all->arena, column);
    const char *text = quoted == NULL ? NULL : pen_arena_printf(all->arena, "%s%s%s", before, quoted, after);
    if (text == NULL) {
        all->failed = true;
        return;
    }
    add(all, column, suffix, text, note);
}

/* Row numbers and the like: integers, all different, with hardly a gap between them. */
static bool is_counter(const struct pen_feature_statistics *f)
{
    const struct pen_numeric_statistics *s = &f->numeric;
    return f->type == PEN_TYPE_INT64 && f->n_present > MANY_VALUES && s->exact_unique && s->n_unique == f->n_present &&
           s->max - s->min < 2 * (double)f->n_present;
}

static void number_features(struct defaults *all, const struct pen_feature_statistics *f)
{
    const struct pen_numeric_statistics *s = &f->numeric;
    if (f->has_numeric && !(s->max > s->min)) {
        add(all, f->name, "", NULL, "one value only");
        return;
    }
    if (is_counter(f)) {
        add(all, f->name, "", NULL, "every row has its own number: an identifier");
        return;
    }
    bool long_tail = s->min >= 0 && s->std > 0 && s->max > s->mean + 8 * s->std;
    bool has_missing = f->n_missing > 0 || s->n_nan > 0;
    const char *fill = has_missing ? "fill(" : "";
    const char *end = has_missing ? ", 'median')" : "";
    const char *before = pen_arena_printf(all->arena, long_tail ? "zscore(log1p(%s" : "zscore(%s", fill);
    const char *after = pen_arena_printf(all->arena, long_tail ? "%s))" : "%s)", end);
    if (before == NULL || after == NULL) {
        all->failed = true;
        return;
    }
    add_format(all, f->name, "", before, after, long_tail ? "long tail" : "");
    if (f->type == PEN_TYPE_INT64 && s->max - s->min >= 2 && s->max - s->min < FEW_INTS) {
        add_format(all, f->name, "_is", "onehot(", ")", "few values");
    }
    if (has_missing) {
        add_format(all, f->name, "_missing", "is_missing(", ")", "");
    }
}

static bool has_words(const char *value)
{
    return strchr(value, ' ') != NULL;
}

/* 2013-01-31, with or without a time after it. */
static bool is_date(const char *value)
{
    static const char shape[] = "0000-00-00";
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        if (shape[i] == '0' ? value[i] < '0' || value[i] > '9' : value[i] != shape[i]) {
            return false;
        }
    }
    return value[sizeof shape - 1] == '\0' || value[sizeof shape - 1] == 'T' || value[sizeof shape - 1] == ' ';
}

static bool is_amount(const char *value, char decimal)
{
    double number = 0;
    return pen_parse_amount(value, strlen(value), decimal, &number);
}

static bool is_amount_with_point(const char *value)
{
    return is_amount(value, '.');
}

static bool is_amount_with_comma(const char *value)
{
    return is_amount(value, ',');
}

static bool is_plain_number(const char *value)
{
    double number = 0;
    return pen_parse_double(value, strlen(value), &number);
}

/* How many, in a hundred, of the values that come up most often are like this? */
static int64_t percent_like(const struct pen_value_counts *top, bool (*like)(const char *value))
{
    int64_t n = top->n_items < VALUES_LOOKED_AT ? top->n_items : VALUES_LOOKED_AT;
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        count += like(top->items[i].value);
    }
    return n == 0 ? 0 : 100 * count / n;
}

static bool most(const struct pen_value_counts *top, bool (*like)(const char *value))
{
    return percent_like(top, like) > 50;
}

const char *pen_transform_number_of_text(struct pen_arena *arena, const struct pen_feature_statistics *feature)
{
    if (!pen_type_is_string(feature->type) || !feature->has_string || feature->string.n_unique <= FEW_STRINGS) {
        return NULL;
    }
    const struct pen_value_counts *top = &feature->string.top;
    int64_t point = percent_like(top, is_amount_with_point), comma = percent_like(top, is_amount_with_comma);
    if ((point < NEARLY_ALL && comma < NEARLY_ALL) || percent_like(top, is_plain_number) == 100) {
        return NULL;
    }
    const char *quoted = pen_transform_quote_column(arena, feature->name);
    const char *option = comma > point ? ", decimal: ','" : "";
    return quoted == NULL ? NULL : pen_arena_printf(arena, "number(%s%s)", quoted, option);
}

static bool is_day_first(const char *value)
{
    int64_t seconds = 0;
    return pen_parse_seconds(value, strlen(value), PEN_DATE_DMY, &seconds);
}

static bool is_month_first(const char *value)
{
    int64_t seconds = 0;
    return pen_parse_seconds(value, strlen(value), PEN_DATE_MDY, &seconds);
}

/* False: the texts are no dates. Where none of those looked at tells days from months, points stand for days first. */
static bool date_features(struct defaults *all, const struct pen_feature_statistics *f)
{
    const struct pen_value_counts *top = &f->string.top;
    int64_t day_first = percent_like(top, is_day_first), month_first = percent_like(top, is_month_first);
    const char *after = "))", *note = "a date";
    if (!most(top, is_date)) {
        if (day_first < NEARLY_ALL && month_first < NEARLY_ALL) {
            return false;
        }
        bool days = day_first > month_first || (day_first == month_first && strchr(top->items[0].value, '.') != NULL);
        after = days ? ", order: 'dmy'))" : ", order: 'mdy'))";
        note = days ? "a date, days first" : "a date, months first";
    }
    add_format(all, f->name, "_month", "onehot(month(", after, note);
    add_format(all, f->name, "_weekday", "onehot(weekday(", after, "");
    if (f->string.avg_length > (double)strlen("2013-01-31")) {
        add_format(all, f->name, "_hour", "onehot(hour(", after, "");
    }
    return true;
}

/* True: the column's texts are numbers, and their features are added. */
static bool amount_features(struct defaults *all, const struct pen_feature_statistics *f)
{
    const char *number = pen_transform_number_of_text(all->arena, f);
    if (number == NULL) {
        return false;
    }
    bool has_missing = f->n_missing > 0;
    const char *scaled =
        pen_arena_printf(all->arena, has_missing ? "zscore(fill(%s, 'median'))" : "zscore(%s)", number);
    const char *missing = pen_arena_printf(all->arena, "is_missing(%s)", number);
    if (scaled == NULL || missing == NULL) {
        all->failed = true;
        return true;
    }
    add(all, f->name, "", scaled, "a number, as people write it");
    if (has_missing) {
        add(all, f->name, "_missing", missing, "");
    }
    return true;
}

static void string_features(struct defaults *all, const struct pen_feature_statistics *f)
{
    const struct pen_string_statistics *s = &f->string;
    bool mostly_distinct = s->n_unique > MANY_VALUES && (double)s->n_unique > 0.5 * (double)f->n_present;
    bool all_distinct = mostly_distinct && (double)s->n_unique > 0.9 * (double)f->n_present;
    bool many = f->type == PEN_TYPE_BYTES || mostly_distinct;
    bool long_text = s->avg_length > LONG_TEXT_LENGTH && s->n_unique > MANY_VALUES;
    if (s->n_unique <= 1 && f->n_missing == 0) {
        add(all, f->name, "", NULL, "one value only");
    } else if (date_features(all, f) || amount_features(all, f)) {
        return;
    } else if (most(&s->top, has_words) && (long_text || (many && s->avg_length >= TEXT_LENGTH))) {
        add_format(all, f->name, "", "hash(ngrams(tokens(lower(", ")), [1, 2]), 131072)", "free text");
        add_format(all, f->name, "_length", "zscore(log1p(length(", ")))", "");
    } else if (all_distinct || (mostly_distinct && f->n_present < MANY_ROWS)) {
        add(all, f->name, "", NULL, "nearly every row has its own value: an identifier");
    } else if (many) {
        add_format(all, f->name, "", "hash(", ", 131072)", "too many values to list");
    } else if (s->n_unique <= FEW_STRINGS) {
        add_format(all, f->name, "", "onehot(", ")", "");
    } else {
        add_format(all, f->name, "", "vocab(", ", top_k: 10000, oov: 10)", "");
    }
}

static bool is_excluded(const char *name, const char *const *excluded, int64_t n_excluded)
{
    for (int64_t i = 0; i < n_excluded; i++) {
        if (strcmp(name, excluded[i]) == 0) {
            return true;
        }
    }
    return false;
}

pen_status pen_transform_default_features(struct pen_arena *arena, const struct pen_statistics *statistics,
                                          const char *split, const char *const *excluded, int64_t n_excluded,
                                          struct pen_transform_default **features, int64_t *n_features,
                                          struct pen_error *err)
{
    const struct pen_split_statistics *of = split != NULL ? pen_statistics_find_split(statistics, split, NULL)
                                            : statistics->n_splits == 0 ? NULL
                                                                        : &statistics->splits[0];
    if (of == NULL) {
        PEN_FAIL(err, PEN_ERR_DATA, "statistics: expected a split named '%s', found none",
                 split == NULL ? "train" : split);
    }
    /* At most three features a column. */
    struct defaults all = {.arena = arena, .items = pen_arena_alloc(arena, 3 * of->n_features + 1, sizeof *all.items)};
    if (all.items == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: default features");
    }
    for (int64_t i = 0; i < of->n_features; i++) {
        const struct pen_feature_statistics *f = &of->features[i];
        if (is_excluded(f->name, excluded, n_excluded)) {
            continue;
        }
        if (f->type == PEN_TYPE_NONE || f->n_present == 0) {
            add(&all, f->name, "", NULL, "never present");
        } else if (pen_type_is_string(f->type)) {
            string_features(&all, f);
        } else {
            number_features(&all, f);
        }
    }
    if (all.failed) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: default features");
    }
    *features = all.items;
    *n_features = all.n_items;
    return PEN_OK;
}

/* Depth-first over the tree, each column once. */
static void collect_columns(const struct pen_syntax *node, const char **list, int64_t *n)
{
    if (node->kind == PEN_SYNTAX_COLUMN && !is_excluded(node->text, list, *n)) {
        list[(*n)++] = node->text;
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        collect_columns(node->children[i], list, n);
    }
}

pen_status pen_transform_expression_columns(struct pen_arena *arena, const char *expression, const char *where,
                                            const char *const **columns, int64_t *n_columns, struct pen_error *err)
{
    const struct pen_syntax *root = NULL;
    struct pen_syntax_source source = {.text = expression, .file = where, .what = "label"};
    PEN_TRY(pen_syntax_parse(arena, &source, &root, err));
    const char **list = pen_arena_alloc(arena, (int64_t)strlen(expression) + 1, sizeof *list);
    if (list == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: columns of an expression");
    }
    int64_t n = 0;
    collect_columns(root, list, &n);
    *columns = list;
    *n_columns = n;
    return PEN_OK;
}
