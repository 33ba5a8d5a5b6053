/* Status names, exit codes and the error record. */
#include "tests/pen_test.h"

static void every_status_has_an_exit_code_of_the_documented_table(void)
{
    static const int documented[] = {0, 1, 2, 3, 4, 5, 65, 66, 70, 73, 74, 75, 77, 130};
    for (int status = 0; status < PEN_STATUS_COUNT; status++) {
        bool found = false;
        for (size_t i = 0; i < sizeof documented / sizeof documented[0]; i++) {
            found = found || pen_status_exit_code((pen_status)status) == documented[i];
        }
        PEN_CHECK_MSG(found, "%s has exit code %d", pen_status_name((pen_status)status),
                      pen_status_exit_code((pen_status)status));
    }
}

static void a_prefix_stands_in_front_and_keeps_the_status(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_STATUS(pen_error_set(&err, "f.c", 3, PEN_ERR_DATA, "expected %d, found %d", 14, 13), PEN_ERR_DATA);
    pen_error_prefix(&err, "train.csv line %d: ", 812);
    PEN_CHECK_EQ_STR(err.message, "train.csv line 812: expected 14, found 13");
    PEN_CHECK_EQ_I64(err.status, PEN_ERR_DATA);
}

static void a_long_message_is_cut_between_characters(void)
{
    char long_text[2 * PEN_ERROR_MESSAGE_BYTES];
    for (size_t i = 0; i + 2 < sizeof long_text; i += 2) {
        memcpy(long_text + i, "\xc3\xa9", 2);
    }
    long_text[sizeof long_text - 2] = '\0';
    struct pen_error err = PEN_ERROR_INIT;
    (void)pen_error_set(&err, "f.c", 1, PEN_ERR_DATA, "%s", long_text);
    PEN_CHECK_EQ_I64(strlen(err.message) % 2, 0);
    PEN_CHECK(strlen(err.message) >= PEN_ERROR_MESSAGE_BYTES - 3);
}

static void null_error_records_are_allowed(void)
{
    PEN_CHECK_STATUS(pen_error_set(NULL, "f.c", 1, PEN_ERR_IO, "x"), PEN_ERR_IO);
    pen_error_prefix(NULL, "y");
}

PEN_SUITE(status, PEN_CASE(every_status_has_an_exit_code_of_the_documented_table),
          PEN_CASE(a_prefix_stands_in_front_and_keeps_the_status), PEN_CASE(a_long_message_is_cut_between_characters),
          PEN_CASE(null_error_records_are_allowed));
