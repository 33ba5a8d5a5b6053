/* schema.yaml as text, in a fixed order: its parts one by one, features in print_feature.c.
 *
 * The text is the identity of a schema (its digest is taken of it), so two schemas that are equal print the same. What
 * is at its default is not printed, except presence, which everybody looks for. */
#include "core/files.h"
#include "datasets/schema/print_internal.h"

#include <inttypes.h>

static const char explanation[] =
    "# The schema of the data: what columns there are and what their values may be. Edit it: it is yours.\n"
    "#\n"
    "# A feature's fields (what is left out is not checked):\n"
    "#   type: int | float | string | none (no value was ever seen)\n"
    "#   presence: required (in every row) | some (in at least one row) | optional | {min_count: 10, min_fraction: "
    "0.9}\n"
    "#   shape: [1] (one value in every row), values: {min: 1, max: 1} (in every row that has any)\n"
    "#   min, max, disallow_nan: true, disallow_inf: true   limits of numbers\n"
    "#   domain: [a, b] | a name from `domains` | bool | int | float   (true_value, false_value: bool as strings)\n"
    "#   min_domain_mass: 0.99 (share of values that must be in the domain), categorical: true, unique: {min: 1, max: "
    "9}\n"
    "#   in_environment: [TRAINING], not_in_environment: [SERVING]\n"
    "#   stage: planned | alpha | beta | production | deprecated | debug_only | disabled | derived\n"
    "#   drift, skew: {infinity_norm: 0.1, jensen_shannon: 0.1, source: standard | quantiles,\n"
    "#                 normalized_abs_difference: 0.1}\n"
    "#   severities: {SCHEMA_NEW_COLUMN: warning}, tags: [a, b], comment: text\n"
    "#   natural_language: {lower: true, vocabulary: [a, b] | a name from `domains`, min_coverage: 0.9,\n"
    "#                      min_avg_token_length: 3, excluded_tokens: [a], oov_tokens: [b], token_constraints:\n"
    "#                      {a: {min_per_sequence: 0, max_per_sequence: 2, max_fraction_of_sequences: 0.1}}}\n"
    "#   derived: {ratio: [a, b]} | {difference: [a, b]} | {length: a} | {count_tokens: a}   with stage: derived\n"
    "# Beside `features`: domains: {name: [a, b]}, default_environment: [TRAINING, SERVING], severities: {...},\n"
    "# dataset: {min_examples: 1, max_examples: 9, drift: {min_ratio: 0.5, max_ratio: 2}, version: {...}},\n"
    "# sparse_features: {name: {index: [a], value: b, separator: \"|\"}}, weighted_features: {name: {weight: a, value: "
    "b}}\n";

static void print_ratio(struct pen_text *out, size_t start, const char *key, const struct pen_schema_ratio *ratio)
{
    if (!(ratio->min_ratio >= 0) && !(ratio->max_ratio >= 0)) {
        return;
    }
    pen_text_append_char(pen_schema_member(out, start, key), '{');
    size_t inner = out->size_bytes;
    if (ratio->min_ratio >= 0) {
        pen_schema_print_double(pen_schema_member(out, inner, "min_ratio"), ratio->min_ratio);
    }
    if (ratio->max_ratio >= 0) {
        pen_schema_print_double(pen_schema_member(out, inner, "max_ratio"), ratio->max_ratio);
    }
    pen_text_append_char(out, '}');
}

static void print_dataset(const struct pen_schema_dataset *dataset, struct pen_text *out)
{
    bool any = dataset->min_examples >= 0 || dataset->max_examples >= 0 || dataset->drift.min_ratio >= 0 ||
               dataset->drift.max_ratio >= 0 || dataset->version.min_ratio >= 0 || dataset->version.max_ratio >= 0;
    if (!any) {
        return;
    }
    struct pen_text text = {0};
    pen_text_append_char(&text, '{');
    size_t start = text.size_bytes;
    if (dataset->min_examples >= 0) {
        pen_text_printf(pen_schema_member(&text, start, "min_examples"), "%" PRId64, dataset->min_examples);
    }
    if (dataset->max_examples >= 0) {
        pen_text_printf(pen_schema_member(&text, start, "max_examples"), "%" PRId64, dataset->max_examples);
    }
    print_ratio(&text, start, "drift", &dataset->drift);
    print_ratio(&text, start, "version", &dataset->version);
    pen_text_append_char(&text, '}');
    pen_schema_print_wrapped(out, 0, "dataset", &text);
    pen_text_deinit(&text);
}

static void print_list(struct pen_text *out, int indent, const char *key, const struct pen_config_strings *list)
{
    struct pen_text text = {0};
    pen_schema_print_strings(&text, list);
    pen_schema_print_wrapped(out, indent, key, &text);
    pen_text_deinit(&text);
}

void pen_schema_print_compound(const struct pen_schema_compound *compound, enum pen_schema_compound_kind kind,
                               struct pen_text *out)
{
    struct pen_text text = {0};
    pen_text_append_char(&text, '{');
    size_t start = text.size_bytes;
    (void)pen_schema_member(&text, start, pen_schema_compound_part_name(kind));
    if (kind == PEN_SCHEMA_SPARSE) {
        pen_schema_print_strings(&text, &compound->parts);
    } else {
        pen_schema_print_scalar(compound->parts.items[0], &text);
    }
    pen_schema_print_scalar(compound->value, pen_schema_member(&text, start, "value"));
    if (compound->separator != NULL) {
        pen_schema_print_scalar(compound->separator, pen_schema_member(&text, start, "separator"));
    }
    if (compound->stage != PEN_SCHEMA_STAGE_UNSET) {
        pen_text_append(pen_schema_member(&text, start, "stage"), pen_schema_stage_name(compound->stage));
    }
    pen_text_append_char(&text, '}');
    pen_schema_print_wrapped(out, 2, compound->name, &text);
    pen_text_deinit(&text);
}

static void print_compounds(const struct pen_schema *schema, enum pen_schema_compound_kind kind, struct pen_text *out)
{
    const struct pen_schema_compounds *list = &schema->compounds[kind];
    if (list->n_items > 0) {
        pen_text_printf(out, "%s:\n", pen_schema_compound_section(kind));
    }
    for (int64_t i = 0; i < list->n_items; i++) {
        pen_schema_print_compound(&list->items[i], kind, out);
    }
}

pen_status pen_schema_print(const struct pen_schema *schema, bool with_comments, struct pen_text *out,
                            struct pen_error *err)
{
    if (with_comments) {
        pen_text_append(out, explanation);
    }
    pen_text_append(out, "schema: 1\n");
    if (schema->default_environment.n_items > 0) {
        print_list(out, 0, "default_environment", &schema->default_environment);
    }
    print_dataset(&schema->dataset, out);
    if (schema->severities.n_items > 0) {
        struct pen_text text = {0};
        pen_schema_print_severities(&text, &schema->severities);
        pen_schema_print_wrapped(out, 0, "severities", &text);
        pen_text_deinit(&text);
    }
    if (schema->n_domains > 0) {
        pen_text_append(out, "domains:\n");
    }
    for (int64_t i = 0; i < schema->n_domains; i++) {
        print_list(out, 2, schema->domains[i].name, &schema->domains[i].values);
    }
    pen_text_append(out, schema->n_features > 0 ? "features:\n" : "features: {}\n");
    for (int64_t i = 0; i < schema->n_features; i++) {
        pen_schema_print_feature(&schema->features[i], 2, with_comments, out);
    }
    print_compounds(schema, PEN_SCHEMA_SPARSE, out);
    print_compounds(schema, PEN_SCHEMA_WEIGHTED, out);
    return pen_text_check(out, err);
}

pen_status pen_schema_write(const struct pen_schema *schema, const char *path, struct pen_error *err)
{
    struct pen_text text = {0};
    pen_status status = pen_schema_print(schema, true, &text, err);
    if (status == PEN_OK) {
        status = pen_file_write_atomic(path, pen_text_view(&text), text.size_bytes, err);
    }
    pen_text_deinit(&text);
    return status;
}

pen_status pen_schema_digest(const struct pen_schema *schema, char hex[PEN_SHA256_HEX_BYTES], struct pen_error *err)
{
    struct pen_text text = {0};
    pen_status status = pen_schema_print(schema, false, &text, err);
    if (status == PEN_OK) {
        pen_sha256_of(pen_text_view(&text), text.size_bytes, hex);
    }
    pen_text_deinit(&text);
    return status;
}
