/* penstock run: one line a node while it works, what came of it at the end. */
#include "orchestrator/run/runner.h"

#include "orchestrator/cli/display.h"
#include "orchestrator/cli/verbs.h"

struct values {
    const char *from, *to, *only, *resume, *device;
    struct pen_run_note note;
    struct pen_pipeline_changes changes;
    bool no_cache, paranoid;
};

static const struct pen_arg args[] = {
    {"from", 0, PEN_ARG_TEXT, offsetof(struct values, from), "NODE", "run this node and what depends on it"},
    {"to", 0, PEN_ARG_TEXT, offsetof(struct values, to), "NODE", "run this node and what it depends on"},
    {"only", 0, PEN_ARG_TEXT, offsetof(struct values, only), "NODE", "run this node alone"},
    {"set", 0, PEN_ARG_MANY, offsetof(struct values, changes.sets), "KEY=VALUE", "change an option: trainer.steps=500"},
    {"param", 0, PEN_ARG_MANY, offsetof(struct values, changes.params), "NAME=VALUE",
     "a parameter of the pipeline file: rows=5"},
    {"resume", 0, PEN_ARG_TEXT, offsetof(struct values, resume), "RUN|last",
     "continue a run that did not end well: what succeeded in it is kept, an interrupted training goes on"},
    {"no-cache", 0, PEN_ARG_FLAG, offsetof(struct values, no_cache), NULL, "run nodes even when nothing changed"},
    {"paranoid", 0, PEN_ARG_FLAG, offsetof(struct values, paranoid), NULL,
     "hash every artifact before it is used again, however untouched it looks"},
    {"device", 0, PEN_ARG_TEXT, offsetof(struct values, device), "DEVICE", "auto, cpu, cuda or cuda:N"},
    {"name", 0, PEN_ARG_TEXT, offsetof(struct values, note.name), "NAME", "what to call the run, beside its id"},
    {"note", 0, PEN_ARG_TEXT, offsetof(struct values, note.text), "TEXT", "what to remember about it"},
    {"tag", 0, PEN_ARG_MANY, offsetof(struct values, note.tags), "TAG",
     "to find it by, beside the file's tags; may be given several times"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    struct pen_pipeline pipeline;
    PEN_TRY(pen_run_note_check(&values->note, err));
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
        .note = &values->note,
        .no_cache = values->no_cache,
        .paranoid = values->paranoid,
        .device = values->device,
    };
    pen_status status = pen_display_run(cli, &pipeline, &options, err);
    pen_pipeline_deinit(&pipeline);
    return status;
}

const struct pen_verb pen_verb_run = {
    .name = "run",
    .arguments = "PIPELINE.yaml",
    .summary = "run a pipeline: what changed runs, the rest comes from the cache",
    .examples = "  penstock run pipeline.yaml\n"
                "  penstock run pipeline.yaml --set trainer.steps=500 --from trainer\n"
                "  penstock run pipeline.yaml --resume last\n"
                "  penstock run pipeline.yaml --name baseline --tag lr --note 'half the rate'\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .computes = true,
    .run = run,
};
