/* The scan of the training data, and windows over it. */
#include "components/trainer/examples.h"

#include "core/log.h"
#include "core/rng.h"

#include <math.h>
#include <string.h>

enum { STREAM_VALIDATION = 1, STREAM_BLOCKS = 2 };

static bool is_validation(const struct pen_examples *e, int64_t row)
{
    return e->validation_share > 0 && pen_rng_uniform(e->seed, STREAM_VALIDATION, (uint64_t)row) < e->validation_share;
}

static pen_status block_init(struct pen_row_block *b, int64_t n_ids, struct pen_error *err)
{
    PEN_ALLOC(b->many, n_ids, err);
    PEN_ALLOC(b->offsets, n_ids, err);
    PEN_ALLOC(b->many_capacity, n_ids, err);
    PEN_ALLOC(b->offsets_capacity, n_ids, err);
    PEN_ALLOC(b->ids, n_ids, err);
    return PEN_OK;
}

static void block_deinit(struct pen_row_block *b, int64_t n_ids)
{
    for (int64_t f = 0; f < n_ids; f++) {
        pen_free(b->many != NULL ? b->many[f] : NULL);
        pen_free(b->offsets != NULL ? b->offsets[f] : NULL);
    }
    void *all[] = {b->dense,   b->label,         b->weight,           b->single, b->many,
                   b->offsets, b->many_capacity, b->offsets_capacity, b->ids};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pen_free(all[i]);
    }
}

static pen_status grow_floats(float **memory, int64_t *capacity, int64_t needed, struct pen_error *err)
{
    void *raw = *memory;
    pen_status status = pen_grow(&raw, capacity, needed, sizeof(float), err);
    *memory = raw;
    return status;
}

static pen_status block_reserve(struct pen_row_block *b, const struct pen_tensor_spec *spec, int64_t n_single,
                                int64_t n_more, struct pen_error *err)
{
    int64_t rows = b->n_rows + n_more;
    PEN_TRY(grow_floats(&b->dense, &b->dense_capacity, rows * spec->n_dense, err));
    PEN_TRY(grow_floats(&b->label, &b->label_capacity, rows, err));
    if (spec->has_weight) {
        PEN_TRY(grow_floats(&b->weight, &b->weight_capacity, rows, err));
    }
    void *raw = b->single;
    pen_status status = pen_grow(&raw, &b->single_capacity, rows * n_single, sizeof(int32_t), err);
    b->single = raw;
    for (int64_t f = 0; status == PEN_OK && f < spec->n_ids; f++) {
        if (spec->ids[f].ragged) {
            raw = b->offsets[f];
            status = pen_grow(&raw, &b->offsets_capacity[f], rows + 1, sizeof(int64_t), err);
            b->offsets[f] = raw;
        }
    }
    return status;
}

static int64_t count_single(const struct pen_tensor_spec *spec)
{
    int64_t n = 0;
    for (int64_t f = 0; f < spec->n_ids; f++) {
        n += !spec->ids[f].ragged;
    }
    return n;
}

static pen_status append_ragged(struct pen_row_block *b, int64_t f, const struct pen_tensor_ids *ids, int64_t row,
                                struct pen_error *err)
{
    int64_t n = ids->row_offsets[row + 1] - ids->row_offsets[row];
    int64_t used = b->n_rows == 0 ? 0 : b->offsets[f][b->n_rows];
    b->offsets[f][0] = 0;
    void *raw = b->many[f];
    PEN_TRY(pen_grow(&raw, &b->many_capacity[f], used + n, sizeof(int32_t), err));
    b->many[f] = raw;
    if (n > 0) {
        memcpy(b->many[f] + used, ids->values + ids->row_offsets[row], (size_t)n * sizeof(int32_t));
    }
    b->offsets[f][b->n_rows + 1] = used + n;
    return PEN_OK;
}

/* One row of a batch; room for it is reserved. */
static pen_status append_row(struct pen_row_block *b, const struct pen_tensor_spec *spec,
                             const struct pen_tensor_batch *batch, int64_t n_single, int64_t row, struct pen_error *err)
{
    if (spec->n_dense > 0) {
        memcpy(b->dense + b->n_rows * spec->n_dense, batch->dense + row * spec->n_dense,
               (size_t)spec->n_dense * sizeof(float));
    }
    b->label[b->n_rows] = batch->label[row];
    if (spec->has_weight) {
        b->weight[b->n_rows] = batch->weight != NULL ? batch->weight[row] : 1.0f;
    }
    int32_t *single = b->single + b->n_rows * n_single;
    for (int64_t f = 0; f < spec->n_ids; f++) {
        if (spec->ids[f].ragged) {
            PEN_TRY(append_ragged(b, f, &batch->ids[f], row, err));
        } else {
            *single++ = batch->ids[f].values[row];
        }
    }
    b->n_rows++;
    return PEN_OK;
}

struct pen_rows pen_row_block_view(const struct pen_examples *e, const struct pen_row_block *b)
{
    const struct pen_tensor_spec *spec = e->source.spec;
    int64_t n_single = count_single(spec), single = 0;
    for (int64_t f = 0; f < spec->n_ids; f++) {
        if (spec->ids[f].ragged) {
            b->ids[f] = (struct pen_rows_ids){b->many[f], 1, b->offsets[f]};
        } else {
            b->ids[f] = (struct pen_rows_ids){b->single + single++, n_single, NULL};
        }
    }
    return (struct pen_rows){b->n_rows, b->dense, b->ids, b->label, spec->has_weight ? b->weight : NULL};
}

/* Sums of the scan, in float64 about the first value seen, so that large offsets cancel nothing. */
struct sums {
    double weight, label_origin, label, label_square;
    bool has_label;
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

static pen_status take_batch(struct pen_examples *e, struct sums *s, const struct pen_tensor_batch *batch,
                             int64_t first, int64_t n_single, struct pen_error *err)
{
    const struct pen_tensor_spec *spec = e->source.spec;
    if (batch->label == NULL) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a label, found none; set transform.label", e->source.name);
    }
    PEN_TRY(block_reserve(&e->validation, spec, n_single, batch->n_rows, err));
    if (e->resident) {
        PEN_TRY(block_reserve(&e->window, spec, n_single, batch->n_rows, err));
    }
    for (int64_t row = 0; row < batch->n_rows; row++) {
        for (int64_t f = 0; f < spec->n_ids; f++) {
            if (spec->ids[f].ragged) {
                int64_t n = batch->ids[f].row_offsets[row + 1] - batch->ids[f].row_offsets[row];
                e->max_ids_a_row = n > e->max_ids_a_row ? n : e->max_ids_a_row;
            }
        }
        if (is_validation(e, first + row)) {
            PEN_TRY(append_row(&e->validation, spec, batch, n_single, row, err));
            continue;
        }
        measure_row(e, s, batch, row);
        if (e->resident) {
            PEN_TRY(append_row(&e->window, spec, batch, n_single, row, err));
        }
    }
    return PEN_OK;
}

static pen_status scan(struct pen_examples *e, struct sums *s, struct pen_error *err)
{
    const struct pen_tensor_spec *spec = e->source.spec;
    int64_t n_single = count_single(spec);
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
        PEN_TRY(take_batch(e, s, &batch, first, n_single, err));
    }
    conclude(e, s);
    if (e->n_labelled == 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected rows with a label to train on, found %lld rows, none with a label",
                 e->source.name, (long long)e->n_train);
    }
    return PEN_OK;
}

static pen_status prepare(struct pen_examples *e, int64_t memory_bytes, struct pen_error *err)
{
    const struct pen_tensor_spec *spec = e->source.spec;
    int64_t row_bytes = (spec->n_dense + 2) * 4;
    for (int64_t f = 0; f < spec->n_ids; f++) {
        row_bytes += spec->ids[f].ragged ? 128 : 4; /* a guess at a short text; the limit is one of magnitude */
    }
    e->n_blocks = (e->source.n_rows + PEN_EXAMPLES_BLOCK_ROWS - 1) / PEN_EXAMPLES_BLOCK_ROWS;
    e->window_blocks = memory_bytes / (row_bytes * PEN_EXAMPLES_BLOCK_ROWS);
    e->window_blocks = e->window_blocks < 1 ? 1 : e->window_blocks;
    e->resident = e->n_blocks <= e->window_blocks;
    double most = (double)PEN_EXAMPLES_VALIDATION_MAX / (double)(e->source.n_rows > 0 ? e->source.n_rows : 1);
    e->validation_share = e->validation_share < most ? e->validation_share : most;
    PEN_TRY(block_init(&e->validation, spec->n_ids, err));
    PEN_TRY(block_init(&e->window, spec->n_ids, err));
    PEN_ALLOC(e->dense_mean, spec->n_dense, err);
    PEN_ALLOC(e->dense_std, spec->n_dense, err);
    if (spec->task != PEN_TASK_REGRESSION) {
        PEN_ALLOC(e->class_shares, spec->n_classes + 2, err);
    }
    return PEN_OK;
}

pen_status pen_examples_create(struct pen_examples **examples, const struct pen_examples_source *source,
                               double validation_share, int64_t memory_bytes, uint64_t seed, struct pen_error *err)
{
    struct pen_examples *e = NULL;
    struct sums s = {.weight = 0};
    PEN_ALLOC(e, 1, err);
    e->source = *source;
    e->seed = seed;
    e->validation_share = validation_share;
    pen_status status = prepare(e, memory_bytes, err);
    if (status == PEN_OK) {
        status = scan(e, &s, err);
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
    block_deinit(&e->validation, e->source.spec->n_ids);
    block_deinit(&e->window, e->source.spec->n_ids);
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
    if (e->resident) {
        return PEN_OK;
    }
    const struct pen_tensor_spec *spec = e->source.spec;
    int64_t n_single = count_single(spec), end = (window + 1) * e->window_blocks;
    e->window.n_rows = 0;
    for (int64_t place = window * e->window_blocks; place < end && place < e->n_blocks; place++) {
        int64_t block =
            (int64_t)pen_rng_permute(e->seed + (uint64_t)epoch, STREAM_BLOCKS, (uint64_t)place, (uint64_t)e->n_blocks);
        int64_t first = block * PEN_EXAMPLES_BLOCK_ROWS, left = e->source.n_rows - first;
        struct pen_tensor_batch batch;
        PEN_TRY(e->source.read(e->source.user, first, left < PEN_EXAMPLES_BLOCK_ROWS ? left : PEN_EXAMPLES_BLOCK_ROWS,
                               &batch, err));
        PEN_TRY(block_reserve(&e->window, spec, n_single, batch.n_rows, err));
        for (int64_t row = 0; row < batch.n_rows; row++) {
            if (!is_validation(e, first + row)) {
                PEN_TRY(append_row(&e->window, spec, &batch, n_single, row, err));
            }
        }
    }
    return PEN_OK;
}
