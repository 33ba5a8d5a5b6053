/* See report.h for the names. */
#include "components/example_validator/report.h"

#include <string.h>

static pen_json *change_to_json(const char *change)
{
    struct pen_arena arena = {0};
    struct pen_config_node *root = NULL;
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *object = pen_json_object();
    pen_json_set_string(object, "yaml", change);
    pen_json *schema = NULL;
    if (pen_config_parse(&arena, change, strlen(change), "change", &root, &err) == PEN_OK) {
        schema = pen_config_to_json(root);
    }
    pen_json_set(object, "schema", schema);
    pen_arena_deinit(&arena);
    return object;
}

static pen_json *examples_to_json(const struct pen_finding *finding)
{
    pen_json *list = pen_json_array();
    for (int64_t i = 0; i < finding->n_examples; i++) {
        pen_json *item = pen_json_object();
        pen_json_set_int(item, "row", finding->example_rows[i]);
        pen_json_set_string(item, "value", finding->example_values[i]);
        pen_json_push(list, item);
    }
    return list;
}

static pen_json *finding_to_json(const struct pen_finding *finding)
{
    const struct pen_anomaly_type *type = &pen_anomaly_types[finding->type];
    pen_json *item = pen_json_object();
    pen_json_set_string(item, "feature", finding->feature);
    pen_json_set_string(item, "type", type->name);
    pen_json_set_string(item, "severity", pen_severity_name(finding->severity));
    pen_json_set_string(item, "description", type->description);
    pen_json_set_string(item, "rule", finding->rule);
    pen_json_set_string(item, "expected", finding->expected);
    pen_json_set_string(item, "seen", finding->seen);
    pen_json_set(item, "rows", finding->n_rows < 0 ? pen_json_null() : pen_json_int(finding->n_rows));
    pen_json_set(item, "share", finding->share < 0.0 ? pen_json_null() : pen_json_double(finding->share));
    pen_json_set(item, "examples", examples_to_json(finding));
    pen_json_set(item, "change", change_to_json(finding->change));
    return item;
}

static pen_json *distance_to_json(const struct pen_distance_finding *distance)
{
    pen_json *item = pen_json_object();
    pen_json_set_string(item, "kind", distance->kind);
    pen_json_set_string(item, "feature", distance->feature);
    pen_json_set_string(item, "measure", distance->measure);
    pen_json_set(item, "value", distance->is_measured ? pen_json_double(distance->value) : pen_json_null());
    pen_json_set_double(item, "threshold", distance->threshold);
    pen_json_set_bool(item, "crossed", distance->crossed);
    pen_json_set_string(item, "worst", distance->worst);
    pen_json_set_string(item, "note", distance->note);
    return item;
}

pen_json *pen_findings_to_json(const struct pen_findings *findings)
{
    pen_json *split = pen_json_object();
    pen_json *anomalies = pen_json_array();
    pen_json *features = pen_json_object();
    pen_json *distances = pen_json_array();
    for (int64_t i = 0; i < findings->n_items; i++) {
        const struct pen_finding *finding = &findings->items[i];
        pen_json_push(anomalies, finding_to_json(finding));
        if (finding->feature != NULL) {
            bool again = pen_json_get(features, finding->feature) != NULL;
            enum pen_anomaly type = again ? PEN_ANOMALY_MULTIPLE_REASONS : finding->type;
            pen_json_set_string(features, finding->feature, pen_anomaly_types[type].name);
        }
    }
    for (int64_t i = 0; i < findings->n_distances; i++) {
        pen_json_push(distances, distance_to_json(&findings->distances[i]));
    }
    pen_json_set_string(split, "environment", findings->environment);
    pen_json_set_int(split, "rows", findings->n_rows);
    pen_json_set_bool(split, "blessed", pen_findings_n_errors(findings) == 0);
    pen_json_set(split, "anomalies", anomalies);
    pen_json_set(split, "features", features);
    pen_json_set(split, "drift_skew", distances);
    return split;
}
