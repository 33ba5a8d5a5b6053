/* penstock metadata: the history of a root for other metadata stores. */
#include "core/files.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/metadata/notes.h"
#include "orchestrator/query/exchange.h"

#include <string.h>

struct values {
    const char *run, *output;
};

static const struct pen_arg args[] = {
    {"run", 0, PEN_ARG_TEXT, offsetof(struct values, run), "RUN", "of this run alone"},
    {"output", 'o', PEN_ARG_TEXT, offsetof(struct values, output), "FILE", "standard output when left out"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

/* {events: [...]} of lines that are one event each. */
static void wrap_lines(struct pen_text *text)
{
    struct pen_text document = {0};
    pen_text_append(&document, "{\"schema\":1,\"events\":[");
    if (text->size_bytes > 0) {
        pen_text_append_bytes(&document, text->data, text->size_bytes - 1); /* but the last line's end */
    }
    pen_text_append(&document, "]}\n");
    for (size_t i = 0; i + 1 < document.size_bytes; i++) {
        document.data[i] = document.data[i] == '\n' ? ',' : document.data[i];
    }
    pen_text_deinit(text);
    *text = document;
}

static pen_status write_out(const struct pen_cli *cli, struct pen_metadata *metadata, pen_exchange_fn *form,
                            struct pen_error *err)
{
    const struct values *values = cli->values;
    const pen_json *run = NULL;
    struct pen_text text = {0};
    if (values->run != NULL) {
        PEN_TRY(pen_metadata_choose_run(metadata, values->run, &run, err));
    }
    pen_status status = form(metadata, pen_json_string_or(pen_json_get(run, "run"), NULL), &text, err);
    if (status == PEN_OK && cli->args.json && form == pen_exchange_openlineage) {
        wrap_lines(&text);
    }
    status = status == PEN_OK ? pen_text_check(&text, err) : status;
    if (status == PEN_OK && values->output != NULL) {
        status = pen_file_write_atomic(values->output, text.data, text.size_bytes, err);
    } else if (status == PEN_OK) {
        status = pen_cli_print(pen_text_view(&text), err);
    }
    pen_text_deinit(&text);
    return status;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const char *name = cli->args.positionals.items[0];
    struct pen_metadata metadata;
    pen_exchange_fn *form = strcmp(name, "mlmd") == 0          ? pen_exchange_mlmd
                            : strcmp(name, "openlineage") == 0 ? pen_exchange_openlineage
                                                               : NULL;
    if (form == NULL) {
        PEN_FAIL(err, PEN_ERR_USAGE, "there is no form '%.80s'; there are mlmd, openlineage", name);
    }
    PEN_TRY(pen_cli_open_root(cli, &metadata, err));
    pen_status status = write_out(cli, &metadata, form, err);
    pen_metadata_close(&metadata);
    return status;
}

const struct pen_verb pen_verb_metadata = {
    .name = "metadata",
    .arguments = "mlmd|openlineage",
    .summary = "the history of a root for ML Metadata (a LineageGraph in JSON) or OpenLineage (events, a line each)",
    .examples =
        "  penstock metadata mlmd -o lineage.json\n"
        "  penstock metadata openlineage --run last | while read -r event; do\n"
        "      curl -H 'Content-Type: application/json' -d \"$event\" http://localhost:5000/api/v1/lineage; done\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .run = run,
};
