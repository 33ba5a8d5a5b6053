/* penstock train: init and run in one go, for data nobody has described. */
#include "core/files.h"
#include "orchestrator/cli/display.h"
#include "orchestrator/cli/verbs.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct values {
    const char *label, *output, *name, *split, *device, *columns, *features, *exclude;
    bool force;
};

static const struct pen_arg args[] = {
    {"label", 'l', PEN_ARG_TEXT, offsetof(struct values, label), "EXPRESSION",
     "what to predict: a column or an expression"},
    {"output", 'o', PEN_ARG_TEXT, offsetof(struct values, output), "FILE",
     "the pipeline file; pipeline.yaml when left out"},
    {"name", 0, PEN_ARG_TEXT, offsetof(struct values, name), "NAME", "of the pipeline; the data's when left out"},
    {"split", 0, PEN_ARG_TEXT, offsetof(struct values, split), "YAML", "as in example_gen"},
    {"columns", 0, PEN_ARG_TEXT, offsetof(struct values, columns), "A,B,C",
     "column names of data without a header line"},
    {"features", 0, PEN_ARG_TEXT, offsetof(struct values, features), "A,B,C", "only these columns become features"},
    {"exclude", 0, PEN_ARG_TEXT, offsetof(struct values, exclude), "A,B,C", "these columns never become features"},
    {"device", 0, PEN_ARG_TEXT, offsetof(struct values, device), "DEVICE", "auto, cpu, cuda or cuda:N"},
    {"force", 'f', PEN_ARG_FLAG, offsetof(struct values, force), NULL, "write a new pipeline file over the old one"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

extern char **environ;

/* The look at the data uses threads, and the runner forks: so it happens in a process of its own. */
static pen_status run_init(const struct pen_cli *cli, const struct values *values, const char *output,
                           struct pen_error *err)
{
    const char *line[32];
    int n = 0;
    const struct {
        const char *option, *value;
    } passed[] = {{"--label", values->label},     {"--output", output},           {"--name", values->name},
                  {"--split", values->split},     {"--columns", values->columns}, {"--features", values->features},
                  {"--exclude", values->exclude}, {"--root", cli->args.root}};
    line[n++] = "penstock";
    line[n++] = "init";
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        if (passed[i].value != NULL) {
            line[n++] = passed[i].option;
            line[n++] = passed[i].value;
        }
    }
    if (values->force) {
        line[n++] = "--force";
    }
    line[n++] = "--";
    line[n++] = cli->args.positionals.items[0];
    line[n] = NULL;
    pid_t child = 0;
    int number = posix_spawn(&child, "/proc/self/exe", NULL, NULL, (char **)(uintptr_t)line, environ);
    int state = 0;
    if (number != 0 || waitpid(child, &state, 0) != child) {
        PEN_FAIL(err, PEN_ERR_INTERNAL, "cannot start penstock init: %s", strerror(number != 0 ? number : errno));
    }
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0) {
        int code = WIFEXITED(state) ? WEXITSTATUS(state) : 70;
        for (int status = 1; status < PEN_STATUS_COUNT; status++) {
            if (pen_status_exit_code((pen_status)status) == code) {
                PEN_FAIL(err, (pen_status)status, "no pipeline file was written, so nothing ran");
            }
        }
        PEN_FAIL(err, PEN_ERR_INTERNAL, "penstock init ended with code %d", code);
    }
    return PEN_OK;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    const char *output = values->output == NULL ? "pipeline.yaml" : values->output;
    if (values->force || !pen_path_exists(output)) {
        if (values->label == NULL) {
            PEN_FAIL(err, PEN_ERR_USAGE, "expected --label COLUMN or an expression such as 'tips > 0.2 * fare'");
        }
        PEN_TRY(run_init(cli, values, output, err));
    } else {
        PEN_FAIL(err, PEN_ERR_EXISTS, "%s: is there already: penstock run %s runs it; --force writes a new one", output,
                 output);
    }
    struct pen_pipeline pipeline;
    PEN_TRY(pen_pipeline_read(&pipeline, output, NULL, 0, pen_components, err));
    const struct pen_run_options options = {.device = values->device};
    pen_status status = pen_display_run(cli, &pipeline, &options, err);
    pen_pipeline_deinit(&pipeline);
    return status;
}

const struct pen_verb pen_verb_train = {
    .name = "train",
    .arguments = "DATA.csv",
    .summary = "from data and a label to a pushed model: writes a pipeline file, runs it",
    .examples = "  penstock train trips.csv --label tips\n"
                "  penstock train trips.csv --label 'tips > 0.2 * fare'\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .computes = true,
    .run = run,
};
