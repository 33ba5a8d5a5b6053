/* Blocks of rows in host memory, and rows in device memory. */
#include "components/trainer/rows.h"

#include <math.h>
#include <string.h>

static int64_t count_single(const struct pen_tensor_spec *spec)
{
    int64_t n = 0;
    for (int64_t f = 0; f < spec->n_ids; f++) {
        n += !spec->ids[f].ragged;
    }
    return n;
}

pen_status pen_row_block_init(struct pen_row_block *b, const struct pen_tensor_spec *spec, struct pen_error *err)
{
    *b = (struct pen_row_block){.spec = spec, .n_single = count_single(spec)};
    PEN_ALLOC(b->many, spec->n_ids, err);
    PEN_ALLOC(b->offsets, spec->n_ids, err);
    PEN_ALLOC(b->base, spec->n_ids, err);
    PEN_ALLOC(b->many_capacity, spec->n_ids, err);
    PEN_ALLOC(b->offsets_capacity, spec->n_ids, err);
    return PEN_OK;
}

static pen_status pin(struct pen_row_block *b, void *pointer, int64_t *capacity, int64_t n, size_t item_bytes,
                      struct pen_error *err)
{
    void *memory = NULL;
    PEN_TRY(pen_device_allocate_pinned(b->pinned_for, &memory, n, item_bytes, "rows on their way", err));
    memcpy(pointer, &memory, sizeof memory);
    *capacity = n;
    return PEN_OK;
}

pen_status pen_row_block_init_pinned(struct pen_row_block *b, const struct pen_tensor_spec *spec, struct pen_exec *exec,
                                     int64_t n_rows, const int64_t *most_ids, struct pen_error *err)
{
    PEN_TRY(pen_row_block_init(b, spec, err));
    b->pinned_for = exec;
    PEN_TRY(pin(b, &b->dense, &b->dense_capacity, n_rows * spec->n_dense, sizeof *b->dense, err));
    PEN_TRY(pin(b, &b->label, &b->label_capacity, n_rows, sizeof *b->label, err));
    PEN_TRY(pin(b, &b->weight, &b->weight_capacity, n_rows, sizeof *b->weight, err));
    PEN_TRY(pin(b, &b->single, &b->single_capacity, n_rows * b->n_single, sizeof *b->single, err));
    for (int64_t f = 0; f < spec->n_ids; f++) {
        if (spec->ids[f].ragged) {
            PEN_TRY(pin(b, &b->many[f], &b->many_capacity[f], most_ids[f], sizeof **b->many, err));
            PEN_TRY(pin(b, &b->offsets[f], &b->offsets_capacity[f], n_rows + 1, sizeof **b->offsets, err));
        }
    }
    return PEN_OK;
}

static void let_go(const struct pen_row_block *b, void *memory)
{
    if (b->pinned_for != NULL) {
        pen_device_release_pinned(b->pinned_for, memory);
    } else {
        pen_free(memory);
    }
}

void pen_row_block_deinit(struct pen_row_block *b)
{
    for (int64_t f = 0; b->spec != NULL && f < b->spec->n_ids; f++) {
        let_go(b, b->many != NULL ? b->many[f] : NULL);
        let_go(b, b->offsets != NULL ? b->offsets[f] : NULL);
    }
    void *rows[] = {b->dense, b->label, b->weight, b->single};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        let_go(b, rows[i]);
    }
    void *lists[] = {b->many, b->offsets, b->base, b->many_capacity, b->offsets_capacity};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        pen_free(lists[i]);
    }
    *b = (struct pen_row_block){.spec = NULL};
}

/* Room for `needed` items of memory that holds `capacity`. */
static pen_status make_room(const struct pen_row_block *b, void **memory, int64_t *capacity, int64_t needed,
                            size_t item_bytes, struct pen_error *err)
{
    if (b->pinned_for != NULL && needed > *capacity) {
        PEN_FAIL(err, PEN_ERR_DATA, "rows read again: expected at most %lld values, found %lld: the data has changed",
                 (long long)*capacity, (long long)needed);
    }
    return pen_grow(memory, capacity, needed, item_bytes, err);
}

static pen_status room_for_floats(const struct pen_row_block *b, float **memory, int64_t *capacity, int64_t needed,
                                  struct pen_error *err)
{
    void *raw = *memory;
    pen_status status = make_room(b, &raw, capacity, needed, sizeof(float), err);
    *memory = raw;
    return status;
}

pen_status pen_row_block_reserve(struct pen_row_block *b, int64_t n, struct pen_error *err)
{
    int64_t rows = b->n_rows + n;
    PEN_TRY(room_for_floats(b, &b->dense, &b->dense_capacity, rows * b->spec->n_dense, err));
    PEN_TRY(room_for_floats(b, &b->label, &b->label_capacity, rows, err));
    PEN_TRY(room_for_floats(b, &b->weight, &b->weight_capacity, rows, err));
    void *raw = b->single;
    pen_status status = make_room(b, &raw, &b->single_capacity, rows * b->n_single, sizeof(int32_t), err);
    b->single = raw;
    for (int64_t f = 0; status == PEN_OK && f < b->spec->n_ids; f++) {
        if (b->spec->ids[f].ragged) {
            raw = b->offsets[f];
            status = make_room(b, &raw, &b->offsets_capacity[f], rows + 1, sizeof(int64_t), err);
            b->offsets[f] = raw;
        }
    }
    return status;
}

static pen_status append_ragged(struct pen_row_block *b, int64_t f, const struct pen_tensor_ids *ids, int64_t row,
                                struct pen_error *err)
{
    int64_t n = ids->row_offsets[row + 1] - ids->row_offsets[row];
    int64_t used = b->n_rows == 0 ? 0 : b->offsets[f][b->n_rows] - b->base[f];
    b->offsets[f][0] = b->base[f];
    void *raw = b->many[f];
    PEN_TRY(make_room(b, &raw, &b->many_capacity[f], used + n, sizeof(int32_t), err));
    b->many[f] = raw;
    if (n > 0) {
        memcpy(b->many[f] + used, ids->values + ids->row_offsets[row], (size_t)n * sizeof(int32_t));
    }
    b->offsets[f][b->n_rows + 1] = b->base[f] + used + n;
    return PEN_OK;
}

pen_status pen_row_block_append(struct pen_row_block *b, const struct pen_tensor_batch *batch, int64_t row,
                                struct pen_error *err)
{
    const struct pen_tensor_spec *spec = b->spec;
    if (spec->n_dense > 0) {
        memcpy(b->dense + b->n_rows * spec->n_dense, batch->dense + row * spec->n_dense,
               (size_t)spec->n_dense * sizeof(float));
    }
    b->label[b->n_rows] = batch->label != NULL ? batch->label[row] : NAN;
    b->weight[b->n_rows] = spec->has_weight && batch->weight != NULL ? batch->weight[row] : 1.0f;
    int32_t *single = b->single + b->n_rows * b->n_single;
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

pen_status pen_device_rows_init(struct pen_device_rows *r, const struct pen_tensor_spec *spec, struct pen_exec *exec,
                                struct pen_error *err)
{
    *r = (struct pen_device_rows){.exec = exec, .spec = spec, .n_single = count_single(spec)};
    PEN_ALLOC(r->many, spec->n_ids, err);
    PEN_ALLOC(r->offsets, spec->n_ids, err);
    PEN_ALLOC(r->n_many, spec->n_ids, err);
    PEN_ALLOC(r->placed, spec->n_ids, err);
    PEN_ALLOC(r->many_capacity, spec->n_ids, err);
    PEN_DEVICE_ALLOC(exec, r->from, spec->n_ids, "places of ids", err);
    return PEN_OK;
}

void pen_device_rows_deinit(struct pen_device_rows *r)
{
    if (r->spec == NULL) {
        return;
    }
    for (int64_t f = 0; f < r->spec->n_ids; f++) {
        pen_device_release(r->exec, r->many != NULL ? r->many[f] : NULL);
        pen_device_release(r->exec, r->offsets != NULL ? r->offsets[f] : NULL);
    }
    void *on_device[] = {r->dense, r->label, r->weight, r->single, r->from};
    for (size_t i = 0; i < sizeof on_device / sizeof on_device[0]; i++) {
        pen_device_release(r->exec, on_device[i]);
    }
    void *on_host[] = {r->many, r->offsets, r->n_many, r->placed, r->many_capacity};
    for (size_t i = 0; i < sizeof on_host / sizeof on_host[0]; i++) {
        pen_free(on_host[i]);
    }
    *r = (struct pen_device_rows){.spec = NULL};
}

/* Memory for n items instead of the old, which holds `used`. */
static pen_status move(struct pen_exec *exec, void **memory, int64_t used, int64_t n, size_t item_bytes,
                       struct pen_error *err)
{
    void *larger = NULL;
    PEN_TRY(pen_device_allocate(exec, &larger, n, item_bytes, "rows to train on", err));
    pen_status status = pen_device_copy(exec, larger, *memory, (size_t)used * item_bytes, err);
    if (status != PEN_OK) {
        pen_device_release(exec, larger);
        return status;
    }
    pen_device_release(exec, *memory);
    *memory = larger;
    return PEN_OK;
}

#define MOVE(r, pointer, used, n, err)                                                                 \
    do {                                                                                               \
        void *pen_memory_ = (pointer);                                                                 \
        pen_status pen_status_ = move((r)->exec, &pen_memory_, (used), (n), sizeof *(pointer), (err)); \
        (pointer) = pen_memory_;                                                                       \
        PEN_TRY(pen_status_);                                                                          \
    } while (0)

/* Room for n ids of a ragged feature. */
static pen_status reserve_ids(struct pen_device_rows *r, int64_t f, int64_t n, struct pen_error *err)
{
    if (n > r->many_capacity[f]) {
        MOVE(r, r->many[f], r->n_many[f], n, err);
        r->many_capacity[f] = n;
    }
    return PEN_OK;
}

pen_status pen_device_rows_reserve(struct pen_device_rows *r, int64_t n, const int64_t *most_ids, struct pen_error *err)
{
    int64_t rows = r->n_rows;
    for (int64_t f = 0; most_ids != NULL && f < r->spec->n_ids; f++) {
        PEN_TRY(reserve_ids(r, f, most_ids[f], err));
    }
    if (n <= r->capacity) {
        return PEN_OK;
    }
    n = n > 2 * r->capacity ? n : 2 * r->capacity;
    MOVE(r, r->dense, rows * r->spec->n_dense, n * r->spec->n_dense, err);
    MOVE(r, r->single, rows * r->n_single, n * r->n_single, err);
    MOVE(r, r->label, rows, n, err);
    MOVE(r, r->weight, rows, n, err);
    for (int64_t f = 0; f < r->spec->n_ids; f++) {
        if (r->spec->ids[f].ragged) {
            MOVE(r, r->offsets[f], rows > 0 ? rows + 1 : 0, n + 1, err);
        }
    }
    r->capacity = n;
    return PEN_OK;
}

/* The block's ids of a ragged feature behind those there; its offsets go on from theirs, if they do not yet. */
static pen_status take_ragged(struct pen_device_rows *r, struct pen_row_block *b, int64_t f, struct pen_error *err)
{
    int64_t used = r->n_many[f], n = b->offsets[f][b->n_rows] - b->base[f], shift = used - b->base[f];
    if (used + n > r->many_capacity[f]) {
        PEN_TRY(reserve_ids(r, f, used + n > 2 * r->many_capacity[f] ? used + n : 2 * r->many_capacity[f], err));
    }
    for (int64_t i = 0; shift != 0 && i <= b->n_rows; i++) {
        b->offsets[f][i] += shift;
    }
    PEN_TRY(pen_device_upload(r->exec, r->offsets[f] + r->n_rows, b->offsets[f],
                              (size_t)(b->n_rows + 1) * sizeof(int64_t), err));
    if (n > 0) {
        PEN_TRY(pen_device_upload(r->exec, r->many[f] + used, b->many[f], (size_t)n * sizeof(int32_t), err));
    }
    r->n_many[f] = used + n;
    return PEN_OK;
}

static pen_status place_ids(struct pen_device_rows *r, struct pen_error *err)
{
    int64_t single = 0;
    for (int64_t f = 0; f < r->spec->n_ids; f++) {
        if (r->spec->ids[f].ragged) {
            r->placed[f] = (struct pen_gather_from){r->many[f], 1, r->offsets[f]};
        } else {
            r->placed[f] = (struct pen_gather_from){r->single + single++, r->n_single, NULL};
        }
    }
    return pen_device_upload(r->exec, r->from, r->placed, (size_t)r->spec->n_ids * sizeof *r->from, err);
}

/* `width` floats or ids a row behind the n_rows there. */
static pen_status upload(const struct pen_device_rows *r, void *to, const void *from, int64_t width, int64_t n,
                         struct pen_error *err)
{
    size_t row_bytes = (size_t)width * sizeof(float);
    return n * width == 0 ? PEN_OK
                          : pen_device_upload(r->exec, (char *)to + (size_t)r->n_rows * row_bytes, from,
                                              (size_t)n * row_bytes, err);
}

pen_status pen_device_rows_put(struct pen_device_rows *r, struct pen_row_block *b, struct pen_error *err)
{
    if (b->n_rows == 0) {
        return PEN_OK;
    }
    PEN_TRY(pen_device_rows_reserve(r, r->n_rows + b->n_rows, NULL, err));
    PEN_TRY(upload(r, r->dense, b->dense, r->spec->n_dense, b->n_rows, err));
    PEN_TRY(upload(r, r->single, b->single, r->n_single, b->n_rows, err));
    PEN_TRY(upload(r, r->label, b->label, 1, b->n_rows, err));
    PEN_TRY(upload(r, r->weight, b->weight, 1, b->n_rows, err));
    for (int64_t f = 0; f < r->spec->n_ids; f++) {
        if (r->spec->ids[f].ragged) {
            PEN_TRY(take_ragged(r, b, f, err));
        }
    }
    r->n_rows += b->n_rows;
    return place_ids(r, err);
}

pen_status pen_device_rows_take(struct pen_device_rows *r, struct pen_row_block *b, struct pen_error *err)
{
    PEN_TRY(pen_device_rows_put(r, b, err));
    b->n_rows = 0;
    return pen_device_synchronise(r->exec, err); /* the block may be filled again */
}

void pen_device_rows_clear(struct pen_device_rows *r)
{
    r->n_rows = 0;
    for (int64_t f = 0; f < r->spec->n_ids; f++) {
        r->n_many[f] = 0;
    }
}
