/* The first candidate that the strategy allows and whose folder is still there; candidates come newest first. */
#include "components/resolver/resolver.h"

#include "core/files.h"

enum strategy { LATEST_BLESSED, LATEST_TRAINED, NO_MODEL };

struct resolver_options {
    int strategy;
};

static const char *const strategies[] = {"latest_blessed", "latest_trained", "none", NULL};

static const struct pen_option option_table[] = {
    {"strategy", PEN_OPTION_ENUM, offsetof(struct resolver_options, strategy), "latest_blessed", 0, 0, strategies,
     "which earlier model is the baseline: the last blessed one, the last trained one, or none"},
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL}};

struct choice {
    const char *path, *id;
    int64_t n_seen, n_unblessed, n_gone;
};

static pen_status choose(const pen_json *root, const char *where, enum strategy strategy, struct choice *choice,
                         struct pen_error *err)
{
    const pen_json *models = NULL;
    PEN_TRY(pen_json_need_array(root, "models", where, &models, err));
    for (int64_t i = 0; i < pen_json_size(models) && choice->path == NULL; i++) {
        const pen_json *model = pen_json_at(models, i);
        const char *path = NULL;
        PEN_TRY(pen_json_need_string(model, "path", where, &path, err));
        choice->n_seen++;
        if (strategy == LATEST_BLESSED && !pen_json_bool_or(pen_json_get(model, "blessed"), false)) {
            choice->n_unblessed++;
        } else if (!pen_path_is_directory(path)) {
            choice->n_gone++;
        } else {
            choice->path = path;
            choice->id = pen_json_string_or(pen_json_get(model, "id"), NULL);
        }
    }
    return PEN_OK;
}

static void explain(struct pen_text *reason, enum strategy strategy, const struct choice *choice)
{
    const char *kind = strategy == LATEST_BLESSED ? "blessed" : "trained";
    if (strategy == NO_MODEL) {
        pen_text_append(reason, "no baseline asked for (strategy none)");
    } else if (choice->path != NULL) {
        pen_text_printf(reason, "the last %s model%s%s", kind, choice->id != NULL ? ", " : "",
                        choice->id != NULL ? choice->id : "");
    } else {
        pen_text_printf(reason, "no %s model of this pipeline yet", kind);
    }
    if (choice->n_unblessed > 0) {
        pen_text_printf(reason, "; %lld newer not blessed", (long long)choice->n_unblessed);
    }
    if (choice->n_gone > 0) {
        pen_text_printf(reason, "; %lld passed over, their folders are gone", (long long)choice->n_gone);
    }
}

static pen_status write_answer(const char *directory, const struct choice *choice, const char *reason,
                               struct pen_error *err)
{
    pen_json *root = pen_json_object();
    pen_json_set_int(root, "schema", 1);
    pen_json_set_string(root, "model", choice->path);
    pen_json_set_string(root, "id", choice->id);
    pen_json_set_string(root, "reason", reason);
    struct pen_text text = {0};
    char path[PEN_PATH_BYTES];
    pen_status status = pen_json_print(root, PEN_JSON_INDENT, &text, err);
    if (status == PEN_OK) {
        status = pen_path_join(path, directory, "resolved.json", err);
    }
    if (status == PEN_OK) {
        status = pen_file_write_atomic(path, text.data, text.size_bytes, err);
    }
    pen_text_deinit(&text);
    pen_json_free(root);
    return status;
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct resolver_options options;
    PEN_TRY(pen_config_options(context->arena, &options, sizeof options, option_table, context->options, context->node,
                               err));
    const char *directory = pen_component_input(context, "candidates");
    pen_json *root = NULL;
    struct pen_text reason = {0};
    struct choice choice = {0};
    pen_status status = PEN_OK;
    char path[PEN_PATH_BYTES];
    if (directory != NULL && options.strategy != NO_MODEL) {
        PEN_TRY_GOTO(cleanup, pen_path_join(path, directory, "candidates.json", err));
        PEN_TRY_GOTO(cleanup, pen_json_read_file(path, &root, err));
        PEN_TRY_GOTO(cleanup, choose(root, path, (enum strategy)options.strategy, &choice, err));
    }
    explain(&reason, (enum strategy)options.strategy, &choice);
    PEN_TRY_GOTO(cleanup, pen_text_check(&reason, err));
    PEN_TRY_GOTO(cleanup, write_answer(pen_component_output(context, "resolved"), &choice, reason.data, err));
    pen_json_set_string(pen_component_properties(context, "resolved"), "model_id", choice.id);
cleanup:
    pen_text_deinit(&reason);
    pen_json_free(root);
    return status;
}

pen_status pen_resolved_model(struct pen_arena *arena, const char *directory, const char **model, const char **id,
                              struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    pen_json *root = NULL;
    *model = NULL;
    *id = NULL;
    PEN_TRY(pen_path_join(path, directory, "resolved.json", err));
    PEN_TRY(pen_json_read_file(path, &root, err));
    const char *found = pen_json_string_or(pen_json_get(root, "model"), NULL);
    const char *found_id = pen_json_string_or(pen_json_get(root, "id"), NULL);
    pen_status status = PEN_OK;
    if (found != NULL) {
        *model = pen_arena_strdup(arena, found);
        *id = pen_arena_strdup(arena, found_id != NULL ? found_id : found);
        if (*model == NULL || *id == NULL) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: reading %s", path);
        }
    }
cleanup:
    pen_json_free(root);
    return status;
}

static const struct pen_component_port inputs[] = {
    {"candidates", "Candidates", true, NULL, "earlier models of this pipeline, newest first"},
    {NULL, NULL, false, NULL, NULL}};
static const struct pen_component_port outputs[] = {
    {"resolved", "ResolvedModel", false, NULL, "the model chosen, or none, with the reason"},
    {NULL, NULL, false, NULL, NULL}};

const struct pen_component pen_resolver = {.name = "resolver",
                                           .version = 1,
                                           .description = "picks the baseline: the last blessed model",
                                           .options = option_table,
                                           .options_bytes = sizeof(struct resolver_options),
                                           .inputs = inputs,
                                           .outputs = outputs,
                                           .run = run};
