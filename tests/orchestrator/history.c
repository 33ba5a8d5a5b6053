/* Records as a run of the nine components writes them; see history.h. */
#include "tests/orchestrator/history.h"

#include "core/files.h"
#include "core/hash.h"
#include "orchestrator/metadata/journal_internal.h"

#include <stdio.h>
#include <string.h>

static const char *const nodes[HISTORY_NODES] = {"example_gen",       "statistics_gen", "schema_gen",
                                                 "example_validator", "transform",      "trainer",
                                                 "resolver",          "evaluator",      "pusher"};

typedef pen_status put_record(void *user, const char *kind, pen_json *record, struct pen_error *err);

static pen_json *execution_record(const char *run, int node, int64_t number)
{
    char name[96];
    char hash[PEN_SHA256_HEX_BYTES];
    pen_json *record = pen_json_object();
    pen_json *inputs = pen_json_object();
    pen_json *outputs = pen_json_object();
    pen_json *output = pen_json_object();
    pen_json *parts = pen_json_object();
    pen_json *options = pen_json_object();
    (void)snprintf(name, sizeof name, "%s.data.%lld", nodes[node], (long long)number);
    pen_sha256_of(name, strlen(name), hash);
    pen_json_set_string(output, "id", name);
    pen_json_set_string(output, "type", "Data");
    pen_json_set_string(output, "uri", name);
    pen_json_set_string(output, "hash", hash);
    pen_json_set_int(output, "execution", number);
    pen_json_set(outputs, "data", output);
    for (int i = 0; i < node; i++) {
        pen_json_set_string(inputs, nodes[i], name);
        pen_json_set_string(options, nodes[i], "zscore(log1p(fill(trip_miles, 'median')))");
    }
    pen_json_set(parts, "inputs", pen_json_copy(inputs));
    pen_json_set(parts, "options", options);
    pen_json_set_string(record, "run", run);
    pen_json_set_string(record, "node", nodes[node]);
    pen_json_set_string(record, "component", nodes[node]);
    pen_json_set_int(record, "execution", number);
    pen_json_set_string(record, "status", "succeeded");
    pen_json_set_double(record, "seconds", 0.125);
    pen_json_set_string(record, "key", hash);
    pen_json_set(record, "parts", parts);
    pen_json_set(record, "inputs", inputs);
    pen_json_set(record, "outputs", outputs);
    return record;
}

static pen_status put_run(put_record *put, void *user, int64_t number, int64_t *execution, struct pen_error *err)
{
    char run[32];
    (void)snprintf(run, sizeof run, "run-%lld", (long long)number);
    pen_json *start = pen_json_object();
    pen_json_set_string(start, "run", run);
    pen_json_set_string(start, "pipeline", "history");
    pen_json_set_string(start, "device", "cpu");
    PEN_TRY(put(user, "run_start", start, err));
    for (int node = 0; node < HISTORY_NODES; node++) {
        ++*execution;
        pen_json *begin = pen_json_object();
        pen_json_set_string(begin, "run", run);
        pen_json_set_string(begin, "node", nodes[node]);
        pen_json_set_int(begin, "execution", *execution);
        PEN_TRY(put(user, "exec_start", begin, err));
        PEN_TRY(put(user, "execution", execution_record(run, node, *execution), err));
    }
    pen_json *end = pen_json_object();
    pen_json_set_string(end, "run", run);
    pen_json_set_string(end, "status", "succeeded");
    pen_json_set_double(end, "seconds", 1.25);
    return put(user, "run_end", end, err);
}

static pen_status put_synced(void *user, const char *kind, pen_json *record, struct pen_error *err)
{
    return pen_metadata_record(user, kind, record, err);
}

pen_status history_write(struct pen_metadata *metadata, int64_t n_runs, struct pen_error *err)
{
    for (int64_t i = 0; i < n_runs; i++) {
        int64_t execution = metadata->last_execution;
        PEN_TRY(put_run(put_synced, metadata, metadata->n_runs + 1, &execution, err));
    }
    return PEN_OK;
}

struct fast {
    FILE *file;
    char chain[9];
    int64_t seq;
    struct pen_text line;
};

static pen_status put_fast(void *user, const char *kind, pen_json *record, struct pen_error *err)
{
    struct fast *fast = user;
    pen_json_set_string(record, "kind", kind);
    pen_json_set_string(record, "time", "2026-11-25T12:00:00.000Z");
    pen_json_set_int(record, "seq", ++fast->seq);
    pen_text_reset(&fast->line);
    pen_status status = pen_journal_record_line(fast->chain, record, &fast->line, err);
    pen_json_free(record);
    if (status == PEN_OK && fwrite(fast->line.data, 1, fast->line.size_bytes, fast->file) != fast->line.size_bytes) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO, "cannot write a history");
    }
    return status;
}

pen_status history_write_fast(const char *root, int64_t n_runs, struct pen_error *err)
{
    struct pen_metadata metadata;
    PEN_TRY(pen_metadata_open(&metadata, root, true, err));
    struct fast fast = {.file = fopen(metadata.journal.path, "a")};
    int64_t execution = 0;
    memcpy(fast.chain, metadata.journal.chain, sizeof fast.chain);
    pen_status status = fast.file == NULL ? PEN_ERR_IO : PEN_OK;
    for (int64_t i = 1; i <= n_runs && status == PEN_OK; i++) {
        status = put_run(put_fast, &fast, i, &execution, err);
    }
    if (fast.file != NULL && fclose(fast.file) != 0) {
        status = PEN_ERR_IO;
    }
    pen_text_deinit(&fast.line);
    pen_metadata_close(&metadata);
    return status;
}

pen_status history_check(struct pen_metadata *metadata, struct pen_error *err)
{
    for (int64_t i = 0, number = 0; i < metadata->n_executions; i++) {
        int64_t found = pen_metadata_number(metadata, i);
        if (found <= number) {
            PEN_FAIL(err, PEN_ERR_DATA, "expected execution numbers to rise, found %lld after %lld", (long long)found,
                     (long long)number);
        }
        number = found;
    }
    for (int64_t i = 0; i < metadata->n_runs; i++) {
        char name[32];
        const pen_json *run = pen_metadata_run(metadata, i);
        const char *status = pen_json_string_or(pen_json_get(run, "status"), "?");
        (void)snprintf(name, sizeof name, "run-%lld", (long long)i + 1);
        if (strcmp(pen_json_string_or(pen_json_get(run, "run"), "?"), name) != 0 ||
            (strcmp(status, "succeeded") != 0 && strcmp(status, "abandoned") != 0)) {
            PEN_FAIL(err, PEN_ERR_DATA, "expected %s to be succeeded or abandoned, found %s", name, status);
        }
    }
    return pen_metadata_check(metadata, err);
}
