/* penstock generate: made-up data of any size. */
#include "datasets/samples/samples.h"

#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct values {
    int64_t rows, seed;
    const char *output;
};

static const struct pen_arg args[] = {
    {"rows", 'n', PEN_ARG_INT, offsetof(struct values, rows), "N", "how many; a good size to begin with when left out"},
    {"seed", 0, PEN_ARG_INT, offsetof(struct values, seed), "S", "another seed draws other rows; 0 when left out"},
    {"output", 'o', PEN_ARG_TEXT, offsetof(struct values, output), "FILE", "where to write; - is standard output"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static pen_status unknown_sample(const char *name, struct pen_error *err)
{
    const char *known[32];
    int64_t n = 0;
    struct pen_text list = {0};
    for (; pen_samples[n].name != NULL && n < 32; n++) {
        known[n] = pen_samples[n].name;
        pen_text_printf(&list, "%s%s", n == 0 ? "" : ", ", known[n]);
    }
    const char *near = pen_nearest_name(name, known, n);
    pen_status status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_USAGE, "expected one of %s; found '%.80s'%s%s%s",
                                      pen_text_view(&list), name, near == NULL ? "" : "; did you mean '",
                                      near == NULL ? "" : near, near == NULL ? "" : "'?");
    pen_text_deinit(&list);
    return status;
}

static pen_status print_document(const struct pen_sample *sample, int64_t n_rows, const char *path,
                                 struct pen_error *err)
{
    pen_json *document = pen_json_object();
    pen_json_set_int(document, "schema", 1);
    pen_json_set_string(document, "sample", sample->name);
    pen_json_set_int(document, "rows", n_rows);
    pen_json_set_string(document, "path", path);
    pen_json_set_string(document, "label", sample->label);
    pen_status status = pen_cli_print_json(document, err);
    pen_json_free(document);
    return status;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    const char *name = cli->args.positionals.items[0];
    const struct pen_sample *sample = pen_sample_find(name);
    if (sample == NULL) {
        return unknown_sample(name, err);
    }
    if (values->rows < 0) {
        PEN_FAIL(err, PEN_ERR_USAGE, "option --rows: expected 1 or more, found %lld", (long long)values->rows);
    }
    int64_t n_rows = values->rows == 0 ? sample->n_rows : values->rows;
    if (values->output == NULL || strcmp(values->output, "-") == 0) {
        if (cli->args.json) {
            PEN_FAIL(err, PEN_ERR_USAGE, "--json: expected -o FILE: rows go there, the document to standard output");
        }
        return pen_sample_write(name, n_rows, (uint64_t)values->seed, STDOUT_FILENO, err);
    }
    PEN_TRY(pen_sample_generate(name, n_rows, (uint64_t)values->seed, values->output, err));
    (void)fprintf(stderr, "wrote %lld rows to %s\nnext:  penstock train %s --label '%s'\n", (long long)n_rows,
                  values->output, values->output, sample->label);
    return cli->args.json ? print_document(sample, n_rows, values->output, err) : PEN_OK;
}

const struct pen_verb pen_verb_generate = {
    .name = "generate",
    .arguments = "taxi|complaints|clicks",
    .summary = "write made-up data with the shape of real ones",
    .examples = "  penstock generate taxi --rows 100000 --seed 1 -o trips.csv\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .computes = true,
    .run = run,
};
