/* A split transformed: chunks read, segments computed in parallel, tensors appended in row order. */
#include "components/transform/transform_internal.h"

#include "components/transform/evaluate.h"
#include "core/log.h"

#include <omp.h>

struct application {
    const struct pen_transform_graph *graph;
    struct pen_exec *exec;
    struct pen_tensor_writer *writer;
    int n_threads;
    struct pen_transform_scratch **scratches; /* one a thread */
    struct pen_exec **queues;                 /* one a thread; on the CPU exec for all */
    int64_t segment_rows;
};

static pen_status apply_segment(struct application *a, const struct pen_batch *batch, int64_t first, int64_t n,
                                struct pen_tensor_batch *tensors, struct pen_error *err)
{
    struct pen_column *columns = NULL;
    struct pen_batch rows;
    int t = omp_get_thread_num();
    PEN_ALLOC(columns, batch->n_columns + 1, err);
    pen_transform_slice(batch, first, n, columns, &rows);
    pen_status status = pen_transform_apply(a->graph, a->queues[t], &rows, true, a->scratches[t], tensors, err);
    pen_free(columns);
    return status;
}

/* Segments in parallel, appended in row order; the first failing one's error is reported. */
static pen_status apply_chunk(struct application *a, const struct pen_batch *batch, struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t n_segments = (batch->n_rows + a->segment_rows - 1) / a->segment_rows;
#pragma omp parallel for ordered schedule(static, 1) num_threads(a->n_threads)
    for (int64_t s = 0; s < n_segments; s++) {
        struct pen_error own = PEN_ERROR_INIT;
        struct pen_tensor_batch tensors;
        int64_t first = s * a->segment_rows, left = batch->n_rows - first;
        pen_status result =
            apply_segment(a, batch, first, left < a->segment_rows ? left : a->segment_rows, &tensors, &own);
#pragma omp ordered
        {
            if (result == PEN_OK && status == PEN_OK) {
                result = pen_tensor_append(a->writer, &tensors, &own);
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

/* Each thread opens its own queue: a device's may belong to a thread. */
static pen_status make_scratches(struct application *a, struct pen_error *err)
{
    pen_status status = PEN_OK;
#pragma omp parallel for schedule(static, 1) num_threads(a->n_threads)
    for (int t = 0; t < a->n_threads; t++) {
        struct pen_error own = PEN_ERROR_INIT;
        pen_status result = pen_queue_open(&a->queues[t], a->exec, t, &own);
        result = result == PEN_OK ? pen_transform_scratch_create(&a->scratches[t], a->graph, &own) : result;
        if (result == PEN_OK) {
            pen_transform_scratch_keep_dictionaries(a->scratches[t]);
            continue;
        }
#pragma omp critical(pen_transform_scratches)
        {
            status = result;
            if (err != NULL) {
                *err = own;
            }
        }
    }
    return status;
}

static void log_replaced(const struct application *a, const char *split)
{
    const struct pen_tensor_spec *spec = pen_transform_spec(a->graph);
    for (int64_t i = 0; i < spec->n_dense; i++) {
        int64_t n = 0;
        for (int t = 0; t < a->n_threads; t++) {
            n += pen_transform_scratch_n_replaced(a->scratches[t], i);
        }
        if (n > 0) {
            pen_log(PEN_LOG_INFO, "split %s: feature %s is missing or not finite in %lld rows, written as 0", split,
                    spec->dense_names[i], (long long)n);
        }
    }
    int64_t n_negative = 0;
    for (int t = 0; t < a->n_threads; t++) {
        n_negative += pen_transform_scratch_n_negative_weights(a->scratches[t]);
    }
    if (n_negative > 0) {
        pen_log(PEN_LOG_WARNING, "split %s: the weight is negative in %lld rows, which do not count", split,
                (long long)n_negative);
    }
}

static pen_status apply_store(struct application *a, struct pen_transform_rows *rows, const char *const *names,
                              int64_t n_names, struct pen_error *err)
{
    int64_t n_chunks = pen_store_n_chunks(rows->store);
    for (int64_t chunk = 0; chunk < n_chunks; chunk++) {
        struct pen_batch batch;
        PEN_TRY(pen_cancel_check(err));
        PEN_TRY(pen_transform_rows_read(rows, chunk, names, n_names, &batch, err));
        PEN_TRY(apply_chunk(a, &batch, err));
        pen_progress("transform", chunk + 1, n_chunks, "chunks", "%s", pen_store_split(rows->store));
    }
    return PEN_OK;
}

pen_status pen_transform_apply_split(struct pen_component_context *context, const struct pen_transform_graph *graph,
                                     const struct pen_store *store, const char *split, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_transform_rows rows = {0};
    int n_threads = omp_get_max_threads();
    struct application a = {.graph = graph,
                            .exec = context->exec,
                            .n_threads = n_threads,
                            .segment_rows = pen_transform_segment_rows(pen_transform_spec(graph)->n_dense)};
    int64_t n_names = pen_transform_n_inputs(graph, true);
    const char **names = pen_arena_alloc(context->arena, n_names + 1, sizeof *names);
    a.scratches = pen_arena_alloc(context->arena, n_threads, sizeof(*a.scratches));
    a.queues = pen_arena_alloc(context->arena, n_threads, sizeof(*a.queues));
    if (names == NULL || a.scratches == NULL || a.queues == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: transforming split %s", split);
    }
    for (int64_t i = 0; i < n_names; i++) {
        names[i] = pen_transform_input_name(graph, i);
    }
    const char *path = pen_component_split_path(context, pen_component_output(context, "transformed_examples"), split);
    const struct pen_store_options options = {.split = split, .span = -1};
    PEN_TRY_GOTO(cleanup, pen_transform_rows_open(context, &rows, store, n_names, err));
    PEN_TRY_GOTO(cleanup, make_scratches(&a, err));
    PEN_TRY_GOTO(cleanup,
                 pen_tensor_create(&a.writer, path, pen_transform_spec(graph), pen_store_n_rows(store), &options, err));
    PEN_TRY_GOTO(cleanup, apply_store(&a, &rows, names, n_names, err));
    log_replaced(&a, split);
    status = pen_tensor_finish(a.writer, err);
    a.writer = NULL;
cleanup:
    pen_tensor_abandon(a.writer);
    for (int t = 0; t < n_threads; t++) {
        pen_transform_scratch_destroy(a.scratches[t]);
        pen_queue_close(a.queues[t], a.exec);
    }
    pen_transform_rows_close(&rows);
    return status;
}
