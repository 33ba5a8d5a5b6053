/* penstock show: an artifact on the terminal, as the document it is, or as a page. */
#include "orchestrator/cli/view.h"

struct values {
    struct pen_config_strings features;
    bool html;
};

static const struct pen_arg args[] = {
    {"feature", 'f', PEN_ARG_MANY, offsetof(struct values, features), "NAME",
     "of statistics: all about this feature; may be given several times"},
    {"html", 0, PEN_ARG_FLAG, offsetof(struct values, html), NULL, "a page with charts, on standard output"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    struct pen_view_artifact artifact;
    struct pen_text text = {0};
    if (values->html && cli->args.json) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected one of --html and --json");
    }
    PEN_TRY(pen_view_find(cli, cli->args.positionals.items[0], &artifact, err));
    enum pen_view_form form = values->html ? PEN_VIEW_HTML : cli->args.json ? PEN_VIEW_JSON : PEN_VIEW_TEXT;
    pen_status status = pen_view_render(&artifact, form, &values->features, &text, err);
    status = status == PEN_OK ? pen_text_check(&text, err) : status;
    status = status == PEN_OK ? pen_cli_print(pen_text_view(&text), err) : status;
    pen_text_deinit(&text);
    return status;
}

const struct pen_verb pen_verb_show = {
    .name = "show",
    .arguments = "ARTIFACT",
    .summary = "statistics, schema, anomalies, curves, evaluation, ... in the terminal",
    .examples = "  penstock show evaluation            the newest one below the root\n"
                "  penstock show statistics --feature fare\n"
                "  penstock show statistics --json\n"
                "  penstock show statistics --html > statistics.html\n"
                "  penstock show evaluator.evaluation.8\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .run = run,
};
