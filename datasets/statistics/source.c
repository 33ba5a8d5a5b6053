/* The two sources of rows: a feature store, and batches in memory. */
#include "datasets/statistics/compute.h"

static const char *store_name(const void *user, int64_t column)
{
    return pen_store_column_name(user, column);
}

static enum pen_type store_type(const void *user, int64_t column)
{
    return pen_store_column_type(user, column);
}

static int64_t store_chunk_rows(const void *user, int64_t chunk)
{
    return pen_store_chunk_rows(user, chunk);
}

static pen_status store_read(const void *user, int64_t column, int64_t chunk, struct pen_store_buffer *buffer,
                             struct pen_column *view, struct pen_error *err)
{
    return pen_store_read(user, column, chunk, buffer, view, err);
}

struct pen_statistics_source pen_statistics_source_store(const struct pen_store *store)
{
    return (struct pen_statistics_source){.user = store,
                                          .split = pen_store_split(store),
                                          .n_rows = pen_store_n_rows(store),
                                          .n_columns = pen_store_n_columns(store),
                                          .n_chunks = pen_store_n_chunks(store),
                                          .name = store_name,
                                          .type = store_type,
                                          .chunk_rows = store_chunk_rows,
                                          .read = store_read};
}

static const char *batch_name(const void *user, int64_t column)
{
    return ((const struct pen_statistics_batches *)user)->batches[0].names[column];
}

static enum pen_type batch_type(const void *user, int64_t column)
{
    return ((const struct pen_statistics_batches *)user)->batches[0].columns[column].type;
}

static int64_t batch_rows(const void *user, int64_t chunk)
{
    return ((const struct pen_statistics_batches *)user)->batches[chunk].n_rows;
}

static pen_status batch_read(const void *user, int64_t column, int64_t chunk, struct pen_store_buffer *buffer,
                             struct pen_column *view, struct pen_error *err)
{
    (void)buffer;
    (void)err;
    *view = ((const struct pen_statistics_batches *)user)->batches[chunk].columns[column];
    return PEN_OK;
}

struct pen_statistics_source pen_statistics_source_batches(const struct pen_statistics_batches *batches)
{
    int64_t n_rows = 0;
    for (int64_t i = 0; i < batches->n_batches; i++) {
        n_rows += batches->batches[i].n_rows;
    }
    return (struct pen_statistics_source){.user = batches,
                                          .split = batches->split,
                                          .n_rows = n_rows,
                                          .n_columns = batches->n_batches == 0 ? 0 : batches->batches[0].n_columns,
                                          .n_chunks = batches->n_batches,
                                          .name = batch_name,
                                          .type = batch_type,
                                          .chunk_rows = batch_rows,
                                          .read = batch_read};
}
