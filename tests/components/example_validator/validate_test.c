/* Validation of statistics beside the table of cases: texts, severities, stages, thresholds, several anomalies at once.
 */
#include "tests/components/example_validator/columns.h"
#include "tests/pen_test.h"

static void statistics_without_values(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_findings findings;
    char storage[64];
    struct built built;
    struct column column = parse_column(INT, "1 2", storage);
    column.without_statistics = true;
    build(&column, false, &built);
    struct pen_validate_options options = pen_validate_defaults(NULL);
    PEN_REQUIRE_OK(read_schema("type: int, min: 0", &schema, &err), &err);
    PEN_REQUIRE_OK(pen_validate_split(&schema, &built.split, &options, &arena, &findings, &err), &err);
    PEN_REQUIRE_EQ_I64(findings.n_items, 1);
    PEN_CHECK(findings.items[0].type == PEN_ANOMALY_STATS_NOT_AVAILABLE);
    struct pen_schema patched;
    PEN_REQUIRE_OK(
        pen_schema_patch(&schema, findings.items[0].change, strlen(findings.items[0].change), "change", &patched, &err),
        &err);
    pen_findings_deinit(&findings);
    PEN_REQUIRE_OK(pen_validate_split(&patched, &built.split, &options, &arena, &findings, &err), &err);
    PEN_CHECK_EQ_I64(findings.n_items, 0);
    pen_findings_deinit(&findings);
    pen_schema_deinit(&patched);
    pen_schema_deinit(&schema);
    pen_arena_deinit(&arena);
}

/* Several anomalies of one feature: one change settles them all. */
static void a_change_settles_all_of_a_feature(void)
{
    static const struct anomaly_case c = {A(MULTIPLE_REASONS),
                                          "type: float, presence: required, min: 0, max: 1, disallow_nan: true",
                                          FLT,
                                          "-1 0.5 nan 7 -",
                                          NULL,
                                          NULL,
                                          NULL,
                                          NULL,
                                          0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_schema patched;
    struct pen_findings findings;
    PEN_REQUIRE_OK(read_schema(c.schema, &schema, &err), &err);
    validate_text(&c, &schema, c.data_type, c.bad, &arena, &findings);
    PEN_REQUIRE_EQ_I64(findings.n_items, 4);
    PEN_CHECK_EQ_I64(pen_findings_n_errors(&findings), 4);
    const char *change = findings.items[3].change;
    PEN_REQUIRE(change != NULL);
    PEN_CHECK_EQ_STR(change,
                     "features:\n  x: {type: float, presence: {min_count: 1, min_fraction: 0.8}, min: -1, max: 7}\n");
    PEN_CHECK_EQ_STR(findings.items[0].change, change);
    PEN_REQUIRE_OK(pen_schema_patch(&schema, change, strlen(change), "change", &patched, &err), &err);
    pen_findings_deinit(&findings);
    validate_text(&c, &patched, c.data_type, c.bad, &arena, &findings);
    PEN_CHECK_EQ_I64(findings.n_items, 0);
    pen_findings_deinit(&findings);
    pen_schema_deinit(&patched);
    pen_schema_deinit(&schema);
    pen_arena_deinit(&arena);
}

static void texts_say_what_was_expected_and_seen(void)
{
    static const struct {
        struct anomaly_case c;
        const char *rule, *expected, *seen;
        int64_t n_rows;
    } texts[] = {
        {{A(FLOAT_TYPE_SMALL_FLOAT), "type: float, min: 0", FLT, "-1 5", NULL, NULL, NULL, NULL, 0},
         "min: 0",
         "at least 0",
         "-1",
         -1},
        {{A(ENUM_TYPE_UNEXPECTED_STRING_VALUES), "type: string, domain: [Cash]", STR, "Cash|Coin|Coin|a|b|c", NULL,
          NULL, NULL, NULL, 0},
         "domain",
         "one of 1 values",
         "'Coin' (2), 'a' (1), 'b' (1) and 1 more",
         5},
        {{A(FEATURE_TYPE_LOW_FRACTION_PRESENT), "type: int, presence: required", INT, "1 - 3", NULL, NULL, NULL, NULL,
          0},
         "presence: required",
         "a value in every row",
         "1 of 3 rows is empty",
         1},
        {{A(COMPARATOR_L_INFTY_HIGH), "type: string, drift: {infinity_norm: 0.1}", STR, "a|a|a|a", NULL, NULL, NULL,
          "a|a|b|b", 0},
         "drift.infinity_norm: 0.1",
         "a distance of at most 0.1 from the previous data",
         "0.5, most at 'a'",
         -1},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_arena arena = {0};
        struct pen_schema schema;
        struct pen_findings findings;
        PEN_REQUIRE_OK(read_schema(texts[i].c.schema, &schema, &err), &err);
        validate_text(&texts[i].c, &schema, texts[i].c.data_type, texts[i].c.bad, &arena, &findings);
        PEN_REQUIRE_EQ_I64(findings.n_items, 1);
        PEN_CHECK_EQ_STR(findings.items[0].rule, texts[i].rule);
        PEN_CHECK_EQ_STR(findings.items[0].expected, texts[i].expected);
        PEN_CHECK_EQ_STR(findings.items[0].seen, texts[i].seen);
        PEN_CHECK_EQ_I64(findings.items[0].n_rows, texts[i].n_rows);
        pen_findings_deinit(&findings);
        pen_schema_deinit(&schema);
        pen_arena_deinit(&arena);
    }
}

static void severities_stages_and_float32_limits(void)
{
    static const struct anomaly_case c = {A(FLOAT_TYPE_BIG_FLOAT), "", FLT, "2", NULL, NULL, NULL, NULL, 0};
    static const struct {
        const char *schema;
        int64_t n_items, n_errors;
    } rows[] = {
        {"type: float, max: 1", 1, 1},
        {"type: float, max: 1, severities: {FLOAT_TYPE_BIG_FLOAT: warning}", 1, 0},
        {"severities: {FLOAT_TYPE_BIG_FLOAT: warning}\nfeatures: {x: {type: float, max: 1}}", 1, 0},
        {"severities: {FLOAT_TYPE_BIG_FLOAT: warning}\n"
         "features: {x: {type: float, max: 1, severities: {FLOAT_TYPE_BIG_FLOAT: error}}}",
         1, 1},
        {"type: float, max: 1, stage: planned", 0, 0},
        {"type: float, max: 1, stage: alpha", 0, 0},
        {"type: float, max: 1, stage: beta", 1, 1},
        {"type: float, max: 1, stage: production", 1, 1},
        {"type: float, max: 1, stage: deprecated", 0, 0},
        {"type: float, max: 1, stage: debug_only", 0, 0},
        {"type: float, max: 1, stage: disabled", 0, 0},
    };
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_findings findings;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PEN_REQUIRE_OK(read_schema(rows[i].schema, &schema, &err), &err);
        validate_text(&c, &schema, FLT, c.bad, &arena, &findings);
        PEN_CHECK_MSG(findings.n_items == rows[i].n_items && pen_findings_n_errors(&findings) == rows[i].n_errors,
                      "row %zu", i);
        pen_findings_deinit(&findings);
        pen_schema_deinit(&schema);
    }
    PEN_REQUIRE_OK(read_schema("type: float, max: 0.1", &schema, &err), &err);
    validate_text(&c, &schema, PEN_TYPE_FLOAT32, "0.100000001490116", &arena, &findings); /* 0.1f */
    PEN_CHECK_EQ_I64(findings.n_items, 0);
    pen_findings_deinit(&findings);
    validate_text(&c, &schema, PEN_TYPE_FLOAT64, "0.100000001490116", &arena, &findings);
    PEN_CHECK_EQ_I64(findings.n_items, 1);
    pen_findings_deinit(&findings);
    pen_schema_deinit(&schema);
    pen_arena_deinit(&arena);
}

static void thresholds_must_fit_the_data(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_findings findings;
    char storage[64];
    struct built built;
    struct column column = parse_column(FLT, "1 2.5", storage);
    build(&column, false, &built);
    struct pen_validate_options options = pen_validate_defaults(NULL);
    PEN_REQUIRE_OK(read_schema("type: float, drift: {infinity_norm: 0.1}", &schema, &err), &err);
    PEN_CHECK_STATUS(pen_validate_split(&schema, &built.split, &options, &arena, &findings, &err), PEN_ERR_CONFIG);
    PEN_CHECK_EQ_STR(
        err.message,
        "schema: feature x: drift.infinity_norm compares the shares of values, and this feature's data are "
        "float: use jensen_shannon for numbers, or categorical: true for integers that are names");
    pen_schema_deinit(&schema);
    PEN_REQUIRE_OK(read_schema("type: float", &schema, &err), &err);
    options.drift.normalized_abs_difference = 0.1;
    PEN_CHECK_STATUS(pen_validate_split(&schema, &built.split, &options, &arena, &findings, &err), PEN_ERR_CONFIG);
    PEN_CHECK_EQ_STR(err.message, "option drift.normalized_abs_difference: expected a feature it can measure, found "
                                  "none in split train (it compares the shares of values: strings, categorical "
                                  "integers)");
    options.drift.normalized_abs_difference = -1.0;
    options.drift.jensen_shannon = 0.0;
    options.previous = &built.split;
    PEN_REQUIRE_OK(pen_validate_split(&schema, &built.split, &options, &arena, &findings, &err), &err);
    PEN_CHECK_EQ_I64(findings.n_items, 0); /* strictly above the threshold is an anomaly, equal is not */
    PEN_REQUIRE_EQ_I64(findings.n_distances, 1);
    PEN_CHECK(findings.distances[0].is_measured && !findings.distances[0].crossed);
    PEN_CHECK_EQ_F64(findings.distances[0].value, 0.0);
    pen_findings_deinit(&findings);
    pen_schema_deinit(&schema);
    pen_arena_deinit(&arena);
}

/* The same values under a control: skew, with the thresholds of the schema or common ones. */
static void skew_is_measured_against_the_control(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_findings findings;
    char storage[2][64];
    struct built built[2];
    static const char *const texts[2] = {"type: string", "type: string, skew: {infinity_norm: 0.2}"};
    for (int i = 0; i < 2; i++) {
        struct column column = parse_column(STR, i == 0 ? "a|a|a|b" : "a|b|b|b", storage[i]);
        build(&column, false, &built[i]);
    }
    for (int i = 0; i < 2; i++) {
        struct pen_validate_options options = pen_validate_defaults(NULL);
        options.control = &built[1].split;
        options.control_name = "split eval";
        options.skew.infinity_norm = i == 0 ? 0.3 : 0.9; /* the schema's own threshold comes first */
        PEN_REQUIRE_OK(read_schema(texts[i], &schema, &err), &err);
        PEN_REQUIRE_OK(pen_validate_split(&schema, &built[0].split, &options, &arena, &findings, &err), &err);
        PEN_REQUIRE_EQ_I64(findings.n_items, 1);
        PEN_CHECK(findings.items[0].type == PEN_ANOMALY_COMPARATOR_L_INFTY_HIGH);
        PEN_CHECK_EQ_STR(findings.items[0].expected, i == 0 ? "a distance of at most 0.3 from split eval"
                                                            : "a distance of at most 0.2 from split eval");
        PEN_CHECK_EQ_STR(findings.items[0].seen, "0.5, most at 'a'");
        const char *change = findings.items[0].change;
        struct pen_schema patched;
        PEN_REQUIRE_OK(pen_schema_patch(&schema, change, strlen(change), "change", &patched, &err), &err);
        pen_findings_deinit(&findings);
        PEN_REQUIRE_OK(pen_validate_split(&patched, &built[0].split, &options, &arena, &findings, &err), &err);
        PEN_CHECK_EQ_I64(findings.n_items, 0);
        pen_findings_deinit(&findings);
        pen_schema_deinit(&patched);
        pen_schema_deinit(&schema);
    }
    pen_arena_deinit(&arena);
}

PEN_SUITE(validate, PEN_CASE(skew_is_measured_against_the_control), PEN_CASE(statistics_without_values),
          PEN_CASE(a_change_settles_all_of_a_feature), PEN_CASE(texts_say_what_was_expected_and_seen),
          PEN_CASE(severities_stages_and_float32_limits), PEN_CASE(thresholds_must_fit_the_data));
