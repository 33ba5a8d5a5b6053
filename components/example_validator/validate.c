/* One split against a schema: the data set, each feature of the schema, the columns it does not know. */
#include "components/example_validator/validate.h"

#include "components/example_validator/check.h"
#include "datasets/schema/infer.h"

#include <string.h>

struct pen_validate_options pen_validate_defaults(const char *environment)
{
    const struct pen_schema_comparator none = {-1.0, -1.0, -1.0, PEN_SCHEMA_HISTOGRAM_STANDARD};
    return (struct pen_validate_options){.environment = environment, .drift = none, .skew = none};
}

/* ---- a feature ---- */

pen_status pen_check_once(struct pen_check *check, struct pen_error *err)
{
    const char *name = check->feature->name;
    check->statistics = check->feature->deriver == PEN_SCHEMA_DERIVER_NONE
                            ? pen_statistics_find_feature(check->split, name)
                            : pen_measures_derived(check->options->measures, name);
    if (!pen_check_derived(check) || !pen_check_specification(check) || !pen_check_presence(check)) {
        return PEN_OK;
    }
    if (pen_check_type(check)) {
        pen_check_values(check);
        pen_check_domain(check);
        pen_check_language(check);
        PEN_TRY(pen_check_comparators(check, err));
    }
    return PEN_OK;
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
    PEN_TRY(pen_check_once(check, err));
    if (check->findings->n_items > from) {
        PEN_TRY(pen_check_settle(check, err));
        set_change(check->findings, from, pen_check_change(check));
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
    PEN_TRY(pen_check_settle(check, err));
    set_change(findings, from, pen_check_change(check));
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
    set_change(findings, from, pen_check_change(check));
    return PEN_OK;
}

static pen_status check_columns(struct pen_check *check, struct pen_error *err)
{
    const struct pen_schema *schema = check->schema;
    const struct pen_split_statistics *split = check->split;
    struct pen_check blank = *check;
    for (int64_t i = 0; i < schema->n_features; i++) {
        *check = blank;
        check->feature = &schema->features[i];
        if (!pen_schema_is_checked(check->feature)) {
            continue;
        }
        if (pen_schema_in_environment(schema, check->feature, check->options->environment)) {
            PEN_TRY(check_feature(check, err));
        } else if (pen_statistics_find_feature(split, check->feature->name) != NULL) {
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
    *check = blank;
    pen_check_compounds(check);
    return PEN_OK;
}

pen_status pen_validate_split(const struct pen_schema *schema, const struct pen_split_statistics *split,
                              const struct pen_validate_options *options, struct pen_arena *arena,
                              struct pen_findings *findings, struct pen_error *err)
{
    pen_findings_init(findings, arena, split->split, options->environment, split->n_rows);
    struct pen_check check = {.findings = findings, .schema = schema, .split = split, .options = options};
    pen_check_dataset(findings, schema, split->n_rows, options);
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
