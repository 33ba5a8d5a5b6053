/* dvc.yaml: one stage a node. A stage's output is the node's receipt, the content hashes of its artifacts: so DVC
 * starts what follows only when content changed. Nodes that look outside always start, and penstock finds what changed.
 *
 * DVC starts the stages that changed alone, so no run holds all of them: each is a run of its own on the newest
 * artifacts of the nodes before it, which are those of the receipts. */
#include "orchestrator/export/quote.h"
#include "orchestrator/export/targets.h"

#include <string.h>

/* Names of stages have no dots; the second node that comes to the same name gets a number. */
static void append_name(const struct pen_export *export, int64_t index, struct pen_text *out)
{
    struct pen_text name = {0};
    struct pen_text other = {0};
    int64_t n_same = 0;
    pen_quote_replace(export->steps[index].node->name, ".", "-", &name);
    for (int64_t i = 0; i < index; i++) {
        pen_text_reset(&other);
        pen_quote_replace(export->steps[i].node->name, ".", "-", &other);
        n_same += strcmp(pen_text_view(&other), pen_text_view(&name)) == 0;
    }
    pen_text_append(out, pen_text_view(&name));
    if (n_same > 0) {
        pen_text_printf(out, "--%lld", (long long)n_same + 1);
    }
    pen_text_deinit(&name);
    pen_text_deinit(&other);
}

/* A text in which DVC finds no ${}. */
static pen_json *plain_text(const char *text)
{
    struct pen_text out = {0};
    pen_quote_replace(text, "${", "\\${", &out);
    pen_json *json = out.failed ? NULL : pen_json_string(pen_text_view(&out));
    pen_text_deinit(&out);
    return json;
}

static const char *receipt_of(struct pen_arena *arena, const struct pen_export_step *step)
{
    return pen_arena_printf(arena, "receipts/%s.json", step->node->name);
}

static pen_json *make_stage(const struct pen_export *export, const struct pen_export_step *step,
                            struct pen_arena *arena)
{
    struct pen_text command = {0};
    pen_json *stage = pen_json_object();
    pen_json *needs = pen_json_array();
    pen_json *gives = pen_json_array();
    pen_json *output = pen_json_object();
    pen_json *how = pen_json_object();
    const char *receipt = receipt_of(arena, step);
    pen_export_shell(step, NULL, &command);
    pen_text_printf(&command, " --receipt %s", receipt == NULL ? "" : receipt);
    pen_json_push(needs, plain_text(export->file));
    for (int64_t i = 0; i < step->n_after; i++) {
        const char *before = receipt_of(arena, &export->steps[step->after[i]]);
        pen_json_push(needs, before == NULL ? NULL : pen_json_string(before));
    }
    pen_json_set_bool(how, "cache", false); /* a few lines, worth their place in the repository's history */
    pen_json_set(output, receipt == NULL ? "" : receipt, how);
    pen_json_push(gives, output);
    pen_json_set(stage, "desc", plain_text(step->node->component->description));
    pen_json_set(stage, "cmd", command.failed || receipt == NULL ? NULL : plain_text(pen_text_view(&command)));
    pen_json_set(stage, "deps", needs);
    pen_json_set(stage, "outs", gives);
    if (step->looks_outside) {
        pen_json_set_bool(stage, "always_changed", true);
    }
    pen_text_deinit(&command);
    return stage;
}

static pen_status write(const struct pen_export *export, struct pen_text *out, struct pen_error *err)
{
    struct pen_arena arena = {0};
    PEN_TRY(pen_export_refuse(export, "dvc", "\n", "DVC takes lines as commands", err));
    pen_json *file = pen_json_object();
    pen_json *stages = pen_json_object();
    for (int64_t i = 0; i < export->n_steps; i++) {
        struct pen_text name = {0};
        append_name(export, i, &name);
        pen_json_set(stages, pen_text_view(&name), make_stage(export, &export->steps[i], &arena));
        pen_text_deinit(&name);
    }
    pen_json_set(file, "stages", stages);
    pen_text_printf(out, "# Pipeline %s, written by penstock export dvc.\n", export->pipeline->name);
    pen_status status = pen_config_print(file, out, err);
    pen_json_free(file);
    pen_arena_deinit(&arena);
    return status;
}

const struct pen_export_target pen_export_dvc = {
    .name = "dvc",
    .summary = "a dvc.yaml, a stage a node",
    .next = "dvc repro",
    .write = write,
};
