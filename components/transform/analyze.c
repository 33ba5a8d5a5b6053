/* Analyzer passes: evaluate what the pass's analyzers stand over, gather, merge in row order, conclude. */
#include "components/transform/analyze.h"

#include "components/transform/analyze_internal.h"
#include "core/log.h"

#include <omp.h>

enum { KEPT_DISTINCT = 4096 }; /* a thread keeps up to so many counts of its own from chunk to chunk */

struct pass {
    struct pen_transform_graph *graph;
    struct pen_program program;
    struct pen_analyzer_total *totals;
    int64_t n_totals;
    const char **names; /* of the columns it reads */
    int64_t n_names;
};

struct worker {
    struct pass *pass;
    struct pen_evaluator evaluator;
    struct pen_gathered *gathered;
};

static pen_status gather(void *user, int32_t sink, int32_t node, const struct pen_value *value, int64_t first_row,
                         int64_t n, struct pen_error *err)
{
    (void)node;
    (void)first_row;
    struct worker *w = user;
    return pen_gather(&w->gathered[sink], w->pass->graph, w->evaluator.exec, &w->pass->totals[sink], value, n, err);
}

/* In row order: what a thread gathered from one segment joins the total. */
static pen_status merge_segment(struct pass *pass, struct worker *w, struct pen_error *err)
{
    for (int64_t i = 0; i < pass->n_totals; i++) {
        PEN_TRY(pen_gathered_add_segment(&pass->totals[i], &w->gathered[i], err));
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

/* The first failing segment's error is the one reported, whatever the number of threads. */
static pen_status run_chunk(struct pass *pass, struct worker *workers, int n_workers, const struct pen_batch *batch,
                            struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t n_segments = (batch->n_rows + PEN_TRANSFORM_SEGMENT - 1) / PEN_TRANSFORM_SEGMENT;
#pragma omp parallel for ordered schedule(static, 1) num_threads(n_workers)
    for (int64_t s = 0; s < n_segments; s++) {
        struct worker *w = &workers[omp_get_thread_num()];
        struct pen_error own = PEN_ERROR_INIT;
        pen_status result = run_segment(w, batch, s * PEN_TRANSFORM_SEGMENT, &own);
#pragma omp ordered
        {
            if (result == PEN_OK && status == PEN_OK) {
                result = merge_segment(pass, w, &own);
            }
            if (result != PEN_OK && status == PEN_OK) {
                status = result;
                if (err != NULL) {
                    *err = own;
                }
            }
        }
    }
    return status;
}

static void free_workers(struct worker *workers, int n_workers, int64_t n_totals)
{
    for (int t = 0; workers != NULL && t < n_workers; t++) {
        for (int64_t i = 0; workers[t].gathered != NULL && i < n_totals; i++) {
            pen_gathered_deinit(&workers[t].gathered[i]);
        }
        pen_free(workers[t].gathered);
        if (workers[t].evaluator.graph != NULL) {
            pen_evaluator_deinit(&workers[t].evaluator);
        }
    }
    pen_free(workers);
}

static pen_status make_workers(struct pass *pass, struct pen_exec *exec, struct worker *workers, int n_workers,
                               struct pen_error *err)
{
    for (int t = 0; t < n_workers; t++) {
        struct worker *w = &workers[t];
        w->pass = pass;
        PEN_TRY(pen_evaluator_init(&w->evaluator, pass->graph, &pass->program, exec, err));
        w->evaluator.keep_dictionaries = true;
        w->evaluator.sink = gather;
        w->evaluator.user = w;
        PEN_ALLOC(w->gathered, pass->n_totals + 1, err);
        for (int64_t i = 0; i < pass->n_totals; i++) {
            PEN_TRY(pen_gathered_init(&w->gathered[i], pass->totals[i].kind, err));
        }
    }
    return PEN_OK;
}

/* Counts of all threads into the first one's, of those that count more than n_kept values: what is held would else be
 * the distinct values times the threads. Sums do not depend on the order. */
static pen_status merge_counts(struct pass *pass, struct worker *workers, int n_workers, int64_t n_kept,
                               struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t failed = pass->n_totals;
#pragma omp parallel for schedule(dynamic, 1) num_threads(n_workers)
    for (int64_t i = 0; i < pass->n_totals; i++) {
        struct pen_gathered *to = &workers[0].gathered[i];
        struct pen_error own = PEN_ERROR_INIT;
        pen_status result = PEN_OK;
        for (int t = 1; t < n_workers && result == PEN_OK; t++) {
            struct pen_gathered *from = &workers[t].gathered[i];
            if (pen_gathered_n_distinct(from) > n_kept || from->many) {
                result = pen_gathered_merge_counts(to, from, &own);
            }
        }
        if (result == PEN_OK) {
            result = pen_gathered_check_distinct(to, pass->graph, pass->totals[i].node, &own);
        }
        if (result != PEN_OK) {
#pragma omp critical(pen_analyze_failure)
            if (i < failed) {
                failed = i;
                status = result;
                if (err != NULL) {
                    *err = own;
                }
            }
        }
    }
    return status;
}

static pen_status conclude(struct pass *pass, struct pen_gathered *gathered, struct pen_error *err)
{
    for (int64_t i = 0; i < pass->n_totals; i++) {
        PEN_TRY(pen_conclude(pass->graph, &pass->totals[i], &gathered[i], err));
        pen_gathered_deinit(&gathered[i]);
        gathered[i] = (struct pen_gathered){0};
    }
    return PEN_OK;
}

/* ---- all passes ---- */

static pen_status plan_pass(struct pass *pass, struct pen_arena *arena, int number, struct pen_error *err)
{
    struct pen_transform_graph *graph = pass->graph;
    int32_t *roots = pen_arena_alloc(arena, graph->n_analyses + 1, sizeof *roots);
    int32_t *sinks = pen_arena_alloc(arena, graph->n_analyses + 1, sizeof *sinks);
    pass->totals = pen_arena_alloc(arena, graph->n_analyses + 1, sizeof *pass->totals);
    pass->names = pen_arena_alloc(arena, graph->n_inputs + 1, sizeof *pass->names);
    if (roots == NULL || sinks == NULL || pass->totals == NULL || pass->names == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: planning an analysis");
    }
    for (int64_t a = 0; a < graph->n_analyses; a++) {
        int32_t index = graph->analysis_nodes[a];
        const struct pen_node *node = &graph->nodes[index];
        if (node->pass == number) {
            roots[pass->n_totals] = node->arguments[0];
            sinks[pass->n_totals] = (int32_t)pass->n_totals;
            pass->totals[pass->n_totals++] = (struct pen_analyzer_total){
                .node = index, .kind = pen_gathering_of(graph, index), .moments = PEN_COLUMN_MOMENTS_INIT};
        }
    }
    PEN_TRY(pen_program_plan(arena, graph, roots, sinks, pass->n_totals, &pass->program, err));
    for (int64_t s = 0; s < pass->program.n_steps; s++) {
        const struct pen_node *node = &graph->nodes[pass->program.steps[s].node];
        if (node->op == PEN_NODE_COLUMN && pass->program.steps[s].sink < 0) {
            pass->names[pass->n_names++] = node->text;
        }
    }
    return PEN_OK;
}

static pen_status run_pass(struct pen_transform_graph *graph, const struct pen_transform_source *rows,
                           struct pen_exec *exec, int number, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_arena arena = {0};
    struct pass pass = {.graph = graph};
    struct worker *workers = NULL;
    int n_workers = omp_get_max_threads();
    PEN_TRY_GOTO(cleanup, plan_pass(&pass, &arena, number, err));
    PEN_ALLOC_GOTO(cleanup, workers, n_workers, err);
    PEN_TRY_GOTO(cleanup, make_workers(&pass, exec, workers, n_workers, err));
    for (int64_t chunk = 0; chunk < rows->n_chunks; chunk++) {
        struct pen_batch batch = {0};
        PEN_TRY_GOTO(cleanup, pen_cancel_check(err));
        PEN_TRY_GOTO(cleanup, rows->read(rows->user, chunk, pass.names, pass.n_names, &batch, err));
        PEN_TRY_GOTO(cleanup, run_chunk(&pass, workers, n_workers, &batch, err));
        PEN_TRY_GOTO(cleanup, merge_counts(&pass, workers, n_workers, KEPT_DISTINCT, err));
        pen_progress("analyze", chunk + 1, rows->n_chunks, "chunks", "pass %d", number + 1);
    }
    PEN_TRY_GOTO(cleanup, merge_counts(&pass, workers, n_workers, 0, err));
    PEN_TRY_GOTO(cleanup, conclude(&pass, workers[0].gathered, err));
cleanup:
    free_workers(workers, n_workers, pass.n_totals);
    for (int64_t i = 0; i < pass.n_totals; i++) {
        pen_sketch_deinit(&pass.totals[i].sketch);
    }
    pen_arena_deinit(&arena);
    return status;
}

pen_status pen_graph_analyze(struct pen_transform_graph *graph, const struct pen_transform_source *rows,
                             struct pen_exec *exec, struct pen_error *err)
{
    int last = -1;
    for (int64_t a = 0; a < graph->n_analyses; a++) {
        int pass = graph->nodes[graph->analysis_nodes[a]].pass;
        last = pass > last ? pass : last;
    }
    for (int number = 0; number <= last; number++) {
        PEN_TRY(run_pass(graph, rows, exec, number, err));
    }
    return PEN_OK;
}
