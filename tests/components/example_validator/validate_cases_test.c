/* Every kind of anomaly of one column: data that has it, data that just does not, and the suggested change, which must
 * settle it. */
#include "tests/components/example_validator/columns.h"
#include "tests/pen_test.h"

static const struct anomaly_case cases[] = {
    {A(DATA_MISSING), "type: int", INT, "", "1", NULL, NULL, NULL, 0},
    {A(DATASET_LOW_NUM_EXAMPLES), "dataset: {min_examples: 3}\nfeatures: {x: {type: int}}", INT, "1 2", "1 2 3", NULL,
     NULL, NULL, 0},
    {A(DATASET_HIGH_NUM_EXAMPLES), "dataset: {max_examples: 2}\nfeatures: {x: {type: int}}", INT, "1 2 3", "1 2", NULL,
     NULL, NULL, 0},
    {A(COMPARATOR_LOW_NUM_EXAMPLES), "dataset: {drift: {min_ratio: 0.5}}\nfeatures: {x: {type: int}}", INT, "1", "1 2",
     NULL, NULL, "1 2 3 4", 0},
    {A(COMPARATOR_HIGH_NUM_EXAMPLES), "dataset: {drift: {max_ratio: 1.5, min_ratio: 0.1}}\nfeatures: {x: {type: int}}",
     INT, "1 2 3 4", "1 2 3", NULL, NULL, "1 2", 0},
    {A(SCHEMA_NEW_COLUMN), "features: {}", STR, "a|b", NULL, "features: {x: {type: string}}", NULL, NULL, 0},
    {A(SCHEMA_NEW_COLUMN), "type: int, not_in_environment: [SERVING]", INT, "1", NULL, "type: int", "SERVING", NULL, 0},
    {A(SCHEMA_NEW_COLUMN), "default_environment: [TRAINING]\nfeatures: {}", INT, "1", NULL, NULL, "SERVING", NULL, 0},
    {A(SCHEMA_MISSING_COLUMN), "type: int, presence: required, shape: [1]", PEN_TYPE_NONE, NULL, "1",
     "type: int, presence: optional", NULL, NULL, INT},
    {A(SCHEMA_MISSING_COLUMN), "type: int, presence: some, not_in_environment: [SERVING]", PEN_TYPE_NONE, NULL, "1",
     "type: int, presence: some, not_in_environment: [TRAINING]", "TRAINING", NULL, INT},
    {A(UNEXPECTED_DATA_TYPE), "type: int, domain: bool", FLT, "0.5 1", "0 1", NULL, NULL, NULL, INT},
    {A(UNEXPECTED_DATA_TYPE), "type: float, min: 0", STR, "a|1", "1 2", NULL, NULL, NULL, INT},
    {A(UNEXPECTED_DATA_TYPE), "type: none", INT, "1 2", "- -", NULL, NULL, NULL, 0},
    {A(UNEXPECTED_DATA_TYPE), "type: string, domain: [a, b]", INT, "1 2", "a|b", NULL, NULL, NULL, STR},
    {A(FEATURE_MISSING_NAME), "features: {\"\": {type: int}, x: {type: int}}", INT, "1", NULL,
     "features: {x: {type: int}}", NULL, NULL, 0},
    {A(FEATURE_MISSING_TYPE), "presence: required", INT, "1", NULL, "type: int, presence: required", NULL, NULL, 0},
    {A(FEATURE_MISSING_TYPE), "presence: required, domain: [a]", INT, "1", NULL, NULL, NULL, NULL, 0},
    {A(INVALID_SCHEMA_SPECIFICATION), "type: int, values: {min: 2, max: 1}", INT, "1", NULL,
     "type: int, values: {min: 1, max: 2}", NULL, NULL, 0},
    {A(INVALID_SCHEMA_SPECIFICATION), "type: int, shape: [1], values: 1", INT, "1", NULL, "type: int, shape: [1]", NULL,
     NULL, 0},
    {A(INVALID_SCHEMA_SPECIFICATION), "type: int, categorical: true, unique: {min: 2, max: 1}", INT, "1", NULL, NULL,
     NULL, NULL, 0},
    {A(INVALID_SCHEMA_SPECIFICATION), "type: string, min_domain_mass: 0.5", STR, "a", NULL,
     "type: string, domain: [a], min_domain_mass: 0.5", NULL, NULL, 0},
    {A(INVALID_DOMAIN_SPECIFICATION), "type: int, min: 3, max: 2", INT, "3", NULL, "type: int, min: 3, max: 3", NULL,
     NULL, 0},
    {A(INVALID_DOMAIN_SPECIFICATION), "type: float, min: 0.5, max: 0.25", FLT, "0.5", NULL, NULL, NULL, NULL, 0},
    {A(INVALID_DOMAIN_SPECIFICATION), "type: string, domain: []", STR, "a", NULL, "type: string, domain: [a]", NULL,
     NULL, 0},
    {A(INVALID_DOMAIN_SPECIFICATION), "type: string, domain: [a, b, a]", STR, "a", NULL, NULL, NULL, NULL, 0},
    {A(INVALID_DOMAIN_SPECIFICATION), "domains: {d: [a, a]}\nfeatures: {x: {type: string, domain: d}}", STR, "a|c",
     NULL, "domains: {d: [a, c]}\nfeatures: {x: {type: string, domain: d}}", NULL, NULL, 0},
    {A(DOMAIN_INVALID_FOR_TYPE), "type: int, domain: float", INT, "1", NULL, "type: int, domain: int", NULL, NULL, 0},
    {A(DOMAIN_INVALID_FOR_TYPE), "type: float, domain: int", FLT, "1", NULL, "type: float, domain: float", NULL, NULL,
     0},
    {A(DOMAIN_INVALID_FOR_TYPE), "type: int, domain: [a]", INT, "1", NULL, NULL, NULL, NULL, 0},
    {A(INVALID_FEATURE_SHAPE), "type: int, presence: some, shape: [1]", INT, "1 -", "1 2", NULL, NULL, NULL, 0},
    {A(INVALID_FEATURE_SHAPE), "type: int, shape: [2]", INT, "1 2", NULL, "type: int, shape: [1]", NULL, NULL, 0},
    {A(FEATURE_TYPE_LOW_FRACTION_PRESENT), "type: int, presence: required, shape: [1]", INT, "1 - 3", "1 2 3", NULL,
     NULL, NULL, 0},
    {A(FEATURE_TYPE_LOW_FRACTION_PRESENT), "type: int, presence: {min_fraction: 0.5}", INT, "1 - -", "1 - 3 -", NULL,
     NULL, NULL, 0},
    {A(FEATURE_TYPE_LOW_NUMBER_PRESENT), "type: int, presence: {min_count: 2}", INT, "1 - -", "1 - 2", NULL, NULL, NULL,
     0},
    {A(FEATURE_TYPE_NOT_PRESENT), "type: int, presence: some", INT, "- -", "- 1", "type: int, presence: optional", NULL,
     NULL, 0},
    {A(FEATURE_TYPE_LOW_NUMBER_VALUES), "type: int, values: {min: 2}", INT, "1", NULL, "type: int, values: {min: 1}",
     NULL, NULL, 0},
    {A(FEATURE_TYPE_HIGH_NUMBER_VALUES), "type: int, values: {max: 0}", INT, "1", NULL, "type: int, values: {max: 1}",
     NULL, NULL, 0},
    {A(FEATURE_TYPE_LOW_UNIQUE), "type: string, unique: {min: 3}", STR, "a|b|b", "a|b|c", NULL, NULL, NULL, 0},
    {A(FEATURE_TYPE_HIGH_UNIQUE), "type: string, unique: {max: 2}", STR, "a|b|c", "a|b|b", NULL, NULL, NULL, 0},
    {A(FEATURE_TYPE_NO_UNIQUE), "type: float, unique: {max: 2}", FLT, "1", NULL, "type: float", NULL, NULL, 0},
    {A(BOOL_TYPE_BIG_INT), "type: int, domain: bool", INT, "0 1 2", "0 1", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_SMALL_INT), "type: int, domain: bool", INT, "0 1 -1", "0 1", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_UNEXPECTED_STRING), "type: string, domain: bool, true_value: t, false_value: f", STR, "t|f|F", "t|f",
     NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_UNEXPECTED_FLOAT), "type: float, domain: bool", FLT, "0 1 0.05", "0 1 1", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_UNEXPECTED_FLOAT), "type: float, domain: bool", FLT, "0 1 nan", "0 0 0", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_UNEXPECTED_FLOAT), "type: float, domain: bool", FLT, "0 1 1e-30", "0 1 -", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_UNEXPECTED_FLOAT), "type: float, domain: bool", FLT, "0 1 -1", "1 1", NULL, NULL, NULL, 0},
    {A(BOOL_TYPE_INVALID_CONFIG), "type: int, domain: bool, true_value: yes", INT, "1", NULL, "type: int, domain: bool",
     NULL, NULL, 0},
    {A(BOOL_TYPE_INVALID_CONFIG), "type: string, domain: bool", STR, "t", NULL,
     "type: string, domain: bool, true_value: t", NULL, NULL, 0},
    {A(BOOL_TYPE_INVALID_CONFIG), "type: string, domain: bool, true_value: t, false_value: t", STR, "t", NULL, NULL,
     NULL, NULL, 0},
    {A(BOOL_TYPE_INVALID_CONFIG), "type: string, true_value: t", STR, "t", NULL, NULL, NULL, NULL, 0},
    {A(ENUM_TYPE_UNEXPECTED_STRING_VALUES), "type: string, domain: [a, b]", STR, "a|b|c", "a|b|a", NULL, NULL, NULL, 0},
    {A(ENUM_TYPE_UNEXPECTED_STRING_VALUES), "type: string, domain: [a, b], min_domain_mass: 0.75", STR, "a|b|c",
     "a|b|a|c", NULL, NULL, NULL, 0},
    {A(ENUM_TYPE_UNEXPECTED_STRING_VALUES), "domains: {d: [a]}\nfeatures: {x: {type: string, domain: d}}", STR, "a|c",
     "a|a", "domains: {d: [a, c]}\nfeatures: {x: {type: string, domain: d}}", NULL, NULL, 0},
    {A(ENUM_TYPE_INVALID_UTF8), "type: string, domain: [a]", STR, "a|\xff", "a", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_BIG_FLOAT), "type: float, max: 0.1", FLT, "0.1 0.11", "0.1", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_BIG_FLOAT), "type: float, max: 0.1", FLT, "0.1 inf", "0.1 -inf", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_BIG_FLOAT), "type: float, max: 1", INT, "2", "1", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_BIG_FLOAT), "type: string, domain: float, max: 0.5", STR, "0.25|0.75", "0.5|-7", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_SMALL_FLOAT), "type: float, min: 0", FLT, "-1 5", "0 5", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_SMALL_FLOAT), "type: string, domain: float, min: 0", STR, "-1e-3", "0", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_STRING_NOT_FLOAT), "type: string, domain: float", STR, "1.5|x", "1.5|2|nan", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_HAS_NAN), "type: float, disallow_nan: true", FLT, "1 nan", "1 inf", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_HAS_NAN), "type: string, domain: float, disallow_nan: true", STR, "nan", "inf", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_HAS_INF), "type: float, disallow_inf: true", FLT, "1 -inf", "1 nan", NULL, NULL, NULL, 0},
    {A(FLOAT_TYPE_HAS_INF), "type: string, domain: float, disallow_inf: true", STR, "1|inf", "1|nan", NULL, NULL, NULL,
     0},
    {A(INT_TYPE_BIG_INT), "type: int, max: 3", INT, "3 4", "3", NULL, NULL, NULL, 0},
    {A(INT_TYPE_BIG_INT), "type: string, domain: int, max: 3", STR, "3|4", "3", NULL, NULL, NULL, 0},
    {A(INT_TYPE_SMALL_INT), "type: int, min: 3", INT, "2 4", "3", NULL, NULL, NULL, 0},
    {A(INT_TYPE_SMALL_INT), "type: string, domain: int, min: -3", STR, "-4", "-3", NULL, NULL, NULL, 0},
    {A(INT_TYPE_NOT_INT_STRING), "type: string, domain: int", STR, "1|2.5", "1|2", NULL, NULL, NULL, 0},
    {A(COMPARATOR_L_INFTY_HIGH), "type: string, drift: {infinity_norm: 0.25}", STR, "a|a|a|a", "a|a|a|b", NULL, NULL,
     "a|a|b|b", 0},
    {A(COMPARATOR_L_INFTY_HIGH), "type: int, categorical: true, drift: {infinity_norm: 0.25}", INT, "1 1 1 1",
     "1 1 1 2", NULL, NULL, "1 1 2 2", 0},
    {A(COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH), "type: string, drift: {jensen_shannon: 0.3}", STR, "a|a", "a|b|a",
     NULL, NULL, "a|b", 0},
    {A(COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH), "type: float, drift: {jensen_shannon: 0.9}", FLT, "10 11 12",
     "1 2 3", NULL, NULL, "1 2 3", 0},
    {A(COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH), "type: int, drift: {jensen_shannon: 0.9, source: quantiles}", INT,
     "10 11 12", "1 2 3", NULL, NULL, "1 2 3", 0},
    {A(COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH), "type: string, drift: {normalized_abs_difference: 0.3}", STR,
     "a|a|a|a|a|a", "a|a|a", NULL, NULL, "a|a", 0},
    {A(COMPARATOR_CONTROL_DATA_MISSING), "type: string, drift: {infinity_norm: 0.25}", STR, "a", NULL, "type: string",
     NULL, "-|-", 0},
};

static void check_texts(const struct pen_findings *findings, size_t i)
{
    for (int64_t k = 0; k < findings->n_items; k++) {
        const struct pen_finding *item = &findings->items[k];
        PEN_CHECK_MSG(item->rule[0] != '\0' && item->expected[0] != '\0' && item->seen[0] != '\0' &&
                          item->change != NULL,
                      "case %zu: a text is missing", i);
    }
}

static void one_case(const struct anomaly_case *c, size_t i)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_schema schema;
    struct pen_findings findings;
    const char *name = pen_anomaly_types[c->type].name;
    PEN_REQUIRE_OK(read_schema(c->schema, &schema, &err), &err);
    validate_text(c, &schema, c->data_type, c->bad, &arena, &findings);
    PEN_CHECK_MSG(findings.n_items == 1, "case %zu, %s: expected one anomaly, found %lld", i, name,
                  (long long)findings.n_items);
    if (findings.n_items > 0) {
        PEN_CHECK_MSG(findings.items[0].type == c->type, "case %zu: expected %s, found %s", i, name,
                      pen_anomaly_types[findings.items[0].type].name);
        check_texts(&findings, i);
        /* The suggested change accepts the data. */
        const char *change = findings.items[0].change;
        struct pen_schema patched;
        pen_status status = pen_schema_patch(&schema, change, strlen(change), "change", &patched, &err);
        PEN_CHECK_MSG(status == PEN_OK, "case %zu, %s: %s in\n%s", i, name, err.message, change);
        if (status == PEN_OK) {
            struct pen_findings after;
            validate_text(c, &patched, c->data_type, c->bad, &arena, &after);
            PEN_CHECK_MSG(pen_findings_n_errors(&after) == 0, "case %zu, %s: still %s (expected %s, seen %s) after\n%s",
                          i, name, pen_anomaly_types[after.n_items > 0 ? after.items[0].type : 0].name,
                          after.n_items > 0 ? after.items[0].expected : "",
                          after.n_items > 0 ? after.items[0].seen : "", change);
            pen_findings_deinit(&after);
            pen_schema_deinit(&patched);
        }
    }
    pen_findings_deinit(&findings);
    if (c->good != NULL) {
        enum pen_type type = c->good_type == PEN_TYPE_NONE ? c->data_type : c->good_type;
        validate_text(c, &schema, type, c->good, &arena, &findings);
        PEN_CHECK_MSG(findings.n_items == 0, "case %zu, %s: good data give %s", i, name,
                      pen_anomaly_types[findings.n_items > 0 ? findings.items[0].type : 0].name);
        pen_findings_deinit(&findings);
    }
    pen_schema_deinit(&schema);
    if (c->good_schema != NULL) {
        PEN_REQUIRE_OK(read_schema(c->good_schema, &schema, &err), &err);
        validate_text(c, &schema, c->data_type, c->bad, &arena, &findings);
        PEN_CHECK_MSG(findings.n_items == 0, "case %zu, %s: the good schema gives %s", i, name,
                      pen_anomaly_types[findings.n_items > 0 ? findings.items[0].type : 0].name);
        pen_findings_deinit(&findings);
        pen_schema_deinit(&schema);
    }
    pen_arena_deinit(&arena);
}

static void every_anomaly_is_found_and_settled(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        one_case(&cases[i], i);
    }
}

PEN_SUITE(validate_cases, PEN_CASE(every_anomaly_is_found_and_settled));
