/* penstock show: an artifact on the terminal, or as the document it is. */
#include "components/evaluator/render.h"
#include "components/example_validator/render.h"
#include "core/files.h"
#include "datasets/statistics/render.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/metadata/metadata.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH = 120, MOST_SLICES = 50, LIMIT_BYTES = 1 << 30 };

struct show_values {
    struct pen_config_strings features;
};

static const struct pen_arg args[] = {
    {"feature", 'f', PEN_ARG_MANY, offsetof(struct show_values, features), "NAME",
     "of statistics: all about this feature; may be given several times"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

/* ---- statistics ---- */

/* Of the terminal; of a page where there is none. */
static int columns(void)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : WIDTH;
}

static pen_status no_feature(const struct pen_statistics *statistics, const char *name, struct pen_error *err)
{
    const struct pen_split_statistics *split = statistics->n_splits > 0 ? &statistics->splits[0] : NULL;
    int64_t n = split == NULL ? 0 : split->n_features;
    const char **names = NULL;
    PEN_ALLOC(names, n + 1, err);
    for (int64_t i = 0; i < n; i++) {
        names[i] = split->features[i].name;
    }
    const char *near = pen_nearest_name(name, names, n);
    pen_free(names);
    PEN_FAIL(err, PEN_ERR_NOT_FOUND, "--feature: expected a feature of these statistics, found '%.80s'%s%s%s", name,
             near == NULL ? "" : "; did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?");
}

static pen_status show_statistics(const char *path, const struct pen_config_strings *features, struct pen_text *out,
                                  struct pen_error *err)
{
    struct pen_statistics statistics = {0};
    pen_status status = PEN_OK;
    PEN_TRY(pen_statistics_read(path, &statistics, err));
    if (features->n_items == 0) {
        pen_statistics_render(&statistics, out, columns());
    }
    for (int64_t i = 0; i < features->n_items; i++) {
        pen_text_append(out, i > 0 ? "\n" : "");
        if (!pen_statistics_render_feature(&statistics, features->items[i], out, columns())) {
            PEN_TRY_GOTO(cleanup, no_feature(&statistics, features->items[i], err));
        }
    }
    PEN_TRY_GOTO(cleanup, pen_text_check(out, err));
cleanup:
    pen_statistics_deinit(&statistics);
    return status;
}

/* ---- other artifacts ---- */

static pen_status show_json(const char *path,
                            pen_status (*render)(const pen_json *, struct pen_text *, struct pen_error *),
                            struct pen_text *out, struct pen_error *err)
{
    pen_json *document = NULL;
    PEN_TRY(pen_json_read_file(path, &document, err));
    pen_json_set_int(document, "schema", 1); /* files of models and graphs have a version of their own */
    pen_status status =
        render != NULL ? render(document, out, err) : pen_json_print(document, PEN_JSON_INDENT, out, err);
    pen_json_free(document);
    if (render == NULL) {
        pen_text_append_char(out, '\n');
    }
    return status;
}

static pen_status show_curves(const pen_json *curves, struct pen_text *out, struct pen_error *err)
{
    const pen_json *points = pen_json_get(curves, "curves");
    for (int64_t i = 0; i < pen_json_size(points); i++) {
        const pen_json *point = pen_json_at(points, i);
        const char *key = NULL;
        const pen_json *value = NULL;
        for (int64_t k = 0; pen_json_member(point, k, &key, &value); k++) {
            if (pen_json_is_number(value)) {
                pen_text_printf(out, "%s %-10.5g ", key, pen_json_number_or(value, 0));
            }
        }
        pen_text_append_char(out, '\n');
    }
    return pen_text_check(out, err);
}

static pen_status show_evaluation(const pen_json *evaluation, struct pen_text *out, struct pen_error *err)
{
    pen_evaluation_render(evaluation, WIDTH, MOST_SLICES, out);
    return pen_text_check(out, err);
}

static const struct kind {
    const char *word, *type, *file;
    pen_status (*render)(const pen_json *, struct pen_text *, struct pen_error *); /* NULL: the document itself */
} kinds[] = {
    {"statistics", "ExampleStatistics", "statistics.json", NULL},
    {"schema", "Schema", "schema.yaml", NULL},
    {"anomalies", "ExampleAnomalies", "anomalies.json", pen_anomalies_render},
    {"curves", "ModelRun", "curves.json", show_curves},
    {"evaluation", "ModelEvaluation", "evaluation.json", show_evaluation},
    {"blessing", "ModelBlessing", "blessing.json", NULL},
    {"examples", "Examples", "examples.json", NULL},
    {"model", "Model", "model.json", NULL},
    {"transform_graph", "TransformGraph", "graph.json", NULL},
    {"pushed", "PushedModel", "pushed.json", NULL},
    {"resolved", "ResolvedModel", "resolved.json", NULL},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static const struct kind *kind_of_type(const char *type)
{
    for (int i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].type, type) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* The artifact's type by a word, an id, or the type itself. */
static const char *wanted_type(const char *name)
{
    for (int i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].word, name) == 0) {
            return kinds[i].type;
        }
    }
    return name;
}

/* The staging folder of a failed node of the last run: its anomalies, say, are worth seeing. */
static const char *failed_output(struct pen_cli *cli, struct pen_metadata *metadata, const struct kind *kind)
{
    const pen_json *run = pen_metadata_find_run(metadata, NULL);
    const char *name = pen_json_string_or(pen_json_get(run, "run"), "");
    if (run == NULL || strcmp(kind->word, "anomalies") != 0) {
        return NULL;
    }
    const char *path =
        pen_arena_printf(&cli->arena, "%s/runs/%s/example_validator/anomalies/%s", metadata->root, name, kind->file);
    return path != NULL && pen_path_exists(path) ? path : NULL;
}

static pen_status find_file(struct pen_cli *cli, const char *name, const char **path, const struct kind **kind,
                            struct pen_error *err)
{
    struct pen_metadata metadata;
    const char *root = NULL;
    PEN_TRY(pen_cli_root(cli, &root, err));
    PEN_TRY(pen_metadata_open(&metadata, root, false, err));
    const pen_json *producer = NULL;
    const char *type = wanted_type(name);
    const pen_json *output = pen_metadata_find_artifact(&metadata, type, &producer);
    const char *found_type = pen_json_string_or(pen_json_get(output, "type"), type);
    pen_status status = PEN_OK;
    *kind = kind_of_type(found_type);
    *path = *kind == NULL ? NULL : failed_output(cli, &metadata, *kind);
    if (*path == NULL && output != NULL && *kind != NULL) {
        *path = pen_arena_printf(&cli->arena, "%s/%s/%s", root, pen_json_string_or(pen_json_get(output, "uri"), ""),
                                 (*kind)->file);
    }
    if (*path == NULL) {
        const char *words[N_KINDS];
        for (int i = 0; i < N_KINDS; i++) {
            words[i] = kinds[i].word;
        }
        const char *near = pen_nearest_name(name, words, N_KINDS);
        near = near != NULL && strcmp(near, name) == 0 ? NULL : near;
        status =
            pen_error_set(err, __FILE__, __LINE__, PEN_ERR_NOT_FOUND,
                          "%s has no artifact '%.80s'%s%s%s; penstock artifacts lists what there is", root, name,
                          near == NULL ? "" : "; did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?");
    }
    pen_metadata_close(&metadata);
    return status;
}

static pen_status render_file(const char *path, const struct kind *kind, const struct pen_cli *cli,
                              struct pen_text *out, struct pen_error *err)
{
    const struct pen_config_strings *features = &((const struct show_values *)cli->values)->features;
    bool json = cli->args.json;
    if (features->n_items > 0 && (json || strcmp(kind->word, "statistics") != 0)) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "--feature: expected with statistics in the terminal, found it with %s",
                 json ? "--json, whose document is whole" : kind->word);
    }
    if (strcmp(kind->word, "schema") == 0 && !json) {
        return pen_file_read(path, LIMIT_BYTES, out, err);
    }
    if (strcmp(kind->word, "schema") == 0) {
        struct pen_arena arena = {0};
        struct pen_config_node *root = NULL;
        pen_status status = pen_config_read_file(&arena, path, &root, err);
        pen_json *document = status == PEN_OK ? pen_config_to_json(root) : NULL;
        if (status == PEN_OK) {
            pen_json_set_int(document, "schema", 1);
            status = pen_json_print(document, PEN_JSON_INDENT, out, err);
            pen_text_append_char(out, '\n');
        }
        pen_json_free(document);
        pen_arena_deinit(&arena);
        return status;
    }
    if (strcmp(kind->word, "statistics") == 0 && !json) {
        return show_statistics(path, features, out, err);
    }
    return show_json(path, json ? NULL : kind->render, out, err);
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const char *path = NULL;
    const struct kind *kind = NULL;
    struct pen_text text = {0};
    PEN_TRY(find_file(cli, cli->args.positionals.items[0], &path, &kind, err));
    pen_status status = render_file(path, kind, cli, &text, err);
    if (status == PEN_OK) {
        status = pen_text_check(&text, err);
    }
    if (status == PEN_OK) {
        status = pen_cli_print(pen_text_view(&text), err);
    }
    pen_text_deinit(&text);
    return status;
}

const struct pen_verb pen_verb_show = {
    .name = "show",
    .arguments = "ARTIFACT",
    .summary = "statistics, schema, anomalies, curves, evaluation, ... in the terminal",
    .examples = "  penstock show evaluation            the newest one below the root\n"
                "  penstock show statistics --feature fare\n"
                "  penstock show statistics --json\n"
                "  penstock show evaluator.evaluation.8\n",
    .args = args,
    .values_bytes = sizeof(struct show_values),
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .run = run,
};
