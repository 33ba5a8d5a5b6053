/* schema.yaml: read, printed, patched; every wrong form with its message. */
#include "core/files.h"
#include "datasets/schema/schema.h"
#include "tests/pen_test.h"

#include <stdio.h>

static const char full[] =
    "schema: 1\n"
    "default_environment: [TRAINING, SERVING]\n"
    "dataset: {min_examples: 10, max_examples: 1000, drift: {min_ratio: 0.5, max_ratio: 2},\n"
    "    version: {max_ratio: 3}}\n"
    "severities: {SCHEMA_NEW_COLUMN: warning, INT_TYPE_BIG_INT: error}\n"
    "domains:\n"
    "  payment: [Cash, Credit Card, \"\", \"null\", \"12\", \"a: b\", \"caf\xc3\xa9 \\\"x\\\" \\\\ \\u0009\"]\n"
    "features:\n"
    "  fare: {type: float, presence: required, shape: [1], min: 0, max: 0.1, disallow_nan: true}\n"
    "  count: {type: int, presence: some, values: {min: 1, max: 1}, min: -9223372036854775807, max: 12}\n"
    "  code: {type: string, presence: optional, domain: int, min: 3}\n"
    "  amount: {type: string, presence: {min_count: 5, min_fraction: 0.25}, domain: float, max: 1.5}\n"
    "  flag: {type: string, presence: some, domain: bool, true_value: \"yes\", false_value: \"no\"}\n"
    "  bit: {type: int, presence: some, domain: bool}\n"
    "  pay:\n"
    "    type: string\n"
    "    presence: {min_fraction: 0.5}\n"
    "    domain: payment\n"
    "    min_domain_mass: 0.95\n"
    "    stage: beta\n"
    "    drift: {infinity_norm: 0.01, jensen_shannon: 0.2, normalized_abs_difference: 0}\n"
    "  tips:\n"
    "    type: float\n"
    "    presence: required\n"
    "    not_in_environment: [SERVING]\n"
    "    skew: {jensen_shannon: 0.2, source: quantiles}\n"
    "    severities: {FLOAT_TYPE_HAS_NAN: warning}\n"
    "  id: {type: int, presence: required, categorical: true, unique: {min: 2, max: 100}}\n"
    "  \"trip start (h)\": {type: int, presence: some, domain: int}\n"
    "  \"1st\": {presence: optional}\n"
    "  empty: {type: none, presence: optional, in_environment: [TRAINING]}\n"
    "  message:\n"
    "    type: string\n"
    "    presence: required\n"
    "    natural_language: {lower: true, vocabulary: payment, min_coverage: 0.5,\n"
    "        min_avg_token_length: 3.5, excluded_tokens: [PAD], oov_tokens: [UNK],\n"
    "        token_constraints: {urgent: {min_per_sequence: 0, max_per_sequence: 2,\n"
    "        min_fraction_of_sequences: 0.1, max_fraction_of_sequences: 0.9}, a b: {}}}\n"
    "  words: {type: string, presence: optional, natural_language: {vocabulary: [a, b]}}\n"
    "  speed: {type: float, presence: optional, stage: derived, derived: {ratio: [fare, count]}}\n"
    "  long: {type: int, presence: optional, stage: derived, derived: {length: message}}\n"
    "  noted: {type: int, presence: optional, tags: [money, \"a: b\"], comment: \"asked for by: sales\"}\n"
    "sparse_features:\n"
    "  clicks: {index: [id, bit], value: fare, separator: \"|\", stage: alpha}\n"
    "weighted_features:\n"
    "  vote: {weight: fare, value: pay}\n";

static pen_status parse(const char *text, struct pen_schema *schema, struct pen_error *err)
{
    return pen_schema_parse(text, strlen(text), "schema.yaml", schema, err);
}

static void fields_arrive(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_schema s;
    PEN_REQUIRE_OK(parse(full, &s, &err), &err);
    PEN_REQUIRE_EQ_I64(s.n_features, 17);
    PEN_CHECK_EQ_I64(s.default_environment.n_items, 2);
    PEN_CHECK_EQ_I64(s.dataset.min_examples, 10);
    PEN_CHECK_EQ_F64(s.dataset.drift.min_ratio, 0.5);
    PEN_CHECK_EQ_F64(s.dataset.version.max_ratio, 3);
    PEN_CHECK(s.dataset.version.min_ratio < 0);
    const struct pen_schema_feature *fare = pen_schema_find(&s, "fare");
    PEN_REQUIRE(fare != NULL);
    PEN_CHECK(fare->type == PEN_SCHEMA_TYPE_FLOAT && fare->domain == PEN_SCHEMA_DOMAIN_FLOAT);
    PEN_CHECK(fare->min_count == 1 && fare->min_fraction == 1.0 && fare->has_shape && fare->dimensions[0] == 1);
    PEN_CHECK(fare->min == 0.0 && fare->max == 0.1 && fare->disallow_nan && !fare->disallow_inf);
    const struct pen_schema_feature *pay = pen_schema_find(&s, "pay");
    PEN_REQUIRE(pay != NULL);
    PEN_CHECK_EQ_STR(pay->domain_name, "payment");
    PEN_CHECK_EQ_I64(pen_schema_domain_values(&s, pay).n_items, 7);
    PEN_CHECK_EQ_STR(pen_schema_domain_values(&s, pay).items[6], "caf\xc3\xa9 \"x\" \\ \t");
    PEN_CHECK(pay->drift.infinity_norm == 0.01 && pay->drift.normalized_abs_difference == 0.0);
    PEN_CHECK(pay->skew.infinity_norm < 0 && pay->stage == PEN_SCHEMA_STAGE_BETA);
    PEN_CHECK(pen_schema_find(&s, "tips")->skew.source == PEN_SCHEMA_HISTOGRAM_QUANTILES);
    PEN_CHECK(pen_schema_find(&s, "1st")->type == PEN_SCHEMA_TYPE_UNSET);
    PEN_CHECK(pen_schema_find(&s, "code")->min_int == 3 && pen_schema_find(&s, "code")->max_int == INT64_MAX);
    const struct pen_schema_language *language = pen_schema_find(&s, "message")->language;
    PEN_REQUIRE(language != NULL && language->n_constraints == 2);
    PEN_CHECK(language->lower && language->min_coverage == 0.5 && language->min_avg_token_length == 3.5);
    PEN_CHECK_EQ_I64(pen_schema_vocabulary(&s, language).n_items, 7);
    PEN_CHECK_EQ_STR(language->excluded_tokens.items[0], "PAD");
    PEN_CHECK_EQ_STR(language->oov_tokens.items[0], "UNK");
    PEN_CHECK_EQ_STR(language->constraints[0].token, "urgent");
    PEN_CHECK(language->constraints[0].min_per_sequence == 0 && language->constraints[0].max_per_sequence == 2);
    PEN_CHECK(language->constraints[0].min_fraction_of_sequences == 0.1);
    PEN_CHECK(language->constraints[0].max_fraction_of_sequences == 0.9);
    PEN_CHECK(language->constraints[1].max_per_sequence < 0 && language->constraints[1].min_fraction_of_sequences < 0);
    const struct pen_schema_feature *speed = pen_schema_find(&s, "speed");
    PEN_CHECK(speed->deriver == PEN_SCHEMA_DERIVER_RATIO && speed->stage == PEN_SCHEMA_STAGE_DERIVED);
    PEN_CHECK_EQ_STR(speed->derived_from[0], "fare");
    PEN_CHECK_EQ_STR(speed->derived_from[1], "count");
    PEN_CHECK(pen_schema_find(&s, "long")->derived_from[1] == NULL);
    PEN_CHECK_EQ_STR(pen_schema_find(&s, "noted")->tags.items[1], "a: b");
    PEN_CHECK_EQ_STR(pen_schema_find(&s, "noted")->comment, "asked for by: sales");
    PEN_REQUIRE(s.compounds[PEN_SCHEMA_SPARSE].n_items == 1 && s.compounds[PEN_SCHEMA_WEIGHTED].n_items == 1);
    const struct pen_schema_compound *clicks = &s.compounds[PEN_SCHEMA_SPARSE].items[0];
    PEN_CHECK(clicks->parts.n_items == 2 && clicks->stage == PEN_SCHEMA_STAGE_ALPHA);
    PEN_CHECK_EQ_STR(clicks->separator, "|");
    PEN_CHECK_EQ_STR(s.compounds[PEN_SCHEMA_WEIGHTED].items[0].parts.items[0], "fare");
    PEN_CHECK_EQ_STR(s.compounds[PEN_SCHEMA_WEIGHTED].items[0].value, "pay");
    PEN_CHECK(pen_schema_severity(&s, fare, PEN_ANOMALY_SCHEMA_NEW_COLUMN) == PEN_SEVERITY_WARNING);
    PEN_CHECK(pen_schema_severity(&s, fare, PEN_ANOMALY_FLOAT_TYPE_HAS_NAN) == PEN_SEVERITY_ERROR);
    PEN_CHECK(pen_schema_severity(&s, pen_schema_find(&s, "tips"), PEN_ANOMALY_FLOAT_TYPE_HAS_NAN) ==
              PEN_SEVERITY_WARNING);
    pen_schema_deinit(&s);
}

static void print_is_the_inverse_of_parse(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_schema s;
    struct pen_text text = {0};
    PEN_REQUIRE_OK(parse(full, &s, &err), &err);
    PEN_CHECK_OK(pen_schema_print(&s, false, &text, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&text), full); /* the text above is written as the printer writes */
    char one[PEN_SHA256_HEX_BYTES];
    char two[PEN_SHA256_HEX_BYTES];
    PEN_CHECK_OK(pen_schema_digest(&s, one, &err), &err);
    struct pen_schema again;
    pen_text_reset(&text);
    PEN_CHECK_OK(pen_schema_print(&s, true, &text, &err), &err); /* the explanation at the top changes nothing */
    PEN_CHECK_OK(parse(pen_text_view(&text), &again, &err), &err);
    PEN_CHECK_OK(pen_schema_digest(&again, two, &err), &err);
    PEN_CHECK_EQ_STR(one, two);
    pen_text_deinit(&text);
    pen_schema_deinit(&again);
    pen_schema_deinit(&s);
}

static void any_text_survives(void)
{
    /* Every code point below U+0100 and some that YAML treats specially, as a value of a domain. */
    struct pen_error err = PEN_ERROR_INIT;
    static const char *const odd[] = {"",
                                      " ",
                                      "a ",
                                      " a",
                                      "~",
                                      "Yes",
                                      "-",
                                      "- a",
                                      "a#b",
                                      "a: b",
                                      "{a}",
                                      "[",
                                      "1e5",
                                      ".nan",
                                      "0x1F",
                                      "=",
                                      "\x7f",
                                      "\t\n",
                                      "\\n",
                                      "'",
                                      "\xc2\x85",
                                      "\xe2\x80\xa8",
                                      "\xef\xbb\xbf",
                                      "\xef\xbf\xbf",
                                      "\xf0\x9f\x98\x80",
                                      "inf",
                                      "key: [1, 2]  # no comment"};
    struct pen_text text = {0};
    pen_text_append(&text, "features: {x: {type: string, domain: [");
    int64_t n_odd = (int64_t)(sizeof odd / sizeof odd[0]);
    for (int64_t i = 0; i < n_odd; i++) {
        pen_schema_print_scalar(odd[i], &text);
        pen_text_append(&text, ", ");
    }
    for (int code = 1; code < 256; code++) {
        char bytes[3] = {(char)code, '\0', '\0'};
        if (code >= 0x80) {
            bytes[0] = (char)(0xC0 | (code >> 6));
            bytes[1] = (char)(0x80 | (code & 0x3F));
        }
        pen_schema_print_scalar(bytes, &text);
        pen_text_append(&text, ", ");
    }
    pen_text_append(&text, "]}}\n");
    struct pen_schema s;
    PEN_REQUIRE_OK(parse(pen_text_view(&text), &s, &err), &err);
    PEN_REQUIRE_EQ_I64(s.features[0].domain_values.n_items, n_odd + 255);
    for (int64_t i = 0; i < n_odd; i++) {
        PEN_CHECK_EQ_STR(s.features[0].domain_values.items[i], odd[i]);
    }
    for (int code = 1; code < 256; code++) {
        const unsigned char *found = (const unsigned char *)s.features[0].domain_values.items[n_odd + code - 1];
        PEN_CHECK_EQ_I64(code < 0x80 ? found[0] : ((found[0] & 3) << 6) | (found[1] & 0x3F), code);
    }
    struct pen_text printed = {0};
    PEN_CHECK_OK(pen_schema_print(&s, false, &printed, &err), &err);
    struct pen_schema again;
    PEN_REQUIRE_OK(parse(pen_text_view(&printed), &again, &err), &err);
    for (int64_t i = 0; i < n_odd + 255; i++) {
        PEN_CHECK_EQ_STR(again.features[0].domain_values.items[i], s.features[0].domain_values.items[i]);
    }
    pen_text_deinit(&printed);
    pen_text_deinit(&text);
    pen_schema_deinit(&again);
    pen_schema_deinit(&s);
}

static void environments(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_schema s;
    PEN_REQUIRE_OK(parse("default_environment: [TRAINING, SERVING]\nfeatures:\n  plain: {type: int}\n"
                         "  label: {type: int, not_in_environment: SERVING}\n"
                         "  only: {type: int, in_environment: [OTHER]}\n",
                         &s, &err),
                   &err);
    static const struct {
        const char *feature, *environment;
        bool in;
    } cases[] = {{"plain", "TRAINING", true}, {"plain", "OTHER", false}, {"label", "TRAINING", true},
                 {"label", "SERVING", false}, {"label", NULL, true},     {"label", "", true},
                 {"only", "OTHER", true},     {"only", "TRAINING", true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PEN_CHECK_MSG(pen_schema_in_environment(&s, pen_schema_find(&s, cases[i].feature), cases[i].environment) ==
                          cases[i].in,
                      "case %zu", i);
    }
    pen_schema_deinit(&s);
    PEN_REQUIRE_OK(parse("features:\n  plain: {type: int}\n  label: {type: int, not_in_environment: SERVING}\n"
                         "  only: {type: int, in_environment: [OTHER]}\n",
                         &s, &err),
                   &err);
    PEN_CHECK(pen_schema_in_environment(&s, pen_schema_find(&s, "plain"), "SERVING"));
    PEN_CHECK(!pen_schema_in_environment(&s, pen_schema_find(&s, "label"), "SERVING"));
    PEN_CHECK(pen_schema_in_environment(&s, pen_schema_find(&s, "label"), "TRAINING"));
    PEN_CHECK(!pen_schema_in_environment(&s, pen_schema_find(&s, "only"), "SERVING"));
    pen_schema_deinit(&s);
}

static void patch_replaces_adds_and_removes(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_schema s;
    struct pen_schema patched;
    PEN_REQUIRE_OK(parse(full, &s, &err), &err);
    const char *fragment = "dataset: {min_examples: 5}\n"
                           "domains: {payment: [Cash]}\n"
                           "features:\n  fare: {type: float, presence: some}\n  count: null\n  fresh: {type: int}\n";
    PEN_REQUIRE_OK(pen_schema_patch(&s, fragment, strlen(fragment), "change", &patched, &err), &err);
    PEN_CHECK_EQ_I64(patched.n_features, s.n_features);
    PEN_CHECK(pen_schema_find(&patched, "count") == NULL);
    PEN_CHECK(pen_schema_find(&patched, "fresh") != NULL);
    PEN_CHECK(!pen_schema_find(&patched, "fare")->has_shape);
    PEN_CHECK_EQ_I64(patched.dataset.min_examples, 5);
    PEN_CHECK_EQ_I64(patched.dataset.max_examples, 1000);
    PEN_CHECK_EQ_I64(patched.domains[0].values.n_items, 1);
    PEN_CHECK_EQ_STR(patched.features[1].name, "code");
    pen_schema_deinit(&patched);
    PEN_CHECK_STATUS(pen_schema_patch(&s, "features: {fare: {tipe: int}}", 29, "change", &patched, &err),
                     PEN_ERR_CONFIG);
    PEN_CHECK_EQ_STR(err.message, "change:1:19: feature fare has no option 'tipe'; did you mean 'type'?");
    pen_schema_deinit(&s);
}

static void long_domains_wrap(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text text = {0};
    pen_text_append(&text, "features: {long name: {type: string, domain: [");
    for (int i = 0; i < 100; i++) {
        pen_text_printf(&text, "value %d%s", i, i < 99 ? ", " : "]}}\n");
    }
    struct pen_schema s;
    PEN_REQUIRE_OK(parse(pen_text_view(&text), &s, &err), &err);
    pen_text_reset(&text);
    PEN_CHECK_OK(pen_schema_print(&s, false, &text, &err), &err);
    size_t longest = 0;
    for (const char *at = pen_text_view(&text); *at != '\0'; at += strcspn(at, "\n") + 1) {
        longest = strcspn(at, "\n") > longest ? strcspn(at, "\n") : longest;
    }
    PEN_CHECK_MSG(longest <= 101, "longest line %zu", longest);
    struct pen_schema again;
    PEN_REQUIRE_OK(parse(pen_text_view(&text), &again, &err), &err);
    PEN_CHECK_EQ_I64(again.features[0].domain_values.n_items, 100);
    PEN_CHECK_EQ_STR(again.features[0].domain_values.items[99], "value 99");
    pen_text_deinit(&text);
    pen_schema_deinit(&again);
    pen_schema_deinit(&s);
}

static void wrong_files_are_refused(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "schema.yaml:1:1: the schema has no features: expected a map such as features: {fare: {type: float, "
             "presence: required}}"},
        {"[a]", "schema.yaml:1:1: the schema: expected a map of options"},
        {"schema: 2\nfeatures: {}\n", "schema.yaml:1:9: option schema: expected format version 1, found 2"},
        {"schema: one\nfeatures: {}\n", "schema.yaml:1:9: option schema: expected an integer, found 'one'"},
        {"feature: {}\n", "schema.yaml:1:1: the schema has no option 'feature'; did you mean 'features'?"},
        {"features: [fare]\n", "schema.yaml:1:11: option features: expected a map of column names, found a list"},
        {"features:\n  fare: float\n", "schema.yaml:2:9: feature fare: expected a map of options"},
        {"features:\n  fare: {typ: float}\n",
         "schema.yaml:2:10: feature fare has no option 'typ'; did you mean 'type'?"},
        {"features:\n  fare: {type: floot}\n",
         "schema.yaml:2:16: option type: expected int, float, string or none, found 'floot'; did you mean 'float'?"},
        {"features:\n  fare: {type: [int]}\n",
         "schema.yaml:2:16: option type: expected int, float, string or none, found a list"},
        {"features:\n  fare: {presence: requird}\n",
         "schema.yaml:2:20: option presence: expected required, some, optional or {min_count, min_fraction}, found "
         "'requird'; did you mean 'required'?"},
        {"features:\n  fare: {presence: {min_cout: 1}}\n",
         "schema.yaml:2:21: presence has no option 'min_cout'; did you mean 'min_count'?"},
        {"features:\n  fare: {presence: {min_fraction: 1.5}}\n",
         "schema.yaml:2:35: option min_fraction: expected 0 to 1, found 1.5"},
        {"features:\n  fare: {presence: {min_count: -1}}\n",
         "schema.yaml:2:32: option min_count: expected 0 to 9.2e+18, found -1"},
        {"features:\n  fare: {shape: [0]}\n", "schema.yaml:2:18: option shape: expected sizes of 1 or more, found '0'"},
        {"features:\n  fare: {shape: [x]}\n", "schema.yaml:2:18: option shape: expected an integer, found 'x'"},
        {"features:\n  fare: {values: {least: 1}}\n",
         "schema.yaml:2:19: values has no option 'least'; it has min, max"},
        {"features:\n  fare: {values: -3}\n",
         "schema.yaml:2:18: option values: expected a count of 0 or more, found '-3'"},
        {"features:\n  fare: {type: int, min: 0.5}\n",
         "schema.yaml:2:26: option min: expected an integer, found '0.5'"},
        {"features:\n  fare: {type: float, min: low}\n",
         "schema.yaml:2:28: option min: expected a number, found 'low'"},
        {"features:\n  fare: {type: float, max: inf}\n",
         "schema.yaml:2:28: option max: expected a finite number (no limit: leave the option out), found 'inf'"},
        {"features:\n  fare: {type: string, min: 1}\n",
         "schema.yaml:2:29: option min: a limit of strings needs domain: int or domain: float beside it"},
        {"features:\n  fare: {type: int, domain: bool, max: 1}\n",
         "schema.yaml:2:40: option max: a limit fits domain: int and domain: float only"},
        {"features:\n  fare: {type: int, min: 0, disallow_nan: true}\n",
         "schema.yaml:2:43: option disallow_nan: it fits domain: float only"},
        {"features:\n  fare: {type: string, domain: [a], disallow_inf: true}\n",
         "schema.yaml:2:51: option disallow_inf: it fits domain: float only"},
        {"domains: {payment: [a]}\nfeatures:\n  fare: {type: string, domain: paymnt}\n",
         "schema.yaml:3:32: option domain: expected bool, int, float, a list, or a name defined under domains, found "
         "'paymnt'; did you mean 'payment'?"},
        {"features:\n  fare: {domain: {a: b}}\n",
         "schema.yaml:2:18: option domain: expected a list of values, a shared "
         "domain's name, bool, int or float, found a map"},
        {"features:\n  fare: {domain: [a, [b]]}\n", "schema.yaml:2:22: option domain: expected values that are text "
                                                    "(quote the empty string and null), found a list"},
        {"features:\n  fare: {domain: [a, null]}\n", "schema.yaml:2:22: option domain: expected values that are text "
                                                     "(quote the empty string and null), found nothing"},
        {"domains: {bool: [a]}\nfeatures: {}\n",
         "schema.yaml:1:17: domains: 'bool' is a built-in domain; choose another name"},
        {"domains: {pay: cash}\nfeatures: {}\n",
         "schema.yaml:1:16: option pay: expected a list of values, found 'cash'"},
        {"features:\n  fare: {disallow_nan: yes}\n",
         "schema.yaml:2:24: option disallow_nan: expected true or false, found 'yes'"},
        {"features:\n  fare: {min_domain_mass: 2}\n",
         "schema.yaml:2:27: option min_domain_mass: expected 0 to 1, found 2"},
        {"features:\n  fare: {stage: prod}\n",
         "schema.yaml:2:17: option stage: expected planned, alpha, beta, production, deprecated, debug_only, "
         "disabled or derived, found 'prod'; did you mean 'production'?"},
        {"features:\n  a: {natural_language: {vocabulry: [x]}}\n",
         "schema.yaml:2:26: natural_language has no option 'vocabulry'; did you mean 'vocabulary'?"},
        {"domains: {words: [x]}\nfeatures:\n  a: {natural_language: {vocabulary: word}}\n",
         "schema.yaml:3:38: option vocabulary: expected a list of tokens, or a name defined under domains, found "
         "'word'; "
         "did you mean 'words'?"},
        {"features:\n  a: {natural_language: {min_coverage: 1.5}}\n",
         "schema.yaml:2:40: option min_coverage: expected 0 to 1, found '1.5'"},
        {"features:\n  a: {natural_language: {token_constraints: [x]}}\n",
         "schema.yaml:2:45: option token_constraints: expected a map of tokens such as {urgent: {max_per_sequence: "
         "1}}, "
         "found a list"},
        {"features:\n  a: {natural_language: {token_constraints: {x: {max_per_sequenc: 1}}}}\n",
         "schema.yaml:2:50: token 'x' has no option 'max_per_sequenc'; did you mean 'max_per_sequence'?"},
        {"features:\n  a: {derived: {ratios: [x, y]}}\n",
         "schema.yaml:2:17: option derived: expected one of {length: a}, {count_tokens: a}, {difference: [a, b]}, "
         "{ratio: [a, b]}, found 'ratios'; did you mean 'ratio'?"},
        {"features:\n  a: {derived: {ratio: [x]}}\n",
         "schema.yaml:2:24: option ratio: expected a list of two columns, found a list"},
        {"features:\n  a: {derived: {length: [x]}}\n",
         "schema.yaml:2:25: option length: expected one column, found a list"},
        {"features:\n  a: {derived: x}\n",
         "schema.yaml:2:16: option derived: expected one of {length: a}, {count_tokens: a}, {difference: [a, b]}, "
         "{ratio: [a, b]}, found 'x'"},
        {"features: {id: {}, score: {}}\nsparse_features: {s: {index: id, value: scor}}\n",
         "schema.yaml:2:41: option value: expected the name of a feature, found 'scor'; did you mean 'score'?"},
        {"features: {id: {}, score: {}}\nsparse_features: {s: {index: [id, []], value: score}}\n",
         "schema.yaml:2:35: option index: expected the name of a feature, found a list"},
        {"features: {id: {}}\nsparse_features: {s: {index: [], value: id}}\n",
         "schema.yaml:2:30: option index: expected at least one name of a feature, found a list"},
        {"features: {id: {}}\nsparse_features: {s: {value: id}}\n",
         "schema.yaml:2:22: sparse feature s: expected options index and value, found no index"},
        {"features: {id: {}}\nsparse_features: {s: {index: id, weight: id}}\n",
         "schema.yaml:2:34: sparse feature s has no option 'weight'; it has index, value, separator, stage"},
        {"features: {id: {}}\nweighted_features: {s: {weight: [id], value: id}}\n",
         "schema.yaml:2:33: option weight: expected the name of a feature, found a list"},
        {"features: {id: {}}\nweighted_features: {s: {weight: id, value: id, separator: \"\"}}\n",
         "schema.yaml:2:59: option separator: expected at least one character, found ''"},
        {"features: {id: {}}\nweighted_features: [id]\n", "schema.yaml:2:20: option weighted_features: expected a map "
                                                          "such as {vote: {weight: trust, value: vote}}, found "
                                                          "a list"},
        {"features: {id: {}}\nsparse_feature: {}\n",
         "schema.yaml:2:1: the schema has no option 'sparse_feature'; did you mean 'sparse_features'?"},
        {"features:\n  fare: {drift: {jensen_shanon: 0.1}}\n",
         "schema.yaml:2:18: drift has no option 'jensen_shanon'; did you mean 'jensen_shannon'?"},
        {"features:\n  fare: {drift: {jensen_shannon: 7}}\n",
         "schema.yaml:2:34: option jensen_shannon: expected 0 to 1, found '7'"},
        {"features:\n  fare: {skew: {source: quantile}}\n", "schema.yaml:2:25: option source: expected standard or "
                                                            "quantiles, found 'quantile'; did you mean 'quantiles'?"},
        {"features:\n  fare: {severities: {SCHEMA_NEW_COLUM: warning}}\n",
         "schema.yaml:2:23: option severities: no anomaly is called 'SCHEMA_NEW_COLUM'; did you mean "
         "'SCHEMA_NEW_COLUMN'?"},
        {"severities: {SCHEMA_NEW_COLUMN: warn}\nfeatures: {}\n",
         "schema.yaml:1:33: option SCHEMA_NEW_COLUMN: expected error or warning, found 'warn'; did you mean "
         "'warning'?"},
        {"severities: warning\nfeatures: {}\n", "schema.yaml:1:13: option severities: expected a map such as "
                                                "{SCHEMA_NEW_COLUMN: warning}, found 'warning'"},
        {"dataset: {min_example: 1}\nfeatures: {}\n",
         "schema.yaml:1:11: dataset has no option 'min_example'; did you mean 'min_examples'?"},
        {"dataset: {drift: {min_ratio: x}}\nfeatures: {}\n",
         "schema.yaml:1:30: option min_ratio: expected a number, found 'x'"},
        {"features:\n  fare: {type: int}\n  fare: {type: int}\n",
         "schema.yaml:3:3: key 'fare' stands here again; first on line 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_schema s;
        PEN_CHECK_STATUS(parse(cases[i].text, &s, &err), PEN_ERR_CONFIG);
        PEN_CHECK_EQ_STR(err.message, cases[i].message);
        pen_schema_deinit(&s);
    }
}

static void cut_and_twisted_files_never_crash(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    char text[sizeof full];
    for (size_t i = 0; i < sizeof full - 1; i += 3) {
        struct pen_schema s;
        if (pen_schema_parse(full, i, "cut", &s, &err) == PEN_OK) {
            pen_schema_deinit(&s);
        }
        memcpy(text, full, sizeof full);
        text[i] = "{}[]:,#\"'-\n 0"[i % 13];
        if (pen_schema_parse(text, sizeof full - 1, "twisted", &s, &err) == PEN_OK) {
            struct pen_text printed = {0};
            PEN_CHECK_OK(pen_schema_print(&s, false, &printed, &err), &err);
            struct pen_schema again;
            PEN_CHECK_OK(parse(pen_text_view(&printed), &again, &err), &err);
            pen_text_deinit(&printed);
            pen_schema_deinit(&again);
            pen_schema_deinit(&s);
        }
    }
}

static void files(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    char path[PEN_PATH_BYTES];
    struct pen_schema s;
    struct pen_schema again;
    PEN_REQUIRE_OK(pen_path_join(path, pen_test_directory(), "schema.yaml", &err), &err);
    PEN_CHECK_STATUS(pen_schema_read(path, &s, &err), PEN_ERR_NOT_FOUND);
    PEN_REQUIRE_OK(parse(full, &s, &err), &err);
    PEN_REQUIRE_OK(pen_schema_write(&s, path, &err), &err);
    PEN_REQUIRE_OK(pen_schema_read(path, &again, &err), &err);
    PEN_CHECK_EQ_I64(again.n_features, s.n_features);
    pen_schema_deinit(&again);
    pen_schema_deinit(&s);
}

static void anomaly_table_is_complete(void)
{
    for (int i = 0; i < PEN_ANOMALY_COUNT; i++) {
        enum pen_anomaly found = PEN_ANOMALY_COUNT;
        const char *near = NULL;
        PEN_CHECK(pen_anomaly_types[i].name != NULL && strlen(pen_anomaly_types[i].description) > 10);
        PEN_CHECK(pen_anomaly_find(pen_anomaly_types[i].name, &found, &near) && (int)found == i);
    }
}

PEN_SUITE(schema, PEN_CASE(fields_arrive), PEN_CASE(print_is_the_inverse_of_parse), PEN_CASE(any_text_survives),
          PEN_CASE(environments), PEN_CASE(patch_replaces_adds_and_removes), PEN_CASE(long_domains_wrap),
          PEN_CASE(wrong_files_are_refused), PEN_CASE(cut_and_twisted_files_never_crash), PEN_CASE(files),
          PEN_CASE(anomaly_table_is_complete));
