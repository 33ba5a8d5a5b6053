/* Every kind of anomaly: data that has it, data that just does not, and the suggested change, which must settle it.
 *
 * Statistics are built from the values of one column, named x, in plain loops that share nothing with the product. */
#include "components/example_validator/validate.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_VALUES = 64 };

/* A column of numbers or strings; NULL strings and missing flags are empty cells. */
struct column {
    enum pen_type type;
    int64_t n_rows;
    double numbers[MOST_VALUES];
    const char *strings[MOST_VALUES];
    bool missing[MOST_VALUES];
    bool without_statistics;
};

struct built {
    struct pen_feature_statistics feature;
    struct pen_split_statistics split;
    struct pen_value_count counts[MOST_VALUES];
    struct pen_histogram_bucket buckets[10];
};

/* "1 2 3 - nan inf": "-" is an empty cell. Type by argument. Words of strings are separated by "|". */
static struct column parse_column(enum pen_type type, const char *text, char *storage)
{
    struct column column = {.type = type};
    (void)strcpy(storage, text);
    const char *separators = pen_type_is_string(type) ? "|" : " ";
    char *rest = NULL;
    for (char *word = strtok_r(storage, separators, &rest); word != NULL; word = strtok_r(NULL, separators, &rest)) {
        int64_t row = column.n_rows++;
        column.missing[row] = strcmp(word, "-") == 0;
        column.strings[row] = word;
        column.numbers[row] = column.missing[row] ? 0.0 : strtod(word, NULL);
    }
    return column;
}

static void build_numbers(const struct column *column, struct built *built)
{
    struct pen_numeric_statistics *numeric = &built->feature.numeric;
    double sum = 0.0;
    double n = 0.0;
    double low = INFINITY;
    double high = -INFINITY;
    *numeric = (struct pen_numeric_statistics){.min = NAN, .max = NAN, .mean = NAN};
    for (int64_t i = 0; i < column->n_rows; i++) {
        double value = column->numbers[i];
        if (column->missing[i]) {
            continue;
        }
        numeric->n_nan += isnan(value) ? 1 : 0;
        numeric->n_positive_inf += isinf(value) && value > 0.0;
        numeric->n_negative_inf += isinf(value) && value < 0.0;
        if (!isnan(value)) {
            numeric->min = value < numeric->min || isnan(numeric->min) ? value : numeric->min;
            numeric->max = value > numeric->max || isnan(numeric->max) ? value : numeric->max;
            numeric->n_zeros += value == 0.0;
            sum += value;
            n += 1.0;
        }
        if (isfinite(value)) {
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
    }
    numeric->mean = sum / n;
    for (int b = 0; b < 10 && low <= high; b++) {
        built->buckets[b] =
            (struct pen_histogram_bucket){low + (high - low) * b / 10, low + (high - low) * (b + 1) / 10, 0};
    }
    for (int64_t i = 0; i < column->n_rows && low < high; i++) {
        double value = column->numbers[i];
        if (!column->missing[i] && isfinite(value)) {
            int b = (int)((value - low) / (high - low) * 10);
            built->buckets[b > 9 ? 9 : b].count += 1;
        }
    }
    numeric->standard = (struct pen_histogram){low < high ? 10 : 0, built->buckets, numeric->n_nan};
    if (low == high) {
        built->buckets[0] = (struct pen_histogram_bucket){low, high, n};
        numeric->standard.n_buckets = 1;
    }
    numeric->quantiles = numeric->standard;
    built->feature.has_numeric = !column->without_statistics;
}

static void build_strings(const struct column *column, struct built *built)
{
    struct pen_string_statistics *string = &built->feature.string;
    int64_t n = 0;
    *string = (struct pen_string_statistics){.exact_unique = true, .exact_counts = true};
    for (int64_t i = 0; i < column->n_rows; i++) {
        int64_t at = 0;
        if (column->missing[i]) {
            continue;
        }
        string->n_invalid_utf8 += strchr(column->strings[i], '\xff') != NULL;
        while (at < n && strcmp(built->counts[at].value, column->strings[i]) != 0) {
            at++;
        }
        n += at == n;
        built->counts[at].value = column->strings[i];
        built->counts[at].count += 1;
    }
    string->n_unique = n;
    string->ranks = (struct pen_value_counts){n, built->counts};
    string->top = string->ranks;
    built->feature.has_string = !column->without_statistics;
}

static void build(const struct column *column, bool categorical, struct built *built)
{
    memset(built, 0, sizeof *built);
    struct pen_feature_statistics *feature = &built->feature;
    feature->name = "x";
    feature->type = column->type;
    feature->n_rows = column->n_rows;
    for (int64_t i = 0; i < column->n_rows; i++) {
        feature->n_missing += column->missing[i];
    }
    feature->n_present = column->n_rows - feature->n_missing;
    feature->min_values = feature->n_present > 0;
    feature->max_values = feature->min_values;
    feature->avg_values = (double)feature->min_values;
    feature->n_values_total = feature->n_present;
    if (feature->n_present == 0) {
        feature->type = PEN_TYPE_NONE;
    } else if (pen_type_is_string(column->type)) {
        build_strings(column, built);
    } else {
        build_numbers(column, built);
        if (categorical) {
            build_strings(column, built);
        }
    }
    built->split = (struct pen_split_statistics){
        .split = "train", .slice = "", .n_rows = column->n_rows, .n_features = 1, .features = feature};
}

#define INT PEN_TYPE_INT64
#define FLT PEN_TYPE_FLOAT64
#define STR PEN_TYPE_CODES

struct anomaly_case {
    enum pen_anomaly type;
    const char *schema;      /* the fields of feature x, or a whole schema when it begins with a key of one */
    enum pen_type data_type; /* NONE: the column is not there */
    const char *bad, *good;  /* good NULL: no data is; the schema itself is wrong */
    const char *good_schema; /* a whole schema or fields with which `bad` is fine; NULL: none given */
    const char *environment, *previous;
    enum pen_type good_type; /* 0 (NONE): as data_type */
};

#define A(name) PEN_ANOMALY_##name

static const struct anomaly_case cases[] = {
    {A(DATA_MISSING), "type: int", INT, "", "1", NULL, NULL, NULL, 0},
    {A(DATASET_LOW_NUM_EXAMPLES), "dataset: {min_examples: 3}\nfeatures: {x: {type: int}}", INT, "1 2", "1 2 3", NULL,
     NULL, NULL, 0},
    {A(DATASET_HIGH_NUM_EXAMPLES), "dataset: {max_examples: 2}\nfeatures: {x: {type: int}}", INT, "1 2 3", "1 2", NULL,
     NULL, NULL, 0},
    {A(COMPARATOR_LOW_NUM_EXAMPLES), "dataset: {drift: {min_ratio: 0.5}}\nfeatures: {x: {type: int}}", INT, "1", "1 2",
     NULL, NULL, "1 2 3 4", 0},
    {A(COMPARATOR_HIGH_NUM_EXAMPLES), "dataset: {drift: {max_ratio: 1.5, min_ratio: 0.1}}\nfeatures: {x: {type: int}}",
     INT, "1 2 3 4", "1 2 3", NULL, NULL, "1 2", 0},
    {A(SCHEMA_NEW_COLUMN), "features: {}", STR, "a|b", NULL, "features: {x: {type: string}}", NULL, NULL, 0},
    {A(SCHEMA_NEW_COLUMN), "type: int, not_in_environment: [SERVING]", INT, "1", NULL, "type: int", "SERVING", NULL, 0},
    {A(SCHEMA_NEW_COLUMN), "default_environment: [TRAINING]\nfeatures: {}", INT, "1", NULL, NULL, "SERVING", NULL, 0},
    {A(SCHEMA_MISSING_COLUMN), "type: int, presence: required, shape: [1]", PEN_TYPE_NONE, NULL, "1",
     "type: int, presence: optional", NULL, NULL, INT},
    {A(SCHEMA_MISSING_COLUMN), "type: int, presence: some, not_in_environment: [SERVING]", PEN_TYPE_NONE, NULL, "1",
     "type: int, presence: some, not_in_environment: [TRAINING]", "TRAINING", NULL, INT},
    {A(UNEXPECTED_DATA_TYPE), "type: int, domain: bool", FLT, "0.5 1", "0 1", NULL, NULL, NULL, INT},
    {A(UNEXPECTED_DATA_TYPE), "type: float, min: 0", STR, "a|1", "1 2", NULL, NULL, NULL, INT},
    {A(UNEXPECTED_DATA_TYPE), "type: none", INT, "1 2", "- -", NULL, NULL, NULL, 0},
    {A(UNEXPECTED_DATA_TYPE), "type: string, domain: [a, b]", INT, "1 2", "a|b", NULL, NULL, NULL, STR},
    {A(FEATURE_MISSING_NAME), "features: {\"\": {type: int}, x: {type: int}}", INT, "1", NULL,
     "features: {x: {type: int}}", NULL, NULL, 0},
    {A(FEATURE_MISSING_TYPE), "presence: required", INT, "1", NULL, "type: int, presence: required", NULL, NULL, 0},
    {A(FEATURE_MISSING_TYPE), "presence: required, domain: [a]", INT, "1", NULL, NULL, NULL, NULL, 0},
    {A(INVALID_SCHEMA_SPECIFICATION), "type: int, values: {min: 2, max: 1}", INT, "1", NULL,
     "type: int, values: {min: 1, max: 2}", NULL, NULL, 0},
    {A(INVALID_SCHEMA_SPECIFICATION), "type: int, shape: [1], values: 1", INT, "1", NULL, "type: int, shape: [1]", NULL,
     NULL, 0},
    {A(INVALID_SCHEMA_SPECIFICATION), "type: int, categorical: true, unique: {min: 2, max: 1}", INT, "1", NULL, NULL,
     NULL, NULL, 0},
    {A(INVALID_SCHEMA_SPECIFICATION), "type: string, min_domain_mass: 0.5", STR, "a", NULL,
     "type: string, domain: [a], min_domain_mass: 0.5", NULL, NULL, 0},
    {A(INVALID_DOMAIN_SPECIFICATION), "type: int, min: 3, max: 2", INT, "3", NULL, "type: int, min: 3, max: 3", NULL,
     NULL, 0},
    {A(INVALID_DOMAIN_SPECIFICATION), "type: float, min: 0.5, max: 0.25", FLT, "0.5", NULL, NULL, NULL, NULL, 0},
    {A(INVALID_DOMAIN_SPECIFICATION), "type: string, domain: []", STR, "a", NULL, "type: string, domain: [a]", NULL,
     NULL, 0},
    {A(INVALID_DOMAIN_SPECIFICATION), "type: string, domain: [a, b, a]", STR, "a", NULL, NULL, NULL, NULL, 0},
    {A(INVALID_DOMAIN_SPECIFICATION), "domains: {d: [a, a]}\nfeatures: {x: {type: string, domain: d}}", STR, "a|c",
     NULL, "domains: {d: [a, c]}\nfeatures: {x: {type: string, domain: d}}", NULL, NULL, 0},
    {A(DOMAIN_INVALID_FOR_TYPE), "type: int, domain: float", INT, "1", NULL, "type: int, domain: int", NULL, NULL, 0},
    {A(DOMAIN_INVALID_FOR_TYPE), "type: float, domain: int", FLT, "1", NULL, "type: float, domain: float", NULL, NULL,
     0},
    {A(DOMAIN_INVALID_FOR_TYPE), "type: int, domain: [a]", INT, "1", NULL, NULL, NULL, NULL, 0},
    {A(INVALID_FEATURE_SHAPE), "type: int, presence: some, shape: [1]", INT, "1 -", "1 2", NULL, NULL, NULL, 0},
    {A(INVALID_FEATURE_SHAPE), "type: int, shape: [2]", INT, "1 2", NULL, "type: int, shape: [1]", NULL, NULL, 0},
    {A(FEATURE_TYPE_LOW_FRACTION_PRESENT), "type: int, presence: required, shape: [1]", INT, "1 - 3", "1 2 3", NULL,
     NULL, NULL, 0},
    {A(FEATURE_TYPE_LOW_FRACTION_PRESENT), "type: int, presence: {min_fraction: 0.5}", INT, "1 - -", "1 - 3 -", NULL,
     NULL, NULL, 0},
    {A(FEATURE_TYPE_LOW_NUMBER_PRESENT), "type: int, presence: {min_count: 2}", INT, "1 - -", "1 - 2", NULL, NULL, NULL,
     0},
    {A(FEATURE_TYPE_NOT_PRESENT), "type: int, presence: some", INT, "- -", "- 1", "type: int, presence: optional", NULL,
     NULL, 0},
    {A(FEATURE_TYPE_LOW_NUMBER_VALUES), "type: int, values: {min: 2}", INT, "1", NULL, "type: int, values: {min: 1}",
     NULL, NULL, 0},
    {A(FEATURE_TYPE_HIGH_NUMBER_VALUES), "type: int, values: {max: 0}", INT, "1", NULL, "type: int, values: {max: 1}",
     NULL, NULL, 0},
    {A(FEATURE_TYPE_LOW_UNIQUE), "type: string, unique: {min: 3}", STR, "a|b|b", "a|b|c", NULL, NULL, NULL, 0},
    {A(FEATURE_TYPE_HIGH_UNIQUE), "type: string, unique: {max: 2}", STR, "a|b|c", "a|b|b", NULL, NULL, NULL, 0},
    {A(FEATURE_TYPE_NO_UNIQUE), "type: float, unique: {max: 2}", FLT, "1", NULL, "type: float", NULL, NULL, 0},
    {A(BOOL_TYPE_BIG_INT), "type: int, domain: bool", INT, "0 1 2", "0 1", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_SMALL_INT), "type: int, domain: bool", INT, "0 1 -1", "0 1", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_UNEXPECTED_STRING), "type: string, domain: bool, true_value: t, false_value: f", STR, "t|f|F", "t|f",
     NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_UNEXPECTED_FLOAT), "type: float, domain: bool", FLT, "0 1 0.05", "0 1 1", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_UNEXPECTED_FLOAT), "type: float, domain: bool", FLT, "0 1 nan", "0 0 0", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_UNEXPECTED_FLOAT), "type: float, domain: bool", FLT, "0 1 1e-30", "0 1 -", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_UNEXPECTED_FLOAT), "type: float, domain: bool", FLT, "0 1 -1", "1 1", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_INVALID_CONFIG), "type: int, domain: bool, true_value: yes", INT, "1", NULL, "type: int, domain: bool",
     NULL, NULL, 0},
    {A(BOOL_TYPE_INVALID_CONFIG), "type: string, domain: bool", STR, "t", NULL,
     "type: string, domain: bool, true_value: t", NULL, NULL, 0},
    {A(BOOL_TYPE_INVALID_CONFIG), "type: string, domain: bool, true_value: t, false_value: t", STR, "t", NULL, NULL,
     NULL, NULL, 0},
    {A(BOOL_TYPE_INVALID_CONFIG), "type: string, true_value: t", STR, "t", NULL, NULL, NULL, NULL, 0},
    {A(ENUM_TYPE_UNEXPECTED_STRING_VALUES), "type: string, domain: [a, b]", STR, "a|b|c", "a|b|a", NULL, NULL, NULL, 0},
    {A(ENUM_TYPE_UNEXPECTED_STRING_VALUES), "type: string, domain: [a, b], min_domain_mass: 0.75", STR, "a|b|c",
     "a|b|a|c", NULL, NULL, NULL, 0},
    {A(ENUM_TYPE_UNEXPECTED_STRING_VALUES), "domains: {d: [a]}\nfeatures: {x: {type: string, domain: d}}", STR, "a|c",
     "a|a", "domains: {d: [a, c]}\nfeatures: {x: {type: string, domain: d}}", NULL, NULL, 0},
    {A(ENUM_TYPE_INVALID_UTF8), "type: string, domain: [a]", STR, "a|\xff", "a", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_BIG_FLOAT), "type: float, max: 0.1", FLT, "0.1 0.11", "0.1", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_BIG_FLOAT), "type: float, max: 0.1", FLT, "0.1 inf", "0.1 -inf", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_BIG_FLOAT), "type: float, max: 1", INT, "2", "1", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_BIG_FLOAT), "type: string, domain: float, max: 0.5", STR, "0.25|0.75", "0.5|-7", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_SMALL_FLOAT), "type: float, min: 0", FLT, "-1 5", "0 5", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_SMALL_FLOAT), "type: string, domain: float, min: 0", STR, "-1e-3", "0", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_STRING_NOT_FLOAT), "type: string, domain: float", STR, "1.5|x", "1.5|2|nan", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_HAS_NAN), "type: float, disallow_nan: true", FLT, "1 nan", "1 inf", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_HAS_NAN), "type: string, domain: float, disallow_nan: true", STR, "nan", "inf", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_HAS_INF), "type: float, disallow_inf: true", FLT, "1 -inf", "1 nan", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_HAS_INF), "type: string, domain: float, disallow_inf: true", STR, "1|inf", "1|nan", NULL, NULL, NULL,
     0},
    {A(INT_TYPE_BIG_INT), "type: int, max: 3", INT, "3 4", "3", NULL, NULL, NULL, 0},
    {A(INT_TYPE_BIG_INT), "type: string, domain: int, max: 3", STR, "3|4", "3", NULL, NULL, NULL, 0},
    {A(INT_TYPE_SMALL_INT), "type: int, min: 3", INT, "2 4", "3", NULL, NULL, NULL, 0},
    {A(INT_TYPE_SMALL_INT), "type: string, domain: int, min: -3", STR, "-4", "-3", NULL, NULL, NULL, 0},
    {A(INT_TYPE_NOT_INT_STRING), "type: string, domain: int", STR, "1|2.5", "1|2", NULL, NULL, NULL, 0},
    {A(COMPARATOR_L_INFTY_HIGH), "type: string, drift: {infinity_norm: 0.25}", STR, "a|a|a|a", "a|a|a|b", NULL, NULL,
     "a|a|b|b", 0},
    {A(COMPARATOR_L_INFTY_HIGH), "type: int, categorical: true, drift: {infinity_norm: 0.25}", INT, "1 1 1 1",
     "1 1 1 2", NULL, NULL, "1 1 2 2", 0},
    {A(COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH), "type: string, drift: {jensen_shannon: 0.3}", STR, "a|a", "a|b|a",
     NULL, NULL, "a|b", 0},
    {A(COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH), "type: float, drift: {jensen_shannon: 0.9}", FLT, "10 11 12",
     "1 2 3", NULL, NULL, "1 2 3", 0},
    {A(COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH), "type: int, drift: {jensen_shannon: 0.9, source: quantiles}", INT,
     "10 11 12", "1 2 3", NULL, NULL, "1 2 3", 0},
    {A(COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH), "type: string, drift: {normalized_abs_difference: 0.3}", STR,
     "a|a|a|a|a|a", "a|a|a", NULL, NULL, "a|a", 0},
    {A(COMPARATOR_CONTROL_DATA_MISSING), "type: string, drift: {infinity_norm: 0.25}", STR, "a", NULL, "type: string",
     NULL, "-|-", 0},
};

static pen_status read_schema(const char *fields, struct pen_schema *schema, struct pen_error *err)
{
    char text[1024];
    bool whole = strstr(fields, "features:") != NULL;
    (void)snprintf(text, sizeof text, whole ? "%s" : "features: {x: {%s}}", fields);
    return pen_schema_parse(text, strlen(text), "case", schema, err);
}

/* Validates one column text; an absent column when text is NULL. */
static void validate_text(const struct anomaly_case *c, const struct pen_schema *schema, enum pen_type type,
                          const char *text, struct pen_arena *arena, struct pen_findings *findings)
{
    static char storage[2][512];
    static struct built built[2];
    struct pen_error err = PEN_ERROR_INIT;
    const struct pen_schema_feature *x = pen_schema_find(schema, "x");
    bool categorical = x != NULL && x->is_categorical;
    struct column column = parse_column(type, text == NULL ? "-" : text, storage[0]);
    build(&column, categorical, &built[0]);
    if (text == NULL) {
        built[0].split.n_features = 0;
    }
    struct pen_validate_options options = pen_validate_defaults(c->environment);
    if (c->previous != NULL) {
        column = parse_column(type, c->previous, storage[1]);
        build(&column, categorical, &built[1]);
        options.previous = &built[1].split;
    }
    PEN_CHECK_OK(pen_validate_split(schema, &built[0].split, &options, arena, findings, &err), &err);
}

static void check_texts(const struct pen_findings *findings, size_t i)
{
    for (int64_t k = 0; k < findings->n_items; k++) {
        const struct pen_finding *item = &findings->items[k];
        PEN_CHECK_MSG(item->rule[0] != '\0' && item->expected[0] != '\0' && item->seen[0] != '\0' &&
                          item->change != NULL,
                      "case %zu: a text is missing", i);
    }
}

static void one_case(const struct anomaly_case *c, size_t i)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_findings findings;
    const char *name = pen_anomaly_types[c->type].name;
    PEN_REQUIRE_OK(read_schema(c->schema, &schema, &err), &err);
    validate_text(c, &schema, c->data_type, c->bad, &arena, &findings);
    PEN_CHECK_MSG(findings.n_items == 1, "case %zu, %s: expected one anomaly, found %lld", i, name,
                  (long long)findings.n_items);
    if (findings.n_items > 0) {
        PEN_CHECK_MSG(findings.items[0].type == c->type, "case %zu: expected %s, found %s", i, name,
                      pen_anomaly_types[findings.items[0].type].name);
        check_texts(&findings, i);
        /* The suggested change accepts the data. */
        const char *change = findings.items[0].change;
        struct pen_schema patched;
        pen_status status = pen_schema_patch(&schema, change, strlen(change), "change", &patched, &err);
        PEN_CHECK_MSG(status == PEN_OK, "case %zu, %s: %s in\n%s", i, name, err.message, change);
        if (status == PEN_OK) {
            struct pen_findings after;
            validate_text(c, &patched, c->data_type, c->bad, &arena, &after);
            PEN_CHECK_MSG(pen_findings_n_errors(&after) == 0, "case %zu, %s: still %s (expected %s, seen %s) after\n%s",
                          i, name, pen_anomaly_types[after.n_items > 0 ? after.items[0].type : 0].name,
                          after.n_items > 0 ? after.items[0].expected : "",
                          after.n_items > 0 ? after.items[0].seen : "", change);
            pen_findings_deinit(&after);
            pen_schema_deinit(&patched);
        }
    }
    pen_findings_deinit(&findings);
    if (c->good != NULL) {
        enum pen_type type = c->good_type == PEN_TYPE_NONE ? c->data_type : c->good_type;
        validate_text(c, &schema, type, c->good, &arena, &findings);
        PEN_CHECK_MSG(findings.n_items == 0, "case %zu, %s: good data give %s", i, name,
                      pen_anomaly_types[findings.n_items > 0 ? findings.items[0].type : 0].name);
        pen_findings_deinit(&findings);
    }
    pen_schema_deinit(&schema);
    if (c->good_schema != NULL) {
        PEN_REQUIRE_OK(read_schema(c->good_schema, &schema, &err), &err);
        validate_text(c, &schema, c->data_type, c->bad, &arena, &findings);
        PEN_CHECK_MSG(findings.n_items == 0, "case %zu, %s: the good schema gives %s", i, name,
                      pen_anomaly_types[findings.n_items > 0 ? findings.items[0].type : 0].name);
        pen_findings_deinit(&findings);
        pen_schema_deinit(&schema);
    }
    pen_arena_deinit(&arena);
}

static void every_anomaly_is_found_and_settled(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        one_case(&cases[i], i);
    }
}

static void every_anomaly_has_a_case(void)
{
    for (int type = 0; type < PEN_ANOMALY_COUNT; type++) {
        bool covered = type == PEN_ANOMALY_STATS_NOT_AVAILABLE || type == PEN_ANOMALY_MULTIPLE_REASONS; /* below */
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            covered = covered || (int)cases[i].type == type;
        }
        PEN_CHECK_MSG(covered, "no case for %s", pen_anomaly_types[type].name);
    }
}

static void statistics_without_values(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_findings findings;
    char storage[64];
    struct built built;
    struct column column = parse_column(INT, "1 2", storage);
    column.without_statistics = true;
    build(&column, false, &built);
    struct pen_validate_options options = pen_validate_defaults(NULL);
    PEN_REQUIRE_OK(read_schema("type: int, min: 0", &schema, &err), &err);
    PEN_REQUIRE_OK(pen_validate_split(&schema, &built.split, &options, &arena, &findings, &err), &err);
    PEN_REQUIRE_EQ_I64(findings.n_items, 1);
    PEN_CHECK(findings.items[0].type == PEN_ANOMALY_STATS_NOT_AVAILABLE);
    struct pen_schema patched;
    PEN_REQUIRE_OK(
        pen_schema_patch(&schema, findings.items[0].change, strlen(findings.items[0].change), "change", &patched, &err),
        &err);
    pen_findings_deinit(&findings);
    PEN_REQUIRE_OK(pen_validate_split(&patched, &built.split, &options, &arena, &findings, &err), &err);
    PEN_CHECK_EQ_I64(findings.n_items, 0);
    pen_findings_deinit(&findings);
    pen_schema_deinit(&patched);
    pen_schema_deinit(&schema);
    pen_arena_deinit(&arena);
}

/* Several anomalies of one feature: one change settles them all. */
static void a_change_settles_all_of_a_feature(void)
{
    static const struct anomaly_case c = {A(MULTIPLE_REASONS),
                                          "type: float, presence: required, min: 0, max: 1, disallow_nan: true",
                                          FLT,
                                          "-1 0.5 nan 7 -",
                                          NULL,
                                          NULL,
                                          NULL,
                                          NULL,
                                          0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_schema patched;
    struct pen_findings findings;
    PEN_REQUIRE_OK(read_schema(c.schema, &schema, &err), &err);
    validate_text(&c, &schema, c.data_type, c.bad, &arena, &findings);
    PEN_REQUIRE_EQ_I64(findings.n_items, 4);
    PEN_CHECK_EQ_I64(pen_findings_n_errors(&findings), 4);
    const char *change = findings.items[3].change;
    PEN_REQUIRE(change != NULL);
    PEN_CHECK_EQ_STR(change,
                     "features:\n  x: {type: float, presence: {min_count: 1, min_fraction: 0.8}, min: -1, max: 7}\n");
    PEN_CHECK_EQ_STR(findings.items[0].change, change);
    PEN_REQUIRE_OK(pen_schema_patch(&schema, change, strlen(change), "change", &patched, &err), &err);
    pen_findings_deinit(&findings);
    validate_text(&c, &patched, c.data_type, c.bad, &arena, &findings);
    PEN_CHECK_EQ_I64(findings.n_items, 0);
    pen_findings_deinit(&findings);
    pen_schema_deinit(&patched);
    pen_schema_deinit(&schema);
    pen_arena_deinit(&arena);
}

static void texts_say_what_was_expected_and_seen(void)
{
    static const struct {
        struct anomaly_case c;
        const char *rule, *expected, *seen;
        int64_t n_rows;
    } texts[] = {
        {{A(FLOAT_TYPE_SMALL_FLOAT), "type: float, min: 0", FLT, "-1 5", NULL, NULL, NULL, NULL, 0},
         "min: 0",
         "at least 0",
         "-1",
         -1},
        {{A(ENUM_TYPE_UNEXPECTED_STRING_VALUES), "type: string, domain: [Cash]", STR, "Cash|Coin|Coin|a|b|c", NULL,
          NULL, NULL, NULL, 0},
         "domain",
         "one of 1 values",
         "'Coin' (2), 'a' (1), 'b' (1) and 1 more",
         5},
        {{A(FEATURE_TYPE_LOW_FRACTION_PRESENT), "type: int, presence: required", INT, "1 - 3", NULL, NULL, NULL, NULL,
          0},
         "presence: required",
         "a value in every row",
         "1 of 3 rows are empty",
         1},
        {{A(COMPARATOR_L_INFTY_HIGH), "type: string, drift: {infinity_norm: 0.1}", STR, "a|a|a|a", NULL, NULL, NULL,
          "a|a|b|b", 0},
         "drift.infinity_norm: 0.1",
         "a distance of at most 0.1 from the previous data",
         "0.5, most at 'a'",
         -1},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_arena arena = {0};
        struct pen_schema schema;
        struct pen_findings findings;
        PEN_REQUIRE_OK(read_schema(texts[i].c.schema, &schema, &err), &err);
        validate_text(&texts[i].c, &schema, texts[i].c.data_type, texts[i].c.bad, &arena, &findings);
        PEN_REQUIRE_EQ_I64(findings.n_items, 1);
        PEN_CHECK_EQ_STR(findings.items[0].rule, texts[i].rule);
        PEN_CHECK_EQ_STR(findings.items[0].expected, texts[i].expected);
        PEN_CHECK_EQ_STR(findings.items[0].seen, texts[i].seen);
        PEN_CHECK_EQ_I64(findings.items[0].n_rows, texts[i].n_rows);
        pen_findings_deinit(&findings);
        pen_schema_deinit(&schema);
        pen_arena_deinit(&arena);
    }
}

static void severities_stages_and_float32_limits(void)
{
    static const struct anomaly_case c = {A(FLOAT_TYPE_BIG_FLOAT), "", FLT, "2", NULL, NULL, NULL, NULL, 0};
    static const struct {
        const char *schema;
        int64_t n_items, n_errors;
    } rows[] = {
        {"type: float, max: 1", 1, 1},
        {"type: float, max: 1, severities: {FLOAT_TYPE_BIG_FLOAT: warning}", 1, 0},
        {"severities: {FLOAT_TYPE_BIG_FLOAT: warning}\nfeatures: {x: {type: float, max: 1}}", 1, 0},
        {"severities: {FLOAT_TYPE_BIG_FLOAT: warning}\n"
         "features: {x: {type: float, max: 1, severities: {FLOAT_TYPE_BIG_FLOAT: error}}}",
         1, 1},
        {"type: float, max: 1, stage: planned", 0, 0},
        {"type: float, max: 1, stage: alpha", 0, 0},
        {"type: float, max: 1, stage: beta", 1, 1},
        {"type: float, max: 1, stage: production", 1, 1},
        {"type: float, max: 1, stage: deprecated", 0, 0},
        {"type: float, max: 1, stage: debug_only", 0, 0},
        {"type: float, max: 1, stage: disabled", 0, 0},
    };
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_findings findings;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PEN_REQUIRE_OK(read_schema(rows[i].schema, &schema, &err), &err);
        validate_text(&c, &schema, FLT, c.bad, &arena, &findings);
        PEN_CHECK_MSG(findings.n_items == rows[i].n_items && pen_findings_n_errors(&findings) == rows[i].n_errors,
                      "row %zu", i);
        pen_findings_deinit(&findings);
        pen_schema_deinit(&schema);
    }
    PEN_REQUIRE_OK(read_schema("type: float, max: 0.1", &schema, &err), &err);
    validate_text(&c, &schema, PEN_TYPE_FLOAT32, "0.100000001490116", &arena, &findings); /* 0.1f */
    PEN_CHECK_EQ_I64(findings.n_items, 0);
    pen_findings_deinit(&findings);
    validate_text(&c, &schema, PEN_TYPE_FLOAT64, "0.100000001490116", &arena, &findings);
    PEN_CHECK_EQ_I64(findings.n_items, 1);
    pen_findings_deinit(&findings);
    pen_schema_deinit(&schema);
    pen_arena_deinit(&arena);
}

static void thresholds_must_fit_the_data(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_findings findings;
    char storage[64];
    struct built built;
    struct column column = parse_column(FLT, "1 2.5", storage);
    build(&column, false, &built);
    struct pen_validate_options options = pen_validate_defaults(NULL);
    PEN_REQUIRE_OK(read_schema("type: float, drift: {infinity_norm: 0.1}", &schema, &err), &err);
    PEN_CHECK_STATUS(pen_validate_split(&schema, &built.split, &options, &arena, &findings, &err), PEN_ERR_CONFIG);
    PEN_CHECK_EQ_STR(
        err.message,
        "schema: feature x: drift.infinity_norm compares the shares of values, and this feature's data are "
        "float: use jensen_shannon for numbers, or categorical: true for integers that are names");
    pen_schema_deinit(&schema);
    PEN_REQUIRE_OK(read_schema("type: float", &schema, &err), &err);
    options.drift.normalized_abs_difference = 0.1;
    PEN_CHECK_STATUS(pen_validate_split(&schema, &built.split, &options, &arena, &findings, &err), PEN_ERR_CONFIG);
    PEN_CHECK_EQ_STR(err.message, "option drift.normalized_abs_difference: expected a feature it can measure, found "
                                  "none in split train (it compares the shares of values: strings, categorical "
                                  "integers)");
    options.drift.normalized_abs_difference = -1.0;
    options.drift.jensen_shannon = 0.0;
    options.previous = &built.split;
    PEN_REQUIRE_OK(pen_validate_split(&schema, &built.split, &options, &arena, &findings, &err), &err);
    PEN_CHECK_EQ_I64(findings.n_items, 0); /* strictly above the threshold is an anomaly, equal is not */
    PEN_REQUIRE_EQ_I64(findings.n_distances, 1);
    PEN_CHECK(findings.distances[0].is_measured && !findings.distances[0].crossed);
    PEN_CHECK_EQ_F64(findings.distances[0].value, 0.0);
    pen_findings_deinit(&findings);
    pen_schema_deinit(&schema);
    pen_arena_deinit(&arena);
}

/* The same values under a control: skew, with the thresholds of the schema or common ones. */
static void skew_is_measured_against_the_control(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_findings findings;
    char storage[2][64];
    struct built built[2];
    static const char *const texts[2] = {"type: string", "type: string, skew: {infinity_norm: 0.2}"};
    for (int i = 0; i < 2; i++) {
        struct column column = parse_column(STR, i == 0 ? "a|a|a|b" : "a|b|b|b", storage[i]);
        build(&column, false, &built[i]);
    }
    for (int i = 0; i < 2; i++) {
        struct pen_validate_options options = pen_validate_defaults(NULL);
        options.control = &built[1].split;
        options.control_name = "split eval";
        options.skew.infinity_norm = i == 0 ? 0.3 : 0.9; /* the schema's own threshold comes first */
        PEN_REQUIRE_OK(read_schema(texts[i], &schema, &err), &err);
        PEN_REQUIRE_OK(pen_validate_split(&schema, &built[0].split, &options, &arena, &findings, &err), &err);
        PEN_REQUIRE_EQ_I64(findings.n_items, 1);
        PEN_CHECK(findings.items[0].type == PEN_ANOMALY_COMPARATOR_L_INFTY_HIGH);
        PEN_CHECK_EQ_STR(findings.items[0].expected, i == 0 ? "a distance of at most 0.3 from split eval"
                                                            : "a distance of at most 0.2 from split eval");
        PEN_CHECK_EQ_STR(findings.items[0].seen, "0.5, most at 'a'");
        const char *change = findings.items[0].change;
        struct pen_schema patched;
        PEN_REQUIRE_OK(pen_schema_patch(&schema, change, strlen(change), "change", &patched, &err), &err);
        pen_findings_deinit(&findings);
        PEN_REQUIRE_OK(pen_validate_split(&patched, &built[0].split, &options, &arena, &findings, &err), &err);
        PEN_CHECK_EQ_I64(findings.n_items, 0);
        pen_findings_deinit(&findings);
        pen_schema_deinit(&patched);
        pen_schema_deinit(&schema);
    }
    pen_arena_deinit(&arena);
}

PEN_SUITE(validate, PEN_CASE(skew_is_measured_against_the_control), PEN_CASE(every_anomaly_is_found_and_settled),
          PEN_CASE(every_anomaly_has_a_case), PEN_CASE(statistics_without_values),
          PEN_CASE(a_change_settles_all_of_a_feature), PEN_CASE(texts_say_what_was_expected_and_seen),
          PEN_CASE(severities_stages_and_float32_limits), PEN_CASE(thresholds_must_fit_the_data));
