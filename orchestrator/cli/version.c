/* penstock version */
#include "core/json.h"
#include "orchestrator/cli/verbs.h"

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    if (!cli->args.json) {
        return pen_cli_print("penstock " PEN_VERSION "\n", err);
    }
    pen_json *document = pen_json_object();
    pen_json_set_int(document, "schema", 1);
    pen_json_set_string(document, "version", PEN_VERSION);
    pen_status status = pen_cli_print_json(document, err);
    pen_json_free(document);
    return status;
}

const struct pen_verb pen_verb_version = {
    .name = "version", .arguments = "", .summary = "print the version", .run = run};
