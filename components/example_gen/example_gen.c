/* ExampleGen: options, the order of work, and examples.json. */
#include "components/example_gen/example_gen.h"

#include "components/example_gen/reading.h"
#include "core/files.h"
#include "core/log.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct options {
    const struct pen_config_node *csv, *split, *strip, *types;
    int bad_rows, float_type;
    struct pen_dialect dialect;
};

static const char *const bad_rows_names[] = {"stop", "reject", NULL};
static const char *const float_names[] = {"float64", "float32", NULL};
enum { BAD_ROWS_REJECT = 1, FLOAT_TYPE_32 = 1 };

static const struct pen_option options_table[] = {
    {"csv", PEN_OPTION_NODE, offsetof(struct options, csv), NULL, 0, 0, NULL,
     "a file, a pattern ({SPAN}, {VERSION}, {YYYY}{MM}{DD}: the newest), a list, or a map from split to them"},
    {"split", PEN_OPTION_NODE, offsetof(struct options, split), NULL, 0, 0, NULL,
     "{train: 2, eval: 1}: hash buckets; or {by: column, column: user, buckets: {train: 2, eval: 1}}, "
     "{by: stratified, column, buckets}, {by: time, column: day, before: 2024-03-01}, {by: row, every: 5, index: 4}"},
    {"strip", PEN_OPTION_NODE, offsetof(struct options, strip), NULL, 0, 0, NULL,
     "{column: characters} taken off the end of its cells"},
    {"types", PEN_OPTION_NODE, offsetof(struct options, types), NULL, 0, 0, NULL,
     "{column: int64 | float64 | float32 | string | text}, in place of the type found in the data"},
    {"bad_rows", PEN_OPTION_ENUM, offsetof(struct options, bad_rows), "stop", 0, 0, bad_rows_names,
     "stop at a malformed row, or set it aside in rejects.csv"},
    {"float_type", PEN_OPTION_ENUM, offsetof(struct options, float_type), "float64", 0, 0, float_names,
     "how decimal numbers are stored"},
    PEN_DIALECT_OPTIONS(struct options),
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL},
};

static pen_status parse_types(struct pen_arena *arena, const struct pen_config_node *node,
                              struct pen_reading_plan *plan, struct pen_error *err)
{
    static const struct {
        const char *name;
        enum pen_type type;
    } known[] = {{"int64", PEN_TYPE_INT64},
                 {"float64", PEN_TYPE_FLOAT64},
                 {"float32", PEN_TYPE_FLOAT32},
                 {"string", PEN_TYPE_CODES},
                 {"text", PEN_TYPE_BYTES}};
    if (node == NULL || node->kind == PEN_CONFIG_NULL) {
        return PEN_OK;
    }
    if (node->kind != PEN_CONFIG_MAP) {
        return pen_config_error(node, err, "option types: expected a map such as {zip_code: string}");
    }
    struct pen_csv_column_type *types = pen_arena_alloc(arena, node->n_children + 1, sizeof *types);
    if (types == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading option types");
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        const char *word = NULL;
        PEN_TRY(pen_config_string(node->children[i], node->keys[i], &word, err));
        types[i].name = node->keys[i];
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            types[i].type = strcmp(word, known[k].name) == 0 ? known[k].type : types[i].type;
        }
        if (types[i].type == PEN_TYPE_NONE) {
            return pen_config_error(node->children[i], err,
                                    "option types: expected int64, float64, float32, string or text, found '%.40s'",
                                    word);
        }
    }
    plan->types = types;
    plan->n_types = node->n_children;
    return PEN_OK;
}

/* Everything that can be refused before a file is read. */
static pen_status prepare(const struct pen_component_context *context, struct options *options,
                          struct pen_example_inputs *inputs, struct pen_split_rule *rule, struct pen_error *err)
{
    PEN_TRY(pen_config_options(context->arena, options, sizeof *options, options_table, context->options, "example_gen",
                               err));
    PEN_TRY(pen_split_rule_parse(context->arena, options->split, rule, err));
    PEN_TRY(pen_example_inputs_resolve(context, options->csv, context->options, inputs, err));
    if (inputs->inputs[0].split != NULL && options->split != NULL) {
        return pen_config_error(options->split, err,
                                "option split: expected none, since csv gives the files of each split");
    }
    return PEN_OK;
}

static int rank_of(enum pen_type type)
{
    switch (type) {
    case PEN_TYPE_NONE:
        return 0;
    case PEN_TYPE_INT64:
        return 1;
    case PEN_TYPE_FLOAT32:
    case PEN_TYPE_FLOAT64:
        return 2;
    case PEN_TYPE_CODES:
        return 3;
    case PEN_TYPE_BYTES:
        return 4;
    }
    return 0;
}

/* The widest type of each column over all inputs; columns must be the same. *differ: some input has a narrower one. */
static pen_status join_types(struct pen_arena *arena, const struct pen_example_inputs *inputs,
                             const struct pen_reading *readings, struct pen_csv_column_type **joined, bool *differ,
                             struct pen_error *err)
{
    int64_t n_columns = readings[0].n_columns;
    struct pen_csv_column_type *types = pen_arena_alloc(arena, n_columns + 1, sizeof *types);
    if (types == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: types of columns");
    }
    *differ = false;
    for (int64_t i = 0; i < inputs->n_inputs; i++) {
        bool same = readings[i].n_columns == n_columns;
        for (int64_t c = 0; same && c < n_columns; c++) {
            const struct pen_reading *one = &readings[i];
            if (strcmp(one->names[c], readings[0].names[c]) != 0) {
                same = false;
                break;
            }
            *differ = *differ || one->types[c] != readings[0].types[c];
            if (i == 0 || rank_of(one->types[c]) > rank_of(types[c].type)) {
                types[c] = (struct pen_csv_column_type){one->names[c], one->types[c]};
            }
        }
        if (!same) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected the same columns as %s, found others; give `columns:`",
                     inputs->inputs[i].paths[0], inputs->inputs[0].paths[0]);
        }
    }
    *joined = types;
    return PEN_OK;
}

static int64_t without_none(struct pen_csv_column_type *types, int64_t n_types)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < n_types; i++) {
        if (types[i].type != PEN_TYPE_NONE) {
            types[kept++] = types[i];
        }
    }
    return kept;
}

static pen_status read_inputs(struct pen_reading_plan *plan, const struct pen_example_inputs *inputs,
                              struct pen_reading *readings, struct pen_error *err)
{
    struct pen_csv_column_type *joined = NULL;
    bool differ = false;
    for (int pass = 0; pass < 2; pass++) {
        int64_t n_forced = pass == 0 ? 0 : without_none(joined, readings[0].n_columns);
        for (int64_t i = 0; i < inputs->n_inputs; i++) {
            pen_route_abandon(readings[i].route);
            readings[i].route = NULL;
            if (plan->rejects != NULL && (pass == 0 || i > 0)) {
                pen_rejects_begin_input(plan->rejects);
            } else if (plan->rejects != NULL) {
                pen_rejects_rewind(plan->rejects);
            }
            PEN_TRY(pen_reading_run(plan, &inputs->inputs[i], joined, n_forced, &readings[i], err));
        }
        if (pass == 0) {
            PEN_TRY(join_types(plan->context->arena, inputs, readings, &joined, &differ, err));
        }
        if (!differ) {
            break;
        }
    }
    return PEN_OK;
}

static pen_status refuse_empty_splits(const struct pen_reading *reading, struct pen_error *err)
{
    for (int64_t i = 0; i < reading->n_splits; i++) {
        if (pen_route_n_rows(reading->route, i) == 0) {
            PEN_FAIL(err, PEN_ERR_DATA,
                     "split '%s': expected rows, found none of the %lld read; change option split or give more data",
                     reading->splits[i], (long long)reading->counts.n_rows);
        }
    }
    return PEN_OK;
}

static void set_splits(pen_json *root, const struct pen_example_inputs *inputs, const struct pen_reading *readings)
{
    pen_json *splits = pen_json_object();
    for (int pass = 0; pass < 2; pass++) { /* "train" first */
        for (int64_t i = 0; i < inputs->n_inputs; i++) {
            for (int64_t k = 0; k < readings[i].n_splits; k++) {
                if ((strcmp(readings[i].splits[k], "train") == 0) == (pass == 0)) {
                    pen_json_set_int(splits, readings[i].splits[k], pen_route_n_rows(readings[i].route, k));
                }
            }
        }
    }
    pen_json_set(root, "splits", splits);
}

static void set_span(pen_json *root, const struct pen_example_inputs *inputs)
{
    pen_json_set(root, "span", inputs->span >= 0 ? pen_json_int(inputs->span) : pen_json_null());
    pen_json_set(root, "version", inputs->version >= 0 ? pen_json_int(inputs->version) : pen_json_null());
}

static pen_json *describe(const struct pen_example_inputs *inputs, const struct pen_reading *readings,
                          int64_t n_bad_rows)
{
    pen_json *root = pen_json_object();
    pen_json_set_int(root, "schema", 1);
    set_splits(root, inputs, readings);
    set_span(root, inputs);
    pen_json *files = pen_json_array();
    for (int64_t i = 0; i < inputs->n_inputs; i++) {
        for (int64_t k = 0; k < inputs->inputs[i].n_paths; k++) {
            pen_json *file = pen_json_object();
            int64_t size = 0;
            (void)!pen_file_size(inputs->inputs[i].paths[k], &size, NULL);
            pen_json_set_string(file, "path", inputs->inputs[i].paths[k]);
            pen_json_set_int(file, "size_bytes", size);
            pen_json_set_int(file, "rows", readings[i].file_rows[k]);
            pen_json_push(files, file);
        }
    }
    pen_json_set(root, "files", files);
    pen_json_set_int(root, "bad_rows", n_bad_rows);
    pen_json *columns = pen_json_array();
    for (int64_t i = 0; i < readings[0].n_columns; i++) {
        pen_json *column = pen_json_object();
        pen_json_set_string(column, "name", readings[0].names[i]);
        pen_json_set_string(column, "type", pen_type_name(readings[0].types[i]));
        pen_json_push(columns, column);
    }
    pen_json_set(root, "columns", columns);
    return root;
}

static void warn(const struct pen_csv_counts *counts, const struct pen_rejects *rejects)
{
    if (rejects->n_rows > 0) {
        pen_log(PEN_LOG_WARNING, "%lld malformed rows set aside in rejects.csv", (long long)rejects->n_rows);
    }
    if (counts->n_non_utf8_cells > 0) {
        pen_log(PEN_LOG_WARNING,
                "%lld cells are not UTF-8 and were kept as they are; iconv -f WINDOWS-1252 -t UTF-8 converts a file",
                (long long)counts->n_non_utf8_cells);
    }
    if (counts->n_float_overflow > 0) {
        pen_log(PEN_LOG_WARNING, "%lld numbers are too large for a double and became infinite",
                (long long)counts->n_float_overflow);
    }
}

static pen_status publish(const struct pen_component_context *context, const struct pen_example_inputs *inputs,
                          struct pen_reading *readings, const struct pen_rejects *rejects, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    pen_status status = PEN_OK;
    pen_json *root = describe(inputs, readings, rejects->n_rows);
    pen_json *properties = pen_component_properties(context, "examples");
    pen_json_set(properties, "splits", pen_json_copy(pen_json_get(root, "splits")));
    pen_json_set(properties, "columns", pen_json_int(readings[0].n_columns));
    set_span(properties, inputs);
    for (int64_t i = 0; i < inputs->n_inputs; i++) {
        warn(&readings[i].counts, i == 0 ? rejects : &(struct pen_rejects){0});
        struct pen_route *route = readings[i].route;
        readings[i].route = NULL;
        PEN_TRY_GOTO(cleanup, pen_route_finish(route, err));
    }
    PEN_TRY_GOTO(cleanup, pen_path_join(path, pen_component_output(context, "examples"), "examples.json", err));
    status = pen_json_write_file(root, path, err);
cleanup:
    pen_json_free(root);
    return status;
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct options options;
    struct pen_example_inputs inputs;
    struct pen_split_rule rule;
    char rejects_path[PEN_PATH_BYTES];
    const char *examples = pen_component_output(context, "examples");
    pen_status status = PEN_OK;
    PEN_TRY(prepare(context, &options, &inputs, &rule, err));
    PEN_TRY(pen_path_join(rejects_path, examples, "rejects.csv", err));
    struct pen_rejects rejects = {.path = rejects_path};
    struct pen_reading_plan plan = {.context = context,
                                    .examples = examples,
                                    .rule = &rule,
                                    .strip = options.strip,
                                    .rejects = options.bad_rows == BAD_ROWS_REJECT ? &rejects : NULL,
                                    .float32 = options.float_type == FLOAT_TYPE_32,
                                    .span = inputs.span};
    PEN_TRY(parse_types(context->arena, options.types, &plan, err));
    struct pen_reading *readings = pen_arena_alloc(context->arena, inputs.n_inputs, sizeof *readings);
    if (readings == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld inputs", (long long)inputs.n_inputs);
    }
    status = read_inputs(&plan, &inputs, readings, err);
    for (int64_t i = 0; status == PEN_OK && i < inputs.n_inputs; i++) {
        status = refuse_empty_splits(&readings[i], err);
    }
    pen_status closed = pen_rejects_close(&rejects, status == PEN_OK ? err : NULL);
    status = status == PEN_OK ? closed : status;
    if (status == PEN_OK) {
        status = publish(context, &inputs, readings, &rejects, err);
    }
    for (int64_t i = 0; i < inputs.n_inputs; i++) {
        pen_route_abandon(readings[i].route);
    }
    return status;
}

static pen_status fingerprint(const struct pen_component_context *context, pen_json *key, struct pen_error *err)
{
    struct options options;
    struct pen_example_inputs inputs;
    struct pen_split_rule rule;
    PEN_TRY(prepare(context, &options, &inputs, &rule, err));
    pen_json *files = pen_json_array();
    for (int64_t i = 0; i < inputs.n_inputs; i++) {
        for (int64_t k = 0; k < inputs.inputs[i].n_paths; k++) {
            struct stat facts;
            const char *path = inputs.inputs[i].paths[k];
            if (stat(path, &facts) != 0) {
                pen_json_free(files);
                PEN_FAIL(err, pen_status_from_errno(errno), "%s: cannot look at it: %s", path, strerror(errno));
            }
            pen_json *file = pen_json_object();
            pen_json_set_string(file, "path", path);
            pen_json_set_int(file, "size_bytes", facts.st_size);
            pen_json_set_int(file, "time_ns", (int64_t)facts.st_mtim.tv_sec * 1000000000 + facts.st_mtim.tv_nsec);
            pen_json_push(files, file);
        }
    }
    pen_json_set(key, "files", files);
    return PEN_OK;
}

static const struct pen_component_port no_inputs[] = {{NULL, NULL, false, NULL, NULL}};
static const struct pen_component_port outputs[] = {
    {"examples", "Examples", false, NULL, "one feature store per split, and examples.json"},
    {NULL, NULL, false, NULL, NULL},
};

const struct pen_component pen_example_gen = {
    .name = "example_gen",
    .version = 1,
    .description = "reads CSV files and writes one feature store per split",
    .options = options_table,
    .options_bytes = sizeof(struct options),
    .inputs = no_inputs,
    .outputs = outputs,
    .run = run,
    .fingerprint = fingerprint,
};
