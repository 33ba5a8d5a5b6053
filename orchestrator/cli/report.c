/* penstock report: a run as one HTML page. */
#include "orchestrator/report/report.h"

#include "core/files.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/metadata/notes.h"

#include <stdio.h>
#include <string.h>

struct values {
    const char *output;
};

static const struct pen_arg args[] = {
    {"output", 'o', PEN_ARG_TEXT, offsetof(struct values, output), "FILE", "where to write; - for standard output"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static pen_status write_page(const struct pen_cli *cli, const char *run, const struct pen_text *page,
                             struct pen_error *err)
{
    const struct values *values = cli->values;
    const char *output = values->output == NULL ? "report.html" : values->output;
    if (strcmp(output, "-") == 0) {
        return pen_cli_print(pen_text_view(page), err);
    }
    PEN_TRY(pen_file_write_atomic(output, page->data, page->size_bytes, err));
    (void)fprintf(stderr, "wrote %s\n", output);
    pen_status status = PEN_OK;
    if (cli->args.json) {
        pen_json *document = pen_json_object();
        pen_json_set_int(document, "schema", 1);
        pen_json_set_string(document, "run", run);
        pen_json_set_string(document, "path", output);
        status = pen_cli_print_json(document, err);
        pen_json_free(document);
    }
    return status;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    const char *name = cli->args.positionals.n_items > 0 ? cli->args.positionals.items[0] : NULL;
    const char *root = NULL;
    struct pen_metadata metadata;
    struct pen_text page = {0};
    if (cli->args.json && values->output != NULL && strcmp(values->output, "-") == 0) {
        PEN_FAIL(err, PEN_ERR_USAGE, "--json: expected -o FILE: the page goes there, the document to standard output");
    }
    PEN_TRY(pen_cli_root(cli, &root, err));
    PEN_TRY(pen_metadata_open(&metadata, root, false, err));
    pen_status status = pen_report_run(&metadata, name, &page, err);
    if (status == PEN_OK) {
        const pen_json *found = NULL;
        status = pen_metadata_choose_run(&metadata, name, &found, err);
        status =
            status != PEN_OK ? status : write_page(cli, pen_json_string_or(pen_json_get(found, "run"), ""), &page, err);
    }
    pen_metadata_close(&metadata);
    pen_text_deinit(&page);
    return status;
}

const struct pen_verb pen_verb_report = {
    .name = "report",
    .arguments = "[RUN]",
    .summary = "a run as one HTML page with charts; the newest run when none is named",
    .examples = "  penstock report\n  penstock report run-7 -o run-7.html\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_max = 1,
    .run = run,
};
