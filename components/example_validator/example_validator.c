/* The component: reads the inputs, validates split by split, writes anomalies.json, decides whether to stop. */
#include "components/example_validator/example_validator.h"

#include "components/example_validator/report.h"
#include "components/example_validator/rows.h"
#include "components/example_validator/validate.h"
#include "core/files.h"
#include "core/log.h"

#include <stdlib.h>
#include <string.h>

enum { ON_ANOMALY_STOP, ON_ANOMALY_WARN };
enum { PREVIOUS_SPAN, PREVIOUS_VERSION };
enum { NAMED_ANOMALIES = 3 };

struct validator_options {
    int on_anomaly, previous;
    const char *environment, *serving_statistics;
    const struct pen_config_node *environments, *drift, *skew;
    struct pen_config_strings exclude_splits;
};

static const char *const on_anomaly_names[] = {"stop", "warn", NULL};
static const char *const previous_names[] = {"span", "version", NULL};

static const struct pen_option option_table[] = {
    {"on_anomaly", PEN_OPTION_ENUM, offsetof(struct validator_options, on_anomaly), "stop", 0, 0, on_anomaly_names,
     "stop the run at an anomaly of severity error, or warn and go on"},
    {"environment", PEN_OPTION_STRING, offsetof(struct validator_options, environment), NULL, 0, 0, NULL,
     "environment of the schema that all splits are in"},
    {"environments", PEN_OPTION_NODE, offsetof(struct validator_options, environments), NULL, 0, 0, NULL,
     "environment of each split: {train: TRAINING, eval: TRAINING}"},
    {"drift", PEN_OPTION_NODE, offsetof(struct validator_options, drift), NULL, 0, 0, NULL,
     "thresholds against previous statistics, for features without their own: {jensen_shannon: 0.1}"},
    {"skew", PEN_OPTION_NODE, offsetof(struct validator_options, skew), NULL, 0, 0, NULL,
     "{reference: train, treatment: eval} and thresholds for features without their own"},
    {"serving_statistics", PEN_OPTION_STRING, offsetof(struct validator_options, serving_statistics), NULL, 0, 0, NULL,
     "path of the statistics.json of serving data: skew is measured against it"},
    {"previous", PEN_OPTION_ENUM, offsetof(struct validator_options, previous), "span", 0, 0, previous_names,
     "what previous statistics are: dataset.drift or dataset.version of the schema limits the row count"},
    {"exclude_splits", PEN_OPTION_STRINGS, offsetof(struct validator_options, exclude_splits), NULL, 0, 0, NULL,
     "splits not to validate"},
    {.name = NULL},
};

struct validation {
    struct pen_component_context *context;
    struct validator_options options;
    struct pen_schema schema;
    struct pen_statistics statistics, previous, serving;
    bool has_previous, has_serving;
    struct pen_schema_comparator drift, skew;
    const char *reference, *treatment; /* skew between splits; NULL: none */
    struct pen_text named;             /* the first anomalies, for the message */
    int64_t n_anomalies, n_errors;
    struct pen_error *err;
};

/* ---- names of splits and environments ---- */

static bool is_excluded(const struct validation *validation, const char *split)
{
    for (int64_t i = 0; i < validation->options.exclude_splits.n_items; i++) {
        if (strcmp(validation->options.exclude_splits.items[i], split) == 0) {
            return true;
        }
    }
    return false;
}

static pen_status check_split_name(const struct validation *validation, const struct pen_config_node *place,
                                   const char *option, const char *name)
{
    const struct pen_statistics *statistics = &validation->statistics;
    if (pen_statistics_find_split(statistics, name, NULL) != NULL) {
        return PEN_OK;
    }
    const char **names = pen_arena_alloc(validation->context->arena, statistics->n_splits + 1, sizeof *names);
    int64_t n = 0;
    for (int64_t i = 0; names != NULL && i < statistics->n_splits; i++) {
        if (statistics->splits[i].slice[0] == '\0') {
            names[n++] = statistics->splits[i].split;
        }
    }
    const char *near = n == 0 ? NULL : pen_nearest_name(name, names, n);
    char quoted[PEN_QUOTE_BYTES];
    return pen_config_error(place, validation->err, "option %s: the statistics have no split '%s'; %s '%s'", option,
                            pen_quote(quoted, name, strlen(name)), near != NULL ? "did you mean" : "the first is",
                            near != NULL ? near
                            : n > 0      ? names[0]
                                         : "");
}

static bool add_names(const struct pen_config_strings *list, const char **names, int64_t *n)
{
    for (int64_t i = 0; i < list->n_items; i++) {
        names[(*n)++] = list->items[i];
    }
    return list->n_items > 0;
}

/* An environment no list of the schema knows is a mistake, unless the schema has no such list. */
static pen_status check_environment(const struct validation *validation, const struct pen_config_node *place,
                                    const char *name)
{
    const struct pen_schema *schema = &validation->schema;
    int64_t room = schema->default_environment.n_items + 1;
    for (int64_t i = 0; i < schema->n_features; i++) {
        room += schema->features[i].in_environment.n_items + schema->features[i].not_in_environment.n_items;
    }
    const char **names = pen_arena_alloc(validation->context->arena, room, sizeof *names);
    int64_t n = 0;
    if (names == NULL) {
        PEN_FAIL(validation->err, PEN_ERR_MEMORY, "out of memory: reading environments");
    }
    (void)add_names(&schema->default_environment, names, &n);
    for (int64_t i = 0; i < schema->n_features; i++) {
        (void)add_names(&schema->features[i].in_environment, names, &n);
        (void)add_names(&schema->features[i].not_in_environment, names, &n);
    }
    for (int64_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) {
            return PEN_OK;
        }
    }
    if (n == 0) {
        return PEN_OK;
    }
    const char *near = pen_nearest_name(name, names, n);
    char quoted[PEN_QUOTE_BYTES];
    return pen_config_error(place, validation->err, "the schema names no environment '%s'; %s '%s'",
                            pen_quote(quoted, name, strlen(name)), near != NULL ? "did you mean" : "it has",
                            near != NULL ? near : names[0]);
}

static const char *environment_of(const struct validation *validation, const char *split)
{
    const struct pen_config_node *own = pen_config_get(validation->options.environments, split);
    return own != NULL && own->kind == PEN_CONFIG_SCALAR ? own->scalar : validation->options.environment;
}

static pen_status check_names(const struct validation *validation)
{
    const struct validator_options *options = &validation->options;
    const struct pen_config_node *section = validation->context->options;
    const struct pen_config_node *map = options->environments;
    for (int64_t i = 0; i < options->exclude_splits.n_items; i++) {
        PEN_TRY(check_split_name(validation, pen_config_get(section, "exclude_splits"), "exclude_splits",
                                 options->exclude_splits.items[i]));
    }
    if (options->environment != NULL) {
        PEN_TRY(check_environment(validation, pen_config_get(section, "environment"), options->environment));
    }
    if (map != NULL && map->kind != PEN_CONFIG_MAP) {
        return pen_config_error(map, validation->err,
                                "option environments: expected a map of splits, {train: TRAINING, eval: TRAINING}");
    }
    for (int64_t i = 0; map != NULL && i < map->n_children; i++) {
        const char *name = NULL;
        PEN_TRY(pen_config_string(map->children[i], "environments", &name, validation->err));
        PEN_TRY(check_split_name(validation, map->children[i], "environments", map->keys[i]));
        PEN_TRY(check_environment(validation, map->children[i], name));
    }
    return PEN_OK;
}

/* ---- inputs ---- */

/* {reference, treatment} and thresholds in one map: the names are taken out, the rest is read as a comparator. */
static pen_status read_skew(struct validation *validation)
{
    const struct pen_config_node *map = validation->options.skew;
    struct pen_config_node rest = {.kind = PEN_CONFIG_NULL};
    if (map != NULL && map->kind != PEN_CONFIG_MAP) {
        return pen_config_error(map, validation->err,
                                "option skew: expected a map, {reference: train, treatment: eval}");
    }
    if (map != NULL) {
        struct pen_arena *arena = validation->context->arena;
        rest = *map;
        rest.n_children = 0;
        rest.children = pen_arena_alloc(arena, map->n_children + 1, sizeof *rest.children);
        rest.keys = pen_arena_alloc(arena, map->n_children + 1, sizeof *rest.keys);
        rest.key_lines = pen_arena_alloc(arena, map->n_children + 1, sizeof *rest.key_lines);
        rest.key_columns = pen_arena_alloc(arena, map->n_children + 1, sizeof *rest.key_columns);
        if (rest.children == NULL || rest.keys == NULL || rest.key_lines == NULL || rest.key_columns == NULL) {
            PEN_FAIL(validation->err, PEN_ERR_MEMORY, "out of memory: reading option skew");
        }
    }
    for (int64_t i = 0; map != NULL && i < map->n_children; i++) {
        bool reference = strcmp(map->keys[i], "reference") == 0;
        if (reference || strcmp(map->keys[i], "treatment") == 0) {
            const char **name = reference ? &validation->reference : &validation->treatment;
            PEN_TRY(pen_config_string(map->children[i], map->keys[i], name, validation->err));
            PEN_TRY(check_split_name(validation, map->children[i], map->keys[i], *name));
            continue;
        }
        rest.children[rest.n_children] = map->children[i];
        rest.keys[rest.n_children] = map->keys[i];
        rest.key_lines[rest.n_children] = map->key_lines[i];
        rest.key_columns[rest.n_children++] = map->key_columns[i];
    }
    if ((validation->reference == NULL) != (validation->treatment == NULL)) {
        return pen_config_error(map, validation->err, "option skew: expected both reference and treatment, or neither");
    }
    if (validation->reference != NULL && validation->has_serving) {
        return pen_config_error(map, validation->err,
                                "option skew: expected reference and treatment or serving_statistics, found both");
    }
    return pen_schema_comparator_from_tree(validation->context->arena, &rest, "skew", &validation->skew,
                                           validation->err);
}

static pen_status read_inputs(struct validation *validation)
{
    struct pen_component_context *context = validation->context;
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, pen_component_input(context, "schema"), "schema.yaml", validation->err));
    PEN_TRY(pen_schema_read(path, &validation->schema, validation->err));
    PEN_TRY(pen_path_join(path, pen_component_input(context, "statistics"), "statistics.json", validation->err));
    PEN_TRY(pen_statistics_read(path, &validation->statistics, validation->err));
    const char *previous = pen_component_input(context, "previous_statistics");
    if (previous != NULL) {
        PEN_TRY(pen_path_join(path, previous, "statistics.json", validation->err));
        PEN_TRY(pen_statistics_read(path, &validation->previous, validation->err));
        validation->has_previous = true;
    }
    if (validation->options.serving_statistics != NULL) {
        PEN_TRY(pen_statistics_read(pen_component_path(context, validation->options.serving_statistics),
                                    &validation->serving, validation->err));
        if (validation->serving.n_splits == 0) {
            PEN_FAIL(validation->err, PEN_ERR_DATA, "%s: expected statistics of a split, found none",
                     validation->options.serving_statistics);
        }
        validation->has_serving = true;
    }
    PEN_TRY(pen_schema_comparator_from_tree(context->arena, validation->options.drift, "drift", &validation->drift,
                                            validation->err));
    PEN_TRY(read_skew(validation));
    return check_names(validation);
}

/* ---- splits ---- */

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

static pen_status add_rows(struct validation *validation, struct pen_findings *findings)
{
    const char *examples = pen_component_input(validation->context, "examples");
    struct pen_store *store = NULL;
    if (examples == NULL || findings->n_items == 0) {
        return PEN_OK;
    }
    const char *path = pen_component_split_path(validation->context, examples, findings->split);
    PEN_TRY(pen_store_open(&store, path, validation->err));
    pen_status status = pen_findings_add_rows(findings, store, validation->err);
    pen_store_close(store);
    return status;
}

static pen_status validate(struct validation *validation, const struct pen_split_statistics *split, bool is_first,
                           pen_json *splits, pen_json *blessed)
{
    struct pen_findings findings = {0};
    struct pen_validate_options options = pen_validate_defaults(environment_of(validation, split->split));
    options.drift = validation->drift;
    options.previous_is_version = validation->options.previous == PREVIOUS_VERSION;
    if (validation->has_previous) {
        options.previous = pen_statistics_find_split(&validation->previous, split->split, NULL);
        if (options.previous == NULL) {
            pen_log(PEN_LOG_WARNING, "split %s: the previous statistics have no such split, so no drift is measured",
                    split->split);
        }
    }
    if (validation->has_serving && is_first) {
        options.control = &validation->serving.splits[0];
        options.control_name = "the serving data";
        options.skew = validation->skew;
    } else if (validation->treatment != NULL && strcmp(validation->treatment, split->split) == 0) {
        options.control = pen_statistics_find_split(&validation->statistics, validation->reference, NULL);
        options.control_name = pen_arena_printf(validation->context->arena, "split %s", validation->reference);
        options.skew = validation->skew;
    }
    PEN_TRY(pen_validate_split(&validation->schema, split, &options, validation->context->arena, &findings,
                               validation->err));
    pen_status status = add_rows(validation, &findings);
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
    for (int64_t i = 0; i < validation->statistics.n_splits; i++) {
        const struct pen_split_statistics *split = &validation->statistics.splits[i];
        if (split->slice[0] == '\0' && !is_excluded(validation, split->split)) {
            PEN_TRY(validate(validation, split, is_first, splits, blessed));
            is_first = false;
        }
    }
    if (is_first) {
        PEN_FAIL(validation->err, PEN_ERR_DATA, "expected statistics of at least one split to validate, found none%s",
                 validation->options.exclude_splits.n_items > 0 ? " outside exclude_splits" : "");
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
        status = pen_path_join(path, pen_component_output(validation->context, "anomalies"), "anomalies.json",
                               validation->err);
    }
    if (status == PEN_OK) {
        status = pen_json_write_file(root, path, validation->err);
    }
    pen_json_free(root);
    PEN_TRY(status);
    pen_json *properties = pen_component_properties(validation->context, "anomalies");
    pen_json_set_bool(properties, "blessed", validation->n_errors == 0);
    pen_json_set_int(properties, "anomalies", validation->n_anomalies);
    if (validation->n_errors > 0 && validation->options.on_anomaly == ON_ANOMALY_STOP) {
        PEN_FAIL(validation->err, PEN_ERR_ANOMALY,
                 "%lld anomal%s: %s%s (penstock show anomalies tells more; "
                 "example_validator.on_anomaly: warn goes on)",
                 (long long)validation->n_errors, validation->n_errors == 1 ? "y" : "ies",
                 pen_text_view(&validation->named), validation->n_errors > NAMED_ANOMALIES ? "; ..." : "");
    }
    return PEN_OK;
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct validation validation = {.context = context, .err = err};
    pen_schema_init(&validation.schema);
    pen_status status = pen_config_options(context->arena, &validation.options, sizeof validation.options, option_table,
                                           context->options, "example_validator", err);
    if (status == PEN_OK) {
        status = read_inputs(&validation);
    }
    if (status == PEN_OK) {
        status = produce(&validation);
    }
    pen_text_deinit(&validation.named);
    pen_statistics_deinit(&validation.serving);
    pen_statistics_deinit(&validation.previous);
    pen_statistics_deinit(&validation.statistics);
    pen_schema_deinit(&validation.schema);
    return status;
}

static pen_status fingerprint(const struct pen_component_context *context, pen_json *key, struct pen_error *err)
{
    struct validator_options options;
    char digest[PEN_SHA256_HEX_BYTES];
    PEN_TRY(pen_config_options(context->arena, &options, sizeof options, option_table, context->options,
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
    {"examples", "Examples", true, "example_gen", "where example rows are looked up"},
    {"previous_statistics", "ExampleStatistics", true, NULL, "of the previous span or run: drift"},
    {.key = NULL},
};

static const struct pen_component_port outputs[] = {
    {"anomalies", "ExampleAnomalies", false, NULL, "anomalies.json"},
    {.key = NULL},
};

const struct pen_component pen_example_validator = {
    .name = "example_validator",
    .version = 1,
    .description = "holds the data against the schema, other splits and earlier data",
    .options = option_table,
    .options_bytes = sizeof(struct validator_options),
    .inputs = inputs,
    .outputs = outputs,
    .run = run,
    .fingerprint = fingerprint,
};
