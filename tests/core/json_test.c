/* JSON: round trips, strictness, hostile text. */
#include "core/json.h"
#include "tests/pen_test.h"

#include <stdlib.h>

static void prints(const char *text, enum pen_json_style style, const char *expected)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *root = NULL;
    PEN_REQUIRE_OK(pen_json_parse(text, strlen(text), "t", &root, &err), &err);
    struct pen_text out = {0};
    PEN_CHECK_OK(pen_json_print(root, style, &out, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&out), expected);
    pen_text_deinit(&out);
    pen_json_free(root);
}

static void printing_keeps_order_or_sorts(void)
{
    prints("{\"b\": [1, 2.5, 0.1, true, null], \"a\": {\"x\": \"\\n\\\"\"}}", PEN_JSON_COMPACT,
           "{\"b\":[1,2.5,0.1,true,null],\"a\":{\"x\":\"\\n\\\"\"}}");
    prints("{\"b\": 1, \"a\": {}}", PEN_JSON_CANONICAL, "{\"a\":{},\"b\":1}");
    prints("{\"b\": [1,2], \"a\": []}", PEN_JSON_INDENT, "{\n  \"b\": [1, 2],\n  \"a\": []\n}");
    prints("1.0", PEN_JSON_COMPACT, "1.0");
}

static void doubles_outside_json_survive(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *array = pen_json_array();
    pen_json_push(array, pen_json_double((double)NAN));
    pen_json_push(array, pen_json_double(-(double)INFINITY));
    struct pen_text out = {0};
    PEN_CHECK_OK(pen_json_print(array, PEN_JSON_COMPACT, &out, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&out), "[\"nan\",\"-inf\"]");
    PEN_CHECK(isnan(pen_json_number_or(pen_json_at(array, 0), 0)));
    PEN_CHECK_EQ_F64(pen_json_number_or(pen_json_at(array, 1), 0), -(double)INFINITY);
    pen_text_deinit(&out);
    pen_json_free(array);
}

static void wrong_text_is_refused_with_its_place(void)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "t:1:"},
        {"{", "t:1:1"},
        {"[1,]", "t:1:4"},
        {"{\"a\":1,\"a\":2}", "duplicate"},
        {"1 2", "end of file"},
        {"{\"a\":\n tru}", "t:2"},
        {"\"\xff\"", "decode byte 0xff"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        pen_json *root = NULL;
        PEN_CHECK_STATUS(pen_json_parse(cases[i].text, strlen(cases[i].text), "t", &root, &err), PEN_ERR_DATA);
        PEN_CHECK_CONTAINS(err.message, cases[i].part);
    }
}

static void deep_nesting_is_refused(void)
{
    enum { DEPTH = 100000 };
    char *text = malloc(DEPTH);
    PEN_REQUIRE(text != NULL);
    memset(text, '[', DEPTH);
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *root = NULL;
    PEN_CHECK_STATUS(pen_json_parse(text, DEPTH, "t", &root, &err), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(err.message, "64 deep");
    free(text);
}

static void invalid_utf8_becomes_the_replacement_character(void)
{
    pen_json *value = pen_json_string("a\xff"
                                      "b");
    PEN_CHECK_EQ_STR(pen_json_string_or(value, ""), "a\xef\xbf\xbd"
                                                    "b");
    pen_json_free(value);
}

static void members_come_in_order_also_when_loops_nest(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    const char *text = "{\"z\":{\"q\":1,\"p\":2},\"a\":{\"n\":3}}";
    pen_json *root = NULL;
    PEN_REQUIRE_OK(pen_json_parse(text, strlen(text), "t", &root, &err), &err);
    struct pen_text seen = {0};
    const char *key = NULL;
    const char *inner_key = NULL;
    const pen_json *value = NULL;
    const pen_json *inner = NULL;
    for (int64_t i = 0; pen_json_member(root, i, &key, &value); i++) {
        pen_text_append(&seen, key);
        for (int64_t j = 0; pen_json_member(value, j, &inner_key, &inner); j++) {
            pen_text_append(&seen, inner_key);
        }
    }
    PEN_CHECK_EQ_STR(pen_text_view(&seen), "zqpan");
    pen_text_deinit(&seen);
    pen_json_free(root);
}

static void needed_members_name_place_and_kind(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *object = pen_json_object();
    pen_json_set_int(object, "n", 3);
    const char *text = NULL;
    int64_t n = 0;
    PEN_CHECK_STATUS(pen_json_need_string(object, "n", "m.json", &text, &err), PEN_ERR_DATA);
    PEN_CHECK_EQ_STR(err.message, "m.json: member 'n': expected a string, found an integer");
    PEN_CHECK_OK(pen_json_need_int(object, "n", "m.json", &n, &err), &err);
    PEN_CHECK_EQ_I64(n, 3);
    pen_json_free(object);
}

static void differences_name_the_path_and_both_values(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    const char *texts[2] = {
        "{\"a\":{\"x\":1,\"y\":2},\"b\":[1],\"d\":"
        "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}",
        "{\"a\":{\"x\":1,\"y\":3},\"d\":\"fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210\","
        "\"c\":true}"};
    const char *expected[] = {"a.y: 2 -> 3", "b: [1] -> absent", "d: other content", "c: absent -> true"};
    pen_json *values[2] = {NULL};
    for (int i = 0; i < 2; i++) {
        PEN_REQUIRE_OK(pen_json_parse(texts[i], strlen(texts[i]), "t", &values[i], &err), &err);
    }
    pen_json *found = pen_json_differences(values[0], values[1]), *none = pen_json_differences(values[0], values[0]);
    PEN_CHECK_EQ_I64(pen_json_size(none), 0);
    PEN_CHECK_EQ_I64(pen_json_size(found), 4);
    for (int64_t i = 0; i < 4; i++) {
        PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_at(found, i), ""), expected[i]);
    }
    pen_json_free(found);
    pen_json_free(none);
    pen_json_free(values[0]);
    pen_json_free(values[1]);
}

PEN_SUITE(json, PEN_CASE(printing_keeps_order_or_sorts), PEN_CASE(doubles_outside_json_survive),
          PEN_CASE(wrong_text_is_refused_with_its_place), PEN_CASE(deep_nesting_is_refused),
          PEN_CASE(invalid_utf8_becomes_the_replacement_character),
          PEN_CASE(members_come_in_order_also_when_loops_nest), PEN_CASE(needed_members_name_place_and_kind),
          PEN_CASE(differences_name_the_path_and_both_values));
