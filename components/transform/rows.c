/* A store's rows as batches. */
#include "components/transform/transform_internal.h"

pen_status pen_transform_rows_open(struct pen_component_context *context, struct pen_transform_rows *rows,
                                   const struct pen_store *store, int64_t n_columns, struct pen_error *err)
{
    *rows =
        (struct pen_transform_rows){.store = store,
                                    .n_columns = n_columns,
                                    .buffers = pen_arena_alloc(context->arena, n_columns + 1, sizeof *rows->buffers),
                                    .columns = pen_arena_alloc(context->arena, n_columns + 1, sizeof *rows->columns)};
    if (rows->buffers == NULL || rows->columns == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading %lld columns", (long long)n_columns);
    }
    return PEN_OK;
}

void pen_transform_rows_close(struct pen_transform_rows *rows)
{
    for (int64_t i = 0; rows->buffers != NULL && i < rows->n_columns; i++) {
        pen_store_buffer_deinit(&rows->buffers[i]);
    }
}

/* One chunk of the named columns, each read by any thread. */
pen_status pen_transform_rows_read(void *user, int64_t chunk, const char *const *names, int64_t n_names,
                                   struct pen_batch *batch, struct pen_error *err)
{
    struct pen_transform_rows *rows = user;
    const struct pen_store *store = rows->store;
    pen_status status = PEN_OK;
    PEN_ASSERT(n_names <= rows->n_columns);
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t i = 0; i < n_names; i++) {
        struct pen_error own = PEN_ERROR_INIT;
        int64_t column = pen_store_find_column(store, names[i]);
        pen_status result = column >= 0
                                ? pen_store_read(store, column, chunk, &rows->buffers[i], &rows->columns[i], &own)
                                : pen_error_set(&own, __FILE__, __LINE__, PEN_ERR_DATA,
                                                "%s: expected a column '%.100s'", pen_store_path(store), names[i]);
        if (result != PEN_OK) {
#pragma omp critical(pen_transform_read)
            {
                status = result;
                if (err != NULL) {
                    *err = own;
                }
            }
        }
    }
    *batch = (struct pen_batch){.n_rows = pen_store_chunk_rows(store, chunk),
                                .first_row = chunk * PEN_STORE_CHUNK_ROWS,
                                .n_columns = n_names,
                                .names = names,
                                .columns = rows->columns};
    return status;
}
