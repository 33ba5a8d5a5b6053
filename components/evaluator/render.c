/* Plain text, no colour: fixed columns, numbers to four significant digits or so. */
#include "components/evaluator/render.h"

#include <stdio.h>

enum { TITLE_WIDTH = 34, METRIC_WIDTH = 12 };

static const char *shown(const pen_json *value, char text[32])
{
    if (!pen_json_is_number(value)) {
        return "-";
    }
    (void)snprintf(text, 32, "%.5g", pen_json_number_or(value, 0));
    return text;
}

static void title_of(const pen_json *slice, struct pen_text *title)
{
    const char *key = NULL;
    const pen_json *value = NULL;
    for (int64_t i = 0; pen_json_member(slice, i, &key, &value); i++) {
        char text[32];
        pen_text_printf(title, "%s%s=", i > 0 ? " " : "", key);
        if (pen_json_is_string(value)) {
            pen_text_append(title, pen_json_string_or(value, ""));
        } else {
            pen_text_append(title, pen_json_is_number(value) ? shown(value, text) : "(missing)");
        }
    }
    if (title->size_bytes == 0) {
        pen_text_append(title, "overall");
    }
}

/* Both ends, those of a change with their sign; nothing where there is no interval. */
static void range(const pen_json *low, const pen_json *high, bool change, char text[80])
{
    text[0] = '\0';
    if (pen_json_is_number(low) && pen_json_is_number(high)) {
        double from = pen_json_number_or(low, 0), to = pen_json_number_or(high, 0);
        (void)(change ? snprintf(text, 80, "%+.3g .. %+.3g", from, to) : snprintf(text, 80, "%.5g .. %.5g", from, to));
    }
}

static void overall(const pen_json *slice, struct pen_text *out)
{
    const char *key = NULL;
    const pen_json *metric = NULL;
    pen_text_printf(out, "\noverall, %lld rows\n  %-24s %10s %23s %10s %26s\n",
                    (long long)pen_json_int_or(pen_json_get(slice, "rows"), 0), "metric", "value", "interval",
                    "baseline", "interval of the change");
    for (int64_t i = 0; pen_json_member(pen_json_get(slice, "metrics"), i, &key, &metric); i++) {
        char value[32], baseline[32], interval[80], change[80];
        range(pen_json_get(metric, "low"), pen_json_get(metric, "high"), false, interval);
        range(pen_json_get(metric, "change_low"), pen_json_get(metric, "change_high"), true, change);
        const char *why = pen_json_string_or(pen_json_get(metric, "why"), NULL);
        pen_text_printf(out, "  %-24s %10s %23s %10s %26s%s%s\n", key, shown(pen_json_get(metric, "value"), value),
                        interval, shown(pen_json_get(metric, "baseline"), baseline), change, why != NULL ? "  " : "",
                        why != NULL ? why : "");
    }
}

static void slice_row(const pen_json *slice, int64_t n_metrics, struct pen_text *out)
{
    struct pen_text title = {0};
    const char *key = NULL;
    const pen_json *metric = NULL;
    title_of(pen_json_get(slice, "slice"), &title);
    pen_text_printf(out, "  %-*.*s %9lld", TITLE_WIDTH, TITLE_WIDTH, pen_text_view(&title),
                    (long long)pen_json_int_or(pen_json_get(slice, "rows"), 0));
    for (int64_t i = 0; i < n_metrics && pen_json_member(pen_json_get(slice, "metrics"), i, &key, &metric); i++) {
        char value[32];
        pen_text_printf(out, " %*s", METRIC_WIDTH - 1, shown(pen_json_get(metric, "value"), value));
    }
    pen_text_append_char(out, '\n');
    pen_text_deinit(&title);
}

static void slices_table(const pen_json *slices, int64_t columns, int64_t most_slices, struct pen_text *out)
{
    int64_t n = pen_json_size(slices) - 1, n_metrics = (columns - TITLE_WIDTH - 12) / METRIC_WIDTH;
    int64_t n_shown = most_slices > 0 && most_slices < n ? most_slices : n;
    const char *key = NULL;
    const pen_json *metric = NULL;
    n_metrics = n_metrics < 1 ? 1 : n_metrics;
    pen_text_printf(out, "\n  %-*s %9s", TITLE_WIDTH, "slice", "rows");
    const pen_json *metrics = pen_json_get(pen_json_at(slices, 0), "metrics");
    for (int64_t i = 0; i < n_metrics && pen_json_member(metrics, i, &key, &metric); i++) {
        pen_text_printf(out, " %*.*s", METRIC_WIDTH - 1, METRIC_WIDTH - 1, key);
    }
    pen_text_append_char(out, '\n');
    for (int64_t i = 1; i <= n_shown; i++) {
        slice_row(pen_json_at(slices, i), n_metrics, out);
    }
    if (n_shown < n) {
        pen_text_printf(out, "  and %lld more slices\n", (long long)(n - n_shown));
    }
}

static void lines(const pen_json *list, const char *lead, struct pen_text *out)
{
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        pen_text_printf(out, "%s%s\n", i > 0 ? "  " : lead, pen_json_string_or(pen_json_at(list, i), ""));
    }
}

void pen_evaluation_render(const pen_json *evaluation, int64_t columns, int64_t most_slices, struct pen_text *out)
{
    const pen_json *slices = pen_json_get(evaluation, "slices");
    lines(pen_json_get(evaluation, "reasons"), "", out);
    pen_text_printf(out, "baseline: %s\n", pen_json_string_or(pen_json_get(evaluation, "baseline"), "none yet"));
    if (pen_json_size(slices) > 0) {
        overall(pen_json_at(slices, 0), out);
    }
    if (pen_json_size(slices) > 1) {
        slices_table(slices, columns, most_slices, out);
    }
    if (pen_json_size(pen_json_get(evaluation, "notes")) > 0) {
        pen_text_append_char(out, '\n');
        lines(pen_json_get(evaluation, "notes"), "  ", out);
    }
}
