/* penstock predict: raw rows in, predictions out, with nothing but the pushed model. */
#include "components/predict.h"

#include "core/files.h"
#include "kernels/exec.h"
#include "orchestrator/cli/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct values {
    struct pen_config_strings csv, columns, nulls;
    const char *output, *delimiter, *threshold, *device;
    int64_t skip_lines;
    bool trim;
};

static const struct pen_arg args[] = {
    {"csv", 0, PEN_ARG_MANY, offsetof(struct values, csv), "FILE",
     "rows to predict for; a pattern or several work too"},
    {"output", 'o', PEN_ARG_TEXT, offsetof(struct values, output), "FILE",
     "where to write; standard output when left out"},
    {"threshold", 0, PEN_ARG_TEXT, offsetof(struct values, threshold), "P",
     "binary: probability of the positive class, 0.5"},
    {"delimiter", 0, PEN_ARG_TEXT, offsetof(struct values, delimiter), "C", "found out when left out"},
    {"columns", 0, PEN_ARG_LIST, offsetof(struct values, columns), "A,B,C", "names, for files without a header line"},
    {"nulls", 0, PEN_ARG_LIST, offsetof(struct values, nulls), "NA,?",
     "cells that mean missing, besides the empty one"},
    {"skip-lines", 0, PEN_ARG_INT, offsetof(struct values, skip_lines), "N", "lines at the top that are no CSV"},
    {"trim", 0, PEN_ARG_FLAG, offsetof(struct values, trim), NULL, "drop spaces around cells"},
    {"device", 0, PEN_ARG_TEXT, offsetof(struct values, device), "DEVICE", "auto, cpu, cuda or cuda:N"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static pen_status set_options(const struct values *values, struct pen_predict_options *options, struct pen_error *err)
{
    pen_predict_options_init(options);
    options->csv.names = values->columns.n_items > 0 ? values->columns.items : NULL;
    options->csv.n_names = values->columns.n_items;
    options->csv.null_markers = values->nulls.items;
    options->csv.n_null_markers = values->nulls.n_items;
    options->csv.trim_spaces = values->trim;
    if (values->skip_lines < 0) {
        PEN_FAIL(err, PEN_ERR_USAGE, "option --skip-lines: expected 0 or more, found %lld",
                 (long long)values->skip_lines);
    }
    options->csv.skip_lines = values->skip_lines;
    if (values->delimiter != NULL) {
        bool tab = strcmp(values->delimiter, "\\t") == 0;
        if (strlen(values->delimiter) != 1 && !tab) {
            PEN_FAIL(err, PEN_ERR_USAGE, "option --delimiter: expected one character, found '%.40s'",
                     values->delimiter);
        }
        options->csv.delimiter = tab ? '\t' : values->delimiter[0];
    }
    if (values->threshold != NULL &&
        (!pen_parse_double(values->threshold, strlen(values->threshold), &options->threshold) ||
         !(options->threshold >= 0 && options->threshold <= 1))) {
        PEN_FAIL(err, PEN_ERR_USAGE, "option --threshold: expected 0 to 1, found '%.40s'", values->threshold);
    }
    return PEN_OK;
}

static pen_status expand(struct pen_cli *cli, const struct values *values, const char ***paths, int64_t *n_paths,
                         struct pen_error *err)
{
    *n_paths = 0;
    for (int64_t i = 0; i < values->csv.n_items; i++) {
        struct pen_csv_paths found = {0};
        PEN_TRY(pen_csv_glob(&found, values->csv.items[i], err));
        const char **longer = pen_arena_alloc(&cli->arena, *n_paths + found.n_paths, sizeof *longer);
        for (int64_t k = 0; longer != NULL && k < *n_paths; k++) {
            longer[k] = (*paths)[k];
        }
        for (int64_t k = 0; longer != NULL && k < found.n_paths; k++) {
            longer[*n_paths + k] = pen_arena_strdup(&cli->arena, found.paths[k]);
            if (longer[*n_paths + k] == NULL) {
                longer = NULL;
            }
        }
        int64_t n_found = found.n_paths;
        pen_csv_paths_deinit(&found);
        if (longer == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: listing the files");
        }
        *paths = longer;
        *n_paths += n_found;
    }
    return PEN_OK;
}

/* The folder above a served model's versions is an easy slip. */
static pen_status check_model(const char *model, struct pen_error *err)
{
    char path[PEN_PATH_BYTES], current[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, model, "model.json", err));
    if (pen_path_exists(path)) {
        return PEN_OK;
    }
    PEN_TRY(pen_path_join(current, model, "current", err));
    PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s: expected a model's folder, found no model.json in it%s%s%s", model,
             pen_path_exists(current) ? "; did you mean '" : "", pen_path_exists(current) ? current : "",
             pen_path_exists(current) ? "'?" : "; a pushed one lies in serving/NAME/current");
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    struct pen_predict_options options;
    struct pen_exec *exec = NULL;
    struct pen_device_choice choice;
    const char **paths = NULL;
    int64_t n_paths = 0;
    int64_t n_rows = 0;
    if (values->csv.n_items == 0) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected --csv FILE: the rows to predict for");
    }
    bool to_stdout = values->output == NULL || strcmp(values->output, "-") == 0;
    if (to_stdout && cli->args.json) {
        PEN_FAIL(err, PEN_ERR_USAGE, "--json: expected -o FILE: predictions go there, the document to standard output");
    }
    PEN_TRY(set_options(values, &options, err));
    PEN_TRY(check_model(cli->args.positionals.items[0], err));
    PEN_TRY(pen_device_choose(&choice, values->device == NULL ? "auto" : values->device, err));
    PEN_TRY(expand(cli, values, &paths, &n_paths, err));
    FILE *out = stdout;
    if (!to_stdout) {
        out = fopen(values->output, "wxe");
        if (out == NULL) {
            int number = errno;
            PEN_FAIL(err, number == EEXIST ? PEN_ERR_EXISTS : PEN_ERR_CREATE, "%s: cannot create: %s", values->output,
                     strerror(number));
        }
    }
    pen_status status = pen_exec_create(&exec, choice.device, err);
    if (status == PEN_OK) {
        status = pen_predict_csv(cli->args.positionals.items[0], paths, n_paths, &options, out, exec, &n_rows, err);
    }
    pen_exec_destroy(exec);
    if (out != stdout) {
        if (fclose(out) != 0 && status == PEN_OK) {
            status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO, "%s: cannot write: %s", values->output,
                                   strerror(errno));
        }
        if (status != PEN_OK) {
            (void)remove(values->output); /* never half a file */
        } else {
            (void)fprintf(stderr, "wrote %lld predictions to %s\n", (long long)n_rows, values->output);
        }
    }
    if (status == PEN_OK && cli->args.json) {
        pen_json *document = pen_json_object();
        pen_json_set_int(document, "schema", 1);
        pen_json_set_string(document, "model", cli->args.positionals.items[0]);
        pen_json_set_int(document, "rows", n_rows);
        pen_json_set_string(document, "path", values->output);
        status = pen_cli_print_json(document, err);
        pen_json_free(document);
    }
    return status;
}

const struct pen_verb pen_verb_predict = {
    .name = "predict",
    .arguments = "MODEL",
    .summary = "raw rows in, predictions out",
    .examples = "  penstock predict serving/trips/current --csv new.csv -o predictions.csv\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .computes = true,
    .run = run,
};
