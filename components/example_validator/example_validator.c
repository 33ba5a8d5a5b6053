/* The component: validates split by split, writes anomalies.json, decides whether to stop. */
#include "components/example_validator/example_validator.h"

#include "components/example_validator/derive.h"
#include "components/example_validator/inputs.h"
#include "components/example_validator/report.h"
#include "components/example_validator/rows.h"
#include "components/example_validator/validate.h"
#include "core/files.h"
#include "core/log.h"

#include <string.h>

enum { NAMED_ANOMALIES = 3 };

struct validation {
    struct pen_validator_inputs in;
    struct pen_text named; /* the first anomalies, for the message */
    int64_t n_anomalies, n_errors;
};

static bool is_excluded(const struct validation *validation, const char *split)
{
    for (int64_t i = 0; i < validation->in.options.exclude_splits.n_items; i++) {
        if (strcmp(validation->in.options.exclude_splits.items[i], split) == 0) {
            return true;
        }
    }
    return false;
}

static const char *environment_of(const struct validation *validation, const char *split)
{
    const struct pen_config_node *own = pen_config_get(validation->in.options.environments, split);
    return own != NULL && own->kind == PEN_CONFIG_SCALAR ? own->scalar : validation->in.options.environment;
}

static void name_anomalies(struct validation *validation, const struct pen_findings *findings)
{
    for (int64_t i = 0; i < findings->n_items; i++) {
        const struct pen_finding *item = &findings->items[i];
        const char *feature = item->feature == NULL ? "(data set)" : item->feature;
        bool is_error = item->severity == PEN_SEVERITY_ERROR;
        pen_log(is_error ? PEN_LOG_ERROR : PEN_LOG_WARNING, "split %s: %s: %s: expected %s, seen %s", findings->split,
                feature, pen_anomaly_types[item->type].name, item->expected, item->seen);
        if (is_error && validation->n_errors++ < NAMED_ANOMALIES) {
            pen_text_printf(&validation->named, "%s%s %s %s: expected %s, seen %s",
                            validation->named.size_bytes > 0 ? "; " : "", findings->split, feature,
                            pen_anomaly_types[item->type].name, item->expected, item->seen);
        }
    }
    validation->n_anomalies += findings->n_items;
}

/* What the split is compared with, and by which thresholds. */
static struct pen_validate_options options_of(const struct validation *validation,
                                              const struct pen_split_statistics *split, bool is_first)
{
    const struct pen_validator_inputs *in = &validation->in;
    struct pen_validate_options options = pen_validate_defaults(environment_of(validation, split->split));
    options.drift = in->drift;
    options.previous_is_version = in->options.previous == PEN_PREVIOUS_VERSION;
    if (in->has_previous) {
        options.previous = pen_statistics_find_split(&in->previous, split->split, NULL);
        if (options.previous == NULL) {
            pen_log(PEN_LOG_WARNING, "split %s: the previous statistics have no such split, so no drift is measured",
                    split->split);
        }
    }
    if (in->has_serving && is_first) {
        options.control = &in->serving.splits[0];
        options.control_name = "the serving data";
        options.skew = in->skew;
    } else if (in->treatment != NULL && strcmp(in->treatment, split->split) == 0) {
        options.control = pen_statistics_find_split(&in->statistics, in->reference, NULL);
        options.control_name = pen_arena_printf(in->context->arena, "split %s", in->reference);
        options.skew = in->skew;
    }
    return options;
}

/* Validates with the rows at hand: NULL when the examples are no input. */
static pen_status validate_rows(struct validation *validation, const struct pen_split_statistics *split,
                                struct pen_validate_options *options, const struct pen_store *store,
                                struct pen_findings *findings)
{
    struct pen_arena *arena = validation->in.context->arena;
    struct pen_error *err = validation->in.err;
    struct pen_measures measures = {.n_languages = 0};
    struct pen_derived derived;
    if (store == NULL) {
        return pen_validate_split(&validation->in.schema, split, options, arena, findings, err);
    }
    struct pen_statistics_source stored = pen_statistics_source_store(store);
    PEN_TRY(pen_derived_init(&derived, &stored, &validation->in.schema, arena, err));
    struct pen_statistics_source rows = pen_derived_source(&derived);
    PEN_TRY(pen_measure(&measures, &validation->in.schema, &rows, arena, err));
    options->measures = &measures;
    pen_status status = pen_validate_split(&validation->in.schema, split, options, arena, findings, err);
    if (status == PEN_OK) {
        status = pen_findings_add_rows(findings, &rows, err);
    }
    options->measures = NULL;
    pen_measures_deinit(&measures);
    return status;
}

static pen_status validate(struct validation *validation, const struct pen_split_statistics *split, bool is_first,
                           pen_json *splits, pen_json *blessed)
{
    struct pen_component_context *context = validation->in.context;
    struct pen_findings findings = {0};
    struct pen_store *store = NULL;
    struct pen_validate_options options = options_of(validation, split, is_first);
    const char *examples = pen_component_input(context, "examples");
    if (examples != NULL) {
        const char *path = pen_component_split_path(context, examples, split->split);
        PEN_TRY(pen_store_open(&store, path, validation->in.err));
    }
    pen_status status = validate_rows(validation, split, &options, store, &findings);
    pen_store_close(store);
    if (status == PEN_OK) {
        name_anomalies(validation, &findings);
        pen_json_set(splits, split->split, pen_findings_to_json(&findings));
        pen_json_set_bool(blessed, split->split, pen_findings_n_errors(&findings) == 0);
    }
    pen_findings_deinit(&findings);
    return status;
}

static pen_status validate_all(struct validation *validation, pen_json *splits, pen_json *blessed)
{
    bool is_first = true;
    for (int64_t i = 0; i < validation->in.statistics.n_splits; i++) {
        const struct pen_split_statistics *split = &validation->in.statistics.splits[i];
        if (split->slice[0] == '\0' && !is_excluded(validation, split->split)) {
            PEN_TRY(validate(validation, split, is_first, splits, blessed));
            is_first = false;
        }
    }
    if (is_first) {
        PEN_FAIL(validation->in.err, PEN_ERR_DATA,
                 "expected statistics of at least one split to validate, found none%s",
                 validation->in.options.exclude_splits.n_items > 0 ? " outside exclude_splits" : "");
    }
    return PEN_OK;
}

static pen_status produce(struct validation *validation)
{
    char path[PEN_PATH_BYTES];
    pen_json *root = pen_json_object();
    pen_json *splits = pen_json_object();
    pen_json *blessed = pen_json_object();
    pen_json_set_int(root, "schema", 1);
    pen_status status = validate_all(validation, splits, blessed);
    pen_json_set(root, "splits", splits);
    pen_json_set(root, "blessed", blessed);
    if (status == PEN_OK) {
        status = pen_path_join(path, pen_component_output(validation->in.context, "anomalies"), "anomalies.json",
                               validation->in.err);
    }
    if (status == PEN_OK) {
        status = pen_json_write_file(root, path, validation->in.err);
    }
    pen_json_free(root);
    PEN_TRY(status);
    pen_json *properties = pen_component_properties(validation->in.context, "anomalies");
    pen_json_set_bool(properties, "blessed", validation->n_errors == 0);
    pen_json_set_int(properties, "anomalies", validation->n_anomalies);
    if (validation->n_errors > 0 && validation->in.options.on_anomaly == PEN_ON_ANOMALY_STOP) {
        PEN_FAIL(validation->in.err, PEN_ERR_ANOMALY,
                 "%lld anomal%s: %s%s (penstock show anomalies tells more; "
                 "example_validator.on_anomaly: warn goes on)",
                 (long long)validation->n_errors, validation->n_errors == 1 ? "y" : "ies",
                 pen_text_view(&validation->named), validation->n_errors > NAMED_ANOMALIES ? "; ..." : "");
    }
    return PEN_OK;
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct validation validation = {.n_errors = 0};
    pen_status status = pen_validator_inputs_read(&validation.in, context, err);
    if (status == PEN_OK) {
        status = produce(&validation);
    }
    pen_text_deinit(&validation.named);
    pen_validator_inputs_deinit(&validation.in);
    return status;
}

static pen_status fingerprint(const struct pen_component_context *context, pen_json *key, struct pen_error *err)
{
    struct pen_validator_options options;
    char digest[PEN_SHA256_HEX_BYTES];
    PEN_TRY(pen_config_options(context->arena, &options, sizeof options, pen_validator_option_table, context->options,
                               "example_validator", err));
    if (options.serving_statistics == NULL) {
        return PEN_OK;
    }
    PEN_TRY(pen_sha256_file(pen_component_path(context, options.serving_statistics), digest, err));
    pen_json_set_string(key, "serving_statistics", digest);
    return PEN_OK;
}

static const struct pen_component_port inputs[] = {
    {"statistics", "ExampleStatistics", false, "statistics_gen", "what is validated"},
    {"schema", "Schema", false, "schema_gen", "what the data must be like"},
    {"examples", "Examples", true, "example_gen", "rows to show and to measure in"},
    {"previous_statistics", "ExampleStatistics", true, NULL, "of the previous span or run: drift"},
    {.key = NULL},
};

static const struct pen_component_port outputs[] = {
    {"anomalies", "ExampleAnomalies", false, NULL, "anomalies.json"},
    {.key = NULL},
};

const struct pen_component pen_example_validator = {
    .name = "example_validator",
    .version = 2,
    .description = "holds the data against the schema, other splits and earlier data",
    .options = pen_validator_option_table,
    .options_bytes = sizeof(struct pen_validator_options),
    .inputs = inputs,
    .outputs = outputs,
    .run = run,
    .fingerprint = fingerprint,
};
