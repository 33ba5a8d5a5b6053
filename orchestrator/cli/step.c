/* penstock step: one node of a pipeline that is being made, and what came of it: run it, look, change the file, again.
 */
#include "orchestrator/cli/display.h"
#include "orchestrator/cli/view.h"

#include <stdio.h>
#include <string.h>

struct values {
    const char *device;
    struct pen_config_strings sets;
    bool no_cache;
};

static const struct pen_arg args[] = {
    {"set", 0, PEN_ARG_MANY, offsetof(struct values, sets), "KEY=VALUE", "change an option: trainer.steps=500"},
    {"no-cache", 0, PEN_ARG_FLAG, offsetof(struct values, no_cache), NULL, "run it even when nothing changed"},
    {"device", 0, PEN_ARG_TEXT, offsetof(struct values, device), "DEVICE", "auto, cpu, cuda or cuda:N"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

/* What people look at of what the node made; the rest is named. */
static pen_status show_outputs(struct pen_cli *cli, const pen_json *node, struct pen_error *err)
{
    static const struct pen_config_strings no_features = {NULL, 0};
    const char *port = NULL;
    const pen_json *output = NULL;
    const pen_json *outputs = pen_json_get(node, "outputs");
    for (int64_t i = 0; pen_json_member(outputs, i, &port, &output); i++) {
        struct pen_view_artifact artifact;
        struct pen_text text = {0};
        PEN_TRY(pen_view_find(cli, pen_json_string_or(pen_json_get(output, "id"), ""), &artifact, err));
        pen_text_printf(&text, "\n%s\n", artifact.folder);
        pen_status status = PEN_OK;
        if (pen_view_is_for_people(&artifact)) {
            status = pen_view_render(&artifact, PEN_VIEW_TEXT, &no_features, &text, err);
        }
        status = status == PEN_OK ? pen_text_check(&text, err) : status;
        status = status == PEN_OK ? pen_cli_print(pen_text_view(&text), err) : status;
        pen_text_deinit(&text);
        PEN_TRY(status);
    }
    return PEN_OK;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    const struct pen_config_strings *given = &cli->args.positionals;
    struct pen_pipeline pipeline;
    pen_json *outcome = NULL;
    PEN_TRY(pen_pipeline_read(&pipeline, given->n_items > 1 ? given->items[1] : "pipeline.yaml", values->sets.items,
                              values->sets.n_items, pen_components, err));
    if (cli->args.root != NULL) {
        pipeline.root = cli->args.root;
    }
    cli->args.root = pipeline.root; /* where its outputs are looked up */
    const struct pen_run_options options = {
        .only = given->items[0], .no_cache = values->no_cache, .device = values->device};
    pen_status status = pen_display_nodes(cli, &pipeline, &options, &outcome, err);
    if (outcome != NULL && cli->args.json) {
        pen_status printed = pen_cli_print_json(outcome, status == PEN_OK ? err : NULL);
        status = status == PEN_OK ? printed : status;
    } else if (status == PEN_OK) {
        status = show_outputs(cli, pen_json_at(pen_json_get(outcome, "nodes"), 0), err);
    }
    pen_json_free(outcome);
    pen_pipeline_deinit(&pipeline);
    return status;
}

const struct pen_verb pen_verb_step = {
    .name = "step",
    .arguments = "NODE [PIPELINE.yaml]",
    .summary = "run one node on what was made so far, and show what came of it",
    .examples = "  penstock step statistics_gen            # of ./pipeline.yaml\n"
                "  penstock step trainer --set trainer.steps=100\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 2,
    .computes = true,
    .run = run,
};
