/* One split against a schema: the data set, each feature of the schema, the columns it does not know.
 *
 * A feature's suggested change is made by running the checks again on the feature as changed so far, until nothing is
 * found any more: what is suggested has been tried. */
#include "components/example_validator/validate.h"

#include "components/example_validator/check.h"
#include "datasets/schema/infer.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_ROUNDS = 8 };

struct pen_validate_options pen_validate_defaults(const char *environment)
{
    const struct pen_schema_comparator none = {-1.0, -1.0, -1.0, PEN_SCHEMA_HISTOGRAM_STANDARD};
    return (struct pen_validate_options){.environment = environment, .drift = none, .skew = none};
}

/* ---- helpers of the checks ---- */

struct pen_finding *pen_check_add(struct pen_check *check, enum pen_anomaly type, const char *rule,
                                  const char *expected, const char *seen)
{
    return pen_findings_add(check->findings, check->schema, check->feature, type, rule, expected, seen);
}

void pen_check_rows(const struct pen_check *check, struct pen_finding *finding, double n_rows)
{
    finding->n_rows = (int64_t)n_rows;
    finding->share = check->split->n_rows > 0 ? n_rows / (double)check->split->n_rows : 0.0;
}

const char *pen_check_number(struct pen_check *check, double value)
{
    char number[PEN_NUMBER_BYTES];
    return pen_check_text(check, "%s", pen_format_double(number, value));
}

const char *pen_check_quoted(struct pen_check *check, const char *value)
{
    char quoted[PEN_QUOTE_BYTES];
    return pen_check_text(check, "'%s'", pen_quote(quoted, value, strlen(value)));
}

void pen_check_drop_domain(struct pen_schema_feature *feature)
{
    struct pen_schema_feature plain;
    pen_schema_feature_init(&plain, feature->name, feature->type);
    feature->domain = plain.domain;
    feature->min_int = plain.min_int;
    feature->max_int = plain.max_int;
    feature->min = plain.min;
    feature->max = plain.max;
    feature->disallow_nan = false;
    feature->disallow_inf = false;
    feature->domain_name = NULL;
    feature->domain_values = plain.domain_values;
    feature->true_value = NULL;
    feature->false_value = NULL;
    feature->min_domain_mass = 1.0;
}

enum pen_schema_type pen_check_type_of(enum pen_type type)
{
    if (pen_type_is_string(type)) {
        return PEN_SCHEMA_TYPE_STRING;
    }
    if (type == PEN_TYPE_INT64) {
        return PEN_SCHEMA_TYPE_INT;
    }
    return type == PEN_TYPE_NONE ? PEN_SCHEMA_TYPE_NONE : PEN_SCHEMA_TYPE_FLOAT;
}

const struct pen_value_counts *pen_check_ranks(const struct pen_feature_statistics *statistics)
{
    return statistics->has_weighted ? &statistics->weighted_string.ranks : &statistics->string.ranks;
}

double pen_check_present(const struct pen_feature_statistics *statistics)
{
    return statistics->has_weighted ? statistics->weighted_present : (double)statistics->n_present;
}

/* ---- a feature ---- */

static pen_status check_once(struct pen_check *check, struct pen_error *err)
{
    if (!pen_check_specification(check) || !pen_check_presence(check)) {
        return PEN_OK;
    }
    if (pen_check_type(check)) {
        pen_check_values(check);
        pen_check_domain(check);
        PEN_TRY(pen_check_comparators(check, err));
    }
    return PEN_OK;
}

/* The schema with one shared domain replaced, for the next round; borrowed parts stay the original's. */
static bool with_domain(struct pen_check *check, struct pen_schema *changed)
{
    struct pen_schema_shared_domain *domains =
        pen_arena_alloc(check->findings->arena, check->schema->n_domains + 1, sizeof *domains);
    if (domains == NULL) {
        check->findings->failed = true;
        return false;
    }
    *changed = *check->schema;
    for (int64_t i = 0; i < changed->n_domains; i++) {
        domains[i] = check->schema->domains[i];
        if (strcmp(domains[i].name, check->feature->domain_name) == 0) {
            domains[i].values = check->shared_values;
        }
    }
    changed->domains = domains;
    return true;
}

/* Repeats the checks on check->fixed until they find nothing. */
static pen_status settle(struct pen_check *check, struct pen_error *err)
{
    struct pen_findings ignored;
    struct pen_schema schemas[MOST_ROUNDS];
    pen_status status = PEN_OK;
    pen_findings_init(&ignored, check->findings->arena, check->findings->split, check->findings->environment,
                      check->findings->n_rows);
    for (int round = 0; round < MOST_ROUNDS && status == PEN_OK && !check->removed; round++) {
        struct pen_check again = *check;
        struct pen_schema_feature feature = check->fixed;
        again.findings = &ignored;
        again.feature = &feature;
        if (check->domain_changed && feature.domain_name != NULL && with_domain(check, &schemas[round])) {
            again.schema = &schemas[round];
        }
        int64_t before = ignored.n_items;
        if (pen_schema_is_checked(&feature)) {
            status = check_once(&again, err);
        }
        bool settled = ignored.n_items == before;
        check->fixed = again.fixed;
        check->removed = again.removed;
        check->domain_changed = again.domain_changed;
        check->shared_values = again.shared_values;
        if (settled) {
            break;
        }
    }
    check->findings->failed = check->findings->failed || ignored.failed;
    pen_findings_deinit(&ignored);
    return status;
}

static const char *describe_change(struct pen_check *check)
{
    struct pen_text text = {0};
    if (check->domain_changed && check->fixed.domain_name != NULL) {
        pen_text_append(&text, "domains:\n  ");
        pen_schema_print_scalar(check->fixed.domain_name, &text);
        pen_text_append(&text, ": [");
        for (int64_t i = 0; i < check->shared_values.n_items; i++) {
            pen_text_append(&text, i > 0 ? ", " : "");
            pen_schema_print_scalar(check->shared_values.items[i], &text);
        }
        pen_text_append(&text, "]\n");
    }
    pen_text_append(&text, "features:\n");
    if (check->removed) {
        pen_text_append(&text, "  ");
        pen_schema_print_scalar(check->feature->name, &text);
        pen_text_append(&text, ": null  # remove it\n");
    } else {
        pen_schema_print_feature(&check->fixed, 2, false, &text);
    }
    char *copy = pen_arena_strdup(check->findings->arena, pen_text_view(&text));
    check->findings->failed = check->findings->failed || text.failed || copy == NULL;
    pen_text_deinit(&text);
    return copy;
}

static void set_change(struct pen_findings *findings, int64_t from, const char *change)
{
    for (int64_t i = from; i < findings->n_items; i++) {
        findings->items[i].change = change;
    }
}

static pen_status check_feature(struct pen_check *check, struct pen_error *err)
{
    int64_t from = check->findings->n_items;
    check->fixed = *check->feature;
    PEN_TRY(check_once(check, err));
    if (check->findings->n_items > from) {
        PEN_TRY(settle(check, err));
        set_change(check->findings, from, describe_change(check));
    }
    return PEN_OK;
}

/* ---- columns ---- */

/* The names in `list` and one more. */
static struct pen_config_strings with_name(struct pen_findings *findings, const struct pen_config_strings *list,
                                           const char *name, bool keep)
{
    const char **items = pen_arena_alloc(findings->arena, list->n_items + 1, sizeof *items);
    struct pen_config_strings result = {items, 0};
    if (items == NULL) {
        findings->failed = true;
        return result;
    }
    for (int64_t i = 0; i < list->n_items; i++) {
        if (strcmp(list->items[i], name) != 0) {
            items[result.n_items++] = list->items[i];
        }
    }
    if (keep) {
        items[result.n_items++] = name;
    }
    return result;
}

/* A column that is there although the environment keeps it out. */
static pen_status check_foreign(struct pen_check *check, struct pen_error *err)
{
    struct pen_findings *findings = check->findings;
    const char *environment = check->options->environment;
    int64_t from = findings->n_items;
    pen_check_add(check, PEN_ANOMALY_SCHEMA_NEW_COLUMN, "in_environment, not_in_environment, default_environment",
                  pen_check_text(check, "no such column in environment %s", environment), "the column is there");
    check->fixed = *check->feature;
    check->fixed.in_environment = with_name(findings, &check->feature->in_environment, environment, true);
    check->fixed.not_in_environment = with_name(findings, &check->feature->not_in_environment, environment, false);
    PEN_TRY(settle(check, err));
    set_change(findings, from, describe_change(check));
    return PEN_OK;
}

static pen_status check_new(struct pen_check *check, struct pen_error *err)
{
    struct pen_schema_infer_options how = pen_schema_infer_defaults();
    struct pen_schema_feature inferred;
    struct pen_findings *findings = check->findings;
    int64_t from = findings->n_items;
    PEN_TRY(pen_schema_infer_feature(check->statistics, &how, findings->arena, &inferred, err));
    check->feature = &inferred;
    check->fixed = inferred;
    if (check->options->environment != NULL && check->schema->default_environment.n_items > 0) {
        const struct pen_config_strings none = {NULL, 0};
        struct pen_schema_feature probe = inferred;
        if (!pen_schema_in_environment(check->schema, &probe, check->options->environment)) {
            check->fixed.in_environment = with_name(findings, &none, check->options->environment, true);
        }
    }
    pen_check_add(check, PEN_ANOMALY_SCHEMA_NEW_COLUMN, "features", "no column that the schema does not know",
                  pen_check_text(check, "a column of type %s", pen_schema_type_name(inferred.type)));
    findings->items[findings->n_items - 1].feature = check->statistics->name;
    findings->items[findings->n_items - 1].rows.kind = PEN_ROW_PRESENT;
    set_change(findings, from, describe_change(check));
    return PEN_OK;
}

/* ---- the data set ---- */

static void dataset_finding(struct pen_findings *findings, const struct pen_schema *schema, enum pen_anomaly type,
                            const char *rule, const char *expected, const char *seen, const char *change)
{
    pen_findings_add(findings, schema, NULL, type, rule, expected, seen)->change = change;
}

static void check_ratio(struct pen_findings *findings, const struct pen_schema *schema,
                        const struct pen_schema_ratio *limits, const char *name, int64_t n_rows, int64_t n_before)
{
    char number[PEN_NUMBER_BYTES];
    if (!(limits->min_ratio >= 0.0) && !(limits->max_ratio >= 0.0)) {
        return;
    }
    const char *off = pen_findings_text(findings, "dataset: {%s: null}\n", name);
    if (n_before == 0) {
        dataset_finding(findings, schema, PEN_ANOMALY_COMPARATOR_CONTROL_DATA_MISSING,
                        pen_findings_text(findings, "dataset.%s", name), "rows in the data compared with", "none", off);
        return;
    }
    double ratio = (double)n_rows / (double)n_before;
    const char *seen =
        pen_findings_text(findings, "%.6g (%" PRId64 " rows, %" PRId64 " before)", ratio, n_rows, n_before);
    struct pen_schema_ratio fixed = *limits;
    bool low = limits->min_ratio >= 0.0 && ratio < limits->min_ratio;
    bool high = limits->max_ratio >= 0.0 && ratio > limits->max_ratio;
    fixed.min_ratio = low ? ratio : fixed.min_ratio;
    fixed.max_ratio = high ? ratio : fixed.max_ratio;
    struct pen_text change = {0};
    pen_text_printf(&change, "dataset: {%s: {", name);
    if (fixed.min_ratio >= 0.0) {
        pen_text_printf(&change, "min_ratio: %s%s", pen_format_double(number, fixed.min_ratio),
                        fixed.max_ratio >= 0.0 ? ", " : "");
    }
    if (fixed.max_ratio >= 0.0) {
        pen_text_printf(&change, "max_ratio: %s", pen_format_double(number, fixed.max_ratio));
    }
    pen_text_append(&change, "}}\n");
    const char *text = pen_findings_text(findings, "%s", pen_text_view(&change));
    pen_text_deinit(&change);
    if (low) {
        dataset_finding(findings, schema, PEN_ANOMALY_COMPARATOR_LOW_NUM_EXAMPLES,
                        pen_findings_text(findings, "dataset.%s.min_ratio", name),
                        pen_findings_text(findings, "rows now / before of at least %s",
                                          pen_format_double(number, limits->min_ratio)),
                        seen, text);
    }
    if (high) {
        dataset_finding(findings, schema, PEN_ANOMALY_COMPARATOR_HIGH_NUM_EXAMPLES,
                        pen_findings_text(findings, "dataset.%s.max_ratio", name),
                        pen_findings_text(findings, "rows now / before of at most %s",
                                          pen_format_double(number, limits->max_ratio)),
                        seen, text);
    }
}

static void check_dataset(struct pen_findings *findings, const struct pen_schema *schema, int64_t n_rows,
                          const struct pen_validate_options *options)
{
    const struct pen_schema_dataset *dataset = &schema->dataset;
    if (n_rows == 0) {
        dataset_finding(findings, schema, PEN_ANOMALY_DATA_MISSING, "a split has rows", "at least one row", "none",
                        "severities: {DATA_MISSING: warning}\n");
    }
    if (dataset->min_examples >= 0 && n_rows < dataset->min_examples) {
        dataset_finding(findings, schema, PEN_ANOMALY_DATASET_LOW_NUM_EXAMPLES,
                        pen_findings_text(findings, "dataset.min_examples: %" PRId64, dataset->min_examples),
                        pen_findings_text(findings, "at least %" PRId64 " rows", dataset->min_examples),
                        pen_findings_text(findings, "%" PRId64, n_rows),
                        pen_findings_text(findings, "dataset: {min_examples: %" PRId64 "}\n", n_rows));
    }
    if (dataset->max_examples >= 0 && n_rows > dataset->max_examples) {
        dataset_finding(findings, schema, PEN_ANOMALY_DATASET_HIGH_NUM_EXAMPLES,
                        pen_findings_text(findings, "dataset.max_examples: %" PRId64, dataset->max_examples),
                        pen_findings_text(findings, "at most %" PRId64 " rows", dataset->max_examples),
                        pen_findings_text(findings, "%" PRId64, n_rows),
                        pen_findings_text(findings, "dataset: {max_examples: %" PRId64 "}\n", n_rows));
    }
    if (options->previous != NULL) {
        check_ratio(findings, schema, options->previous_is_version ? &dataset->version : &dataset->drift,
                    options->previous_is_version ? "version" : "drift", n_rows, options->previous->n_rows);
    }
}

static pen_status check_columns(struct pen_check *check, struct pen_error *err)
{
    const struct pen_schema *schema = check->schema;
    const struct pen_split_statistics *split = check->split;
    struct pen_check blank = *check;
    for (int64_t i = 0; i < schema->n_features; i++) {
        *check = blank;
        check->feature = &schema->features[i];
        check->statistics = pen_statistics_find_feature(split, check->feature->name);
        if (!pen_schema_is_checked(check->feature)) {
            continue;
        }
        if (pen_schema_in_environment(schema, check->feature, check->options->environment)) {
            PEN_TRY(check_feature(check, err));
        } else if (check->statistics != NULL) {
            PEN_TRY(check_foreign(check, err));
        }
    }
    for (int64_t i = 0; i < split->n_features; i++) {
        if (pen_schema_find(schema, split->features[i].name) == NULL) {
            *check = blank;
            check->statistics = &split->features[i];
            PEN_TRY(check_new(check, err));
        }
    }
    return PEN_OK;
}

pen_status pen_validate_split(const struct pen_schema *schema, const struct pen_split_statistics *split,
                              const struct pen_validate_options *options, struct pen_arena *arena,
                              struct pen_findings *findings, struct pen_error *err)
{
    pen_findings_init(findings, arena, split->split, options->environment, split->n_rows);
    struct pen_check check = {.findings = findings, .schema = schema, .split = split, .options = options};
    check_dataset(findings, schema, split->n_rows, options);
    pen_status status = PEN_OK;
    if (split->n_rows > 0) {
        status = pen_check_common_thresholds(split, schema, &options->drift, "drift", err);
        if (status == PEN_OK) {
            status = pen_check_common_thresholds(split, schema, &options->skew, "skew", err);
        }
        if (status == PEN_OK) {
            status = check_columns(&check, err);
        }
    }
    if (status == PEN_OK) {
        status = pen_findings_check(findings, err);
    }
    if (status != PEN_OK) {
        pen_findings_deinit(findings);
    }
    return status;
}
