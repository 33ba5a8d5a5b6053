/* Features for a table nobody has described: one expression (or two) a column, chosen from its statistics.
 *
 * Used by Transform when `features:` is absent, and by `penstock init`, which writes the same expressions into the
 * pipeline file for the user to edit. Rules, per column not excluded:
 *
 *   never present, or one value only      no feature (note says why)
 *   number                                zscore(fill(x, 'median')); zscore(log1p(...)) for long-tailed x >= 0
 *   int with 3 to 32 possible values      the same, plus onehot of its values
 *   int, every value another and dense    no feature (a row number)
 *   string, up to 10 values               onehot(x)
 *   string, more values                   vocab(x, top_k: 10000, oov: 10)
 *   string, more than 10 "1,234.5", "5 %" zscore(number(x))
 *   string, 2024-03-01[T12:30]            onehot of month(x), weekday(x) and, with a time, hour(x)
 *   string, 1.3.2024, 3/1/24 9:30 PM      the same with order: 'dmy' or 'mdy'
 *   free text (words, long)               hash(ngrams(tokens(lower(x)), [1, 2]), 131072)
 *   string, nearly all values distinct    no feature (an identifier)
 *   string, most values distinct          hash(x, 131072) from 10,000 rows on; an identifier below
 *   missing cells in a number             plus is_missing(x) */
#ifndef PEN_COMPONENTS_TRANSFORM_DEFAULTS_H
#define PEN_COMPONENTS_TRANSFORM_DEFAULTS_H

#include "core/memory.h"
#include "datasets/statistics/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_transform_default {
    const char *name;       /* of the feature: [A-Za-z0-9_.-] */
    const char *column;     /* it comes from */
    const char *expression; /* NULL: no feature is made of this column, `note` says why */
    const char *note;       /* one short remark, or "" */
};

/* split NULL: the first one. excluded: columns the label and the weight use. All strings in the arena. */
PEN_API PEN_MUST_USE pen_status pen_transform_default_features(
    struct pen_arena *arena, const struct pen_statistics *statistics, const char *split, const char *const *excluded,
    int64_t n_excluded, struct pen_transform_default **features, int64_t *n_features, struct pen_error *err);

/* "number(x)" where nearly all the texts looked at are numbers as people write them and some are more than plain ones;
 * NULL: it is another column, or out of memory. */
PEN_API const char *pen_transform_number_of_text(struct pen_arena *arena, const struct pen_feature_statistics *feature);

/* A column's name as the expression language writes it: itself, or in backquotes. NULL: out of memory. */
PEN_API const char *pen_transform_quote_column(struct pen_arena *arena, const char *name);

/* Columns an expression reads, in order of appearance, each once: what a label keeps out of the features. The error
 * starts with `where` ("pipeline.yaml", "--label"). */
PEN_API PEN_MUST_USE pen_status pen_transform_expression_columns(struct pen_arena *arena, const char *expression,
                                                                 const char *where, const char *const **columns,
                                                                 int64_t *n_columns, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
