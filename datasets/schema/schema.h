/* The schema: what columns the data must have, and what their values may be. Read from and written to schema.yaml.
 *
 *   features:
 *     fare: {type: float, presence: required, shape: [1], min: 0}  # comment
 *     company: {type: string, presence: some, domain: companies}
 *   domains: {companies: [Flash Cab, Sun Taxi]}
 *
 * The model is TFX's (tensorflow_metadata's Schema), less what needs nested values or images. Every field of the file
 * is described in the comment the writer puts at its top (print.c). Reading refuses wrong form (unknown field, wrong
 * kind, undefined domain) with file, line, column and the nearest name; a schema that is well formed but that no
 * data can satisfy (min above max, a domain of another type) is reported by the validator as an anomaly.
 *
 * write(read(text)) keeps everything but comments; read(write(schema)) is equal field by field, except notes. */
#ifndef PEN_DATASETS_SCHEMA_SCHEMA_H
#define PEN_DATASETS_SCHEMA_SCHEMA_H

#include "core/config.h"
#include "core/hash.h"
#include "datasets/schema/anomaly_types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_schema_type {
    PEN_SCHEMA_TYPE_UNSET, /* the file does not say: anomaly FEATURE_MISSING_TYPE */
    PEN_SCHEMA_TYPE_NONE,  /* inferred from a column without any value: "none" */
    PEN_SCHEMA_TYPE_INT,
    PEN_SCHEMA_TYPE_FLOAT,
    PEN_SCHEMA_TYPE_STRING
};

enum pen_schema_domain {
    PEN_SCHEMA_DOMAIN_NONE,
    PEN_SCHEMA_DOMAIN_INT,   /* min_int, max_int; on strings: all parse as integers */
    PEN_SCHEMA_DOMAIN_FLOAT, /* min, max, disallow_nan, disallow_inf; on strings: all parse as numbers */
    PEN_SCHEMA_DOMAIN_BOOL,  /* 0 and 1; on strings: true_value and false_value */
    PEN_SCHEMA_DOMAIN_STRINGS
};

enum pen_schema_stage {
    PEN_SCHEMA_STAGE_UNSET,
    PEN_SCHEMA_STAGE_PLANNED,
    PEN_SCHEMA_STAGE_ALPHA,
    PEN_SCHEMA_STAGE_BETA,
    PEN_SCHEMA_STAGE_PRODUCTION,
    PEN_SCHEMA_STAGE_DEPRECATED,
    PEN_SCHEMA_STAGE_DEBUG_ONLY,
    PEN_SCHEMA_STAGE_DISABLED,
    PEN_SCHEMA_STAGE_DERIVED /* TFX's VALIDATION_DERIVED: made for validation only */
};

/* How a derived feature comes from its sources: no column of the data, but made of them while they are validated. */
enum pen_schema_deriver {
    PEN_SCHEMA_DERIVER_NONE,
    PEN_SCHEMA_DERIVER_LENGTH,       /* characters of a string: int */
    PEN_SCHEMA_DERIVER_COUNT_TOKENS, /* tokens of a string: int */
    PEN_SCHEMA_DERIVER_DIFFERENCE,   /* a - b of two numbers: float */
    PEN_SCHEMA_DERIVER_RATIO         /* a / b of two numbers: float; as IEEE 754 divides by zero */
};

enum pen_schema_histogram { PEN_SCHEMA_HISTOGRAM_STANDARD, PEN_SCHEMA_HISTOGRAM_QUANTILES };

/* Thresholds of distance.h's measures; negative: not measured. */
struct pen_schema_comparator {
    double infinity_norm, jensen_shannon, normalized_abs_difference;
    enum pen_schema_histogram source; /* of jensen_shannon for numbers */
};

/* Rows now / rows before; negative: no limit. */
struct pen_schema_ratio {
    double min_ratio, max_ratio;
};

struct pen_schema_severity {
    enum pen_anomaly anomaly;
    enum pen_severity severity;
};

struct pen_schema_severities {
    int64_t n_items;
    const struct pen_schema_severity *items;
};

/* How often a token may stand in one text, and in what share of the texts it may; negative: no limit. */
struct pen_schema_token {
    const char *token;
    int64_t min_per_sequence, max_per_sequence;
    double min_fraction_of_sequences, max_fraction_of_sequences;
};

/* TFX's natural_language_domain, for the tokens of a string: runs of letters, digits and bytes from 0x80 on. */
struct pen_schema_language {
    bool lower;                  /* A-Z are taken for a-z before tokens are compared */
    const char *vocabulary_name; /* a shared domain; NULL: the values below; none at all: any token is in it */
    struct pen_config_strings vocabulary_values;
    double min_coverage;                       /* share of tokens in the vocabulary; negative: not demanded */
    double min_avg_token_length;               /* characters; negative: not demanded */
    struct pen_config_strings excluded_tokens; /* not looked at in coverage and length */
    struct pen_config_strings oov_tokens;      /* outside the vocabulary, and not looked at in length */
    int64_t n_constraints;
    const struct pen_schema_token *constraints;
};

/* Why inference wrote a field: a comment behind it. Not part of the schema, its digest or equality. */
enum pen_schema_note {
    PEN_SCHEMA_NOTE_TYPE,
    PEN_SCHEMA_NOTE_PRESENCE,
    PEN_SCHEMA_NOTE_SHAPE,
    PEN_SCHEMA_NOTE_VALUES,
    PEN_SCHEMA_NOTE_DOMAIN,
    PEN_SCHEMA_NOTE_COUNT
};

struct pen_schema_feature {
    const char *name;
    enum pen_schema_type type;
    int64_t min_count;   /* presence: rows with a value; 0: none demanded */
    double min_fraction; /* presence: share of rows with a value; 0: none demanded */
    bool has_shape;
    int64_t n_dimensions; /* 0: a scalar, one value a row */
    const int64_t *dimensions;
    int64_t min_values, max_values; /* values a present row; -1: no limit */
    enum pen_schema_domain domain;
    int64_t min_int, max_int; /* INT64_MIN, INT64_MAX: no limit */
    double min, max;          /* -inf, inf: no limit */
    bool disallow_nan, disallow_inf;
    const char *domain_name; /* STRINGS: a shared domain; NULL: the values below */
    struct pen_config_strings domain_values;
    const char *true_value, *false_value; /* BOOL on strings; NULL: none */
    bool is_categorical;
    enum pen_schema_stage stage;
    struct pen_config_strings in_environment, not_in_environment;
    bool has_unique;
    int64_t unique_min, unique_max; /* -1: no limit */
    double min_domain_mass;         /* share of values that must be in the domain; 1 by default */
    struct pen_schema_comparator drift, skew;
    struct pen_schema_severities severities;
    const struct pen_schema_language *language; /* NULL: none */
    enum pen_schema_deriver deriver;
    const char *derived_from[2]; /* columns of the data; the second is NULL where one is enough */
    struct pen_config_strings tags;
    const char *comment;                      /* NULL: none */
    const char *notes[PEN_SCHEMA_NOTE_COUNT]; /* NULL: none */
};

struct pen_schema_shared_domain {
    const char *name;
    struct pen_config_strings values;
};

/* Columns that are one feature together. Sparse: `parts` are its indices; weighted: its one weight. A row must have all
 * of them or none; with a separator, a cell is a list, and the lists of a row must be of one length. */
struct pen_schema_compound {
    const char *name;
    struct pen_config_strings parts;
    const char *value;
    const char *separator; /* of the items in one cell; NULL: a cell is one value */
    enum pen_schema_stage stage;
};

enum pen_schema_compound_kind { PEN_SCHEMA_SPARSE, PEN_SCHEMA_WEIGHTED, PEN_SCHEMA_COMPOUND_KINDS };

struct pen_schema_compounds {
    int64_t n_items;
    const struct pen_schema_compound *items;
};

struct pen_schema_dataset {
    int64_t min_examples, max_examples; /* -1: no limit */
    struct pen_schema_ratio drift;      /* against the previous span or run */
    struct pen_schema_ratio version;    /* against the previous version of the span */
};

struct pen_schema {
    struct pen_arena arena; /* owns everything below */
    struct pen_config_strings default_environment;
    struct pen_schema_dataset dataset;
    struct pen_schema_severities severities; /* for all features; a feature's own come first */
    int64_t n_domains;
    const struct pen_schema_shared_domain *domains;
    int64_t n_features;
    const struct pen_schema_feature *features; /* in file order */
    struct pen_schema_compounds compounds[PEN_SCHEMA_COMPOUND_KINDS];
};

/* A feature with nothing demanded: every field at its default. */
PEN_API void pen_schema_feature_init(struct pen_schema_feature *feature, const char *name, enum pen_schema_type type);
PEN_API void pen_schema_init(struct pen_schema *schema); /* no features */
PEN_API void pen_schema_deinit(struct pen_schema *schema);

PEN_API PEN_MUST_USE pen_status pen_schema_parse(const char *text, size_t size_bytes, const char *file,
                                                 struct pen_schema *schema, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_schema_read(const char *path, struct pen_schema *schema, struct pen_error *err);

/* {infinity_norm: 0.1, jensen_shannon: 0.1, source: standard | quantiles, normalized_abs_difference: 0.1}; `name` is
 * the section's, for errors. NULL node: no thresholds. */
PEN_API PEN_MUST_USE pen_status pen_schema_comparator_from_tree(struct pen_arena *arena,
                                                                const struct pen_config_node *node, const char *name,
                                                                struct pen_schema_comparator *comparator,
                                                                struct pen_error *err);

/* The text of schema.yaml, with the notes as comments and, if wanted, the explanation at its top. */
PEN_API PEN_MUST_USE pen_status pen_schema_print(const struct pen_schema *schema, bool with_comments,
                                                 struct pen_text *out, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_schema_write(const struct pen_schema *schema, const char *path,
                                                 struct pen_error *err); /* atomic */
/* "fare: {type: float, ...}\n", each line indented by `indent` spaces. */
PEN_API void pen_schema_print_feature(const struct pen_schema_feature *feature, int indent, bool with_comments,
                                      struct pen_text *out);
/* "  clicks: {index: [id], value: score}\n" below "sparse_features:\n" or "weighted_features:\n". */
PEN_API void pen_schema_print_compound(const struct pen_schema_compound *compound, enum pen_schema_compound_kind kind,
                                       struct pen_text *out);
/* One YAML scalar, quoted when it has to be. */
PEN_API void pen_schema_print_scalar(const char *text, struct pen_text *out);

/* SHA-256 of the text without comments. */
PEN_API PEN_MUST_USE pen_status pen_schema_digest(const struct pen_schema *schema, char hex[PEN_SHA256_HEX_BYTES],
                                                  struct pen_error *err);

/* A new schema: `schema` with the entries of a fragment of schema.yaml put in. Each feature, shared domain, severity
 * and dataset field in the fragment replaces the one of that name; null removes it. This is the form in which the
 * validator suggests changes. */
PEN_API PEN_MUST_USE pen_status pen_schema_patch(const struct pen_schema *schema, const char *fragment,
                                                 size_t size_bytes, const char *file, struct pen_schema *patched,
                                                 struct pen_error *err);

PEN_API const struct pen_schema_feature *pen_schema_find(const struct pen_schema *schema, const char *name); /* NULL */
PEN_API const struct pen_schema_shared_domain *pen_schema_find_domain(const struct pen_schema *schema,
                                                                      const char *name); /* NULL: none */
/* Values of a string domain, inline or shared; none for other domains. */
PEN_API struct pen_config_strings pen_schema_domain_values(const struct pen_schema *schema,
                                                           const struct pen_schema_feature *feature);

/* The vocabulary of a language, inline or shared. */
PEN_API struct pen_config_strings pen_schema_vocabulary(const struct pen_schema *schema,
                                                        const struct pen_schema_language *language);

/* First match: no environment given (NULL, "") yes; in_environment yes; not_in_environment no; default_environment yes;
 * neither in_environment nor default_environment names any: yes (nothing ties the feature down); else no. */
PEN_API bool pen_schema_in_environment(const struct pen_schema *schema, const struct pen_schema_feature *feature,
                                       const char *environment);
/* False in the stages planned, alpha, deprecated, debug_only and disabled. */
PEN_API bool pen_schema_is_checked(const struct pen_schema_feature *feature);
PEN_API bool pen_schema_stage_is_checked(enum pen_schema_stage stage);
/* The feature's override, else the schema's, else the default. feature NULL: of the data set. */
PEN_API enum pen_severity pen_schema_severity(const struct pen_schema *schema, const struct pen_schema_feature *feature,
                                              enum pen_anomaly anomaly);

PEN_API const char *pen_schema_type_name(enum pen_schema_type type); /* "int"; "none"; UNSET: "" */
PEN_API const char *pen_schema_stage_name(enum pen_schema_stage stage);
PEN_API const char *pen_schema_deriver_name(enum pen_schema_deriver deriver);          /* "ratio"; NONE: "" */
PEN_API const char *pen_schema_compound_section(enum pen_schema_compound_kind kind);   /* "sparse_features" */
PEN_API const char *pen_schema_compound_part_name(enum pen_schema_compound_kind kind); /* "index" */

#ifdef __cplusplus
}
#endif

#endif
