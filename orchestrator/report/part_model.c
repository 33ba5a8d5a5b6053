/* What the model is like: training curves, evaluation. */
#include "core/memory.h"
#include "orchestrator/report/chart.h"
#include "orchestrator/report/html.h"
#include "orchestrator/report/parts.h"

#include <math.h>
#include <string.h>

enum { MOST_SLICES = 200, SLICE_METRICS = 6 };

static const char *text_of(const pen_json *object, const char *key)
{
    return pen_json_string_or(pen_json_get(object, key), "");
}

static double number_of(const pen_json *value)
{
    return pen_json_number_or(value, NAN);
}

/* Column `key` of a list of objects, or place `key` of a list of lists. */
static void column_of(const pen_json *list, const char *key, int64_t place, double *column)
{
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        const pen_json *item = pen_json_at(list, i);
        column[i] = number_of(key != NULL ? pen_json_get(item, key) : pen_json_at(item, place));
    }
}

static void facts(struct pen_text *out, const pen_json *object)
{
    const char *key = NULL;
    const pen_json *value = NULL;
    pen_text_append(out, "<dl>");
    for (int64_t i = 0; pen_json_member(object, i, &key, &value); i++) {
        pen_text_append(out, "<dt>");
        for (const char *c = key; *c != '\0'; c++) {
            char letter[2] = {*c == '_' ? ' ' : *c, '\0'};
            pen_html_text(out, letter);
        }
        pen_text_append(out, "</dt><dd>");
        if (pen_json_is_number(value)) {
            pen_html_number(out, value);
        } else {
            pen_html_text(out, pen_json_is_bool(value) ? (pen_json_bool_or(value, false) ? "yes" : "no")
                                                       : pen_json_string_or(value, "\xE2\x80\x93"));
        }
        pen_text_append(out, "</dd>");
    }
    pen_text_append(out, "</dl>\n");
}

pen_status pen_page_curves(struct pen_text *out, const pen_json *curves, struct pen_error *err)
{
    const pen_json *points = pen_json_get(curves, "curves"), *result = pen_json_get(curves, "result");
    const char *metric = text_of(curves, "metric");
    const int64_t n = pen_json_size(points);
    double *columns = NULL;
    PEN_ALLOC(columns, 4 * n + 1, err);
    double *step = columns, *train = columns + n, *validation = train + n, *measured = validation + n;
    column_of(points, "step", 0, step);
    column_of(points, "train_loss", 0, train);
    column_of(points, "validation_loss", 0, validation);
    column_of(points, metric, 0, measured);
    struct pen_chart loss = {
        .title = "Loss",
        .x_name = "step",
        .y_name = "loss",
        .n_series = 2,
        .series = {{"training", n, step, train, false}, {"validation", n, step, validation, false}},
        .mark_x = number_of(pen_json_get(result, "best_step")),
        .mark_name = "kept"};
    struct pen_chart other = {.title = metric,
                              .x_name = "step",
                              .y_name = metric,
                              .n_series = 1,
                              .series = {{metric, n, step, measured, false}},
                              .mark_x = loss.mark_x,
                              .mark_name = "kept"};
    pen_html_section(out, "training", "Training");
    pen_chart_lines(out, &loss);
    pen_chart_lines(out, &other);
    facts(out, result);
    pen_html_section_end(out);
    pen_free(columns);
    return PEN_OK;
}

static void interval(struct pen_text *out, const pen_json *metric, const char *low, const char *high, bool change)
{
    double from = number_of(pen_json_get(metric, low)), to = number_of(pen_json_get(metric, high));
    pen_text_append(out, "<td class=\"number\">");
    if (from == 0 && to == 0) {
        pen_text_append(out, "0");
    } else if (isfinite(from) && isfinite(to)) {
        pen_text_printf(out, change ? "%+.3g \xE2\x80\xA6 %+.3g" : "%.5g \xE2\x80\xA6 %.5g", from, to);
    }
    pen_text_append(out, "</td>");
}

static void overall_table(struct pen_text *out, const pen_json *overall, double level)
{
    const char *name = NULL;
    const pen_json *metric = NULL, *metrics = pen_json_get(overall, "metrics");
    pen_text_printf(
        out,
        "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>metric</th><th class=\"number\">value</th>"
        "<th class=\"number\">%g %% interval</th><th class=\"number\">baseline</th><th class=\"number\">"
        "interval of the change</th></tr></thead><tbody>\n",
        100 * level);
    for (int64_t i = 0; pen_json_member(metrics, i, &name, &metric); i++) {
        pen_text_append(out, "<tr>");
        pen_html_cell(out, name);
        pen_html_cell_number(out, pen_json_get(metric, "value"));
        interval(out, metric, "low", "high", false);
        pen_html_cell_number(out, pen_json_get(metric, "baseline"));
        interval(out, metric, "change_low", "change_high", true);
        pen_text_append(out, "</tr>\n");
    }
    pen_text_append(out, "</tbody></table></div>\n");
}

static void slice_title(struct pen_text *out, const pen_json *slice)
{
    const char *key = NULL;
    const pen_json *value = NULL;
    for (int64_t i = 0; pen_json_member(slice, i, &key, &value); i++) {
        pen_text_append(out, i > 0 ? ", " : "");
        pen_html_text(out, key);
        pen_text_append(out, " = ");
        if (pen_json_is_number(value)) {
            pen_html_number(out, value);
        } else {
            pen_html_text(out, pen_json_string_or(value, "(missing)"));
        }
    }
}

static void slice_table(struct pen_text *out, const pen_json *slices)
{
    const char *name = NULL;
    const pen_json *metric = NULL, *first = pen_json_get(pen_json_at(slices, 0), "metrics");
    int64_t n = pen_json_size(slices);
    if (n < 2) {
        return;
    }
    pen_text_append(out, "<h3>Slices</h3><div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>slice</th><th "
                         "class=\"number\">rows</th>");
    for (int64_t i = 0; i < SLICE_METRICS && pen_json_member(first, i, &name, &metric); i++) {
        pen_text_append(out, "<th class=\"number\">");
        pen_html_text(out, name);
        pen_text_append(out, "</th>");
    }
    pen_text_append(out, "</tr></thead><tbody>\n");
    for (int64_t s = 1; s < n && s <= MOST_SLICES; s++) {
        const pen_json *slice = pen_json_at(slices, s);
        pen_text_append(out, "<tr><td>");
        slice_title(out, pen_json_get(slice, "slice"));
        pen_text_append(out, "</td>");
        pen_html_cell_number(out, pen_json_get(slice, "rows"));
        for (int64_t i = 0; i < SLICE_METRICS && pen_json_member(first, i, &name, &metric); i++) {
            pen_html_cell_number(out, pen_json_get(pen_json_get(pen_json_get(slice, "metrics"), name), "value"));
        }
        pen_text_append(out, "</tr>\n");
    }
    pen_text_append(out, "</tbody></table></div>\n");
    if (n > MOST_SLICES + 1) {
        pen_text_printf(out, "<p class=\"soft\">and %lld slices more</p>\n", (long long)(n - 1 - MOST_SLICES));
    }
}

static void confusion_table(struct pen_text *out, const pen_json *confusion)
{
    static const char *const cells[] = {"threshold", "tp", "fp", "fn", "tn"};
    if (!pen_json_is_number(pen_json_get(pen_json_at(confusion, 0), "tp"))) {
        return;
    }
    pen_text_append(out, "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th class=\"number\">threshold</th><th "
                         "class=\"number\">true positives</th><th class=\"number\">false positives</th><th "
                         "class=\"number\">false negatives</th><th class=\"number\">true negatives</th></tr></thead>"
                         "<tbody>\n");
    for (int64_t i = 0; i < pen_json_size(confusion); i++) {
        pen_text_append(out, "<tr>");
        for (size_t k = 0; k < sizeof cells / sizeof cells[0]; k++) {
            pen_html_cell_number(out, pen_json_get(pen_json_at(confusion, i), cells[k]));
        }
        pen_text_append(out, "</tr>\n");
    }
    pen_text_append(out, "</tbody></table></div>\n");
}

/* points: pairs {x, y}. */
static pen_status curve(struct pen_text *out, const pen_json *points, const struct pen_chart *form,
                        struct pen_error *err)
{
    const int64_t n = pen_json_size(points);
    struct pen_chart chart = *form;
    double *columns = NULL;
    PEN_ALLOC(columns, 2 * n + 1, err);
    column_of(points, NULL, 0, columns);
    column_of(points, NULL, 1, columns + n);
    chart.n_series = 1;
    chart.unit = true;
    chart.mark_x = NAN;
    chart.series[0] = (struct pen_chart_series){form->title, n, columns, columns + n, false};
    pen_chart_lines(out, &chart);
    pen_free(columns);
    return PEN_OK;
}

static pen_status calibration(struct pen_text *out, const pen_json *bins, struct pen_error *err)
{
    const int64_t n = pen_json_size(bins);
    double *columns = NULL;
    PEN_ALLOC(columns, 2 * n + 1, err);
    column_of(bins, "prediction", 0, columns);
    column_of(bins, "label", 0, columns + n);
    const struct pen_chart chart = {.title = "Calibration",
                                    .x_name = "mean prediction",
                                    .y_name = "mean label",
                                    .n_series = 1,
                                    .series = {{"calibration", n, columns, columns + n, true}},
                                    .unit = true,
                                    .diagonal = true,
                                    .mark_x = NAN};
    pen_chart_lines(out, &chart);
    pen_free(columns);
    return PEN_OK;
}

pen_status pen_page_evaluation(struct pen_text *out, const pen_json *evaluation, struct pen_error *err)
{
    static const struct pen_chart roc = {
        .title = "ROC", .x_name = "false positive rate", .y_name = "true positive rate", .diagonal = true};
    static const struct pen_chart pr = {.title = "Precision and recall", .x_name = "recall", .y_name = "precision"};
    const pen_json *slices = pen_json_get(evaluation, "slices"), *overall = pen_json_at(slices, 0);
    const pen_json *curves = pen_json_get(evaluation, "curves"), *reasons = pen_json_get(evaluation, "reasons");
    bool blessed = pen_json_bool_or(pen_json_get(evaluation, "blessed"), false);
    pen_html_section(out, "evaluation", "Evaluation");
    pen_text_printf(out, "<p class=\"%s\">%s</p><ul>", blessed ? "good" : "bad", blessed ? "blessed" : "not blessed");
    for (int64_t i = 0; i < pen_json_size(reasons); i++) {
        pen_text_append(out, "<li>");
        pen_html_text(out, pen_json_string_or(pen_json_at(reasons, i), ""));
        pen_text_append(out, "</li>");
    }
    pen_text_append(out, "</ul>\n");
    overall_table(out, overall,
                  pen_json_number_or(pen_json_get(pen_json_get(evaluation, "confidence"), "level"), 0.95));
    confusion_table(out, pen_json_get(overall, "confusion"));
    PEN_TRY(curve(out, pen_json_get(curves, "roc"), &roc, err));
    PEN_TRY(curve(out, pen_json_get(curves, "pr"), &pr, err));
    PEN_TRY(calibration(out, pen_json_get(overall, "calibration"), err));
    slice_table(out, slices);
    pen_html_section_end(out);
    return PEN_OK;
}
