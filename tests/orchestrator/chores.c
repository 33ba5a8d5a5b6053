/* The fake components, a pipeline file around them, and the audit of a root. */
#include "tests/orchestrator/chores.h"

#include "core/communicator.h"
#include "core/log.h"
#include "orchestrator/metadata/metadata.h"
#include "orchestrator/run/manifest.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum act {
    ACT_OK,
    ACT_FAIL,
    ACT_ANOMALY,
    ACT_CRASH,
    ACT_HANG,
    ACT_QUIT,
    ACT_RANK_DIES,
    ACT_RANK_HANGS,
    ACT_IO,
    ACT_STUBBORN
};

struct chore_options {
    const char *text;
    int act;
    const char *watched;
    int64_t files;
    int64_t pause_ms;
    int64_t times;
};

static const char *const acts[] = {"ok",        "fail",       "anomaly", "crash",    "hang", "quit",
                                   "rank_dies", "rank_hangs", "io",      "stubborn", NULL};

static const struct pen_option options_table[] = {
    {"text", PEN_OPTION_STRING, offsetof(struct chore_options, text), "plain", 0, 0, NULL, "goes into the outputs"},
    {"act", PEN_OPTION_ENUM, offsetof(struct chore_options, act), "ok", 0, 0, acts, "how to end"},
    {"watched", PEN_OPTION_STRING, offsetof(struct chore_options, watched), NULL, 0, 0, NULL, "an outside file"},
    {"files", PEN_OPTION_INT, offsetof(struct chore_options, files), "0", 0, 100, NULL, "more files"},
    {"pause_ms", PEN_OPTION_INT, offsetof(struct chore_options, pause_ms), "0", 0, 1000, NULL, "before each file"},
    {"times", PEN_OPTION_INT, offsetof(struct chore_options, times), "0", 0, 100, NULL,
     "attempts that misbehave; 0: all"},
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL},
};

static pen_status read_options(struct pen_component_context *context, struct chore_options *options,
                               struct pen_error *err)
{
    return pen_config_options(context->arena, options, sizeof *options, options_table, context->options, context->node,
                              err);
}

static void pause_ms(int64_t milliseconds)
{
    struct timespec time = {milliseconds / 1000, (milliseconds % 1000) * 1000000};
    (void)nanosleep(&time, NULL);
}

static pen_status write_output(const struct pen_component_output *output, const struct chore_options *options,
                               const struct pen_text *value, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    char folder[PEN_PATH_BYTES];
    pause_ms(options->pause_ms);
    PEN_TRY(pen_path_join(path, output->path, "value.txt", err));
    PEN_TRY(pen_file_write_atomic(path, value->data, value->size_bytes, err));
    PEN_TRY(pen_path_join(folder, output->path, "more", err));
    for (int64_t i = 0; i < options->files; i++) {
        char name[32];
        pause_ms(options->pause_ms);
        (void)snprintf(name, sizeof name, "%lld.txt", (long long)i);
        PEN_TRY(pen_directory_create(folder, err));
        PEN_TRY(pen_path_join(path, folder, name, err));
        FILE *file = fopen(path, "w");
        if (file == NULL) {
            PEN_FAIL(err, PEN_ERR_IO, "%s: cannot write", path);
        }
        (void)fwrite(value->data, 1, value->size_bytes, file);
        (void)fclose(file);
    }
    pen_json_set_int(output->properties, "length", (int64_t)value->size_bytes);
    return PEN_OK;
}

/* Whether it has misbehaved often enough: a byte a time in a file. */
static bool has_had_its_times(const struct pen_component_context *context, const struct chore_options *options)
{
    char path[PEN_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/times.%s", context->base_directory, context->node);
    FILE *file = options->times == 0 ? NULL : fopen(path, "a");
    if (file == NULL) {
        return false;
    }
    bool had = fseek(file, 0, SEEK_END) != 0 || ftell(file) >= options->times;
    (void)fputs("x", file);
    (void)fclose(file);
    return had;
}

static pen_status misbehave(const struct pen_component_context *context, const struct chore_options *options,
                            struct pen_error *err)
{
    if (has_had_its_times(context, options)) {
        return PEN_OK;
    }
    switch (options->act) {
    case ACT_FAIL:
        PEN_FAIL(err, PEN_ERR_DATA, "rows.csv:7: expected 3 cells, found 2");
    case ACT_ANOMALY:
        PEN_FAIL(err, PEN_ERR_ANOMALY, "2 anomalies");
    case ACT_CRASH:
        (void)fprintf(stderr, "about to fall\n");
        (void)signal(SIGSEGV, SIG_DFL);
        (void)raise(SIGSEGV);
        return PEN_OK;
    case ACT_QUIT:
        _exit(9);
    case ACT_IO:
        PEN_FAIL(err, PEN_ERR_IO, "/data: cannot read: Input/output error");
    case ACT_STUBBORN:
        (void)signal(SIGTERM, SIG_IGN);
        pause_ms(10000);
        return PEN_OK;
    default:
        return PEN_OK;
    }
}

/* Ranks meet, or wait for one that does not come; rank 0 goes on to do the work. */
static pen_status meet(const struct pen_component_context *context, const struct chore_options *options,
                       struct pen_error *err)
{
    if (context->ranks->rank == 1 && (options->act == ACT_RANK_DIES || options->act == ACT_RANK_HANGS)) {
        (void)raise(options->act == ACT_RANK_DIES ? SIGKILL : SIGSTOP);
    }
    return pen_communicator_barrier(context->ranks, err);
}

static pen_status chore_component_run(struct pen_component_context *context, struct pen_error *err)
{
    struct chore_options options;
    struct pen_text value = {0};
    PEN_TRY(read_options(context, &options, err));
    PEN_TRY(meet(context, &options, err));
    if (context->ranks->rank > 0) {
        return PEN_OK;
    }
    pen_text_printf(&value, "%s=%s(", context->node, options.text);
    for (int64_t i = 0; i < context->n_inputs; i++) {
        char path[PEN_PATH_BYTES];
        struct pen_text given = {0};
        if (context->inputs[i].path != NULL) {
            PEN_TRY(pen_path_join(path, context->inputs[i].path, "value.txt", err));
            PEN_TRY(pen_file_read(path, 1 << 16, &given, err));
        }
        pen_text_printf(&value, "%s%s", i == 0 ? "" : ",",
                        context->inputs[i].path == NULL ? "-" : pen_text_view(&given));
        pen_text_deinit(&given);
    }
    pen_text_append_char(&value, ')');
    pen_status status = pen_text_check(&value, err);
    for (int64_t i = 0; status == PEN_OK && i < context->n_outputs; i++) {
        status = write_output(&context->outputs[i], &options, &value, err);
    }
    pen_text_deinit(&value);
    for (int i = 0; status == PEN_OK && options.act == ACT_HANG && i < 10000; i++) {
        char stop[PEN_PATH_BYTES];
        (void)snprintf(stop, sizeof stop, "%s/stop", context->base_directory);
        if (pen_path_exists(stop)) {
            break;
        }
        pause_ms(2);
        PEN_TRY(pen_cancel_check(err));
    }
    return status == PEN_OK ? misbehave(context, &options, err) : status;
}

static pen_status chore_fingerprint(const struct pen_component_context *context, pen_json *key, struct pen_error *err)
{
    const char *watched = NULL;
    const struct pen_config_node *option = pen_config_get(context->options, "watched");
    if (option == NULL) {
        return PEN_OK;
    }
    PEN_TRY(pen_config_string(option, "watched", &watched, err));
    struct pen_text text = {0};
    pen_status status = pen_file_read(pen_component_path(context, watched), 1 << 16, &text, err);
    if (status == PEN_OK) {
        pen_json_set_string(key, watched, pen_text_view(&text));
    }
    pen_text_deinit(&text);
    return status;
}

#define END_OF_PORTS                  \
    {                                 \
        NULL, NULL, false, NULL, NULL \
    }
static const struct pen_component_port no_ports[] = {END_OF_PORTS};
static const struct pen_component_port source_out[] = {{"data", "Data", false, NULL, "rows"}, END_OF_PORTS};
static const struct pen_component_port data_in[] = {{"data", "Data", false, "source", "rows"}, END_OF_PORTS};
static const struct pen_component_port middle_out[] = {
    {"number", "Number", false, NULL, "a number"}, {"notes", "Notes", false, NULL, "notes"}, END_OF_PORTS};
static const struct pen_component_port side_out[] = {{"extra", "Extra", false, NULL, "more"}, END_OF_PORTS};
static const struct pen_component_port last_in[] = {
    {"number", "Number", false, "middle", "a number"}, {"extra", "Extra", true, "side", "more"}, END_OF_PORTS};
static const struct pen_component_port last_out[] = {{"final", "Final", false, NULL, "the end"}, END_OF_PORTS};
static const struct pen_component_port push_in[] = {{"final", "Final", false, "last", "the end"}, END_OF_PORTS};
static const struct pen_component_port push_out[] = {{"pushed", "Pushed", false, NULL, "pushed"}, END_OF_PORTS};

#define CHORE(label, ins, outs, ranks, always)                                                \
    static const struct pen_component label = {.name = #label,                                \
                                               .version = 1,                                  \
                                               .description = "a chore",                      \
                                               .options = options_table,                      \
                                               .options_bytes = sizeof(struct chore_options), \
                                               .inputs = ins,                                 \
                                               .outputs = outs,                               \
                                               .over_ranks = ranks,                           \
                                               .rounds_by_ranks = ranks,                      \
                                               .never_cached = always,                        \
                                               .run = chore_component_run,                    \
                                               .fingerprint = chore_fingerprint}
CHORE(source, no_ports, source_out, false, false);
CHORE(middle, data_in, middle_out, false, false);
CHORE(side, data_in, side_out, true, false);
CHORE(last, last_in, last_out, false, false);
CHORE(push, push_in, push_out, false, true);

const struct pen_component *const chore_table[] = {&source, &middle, &side, &last, &push, NULL};

const char *chore_path(char out[PEN_PATH_BYTES], const char *name)
{
    (void)snprintf(out, PEN_PATH_BYTES, "%s/%s", pen_test_directory(), name);
    return out;
}

void chore_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    PEN_REQUIRE(file != NULL);
    (void)fputs(text, file);
    PEN_CHECK_EQ_I64(fclose(file), 0);
}

void chore_read(const char *path, struct pen_text *text)
{
    pen_text_reset(text);
    if (pen_file_read(path, 1 << 20, text, NULL) != PEN_OK) {
        pen_text_reset(text);
    }
}

pen_status chore_run_at(const char *root, const char *more, const struct pen_run_options *options,
                        struct pen_text *said, struct pen_error *err)
{
    char file[PEN_PATH_BYTES];
    struct pen_text yaml = {0};
    struct pen_pipeline pipeline;
    static const struct pen_run_options none;
    pen_json *outcome = NULL;
    pen_text_printf(&yaml, "pipeline: chores\nroot: %s\n%s", root, more);
    chore_path(file, "pipeline.yaml");
    pen_status status = pen_file_write_atomic(file, yaml.data, yaml.size_bytes, err);
    pen_text_deinit(&yaml);
    PEN_TRY(status);
    PEN_TRY(pen_pipeline_read(&pipeline, file, NULL, 0, chore_table, err));
    status = pen_run_pipeline(&pipeline, options == NULL ? &none : options, &outcome, err);
    if (said != NULL) {
        const pen_json *nodes = pen_json_get(outcome, "nodes");
        pen_text_reset(said);
        for (int64_t i = 0; i < pen_json_size(nodes); i++) {
            const pen_json *node = pen_json_at(nodes, i);
            pen_text_printf(said, "%s=%s ", pen_json_string_or(pen_json_get(node, "node"), "?"),
                            pen_json_string_or(pen_json_get(node, "status"), "?"));
        }
        pen_text_printf(said, "run=%s", pen_json_string_or(pen_json_get(outcome, "status"), "?"));
    }
    pen_json_free(outcome);
    pen_pipeline_deinit(&pipeline);
    return status;
}

pen_status chore_run(const char *more, const struct pen_run_options *options, struct pen_text *said,
                     struct pen_error *err)
{
    char root[PEN_PATH_BYTES];
    return chore_run_at(chore_path(root, "root"), more, options, said, err);
}

/* Did an execution that succeeded make this folder (relative to the root)? */
static bool is_recorded(struct pen_metadata *metadata, const char *uri)
{
    for (int64_t i = 0; i < metadata->n_executions; i++) {
        const pen_json *outputs = pen_json_get(pen_metadata_execution(metadata, i), "outputs");
        const char *port = NULL;
        const pen_json *output = NULL;
        for (int64_t k = 0; pen_json_member(outputs, k, &port, &output); k++) {
            if (strcmp(pen_json_string_or(pen_json_get(output, "uri"), ""), uri) == 0) {
                return true;
            }
        }
    }
    return false;
}

static pen_status audit_recorded(struct pen_metadata *metadata, const char *root, struct pen_error *err)
{
    for (int64_t i = 0; i < metadata->n_executions; i++) {
        const pen_json *outputs = pen_json_get(pen_metadata_execution(metadata, i), "outputs");
        const char *port = NULL;
        const pen_json *output = NULL;
        for (int64_t k = 0; pen_json_member(outputs, k, &port, &output); k++) {
            char folder[PEN_PATH_BYTES];
            PEN_TRY(pen_path_join(folder, root, pen_json_string_or(pen_json_get(output, "uri"), "?"), err));
            PEN_TRY(pen_manifest_verify(folder, pen_json_string_or(pen_json_get(output, "hash"), "?"), true, err));
        }
    }
    return PEN_OK;
}

static pen_status audit_folder(struct pen_arena *arena, struct pen_metadata *metadata, const char *root,
                               const char *relative, int depth, bool strict, int64_t *n_artifacts,
                               struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    char **names = NULL;
    int64_t n_names = 0;
    PEN_TRY(pen_path_join(path, root, relative, err));
    if (depth == 3) {
        ++*n_artifacts;
        if (strict && !is_recorded(metadata, relative)) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: an orphan, no execution made it", relative);
        }
        return pen_manifest_verify(path, NULL, true, err);
    }
    PEN_TRY(pen_directory_list(arena, path, &names, &n_names, err));
    for (int64_t i = 0; i < n_names; i++) {
        const char *below = depth == 0 ? names[i] : pen_arena_printf(arena, "%s/%s", relative, names[i]);
        if (depth == 0 && (strcmp(below, "metadata") == 0 || strcmp(below, "runs") == 0)) {
            continue;
        }
        PEN_TRY(audit_folder(arena, metadata, root, below, depth + 1, strict, n_artifacts, err));
    }
    return PEN_OK;
}

pen_status chore_audit(const char *root, bool strict, int64_t *n_artifacts, struct pen_error *err)
{
    struct pen_metadata metadata;
    struct pen_arena arena = {0};
    *n_artifacts = 0;
    PEN_TRY(pen_metadata_open(&metadata, root, true, err));
    pen_status status = audit_recorded(&metadata, root, err);
    if (status == PEN_OK) {
        status = audit_folder(&arena, &metadata, root, "", 0, strict, n_artifacts, err);
    }
    pen_arena_deinit(&arena);
    pen_metadata_close(&metadata);
    return status;
}
