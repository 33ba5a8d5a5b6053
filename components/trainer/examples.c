/* The scan of the training data. */
#include "components/trainer/windows.h"

#include "core/log.h"
#include "core/rng.h"

#include <math.h>
#include <string.h>

enum { STREAM_VALIDATION = 1 };

bool pen_examples_is_validation(const struct pen_examples *e, int64_t row)
{
    return e->validation_share > 0 && pen_rng_uniform(e->seed, STREAM_VALIDATION, (uint64_t)row) < e->validation_share;
}

/* Sums of the scan, in float64 about the first value seen, so that large offsets cancel nothing. */
struct sums {
    double weight, label_origin, label, label_square;
    bool has_label;
    int64_t n_of_class[2]; /* of a binary label, held-out rows too */
    double *class_weight, *origin, *sum, *square;
    int64_t *count;
};

static void measure_row(struct pen_examples *e, struct sums *s, const struct pen_tensor_batch *batch, int64_t row)
{
    const struct pen_tensor_spec *spec = e->source.spec;
    double y = (double)batch->label[row], u = spec->has_weight && batch->weight ? (double)batch->weight[row] : 1.0;
    e->n_train++;
    for (int64_t j = 0; j < spec->n_dense; j++) {
        double v = (double)batch->dense[row * spec->n_dense + j];
        if (isfinite(v)) {
            s->origin[j] = s->count[j] == 0 ? v : s->origin[j];
            s->count[j]++;
            s->sum[j] += v - s->origin[j];
            s->square[j] += (v - s->origin[j]) * (v - s->origin[j]);
        }
    }
    if (isnan(y) || !(u > 0)) {
        return;
    }
    if (spec->task != PEN_TASK_REGRESSION) {
        int64_t n_classes = spec->task == PEN_TASK_BINARY ? 2 : spec->n_classes;
        if (!(y >= 0 && y < (double)n_classes)) {
            return;
        }
        s->class_weight[(int64_t)y] += u;
    }
    s->label_origin = s->has_label ? s->label_origin : y;
    s->has_label = true;
    e->n_labelled++;
    s->weight += u;
    s->label += u * (y - s->label_origin);
    s->label_square += u * (y - s->label_origin) * (y - s->label_origin);
}

static void conclude(struct pen_examples *e, const struct sums *s)
{
    const struct pen_tensor_spec *spec = e->source.spec;
    e->mean_weight = e->n_train > 0 ? s->weight / (double)e->n_train : 0;
    double mean = s->weight > 0 ? s->label / s->weight : 0;
    double variance = s->weight > 0 ? s->label_square / s->weight - mean * mean : 0;
    e->label_mean = s->label_origin + mean;
    e->label_std = variance > 0 ? sqrt(variance) : 1;
    for (int64_t c = 0; e->class_shares != NULL && c < (spec->task == PEN_TASK_BINARY ? 2 : spec->n_classes); c++) {
        e->class_shares[c] = s->weight > 0 ? s->class_weight[c] / s->weight : 0;
    }
    for (int64_t j = 0; j < spec->n_dense; j++) {
        double n = (double)(s->count[j] > 0 ? s->count[j] : 1), m = s->sum[j] / n;
        double v = s->square[j] / n - m * m;
        e->dense_mean[j] = s->origin[j] + m;
        e->dense_std[j] = v > 0 ? sqrt(v) : 0;
    }
}

static void count_ids(struct pen_examples *e, const struct pen_tensor_batch *batch)
{
    const struct pen_tensor_spec *spec = e->source.spec;
    for (int64_t f = 0; f < spec->n_ids; f++) {
        const int64_t *offsets = batch->ids[f].row_offsets;
        for (int64_t row = 0; spec->ids[f].ragged && row < batch->n_rows; row++) {
            int64_t n = offsets[row + 1] - offsets[row];
            e->max_ids_a_row = n > e->max_ids_a_row ? n : e->max_ids_a_row;
        }
        int64_t all = spec->ids[f].ragged ? offsets[batch->n_rows] - offsets[0] : 0;
        e->most_ids[f] = all > e->most_ids[f] ? all : e->most_ids[f];
    }
}

static pen_status take_batch(struct pen_examples *e, struct sums *s, const struct pen_tensor_batch *batch,
                             int64_t first, struct pen_error *err)
{
    if (batch->label == NULL) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a label, found none; set transform.label", e->source.name);
    }
    PEN_TRY(pen_row_block_reserve(&e->for_validation, batch->n_rows, err));
    PEN_TRY(pen_row_block_reserve(&e->for_training, batch->n_rows, err));
    count_ids(e, batch);
    for (int64_t row = 0; row < batch->n_rows; row++) {
        if (e->source.spec->task == PEN_TASK_BINARY && !isnan(batch->label[row])) {
            s->n_of_class[batch->label[row] > 0.5F]++;
        }
        if (pen_examples_is_validation(e, first + row)) {
            PEN_TRY(pen_row_block_append(&e->for_validation, batch, row, err));
            continue;
        }
        measure_row(e, s, batch, row);
        if (e->resident) {
            PEN_TRY(pen_row_block_append(&e->for_training, batch, row, err));
        }
    }
    PEN_TRY(pen_device_rows_take(&e->validation, &e->for_validation, err));
    return pen_device_rows_take(&e->resident_rows, &e->for_training, err);
}

static pen_status scan(struct pen_examples *e, struct sums *s, struct pen_error *err)
{
    const struct pen_tensor_spec *spec = e->source.spec;
    PEN_ALLOC(s->class_weight, spec->n_classes + 2, err);
    PEN_ALLOC(s->origin, spec->n_dense, err);
    PEN_ALLOC(s->sum, spec->n_dense, err);
    PEN_ALLOC(s->square, spec->n_dense, err);
    PEN_ALLOC(s->count, spec->n_dense, err);
    for (int64_t first = 0; first < e->source.n_rows; first += PEN_EXAMPLES_BLOCK_ROWS) {
        int64_t left = e->source.n_rows - first;
        struct pen_tensor_batch batch;
        PEN_TRY(pen_cancel_check(err));
        PEN_TRY(e->source.read(e->source.user, first, left < PEN_EXAMPLES_BLOCK_ROWS ? left : PEN_EXAMPLES_BLOCK_ROWS,
                               &batch, err));
        PEN_TRY(take_batch(e, s, &batch, first, err));
    }
    conclude(e, s);
    if (e->n_labelled == 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected rows with a label to train on, found %lld rows, none with a label",
                 e->source.name, (long long)e->n_train);
    }
    if (spec->task == PEN_TASK_BINARY && (s->n_of_class[0] == 0 || s->n_of_class[1] == 0)) {
        const int there = s->n_of_class[1] > 0;
        const char *class = spec->classes != NULL ? spec->classes[there] : there ? "true" : "false";
        PEN_FAIL(err, PEN_ERR_DATA,
                 "%s: expected rows of both classes of label '%.200s', found only '%.60s' in all %lld", e->source.name,
                 spec->label == NULL ? "" : spec->label, class, (long long)s->n_of_class[there]);
    }
    return PEN_OK;
}

static pen_status prepare(struct pen_examples *e, int64_t memory_bytes, struct pen_exec *exec, struct pen_error *err)
{
    const struct pen_tensor_spec *spec = e->source.spec;
    int64_t row_bytes = (spec->n_dense + 2) * 4;
    for (int64_t f = 0; f < spec->n_ids; f++) {
        row_bytes += spec->ids[f].ragged ? 128 : 4; /* a guess at a short text; the limit is one of magnitude */
    }
    e->n_blocks = (e->source.n_rows + PEN_EXAMPLES_BLOCK_ROWS - 1) / PEN_EXAMPLES_BLOCK_ROWS;
    int64_t blocks = memory_bytes / (row_bytes * PEN_EXAMPLES_BLOCK_ROWS);
    e->resident = e->n_blocks <= (blocks < 1 ? 1 : blocks);
    e->window_blocks = blocks < 4 ? 1 : blocks / 2;
    double most = (double)PEN_EXAMPLES_VALIDATION_MAX / (double)(e->source.n_rows > 0 ? e->source.n_rows : 1);
    e->validation_share = e->validation_share < most ? e->validation_share : most;
    PEN_TRY(pen_row_block_init(&e->for_validation, spec, err));
    PEN_TRY(pen_row_block_init(&e->for_training, spec, err));
    PEN_TRY(pen_device_rows_init(&e->validation, spec, exec, err));
    PEN_TRY(pen_device_rows_init(&e->resident_rows, spec, exec, err));
    if (e->resident) {
        PEN_TRY(pen_device_rows_reserve(&e->resident_rows, e->source.n_rows, NULL, err));
    }
    PEN_ALLOC(e->most_ids, spec->n_ids, err);
    PEN_ALLOC(e->dense_mean, spec->n_dense, err);
    PEN_ALLOC(e->dense_std, spec->n_dense, err);
    if (spec->task != PEN_TASK_REGRESSION) {
        PEN_ALLOC(e->class_shares, spec->n_classes + 2, err);
    }
    return PEN_OK;
}

pen_status pen_examples_create(struct pen_examples **examples, const struct pen_examples_source *source,
                               double validation_share, int64_t memory_bytes, uint64_t seed, struct pen_exec *exec,
                               struct pen_error *err)
{
    struct pen_examples *e = NULL;
    struct sums s = {.weight = 0};
    PEN_ALLOC(e, 1, err);
    e->source = *source;
    e->exec = exec;
    e->seed = seed;
    e->window = &e->resident_rows;
    e->validation_share = validation_share;
    pen_status status = prepare(e, memory_bytes, exec, err);
    if (status == PEN_OK) {
        status = scan(e, &s, err);
    }
    if (status == PEN_OK && !e->resident) {
        status = pen_windows_open(&e->windows, e, err);
    }
    if (status == PEN_ERR_MEMORY) {
        pen_error_prefix(err,
                         "%s: expected %s rows to fit the memory of %s; set memory_limit_mb below %lld to train on a "
                         "%swindow of them at a time: ",
                         source->name, e->resident ? "all" : "two windows of", exec->name,
                         (long long)(memory_bytes >> 20), e->resident ? "" : "smaller ");
    }
    pen_free(s.class_weight);
    pen_free(s.origin);
    pen_free(s.sum);
    pen_free(s.square);
    pen_free(s.count);
    if (status != PEN_OK) {
        pen_examples_destroy(e);
        return status;
    }
    *examples = e;
    return PEN_OK;
}

void pen_examples_destroy(struct pen_examples *e)
{
    if (e == NULL) {
        return;
    }
    pen_windows_close(e->windows);
    pen_row_block_deinit(&e->for_validation);
    pen_row_block_deinit(&e->for_training);
    pen_device_rows_deinit(&e->validation);
    pen_device_rows_deinit(&e->resident_rows);
    pen_free(e->most_ids);
    pen_free(e->class_shares);
    pen_free(e->dense_mean);
    pen_free(e->dense_std);
    pen_free(e);
}

int64_t pen_examples_n_windows(const struct pen_examples *e)
{
    return e->resident ? 1 : (e->n_blocks + e->window_blocks - 1) / e->window_blocks;
}

pen_status pen_examples_load_window(struct pen_examples *e, int64_t epoch, int64_t window, struct pen_error *err)
{
    return e->resident ? PEN_OK : pen_windows_next(e->windows, &e->window, &e->which, epoch, window, err);
}

pen_status pen_examples_go_on(struct pen_examples *e, struct pen_error *err)
{
    return e->resident ? PEN_OK : pen_windows_go_on(e->windows, err);
}
