/* The journal: whole after every kind of damage, or refused; nothing is thrown away. */
#include "orchestrator/metadata/journal.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { N_RECORDS = 5 };

static pen_status count(void *user, const pen_json *record, struct pen_error *err)
{
    int64_t *n = user;
    if (pen_json_int_or(pen_json_get(record, "n"), -1) != *n) {
        PEN_FAIL(err, PEN_ERR_DATA, "expected record %lld", (long long)*n);
    }
    (*n)++;
    return PEN_OK;
}

static pen_status append_number(struct pen_journal *journal, int64_t n, struct pen_error *err)
{
    pen_json *record = pen_json_object();
    pen_json_set_int(record, "n", n);
    pen_json_set_string(record, "text", "a line\nwith \"quotes\" and \xc3\xa9");
    pen_status status = pen_journal_append(journal, record, err);
    pen_json_free(record);
    return status;
}

/* A journal of N_RECORDS in a folder; its bytes into text. */
static bool make_journal(const char *folder, char path[PEN_PATH_BYTES], struct pen_text *text)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_journal journal;
    int64_t n = 0;
    bool good = pen_directory_create(folder, &err) == PEN_OK &&
                pen_journal_open(&journal, folder, true, count, &n, &err) == PEN_OK;
    for (int64_t i = 0; good && i < N_RECORDS; i++) {
        good = append_number(&journal, i, &err) == PEN_OK;
    }
    (void)snprintf(path, PEN_PATH_BYTES, "%s", journal.path);
    pen_journal_close(&journal);
    return good && pen_file_read(path, 1 << 20, text, &err) == PEN_OK;
}

static int64_t lines_before(const struct pen_text *text, size_t size)
{
    int64_t lines = 0;
    for (size_t i = 0; i < size; i++) {
        lines += text->data[i] == '\n';
    }
    return lines;
}

static void records_come_back_in_order(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_journal journal;
    int64_t n = 0;
    PEN_REQUIRE(make_journal(pen_test_directory(), path, &text));
    PEN_CHECK_OK(pen_journal_open(&journal, pen_test_directory(), false, count, &n, &err), &err);
    PEN_CHECK_EQ_I64(n, N_RECORDS);
    PEN_CHECK_STATUS(append_number(&journal, n, &err), PEN_ERR_IO);
    pen_journal_close(&journal);
    pen_text_deinit(&text);
}

static void a_tail_torn_anywhere_is_cut_kept_and_written_on(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    PEN_REQUIRE(make_journal(pen_test_directory(), path, &text));
    for (size_t size = 0; size < text.size_bytes; size += 5) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_journal journal;
        int64_t n = 0;
        PEN_REQUIRE_OK(pen_file_write_atomic(path, text.data, size, &err), &err);
        PEN_REQUIRE_OK(pen_journal_open(&journal, pen_test_directory(), true, count, &n, &err), &err);
        PEN_CHECK_EQ_I64(n, lines_before(&text, size));
        PEN_CHECK_OK(append_number(&journal, n, &err), &err);
        pen_journal_close(&journal);
        int64_t again = 0;
        PEN_CHECK_OK(pen_journal_open(&journal, pen_test_directory(), true, count, &again, &err), &err);
        PEN_CHECK_EQ_I64(again, n + 1);
        pen_journal_close(&journal);
    }
    pen_text_deinit(&text);
}

static void nul_bytes_at_the_end_are_a_torn_tail(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_journal journal;
    int64_t n = 0;
    PEN_REQUIRE(make_journal(pen_test_directory(), path, &text));
    char zeros[302] = {0};
    pen_text_append_bytes(&text, zeros, sizeof zeros);
    PEN_REQUIRE_OK(pen_file_write_atomic(path, text.data, text.size_bytes, &err), &err);
    PEN_CHECK_OK(pen_journal_open(&journal, pen_test_directory(), true, count, &n, &err), &err);
    PEN_CHECK_EQ_I64(n, N_RECORDS);
    pen_journal_close(&journal);
    pen_text_deinit(&text);
}

static void a_flipped_bit_before_good_records_is_refused_and_nothing_changes(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    PEN_REQUIRE(make_journal(pen_test_directory(), path, &text));
    size_t end = 0; /* of the third record: two whole ones follow */
    for (int lines = 0; lines < 3; end++) {
        lines += text.data[end] == '\n';
    }
    for (size_t at = 0; at < end; at += at < 12 || at + 3 > end ? 1 : 7) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_journal journal;
        int64_t n = 0;
        text.data[at] ^= 1;
        PEN_REQUIRE_OK(pen_file_write_atomic(path, text.data, text.size_bytes, &err), &err);
        PEN_CHECK_STATUS(pen_journal_open(&journal, pen_test_directory(), true, count, &n, &err), PEN_ERR_IO);
        PEN_CHECK_CONTAINS(err.message, "found damage with good records after it");
        struct pen_text after = {0};
        PEN_CHECK_OK(pen_file_read(path, 1 << 20, &after, &err), &err);
        PEN_CHECK(after.size_bytes == text.size_bytes && memcmp(after.data, text.data, text.size_bytes) == 0);
        pen_text_deinit(&after);
        text.data[at] ^= 1;
    }
    pen_text_deinit(&text);
}

static void a_doubled_record_is_not_taken(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    struct pen_text changed = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_journal journal;
    int64_t n = 0;
    PEN_REQUIRE(make_journal(pen_test_directory(), path, &text));
    size_t first = strcspn(text.data, "\n") + 1;
    pen_text_append_bytes(&changed, text.data, first);
    pen_text_append_bytes(&changed, text.data, text.size_bytes);
    PEN_REQUIRE_OK(pen_file_write_atomic(path, changed.data, changed.size_bytes, &err), &err);
    PEN_CHECK_STATUS(pen_journal_open(&journal, pen_test_directory(), true, count, &n, &err), PEN_ERR_IO);
    pen_text_deinit(&text);
    pen_text_deinit(&changed);
}

PEN_SUITE(journal, PEN_CASE(records_come_back_in_order), PEN_CASE(a_tail_torn_anywhere_is_cut_kept_and_written_on),
          PEN_CASE(nul_bytes_at_the_end_are_a_torn_tail),
          PEN_CASE(a_flipped_bit_before_good_records_is_refused_and_nothing_changes),
          PEN_CASE(a_doubled_record_is_not_taken));
