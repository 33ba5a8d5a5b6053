/* penstock export: the pipeline as a file for another runner. */
#include "orchestrator/export/export.h"
#include "core/files.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/export/quote.h"

#include <stdio.h>
#include <string.h>

enum { MOST_TARGETS = 32 };

struct values {
    const char *output, *runner, *program, *at, *image, *volume, *gpu_type;
    int64_t n_gpus;
};

static const struct pen_arg args[] = {
    {"output", 'o', PEN_ARG_TEXT, offsetof(struct values, output), "FILE", "standard output when left out"},
    {"runner", 0, PEN_ARG_TEXT, offsetof(struct values, runner), "RUNNER", "the same as the first argument"},
    {"program", 0, PEN_ARG_TEXT, offsetof(struct values, program), "PATH",
     "of penstock where the steps run; this one, or 'penstock' in containers"},
    {"at", 0, PEN_ARG_TEXT, offsetof(struct values, at), "DIR",
     "where the steps find the folder of the pipeline file; where it is here"},
    {"image", 0, PEN_ARG_TEXT, offsetof(struct values, image), "IMAGE", "of the containers (Containerfile builds it)"},
    {"volume", 0, PEN_ARG_TEXT, offsetof(struct values, volume), "CLAIM",
     "volume claim of containers, mounted at that folder"},
    {"gpus", 0, PEN_ARG_INT, offsetof(struct values, n_gpus), "N", "for each node that computes on the device"},
    {"gpu-type", 0, PEN_ARG_TEXT, offsetof(struct values, gpu_type), "NAME",
     "as the cluster calls them: nvidia.com/gpu; for Vertex AI NVIDIA_L4, say"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static pen_status find_target(const char *name, const struct pen_export_target **target, struct pen_error *err)
{
    const char *known[MOST_TARGETS];
    struct pen_text list = {0};
    int64_t n = 0;
    for (; pen_export_targets[n] != NULL && n < MOST_TARGETS; n++) {
        known[n] = pen_export_targets[n]->name;
        pen_text_printf(&list, "%s%s", n == 0 ? "" : ", ", known[n]);
        if (strcmp(known[n], name) == 0) {
            *target = pen_export_targets[n];
            pen_text_deinit(&list);
            return PEN_OK;
        }
    }
    const char *near = pen_nearest_name(name, known, n);
    (void)pen_error_set(err, __FILE__, __LINE__, PEN_ERR_USAGE, "there is no runner '%.80s'%s%s%s; there are %s", name,
                        near == NULL ? "" : "; did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?",
                        pen_text_view(&list));
    pen_text_deinit(&list);
    return PEN_ERR_USAGE;
}

static pen_json *describe_step(const struct pen_export *export, const struct pen_export_step *step)
{
    pen_json *json = pen_json_object();
    pen_json *after = pen_json_array();
    pen_json *command = pen_json_array();
    for (int64_t i = 0; i < step->n_after; i++) {
        pen_json_push(after, pen_json_string(export->steps[step->after[i]].node->name));
    }
    for (int64_t i = 0; i < step->n_command; i++) {
        pen_json_push(command, pen_json_string(step->command[i]));
    }
    pen_json_set_string(json, "node", step->node->name);
    pen_json_set(json, "after", after);
    pen_json_set(json, "command", command);
    return json;
}

static pen_status describe(const struct pen_export *export, const struct pen_export_target *target, const char *path,
                           struct pen_error *err)
{
    pen_json *document = pen_json_object();
    pen_json *steps = pen_json_array();
    for (int64_t i = 0; i < export->n_steps; i++) {
        pen_json_push(steps, describe_step(export, &export->steps[i]));
    }
    pen_json_set_int(document, "schema", 1);
    pen_json_set_string(document, "runner", target->name);
    pen_json_set_string(document, "pipeline", export->pipeline->name);
    pen_json_set_string(document, "file", path);
    pen_json_set(document, "steps", steps);
    pen_status status = pen_cli_print_json(document, err);
    pen_json_free(document);
    return status;
}

static pen_status deliver(const struct pen_cli *cli, const struct pen_export *export,
                          const struct pen_export_target *target, const struct pen_text *text, struct pen_error *err)
{
    const struct values *values = cli->values;
    if (values->output == NULL) {
        return cli->args.json ? describe(export, target, NULL, err) : pen_cli_print(pen_text_view(text), err);
    }
    PEN_TRY(pen_file_write_atomic(values->output, text->data, text->size_bytes, err));
    struct pen_text next = {0};
    pen_quote_replace(target->next, "FILE", values->output, &next);
    (void)fprintf(stderr, "%s: %lld steps\nnext: %s\n", values->output, (long long)export->n_steps,
                  pen_text_view(&next));
    pen_text_deinit(&next);
    return cli->args.json ? describe(export, target, values->output, err) : PEN_OK;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    const struct pen_config_strings *given = &cli->args.positionals;
    const struct pen_export_target *target = NULL;
    struct pen_pipeline pipeline;
    struct pen_export export;
    struct pen_text text = {0};
    if (given->n_items != (values->runner == NULL ? 2 : 1)) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected: penstock export RUNNER PIPELINE.yaml (penstock export --help)");
    }
    PEN_TRY(find_target(values->runner == NULL ? given->items[0] : values->runner, &target, err));
    PEN_TRY(pen_pipeline_read(&pipeline, given->items[given->n_items - 1], NULL, 0, pen_components, err));
    if (cli->args.root != NULL) {
        pipeline.root = cli->args.root;
    }
    const struct pen_export_options options = {values->program, values->at,     values->image,
                                               values->volume,  values->n_gpus, values->gpu_type};
    pen_status status = pen_export_describe(&export, &pipeline, target, &options, err);
    if (status == PEN_OK) {
        status = target->write(&export, &text, err);
        status = status == PEN_OK ? deliver(cli, &export, target, &text, err) : status;
        pen_export_deinit(&export);
    }
    pen_text_deinit(&text);
    pen_pipeline_deinit(&pipeline);
    return status;
}

const struct pen_verb pen_verb_export = {
    .name = "export",
    .arguments = "RUNNER PIPELINE.yaml",
    .summary = "write a pipeline for another runner, each step a penstock component",
    .examples =
        "  penstock export airflow pipeline.yaml -o ~/airflow/dags/taxi.py && airflow dags test taxi\n"
        "  penstock export kubeflow pipeline.yaml --image registry/penstock:1 --volume claim -o taxi.yaml\n"
        "  penstock export vertex pipeline.yaml --image registry/penstock:1 --at /mnt/nfs/taxi -o taxi.json\n"
        "  penstock export beam pipeline.yaml -o taxi.py && python3 taxi.py --runner=DirectRunner\n"
        "  penstock export argo pipeline.yaml --image registry/penstock:1 --volume claim | argo submit -\n"
        "  penstock export mpijob pipeline.yaml --image registry/penstock:1 --volume claim | kubectl create -f -\n"
        "  penstock export slurm pipeline.yaml -o taxi.sbatch && bash taxi.sbatch --partition=gpu\n"
        "  penstock export make pipeline.yaml -o taxi.mk && make -f taxi.mk\n"
        "  penstock export dvc pipeline.yaml --at . -o dvc.yaml && dvc repro\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 2,
    .run = run,
};
