/* What the data is like: statistics, schema, anomalies. */
#include "orchestrator/report/chart.h"
#include "orchestrator/report/html.h"
#include "orchestrator/report/parts.h"

#include <string.h>

enum { BINS = 32, TOP_SHOWN = 3, VALUE_BYTES = 60 };

static const char *text_of(const pen_json *object, const char *key)
{
    return pen_json_string_or(pen_json_get(object, key), "");
}

static int64_t count_of(const pen_json *object, const char *key)
{
    return pen_json_int_or(pen_json_get(object, key), 0);
}

static void missing_cell(struct pen_text *out, const pen_json *feature)
{
    double missing = (double)count_of(feature, "missing"), all = missing + (double)count_of(feature, "count");
    pen_text_printf(out, "<td class=\"number\">%.3g %%</td>", all > 0 ? 100 * missing / all : 0);
}

static bool is_text(const pen_json *feature)
{
    return strcmp(text_of(feature, "type"), "string") == 0;
}

static void number_row(struct pen_text *out, const char *name, const pen_json *feature)
{
    static const char *const columns[] = {"mean", "std", "min", "median", "max", "zeros", "unique"};
    const pen_json *histogram = pen_json_get(feature, "histogram");
    double heights[BINS];
    int64_t n = pen_json_size(histogram) < BINS ? pen_json_size(histogram) : BINS;
    pen_text_append(out, "<tr>");
    pen_html_cell(out, name);
    pen_html_cell(out, text_of(feature, "type"));
    for (int64_t i = 0; i < n; i++) {
        heights[i] = pen_json_number_or(pen_json_at(pen_json_at(histogram, i), 2), 0);
    }
    pen_text_append(out, "<td>");
    pen_chart_bars(out, "histogram", heights, n);
    pen_text_append(out, "</td>");
    missing_cell(out, feature);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        pen_html_cell_number(out, pen_json_get(feature, columns[i]));
    }
    pen_text_append(out, "</tr>\n");
}

/* Free text is as long as it likes; its beginning will do. */
static void value_text(struct pen_text *out, const pen_json *value)
{
    const char *text = pen_json_string_or(value, "");
    char start[VALUE_BYTES + 1];
    size_t size = strnlen(text, VALUE_BYTES);
    memcpy(start, text, size);
    start[size] = '\0';
    start[pen_utf8_valid_prefix(start, size)] = '\0';
    pen_html_text(out, start);
    pen_text_append(out, text[size] != '\0' ? "\xE2\x80\xA6" : "");
}

static void text_row(struct pen_text *out, const char *name, const pen_json *feature)
{
    const pen_json *top = pen_json_get(feature, "top");
    double heights[BINS], all = (double)count_of(feature, "count");
    int64_t n = pen_json_size(top) < BINS ? pen_json_size(top) : BINS;
    pen_text_append(out, "<tr>");
    pen_html_cell(out, name);
    missing_cell(out, feature);
    pen_html_cell_number(out, pen_json_get(feature, "unique"));
    pen_html_cell_number(out, pen_json_get(feature, "avg_length"));
    pen_text_append(out, "<td>");
    for (int64_t i = 0; i < n; i++) {
        heights[i] = pen_json_number_or(pen_json_at(pen_json_at(top, i), 1), 0);
        if (i < TOP_SHOWN) {
            pen_text_append(out, i > 0 ? ", " : "");
            value_text(out, pen_json_at(pen_json_at(top, i), 0));
            pen_text_printf(out, " <span class=\"soft\">%.3g %%</span>", all > 0 ? 100 * heights[i] / all : 0);
        }
    }
    pen_text_append(out, "</td><td>");
    pen_chart_bars(out, "most frequent values", heights, n);
    pen_text_append(out, "</td></tr>\n");
}

/* The features of one kind; nothing when there are none. */
static void feature_table(struct pen_text *out, const pen_json *features, bool text)
{
    const char *name = NULL;
    const pen_json *feature = NULL;
    int64_t n = 0;
    for (int64_t i = 0; pen_json_member(features, i, &name, &feature); i++) {
        n += is_text(feature) == text;
    }
    if (n == 0) {
        return;
    }
    pen_text_append(out, "<div class=\"wide\" tabindex=\"0\"><table><thead><tr>");
    pen_text_append(out,
                    text ? "<th>strings</th><th class=\"number\">missing</th><th class=\"number\">distinct</th><th "
                           "class=\"number\">length</th><th>most frequent</th><th>counts</th>"
                         : "<th>numbers</th><th>type</th><th>histogram</th><th class=\"number\">missing</th><th "
                           "class=\"number\">mean</th><th class=\"number\">std</th><th class=\"number\">min</th><th "
                           "class=\"number\">median</th><th class=\"number\">max</th><th "
                           "class=\"number\">zeros</th><th class=\"number\">distinct</th>");
    pen_text_append(out, "</tr></thead><tbody>\n");
    for (int64_t i = 0; pen_json_member(features, i, &name, &feature); i++) {
        if (is_text(feature) == text) {
            (text ? text_row : number_row)(out, name, feature);
        }
    }
    pen_text_append(out, "</tbody></table></div>\n");
}

void pen_page_statistics(struct pen_text *out, const pen_json *statistics)
{
    const char *split = NULL;
    const pen_json *of_split = NULL;
    pen_html_section(out, "statistics", "Statistics");
    for (int64_t i = 0; pen_json_member(pen_json_get(statistics, "splits"), i, &split, &of_split); i++) {
        pen_text_append(out, "<h3>");
        pen_html_text(out, split);
        pen_text_append(out, ", ");
        pen_html_count(out, count_of(of_split, "rows"));
        pen_text_append(out, " rows</h3>\n");
        feature_table(out, pen_json_get(of_split, "features"), false);
        feature_table(out, pen_json_get(of_split, "features"), true);
    }
    pen_html_section_end(out);
}

void pen_page_schema(struct pen_text *out, const char *yaml)
{
    pen_html_section(out, "schema", "Schema");
    pen_text_append(out, "<details><summary>the schema the data was held to</summary><pre>");
    pen_html_text(out, yaml);
    pen_text_append(out, "</pre></details>\n");
    pen_html_section_end(out);
}

static void anomaly_row(struct pen_text *out, const pen_json *anomaly)
{
    const pen_json *examples = pen_json_get(anomaly, "examples");
    const char *change = text_of(pen_json_get(anomaly, "change"), "yaml");
    pen_text_printf(out, "<tr><td class=\"%s\">", strcmp(text_of(anomaly, "severity"), "error") == 0 ? "bad" : "wait");
    pen_html_text(out, text_of(anomaly, "severity"));
    pen_text_append(out, "</td>");
    pen_html_cell(out, pen_json_string_or(pen_json_get(anomaly, "feature"), "(data set)"));
    pen_html_cell(out, text_of(anomaly, "type"));
    pen_html_cell(out, text_of(anomaly, "expected"));
    pen_text_append(out, "<td>");
    pen_html_text(out, text_of(anomaly, "seen"));
    for (int64_t i = 0; i < pen_json_size(examples); i++) {
        const pen_json *example = pen_json_at(examples, i);
        pen_text_printf(out, "<br><span class=\"soft\">row %lld: ", (long long)count_of(example, "row"));
        pen_html_text(out, pen_json_string_or(pen_json_get(example, "value"), "(empty)"));
        pen_text_append(out, "</span>");
    }
    if (change[0] != '\0') {
        pen_text_append(out, "<details><summary>to accept it, put into schema.yaml</summary><pre>");
        pen_html_text(out, change);
        pen_text_append(out, "</pre></details>");
    }
    pen_text_append(out, "</td></tr>\n");
}

static void distances(struct pen_text *out, const pen_json *list)
{
    if (pen_json_size(list) == 0) {
        return;
    }
    pen_text_append(out, "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>distance</th><th>feature</th><th>"
                         "measure</th><th class=\"number\">value</th><th class=\"number\">threshold</th></tr></thead>"
                         "<tbody>\n");
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        const pen_json *item = pen_json_at(list, i);
        pen_text_append(out, "<tr>");
        pen_html_cell(out, text_of(item, "kind"));
        pen_html_cell(out, text_of(item, "feature"));
        pen_html_cell(out, text_of(item, "measure"));
        pen_html_cell_number(out, pen_json_get(item, "value"));
        pen_html_cell_number(out, pen_json_get(item, "threshold"));
        pen_text_append(out, "</tr>\n");
    }
    pen_text_append(out, "</tbody></table></div>\n");
}

void pen_page_anomalies(struct pen_text *out, const pen_json *anomalies)
{
    const char *name = NULL;
    const pen_json *split = NULL;
    pen_html_section(out, "anomalies", "Anomalies");
    for (int64_t i = 0; pen_json_member(pen_json_get(anomalies, "splits"), i, &name, &split); i++) {
        const pen_json *list = pen_json_get(split, "anomalies");
        bool blessed = pen_json_bool_or(pen_json_get(split, "blessed"), false);
        pen_text_append(out, "<h3>");
        pen_html_text(out, name);
        pen_text_printf(out, ": <span class=\"%s\">%s</span>, %lld anomal%s</h3>\n", blessed ? "good" : "bad",
                        blessed ? "blessed" : "not blessed", (long long)pen_json_size(list),
                        pen_json_size(list) == 1 ? "y" : "ies");
        if (pen_json_size(list) > 0) {
            pen_text_append(out,
                            "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>severity</th><th>feature</th>"
                            "<th>anomaly</th><th>expected</th><th>seen</th></tr></thead><tbody>\n");
            for (int64_t k = 0; k < pen_json_size(list); k++) {
                anomaly_row(out, pen_json_at(list, k));
            }
            pen_text_append(out, "</tbody></table></div>\n");
        }
        distances(out, pen_json_get(split, "drift_skew"));
    }
    pen_html_section_end(out);
}
