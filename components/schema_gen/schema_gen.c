/* Infers or imports; the schema that is written is read back by the same reader everybody else uses. */
#include "components/schema_gen/schema_gen.h"

#include "core/files.h"
#include "core/log.h"
#include "datasets/schema/infer.h"

#include <string.h>

struct schema_gen_options {
    const char *import;
    bool infer_feature_shape;
    int64_t max_string_domain_size;
    struct pen_config_strings exclude_splits;
};

static const struct pen_option option_table[] = {
    {"import", PEN_OPTION_STRING, offsetof(struct schema_gen_options, import), NULL, 0, 0, NULL,
     "path of an edited schema.yaml to use instead of inferring one"},
    {"infer_feature_shape", PEN_OPTION_BOOL, offsetof(struct schema_gen_options, infer_feature_shape), "true", 0, 0,
     NULL, "give a shape to features that are never missing"},
    {"max_string_domain_size", PEN_OPTION_INT, offsetof(struct schema_gen_options, max_string_domain_size), "100", 0,
     100000, NULL, "strings with at most so many distinct values get them as their domain"},
    {"exclude_splits", PEN_OPTION_STRINGS, offsetof(struct schema_gen_options, exclude_splits), NULL, 0, 0, NULL,
     "splits that inference does not look at"},
    {.name = NULL},
};

static pen_status check_excluded(const struct schema_gen_options *options, const struct pen_statistics *statistics,
                                 struct pen_error *err)
{
    for (int64_t i = 0; i < options->exclude_splits.n_items; i++) {
        const char *name = options->exclude_splits.items[i];
        if (pen_statistics_find_split(statistics, name, NULL) == NULL) {
            char quoted[PEN_QUOTE_BYTES];
            PEN_FAIL(err, PEN_ERR_CONFIG,
                     "option exclude_splits: expected names of splits in the statistics (such as '%s'), found '%s'",
                     statistics->n_splits > 0 ? statistics->splits[0].split : "train",
                     pen_quote(quoted, name, strlen(name)));
        }
    }
    return PEN_OK;
}

/* Says which columns only the imported schema or only the data knows. */
static void compare_columns(const struct pen_schema *schema, const struct pen_statistics *statistics, const char *path)
{
    if (statistics->n_splits == 0) {
        return;
    }
    const struct pen_split_statistics *split = &statistics->splits[0];
    for (int64_t i = 0; i < schema->n_features; i++) {
        bool is_column = schema->features[i].deriver == PEN_SCHEMA_DERIVER_NONE;
        if (is_column && pen_statistics_find_feature(split, schema->features[i].name) == NULL) {
            pen_log(PEN_LOG_WARNING, "%s: feature %s is no column of split %s", path, schema->features[i].name,
                    split->split);
        }
    }
    for (int64_t i = 0; i < split->n_features; i++) {
        if (pen_schema_find(schema, split->features[i].name) == NULL) {
            pen_log(PEN_LOG_WARNING, "%s does not know column %s", path, split->features[i].name);
        }
    }
}

static pen_status import_schema(const char *path, const struct pen_statistics *statistics, const char *target,
                                struct pen_schema *schema, struct pen_error *err)
{
    struct pen_text text = {0};
    pen_status status = pen_file_read(path, PEN_CONFIG_LIMIT_BYTES, &text, err);
    if (status != PEN_OK) {
        pen_error_prefix(err, "option import: ");
    } else {
        status = pen_schema_parse(pen_text_view(&text), text.size_bytes, path, schema, err);
    }
    if (status == PEN_OK) {
        compare_columns(schema, statistics, path);
        status = pen_file_write_atomic(target, pen_text_view(&text), text.size_bytes, err);
    }
    pen_text_deinit(&text);
    return status;
}

static pen_status infer_schema(const struct schema_gen_options *options, const struct pen_statistics *statistics,
                               const char *target, struct pen_schema *schema, struct pen_error *err)
{
    struct pen_schema_infer_options how = {options->infer_feature_shape, options->max_string_domain_size,
                                           options->exclude_splits};
    PEN_TRY(check_excluded(options, statistics, err));
    PEN_TRY(pen_schema_infer(statistics, &how, schema, err));
    return pen_schema_write(schema, target, err);
}

static pen_status produce(struct pen_component_context *context, const struct schema_gen_options *options,
                          const struct pen_statistics *statistics, struct pen_schema *schema, struct pen_error *err)
{
    char target[PEN_PATH_BYTES];
    char digest[PEN_SHA256_HEX_BYTES];
    PEN_TRY(pen_path_join(target, pen_component_output(context, "schema"), "schema.yaml", err));
    if (options->import != NULL) {
        const char *path = pen_component_path(context, options->import);
        PEN_TRY(import_schema(path, statistics, target, schema, err));
    } else {
        PEN_TRY(infer_schema(options, statistics, target, schema, err));
    }
    PEN_TRY(pen_schema_digest(schema, digest, err));
    pen_json *properties = pen_component_properties(context, "schema");
    pen_json_set_int(properties, "features", schema->n_features);
    pen_json_set_string(properties, "origin", options->import != NULL ? "imported" : "inferred");
    pen_json_set_string(properties, "digest", digest);
    pen_log(PEN_LOG_INFO, "schema %s: %lld features", options->import != NULL ? "imported" : "inferred",
            (long long)schema->n_features);
    return PEN_OK;
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct schema_gen_options options;
    struct pen_statistics statistics = {0};
    struct pen_schema schema;
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_config_options(context->arena, &options, sizeof options, option_table, context->options, "schema_gen",
                               err));
    PEN_TRY(pen_path_join(path, pen_component_input(context, "statistics"), "statistics.json", err));
    pen_schema_init(&schema);
    pen_status status = pen_statistics_read(path, &statistics, err);
    if (status == PEN_OK) {
        status = produce(context, &options, &statistics, &schema, err);
    }
    pen_schema_deinit(&schema);
    pen_statistics_deinit(&statistics);
    return status;
}

static pen_status fingerprint(const struct pen_component_context *context, pen_json *key, struct pen_error *err)
{
    struct schema_gen_options options;
    char digest[PEN_SHA256_HEX_BYTES];
    PEN_TRY(pen_config_options(context->arena, &options, sizeof options, option_table, context->options, "schema_gen",
                               err));
    if (options.import == NULL) {
        return PEN_OK;
    }
    pen_status status = pen_sha256_file(pen_component_path(context, options.import), digest, err);
    if (status != PEN_OK) {
        pen_error_prefix(err, "option import: ");
        return status;
    }
    pen_json_set_string(key, "import", digest);
    return PEN_OK;
}

static const struct pen_component_port inputs[] = {
    {"statistics", "ExampleStatistics", false, "statistics_gen", "what the schema is inferred from"},
    {.key = NULL},
};

static const struct pen_component_port outputs[] = {
    {"schema", "Schema", false, NULL, "schema.yaml, to read and to edit"},
    {.key = NULL},
};

const struct pen_component pen_schema_gen = {
    .name = "schema_gen",
    .version = 2,
    .description = "infers a schema from statistics, or imports an edited one",
    .options = option_table,
    .options_bytes = sizeof(struct schema_gen_options),
    .inputs = inputs,
    .outputs = outputs,
    .run = run,
    .fingerprint = fingerprint,
};
