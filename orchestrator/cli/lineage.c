/* penstock lineage: what an artifact was made of, and what was made of it. */
#include "orchestrator/query/lineage.h"
#include "orchestrator/cli/verbs.h"

#include <string.h>

enum { MOST_ARTIFACTS = 20000 };

struct values {
    bool up, down;
    const char *format;
};

static const struct pen_arg args[] = {
    {"up", 0, PEN_ARG_FLAG, offsetof(struct values, up), NULL, "only what it was made of"},
    {"down", 0, PEN_ARG_FLAG, offsetof(struct values, down), NULL, "only what was made of it"},
    {"format", 0, PEN_ARG_TEXT, offsetof(struct values, format), "FORMAT",
     "tree; dot, for Graphviz; or json, as --json"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    const bool both = values->up == values->down;
    const struct pen_lineage_reach reach = {
        .up = both || values->up, .down = both || values->down, .most_artifacts = MOST_ARTIFACTS};
    const char *format = values->format == NULL ? "tree" : values->format;
    struct pen_metadata metadata;
    struct pen_lineage lineage;
    struct pen_text text = {0};
    pen_json *document = NULL;
    if (strcmp(format, "tree") != 0 && strcmp(format, "dot") != 0 && strcmp(format, "json") != 0) {
        PEN_FAIL(err, PEN_ERR_USAGE, "option --format: expected tree, dot or json; found '%.40s'", format);
    }
    cli->args.json = cli->args.json || strcmp(format, "json") == 0;
    PEN_TRY(pen_cli_open_root(cli, &metadata, err));
    pen_status status = pen_lineage_gather(&lineage, &metadata, cli->args.positionals.items[0], &reach, err);
    if (status == PEN_OK && cli->args.json) {
        status = pen_lineage_document(&lineage, &reach, &document, err);
    } else if (status == PEN_OK && strcmp(format, "dot") == 0) {
        pen_lineage_dot(&lineage, &text);
    } else if (status == PEN_OK) {
        status = pen_lineage_tree(&lineage, &reach, &text, err);
    }
    pen_lineage_deinit(&lineage);
    return pen_cli_finish(cli, &metadata, status, document, &text, err);
}

const struct pen_verb pen_verb_lineage = {
    .name = "lineage",
    .arguments = "ARTIFACT",
    .summary = "what an artifact was made of, and what was made of it",
    .examples = "  penstock lineage model\n"
                "  penstock lineage example_gen.examples.1 --down\n"
                "  penstock lineage model --format dot | dot -Tsvg > lineage.svg\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .run = run,
};
