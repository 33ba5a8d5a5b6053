/* CSV: every cell of every batch is looked at; one thread with tiny chunks and two with large ones count the same rows.
 */
#include "datasets/csv/csv.h"

#include "tests/fuzz/fuzz.h"

static int64_t read_all(const char *path, int n_threads, int64_t chunk_bytes, pen_status *status)
{
    struct pen_csv_options options;
    struct pen_csv_reader *reader = NULL;
    struct pen_batch batch = {0};
    int64_t n_rows = 0;
    volatile size_t seen = 0;
    pen_csv_options_init(&options);
    options.bad_rows = PEN_CSV_BAD_ROWS_REJECT;
    options.n_threads = n_threads;
    options.chunk_bytes = chunk_bytes;
    *status = pen_csv_open(&reader, &path, 1, &options, NULL);
    for (bool more = *status == PEN_OK; more;) {
        bool restarted = false;
        *status = pen_csv_next(reader, &batch, &restarted, NULL);
        more = *status == PEN_OK && (batch.n_rows > 0 || restarted);
        n_rows = restarted ? 0 : n_rows + (more ? batch.n_rows : 0);
        for (int64_t c = 0; more && !restarted && c < batch.n_columns; c++) {
            for (int64_t row = 0; row < batch.n_rows && pen_type_is_string(batch.columns[c].type); row++) {
                size_t size = 0;
                if (pen_is_valid(batch.columns[c].validity, row)) {
                    seen += pen_column_string(&batch.columns[c], row, &size)[0] + size;
                }
            }
        }
    }
    pen_csv_close(reader);
    return n_rows;
}

void pen_fuzz(const char *bytes, size_t size_bytes)
{
    pen_status one = PEN_OK;
    pen_status two = PEN_OK;
    const char *path = pen_fuzz_file(bytes, size_bytes);
    int64_t n_one = read_all(path, 1, 64, &one);
    int64_t n_two = read_all(path, 2, 1 << 20, &two);
    PEN_ASSERT(one == two);
    PEN_ASSERT(one != PEN_OK || n_one == n_two);
}
