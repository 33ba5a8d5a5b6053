/* The journal: whole after every kind of damage, or refused; nothing is thrown away. */
#include "orchestrator/metadata/journal.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N_RECORDS = 12, SMALL_SEGMENT = 300, N_SEGMENTS = 4, MOST_FILES = 8 };

/* Records hold their number: each must be the one after the last. */
static pen_status count(void *user, const char *json, size_t size_bytes, struct pen_journal_place place,
                        struct pen_error *err)
{
    int64_t *n = user;
    pen_json *record = NULL;
    (void)place;
    PEN_TRY(pen_json_parse(json, size_bytes, "record", &record, err));
    int64_t found = pen_json_int_or(pen_json_get(record, "n"), -1);
    pen_json_free(record);
    if (found != *n) {
        PEN_FAIL(err, PEN_ERR_DATA, "expected record %lld, found %lld", (long long)*n, (long long)found);
    }
    (*n)++;
    return PEN_OK;
}

static pen_status append_number(struct pen_journal *journal, int64_t n, struct pen_error *err)
{
    pen_json *record = pen_json_object();
    pen_json_set_int(record, "n", n);
    pen_json_set_string(record, "text", "a line\nwith \"quotes\" and \xc3\xa9");
    struct pen_text json = {0};
    pen_status status = pen_json_print(record, PEN_JSON_CANONICAL, &json, err);
    status = status == PEN_OK ? pen_journal_append(journal, json.data, json.size_bytes, NULL, err) : status;
    pen_text_deinit(&json);
    pen_json_free(record);
    return status;
}

/* The segments of a journal, as bytes. */
struct files {
    int n;
    char path[MOST_FILES][PEN_PATH_BYTES];
    struct pen_text bytes[MOST_FILES];
};

static void segment_path(char path[PEN_PATH_BYTES], int64_t number)
{
    (void)snprintf(path, PEN_PATH_BYTES, "%s/journal/%010lld.jl", pen_test_directory(), (long long)number);
}

/* N_RECORDS in N_SEGMENTS segments in the case's folder. */
static bool make_journal(struct files *files)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_journal journal;
    int64_t n = 0;
    bool good = pen_journal_open(&journal, pen_test_directory(), true, count, &n, &err) == PEN_OK;
    journal.segment_limit_bytes = SMALL_SEGMENT;
    for (int64_t i = 0; good && i < N_RECORDS; i++) {
        good = append_number(&journal, i, &err) == PEN_OK;
    }
    files->n = (int)journal.segment;
    pen_journal_close(&journal);
    for (int i = 0; good && i < files->n; i++) {
        segment_path(files->path[i], i + 1);
        good = pen_file_read(files->path[i], 1 << 20, &files->bytes[i], &err) == PEN_OK;
    }
    return good && files->n == N_SEGMENTS;
}

/* What stood there, but `bytes` in file `changed` (NULL: the file is missing). */
static void write_files(const struct files *files, int changed, const char *bytes, size_t size)
{
    for (int i = 0; i <= files->n; i++) {
        char path[PEN_PATH_BYTES];
        segment_path(path, i + 1);
        (void)unlink(path);
        if (i < files->n && (i != changed || bytes != NULL)) {
            FILE *file = fopen(path, "w");
            PEN_REQUIRE(file != NULL);
            size_t wanted = i == changed ? size : files->bytes[i].size_bytes;
            PEN_CHECK_EQ_I64(fwrite(i == changed ? bytes : files->bytes[i].data, 1, wanted, file), wanted);
            PEN_CHECK_EQ_I64(fclose(file), 0);
        }
    }
}

static void deinit(struct files *files)
{
    for (int i = 0; i < files->n; i++) {
        pen_text_deinit(&files->bytes[i]);
    }
}

static int64_t lines_in(const char *bytes, size_t size)
{
    int64_t lines = 0;
    for (size_t i = 0; i < size; i++) {
        lines += bytes[i] == '\n';
    }
    return lines;
}

/* Opens for writing, expects n records, goes on writing, and reads all of it again. */
static void expect_goes_on(int64_t n, const char *what, size_t at)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_journal journal;
    int64_t found = 0;
    pen_status status = pen_journal_open(&journal, pen_test_directory(), true, count, &found, &err);
    PEN_TEST_BASE(status == PEN_OK && found == n, return, "%s %zu: expected %lld records, found %lld: %s", what, at,
                  (long long)n, (long long)found, err.message);
    PEN_CHECK_OK(append_number(&journal, n, &err), &err);
    pen_journal_close(&journal);
    found = 0;
    PEN_CHECK_OK(pen_journal_open(&journal, pen_test_directory(), false, count, &found, &err), &err);
    PEN_CHECK_EQ_I64(found, n + 1);
    pen_journal_close(&journal);
}

/* A writer refuses, in words; a reader takes a prefix; no byte of the file changes. */
static void expect_refused(const struct files *files, int file, const char *bytes, size_t size, const char *words)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_journal journal;
    struct pen_text after = {0};
    int64_t n = 0;
    PEN_CHECK_STATUS(pen_journal_open(&journal, pen_test_directory(), true, count, &n, &err), PEN_ERR_IO);
    PEN_CHECK_CONTAINS(err.message, words);
    if (bytes != NULL) {
        PEN_CHECK_OK(pen_file_read(files->path[file], 1 << 20, &after, &err), &err);
        PEN_CHECK(after.size_bytes == size && memcmp(after.data, bytes, size) == 0);
        n = 0;
        PEN_CHECK_OK(pen_journal_open(&journal, pen_test_directory(), false, count, &n, &err), &err);
        PEN_CHECK(n < N_RECORDS);
        pen_journal_close(&journal);
    }
    pen_text_deinit(&after);
}

static void records_come_back_in_order_over_all_segments(void)
{
    struct files files = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_journal journal;
    int64_t n = 0;
    PEN_REQUIRE(make_journal(&files));
    PEN_CHECK_OK(pen_journal_open(&journal, pen_test_directory(), false, count, &n, &err), &err);
    PEN_CHECK_EQ_I64(n, N_RECORDS);
    PEN_CHECK_EQ_I64(journal.n_records, N_RECORDS);
    PEN_CHECK_STATUS(append_number(&journal, n, &err), PEN_ERR_IO);
    pen_journal_close(&journal);
    PEN_CHECK_CONTAINS(files.bytes[1].data, "{\"chain\":\"");
    PEN_CHECK_CONTAINS(files.bytes[1].data, "\"format\":\"penstock journal\",\"segment\":2,\"version\":1}");
    deinit(&files);
}

/* Only the last segment can be torn; cut at any byte, within its header too. */
static void a_tail_torn_anywhere_is_cut_kept_and_written_on(void)
{
    struct files files = {0};
    PEN_REQUIRE(make_journal(&files));
    int last = files.n - 1;
    int64_t sealed = 0;
    for (int i = 0; i < last; i++) {
        sealed += lines_in(files.bytes[i].data, files.bytes[i].size_bytes) - 1;
    }
    for (size_t size = 0; size < files.bytes[last].size_bytes; size++) {
        int64_t lines = lines_in(files.bytes[last].data, size);
        write_files(&files, last, files.bytes[last].data, size);
        expect_goes_on(sealed + (lines > 0 ? lines - 1 : 0), "cut at byte", size);
    }
    deinit(&files);
}

static void a_sealed_segment_cut_anywhere_is_refused(void)
{
    struct files files = {0};
    PEN_REQUIRE(make_journal(&files));
    for (size_t size = 0; size < files.bytes[1].size_bytes; size++) {
        write_files(&files, 1, files.bytes[1].data, size);
        expect_refused(&files, 1, files.bytes[1].data, size, "chain break at record ");
    }
    deinit(&files);
}

static void nul_bytes_at_the_end_are_a_torn_tail(void)
{
    struct files files = {0};
    PEN_REQUIRE(make_journal(&files));
    int last = files.n - 1;
    char zeros[302] = {0};
    struct pen_text longer = {0};
    pen_text_append_bytes(&longer, files.bytes[last].data, files.bytes[last].size_bytes);
    pen_text_append_bytes(&longer, zeros, sizeof zeros);
    write_files(&files, last, longer.data, longer.size_bytes);
    expect_goes_on(N_RECORDS, "NUL tail", sizeof zeros);
    char path[PEN_PATH_BYTES];
    struct pen_text kept = {0};
    struct pen_error err = PEN_ERROR_INIT;
    (void)snprintf(path, sizeof path, "%s/quarantine/segment-%d-tail-at-%zu", pen_test_directory(), files.n,
                   files.bytes[last].size_bytes);
    PEN_CHECK_OK(pen_file_read(path, 1 << 20, &kept, &err), &err);
    PEN_CHECK_EQ_I64(kept.size_bytes, sizeof zeros);
    pen_text_deinit(&kept);
    pen_text_deinit(&longer);
    deinit(&files);
}

/* In any line that is not the last one, nor the newline before that, without which the two are one torn line. */
static void a_flipped_bit_is_refused_and_nothing_changes(void)
{
    struct files files = {0};
    PEN_REQUIRE(make_journal(&files));
    for (int file = 0; file < files.n; file++) {
        struct pen_text *bytes = &files.bytes[file];
        size_t end = bytes->size_bytes - 1;
        while (file + 1 == files.n && bytes->data[end - 1] != '\n') {
            end--;
        }
        for (size_t at = 0; at + 1 < end; at++) {
            bytes->data[at] ^= 1;
            write_files(&files, file, bytes->data, bytes->size_bytes);
            expect_refused(&files, file, bytes->data, bytes->size_bytes, "");
            bytes->data[at] ^= 1;
        }
    }
    deinit(&files);
}

static void a_block_of_zeros_is_refused_or_a_torn_tail(void)
{
    enum { BLOCK = 64 };
    struct files files = {0};
    PEN_REQUIRE(make_journal(&files));
    for (int file = 0; file < files.n; file++) {
        size_t size = files.bytes[file].size_bytes;
        for (size_t at = 0; at < size; at += BLOCK) {
            char bytes[SMALL_SEGMENT];
            size_t block = size - at < BLOCK ? size - at : BLOCK;
            memcpy(bytes, files.bytes[file].data, size);
            memset(bytes + at, 0, block);
            write_files(&files, file, bytes, size);
            bool reaches_the_end = file + 1 == files.n && memchr(bytes + at + block, '\n', size - at - block) == NULL;
            if (reaches_the_end) {
                continue; /* as if torn there: the case of truncation */
            }
            struct pen_journal journal;
            int64_t n = 0;
            pen_status status = pen_journal_open(&journal, pen_test_directory(), true, count, &n, NULL);
            PEN_CHECK_MSG(status == PEN_ERR_IO || (file + 1 == files.n && n < N_RECORDS),
                          "segment %d, zeros at byte %zu: %s, %lld records", file + 1, at, pen_status_name(status),
                          (long long)n);
            pen_journal_close(&journal);
        }
    }
    deinit(&files);
}

/* Lines of one segment in the order given by their numbers. */
static void rearrange(const struct pen_text *bytes, const int *lines, int n, struct pen_text *out)
{
    for (int i = 0; i < n; i++) {
        const char *line = bytes->data;
        for (int k = 0; k < lines[i]; k++) {
            line = strchr(line, '\n') + 1;
        }
        pen_text_append_bytes(out, line, strcspn(line, "\n") + 1);
    }
}

static void doubled_reordered_and_lost_records_are_refused(void)
{
    static const struct {
        int n;
        int lines[5];
    } orders[] = {{5, {0, 1, 1, 2, 3}}, {4, {0, 2, 1, 3}}, {4, {0, 1, 3, 2}}, {3, {0, 1, 3}}, {3, {1, 2, 3}}};
    struct files files = {0};
    PEN_REQUIRE(make_journal(&files));
    for (int file = 0; file < files.n; file++) {
        PEN_REQUIRE_EQ_I64(lines_in(files.bytes[file].data, files.bytes[file].size_bytes), 4);
        for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
            struct pen_text changed = {0};
            rearrange(&files.bytes[file], orders[i].lines, orders[i].n, &changed);
            write_files(&files, file, changed.data, changed.size_bytes);
            if (file + 1 == files.n && i == 3) { /* one line that does not follow, at the end: a torn tail */
                expect_goes_on(N_RECORDS - 2, "the last but one record lost", i);
            } else {
                expect_refused(&files, file, changed.data, changed.size_bytes, "");
            }
            pen_text_deinit(&changed);
        }
    }
    deinit(&files);
}

static void a_missing_segment_is_named(void)
{
    struct files files = {0};
    PEN_REQUIRE(make_journal(&files));
    write_files(&files, 0, NULL, 0);
    expect_refused(&files, 0, NULL, 0, "journal/0000000001.jl: expected the segment before 0000000002.jl, found none");
    write_files(&files, 2, NULL, 0);
    expect_refused(&files, 2, NULL, 0, "journal/0000000003.jl: expected the segment before 0000000004.jl, found none");
    /* A segment of another journal, whole in itself. */
    write_files(&files, 1, files.bytes[2].data, files.bytes[2].size_bytes);
    expect_refused(&files, 1, files.bytes[2].data, files.bytes[2].size_bytes, "");
    deinit(&files);
}

/* A writer that tells each record it acknowledges, until it is killed or has written n. */
static pid_t start_writer(int64_t first, int64_t n, int fd)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct pen_journal journal;
        int64_t found = 0;
        pen_status status = pen_journal_open(&journal, pen_test_directory(), true, count, &found, NULL);
        journal.segment_limit_bytes = SMALL_SEGMENT;
        for (int64_t i = found; status == PEN_OK && i < first + n; i++) {
            status = append_number(&journal, i, NULL);
            if (status == PEN_OK && write(fd, &i, sizeof i) != (ssize_t)sizeof i) {
                _exit(2);
            }
        }
        _exit(status == PEN_OK ? 0 : 1);
    }
    return child;
}

static void readers_see_a_prefix_while_a_writer_writes(void)
{
    enum { N = 300 };
    struct pen_error err = PEN_ERROR_INIT;
    int64_t before = 0;
    int ends[2];
    (void)pen_test_directory();
    PEN_REQUIRE(pipe(ends) == 0);
    pid_t writer = start_writer(0, N, ends[1]);
    int state = 0;
    int rounds = 0;
    while (waitpid(writer, &state, WNOHANG) == 0) {
        struct pen_journal journal;
        int64_t n = 0;
        pen_status status = pen_journal_open(&journal, pen_test_directory(), false, count, &n, &err);
        PEN_CHECK_MSG(status == PEN_OK && n >= before, "round %d: %lld records after %lld: %s", rounds, (long long)n,
                      (long long)before, err.message);
        before = n;
        rounds++;
        pen_journal_close(&journal);
    }
    PEN_CHECK(WIFEXITED(state) && WEXITSTATUS(state) == 0);
    PEN_CHECK(rounds > 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* kill -9 while records are written and segments roll: what was acknowledged is there, and nothing but what was
 * attempted. */
static void a_killed_writer_loses_nothing_acknowledged(void)
{
    enum { KILLS = 60 };
    struct pen_error err = PEN_ERROR_INIT;
    int64_t last = -1;
    int ends[2];
    (void)pen_test_directory();
    PEN_REQUIRE(pipe(ends) == 0);
    for (int i = 0; i < KILLS; i++) {
        pid_t writer = start_writer(last + 1, 1 << 20, ends[1]);
        struct timespec pause = {.tv_nsec = 200000L * (1 + i % 23)};
        (void)nanosleep(&pause, NULL);
        (void)kill(writer, SIGKILL);
        PEN_REQUIRE(waitpid(writer, NULL, 0) == writer);
        int64_t marker = -1;
        PEN_REQUIRE(write(ends[1], &marker, sizeof marker) == (ssize_t)sizeof marker);
        for (int64_t told = 0; told >= 0;) {
            PEN_REQUIRE(read(ends[0], &told, sizeof told) == (ssize_t)sizeof told);
            last = told > last ? told : last;
        }
        struct pen_journal journal;
        int64_t n = 0;
        PEN_REQUIRE_OK(pen_journal_open(&journal, pen_test_directory(), true, count, &n, &err), &err);
        pen_journal_close(&journal);
        PEN_CHECK_MSG(n == last + 1 || n == last + 2, "kill %d: %lld acknowledged, %lld recovered", i,
                      (long long)last + 1, (long long)n);
        last = n - 1;
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
}

PEN_SUITE(journal, PEN_CASE(records_come_back_in_order_over_all_segments),
          PEN_CASE(a_tail_torn_anywhere_is_cut_kept_and_written_on), PEN_CASE(a_sealed_segment_cut_anywhere_is_refused),
          PEN_CASE(nul_bytes_at_the_end_are_a_torn_tail), PEN_CASE(a_flipped_bit_is_refused_and_nothing_changes),
          PEN_CASE(a_block_of_zeros_is_refused_or_a_torn_tail),
          PEN_CASE(doubled_reordered_and_lost_records_are_refused), PEN_CASE(a_missing_segment_is_named),
          PEN_CASE(readers_see_a_prefix_while_a_writer_writes), PEN_CASE(a_killed_writer_loses_nothing_acknowledged));
