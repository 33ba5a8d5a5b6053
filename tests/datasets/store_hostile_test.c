/* Damaged, short and foreign files, and a disk that fills up: a clear error, never a crash, nothing half-written. */
#include "core/files.h"
#include "core/memory.h"
#include "core/rng.h"
#include "datasets/store/tensors.h"
#include "tests/pen_test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { N_ROWS = 300 };

static const int64_t dictionary_offsets[] = {0, 3, 5, 9};
static const struct pen_dictionary dictionary = {3, dictionary_offsets, "abcdefghi"};

static pen_status write_raw(const char *path, int64_t n_batches, struct pen_error *err)
{
    static const struct pen_store_column_spec specs[3] = {
        {"a", PEN_TYPE_FLOAT64}, {"b", PEN_TYPE_CODES}, {"c", PEN_TYPE_BYTES}};
    struct pen_store_writer *writer = NULL;
    double values[N_ROWS];
    int32_t codes[N_ROWS];
    int64_t offsets[N_ROWS + 1];
    char bytes[3 * N_ROWS];
    uint8_t validity[N_ROWS / 8 + 1];
    memset(validity, 0xAA, sizeof validity);
    memset(bytes, 'x', sizeof bytes);
    offsets[0] = 0;
    for (int64_t i = 0; i < N_ROWS; i++) {
        values[i] = (double)i;
        codes[i] = (int32_t)(i % 3);
        offsets[i + 1] = 3 * (i + 1);
    }
    struct pen_column columns[3] = {
        {.type = PEN_TYPE_FLOAT64, .n_rows = N_ROWS, .values = values, .validity = validity},
        {.type = PEN_TYPE_CODES, .n_rows = N_ROWS, .values = codes, .dictionary = &dictionary},
        {.type = PEN_TYPE_BYTES, .n_rows = N_ROWS, .offsets = offsets, .bytes = bytes}};
    PEN_TRY(pen_store_create(&writer, path, specs, 3, NULL, err));
    for (int64_t i = 0; i < n_batches; i++) {
        pen_status status = pen_store_append(writer, columns, N_ROWS, err);
        if (status != PEN_OK) {
            pen_store_abandon(writer);
            return status;
        }
    }
    return pen_store_finish(writer, err);
}

static pen_status write_tensors(const char *path, struct pen_error *err)
{
    static const char *const names[2] = {"x", "y"};
    static const struct pen_tensor_ids_spec ids_specs[2] = {{"one", 4, false}, {"many", 4, true}};
    struct pen_tensor_spec spec = {PEN_TASK_BINARY, "label", 2, NULL, false, 2, names, 2, ids_specs};
    struct pen_tensor_writer *writer = NULL;
    float dense[2 * N_ROWS] = {0}, label[N_ROWS] = {0};
    int32_t values[N_ROWS];
    int64_t offsets[N_ROWS + 1];
    for (int64_t i = 0; i <= N_ROWS; i++) {
        offsets[i] = i;
        values[i < N_ROWS ? i : 0] = (int32_t)(i % 4);
    }
    struct pen_tensor_ids ids[2] = {{values, NULL}, {values, offsets}};
    struct pen_tensor_batch batch = {N_ROWS, dense, ids, label, NULL};
    PEN_TRY(pen_tensor_create(&writer, path, &spec, N_ROWS, NULL, err));
    pen_status status = pen_tensor_append(writer, &batch, err);
    if (status != PEN_OK) {
        pen_tensor_abandon(writer);
        return status;
    }
    return pen_tensor_finish(writer, err);
}

static pen_status read_raw(const char *path, struct pen_error *err)
{
    struct pen_store *store = NULL;
    struct pen_store_buffer buffer = {0};
    PEN_TRY(pen_store_open(&store, path, err));
    pen_status status = PEN_OK;
    for (int64_t c = 0; status == PEN_OK && c < pen_store_n_columns(store); c++) {
        for (int64_t k = 0; status == PEN_OK && k < pen_store_n_chunks(store); k++) {
            struct pen_column view;
            status = pen_store_read(store, c, k, &buffer, &view, err);
        }
    }
    pen_store_buffer_deinit(&buffer);
    pen_store_close(store);
    return status;
}

static pen_status read_tensors(const char *path, struct pen_error *err)
{
    struct pen_tensor_store *store = NULL;
    struct pen_tensor_buffer *buffer = NULL;
    struct pen_tensor_batch batch;
    PEN_TRY(pen_tensor_open(&store, path, err));
    pen_status status = pen_tensor_buffer_create(&buffer, pen_tensor_spec_of(store), err);
    if (status == PEN_OK) {
        status = pen_tensor_read(store, 0, pen_tensor_n_rows(store), buffer, &batch, err);
    }
    pen_tensor_buffer_destroy(buffer);
    pen_tensor_close(store);
    return status;
}

typedef pen_status read_fn(const char *path, struct pen_error *err);

static bool write_bytes(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    bool written = fd >= 0 && write(fd, bytes, size) == (ssize_t)size;
    return close(fd) == 0 && written;
}

/* Every refusal is one line that names the file. */
static bool is_clear(const struct pen_error *err, const char *path)
{
    return strstr(err->message, path) != NULL && strchr(err->message, '\n') == NULL;
}

static void check_short_files(const char *whole, read_fn *read)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text text = {0};
    (void)snprintf(path, sizeof path, "%s/short.h5", pen_test_directory());
    PEN_REQUIRE_OK(pen_file_read(whole, 1 << 24, &text, &err), &err);
    PEN_REQUIRE_OK(read(whole, &err), &err);
    for (size_t i = 0; i < 300; i++) {
        size_t size = i < 64 ? i : text.size_bytes * i / 300;
        PEN_REQUIRE(write_bytes(path, text.data, size));
        pen_status status = read(path, &err);
        PEN_CHECK_MSG(status != PEN_OK && is_clear(&err, path), "%zu of %zu bytes: %s", size, text.size_bytes,
                      status == PEN_OK ? "read as if whole" : err.message);
    }
    pen_text_deinit(&text);
}

/* Flips bits one at a time, most of them where the metadata is. What reads must read without harm. */
static void check_flipped_bits(const char *whole, read_fn *read)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text text = {0};
    int64_t n_refused = 0;
    (void)snprintf(path, sizeof path, "%s/flipped.h5", pen_test_directory());
    PEN_REQUIRE_OK(pen_file_read(whole, 1 << 24, &text, &err), &err);
    for (uint64_t i = 0; i < 1500; i++) {
        uint64_t limit = i % 3 == 0 ? text.size_bytes : i % 3 == 1 ? 512 : 8192;
        uint64_t at = pen_rng_below(1, 1, i, limit < text.size_bytes ? limit : text.size_bytes);
        char bit = (char)(1 << pen_rng_below(1, 2, i, 8));
        text.data[at] ^= bit;
        PEN_REQUIRE(write_bytes(path, text.data, text.size_bytes));
        pen_status status = read(path, &err);
        n_refused += status != PEN_OK;
        PEN_CHECK_MSG(status == PEN_OK || is_clear(&err, path), "byte %llu: %s", (unsigned long long)at, err.message);
        text.data[at] ^= bit;
    }
    PEN_CHECK(n_refused > 100);
    pen_text_deinit(&text);
}

static void damaged_raw_stores_are_refused(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    (void)snprintf(path, sizeof path, "%s/raw.h5", pen_test_directory());
    PEN_REQUIRE_OK(write_raw(path, 1, &err), &err);
    check_short_files(path, read_raw);
    check_flipped_bits(path, read_raw);
}

static void damaged_chunked_stores_are_refused(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    (void)snprintf(path, sizeof path, "%s/raw.h5", pen_test_directory());
    PEN_REQUIRE_OK(write_raw(path, 440, &err), &err); /* 132,000 rows: two chunks */
    check_short_files(path, read_raw);
}

static void damaged_tensor_stores_are_refused(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    (void)snprintf(path, sizeof path, "%s/tensors.h5", pen_test_directory());
    PEN_REQUIRE_OK(write_tensors(path, &err), &err);
    check_short_files(path, read_tensors);
    check_flipped_bits(path, read_tensors);
}

static void other_files_are_refused(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_store *store = NULL;
    (void)snprintf(path, sizeof path, "%s/other.h5", pen_test_directory());
    PEN_CHECK_STATUS(pen_store_open(&store, path, &err), PEN_ERR_NOT_FOUND);
    PEN_CHECK_STATUS(pen_store_open(&store, pen_test_directory(), &err), PEN_ERR_DATA);
    PEN_REQUIRE(write_bytes(path, "", 0));
    PEN_CHECK_STATUS(pen_store_open(&store, path, &err), PEN_ERR_DATA);
    char text[200] = "a,b,c\n1,2,3\n";
    PEN_REQUIRE(write_bytes(path, text, sizeof text));
    PEN_CHECK_STATUS(pen_store_open(&store, path, &err), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(err.message, "expected a feature store (HDF5)");
    PEN_REQUIRE(unlink(path) == 0);
    PEN_REQUIRE_OK(write_tensors(path, &err), &err);
    PEN_CHECK_STATUS(pen_store_open(&store, path, &err), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(err.message, "expected a group \"columns\"");
    PEN_CHECK(store == NULL);
}

/* The limit on a file's size stands for a full disk: writes fail in the middle. */
static void a_full_disk_leaves_nothing(void)
{
    char path[PEN_PATH_BYTES];
    struct rlimit before, small;
    static const rlim_t limits[] = {100, 3000, 20000, 100000, 1000000, 3000000};
    PEN_REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        (void)snprintf(path, sizeof path, "%s/full-%zu.h5", pen_test_directory(), i);
        small = before;
        small.rlim_cur = limits[i];
        PEN_REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
        pen_status status = write_raw(path, 880, &err);
        PEN_REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
        PEN_CHECK_MSG(status != PEN_OK && is_clear(&err, path), "limit %lld: %s", (long long)limits[i], err.message);
        PEN_CHECK(!pen_path_exists(path));
    }
    (void)signal(SIGXFSZ, old);
    struct pen_arena arena = {NULL};
    char **names = NULL;
    int64_t n_names = -1;
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(pen_directory_list(&arena, pen_test_directory(), &names, &n_names, &err), &err);
    PEN_CHECK_EQ_I64(n_names, 0);
    pen_arena_deinit(&arena);
    (void)snprintf(path, sizeof path, "%s/after.h5", pen_test_directory());
    PEN_CHECK_OK(write_raw(path, 880, &err), &err);
    PEN_CHECK_OK(read_raw(path, &err), &err);
}

PEN_SUITE(store_hostile, PEN_CASE(damaged_raw_stores_are_refused), PEN_CASE(damaged_chunked_stores_are_refused),
          PEN_CASE(damaged_tensor_stores_are_refused), PEN_CASE(other_files_are_refused),
          PEN_CASE(a_full_disk_leaves_nothing));
