/* From a call to nodes: arguments bound to parameters, and the functions that build. Only for the files that do. */
#ifndef PEN_COMPONENTS_TRANSFORM_LANGUAGE_CALLS_H
#define PEN_COMPONENTS_TRANSFORM_LANGUAGE_CALLS_H

#include "components/transform/language/functions.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_CALL_PARAMETERS = 5 };

/* An argument bound to its parameter: a node, or a literal. */
struct pen_argument {
    const struct pen_syntax *syntax; /* NULL: the default */
    int32_t node;
    int64_t integer;
    double number;
    const char *text;
    const double *list;
    int64_t n_list;
};

struct pen_call {
    const struct pen_syntax *syntax;
    int detail; /* from the function's row */
    struct pen_argument arguments[PEN_CALL_PARAMETERS];
    int32_t *more; /* arguments of a "more*" parameter */
    int64_t n_more;
};

typedef pen_status pen_build_fn(struct pen_builder *b, const struct pen_call *call, int32_t *out);

/* A parameter is written as a word: "x" an expression; "n#" a whole number, "low~" a number, "text$" a string,
 * "edges@" a list of numbers, "flag?" true or false: literals. "=..." gives a default (a string's without quotes),
 * "by!" is an expression that may be left out (its syntax is then NULL), "more*" any number of further expressions.
 * Positional arguments fill them in order, named ones by name. */
struct pen_function {
    const char *name;
    const char *parameters[PEN_CALL_PARAMETERS];
    pen_build_fn *build;
    int detail; /* which of its siblings */
};

/* bound->syntax is the call; fills in the rest. */
PEN_MUST_USE pen_status pen_call_bind(struct pen_builder *b, const struct pen_function *f, struct pen_call *bound);

/* "zscore: expected <wanted>", and that ", found a string", at the argument. */
pen_status pen_call_wrong(struct pen_builder *b, const struct pen_call *call, int argument, const char *wanted);
pen_status pen_call_wrong_type(struct pen_builder *b, const struct pen_call *call, int argument, const char *wanted);
/* The argument as a number, as a string; an error that names the function where it cannot be. */
PEN_MUST_USE pen_status pen_call_number(struct pen_builder *b, const struct pen_call *call, int argument, int32_t *out);
PEN_MUST_USE pen_status pen_call_string(struct pen_builder *b, const struct pen_call *call, int argument, int32_t *out);

pen_build_fn pen_build_abs, pen_build_amount, pen_build_bucketize, pen_build_buckets, pen_build_cast, pen_build_clip,
    pen_build_contains, pen_build_count, pen_build_count_tokens, pen_build_date, pen_build_entry, pen_build_fill,
    pen_build_hash, pen_build_if, pen_build_is_missing, pen_build_join, pen_build_length, pen_build_map, pen_build_map2,
    pen_build_minmax, pen_build_multihot, pen_build_ngrams, pen_build_onehot, pen_build_quantile, pen_build_rank,
    pen_build_scale, pen_build_split, pen_build_statistic, pen_build_tfidf, pen_build_tokens, pen_build_unique,
    pen_build_vocab;

#ifdef __cplusplus
}
#endif

#endif
