/* See columns.h. */
#include "tests/components/example_validator/columns.h"

#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>

struct column parse_column(enum pen_type type, const char *text, char *storage)
{
    struct column column = {.type = type};
    memcpy(storage, text, strlen(text) + 1);
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

void build(const struct column *column, bool categorical, struct built *built)
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

pen_status read_schema(const char *fields, struct pen_schema *schema, struct pen_error *err)
{
    char text[1024];
    bool whole = strstr(fields, "features:") != NULL;
    (void)snprintf(text, sizeof text, whole ? "%s" : "features: {x: {%s}}", fields);
    return pen_schema_parse(text, strlen(text), "case", schema, err);
}

void validate_text(const struct anomaly_case *c, const struct pen_schema *schema, enum pen_type type, const char *text,
                   struct pen_arena *arena, struct pen_findings *findings)
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
