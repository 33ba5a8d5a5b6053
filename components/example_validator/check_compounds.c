/* Sparse and weighted features: their columns together or not at all, their lists of one length, a name of their own.
 *
 * In a table a cell is one value, so index and value of a row differ in length only when one of them is missing, which
 * is reported as that. Lengths can differ where the schema gives a separator, and with it says that a cell is a list.
 */
#include "components/example_validator/check.h"

#include <inttypes.h>
#include <string.h>

struct kind_anomalies {
    enum pen_anomaly missing_value, missing_part, mismatch, collision;
};

static const struct kind_anomalies anomalies[PEN_SCHEMA_COMPOUND_KINDS] = {
    [PEN_SCHEMA_SPARSE] = {PEN_ANOMALY_SPARSE_FEATURE_MISSING_VALUE, PEN_ANOMALY_SPARSE_FEATURE_MISSING_INDEX,
                           PEN_ANOMALY_SPARSE_FEATURE_LENGTH_MISMATCH, PEN_ANOMALY_SPARSE_FEATURE_NAME_COLLISION},
    [PEN_SCHEMA_WEIGHTED] = {PEN_ANOMALY_WEIGHTED_FEATURE_MISSING_VALUE, PEN_ANOMALY_WEIGHTED_FEATURE_MISSING_WEIGHT,
                             PEN_ANOMALY_WEIGHTED_FEATURE_LENGTH_MISMATCH, PEN_ANOMALY_WEIGHTED_FEATURE_NAME_COLLISION},
};

struct compound_check {
    struct pen_check *check;
    enum pen_schema_compound_kind kind;
    const struct pen_schema_compound *compound;
};

static void add(const struct compound_check *at, enum pen_anomaly type, const char *expected, const char *seen,
                const struct pen_measured_rows *rows)
{
    struct pen_check *check = at->check;
    const char *rule = pen_check_text(check, "%s.%s", pen_schema_compound_section(at->kind), at->compound->name);
    struct pen_finding *finding = pen_findings_add(check->findings, check->schema, NULL, type, rule, expected, seen);
    finding->feature = at->compound->name;
    if (rows != NULL) {
        pen_check_measured(check, finding, rows);
    }
}

static void check_name(const struct compound_check *at)
{
    const struct pen_schema *schema = at->check->schema;
    const char *name = at->compound->name;
    const struct pen_schema_feature *feature = pen_schema_find(schema, name);
    bool taken = feature != NULL && pen_schema_is_checked(feature);
    const struct pen_schema_compounds *sparse = &schema->compounds[PEN_SCHEMA_SPARSE];
    for (int64_t i = 0; at->kind == PEN_SCHEMA_WEIGHTED && i < sparse->n_items; i++) {
        taken =
            taken || (strcmp(sparse->items[i].name, name) == 0 && pen_schema_stage_is_checked(sparse->items[i].stage));
    }
    if (taken) {
        add(at, anomalies[at->kind].collision, "a name that no other feature has",
            pen_check_text(at->check, "another feature %s", pen_check_quoted(at->check, name)), NULL);
    }
}

static void check_part(const struct compound_check *at, const char *name, const struct pen_measured_part *part)
{
    struct pen_check *check = at->check;
    const char *column = pen_check_quoted(check, name);
    const char *word = pen_schema_compound_part_name(at->kind);
    if (part->missing.n_rows > 0) {
        add(at, anomalies[at->kind].missing_part,
            pen_check_text(check, "%s %s in every row with a part of it", word, column),
            pen_check_text(check, "%s without", pen_check_count(check, part->missing.n_rows, "row")), &part->missing);
    }
    if (part->mismatched.n_rows > 0) {
        add(at, anomalies[at->kind].mismatch,
            pen_check_text(check, "as many items in %s %s as in the value", word, column),
            pen_check_text(check, "from %" PRId64 " fewer to %" PRId64 " more in %s", part->most_fewer, part->most_more,
                           pen_check_count(check, part->mismatched.n_rows, "row")),
            &part->mismatched);
    }
}

static bool in_environment(const struct compound_check *at)
{
    const struct pen_schema *schema = at->check->schema;
    const char *environment = at->check->options->environment;
    bool in = pen_schema_in_environment(schema, pen_schema_find(schema, at->compound->value), environment);
    for (int64_t i = 0; i < at->compound->parts.n_items; i++) {
        const struct pen_schema_feature *part = pen_schema_find(schema, at->compound->parts.items[i]);
        in = in && pen_schema_in_environment(schema, part, environment);
    }
    return in;
}

static const char *deprecation(const struct compound_check *at)
{
    struct pen_schema_compound changed = *at->compound;
    struct pen_text text = {0};
    changed.stage = PEN_SCHEMA_STAGE_DEPRECATED;
    pen_text_printf(&text, "%s:\n", pen_schema_compound_section(at->kind));
    pen_schema_print_compound(&changed, at->kind, &text);
    char *copy = pen_arena_strdup(at->check->findings->arena, pen_text_view(&text));
    at->check->findings->failed = at->check->findings->failed || text.failed || copy == NULL;
    pen_text_deinit(&text);
    return copy;
}

static void check_compound(const struct compound_check *at, int64_t index)
{
    struct pen_findings *findings = at->check->findings;
    const struct pen_measured_compound *measured = pen_measures_compound(at->check->options->measures, at->kind, index);
    int64_t from = findings->n_items;
    check_name(at);
    if (measured == NULL) {
        add(at, PEN_ANOMALY_STATS_NOT_AVAILABLE, "rows to compare its columns in",
            "none: the examples are no input of this node", NULL);
    } else {
        if (measured->missing_value.n_rows > 0) {
            add(at, anomalies[at->kind].missing_value,
                pen_check_text(at->check, "value %s in every row with a part of it",
                               pen_check_quoted(at->check, at->compound->value)),
                pen_check_text(at->check, "%s without",
                               pen_check_count(at->check, measured->missing_value.n_rows, "row")),
                &measured->missing_value);
        }
        for (int64_t i = 0; i < at->compound->parts.n_items; i++) {
            check_part(at, at->compound->parts.items[i], &measured->parts[i]);
        }
    }
    const char *change = findings->n_items > from ? deprecation(at) : NULL;
    for (int64_t i = from; i < findings->n_items; i++) {
        findings->items[i].change = change;
    }
}

void pen_check_compounds(struct pen_check *check)
{
    for (int kind = 0; kind < PEN_SCHEMA_COMPOUND_KINDS; kind++) {
        const struct pen_schema_compounds *list = &check->schema->compounds[kind];
        for (int64_t i = 0; i < list->n_items; i++) {
            struct compound_check at = {check, (enum pen_schema_compound_kind)kind, &list->items[i]};
            if (pen_schema_stage_is_checked(at.compound->stage) && in_environment(&at)) {
                check_compound(&at, i);
            }
        }
    }
}
