/* penstock init: looks at the data and writes a pipeline file to edit. */
#include "orchestrator/pipeline/init.h"
#include "core/files.h"
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

struct values {
    const char *label, *output, *name, *split;
    struct pen_config_strings columns, features, exclude;
    bool force;
};

static const struct pen_arg args[] = {
    {"label", 'l', PEN_ARG_TEXT, offsetof(struct values, label), "EXPRESSION",
     "what to predict: a column or an expression"},
    {"output", 'o', PEN_ARG_TEXT, offsetof(struct values, output), "FILE",
     "where to write; pipeline.yaml when left out"},
    {"name", 0, PEN_ARG_TEXT, offsetof(struct values, name), "NAME", "of the pipeline; the data's when left out"},
    {"split", 0, PEN_ARG_TEXT, offsetof(struct values, split), "YAML",
     "as in example_gen: {by: row, every: 5, index: 4}"},
    {"columns", 0, PEN_ARG_LIST, offsetof(struct values, columns), "A,B,C",
     "column names of data without a header line"},
    {"features", 0, PEN_ARG_LIST, offsetof(struct values, features), "A,B,C", "only these columns become features"},
    {"exclude", 0, PEN_ARG_LIST, offsetof(struct values, exclude), "A,B,C", "these columns never become features"},
    {"force", 'f', PEN_ARG_FLAG, offsetof(struct values, force), NULL, "write over a file that is there"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    const char *output = values->output == NULL ? "pipeline.yaml" : values->output;
    bool to_stdout = strcmp(output, "-") == 0;
    if (values->label == NULL) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected --label COLUMN or an expression such as 'tips > 0.2 * fare'");
    }
    if (!to_stdout && !values->force && pen_path_exists(output)) {
        PEN_FAIL(err, PEN_ERR_EXISTS, "%s: is there already; use --force to write over it, or -o OTHER", output);
    }
    const struct pen_init_request request = {
        .csv = cli->args.positionals.items[0],
        .label = values->label,
        .output = to_stdout ? NULL : output,
        .name = values->name,
        .root = cli->args.root,
        .split = values->split,
        .columns = values->columns,
        .features = values->features,
        .exclude = values->exclude,
    };
    struct pen_text text = {0};
    pen_status status = pen_init_pipeline(&request, &text, err);
    if (status == PEN_OK && to_stdout && !cli->args.json) {
        status = pen_cli_print(pen_text_view(&text), err);
    } else if (status == PEN_OK && !to_stdout) {
        status = pen_file_write_atomic(output, text.data, text.size_bytes, err);
        if (status == PEN_OK) {
            (void)fprintf(stderr, "wrote %s\nnext:  penstock run %s\n", output, output);
        }
    }
    if (status == PEN_OK && cli->args.json) {
        pen_json *document = pen_json_object();
        pen_json_set_int(document, "schema", 1);
        pen_json_set_string(document, "path", to_stdout ? NULL : output);
        pen_json_set_string(document, "text", pen_text_view(&text));
        status = pen_cli_print_json(document, err);
        pen_json_free(document);
    }
    pen_text_deinit(&text);
    return status;
}

const struct pen_verb pen_verb_init = {
    .name = "init",
    .arguments = "DATA.csv",
    .summary = "look at data, write a pipeline file to edit",
    .examples = "  penstock init trips.csv --label tips\n"
                "  penstock init 'data/*.csv.gz' --label 'tips > 0.2 * fare' -o taxi.yaml\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .computes = true,
    .run = run,
};
