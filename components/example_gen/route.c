/* Gathers the rows of each split and appends them to its store, column by column on all cores. A batch that belongs
 * to one split as a whole is gathered all the same: dictionaries must be renumbered, and a copy in cache is cheap. */
#include "components/example_gen/route.h"

#include "core/memory.h"

#include <string.h>

enum { MAX_SYNCS = 8 };

/* One column on its way to one split. */
struct lane {
    void *values;
    uint8_t *validity;
    int64_t *offsets;
    char *bytes;
    int64_t values_capacity, validity_capacity, offsets_capacity, bytes_capacity;
    int32_t *map; /* the reader's code -> this split's, -1: not seen yet */
    int64_t n_mapped, map_capacity;
    int64_t *entry_offsets;
    char *entry_bytes;
    int64_t n_entries, entry_offsets_capacity, entry_bytes_capacity;
    struct pen_dictionary dictionary;
};

struct target {
    struct pen_store_writer *writer;
    struct lane *lanes;
    int64_t n_rows;
    int64_t *rows; /* of the current batch */
    int64_t n_here, rows_capacity;
};

struct pen_route {
    int64_t n_splits, n_columns;
    struct target *targets;
};

static pen_status grow(void *memory_of, int64_t *capacity, int64_t needed, size_t size, struct pen_error *err)
{
    void *memory = NULL;
    memcpy(&memory, memory_of, sizeof memory);
    pen_status status = pen_grow(&memory, capacity, needed, size, err);
    memcpy(memory_of, &memory, sizeof memory);
    return status;
}

pen_status pen_route_create(struct pen_route **out, const struct pen_batch *batch, const char *const *names,
                            const char *const *paths, int64_t n_splits, int64_t span, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_route *route = NULL;
    struct pen_store_column_spec *specs = NULL;
    *out = NULL;
    PEN_ALLOC_GOTO(cleanup, route, 1, err);
    PEN_ALLOC_GOTO(cleanup, route->targets, n_splits, err);
    route->n_splits = n_splits;
    route->n_columns = batch->n_columns;
    PEN_ALLOC_GOTO(cleanup, specs, batch->n_columns, err);
    for (int64_t i = 0; i < batch->n_columns; i++) {
        specs[i] = (struct pen_store_column_spec){batch->names[i], batch->columns[i].type};
    }
    for (int64_t i = 0; i < n_splits; i++) {
        struct target *target = &route->targets[i];
        struct pen_store_options options = {names[i], span, NULL};
        PEN_ALLOC_GOTO(cleanup, target->lanes, batch->n_columns, err);
        PEN_TRY_GOTO(cleanup, pen_store_create(&target->writer, paths[i], specs, batch->n_columns, &options, err));
    }
    *out = route;
cleanup:
    pen_free(specs);
    if (status != PEN_OK) {
        pen_route_abandon(route);
    }
    return status;
}

static pen_status gather_validity(struct lane *lane, struct pen_column *to, const struct pen_column *from,
                                  const int64_t *rows, int64_t n, struct pen_error *err)
{
    if (from->validity == NULL) {
        return PEN_OK;
    }
    bool missing = false;
    PEN_TRY(grow(&lane->validity, &lane->validity_capacity, n / 8 + 1, 1, err));
    memset(lane->validity, 0, (size_t)(n / 8 + 1));
    for (int64_t i = 0; i < n; i++) {
        bool present = pen_is_valid(from->validity, rows[i]);
        lane->validity[i >> 3] = (uint8_t)(lane->validity[i >> 3] | (present ? 1 << (i & 7) : 0));
        missing = missing || !present;
    }
    to->validity = missing ? lane->validity : NULL;
    return PEN_OK;
}

static pen_status add_entry(struct lane *lane, const struct pen_dictionary *from, int32_t code, struct pen_error *err)
{
    int64_t size = from->offsets[code + 1] - from->offsets[code];
    int64_t used = lane->n_entries > 0 ? lane->entry_offsets[lane->n_entries] : 0;
    PEN_TRY(grow(&lane->entry_offsets, &lane->entry_offsets_capacity, lane->n_entries + 2, sizeof(int64_t), err));
    PEN_TRY(grow(&lane->entry_bytes, &lane->entry_bytes_capacity, used + size + 1, 1, err));
    lane->entry_offsets[0] = 0;
    memcpy(lane->entry_bytes + used, from->bytes + from->offsets[code], (size_t)size);
    lane->map[code] = (int32_t)lane->n_entries++;
    lane->entry_offsets[lane->n_entries] = used + size;
    return PEN_OK;
}

static pen_status gather_codes(struct lane *lane, struct pen_column *to, const struct pen_column *from,
                               const int64_t *rows, int64_t n, struct pen_error *err)
{
    const int32_t *codes = from->values;
    int64_t n_known = from->dictionary->n_entries;
    PEN_TRY(grow(&lane->map, &lane->map_capacity, n_known + 1, sizeof(int32_t), err));
    for (; lane->n_mapped < n_known; lane->n_mapped++) {
        lane->map[lane->n_mapped] = -1;
    }
    PEN_TRY(grow(&lane->values, &lane->values_capacity, n * 4 + 1, 1, err));
    int32_t *out = lane->values;
    for (int64_t i = 0; i < n; i++) {
        int32_t code = codes[rows[i]];
        if (code >= 0 && lane->map[code] < 0) {
            PEN_TRY(add_entry(lane, from->dictionary, code, err));
        }
        out[i] = code < 0 ? -1 : lane->map[code];
    }
    lane->dictionary = (struct pen_dictionary){lane->n_entries, lane->entry_offsets, lane->entry_bytes};
    to->values = out;
    to->dictionary = &lane->dictionary;
    return PEN_OK;
}

static pen_status gather_bytes(struct lane *lane, struct pen_column *to, const struct pen_column *from,
                               const int64_t *rows, int64_t n, struct pen_error *err)
{
    PEN_TRY(grow(&lane->offsets, &lane->offsets_capacity, n + 1, sizeof(int64_t), err));
    lane->offsets[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        lane->offsets[i + 1] = lane->offsets[i] + from->offsets[rows[i] + 1] - from->offsets[rows[i]];
    }
    PEN_TRY(grow(&lane->bytes, &lane->bytes_capacity, lane->offsets[n] + 1, 1, err));
    for (int64_t i = 0; i < n; i++) {
        memcpy(lane->bytes + lane->offsets[i], from->bytes + from->offsets[rows[i]],
               (size_t)(lane->offsets[i + 1] - lane->offsets[i]));
    }
    to->offsets = lane->offsets;
    to->bytes = lane->bytes;
    return PEN_OK;
}

static pen_status gather_numbers(struct lane *lane, struct pen_column *to, const struct pen_column *from,
                                 const int64_t *rows, int64_t n, struct pen_error *err)
{
    size_t size = pen_type_size(from->type);
    PEN_TRY(grow(&lane->values, &lane->values_capacity, n * (int64_t)size + 1, 1, err));
    if (size == 8) {
        uint64_t *out = lane->values;
        const uint64_t *in = from->values;
        for (int64_t i = 0; i < n; i++) {
            out[i] = in[rows[i]];
        }
    } else {
        uint32_t *out = lane->values;
        const uint32_t *in = from->values;
        for (int64_t i = 0; i < n; i++) {
            out[i] = in[rows[i]];
        }
    }
    to->values = lane->values;
    return PEN_OK;
}

static pen_status gather(struct lane *lane, struct pen_column *to, const struct pen_column *from, const int64_t *rows,
                         int64_t n, struct pen_error *err)
{
    *to = (struct pen_column){.type = from->type, .n_rows = n};
    PEN_TRY(gather_validity(lane, to, from, rows, n, err));
    switch (from->type) {
    case PEN_TYPE_CODES:
        return gather_codes(lane, to, from, rows, n, err);
    case PEN_TYPE_BYTES:
        return gather_bytes(lane, to, from, rows, n, err);
    case PEN_TYPE_INT64:
    case PEN_TYPE_FLOAT64:
    case PEN_TYPE_FLOAT32:
        return gather_numbers(lane, to, from, rows, n, err);
    case PEN_TYPE_NONE:
        break;
    }
    return PEN_OK;
}

static pen_status list_rows(struct pen_route *route, const struct pen_batch *batch, const int32_t *splits,
                            struct pen_error *err)
{
    for (int64_t i = 0; i < route->n_splits; i++) {
        struct target *target = &route->targets[i];
        target->n_here = 0;
        PEN_TRY(grow(&target->rows, &target->rows_capacity, batch->n_rows, sizeof(int64_t), err));
    }
    for (int64_t row = 0; row < batch->n_rows; row++) {
        struct target *target = &route->targets[splits[row]];
        target->rows[target->n_here++] = row;
    }
    return PEN_OK;
}

/* One column of the batch to one split: gathered, and appended while it is in the cache. */
static pen_status send(struct pen_route *route, const struct pen_batch *batch, int64_t i, struct pen_error *err)
{
    struct target *target = &route->targets[i / route->n_columns];
    const int64_t column = i % route->n_columns;
    struct pen_column gathered;
    PEN_TRY(gather(&target->lanes[column], &gathered, &batch->columns[column], target->rows, target->n_here, err));
    return pen_store_append_column(target->writer, column, &gathered, target->n_here, err);
}

pen_status pen_route_append(struct pen_route *route, const struct pen_batch *batch, const int32_t *splits,
                            struct pen_error *err)
{
    const int64_t n_lanes = route->n_splits * route->n_columns;
    pen_status status = PEN_OK;
    int64_t failed_lane = -1;
    PEN_ASSERT(batch->n_columns == route->n_columns);
    PEN_TRY(list_rows(route, batch, splits, err));
#pragma omp parallel for schedule(dynamic, 1) if (batch->n_rows * route->n_columns >= 16384)
    for (int64_t i = 0; i < n_lanes; i++) {
        struct pen_error own = PEN_ERROR_INIT;
        const pen_status one = send(route, batch, i, &own);
        if (one != PEN_OK) {
#pragma omp critical(pen_route_append_failed)
            if (failed_lane < 0 || i < failed_lane) {
                failed_lane = i;
                status = one;
                if (err != NULL) {
                    *err = own;
                }
            }
        }
    }
    PEN_TRY(status);
    for (int64_t i = 0; i < route->n_splits; i++) {
        struct target *target = &route->targets[i];
        PEN_TRY(pen_store_end_rows(target->writer, target->n_here, err));
        target->n_rows += target->n_here;
    }
    return PEN_OK;
}

int64_t pen_route_n_rows(const struct pen_route *route, int64_t split)
{
    return route->targets[split].n_rows;
}

static void release_lane(struct lane *lane)
{
    pen_free(lane->values);
    pen_free(lane->validity);
    pen_free(lane->offsets);
    pen_free(lane->bytes);
    pen_free(lane->map);
    pen_free(lane->entry_offsets);
    pen_free(lane->entry_bytes);
}

void pen_route_abandon(struct pen_route *route)
{
    if (route == NULL) {
        return;
    }
    for (int64_t i = 0; route->targets != NULL && i < route->n_splits; i++) {
        struct target *target = &route->targets[i];
        pen_store_abandon(target->writer);
        for (int64_t c = 0; target->lanes != NULL && c < route->n_columns; c++) {
            release_lane(&target->lanes[c]);
        }
        pen_free(target->lanes);
        pen_free(target->rows);
    }
    pen_free(route->targets);
    pen_free(route);
}

/* Each store waits for the disk: they do so at the same time. */
pen_status pen_route_finish(struct pen_route *route, struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t failed = -1;
#pragma omp parallel for schedule(dynamic, 1) \
    num_threads((int)(route->n_splits < MAX_SYNCS ? route->n_splits : MAX_SYNCS))
    for (int64_t i = 0; i < route->n_splits; i++) {
        struct pen_error own = PEN_ERROR_INIT;
        struct pen_store_writer *writer = route->targets[i].writer;
        route->targets[i].writer = NULL;
        const pen_status one = pen_store_finish(writer, &own);
        if (one != PEN_OK) {
#pragma omp critical(pen_route_finish_failed)
            if (failed < 0 || i < failed) {
                failed = i;
                status = one;
                if (err != NULL) {
                    *err = own;
                }
            }
        }
    }
    pen_route_abandon(route);
    return status;
}
