/* The verdict: every threshold on every slice it names, one sentence each. */
#include "components/evaluator/thresholds.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_change(enum pen_rule rule)
{
    return rule != PEN_RULE_MIN && rule != PEN_RULE_MAX;
}

static bool is_lower_bound(enum pen_rule rule)
{
    return rule == PEN_RULE_MIN || rule == PEN_RULE_MIN_CHANGE || rule == PEN_RULE_MIN_RELATIVE_CHANGE;
}

static bool spec_names(const struct pen_slice_spec *spec, const struct pen_slice *slice)
{
    if (spec->n_columns != slice->spec->n_columns) {
        return false;
    }
    for (int64_t i = 0; i < spec->n_columns; i++) {
        const char *value = slice->values != NULL ? slice->values[i] : NULL;
        if (strcmp(spec->columns[i], slice->spec->columns[i]) != 0 ||
            (spec->values != NULL && (value == NULL || strcmp(spec->values[i], value) != 0))) {
            return false;
        }
    }
    return true;
}

struct count {
    int64_t n_checked, n_failed, n_dropped;
};

/* "auc 0.913 >= 0.7 (overall): met" */
static void say(pen_json *reasons, const struct pen_threshold *item, const struct pen_judged *at, double value,
                bool met)
{
    struct pen_text text = {0};
    char bound[PEN_NUMBER_BYTES], shown[64], baseline[64];
    static const char *const kinds[] = {"", "", " change", " change", " relative change", " relative change"};
    (void)snprintf(shown, sizeof shown, is_change(item->rule) ? "%+.6g" : "%.6g", value);
    (void)snprintf(baseline, sizeof baseline, "%.6g", at->baseline);
    (void)pen_format_double(bound, item->bound);
    if (!met && strcmp(shown[0] == '+' ? shown + 1 : shown, bound) == 0) {
        (void)snprintf(shown, sizeof shown, "%.17g", value);
    }
    pen_text_printf(&text, "%s%s %s %s %s (%s): %s", at->metric, kinds[item->rule], shown,
                    is_lower_bound(item->rule) ? ">=" : "<=", bound, at->slice->title, met ? "met" : "not met");
    if (is_change(item->rule)) {
        pen_text_printf(&text, "; baseline %s", baseline);
    }
    pen_json_push(reasons, pen_json_string(pen_text_view(&text)));
    pen_text_deinit(&text);
}

static void say_undefined(pen_json *reasons, const struct pen_judged *at, const char *what, const char *why)
{
    struct pen_text text = {0};
    pen_text_printf(&text, "%s%s undefined (%s): not met; %s", at->metric, what, at->slice->title, why);
    pen_json_push(reasons, pen_json_string(pen_text_view(&text)));
    pen_text_deinit(&text);
}

/* Whether one threshold holds on one slice. */
static bool check(pen_json *reasons, const struct pen_threshold *item, const struct pen_judged *at)
{
    double value = at->value;
    if (isnan(value)) {
        say_undefined(reasons, at, "", at->why != NULL ? at->why : "no value");
        return false;
    }
    if (is_change(item->rule)) {
        bool relative = item->rule == PEN_RULE_MIN_RELATIVE_CHANGE || item->rule == PEN_RULE_MAX_RELATIVE_CHANGE;
        value -= at->baseline;
        if (isnan(at->baseline)) {
            say_undefined(reasons, at, " change", "the baseline has no value here");
            return false;
        }
        if (relative && fabs(at->baseline) < 1e-12) {
            say_undefined(reasons, at, " relative change", "the baseline is 0");
            return false;
        }
        value /= relative ? fabs(at->baseline) : 1;
    }
    bool met = is_lower_bound(item->rule) ? value >= item->bound : value <= item->bound;
    say(reasons, item, at, value, met);
    return met;
}

static void judge_spec(const struct pen_threshold *item, const struct pen_slice_spec *spec,
                       const struct pen_judged *values, int64_t n_values, pen_json *reasons, struct count *count)
{
    int64_t n_found = 0;
    for (int64_t i = 0; i < n_values; i++) {
        if (strcmp(values[i].metric, item->metric) == 0 && (spec == NULL || spec_names(spec, values[i].slice))) {
            n_found++;
            count->n_checked++;
            count->n_failed += check(reasons, item, &values[i]) ? 0 : 1;
        }
    }
    if (n_found == 0) {
        struct pen_text text = {0};
        const char *whole = spec == NULL ? "all slices" : spec->n_columns == 0 ? "overall" : "";
        pen_text_printf(&text, "%s (%s", item->metric, whole);
        for (int64_t i = 0; spec != NULL && i < spec->n_columns; i++) {
            pen_text_printf(&text, "%s%s%s%s", i > 0 ? " " : "", spec->columns[i], spec->values != NULL ? "=" : "",
                            spec->values != NULL ? spec->values[i] : "");
        }
        pen_text_append(&text, "): not met; no such slice was evaluated");
        pen_json_push(reasons, pen_json_string(pen_text_view(&text)));
        pen_text_deinit(&text);
        count->n_checked++;
        count->n_failed++;
    }
}

static void drop(const struct pen_threshold *item, pen_json *reasons, struct count *count)
{
    static const char *const names[] = {
        "min", "max", "min_change", "max_change", "min_relative_change", "max_relative_change"};
    struct pen_text text = {0};
    char bound[PEN_NUMBER_BYTES];
    pen_text_printf(&text, "%s %s %s: not checked, there is no baseline yet", item->metric, names[item->rule],
                    pen_format_double(bound, item->bound));
    pen_json_push(reasons, pen_json_string(pen_text_view(&text)));
    pen_text_deinit(&text);
    count->n_dropped++;
}

static void headline(struct pen_text *text, const struct pen_threshold_list *list, const struct count *count)
{
    long long checked = count->n_checked, failed = count->n_failed;
    if (list->n_items == 0) {
        pen_text_append(text, "blessed: no threshold asked for");
    } else if (failed > 0) {
        pen_text_printf(text, "not blessed: %lld of %lld threshold%s not met", failed, checked,
                        checked == 1 ? "" : "s");
    } else if (checked == 0) {
        pen_text_append(text, "blessed: the first model; thresholds on change need a baseline");
    } else if (checked == 1) {
        pen_text_append(text, "blessed: the threshold holds");
    } else {
        pen_text_printf(text, "blessed: all %lld thresholds hold", checked);
    }
}

pen_status pen_thresholds_judge(const struct pen_threshold_list *list, const struct pen_judged *values,
                                int64_t n_values, bool has_baseline, struct pen_verdict *verdict, struct pen_error *err)
{
    struct count count = {0};
    struct pen_text text = {0};
    pen_json *details = pen_json_array();
    for (int64_t i = 0; i < list->n_items; i++) {
        const struct pen_threshold *item = &list->items[i];
        if (is_change(item->rule) && !has_baseline) {
            drop(item, details, &count);
        } else if (item->all_slices) {
            judge_spec(item, NULL, values, n_values, details, &count);
        } else {
            for (int64_t s = 0; s < item->n_specs; s++) {
                judge_spec(item, &item->specs[s], values, n_values, details, &count);
            }
        }
    }
    headline(&text, list, &count);
    verdict->blessed = count.n_failed == 0;
    verdict->reasons = pen_json_array();
    pen_json_push(verdict->reasons, pen_json_string(pen_text_view(&text)));
    for (int64_t i = 0; i < pen_json_size(details); i++) {
        pen_json_push(verdict->reasons, pen_json_copy(pen_json_at(details, i)));
    }
    pen_status status = pen_text_check(&text, err);
    pen_text_deinit(&text);
    pen_json_free(details);
    return status;
}
