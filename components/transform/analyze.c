/* Analyzer passes: evaluate what the pass's analyzers stand over, gather, merge in row order, conclude.
 *
 * A pass is one sweep over the rows for the analyzers whose arguments are known; counts that do not fit in memory ask
 * for further sweeps (counts.h). A chunk's segments are gathered in parallel, a few at a time, each into its own
 * place; then the analyzers, each by any thread, take the segments in row order. */
#include "components/transform/analyze.h"

#include "components/transform/analyze_internal.h"
#include "components/transform/share.h"
#include "core/log.h"

#include <omp.h>

enum {
    KEPT_DISTINCT = 4096, /* a thread keeps up to so many counts of its own from chunk to chunk */
    GROUP_SEGMENTS = 64   /* gathered before they are merged */
};

struct pass {
    struct pen_transform_graph *graph;
    struct pen_communicator *ranks;
    struct pen_program program;
    struct pen_analyzer_total *totals;
    int64_t n_totals, n_moments; /* n_moments: of them gather moments */
    const char **names;          /* of the columns it reads */
    int64_t n_names;
    struct pen_gathered *gathered;    /* [GROUP_SEGMENTS, n_totals] */
    struct pen_thread_counts *counts; /* [n_totals, n_workers] */
    int n_workers;
};

struct worker {
    struct pass *pass;
    int number;
    struct pen_exec *exec; /* the pass's, or a queue of the worker's own */
    struct pen_evaluator evaluator;
    struct pen_gathered *gathered;            /* [n_totals] of the segment at work */
    struct pen_column_moments *parts, *found; /* [n_totals] of the tile at work: memory of the exec; on the host */
};

/* Sink 2 i: the values of analyzer i; 2 i + 1: their groups, which come first. */
static pen_status gather(struct pen_evaluator *e, int32_t sink, int32_t node, int64_t first_row, int64_t n,
                         struct pen_error *err)
{
    (void)first_row;
    struct worker *w = e->user;
    struct pass *pass = w->pass;
    int32_t i = sink / 2;
    PEN_TRY(pen_evaluator_bring(e, node, pass->totals[i].kind == PEN_GATHER_MOMENTS, n, err));
    return pen_gather(e, &pass->totals[i], &w->gathered[i], &pass->counts[i * pass->n_workers + w->number],
                      &w->parts[i], sink % 2 == 1, &e->values[node], n, err);
}

/* The moments of all analyzers come from the device at once. */
static pen_status gather_moments(struct pen_evaluator *e, int64_t first_row, int64_t n, struct pen_error *err)
{
    (void)first_row;
    (void)n;
    struct worker *w = e->user;
    const struct pass *pass = w->pass;
    if (pass->n_moments == 0) {
        return PEN_OK;
    }
    PEN_TRY(pen_device_download(w->exec, w->found, w->parts, (size_t)pass->n_totals * sizeof *w->found, err));
    for (int64_t i = 0; i < pass->n_totals; i++) {
        if (pass->totals[i].kind == PEN_GATHER_MOMENTS) {
            pen_column_moments_merge(&w->gathered[i].moments, &w->found[i]);
        }
    }
    return PEN_OK;
}

static pen_status run_segment(struct worker *w, const struct pen_batch *batch, int64_t first, struct pen_error *err)
{
    int64_t left = batch->n_rows - first;
    struct pen_column *columns = NULL;
    PEN_ALLOC(columns, batch->n_columns + 1, err);
    struct pen_batch rows;
    pen_transform_slice(batch, first, left < PEN_TRANSFORM_SEGMENT ? left : PEN_TRANSFORM_SEGMENT, columns, &rows);
    pen_status status = pen_evaluator_run(&w->evaluator, &rows, err);
    pen_free(columns);
    return status;
}

/* The first failing one's error is the one reported, whatever the number of threads. */
static void report(pen_status result, int64_t i, const struct pen_error *own, int64_t *failed, pen_status *status,
                   struct pen_error *err)
{
#pragma omp critical(pen_analyze_failure)
    if (i < *failed) {
        *failed = i;
        *status = result;
        if (err != NULL) {
            *err = *own;
        }
    }
}

static pen_status gather_segments(struct pass *pass, struct worker *workers, const struct pen_batch *batch,
                                  int64_t first, int64_t n_segments, struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t failed = n_segments;
#pragma omp parallel for schedule(dynamic, 1) num_threads(pass->n_workers)
    for (int64_t s = 0; s < n_segments; s++) {
        struct worker *w = &workers[omp_get_thread_num()];
        struct pen_error own = PEN_ERROR_INIT;
        w->gathered = pass->gathered + s * pass->n_totals;
        pen_status result = run_segment(w, batch, (first + s) * PEN_TRANSFORM_SEGMENT, &own);
        if (result != PEN_OK) {
            report(result, s, &own, &failed, &status, err);
        }
    }
    return status;
}

static pen_status merge_total(struct pass *pass, int64_t i, int64_t n_segments, int64_t n_kept, struct pen_error *err)
{
    for (int64_t s = 0; s < n_segments; s++) {
        PEN_TRY(pen_total_add_segment(&pass->totals[i], &pass->gathered[s * pass->n_totals + i], err));
    }
    return pen_total_merge_counts(&pass->totals[i], pass->graph, &pass->counts[i * pass->n_workers], pass->n_workers,
                                  n_kept, err);
}

static pen_status merge_totals(struct pass *pass, int64_t n_segments, int64_t n_kept, struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t failed = pass->n_totals;
#pragma omp parallel for schedule(dynamic, 1) num_threads(pass->n_workers)
    for (int64_t i = 0; i < pass->n_totals; i++) {
        struct pen_error own = PEN_ERROR_INIT;
        pen_status result = merge_total(pass, i, n_segments, n_kept, &own);
        if (result != PEN_OK) {
            report(result, i, &own, &failed, &status, err);
        }
    }
    return status;
}

static pen_status run_chunk(struct pass *pass, struct worker *workers, const struct pen_batch *batch,
                            struct pen_error *err)
{
    int64_t n_segments = (batch->n_rows + PEN_TRANSFORM_SEGMENT - 1) / PEN_TRANSFORM_SEGMENT;
    for (int64_t first = 0; first < n_segments; first += GROUP_SEGMENTS) {
        int64_t n = n_segments - first < GROUP_SEGMENTS ? n_segments - first : GROUP_SEGMENTS;
        PEN_TRY(gather_segments(pass, workers, batch, first, n, err));
        PEN_TRY(merge_totals(pass, n, KEPT_DISTINCT, err));
    }
    return PEN_OK;
}

static pen_status conclude(struct pass *pass, struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t failed = pass->n_totals;
#pragma omp parallel for schedule(dynamic, 1) num_threads(pass->n_workers)
    for (int64_t i = 0; i < pass->n_totals; i++) {
        struct pen_error own = PEN_ERROR_INIT;
        pen_status result = pen_total_finish(&pass->totals[i], &pass->counts[i * pass->n_workers], &own);
        if (result != PEN_OK) {
            report(result, i, &own, &failed, &status, err);
        }
    }
    for (int64_t i = 0; i < pass->n_totals && status == PEN_OK; i++) {
        status = pen_conclude(pass->graph, &pass->totals[i], &pass->counts[i * pass->n_workers], err);
    }
    return status;
}

/* ---- all passes ---- */

static pen_status plan_pass(struct pass *pass, struct pen_arena *arena, struct pen_counts *counts, int number,
                            struct pen_error *err)
{
    struct pen_transform_graph *graph = pass->graph;
    int32_t *roots = pen_arena_alloc(arena, 2 * graph->n_analyses + 1, sizeof *roots);
    int32_t *sinks = pen_arena_alloc(arena, 2 * graph->n_analyses + 1, sizeof *sinks);
    int64_t n_roots = 0;
    pass->totals = pen_arena_alloc(arena, graph->n_analyses + 1, sizeof *pass->totals);
    pass->names = pen_arena_alloc(arena, graph->n_inputs + 1, sizeof *pass->names);
    if (roots == NULL || sinks == NULL || pass->totals == NULL || pass->names == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: planning an analysis");
    }
    for (int64_t a = 0; a < graph->n_analyses; a++) {
        int32_t index = graph->analysis_nodes[a];
        const struct pen_node *node = &graph->nodes[index];
        if (node->pass != number || graph->analyses[a].done || !pen_analysis_is_own(pass->ranks, a)) {
            continue;
        }
        int64_t i = pass->n_totals++;
        for (int k = node->n_arguments - 1; k >= 0; k--) {
            roots[n_roots] = node->arguments[k];
            sinks[n_roots++] = (int32_t)(2 * i + k);
        }
        PEN_TRY(pen_total_init(&pass->totals[i], graph, index, &counts[a], err));
        pass->n_moments += pass->totals[i].kind == PEN_GATHER_MOMENTS;
    }
    PEN_TRY(pen_program_plan(arena, graph, roots, sinks, n_roots, &pass->program, err));
    for (int64_t s = 0; s < pass->program.n_steps; s++) {
        const struct pen_node *node = &graph->nodes[pass->program.steps[s].node];
        if (node->op == PEN_NODE_COLUMN && pass->program.steps[s].sink < 0) {
            pass->names[pass->n_names++] = node->text;
        }
    }
    return PEN_OK;
}

static pen_status make_worker(struct worker *w, struct pass *pass, struct pen_exec *exec, int number,
                              struct pen_error *err)
{
    w->pass = pass;
    w->number = number;
    PEN_TRY(pen_queue_open(&w->exec, exec, number, err));
    PEN_TRY(
        pen_evaluator_init(&w->evaluator, pass->graph, &pass->program, w->exec, pen_transform_tile_rows(exec, 0), err));
    w->evaluator.keep_dictionaries = true;
    w->evaluator.sink = gather;
    w->evaluator.tile_done = gather_moments;
    w->evaluator.user = w;
    PEN_ALLOC(w->found, pass->n_totals + 1, err);
    PEN_DEVICE_ALLOC(w->exec, w->parts, pass->n_totals, "moments of columns", err);
    return PEN_OK;
}

static pen_status make_workers(struct pass *pass, struct pen_exec *exec, struct worker *workers, struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t failed = pass->n_workers;
    /* Each by the thread that will use it: a device's queue may belong to a thread. */
#pragma omp parallel for schedule(static, 1) num_threads(pass->n_workers)
    for (int t = 0; t < pass->n_workers; t++) {
        struct pen_error own = PEN_ERROR_INIT;
        pen_status result = make_worker(&workers[t], pass, exec, t, &own);
        if (result != PEN_OK) {
            report(result, t, &own, &failed, &status, err);
        }
    }
    if (status != PEN_OK) {
        return status;
    }
    PEN_ALLOC(pass->gathered, GROUP_SEGMENTS * pass->n_totals + 1, err);
    PEN_ALLOC(pass->counts, pass->n_totals * pass->n_workers + 1, err);
    for (int64_t i = 0; i < GROUP_SEGMENTS * pass->n_totals; i++) {
        pass->gathered[i].moments = (struct pen_column_moments)PEN_COLUMN_MOMENTS_INIT;
    }
    for (int64_t i = 0; i < pass->n_totals * pass->n_workers; i++) {
        PEN_TRY(pen_thread_counts_init(&pass->counts[i], &pass->totals[i / pass->n_workers], err));
    }
    return PEN_OK;
}

static void free_worker(struct worker *w, struct pen_exec *exec)
{
    if (w->evaluator.graph != NULL) {
        pen_evaluator_deinit(&w->evaluator);
    }
    if (w->exec != NULL) {
        pen_device_release(w->exec, w->parts);
        pen_queue_close(w->exec, exec);
    }
    pen_free(w->found);
}

static void free_pass(struct pass *pass, struct worker *workers, struct pen_exec *exec)
{
    for (int t = 0; workers != NULL && t < pass->n_workers; t++) {
        free_worker(&workers[t], exec);
    }
    for (int64_t i = 0; pass->gathered != NULL && i < GROUP_SEGMENTS * pass->n_totals; i++) {
        pen_gathered_deinit(&pass->gathered[i]);
    }
    for (int64_t i = 0; pass->counts != NULL && i < pass->n_totals * pass->n_workers; i++) {
        pen_thread_counts_deinit(&pass->counts[i]);
    }
    for (int64_t i = 0; i < pass->n_totals; i++) {
        pen_total_deinit(&pass->totals[i]);
    }
    pen_free(workers);
    pen_free(pass->gathered);
    pen_free(pass->counts);
}

/* *n_analyzers: how many took part. */
static pen_status sweep(struct pen_transform_graph *graph, const struct pen_transform_source *rows,
                        struct pen_communicator *ranks, struct pen_exec *exec, struct pen_counts *counts, int number,
                        int64_t *n_analyzers, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_arena arena = {0};
    struct pass pass = {.graph = graph, .ranks = ranks, .n_workers = omp_get_max_threads()};
    struct worker *workers = NULL;
    PEN_TRY_GOTO(cleanup, plan_pass(&pass, &arena, counts, number, err));
    *n_analyzers = pass.n_totals;
    if (pass.n_totals == 0) {
        goto cleanup;
    }
    PEN_ALLOC_GOTO(cleanup, workers, pass.n_workers, err);
    PEN_TRY_GOTO(cleanup, make_workers(&pass, exec, workers, err));
    for (int64_t chunk = 0; chunk < rows->n_chunks; chunk++) {
        struct pen_batch batch = {0};
        PEN_TRY_GOTO(cleanup, pen_cancel_check(err));
        PEN_TRY_GOTO(cleanup, rows->read(rows->user, chunk, pass.names, pass.n_names, &batch, err));
        PEN_TRY_GOTO(cleanup, run_chunk(&pass, workers, &batch, err));
        pen_progress("analyze", chunk + 1, rows->n_chunks, "chunks", "pass %d", number + 1);
    }
    PEN_TRY_GOTO(cleanup, merge_totals(&pass, 0, 0, err));
    status = conclude(&pass, err);
cleanup:
    free_pass(&pass, workers, exec);
    pen_arena_deinit(&arena);
    return status;
}

static void init_counts(const struct pen_transform_graph *graph, struct pen_counts *counts)
{
    for (int64_t a = 0; a < graph->n_analyses; a++) {
        int32_t index = graph->analysis_nodes[a];
        const struct pen_node *node = &graph->nodes[index];
        if (pen_gathering_of(graph, index) == PEN_GATHER_COUNTS) {
            bool is_vocabulary = node->op == PEN_NODE_VOCAB || node->op == PEN_NODE_VOCAB_LIST;
            pen_counts_init(&counts[a], is_vocabulary ? node->integer[0] : node->op == PEN_NODE_MODE,
                            is_vocabulary ? node->integer[1] : 1, pen_counting_order(graph, index));
        }
    }
}

pen_status pen_graph_analyze(struct pen_transform_graph *graph, const struct pen_transform_source *rows,
                             const struct pen_transform_request *request, struct pen_exec *exec, struct pen_error *err)
{
    struct pen_communicator *ranks = request->ranks != NULL ? request->ranks : pen_communicator_one();
    pen_status status = PEN_OK;
    struct pen_counts *counts = NULL;
    int last = -1;
    PEN_ALLOC(counts, graph->n_analyses + 1, err);
    init_counts(graph, counts);
    for (int64_t a = 0; a < graph->n_analyses; a++) {
        int pass = graph->nodes[graph->analysis_nodes[a]].pass;
        last = pass > last ? pass : last;
    }
    for (int number = 0; number <= last; number++) {
        int64_t n_analyzers = 1;
        while (n_analyzers > 0) {
            PEN_TRY_GOTO(cleanup, sweep(graph, rows, ranks, exec, counts, number, &n_analyzers, err));
        }
        PEN_TRY_GOTO(cleanup, pen_analyses_share(graph, ranks, request->folder, number, err));
    }
cleanup:
    for (int64_t a = 0; a < graph->n_analyses; a++) {
        pen_counts_deinit(&counts[a]);
    }
    pen_free(counts);
    return status;
}
