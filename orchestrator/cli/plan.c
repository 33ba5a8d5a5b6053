/* penstock plan: what a run would do, and why. */
#include "orchestrator/cli/verbs.h"
#include "orchestrator/run/runner.h"

#include <string.h>

enum { EXIT_WORK = 10 };

struct values {
    const char *from, *to, *only, *resume, *device;
    struct pen_pipeline_changes changes;
    bool no_cache, paranoid, detailed_exitcode;
};

static const struct pen_arg args[] = {
    {"from", 0, PEN_ARG_TEXT, offsetof(struct values, from), "NODE", "as in run"},
    {"to", 0, PEN_ARG_TEXT, offsetof(struct values, to), "NODE", "as in run"},
    {"only", 0, PEN_ARG_TEXT, offsetof(struct values, only), "NODE", "as in run"},
    {"set", 0, PEN_ARG_MANY, offsetof(struct values, changes.sets), "KEY=VALUE", "as in run"},
    {"param", 0, PEN_ARG_MANY, offsetof(struct values, changes.params), "NAME=VALUE", "as in run"},
    {"resume", 0, PEN_ARG_TEXT, offsetof(struct values, resume), "RUN|last", "as in run"},
    {"no-cache", 0, PEN_ARG_FLAG, offsetof(struct values, no_cache), NULL, "as in run"},
    {"paranoid", 0, PEN_ARG_FLAG, offsetof(struct values, paranoid), NULL, "as in run"},
    {"device", 0, PEN_ARG_TEXT, offsetof(struct values, device), "DEVICE", "as in run"},
    {"detailed-exitcode", 0, PEN_ARG_FLAG, offsetof(struct values, detailed_exitcode), NULL,
     "exit with 10 when something would run"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static void describe_plan(const pen_json *plan, struct pen_text *text)
{
    const pen_json *nodes = pen_json_get(plan, "nodes");
    for (int64_t i = 0; i < pen_json_size(nodes); i++) {
        const pen_json *node = pen_json_at(nodes, i);
        const char *when = pen_json_string_or(pen_json_get(node, "when"), "");
        pen_text_printf(text, "%-20s %-7s %s%s%s\n", pen_json_string_or(pen_json_get(node, "node"), ""),
                        pen_json_string_or(pen_json_get(node, "action"), ""),
                        pen_json_string_or(pen_json_get(node, "reason"), ""), when[0] == '\0' ? "" : "; only when ",
                        when);
    }
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    struct pen_pipeline pipeline;
    PEN_TRY(
        pen_pipeline_read_changed(&pipeline, cli->args.positionals.items[0], &values->changes, pen_components, err));
    if (cli->args.root != NULL) {
        pipeline.root = cli->args.root;
    }
    const struct pen_run_options options = {
        .from = values->from,
        .to = values->to,
        .only = values->only,
        .resume = values->resume,
        .no_cache = values->no_cache,
        .paranoid = values->paranoid,
        .device = values->device,
    };
    pen_json *plan = NULL;
    struct pen_text text = {0};
    pen_status status = pen_plan_pipeline(&pipeline, &options, &plan, err);
    if (status == PEN_OK) {
        describe_plan(plan, &text);
        status = pen_cli_answer(cli, plan, &text, err);
        if (values->detailed_exitcode && pen_json_bool_or(pen_json_get(plan, "work"), false)) {
            cli->exit_code = EXIT_WORK;
        }
    }
    pen_text_deinit(&text);
    pen_json_free(plan);
    pen_pipeline_deinit(&pipeline);
    return status;
}

const struct pen_verb pen_verb_plan = {
    .name = "plan",
    .arguments = "PIPELINE.yaml",
    .summary = "say what a run would do, node by node, and why",
    .examples = "  penstock plan pipeline.yaml\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .run = run,
};
