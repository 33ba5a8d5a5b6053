/* See inputs.h. */
#include "components/example_validator/inputs.h"

#include "core/files.h"

#include <string.h>

static const char *const on_anomaly_names[] = {"stop", "warn", NULL};
static const char *const previous_names[] = {"span", "version", NULL};

const struct pen_option pen_validator_option_table[] = {
    {"on_anomaly", PEN_OPTION_ENUM, offsetof(struct pen_validator_options, on_anomaly), "stop", 0, 0, on_anomaly_names,
     "stop the run at an anomaly of severity error, or warn and go on"},
    {"environment", PEN_OPTION_STRING, offsetof(struct pen_validator_options, environment), NULL, 0, 0, NULL,
     "environment of the schema that all splits are in"},
    {"environments", PEN_OPTION_NODE, offsetof(struct pen_validator_options, environments), NULL, 0, 0, NULL,
     "environment of each split: {train: TRAINING, eval: TRAINING}"},
    {"drift", PEN_OPTION_NODE, offsetof(struct pen_validator_options, drift), NULL, 0, 0, NULL,
     "thresholds against previous statistics, for features without their own: {jensen_shannon: 0.1}"},
    {"skew", PEN_OPTION_NODE, offsetof(struct pen_validator_options, skew), NULL, 0, 0, NULL,
     "{reference: train, treatment: eval} and thresholds for features without their own"},
    {"serving_statistics", PEN_OPTION_STRING, offsetof(struct pen_validator_options, serving_statistics), NULL, 0, 0,
     NULL, "path of the statistics.json of serving data: skew is measured against it"},
    {"previous", PEN_OPTION_ENUM, offsetof(struct pen_validator_options, previous), "span", 0, 0, previous_names,
     "what previous statistics are: dataset.drift or dataset.version of the schema limits the row count"},
    {"exclude_splits", PEN_OPTION_STRINGS, offsetof(struct pen_validator_options, exclude_splits), NULL, 0, 0, NULL,
     "splits not to validate"},
    {.name = NULL},
};

static pen_status check_split_name(const struct pen_validator_inputs *inputs, const struct pen_config_node *place,
                                   const char *option, const char *name)
{
    const struct pen_statistics *statistics = &inputs->statistics;
    if (pen_statistics_find_split(statistics, name, NULL) != NULL) {
        return PEN_OK;
    }
    const char **names = pen_arena_alloc(inputs->context->arena, statistics->n_splits + 1, sizeof *names);
    int64_t n = 0;
    for (int64_t i = 0; names != NULL && i < statistics->n_splits; i++) {
        if (statistics->splits[i].slice[0] == '\0') {
            names[n++] = statistics->splits[i].split;
        }
    }
    const char *near = n == 0 ? NULL : pen_nearest_name(name, names, n);
    char quoted[PEN_QUOTE_BYTES];
    return pen_config_error(place, inputs->err, "option %s: the statistics have no split '%s'; %s '%s'", option,
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
static pen_status check_environment(const struct pen_validator_inputs *inputs, const struct pen_config_node *place,
                                    const char *name)
{
    const struct pen_schema *schema = &inputs->schema;
    int64_t room = schema->default_environment.n_items + 1;
    for (int64_t i = 0; i < schema->n_features; i++) {
        room += schema->features[i].in_environment.n_items + schema->features[i].not_in_environment.n_items;
    }
    const char **names = pen_arena_alloc(inputs->context->arena, room, sizeof *names);
    int64_t n = 0;
    if (names == NULL) {
        PEN_FAIL(inputs->err, PEN_ERR_MEMORY, "out of memory: reading environments");
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
    return pen_config_error(place, inputs->err, "the schema names no environment '%s'; %s '%s'",
                            pen_quote(quoted, name, strlen(name)), near != NULL ? "did you mean" : "it has",
                            near != NULL ? near : names[0]);
}

static pen_status check_names(const struct pen_validator_inputs *inputs)
{
    const struct pen_validator_options *options = &inputs->options;
    const struct pen_config_node *section = inputs->context->options;
    const struct pen_config_node *map = options->environments;
    for (int64_t i = 0; i < options->exclude_splits.n_items; i++) {
        PEN_TRY(check_split_name(inputs, pen_config_get(section, "exclude_splits"), "exclude_splits",
                                 options->exclude_splits.items[i]));
    }
    if (options->environment != NULL) {
        PEN_TRY(check_environment(inputs, pen_config_get(section, "environment"), options->environment));
    }
    if (map != NULL && map->kind != PEN_CONFIG_MAP) {
        return pen_config_error(map, inputs->err,
                                "option environments: expected a map of splits, {train: TRAINING, eval: TRAINING}");
    }
    for (int64_t i = 0; map != NULL && i < map->n_children; i++) {
        const char *name = NULL;
        PEN_TRY(pen_config_string(map->children[i], "environments", &name, inputs->err));
        PEN_TRY(check_split_name(inputs, map->children[i], "environments", map->keys[i]));
        PEN_TRY(check_environment(inputs, map->children[i], name));
    }
    return PEN_OK;
}

/* {reference, treatment} and thresholds in one map: the names are taken out, the rest is read as a comparator. */
static pen_status read_skew(struct pen_validator_inputs *inputs)
{
    const struct pen_config_node *map = inputs->options.skew;
    struct pen_config_node rest = {.kind = PEN_CONFIG_NULL};
    if (map != NULL && map->kind != PEN_CONFIG_MAP) {
        return pen_config_error(map, inputs->err, "option skew: expected a map, {reference: train, treatment: eval}");
    }
    if (map != NULL) {
        struct pen_arena *arena = inputs->context->arena;
        rest = *map;
        rest.n_children = 0;
        rest.children = pen_arena_alloc(arena, map->n_children + 1, sizeof *rest.children);
        rest.keys = pen_arena_alloc(arena, map->n_children + 1, sizeof *rest.keys);
        rest.key_lines = pen_arena_alloc(arena, map->n_children + 1, sizeof *rest.key_lines);
        rest.key_columns = pen_arena_alloc(arena, map->n_children + 1, sizeof *rest.key_columns);
        if (rest.children == NULL || rest.keys == NULL || rest.key_lines == NULL || rest.key_columns == NULL) {
            PEN_FAIL(inputs->err, PEN_ERR_MEMORY, "out of memory: reading option skew");
        }
    }
    for (int64_t i = 0; map != NULL && i < map->n_children; i++) {
        bool reference = strcmp(map->keys[i], "reference") == 0;
        if (reference || strcmp(map->keys[i], "treatment") == 0) {
            const char **name = reference ? &inputs->reference : &inputs->treatment;
            PEN_TRY(pen_config_string(map->children[i], map->keys[i], name, inputs->err));
            PEN_TRY(check_split_name(inputs, map->children[i], map->keys[i], *name));
            continue;
        }
        rest.children[rest.n_children] = map->children[i];
        rest.keys[rest.n_children] = map->keys[i];
        rest.key_lines[rest.n_children] = map->key_lines[i];
        rest.key_columns[rest.n_children++] = map->key_columns[i];
    }
    if ((inputs->reference == NULL) != (inputs->treatment == NULL)) {
        return pen_config_error(map, inputs->err, "option skew: expected both reference and treatment, or neither");
    }
    if (inputs->reference != NULL && inputs->has_serving) {
        return pen_config_error(map, inputs->err,
                                "option skew: expected reference and treatment or serving_statistics, found both");
    }
    return pen_schema_comparator_from_tree(inputs->context->arena, &rest, "skew", &inputs->skew, inputs->err);
}

static pen_status read_inputs(struct pen_validator_inputs *inputs)
{
    struct pen_component_context *context = inputs->context;
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, pen_component_input(context, "schema"), "schema.yaml", inputs->err));
    PEN_TRY(pen_schema_read(path, &inputs->schema, inputs->err));
    PEN_TRY(pen_path_join(path, pen_component_input(context, "statistics"), "statistics.json", inputs->err));
    PEN_TRY(pen_statistics_read(path, &inputs->statistics, inputs->err));
    const char *previous = pen_component_input(context, "previous_statistics");
    if (previous != NULL) {
        PEN_TRY(pen_path_join(path, previous, "statistics.json", inputs->err));
        PEN_TRY(pen_statistics_read(path, &inputs->previous, inputs->err));
        inputs->has_previous = true;
    }
    if (inputs->options.serving_statistics != NULL) {
        PEN_TRY(pen_statistics_read(pen_component_path(context, inputs->options.serving_statistics), &inputs->serving,
                                    inputs->err));
        if (inputs->serving.n_splits == 0) {
            PEN_FAIL(inputs->err, PEN_ERR_DATA, "%s: expected statistics of a split, found none",
                     inputs->options.serving_statistics);
        }
        inputs->has_serving = true;
    }
    PEN_TRY(
        pen_schema_comparator_from_tree(context->arena, inputs->options.drift, "drift", &inputs->drift, inputs->err));
    PEN_TRY(read_skew(inputs));
    return check_names(inputs);
}

pen_status pen_validator_inputs_read(struct pen_validator_inputs *inputs, struct pen_component_context *context,
                                     struct pen_error *err)
{
    memset(inputs, 0, sizeof *inputs);
    inputs->context = context;
    inputs->err = err;
    pen_schema_init(&inputs->schema);
    PEN_TRY(pen_config_options(context->arena, &inputs->options, sizeof inputs->options, pen_validator_option_table,
                               context->options, "example_validator", err));
    return read_inputs(inputs);
}

void pen_validator_inputs_deinit(struct pen_validator_inputs *inputs)
{
    pen_statistics_deinit(&inputs->serving);
    pen_statistics_deinit(&inputs->previous);
    pen_statistics_deinit(&inputs->statistics);
    pen_schema_deinit(&inputs->schema);
}
