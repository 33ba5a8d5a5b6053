/* penstock component: one node, as the step of a run that another runner puts together. What it says for people goes to
 * standard error; the last line of standard output is its summary as JSON, which Airflow keeps. */
#include "core/files.h"
#include "core/log.h"
#include "orchestrator/cli/display.h"
#include "orchestrator/cli/verbs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

struct values {
    const char *pipeline, *run, *device, *receipt;
    struct pen_pipeline_changes changes;
    bool no_cache, no_wait, with_parent;
};

static const struct pen_arg args[] = {
    {"pipeline", 'p', PEN_ARG_TEXT, offsetof(struct values, pipeline), "FILE", "the pipeline file"},
    {"run", 'r', PEN_ARG_TEXT, offsetof(struct values, run), "NAME",
     "the run to begin or join: its inputs come from it alone; without, a run of its own on the newest inputs"},
    {"param", 0, PEN_ARG_MANY, offsetof(struct values, changes.params), "NAME=VALUE",
     "a parameter of the pipeline file, the same in all steps of a run"},
    {"no-cache", 0, PEN_ARG_FLAG, offsetof(struct values, no_cache), NULL, "run it even when nothing changed"},
    {"no-wait", 0, PEN_ARG_FLAG, offsetof(struct values, no_wait), NULL,
     "exit with 75 when another step holds the root, in place of waiting"},
    {"device", 0, PEN_ARG_TEXT, offsetof(struct values, device), "DEVICE", "auto, cpu, cuda or cuda:N"},
    {"with-parent", 0, PEN_ARG_FLAG, offsetof(struct values, with_parent), NULL,
     "stop, as on SIGTERM, when the process that started it ends"},
    {"receipt", 0, PEN_ARG_TEXT, offsetof(struct values, receipt), "FILE",
     "write the content hashes of its outputs there: the file changes when they do"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static const pen_json *result_of(const pen_json *outcome)
{
    return pen_json_at(pen_json_get(outcome, "nodes"), 0);
}

static pen_status print_summary(const pen_json *outcome, struct pen_error *err)
{
    static const char *const of_run[] = {"run", "root", "blessed", "pushed"};
    pen_json *summary = pen_json_copy(result_of(outcome));
    struct pen_text text = {0};
    pen_json_set_int(summary, "schema", 1);
    pen_json_set(summary, "run_status", pen_json_copy(pen_json_get(outcome, "status")));
    for (size_t i = 0; i < sizeof of_run / sizeof of_run[0]; i++) {
        pen_json_set(summary, of_run[i], pen_json_copy(pen_json_get(outcome, of_run[i])));
    }
    pen_status status = pen_json_print(summary, PEN_JSON_COMPACT, &text, err);
    if (status == PEN_OK) {
        pen_text_append_char(&text, '\n');
        status = pen_cli_print(pen_text_view(&text), err);
    }
    pen_text_deinit(&text);
    pen_json_free(summary);
    return status;
}

static pen_status create_parent(const char *path, struct pen_error *err)
{
    char parent[PEN_PATH_BYTES];
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) {
        return PEN_OK;
    }
    if (snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path) >= (int)sizeof parent) {
        PEN_FAIL(err, PEN_ERR_USAGE, "%.80s...: the path is too long", path);
    }
    return pen_directory_create(parent, err);
}

/* {"node": "trainer", "outputs": {"model": "<hash>"}}: equal for equal content, whichever execution made it. */
static pen_status write_receipt(const pen_json *outcome, const char *path, struct pen_error *err)
{
    PEN_TRY(create_parent(path, err));
    const char *port = NULL;
    const pen_json *output = NULL;
    const pen_json *outputs = pen_json_get(result_of(outcome), "outputs");
    pen_json *hashes = pen_json_object();
    pen_json *receipt = pen_json_object();
    for (int64_t i = 0; pen_json_member(outputs, i, &port, &output); i++) {
        pen_json_set(hashes, port, pen_json_copy(pen_json_get(output, "hash")));
    }
    pen_json_set_int(receipt, "schema", 1);
    pen_json_set(receipt, "node", pen_json_copy(pen_json_get(result_of(outcome), "node")));
    pen_json_set(receipt, "outputs", hashes);
    pen_status status = pen_json_write_file(receipt, path, err);
    pen_json_free(receipt);
    return status;
}

static pid_t parent;

static void look_at_parent(int number)
{
    (void)number;
    if (getppid() != parent) {
        pen_cancel_request();
    }
}

/* By asking five times a second: the kernel's own signal at a parent's death comes once for each of its threads, and a
 * second one would end the step before its checkpoint. */
static void watch_parent(void)
{
    static const struct itimerval often = {{0, 200000}, {0, 200000}};
    const struct sigaction action = {.sa_handler = look_at_parent, .sa_flags = SA_RESTART};
    parent = getppid();
    (void)sigaction(SIGALRM, &action, NULL);
    (void)setitimer(ITIMER_REAL, &often, NULL);
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    struct pen_pipeline pipeline;
    if (values->pipeline == NULL) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected --pipeline FILE, the pipeline file that has the node");
    }
    PEN_TRY(pen_pipeline_read_changed(&pipeline, values->pipeline, &values->changes, pen_components, err));
    if (cli->args.root != NULL) {
        pipeline.root = cli->args.root;
    }
    if (values->with_parent) {
        watch_parent();
    }
    const struct pen_run_options options = {
        .only = cli->args.positionals.items[0],
        .run = values->run,
        .no_cache = values->no_cache,
        .wait = !values->no_wait,
        .device = values->device,
    };
    pen_json *outcome = NULL;
    pen_status status = pen_display_nodes(cli, &pipeline, &options, &outcome, err);
    if (status == PEN_OK && values->receipt != NULL) {
        status = write_receipt(outcome, values->receipt, err);
    }
    if (outcome != NULL) {
        pen_status printed = print_summary(outcome, status == PEN_OK ? err : NULL);
        status = status == PEN_OK ? printed : status;
    }
    pen_json_free(outcome);
    pen_pipeline_deinit(&pipeline);
    return status;
}

static void option_help(const struct pen_option *option, struct pen_text *out)
{
    struct pen_text left = {0};
    pen_text_printf(&left, "  %s%s%s", option->name, option->default_text == NULL ? "" : ": ",
                    option->default_text == NULL ? "" : option->default_text);
    pen_text_printf(out, "%-32s  %s", pen_text_view(&left), option->help);
    for (int i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
        pen_text_printf(out, "%s%s", i == 0 ? " [" : ", ", option->choices[i]);
    }
    pen_text_append(out, option->choices != NULL ? "]\n" : "\n");
    pen_text_deinit(&left);
}

/* What the pipeline file can say of the component that is named. */
static void add_help(const struct pen_cli *cli, struct pen_text *out)
{
    const struct pen_config_strings *names = &cli->args.positionals;
    const struct pen_component *component = names->n_items > 0 ? pen_component_find(names->items[0]) : NULL;
    if (component == NULL) {
        return;
    }
    pen_text_printf(out, "\noptions of %s in the pipeline file, with their defaults:\n\n", component->name);
    for (const struct pen_option *option = component->options; option->name != NULL; option++) {
        option_help(option, out);
    }
}

const struct pen_verb pen_verb_component = {
    .name = "component",
    .arguments = "NODE",
    .summary = "run one node, as a step of a run that another runner puts together",
    .examples = "  penstock component trainer --pipeline pipeline.yaml\n"
                "  penstock component trainer --pipeline pipeline.yaml --run nightly-2026-11-26\n"
                "  penstock component trainer --help       # and what the pipeline file can say of it\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .computes = true,
    .run = run,
    .add_help = add_help,
};
