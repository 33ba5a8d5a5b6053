/* Inference, rule by rule: statistics of one or two splits in, one line of schema.yaml out. */
#include "datasets/schema/infer.h"
#include "tests/pen_test.h"

#include <stdio.h>

enum { MOST_VALUES = 160 };

/* One split's column: strings "a|b" (each once), or numbers by their extremes. */
struct split {
    bool has_column;
    enum pen_type type;
    int64_t n_present, n_missing;
    double min, max;
    const char *values;
    int64_t n_invalid, n_generated; /* n_generated: so many further distinct values */
};

struct rule {
    const char *what;
    struct split first, second; /* second.n_present + n_missing = 0: one split */
    bool no_shape;
    int64_t max_domain; /* 0: 100 */
    const char *expected;
};

#define NUM(type, present, missing, low, high)              \
    {                                                       \
        true, type, present, missing, low, high, NULL, 0, 0 \
    }
#define TXT(present, missing, text)                              \
    {                                                            \
        true, PEN_TYPE_CODES, present, missing, 0, 0, text, 0, 0 \
    }
#define I PEN_TYPE_INT64
#define F PEN_TYPE_FLOAT64

static const struct rule rules[] = {
    {"int", NUM(I, 5, 0, -3, 8), {0}, false, 0, "x: {type: int, presence: required, shape: [1]}"},
    {"float", NUM(F, 5, 0, 0, 1), {0}, false, 0, "x: {type: float, presence: required, shape: [1]}"},
    {"float32", NUM(PEN_TYPE_FLOAT32, 5, 0, 0, 2), {0}, false, 0, "x: {type: float, presence: required, shape: [1]}"},
    {"missing", NUM(I, 4, 1, 2, 8), {0}, false, 0, "x: {type: int, presence: some, values: {min: 1, max: 1}}"},
    {"no shape wanted",
     NUM(I, 5, 0, 2, 8),
     {0},
     true,
     0,
     "x: {type: int, presence: required, values: {min: 1, max: 1}}"},
    {"never present",
     {true, PEN_TYPE_NONE, 0, 5, 0, 0, NULL, 0, 0},
     {0},
     false,
     0,
     "x: {type: none, presence: optional}"},
    {"bool ints", NUM(I, 5, 0, 0, 1), {0}, false, 0, "x: {type: int, presence: required, shape: [1], domain: bool}"},
    {"only ones are bool",
     NUM(I, 5, 0, 1, 1),
     {0},
     false,
     0,
     "x: {type: int, presence: required, shape: [1], domain: bool}"},
    {"only zeros are not", NUM(I, 5, 0, 0, 0), {0}, false, 0, "x: {type: int, presence: required, shape: [1]}"},
    {"-1..1 is not", NUM(I, 5, 0, -1, 1), {0}, false, 0, "x: {type: int, presence: required, shape: [1]}"},
    {"bool words",
     TXT(2, 0, "TRUE|FALSE"),
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1], domain: bool, true_value: \"TRUE\", false_value: \"FALSE\"}"},
    {"set and clear",
     TXT(2, 0, "set|clear"),
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1], domain: bool, true_value: set, false_value: clear}"},
    {"1 and 0 as text are bool, not int",
     TXT(2, 0, "1|0"),
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1], domain: bool, true_value: \"1\", false_value: \"0\"}"},
    {"one word",
     TXT(1, 0, "true"),
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1], domain: bool, true_value: \"true\"}"},
    {"two words for true",
     TXT(2, 0, "true|TRUE"),
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1], domain: [\"TRUE\", \"true\"]}"},
    {"yes and no are no bool words",
     TXT(2, 0, "yes|no"),
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1], domain: [\"no\", \"yes\"]}"},
    {"numeric strings",
     TXT(3, 0, "12|-7|007"),
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1], domain: int}"},
    {"fractions are values",
     TXT(2, 0, "1.5|2"),
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1], domain: [\"1.5\", \"2\"]}"},
    {"beyond int64",
     TXT(1, 0, "9223372036854775808"),
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1], domain: [\"9223372036854775808\"]}"},
    {"values sorted by bytes",
     TXT(3, 0, "b|a|C"),
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1], domain: [C, a, b]}"},
    {"invalid UTF-8",
     {true, PEN_TYPE_CODES, 2, 0, 0, 0, "a|b", 1, 0},
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1]}"},
    {"more values than the limit",
     TXT(3, 0, "a|b|c"),
     {0},
     false,
     2,
     "x: {type: string, presence: required, shape: [1]}"},
    {"as many as the limit",
     TXT(3, 0, "a|b|c"),
     {0},
     false,
     3,
     "x: {type: string, presence: required, shape: [1], domain: [a, b, c]}"},
    {"101 values",
     {true, PEN_TYPE_BYTES, 101, 0, 0, 0, "a", 0, 100},
     {0},
     false,
     0,
     "x: {type: string, presence: required, shape: [1]}"},
    /* widening */
    {"a missing cell later drops shape", NUM(I, 5, 0, 2, 8), NUM(I, 3, 1, 2, 8), false, 0,
     "x: {type: int, presence: some, values: {min: 1, max: 1}}"},
    {"no column later",
     NUM(I, 5, 0, 2, 8),
     {false, I, 0, 4, 0, 0, NULL, 0, 0},
     false,
     0,
     "x: {type: int, presence: optional, values: {min: 1, max: 1}}"},
    {"no value later",
     NUM(I, 5, 0, 2, 8),
     {true, PEN_TYPE_NONE, 0, 4, 0, 0, NULL, 0, 0},
     false,
     0,
     "x: {type: int, presence: optional, values: {min: 1, max: 1}}"},
    {"no value at first",
     {true, PEN_TYPE_NONE, 0, 4, 0, 0, NULL, 0, 0},
     NUM(I, 5, 0, 0, 1),
     false,
     0,
     "x: {type: int, presence: optional, values: {min: 1, max: 1}, domain: bool}"},
    {"int then float", NUM(I, 5, 0, 0, 1), NUM(F, 5, 0, 0, 0.5), false, 0,
     "x: {type: float, presence: required, shape: [1]}"},
    {"bool then other ints", NUM(I, 5, 0, 0, 1), NUM(I, 5, 0, 0, 2), false, 0,
     "x: {type: int, presence: required, shape: [1]}"},
    {"later splits never add a domain", NUM(I, 5, 0, 0, 0), NUM(I, 5, 0, 0, 1), false, 0,
     "x: {type: int, presence: required, shape: [1]}"},
    {"values are united", TXT(2, 0, "a|b"), TXT(2, 0, "b|c"), false, 0,
     "x: {type: string, presence: required, shape: [1], domain: [a, b, c]}"},
    {"united beyond the limit", TXT(2, 0, "a|b"), TXT(2, 0, "b|c"), false, 2,
     "x: {type: string, presence: required, shape: [1]}"},
    {"ints then words", TXT(2, 0, "7|8"), TXT(1, 0, "x"), false, 0,
     "x: {type: string, presence: required, shape: [1], domain: [\"7\", \"8\", x]}"},
    {"numbers then text", NUM(I, 5, 0, 0, 1), TXT(1, 0, "x"), false, 0,
     "x: {type: string, presence: required, shape: [1]}"},
};

struct column {
    struct pen_feature_statistics feature;
    struct pen_value_count counts[MOST_VALUES];
    char storage[64 + MOST_VALUES * 8];
};

static void build(const struct split *split, struct column *column)
{
    struct pen_feature_statistics *feature = &column->feature;
    memset(column, 0, sizeof *column);
    feature->name = "x";
    feature->type = split->type;
    feature->n_rows = split->n_present + split->n_missing;
    feature->n_present = split->n_present;
    feature->n_missing = split->n_missing;
    feature->min_values = split->n_present > 0;
    feature->max_values = split->n_present > 0;
    feature->has_numeric = pen_type_is_number(split->type);
    feature->numeric.min = split->min;
    feature->numeric.max = split->max;
    if (split->values == NULL) {
        return;
    }
    int64_t n = 0;
    char *rest = NULL;
    size_t used = (size_t)snprintf(column->storage, sizeof column->storage, "%s", split->values) + 1;
    for (char *word = strtok_r(column->storage, "|", &rest); word != NULL; word = strtok_r(NULL, "|", &rest)) {
        column->counts[n++] = (struct pen_value_count){word, 1};
    }
    for (int64_t i = 0; i < split->n_generated; i++) {
        column->counts[n++] = (struct pen_value_count){column->storage + used, 1};
        used += (size_t)snprintf(column->storage + used, sizeof column->storage - used, "v%lld", (long long)i) + 1;
    }
    feature->has_string = true;
    feature->string.n_unique = n;
    feature->string.exact_unique = true;
    feature->string.n_invalid_utf8 = split->n_invalid;
    feature->string.ranks = (struct pen_value_counts){n, column->counts};
}

static void check_rule(const struct rule *rule)
{
    static struct column columns[2];
    struct pen_error err = PEN_ERROR_INIT;
    const struct split *given[2] = {&rule->first, &rule->second};
    struct pen_split_statistics splits[3];
    struct pen_statistics statistics = {.splits = splits};
    for (int i = 0; i < 2; i++) {
        if (given[i]->n_present + given[i]->n_missing == 0) {
            continue;
        }
        build(given[i], &columns[i]);
        splits[statistics.n_splits++] = (struct pen_split_statistics){.split = i == 0 ? "train" : "eval",
                                                                      .slice = "",
                                                                      .n_rows = columns[i].feature.n_rows,
                                                                      .n_features = given[i]->has_column,
                                                                      .features = &columns[i].feature};
    }
    struct pen_schema_infer_options options = pen_schema_infer_defaults();
    options.infer_feature_shape = !rule->no_shape;
    options.max_string_domain_size = rule->max_domain > 0 ? rule->max_domain : 100;
    struct pen_schema schema;
    PEN_REQUIRE_OK(pen_schema_infer(&statistics, &options, &schema, &err), &err);
    PEN_REQUIRE_EQ_I64(schema.n_features, 1);
    struct pen_text text = {0};
    pen_schema_print_feature(&schema.features[0], 0, false, &text);
    /* One line, however the printer lays it out. */
    struct pen_schema expected;
    struct pen_text whole = {0};
    struct pen_text wanted = {0};
    pen_text_printf(&whole, "features:\n  %s\n", rule->expected);
    PEN_CHECK_OK(pen_schema_parse(pen_text_view(&whole), whole.size_bytes, rule->what, &expected, &err), &err);
    if (expected.n_features == 1) {
        pen_schema_print_feature(&expected.features[0], 0, false, &wanted);
        PEN_CHECK_MSG(strcmp(pen_text_view(&text), pen_text_view(&wanted)) == 0, "%s: expected %s, found %s",
                      rule->what, pen_text_view(&wanted), pen_text_view(&text));
    }
    PEN_CHECK(schema.features[0].notes[PEN_SCHEMA_NOTE_TYPE] != NULL);
    PEN_CHECK(schema.features[0].notes[PEN_SCHEMA_NOTE_PRESENCE] != NULL);
    pen_text_deinit(&text);
    pen_text_deinit(&whole);
    pen_text_deinit(&wanted);
    pen_schema_deinit(&expected);
    pen_schema_deinit(&schema);
}

static void rules_hold(void)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        check_rule(&rules[i]);
    }
}

static void notes_become_comments(void)
{
    static struct column column;
    struct pen_error err = PEN_ERROR_INIT;
    const struct split split = NUM(I, 4, 1, 0, 1);
    build(&split, &column);
    const struct pen_split_statistics train = {
        .split = "train", .slice = "", .n_rows = 5, .n_features = 1, .features = &column.feature};
    const struct pen_statistics statistics = {.n_splits = 1, .splits = &train};
    struct pen_schema_infer_options options = pen_schema_infer_defaults();
    struct pen_schema schema;
    struct pen_text text = {0};
    PEN_REQUIRE_OK(pen_schema_infer(&statistics, &options, &schema, &err), &err);
    PEN_CHECK_OK(pen_schema_print(&schema, true, &text, &err), &err);
    PEN_CHECK_CONTAINS(pen_text_view(&text),
                       "  x: {type: int, presence: some, values: {min: 1, max: 1}, domain: bool}  # 4 values in train; "
                       "missing in 1 of 5 rows; one value wherever present; only 0 and 1\n");
    pen_text_deinit(&text);
    pen_schema_deinit(&schema);
    const char *const excluded[] = {"train"};
    options.exclude_splits = (struct pen_config_strings){excluded, 1};
    PEN_CHECK_STATUS(pen_schema_infer(&statistics, &options, &schema, &err), PEN_ERR_DATA);
    PEN_CHECK_EQ_STR(err.message,
                     "expected statistics of at least one split to infer a schema from, found none outside "
                     "exclude_splits");
}

PEN_SUITE(infer, PEN_CASE(rules_hold), PEN_CASE(notes_become_comments));
