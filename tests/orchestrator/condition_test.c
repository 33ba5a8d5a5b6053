/* Conditions: what holds, worked out by hand; what is refused, and in which words. */
#include "orchestrator/pipeline/condition.h"

#include "tests/pen_test.h"

static const pen_json *look(void *user, const char *name)
{
    return pen_json_get(user, name);
}

static pen_status holds(const char *text, bool *answer, struct pen_error *err)
{
    static const char values[] = "{\"auc\": 0.9, \"rows\": 100, \"a.blessed\": true, \"b\": false, \"name\": \"taxi\", "
                                 "\"nan\": \"nan\", \"list\": [1]}";
    struct pen_arena arena = {0};
    struct pen_condition condition;
    pen_json *object = NULL;
    *answer = false;
    pen_status status = pen_json_parse(values, strlen(values), "values", &object, err);
    status = status == PEN_OK ? pen_condition_parse(&arena, text, &condition, err) : status;
    status = status == PEN_OK ? pen_condition_holds(&condition, look, object, answer, err) : status;
    pen_json_free(object);
    pen_arena_deinit(&arena);
    return status;
}

static void what_holds(void)
{
    static const struct {
        const char *text;
        bool holds;
    } cases[] = {
        {"true", true},
        {"false", false},
        {"a.blessed", true},
        {"not a.blessed", false},
        {"not not a.blessed", true},
        {"not b", true},
        {"auc > 0.8", true},
        {"auc>0.8", true},
        {"auc >= 0.9", true},
        {"auc > 0.9", false},
        {"auc < 1e1", true},
        {"auc <= 0.9 and rows == 100", true},
        {"rows != 100", false},
        {"100 == rows", true},
        {"rows > -5", true},
        {"name == 'taxi'", true},
        {"name == \"taxi\"", true},
        {"name != 'taxi' or b", false},
        {"name < 'u'", true},
        {"b == false", true},
        {"a.blessed != b", true},
        {"b and b or a.blessed", true}, /* and binds stronger */
        {"a.blessed or b and b", true},
        {"(a.blessed or b) and b", false},
        {"not b and a.blessed", true}, /* not binds stronger than and */
        {"not (b and a.blessed)", true},
        {"not auc > 0.95", true},    /* and weaker than a comparison */
        {"a.blessed or gone", true}, /* the right side does not decide */
        {"b and gone > 3", false},
        {"gone or a.blessed", true}, /* nor the left one */
        {"gone > 3 and b", false},
        {"(((auc > 0.8)))", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        bool answer = false;
        PEN_CHECK_MSG(holds(cases[i].text, &answer, &err) == PEN_OK, "%s: %s", cases[i].text, err.message);
        PEN_CHECK_MSG(answer == cases[i].holds, "%s: expected %s", cases[i].text, cases[i].holds ? "true" : "false");
    }
}

static void what_is_refused(void)
{
    static const struct {
        const char *text;
        pen_status status;
        const char *message;
    } cases[] = {
        {"", PEN_ERR_CONFIG, "condition '': expected a value at the end"},
        {"auc >", PEN_ERR_CONFIG, "condition 'auc >': expected a value at the end"},
        {"auc = 3", PEN_ERR_CONFIG, "condition 'auc = 3': expected and, or, or the end at character 5, '= 3'"},
        {"auc > > 3", PEN_ERR_CONFIG, "condition 'auc > > 3': expected a value at character 7, '> 3'"},
        {"(auc > 3", PEN_ERR_CONFIG, "condition '(auc > 3': expected ')' at the end"},
        {"auc > 3)", PEN_ERR_CONFIG, "condition 'auc > 3)': expected and, or, or the end at character 8, ')'"},
        {"name == 'taxi", PEN_ERR_CONFIG,
         "condition 'name == 'taxi': expected the text's closing quote at character 9, ''taxi'"},
        {"and b", PEN_ERR_CONFIG, "condition 'and b': expected a value at character 1, 'and b'"},
        {"b or", PEN_ERR_CONFIG, "condition 'b or': expected a value at the end"},
        {"b b", PEN_ERR_CONFIG, "condition 'b b': expected and, or, or the end at character 3, 'b'"},
        {"3x", PEN_ERR_CONFIG, "condition '3x': expected a value at character 1, '3x'"},
        {"1 < 2 < 3", PEN_ERR_CONFIG, "condition '1 < 2 < 3': expected and, or, or the end at character 7, '< 3'"},
        {"rows", PEN_ERR_DATA, "condition 'rows': expected true or false, found a number in rows"},
        {"not name", PEN_ERR_DATA, "condition 'not name': expected true or false, found a text in name"},
        {"name > 3", PEN_ERR_DATA, "condition 'name > 3': cannot compare a text with a number"},
        {"b > true", PEN_ERR_DATA, "condition 'b > true': cannot compare a truth value with a truth value"},
        {"gone", PEN_ERR_NOT_FOUND, "condition 'gone': 'gone' has no value"},
        {"list == 1", PEN_ERR_NOT_FOUND, "condition 'list == 1': 'list' has no value"},
        {"notable or b", PEN_ERR_NOT_FOUND, "condition 'notable or b': 'notable' has no value"},
        {"notable and a.blessed", PEN_ERR_NOT_FOUND, "condition 'notable and a.blessed': 'notable' has no value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        bool answer = false;
        PEN_CHECK_STATUS(holds(cases[i].text, &answer, &err), cases[i].status);
        PEN_CHECK_EQ_STR(err.message, cases[i].message);
    }
    char deep[200];
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    struct pen_error err = PEN_ERROR_INIT;
    bool answer = false;
    PEN_CHECK_STATUS(holds(deep, &answer, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "expected nesting at most 32 deep");
}

static void the_names_it_reads_are_listed(void)
{
    struct pen_arena arena = {0};
    struct pen_condition condition;
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_condition_parse(&arena, "a.x > 3 and (b.y == 'c.z' or not a.x < b-2.y)", &condition, &err),
                   &err);
    PEN_REQUIRE_EQ_I64(condition.n_names, 4);
    PEN_CHECK_EQ_STR(condition.names[0], "a.x");
    PEN_CHECK_EQ_STR(condition.names[1], "b.y");
    PEN_CHECK_EQ_STR(condition.names[3], "b-2.y");
    PEN_CHECK_EQ_I64(condition.name_at[0], 1);
    PEN_CHECK_EQ_I64(condition.name_at[3], 40);
    pen_arena_deinit(&arena);
}

PEN_SUITE(condition, PEN_CASE(what_holds), PEN_CASE(what_is_refused), PEN_CASE(the_names_it_reads_are_listed));
