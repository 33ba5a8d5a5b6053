/* The candidate reads the transformed store, a batch at a time; the baseline reads raw chunks through its own graph,
 * because another run's constants and vocabularies are not its own even where the shapes agree. */
#include "components/evaluator/scores.h"

#include "components/transform/graph.h"
#include "core/files.h"
#include "core/log.h"
#include "core/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BATCH_ROWS = 8192 };

static pen_status allocate(struct pen_scores *scores, int64_t n_raw, bool has_weight, struct pen_error *err)
{
    struct pen_eval_rows *rows = &scores->rows;
    scores->n_raw = n_raw;
    PEN_ALLOC(scores->keep, n_raw + 1, err);
    PEN_ALLOC(rows->labels, n_raw + 1, err);
    PEN_ALLOC(scores->predictions, (n_raw + 1) * scores->n_outputs, err);
    if (rows->task != PEN_TASK_REGRESSION) {
        PEN_ALLOC(rows->classes, n_raw + 1, err);
    }
    if (has_weight) {
        PEN_ALLOC(rows->weights, n_raw + 1, err);
    }
    return PEN_OK;
}

static bool label_usable(const struct pen_eval_rows *rows, float label)
{
    return isfinite(label) && (rows->task != PEN_TASK_MULTICLASS || (label >= 0 && label < (float)rows->n_classes));
}

/* Appends the usable rows of one batch. */
static void append(struct pen_scores *scores, const struct pen_tensor_batch *batch, const float *predictions,
                   int64_t first_row)
{
    struct pen_eval_rows *rows = &scores->rows;
    for (int64_t i = 0; i < batch->n_rows; i++) {
        float label = batch->label[i], weight = batch->weight != NULL ? batch->weight[i] : 1.0f;
        bool weight_usable = isfinite(weight) && weight >= 0;
        if (!label_usable(rows, label) || !weight_usable) {
            scores->n_without_label += label_usable(rows, label) ? 0 : 1;
            scores->n_bad_weight += label_usable(rows, label) ? 1 : 0;
            continue;
        }
        scores->keep[first_row + i] = 1;
        rows->labels[rows->n] = label;
        if (rows->weights != NULL) {
            rows->weights[rows->n] = weight;
        }
        if (rows->classes != NULL) {
            rows->classes[rows->n] = rows->task == PEN_TASK_BINARY ? (label > 0.5f ? 1 : 0) : (int32_t)label;
        }
        for (int64_t c = 0; c < scores->n_outputs; c++) {
            scores->predictions[rows->n * scores->n_outputs + c] = predictions[i * scores->n_outputs + c];
        }
        rows->n++;
    }
}

/* Moves an array of the host to the device; NULL stays NULL. */
static pen_status place(struct pen_exec *exec, void **array, size_t bytes, const char *what, struct pen_error *err)
{
    void *host = *array;
    if (host == NULL) {
        return PEN_OK;
    }
    *array = NULL;
    pen_status status = pen_device_allocate(exec, array, (int64_t)bytes + 1, 1, what, err);
    if (status == PEN_OK) {
        status = pen_device_upload(exec, *array, host, bytes, err);
    }
    if (status == PEN_OK) {
        status = pen_device_synchronise(exec, err); /* the copy may still read host */
    }
    pen_free(host);
    return status;
}

static void set_centre(struct pen_eval_rows *rows)
{
    double sum = 0;
    for (int64_t row = 0; rows->task == PEN_TASK_REGRESSION && row < rows->n; row++) {
        sum += (double)rows->labels[row];
    }
    rows->centre = rows->n > 0 ? sum / (double)rows->n : 0;
}

/* The host's arrays, all filled, to the device. On failure every pointer is the device's or NULL. */
static pen_status place_scores(struct pen_exec *exec, struct pen_scores *scores, struct pen_error *err)
{
    struct pen_eval_rows *rows = &scores->rows;
    size_t n = (size_t)rows->n;
    struct {
        void *array;
        size_t bytes;
        const char *what;
    } arrays[] = {{rows->labels, n * sizeof *rows->labels, "labels"},
                  {rows->weights, n * sizeof *rows->weights, "weights"},
                  {rows->classes, n * sizeof *rows->classes, "classes"},
                  {scores->predictions, n * (size_t)scores->n_outputs * sizeof *scores->predictions, "predictions"}};
    pen_status status = PEN_OK;
    set_centre(rows);
    for (int i = 0; i < 4; i++) {
        if (status == PEN_OK) {
            status = place(exec, &arrays[i].array, arrays[i].bytes, arrays[i].what, err);
        } else {
            pen_free(arrays[i].array);
            arrays[i].array = NULL;
        }
    }
    scores->exec = exec;
    rows->labels = arrays[0].array;
    rows->weights = arrays[1].array;
    rows->classes = arrays[2].array;
    scores->predictions = arrays[3].array;
    return status;
}

/* The array, of own_bytes, grows to what all ranks have, one after the other; NULL stays NULL. */
static pen_status join(struct pen_communicator *ranks, void **array, int64_t own_bytes, struct pen_error *err)
{
    int64_t *offsets = NULL;
    char *all = NULL;
    if (*array == NULL) {
        return PEN_OK;
    }
    PEN_ALLOC(offsets, ranks->size + 1, err);
    pen_status status = pen_communicator_gather_all(ranks, &all, offsets, *array, own_bytes, err);
    pen_free(offsets);
    if (status == PEN_OK) {
        pen_free(*array);
        *array = all;
    }
    return status;
}

/* Rows first .. end - 1 were read here. */
static pen_status join_ranks(struct pen_scores *scores, struct pen_communicator *ranks, int64_t first, int64_t end,
                             struct pen_error *err)
{
    struct pen_eval_rows *rows = &scores->rows;
    int64_t counts[3] = {rows->n, scores->n_without_label, scores->n_bad_weight};
    if (ranks->size == 1) {
        return PEN_OK;
    }
    memmove(scores->keep, scores->keep + first, (size_t)(end - first));
    void *arrays[] = {scores->keep, rows->labels, rows->weights, rows->classes, scores->predictions};
    int64_t bytes[] = {end - first, rows->n * (int64_t)sizeof *rows->labels, rows->n * (int64_t)sizeof *rows->weights,
                       rows->n * (int64_t)sizeof *rows->classes,
                       rows->n * scores->n_outputs * (int64_t)sizeof *scores->predictions};
    pen_status status = pen_communicator_sum_i64(ranks, counts, 3, err);
    for (int i = 0; i < 5 && status == PEN_OK; i++) {
        status = join(ranks, &arrays[i], bytes[i], err);
    }
    scores->keep = arrays[0];
    rows->labels = arrays[1];
    rows->weights = arrays[2];
    rows->classes = arrays[3];
    scores->predictions = arrays[4];
    rows->n = counts[0];
    scores->n_without_label = counts[1];
    scores->n_bad_weight = counts[2];
    return status;
}

/* Whole batches. */
static void share_rows(const struct pen_communicator *ranks, int64_t n_rows, int64_t *first, int64_t *end)
{
    pen_communicator_share(ranks, (n_rows + BATCH_ROWS - 1) / BATCH_ROWS, first, end);
    *first = *first * BATCH_ROWS < n_rows ? *first * BATCH_ROWS : n_rows;
    *end = *end * BATCH_ROWS < n_rows ? *end * BATCH_ROWS : n_rows;
}

pen_status pen_scores_read(struct pen_scores *scores, const char *path, struct pen_model *model,
                           struct pen_communicator *ranks, struct pen_exec *exec, struct pen_error *err)
{
    struct pen_tensor_store *store = NULL;
    struct pen_tensor_buffer *buffer = NULL;
    float *predictions = NULL;
    pen_status status = PEN_OK;
    *scores = (struct pen_scores){0};
    PEN_TRY_GOTO(cleanup, pen_tensor_open(&store, path, err));
    const struct pen_tensor_spec *spec = pen_tensor_spec_of(store);
    int64_t n_raw = pen_tensor_n_rows(store);
    if (spec->task == PEN_TASK_NONE) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_DATA, "%s: expected labels to evaluate against, found none", path);
    }
    scores->rows.task = spec->task;
    scores->rows.n_classes = spec->task == PEN_TASK_BINARY ? 2 : spec->n_classes;
    scores->n_outputs = pen_model_n_outputs(model);
    if (scores->n_outputs != (spec->task == PEN_TASK_MULTICLASS ? spec->n_classes : 1)) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_DATA, "%s: the model gives %lld numbers a row, the data has %lld classes",
                      path, (long long)scores->n_outputs, (long long)spec->n_classes);
    }
    PEN_TRY_GOTO(cleanup, allocate(scores, n_raw, spec->has_weight, err));
    PEN_TRY_GOTO(cleanup, pen_tensor_buffer_create(&buffer, spec, err));
    PEN_ALLOC_GOTO(cleanup, predictions, BATCH_ROWS * scores->n_outputs, err);
    int64_t first = 0, end = 0;
    share_rows(ranks, n_raw, &first, &end);
    for (int64_t row = first; row < end; row += BATCH_ROWS) {
        struct pen_tensor_batch batch;
        int64_t n = end - row < BATCH_ROWS ? end - row : BATCH_ROWS;
        PEN_TRY_GOTO(cleanup, pen_cancel_check(err));
        PEN_TRY_GOTO(cleanup, pen_tensor_read(store, row, n, buffer, &batch, err));
        PEN_TRY_GOTO(cleanup, pen_model_predict(model, predictions, &batch, err));
        append(scores, &batch, predictions, row);
        pen_progress("evaluate", row + n - first, end - first, "rows", "%s", "");
    }
    PEN_TRY_GOTO(cleanup, join_ranks(scores, ranks, first, end, err));
    PEN_TRY_GOTO(cleanup, place_scores(exec, scores, err));
cleanup:
    pen_free(predictions);
    pen_tensor_buffer_destroy(buffer);
    pen_tensor_close(store);
    return status;
}

/* ---- baseline ---- */

struct baseline {
    struct pen_model *model;
    struct pen_transform_graph *graph;
    struct pen_transform_scratch *scratch;
    const struct pen_store *raw;
    struct pen_store_buffer *buffers;
    struct pen_column *views;
    const char **names;
    int64_t n_inputs, n_found;
    float *predictions;
};

static pen_status open_baseline(struct baseline *b, const char *directory, const struct pen_scores *scores,
                                struct pen_exec *exec, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_model_load(&b->model, directory, exec, err));
    if (pen_model_n_outputs(b->model) != scores->n_outputs || pen_model_spec(b->model)->task != scores->rows.task) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: another task or number of classes than the candidate's", directory);
    }
    if (snprintf(path, sizeof path, "%s/transform", directory) >= (int)sizeof path) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "%.80s: path too long", directory);
    }
    PEN_TRY(pen_transform_load(&b->graph, path, err));
    PEN_TRY(pen_transform_scratch_create(&b->scratch, b->graph, err));
    b->n_inputs = pen_transform_n_inputs(b->graph, false);
    PEN_ALLOC(b->buffers, b->n_inputs + 1, err);
    PEN_ALLOC(b->views, b->n_inputs + 1, err);
    PEN_ALLOC(b->names, b->n_inputs + 1, err);
    PEN_ALLOC(b->predictions, (int64_t)PEN_STORE_CHUNK_ROWS * scores->n_outputs, err);
    return PEN_OK;
}

static pen_status read_chunk(struct baseline *b, int64_t chunk, struct pen_error *err)
{
    b->n_found = 0;
    for (int64_t i = 0; i < b->n_inputs; i++) {
        const char *name = pen_transform_input_name(b->graph, i);
        int64_t column = pen_store_find_column(b->raw, name);
        if (column >= 0) {
            b->names[b->n_found] = name;
            PEN_TRY(pen_store_read(b->raw, column, chunk, &b->buffers[i], &b->views[b->n_found], err));
            b->n_found++;
        }
    }
    return PEN_OK;
}

/* out: [n, n_outputs], the host's. */
static pen_status score_baseline(struct baseline *b, const struct pen_scores *scores, float *out, struct pen_error *err)
{
    int64_t raw = 0, kept = 0;
    for (int64_t chunk = 0; chunk < pen_store_n_chunks(b->raw); chunk++) {
        struct pen_tensor_batch tensors;
        PEN_TRY(pen_cancel_check(err));
        PEN_TRY(read_chunk(b, chunk, err));
        struct pen_batch batch = {pen_store_chunk_rows(b->raw, chunk), raw, b->n_found, b->names, b->views};
        PEN_TRY(pen_transform_apply(b->graph, scores->exec, &batch, false, b->scratch, &tensors, err));
        PEN_TRY(pen_model_predict(b->model, b->predictions, &tensors, err));
        for (int64_t i = 0; i < batch.n_rows; i++, raw++) {
            for (int64_t c = 0; scores->keep[raw] != 0 && c < scores->n_outputs; c++) {
                out[kept * scores->n_outputs + c] = b->predictions[i * scores->n_outputs + c];
            }
            kept += scores->keep[raw];
        }
    }
    return PEN_OK;
}

pen_status pen_scores_baseline(struct pen_scores *scores, const char *directory, const struct pen_store *raw,
                               struct pen_error *err)
{
    struct baseline b = {.raw = raw};
    int64_t n = scores->rows.n * scores->n_outputs;
    float *host = NULL;
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, open_baseline(&b, directory, scores, scores->exec, err));
    PEN_ALLOC_GOTO(cleanup, host, n + 1, err);
    PEN_TRY_GOTO(cleanup, score_baseline(&b, scores, host, err));
    void *placed = host;
    host = NULL;
    status = place(scores->exec, &placed, (size_t)n * sizeof *scores->baseline, "baseline predictions", err);
    scores->baseline = placed;
cleanup:
    pen_free(host);
    for (int64_t i = 0; b.buffers != NULL && i < b.n_inputs; i++) {
        pen_store_buffer_deinit(&b.buffers[i]);
    }
    pen_free(b.buffers);
    pen_free(b.views);
    pen_free(b.names);
    pen_free(b.predictions);
    if (b.graph != NULL) {
        pen_transform_scratch_destroy(b.scratch);
        pen_transform_destroy(b.graph);
    }
    if (b.model != NULL) {
        pen_model_destroy(b.model);
    }
    return status;
}

void pen_scores_deinit(struct pen_scores *scores)
{
    void *arrays[] = {scores->rows.labels, scores->rows.weights, scores->rows.classes, scores->predictions,
                      scores->baseline};
    pen_free(scores->keep);
    for (int i = 0; i < 5; i++) {
        if (scores->exec != NULL) {
            pen_device_release(scores->exec, arrays[i]);
        } else {
            pen_free(arrays[i]); /* reading failed before they went to the device */
        }
    }
    *scores = (struct pen_scores){0};
}
