/* An artifact for people: on the terminal, as the document it is, as a page. */
#include "orchestrator/cli/view.h"

#include "components/evaluator/render.h"
#include "components/example_validator/render.h"
#include "core/files.h"
#include "datasets/statistics/render.h"
#include "orchestrator/metadata/metadata.h"
#include "orchestrator/report/html.h"
#include "orchestrator/report/parts.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH = 120, MOST_SLICES = 50, LIMIT_BYTES = 1 << 30 };

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
    const char *folder = pen_arena_printf(&cli->arena, "%s/runs/%s/example_validator/anomalies", metadata->root, name);
    return folder != NULL && pen_page_has_artifact(kind->type, folder) ? folder : NULL;
}

static pen_status no_artifact(const char *root, const char *name, struct pen_error *err)
{
    const char *words[N_KINDS];
    for (int i = 0; i < N_KINDS; i++) {
        words[i] = kinds[i].word;
    }
    const char *near = pen_nearest_name(name, words, N_KINDS);
    near = near != NULL && strcmp(near, name) == 0 ? NULL : near;
    PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s has no artifact '%.80s'%s%s%s; penstock artifacts lists what there is", root,
             name, near == NULL ? "" : "; did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?");
}

pen_status pen_view_find(struct pen_cli *cli, const char *name, struct pen_view_artifact *artifact,
                         struct pen_error *err)
{
    struct pen_metadata metadata;
    const char *root = NULL;
    PEN_TRY(pen_cli_root(cli, &root, err));
    PEN_TRY(pen_metadata_open(&metadata, root, false, err));
    const pen_json *producer = NULL;
    const char *type = wanted_type(name);
    const pen_json *output = pen_metadata_find_artifact(&metadata, type, &producer);
    const struct kind *kind = kind_of_type(pen_json_string_or(pen_json_get(output, "type"), type));
    *artifact = (struct pen_view_artifact){.id = name, .type = kind == NULL ? NULL : kind->type};
    if (kind != NULL) {
        artifact->folder = failed_output(cli, &metadata, kind);
    }
    if (artifact->folder == NULL && output != NULL && kind != NULL) {
        artifact->id = pen_arena_strdup(&cli->arena, pen_json_string_or(pen_json_get(output, "id"), name));
        artifact->folder =
            pen_arena_printf(&cli->arena, "%s/%s", root, pen_json_string_or(pen_json_get(output, "uri"), ""));
    }
    pen_metadata_close(&metadata);
    return artifact->folder == NULL ? no_artifact(root, name, err) : PEN_OK;
}

/* ---- the three forms ---- */

static pen_status schema_document(const char *path, struct pen_text *out, struct pen_error *err)
{
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

static pen_status page(const struct pen_view_artifact *artifact, struct pen_text *out, struct pen_error *err)
{
    pen_html_page(out, artifact->id);
    pen_text_append(out, "<main>");
    pen_status status = pen_page_artifact(out, artifact->type, artifact->folder, err);
    pen_text_append(out, "</main>");
    pen_html_page_end(out);
    return status;
}

bool pen_view_is_for_people(const struct pen_view_artifact *artifact)
{
    const struct kind *kind = kind_of_type(artifact->type);
    PEN_ASSERT(kind != NULL);
    return kind->render != NULL || strcmp(kind->word, "statistics") == 0 || strcmp(kind->word, "schema") == 0;
}

pen_status pen_view_render(const struct pen_view_artifact *artifact, enum pen_view_form form,
                           const struct pen_config_strings *features, struct pen_text *out, struct pen_error *err)
{
    const struct kind *kind = kind_of_type(artifact->type);
    char path[PEN_PATH_BYTES];
    PEN_ASSERT(kind != NULL);
    bool is_statistics = strcmp(kind->word, "statistics") == 0, is_schema = strcmp(kind->word, "schema") == 0;
    if (features->n_items > 0 && (form != PEN_VIEW_TEXT || !is_statistics)) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "--feature: expected with statistics in the terminal, found it with %s",
                 form == PEN_VIEW_JSON   ? "--json, whose document is whole"
                 : form == PEN_VIEW_HTML ? "--html, whose page is whole"
                                         : kind->word);
    }
    if (form == PEN_VIEW_HTML) {
        return page(artifact, out, err);
    }
    PEN_TRY(pen_path_join(path, artifact->folder, kind->file, err));
    if (form == PEN_VIEW_JSON) {
        return is_schema ? schema_document(path, out, err) : show_json(path, NULL, out, err);
    }
    return is_schema       ? pen_file_read(path, LIMIT_BYTES, out, err)
           : is_statistics ? show_statistics(path, features, out, err)
                           : show_json(path, kind->render, out, err);
}
