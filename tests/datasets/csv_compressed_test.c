/* Compressed CSV: bytes made ahead arrive in order and end with what ended them; a packed file reads as the plain one
 * does, and its errors are the same whether one thread decompresses and parses or several share it. */
#include "core/files.h"
#include "core/memory.h"
#include "datasets/csv/ahead.h"
#include "datasets/csv/csv.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* ---- bytes made ahead ---- */

struct maker {
    int64_t at, n_bytes;
    bool fails; /* at n_bytes, where it ends otherwise */
};

static char byte_at(int64_t i)
{
    return (char)(i * 2654435761 >> 16);
}

static pen_status make(void *user, char *buffer, int64_t size, int64_t *got, struct pen_error *err)
{
    struct maker *maker = user;
    for (*got = 0; *got < size && maker->at < maker->n_bytes; ++*got) {
        buffer[*got] = byte_at(maker->at++);
    }
    if (*got < size && maker->fails) {
        PEN_FAIL(err, PEN_ERR_DATA, "damaged at %lld", (long long)maker->at);
    }
    return PEN_OK;
}

/* Reads pieces of `size` until one is short; *n_good: bytes that came as they were made. */
static pen_status read_all(struct pen_csv_ahead *ahead, int64_t size, int64_t *n_good, struct pen_error *err)
{
    char *piece = pen_malloc(size, 1);
    int64_t got = size;
    pen_status status = PEN_OK;
    *n_good = 0;
    while (status == PEN_OK && got == size) {
        status = pen_csv_ahead_read(ahead, piece, size, &got, err);
        for (int64_t i = 0; i < got; i++) {
            *n_good += piece[i] == byte_at(*n_good);
        }
    }
    pen_free(piece);
    return status;
}

static void bytes_made_ahead_arrive_in_order(void)
{
    static const int64_t lengths[] = {
        0, 1, PEN_CSV_AHEAD_BYTES - 1, PEN_CSV_AHEAD_BYTES, 5 * PEN_CSV_AHEAD_BYTES, 7 * PEN_CSV_AHEAD_BYTES + 12345};
    static const int64_t sizes[] = {4096, PEN_CSV_AHEAD_BYTES, 3 * PEN_CSV_AHEAD_BYTES + 7};
    for (int i = 0; i < 6; i++) {
        for (int j = 0; j < 6; j++) {
            struct maker maker = {0, lengths[i], j % 2 == 1};
            struct pen_csv_ahead *ahead = NULL;
            struct pen_error err = PEN_ERROR_INIT;
            int64_t n_good = 0;
            PEN_REQUIRE_OK(pen_csv_ahead_open(&ahead, make, &maker, &err), &err);
            const pen_status status = read_all(ahead, sizes[j / 2], &n_good, &err);
            PEN_CHECK_EQ_I64(n_good, lengths[i]);
            PEN_CHECK_STATUS(status, maker.fails ? PEN_ERR_DATA : PEN_OK);
            if (maker.fails) {
                char again;
                int64_t got;
                PEN_CHECK_CONTAINS(err.message, "damaged at ");
                PEN_CHECK_STATUS(pen_csv_ahead_read(ahead, &again, 1, &got, &err), PEN_ERR_DATA);
            }
            pen_csv_ahead_close(ahead);
        }
    }
}

static void a_close_waits_for_nothing_that_nobody_reads(void)
{
    struct maker maker = {0, INT64_MAX, false};
    struct pen_csv_ahead *ahead = NULL;
    struct pen_error err = PEN_ERROR_INIT;
    char some[100];
    int64_t got;
    PEN_REQUIRE_OK(pen_csv_ahead_open(&ahead, make, &maker, &err), &err);
    PEN_CHECK_OK(pen_csv_ahead_read(ahead, some, sizeof some, &got, &err), &err);
    PEN_CHECK_EQ_I64(got, sizeof some);
    pen_csv_ahead_close(ahead);
    PEN_CHECK(maker.at <= (PEN_CSV_AHEAD_BUFFERS + 1) * (int64_t)PEN_CSV_AHEAD_BYTES);
    pen_csv_ahead_close(NULL);
}

/* ---- files ---- */

/* About 6 MiB; the row of line bad_line has a field too many. */
static void make_rows(struct pen_text *csv, int64_t bad_line)
{
    pen_text_reset(csv);
    pen_text_append(csv, "number,name,rest\n");
    for (int64_t i = 2; i <= 120000; i++) {
        pen_text_printf(csv, "%lld,\"name, %lld\",%.17g%s\n", (long long)i, (long long)(i * 7919 % 1009), (double)i / 7,
                        i == bad_line ? ",more" : "");
    }
}

static void pack(char path[PEN_PATH_BYTES], const struct pen_text *csv, bool gzip)
{
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_path_join(path, pen_test_directory(), gzip ? "rows.csv.gz" : "rows.csv.zst", &err), &err);
    if (gzip) {
        gzFile file = gzopen(path, "wb1");
        PEN_REQUIRE(file != NULL);
        PEN_CHECK_EQ_I64(gzwrite(file, csv->data, (unsigned)csv->size_bytes), csv->size_bytes);
        PEN_CHECK_EQ_I64(gzclose(file), Z_OK);
        return;
    }
    const size_t room = ZSTD_compressBound(csv->size_bytes);
    char *packed = pen_malloc((int64_t)room, 1);
    const size_t n = ZSTD_compress(packed, room, csv->data, csv->size_bytes, 1);
    PEN_REQUIRE_OK(pen_file_write_atomic(path, packed, n, &err), &err);
    pen_free(packed);
}

struct read {
    int64_t n_rows, sum, n_name_bytes;
    double rest;
};

static pen_status read_file(struct read *to, const char *path, int n_threads, struct pen_error *err)
{
    struct pen_csv_options options;
    struct pen_csv_reader *reader;
    struct pen_batch batch;
    bool restarted;
    size_t size;
    *to = (struct read){0};
    pen_csv_options_init(&options);
    options.n_threads = n_threads;
    PEN_TRY(pen_csv_open(&reader, &path, 1, &options, err));
    pen_status status = pen_csv_next(reader, &batch, &restarted, err);
    for (; status == PEN_OK && batch.n_rows > 0; status = pen_csv_next(reader, &batch, &restarted, err)) {
        to->n_rows += batch.n_rows;
        for (int64_t r = 0; r < batch.n_rows; r++) {
            to->sum += ((const int64_t *)batch.columns[0].values)[r];
            (void)pen_column_string(&batch.columns[1], r, &size);
            to->n_name_bytes += (int64_t)size;
            to->rest += ((const double *)batch.columns[2].values)[r];
        }
    }
    pen_csv_close(reader);
    return status;
}

static void a_packed_file_reads_as_its_rows_say(void)
{
    struct pen_text csv = {0};
    char path[PEN_PATH_BYTES];
    int64_t n_name_bytes = 0;
    double rest = 0;
    make_rows(&csv, 0);
    for (int64_t i = 2; i <= 120000; i++) {
        n_name_bytes += snprintf(NULL, 0, "name, %lld", (long long)(i * 7919 % 1009));
        rest += (double)i / 7;
    }
    for (int k = 0; k < 8; k++) {
        struct read found;
        struct pen_error err = PEN_ERROR_INIT;
        pack(path, &csv, k % 2 == 0);
        PEN_CHECK_OK(read_file(&found, path, 1 + k / 2, &err), &err);
        PEN_CHECK_EQ_I64(found.n_rows, 119999);
        PEN_CHECK_EQ_I64(found.sum, (int64_t)120000 * 120001 / 2 - 1);
        PEN_CHECK_EQ_I64(found.n_name_bytes, n_name_bytes);
        PEN_CHECK_MSG(found.rest == rest, "expected %.17g in all, found %.17g", rest, found.rest);
    }
    pen_text_deinit(&csv);
}

static void a_bad_row_far_behind_is_told_by_its_line(void)
{
    struct pen_text csv = {0};
    char path[PEN_PATH_BYTES];
    make_rows(&csv, 99999);
    for (int k = 0; k < 6; k++) {
        struct read found;
        struct pen_error err = PEN_ERROR_INIT;
        pack(path, &csv, k % 2 == 0);
        PEN_CHECK_STATUS(read_file(&found, path, 1 + k / 2, &err), PEN_ERR_DATA);
        PEN_CHECK_CONTAINS(err.message, "line 99999: expected 3 fields, found 4");
    }
    pen_text_deinit(&csv);
}

/* A packed file with bytes changed in its middle, or without its end. How far zstd has read on when it finds damage
 * depends on the room that it is given, so that the place may be a later one than with another number of threads. */
static void expect_damage(const char *path, bool cut, bool same_place, const char *wanted)
{
    struct pen_text packed = {0};
    struct pen_error err = PEN_ERROR_INIT, alone = PEN_ERROR_INIT;
    struct read found;
    PEN_REQUIRE_OK(pen_file_read(path, 1 << 28, &packed, &err), &err);
    if (!cut) {
        memset(packed.data + packed.size_bytes / 2, 0xFF, 64);
    }
    const size_t size = cut ? packed.size_bytes / 2 : packed.size_bytes;
    PEN_REQUIRE_OK(pen_file_write_atomic(path, packed.data, size, &err), &err);
    PEN_CHECK_STATUS(read_file(&found, path, 1, &alone), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(alone.message, wanted);
    for (int n_threads = 2; n_threads < 5; n_threads++) {
        PEN_CHECK_STATUS(read_file(&found, path, n_threads, &err), PEN_ERR_DATA);
        PEN_CHECK_CONTAINS(err.message, wanted);
        PEN_CHECK_MSG(!same_place || strcmp(err.message, alone.message) == 0, "with %d threads: %s; with one: %s",
                      n_threads, err.message, alone.message);
    }
    pen_text_deinit(&packed);
}

static void damage_is_told_the_same_by_any_number_of_threads(void)
{
    struct pen_text csv = {0};
    char path[PEN_PATH_BYTES];
    make_rows(&csv, 0);
    for (int k = 0; k < 4; k++) {
        const bool gzip = k % 2 == 0, cut = k / 2 == 1;
        pack(path, &csv, gzip);
        expect_damage(path, cut, gzip || cut,
                      cut    ? "ends too early"
                      : gzip ? "damaged gzip data before byte"
                             : "damaged zstd data");
    }
    pen_text_deinit(&csv);
}

PEN_SUITE(csv_compressed, PEN_CASE(bytes_made_ahead_arrive_in_order),
          PEN_CASE(a_close_waits_for_nothing_that_nobody_reads), PEN_CASE(a_packed_file_reads_as_its_rows_say),
          PEN_CASE(a_bad_row_far_behind_is_told_by_its_line),
          PEN_CASE(damage_is_told_the_same_by_any_number_of_threads));
