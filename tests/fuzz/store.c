/* Feature stores: opened, and every chunk of every column read, or refused. */
#include "datasets/store/store.h"

#include "tests/fuzz/fuzz.h"

void pen_fuzz(const char *bytes, size_t size_bytes)
{
    struct pen_store *store = NULL;
    struct pen_store_buffer buffer = {0};
    struct pen_error err = PEN_ERROR_INIT;
    if (pen_store_open(&store, pen_fuzz_file(bytes, size_bytes), &err) != PEN_OK) {
        return;
    }
    for (int64_t column = 0; column < pen_store_n_columns(store); column++) {
        for (int64_t chunk = 0; chunk < pen_store_n_chunks(store); chunk++) {
            struct pen_column view;
            if (pen_store_read(store, column, chunk, &buffer, &view, &err) == PEN_OK) {
                PEN_ASSERT(view.n_rows == pen_store_chunk_rows(store, chunk));
            }
        }
    }
    pen_store_buffer_deinit(&buffer);
    pen_store_close(store);
}
