/* Numbers, near names, quoting and UTF-8. */
#include "core/text.h"
#include "tests/pen_test.h"

static void integers_are_strict(void)
{
    static const struct {
        const char *text;
        bool valid;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"+7", true, 7},
        {"0012", true, 12},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x10", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 0;
        bool valid = pen_parse_int64(cases[i].text, strlen(cases[i].text), &value);
        PEN_CHECK_MSG(valid == cases[i].valid && (!valid || value == cases[i].value), "'%s'", cases[i].text);
    }
}

static void doubles_are_strict(void)
{
    static const char *const good[] = {"1",        "-1.5", ".5",  "5.",  "1e3",      "1E-3",
                                       "+2.5e+10", "nan",  "NaN", "inf", "-Infinity"};
    static const char *const bad[] = {"",   ".",  "-",      "1e",      "0x1p3", "1,5",
                                      "1 ", " 1", "nan(1)", "infinit", "1.2.3", "--1"};
    double value = 0;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        PEN_CHECK_MSG(pen_parse_double(good[i], strlen(good[i]), &value), "'%s' is a number", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PEN_CHECK_MSG(!pen_parse_double(bad[i], strlen(bad[i]), &value), "'%s' is no number", bad[i]);
    }
}

static void doubles_print_shortest_and_read_back(void)
{
    static const double values[] = {0.1, 3, 1e30, -2.5e-308, 5e-324, 1.7976931348623157e308, 1.0 / 3, 123456789.125};
    char out[PEN_NUMBER_BYTES];
    PEN_CHECK_EQ_STR(pen_format_double(out, 0.1), "0.1");
    PEN_CHECK_EQ_STR(pen_format_double(out, 3), "3");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        double back = 0;
        pen_format_double(out, values[i]);
        PEN_CHECK(pen_parse_double(out, strlen(out), &back));
        PEN_CHECK_EQ_F64(back, values[i]);
    }
}

static void near_names_are_found(void)
{
    static const char *const names[] = {"trip_miles", "trip_seconds", "fare"};
    PEN_CHECK_EQ_STR(pen_nearest_name("trip_mile", names, 3), "trip_miles");
    PEN_CHECK_EQ_STR(pen_nearest_name("FARE", names, 3), "fare");
    const char *verbs[] = {"train", "run", "runs"};
    PEN_CHECK_EQ_STR(pen_nearest_name("rnu", verbs, 3), "run"); /* two neighbours swapped are one slip */
    PEN_CHECK_EQ_STR(pen_nearest_name("trai", verbs, 3), "train");
    PEN_CHECK_EQ_STR(pen_nearest_name("tri", names, 3), "trip_miles"); /* the beginning of one */
    PEN_CHECK(pen_nearest_name("zzz", names, 3) == NULL);
    PEN_CHECK(pen_nearest_name("x", names, 0) == NULL);
}

static void quotes_escape_and_cut(void)
{
    char out[PEN_QUOTE_BYTES];
    PEN_CHECK_EQ_STR(pen_quote(out, "a\x1b[0m\xff", 6), "a\\x1b[0m\\xff");
    char large[200];
    memset(large, 'x', sizeof large);
    PEN_CHECK_EQ_I64(strlen(pen_quote(out, large, sizeof large)), 83);
    memset(large, '\x01', sizeof large);
    PEN_CHECK_EQ_I64(strlen(pen_quote(out, large, sizeof large)), 80 * 4 + 3);
}

static void utf8_is_judged_as_unicode_says(void)
{
    static const char *const good[] = {"abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
                                      "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        PEN_CHECK_EQ_I64(pen_utf8_valid_prefix(good[i], strlen(good[i])), strlen(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PEN_CHECK_EQ_I64(pen_utf8_valid_prefix(bad[i], strlen(bad[i])), 0);
    }
    PEN_CHECK_EQ_I64(pen_utf8_valid_prefix("0123456789\xff", 11), 10);
}

static void a_text_grows(void)
{
    struct pen_text text = {0};
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_EQ_STR(pen_text_view(&text), "");
    for (int i = 0; i < 1000; i++) {
        pen_text_printf(&text, "%d,", i % 10);
    }
    PEN_CHECK_OK(pen_text_check(&text, &err), &err);
    PEN_CHECK_EQ_I64(text.size_bytes, 2000);
    pen_text_deinit(&text);
}

PEN_SUITE(text, PEN_CASE(integers_are_strict), PEN_CASE(doubles_are_strict),
          PEN_CASE(doubles_print_shortest_and_read_back), PEN_CASE(near_names_are_found),
          PEN_CASE(quotes_escape_and_cut), PEN_CASE(utf8_is_judged_as_unicode_says), PEN_CASE(a_text_grows));
