/* What the runner itself costs: a chain of nodes that do next to nothing, each adding one to a number in a file of a
 * few bytes. All else is the real thing: a child process a node, staging, manifest and hash, publishing and journal
 * with every sync, keys, the lock.
 *
 *   bench_orchestrator             the table: time a node, fresh and unchanged, as the chain grows
 *   bench_orchestrator N FOLDER    one run of N nodes on the root FOLDER/root, for overhead.py, which starts other
 *                                  runners in the same way */
#include "core/files.h"
#include "core/log.h"
#include "orchestrator/run/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS = 9, LONGEST = 65 };

struct no_options {
    int64_t unused;
};

static pen_status read_number(const char *folder, int64_t *number, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    PEN_TRY(pen_path_join(path, folder, "number.txt", err));
    pen_status status = pen_file_read(path, 64, &text, err);
    if (status == PEN_OK && !pen_parse_int64(text.data, text.size_bytes, number)) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_DATA, "%s: expected a number", path);
    }
    pen_text_deinit(&text);
    return status;
}

static pen_status add_one(struct pen_component_context *context, struct pen_error *err)
{
    int64_t number = 0;
    char path[PEN_PATH_BYTES];
    if (context->n_inputs > 0) {
        PEN_TRY(read_number(context->inputs[0].path, &number, err));
    }
    PEN_TRY(pen_path_join(path, context->outputs[0].path, "number.txt", err));
    FILE *file = fopen(path, "we");
    if (file == NULL || fprintf(file, "%lld", (long long)number + 1) < 0 || fclose(file) != 0) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot write", path);
    }
    return PEN_OK;
}

static const struct pen_option no_table[] = {{.name = NULL}};
static const struct pen_component_port no_ports[] = {{.key = NULL}};
static const struct pen_component_port number_in[] = {{.key = "number", .type = "Number", .node = "first"},
                                                      {.key = NULL}};
static const struct pen_component_port number_out[] = {{.key = "number", .type = "Number"}, {.key = NULL}};
static const struct pen_component first = {.name = "first",
                                           .version = 1,
                                           .options = no_table,
                                           .options_bytes = sizeof(struct no_options),
                                           .inputs = no_ports,
                                           .outputs = number_out,
                                           .run = add_one};
static const struct pen_component next = {.name = "next",
                                          .version = 1,
                                          .options = no_table,
                                          .options_bytes = sizeof(struct no_options),
                                          .inputs = number_in,
                                          .outputs = number_out,
                                          .run = add_one};
static const struct pen_component *const one_node[] = {&first, NULL};
static const struct pen_component *const more_nodes[] = {&first, &next, NULL};

static pen_status write_pipeline(const char *file, const char *root, int64_t n, struct pen_error *err)
{
    struct pen_text text = {0};
    pen_text_printf(&text, "pipeline: chain\nroot: %s\n%s", root, n > 2 ? "nodes:\n" : "");
    for (int64_t i = 3; i <= n; i++) {
        pen_text_printf(&text, "  n%lld: {component: next, inputs: {number: ", (long long)i);
        pen_text_printf(&text, i == 3 ? "next" : "n%lld", (long long)i - 1);
        pen_text_append(&text, ".number}}\n");
    }
    pen_status status = pen_text_check(&text, err);
    status = status == PEN_OK ? pen_file_write_atomic(file, text.data, text.size_bytes, err) : status;
    pen_text_deinit(&text);
    return status;
}

/* The last node's number is the count of them. */
static pen_status check(const pen_json *outcome, const char *root, int64_t n, const char *wanted, struct pen_error *err)
{
    char folder[PEN_PATH_BYTES], path[PEN_PATH_BYTES];
    int64_t number = 0;
    const pen_json *last = pen_json_at(pen_json_get(outcome, "nodes"), n - 1);
    const pen_json *output = pen_json_get(pen_json_get(last, "outputs"), "number");
    const char *id = pen_json_string_or(pen_json_get(output, "id"), "");
    const char *status = pen_json_string_or(pen_json_get(outcome, "status"), "?");
    const char *execution = strrchr(id, '.');
    (void)snprintf(folder, sizeof folder, "%s/number/%s", pen_json_string_or(pen_json_get(last, "node"), "?"),
                   execution == NULL ? "?" : execution + 1);
    PEN_TRY(pen_path_join(path, root, folder, err));
    PEN_TRY(read_number(path, &number, err));
    if (number != n || strcmp(status, wanted) != 0) {
        PEN_FAIL(err, PEN_ERR_FAILED, "expected a run that %s and ends at %lld; found %s, %lld", wanted, (long long)n,
                 status, (long long)number);
    }
    return PEN_OK;
}

/* As `penstock run` does: the file is read, the run is run. */
static pen_status run_chain(const char *file, const char *root, int64_t n, const char *wanted, struct pen_error *err)
{
    static const struct pen_run_options plain;
    struct pen_pipeline pipeline;
    pen_json *outcome = NULL;
    PEN_TRY(pen_pipeline_read(&pipeline, file, NULL, 0, n == 1 ? one_node : more_nodes, err));
    pen_status status = pen_run_pipeline(&pipeline, &plain, &outcome, err);
    status = status == PEN_OK && wanted != NULL ? check(outcome, root, n, wanted, err) : status;
    pen_json_free(outcome);
    pen_pipeline_deinit(&pipeline);
    return status;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, int64_t n, double *times, double budget_ms)
{
    qsort(times, TURNS, sizeof *times, compare);
    double median = times[TURNS / 2] * 1e3;
    printf("| %-9s | %5lld | %9.3f ms | %8.3f to %8.3f | %7.3f ms | ", what, (long long)n, median, times[0] * 1e3,
           times[TURNS - 1] * 1e3, median / (double)n);
    puts(budget_ms == 0 ? "- |" : median / (double)n <= budget_ms ? "kept |" : "MISSED |");
}

static pen_status measure(const char *folder, int64_t n, struct pen_error *err)
{
    char file[PEN_PATH_BYTES], root[PEN_PATH_BYTES];
    double fresh[TURNS], unchanged[TURNS];
    PEN_TRY(pen_path_join(file, folder, "pipeline.yaml", err));
    PEN_TRY(pen_path_join(root, folder, "root", err));
    PEN_TRY(write_pipeline(file, root, n, err));
    for (int i = 0; i < TURNS; i++) {
        PEN_TRY(pen_directory_remove(root, err));
        double began = pen_clock_seconds();
        PEN_TRY(run_chain(file, root, n, "succeeded", err));
        fresh[i] = pen_clock_seconds() - began;
        began = pen_clock_seconds();
        PEN_TRY(run_chain(file, root, n, "cached", err));
        unchanged[i] = pen_clock_seconds() - began;
    }
    report("fresh", n, fresh, n > 1 ? 5 : 0);
    report("unchanged", n, unchanged, 0);
    return pen_directory_remove(root, err);
}

static pen_status measure_all(struct pen_error *err)
{
    static const char folder[] = "orchestrator-bench";
    PEN_TRY(pen_directory_create(folder, err));
    printf("| run       | nodes | median       | from .. to           | a node     | budget "
           "|\n|---|---|---|---|---|---|\n");
    for (int64_t n = 1; n <= LONGEST; n = n == 1 ? 9 : n == 9 ? LONGEST : n + 1) {
        PEN_TRY(measure(folder, n, err));
    }
    return pen_directory_remove(folder, err);
}

static pen_status run_once(const char *folder, const char *count, struct pen_error *err)
{
    int64_t n = 0;
    char file[PEN_PATH_BYTES], root[PEN_PATH_BYTES];
    if (!pen_parse_int64(count, strlen(count), &n) || n < 1) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected a count of nodes, found '%.40s'", count);
    }
    PEN_TRY(pen_path_join(file, folder, "pipeline.yaml", err));
    PEN_TRY(pen_path_join(root, folder, "root", err));
    PEN_TRY(pen_path_exists(file) ? PEN_OK : write_pipeline(file, root, n, err));
    return run_chain(file, root, n, NULL, err);
}

int main(int argc, char **argv)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_status status = argc == 3 ? run_once(argv[2], argv[1], &err) : measure_all(&err);
    if (status != PEN_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
    }
    return pen_status_exit_code(status);
}
