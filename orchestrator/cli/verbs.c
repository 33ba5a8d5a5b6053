/* The verbs, and the manners they share. */
#include "orchestrator/cli/verbs.h"

#include "core/files.h"
#include "orchestrator/pipeline/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VERB_ROW(name) &pen_verb_##name,
const struct pen_verb *const pen_verbs[] = {PEN_VERB_LIST(VERB_ROW) NULL};

pen_status pen_cli_print(const char *text, struct pen_error *err)
{
    if (fputs(text, stdout) < 0 || fflush(stdout) != 0) {
        PEN_FAIL(err, PEN_ERR_IO, "standard output: cannot write: %s", strerror(errno));
    }
    return PEN_OK;
}

pen_status pen_cli_print_json(const pen_json *document, struct pen_error *err)
{
    struct pen_text text = {0};
    pen_status status = pen_json_print(document, PEN_JSON_INDENT, &text, err);
    if (status == PEN_OK) {
        pen_text_append_char(&text, '\n');
        status = pen_cli_print(pen_text_view(&text), err);
    }
    pen_text_deinit(&text);
    return status;
}

pen_status pen_cli_answer(const struct pen_cli *cli, const pen_json *document, const struct pen_text *text,
                          struct pen_error *err)
{
    if (cli->args.json) {
        return pen_cli_print_json(document, err);
    }
    PEN_TRY(pen_text_check(text, err));
    return pen_cli_print(pen_text_view(text), err);
}

void pen_cli_say_run(const pen_json *run, struct pen_text *out)
{
    const char *name = pen_json_string_or(pen_json_get(run, "name"), NULL);
    const pen_json *tags = pen_json_get(run, "tags");
    if (name != NULL) {
        pen_text_printf(out, "  \"%s\"", name);
    }
    for (int64_t i = 0; i < pen_json_size(tags); i++) {
        pen_text_printf(out, "%s#%s", i == 0 ? "  " : " ", pen_json_string_or(pen_json_at(tags, i), ""));
    }
}

void pen_cli_say_notes(const pen_json *run, struct pen_text *out)
{
    const pen_json *notes = pen_json_get(run, "notes");
    for (int64_t i = 0; i < pen_json_size(notes); i++) {
        const pen_json *note = pen_json_at(notes, i);
        pen_text_printf(out, "%s: %s\n", pen_json_string_or(pen_json_get(note, "time"), ""),
                        pen_json_string_or(pen_json_get(note, "text"), ""));
    }
}

static bool is_root(const char *path)
{
    char metadata[PEN_PATH_BYTES];
    return pen_path_join(metadata, path, "metadata/ROOT.json", NULL) == PEN_OK && pen_path_exists(metadata);
}

static pen_status only_root_below(struct pen_cli *cli, const char *folder, const char **root, struct pen_error *err)
{
    char **names = NULL;
    int64_t n_names = 0;
    int64_t n_roots = 0;
    if (pen_path_is_directory(folder)) {
        PEN_TRY(pen_directory_list(&cli->arena, folder, &names, &n_names, err));
    }
    for (int64_t i = 0; i < n_names; i++) {
        const char *path = pen_arena_printf(&cli->arena, "%s/%s", folder, names[i]);
        if (path != NULL && is_root(path)) {
            *root = path;
            n_roots++;
        }
    }
    if (n_roots != 1) {
        PEN_FAIL(err, PEN_ERR_USAGE,
                 "expected --root DIR, a pipeline.yaml here, or one root below %s; found %lld roots", folder,
                 (long long)n_roots);
    }
    return PEN_OK;
}

pen_status pen_cli_root(struct pen_cli *cli, const char **root, struct pen_error *err)
{
    if (cli->args.root != NULL) {
        *root = cli->args.root;
        return PEN_OK;
    }
    if (pen_path_exists("pipeline.yaml")) {
        struct pen_pipeline pipeline;
        PEN_TRY(pen_pipeline_read(&pipeline, "pipeline.yaml", NULL, 0, pen_components, err));
        *root = pen_arena_strdup(&cli->arena, pipeline.root);
        pen_pipeline_deinit(&pipeline);
        return *root == NULL ? pen_error_set(err, __FILE__, __LINE__, PEN_ERR_MEMORY, "out of memory: finding the root")
                             : PEN_OK;
    }
    return only_root_below(cli, "out", root, err);
}

pen_status pen_cli_open_root(struct pen_cli *cli, struct pen_metadata *metadata, struct pen_error *err)
{
    const char *root = NULL;
    PEN_TRY(pen_cli_root(cli, &root, err));
    return pen_metadata_open(metadata, root, false, err);
}

pen_status pen_cli_finish(const struct pen_cli *cli, struct pen_metadata *metadata, pen_status status,
                          pen_json *document, struct pen_text *text, struct pen_error *err)
{
    status = status == PEN_OK ? pen_metadata_check(metadata, err) : status;
    pen_metadata_close(metadata);
    if (status == PEN_OK) {
        status = pen_cli_answer(cli, document, text, err);
    }
    pen_text_deinit(text);
    pen_json_free(document);
    return status;
}
