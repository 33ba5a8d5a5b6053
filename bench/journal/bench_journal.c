/* The journal's budgets on a history of 11,112 runs of nine nodes, 100,008 executions: opening a root, the last 50
 * runs, a look into the cache, appending with a sync. Medians; the history is made in the folder it is started in. */
#include "core/log.h"
#include "tests/orchestrator/history.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_RUNS = 11112, TURNS = 15, N_APPENDS = 500 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, double *times, int n, double budget_ms)
{
    qsort(times, (size_t)n, sizeof *times, compare);
    printf("| %-34s | %9.3f ms | %8.3f to %.3f, n=%d | %s |\n", what, times[n / 2] * 1e3, times[0] * 1e3,
           times[n - 1] * 1e3, n,
           budget_ms == 0                    ? "-"
           : times[n / 2] * 1e3 <= budget_ms ? "kept"
                                             : "MISSED");
}

static pen_status measure_opening(const char *root, const char *what, struct pen_error *err)
{
    double times[TURNS];
    for (int i = 0; i < TURNS; i++) {
        struct pen_metadata metadata;
        double began = pen_clock_seconds();
        PEN_TRY(pen_metadata_open(&metadata, root, false, err));
        times[i] = pen_clock_seconds() - began;
        int64_t n = metadata.n_executions;
        pen_metadata_close(&metadata);
        if (n < (int64_t)N_RUNS * HISTORY_NODES) {
            PEN_FAIL(err, PEN_ERR_FAILED, "expected every execution, found %lld", (long long)n);
        }
    }
    report(what, times, TURNS, 100);
    return PEN_OK;
}

static pen_status measure_recent(const char *root, struct pen_error *err)
{
    double times[TURNS];
    for (int i = 0; i < TURNS; i++) {
        struct pen_metadata metadata;
        double began = pen_clock_seconds();
        PEN_TRY(pen_metadata_open_recent(&metadata, root, 50, err));
        for (int64_t k = 0; k < metadata.n_runs; k++) {
            (void)pen_metadata_run(&metadata, k);
        }
        times[i] = pen_clock_seconds() - began;
        int64_t n = metadata.n_runs;
        pen_metadata_close(&metadata);
        if (n != 50) {
            PEN_FAIL(err, PEN_ERR_FAILED, "expected 50 runs, found %lld", (long long)n);
        }
    }
    report("the last 50 runs", times, TURNS, 20);
    return PEN_OK;
}

static pen_status measure_questions(const char *root, struct pen_error *err)
{
    double times[TURNS];
    struct pen_metadata metadata;
    PEN_TRY(pen_metadata_open(&metadata, root, false, err));
    for (int i = 0; i < TURNS; i++) {
        static const struct pen_metadata_query absent = {.node = "trainer", .key = "no such key", .has_outputs = true};
        double began = pen_clock_seconds();
        const pen_json *found = pen_metadata_newest(&metadata, &absent);
        times[i] = pen_clock_seconds() - began;
        if (found != NULL) {
            PEN_FAIL(err, PEN_ERR_FAILED, "expected no execution of that key");
        }
    }
    report("a cache key that is not there", times, TURNS, 0);
    pen_metadata_close(&metadata);
    return PEN_OK;
}

static pen_status measure_appends(const char *root, struct pen_error *err)
{
    double times[N_APPENDS];
    struct pen_metadata metadata;
    PEN_TRY(pen_metadata_open(&metadata, root, true, err));
    for (int i = 0; i < N_APPENDS; i++) {
        pen_json *record = pen_json_object();
        pen_json_set_int(record, "execution", i + 1);
        double began = pen_clock_seconds();
        PEN_TRY(pen_metadata_record(&metadata, "exec_start", record, err));
        times[i] = pen_clock_seconds() - began;
    }
    report("one record, synced", times, N_APPENDS, 0);
    pen_metadata_close(&metadata);
    return PEN_OK;
}

static pen_status measure_compaction(const char *root, struct pen_error *err)
{
    struct pen_metadata metadata;
    PEN_TRY(pen_metadata_open(&metadata, root, true, err));
    metadata.journal.segment_limit_bytes = 1; /* the next record seals what there is */
    pen_json *record = pen_json_object();
    PEN_TRY(pen_metadata_record(&metadata, "exec_start", record, err));
    pen_metadata_close(&metadata);
    double took = pen_clock_seconds();
    PEN_TRY(pen_metadata_open(&metadata, root, true, err));
    took = pen_clock_seconds() - took;
    pen_metadata_close(&metadata);
    report("opening that compacts, once", &took, 1, 0);
    return PEN_OK;
}

static pen_status measure(const char *root, struct pen_error *err)
{
    int64_t bytes = 0;
    struct pen_metadata metadata;
    PEN_TRY(pen_directory_remove(root, err));
    PEN_TRY(history_write_fast(root, N_RUNS, err));
    PEN_TRY(pen_metadata_open(&metadata, root, false, err));
    bytes = metadata.journal.size_bytes;
    printf("%lld executions, %lld records, %.1f MB\n\n", (long long)metadata.n_executions,
           (long long)metadata.journal.n_records, (double)bytes / 1e6);
    pen_metadata_close(&metadata);
    printf("| what                               | median       | from .. to                  | budget |\n"
           "|---|---|---|---|\n");
    PEN_TRY(measure_opening(root, "open, one segment", err));
    PEN_TRY(measure_recent(root, err));
    PEN_TRY(measure_questions(root, err));
    PEN_TRY(measure_appends(root, err));
    PEN_TRY(measure_compaction(root, err));
    PEN_TRY(measure_opening(root, "open, a base", err));
    return pen_directory_remove(root, err);
}

int main(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    if (measure("journal-root", &err) != PEN_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return 0;
}
