/* Thresholds: every rule, what an undefined value or an absent baseline means, and the exact words. */
#include "components/evaluator/thresholds.h"

#include "core/memory.h"
#include "tests/pen_test.h"

static const char *const city[] = {"city"};
static const char *const oslo[] = {"Oslo"}, *const rome[] = {"Rome"};
static const struct pen_slice_spec no_columns = {.n_columns = 0};

struct judging {
    struct pen_arena arena;
    struct pen_error err;
    struct pen_threshold_list list;
    struct pen_verdict verdict;
};

static pen_status judge(struct judging *j, const char *yaml, bool has_baseline)
{
    const char *columns[] = {city[0]};
    struct pen_slice_spec by_city = {.n_columns = 1, .columns = columns};
    bool text[] = {false};
    struct pen_slice slices[] = {{&no_columns, NULL, NULL, "overall", 100},
                                 {&by_city, oslo, text, "city=Oslo", 60},
                                 {&by_city, rome, text, "city=Rome", 40}};
    double nan = (double)NAN;
    struct pen_judged values[] = {{&slices[0], "auc", 0.913, 0.91, NULL},
                                  {&slices[0], "logloss", 0.4, 0.5, NULL},
                                  {&slices[0], "calibration", 1.02, 0.0, NULL},
                                  {&slices[1], "auc", 0.7, 0.9, NULL},
                                  {&slices[2], "auc", nan, nan, "only one class among the labels"}};
    struct pen_config_node *node = NULL;
    *j = (struct judging){.err = PEN_ERROR_INIT};
    PEN_TRY(pen_config_parse(&j->arena, yaml, strlen(yaml), "t.yaml", &node, &j->err));
    PEN_TRY(pen_thresholds_read(&j->arena, node, &j->list, &j->err));
    return pen_thresholds_judge(&j->list, values, 5, has_baseline, &j->verdict, &j->err);
}

static const char *reason(const struct judging *j, int64_t i)
{
    return pen_json_string_or(pen_json_at(j->verdict.reasons, i), "(none)");
}

static void end(struct judging *j)
{
    pen_json_free(j->verdict.reasons);
    pen_arena_deinit(&j->arena);
}

static void every_rule_decides_in_words(void)
{
    static const struct {
        const char *yaml;
        bool has_baseline, blessed;
        const char *headline, *reason;
    } table[] = {
        {"{}", true, true, "blessed: no threshold asked for", "(none)"},
        {"auc: {min: 0.70}", true, true, "blessed: the threshold holds", "auc 0.913 >= 0.7 (overall): met"},
        {"auc: {min: 0.913}", true, true, "blessed: the threshold holds", "auc 0.913 >= 0.913 (overall): met"},
        {"auc: {min: 0.95}", true, false, "not blessed: 1 of 1 threshold not met",
         "auc 0.913 >= 0.95 (overall): not met"},
        {"logloss: {max: 0.4}", true, true, "blessed: the threshold holds", "logloss 0.4 <= 0.4 (overall): met"},
        {"logloss: {max: 0.3}", true, false, "not blessed: 1 of 1 threshold not met",
         "logloss 0.4 <= 0.3 (overall): not met"},
        {"auc: {min_change: 0}", true, true, "blessed: the threshold holds",
         "auc change +0.003 >= 0 (overall): met; baseline 0.91"},
        {"auc: {min_change: 0.01}", true, false, "not blessed: 1 of 1 threshold not met",
         "auc change +0.003 >= 0.01 (overall): not met; baseline 0.91"},
        {"logloss: {max_change: 0}", true, true, "blessed: the threshold holds",
         "logloss change -0.1 <= 0 (overall): met; baseline 0.5"},
        {"logloss: {max_relative_change: -0.3}", true, false, "not blessed: 1 of 1 threshold not met",
         "logloss relative change -0.2 <= -0.3 (overall): not met; baseline 0.5"},
        {"auc: {min_relative_change: -0.1}", true, true, "blessed: the threshold holds",
         "auc relative change +0.0032967 >= -0.1 (overall): met; baseline 0.91"},
        {"calibration: {max_relative_change: 9}", true, false, "not blessed: 1 of 1 threshold not met",
         "calibration relative change undefined (overall): not met; the baseline is 0"},
        {"auc: {min_change: 0.0}", false, true, "blessed: the first model; thresholds on change need a baseline",
         "auc min_change 0: not checked, there is no baseline yet"},
        {"auc: {min: 0.6, slices: [{city: Oslo}]}", true, true, "blessed: the threshold holds",
         "auc 0.7 >= 0.6 (city=Oslo): met"},
        {"auc: {min: 0.6, slices: [{city: Rome}]}", true, false, "not blessed: 1 of 1 threshold not met",
         "auc undefined (city=Rome): not met; only one class among the labels"},
        {"auc: {min: 0.6, slices: [{city: Bonn}]}", true, false, "not blessed: 1 of 1 threshold not met",
         "auc (city=Bonn): not met; no such slice was evaluated"},
        {"auc: {min: 0.6, slices: [city]}", true, false, "not blessed: 1 of 2 thresholds not met",
         "auc 0.7 >= 0.6 (city=Oslo): met"},
        {"auc: {min: 0.6, slices: all}", true, false, "not blessed: 1 of 3 thresholds not met",
         "auc 0.913 >= 0.6 (overall): met"},
        {"recall: {min: 0.1}", true, false, "not blessed: 1 of 1 threshold not met",
         "recall (overall): not met; no such slice was evaluated"},
        {"{auc: {min: 0.7, min_change: 0}, logloss: {max: 1}}", true, true, "blessed: all 3 thresholds hold",
         "auc 0.913 >= 0.7 (overall): met"},
        {"{auc: {min: 0.7, min_change: 0}}", false, true, "blessed: the threshold holds",
         "auc 0.913 >= 0.7 (overall): met"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct judging j;
        PEN_CHECK_OK(judge(&j, table[i].yaml, table[i].has_baseline), &j.err);
        PEN_CHECK_MSG(j.verdict.blessed == table[i].blessed, "%s: blessed is %d", table[i].yaml, j.verdict.blessed);
        PEN_CHECK_EQ_STR(reason(&j, 0), table[i].headline);
        PEN_CHECK_EQ_STR(reason(&j, 1), table[i].reason);
        end(&j);
    }
}

static void slips_are_reported_with_their_place(void)
{
    static const struct {
        const char *yaml, *part;
    } table[] = {{"auc: {mim: 0.7}", "did you mean min?"},
                 {"auc: 0.7", "expected a map such as {min: 0.7}"},
                 {"auc: {min: high}", "t.yaml:1:"},
                 {"[auc]", "expected a map"},
                 {"auc: {min: 1, slices: 3}", "expected a list"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct judging j;
        PEN_CHECK(judge(&j, table[i].yaml, true) != PEN_OK);
        PEN_CHECK_CONTAINS(j.err.message, table[i].part);
        end(&j);
    }
}

PEN_SUITE(thresholds, PEN_CASE(every_rule_decides_in_words), PEN_CASE(slips_are_reported_with_their_place));
