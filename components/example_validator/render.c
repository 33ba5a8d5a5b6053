/* Plain lines: one heading a split, one block an anomaly, each feature's change once, distances as a table. */
#include "components/example_validator/render.h"

#include <string.h>

static const char *text_of(const pen_json *object, const char *key)
{
    return pen_json_string_or(pen_json_get(object, key), "");
}

static void render_examples(const pen_json *anomaly, struct pen_text *text)
{
    const pen_json *rows = pen_json_get(anomaly, "rows");
    const pen_json *examples = pen_json_get(anomaly, "examples");
    if (pen_json_is_int(rows)) {
        pen_text_printf(text, "      rows      %lld (%.4g %%)\n", (long long)pen_json_int_or(rows, 0),
                        100.0 * pen_json_number_or(pen_json_get(anomaly, "share"), 0.0));
    }
    for (int64_t i = 0; i < pen_json_size(examples); i++) {
        const pen_json *example = pen_json_at(examples, i);
        pen_text_printf(text, "      %s row %lld: %s\n", i == 0 ? "such as  " : "         ",
                        (long long)pen_json_int_or(pen_json_get(example, "row"), -1),
                        pen_json_string_or(pen_json_get(example, "value"), "(empty)"));
    }
}

static void render_change(const char *yaml, struct pen_text *text)
{
    pen_text_append(text, "      to accept it, put into schema.yaml:\n");
    for (const char *at = yaml; *at != '\0';) {
        size_t line = strcspn(at, "\n");
        pen_text_append(text, "        ");
        pen_text_append_bytes(text, at, line);
        pen_text_append_char(text, '\n');
        at += line + (at[line] == '\n');
    }
}

static void render_anomalies(const pen_json *list, struct pen_text *text)
{
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        const pen_json *anomaly = pen_json_at(list, i);
        const char *yaml = text_of(pen_json_get(anomaly, "change"), "yaml");
        const pen_json *next = i + 1 < pen_json_size(list) ? pen_json_at(list, i + 1) : NULL;
        pen_text_printf(text, "  %-7s %s: %s\n", text_of(anomaly, "severity"),
                        pen_json_string_or(pen_json_get(anomaly, "feature"), "(data set)"), text_of(anomaly, "type"));
        pen_text_printf(text, "      expected  %s   [%s]\n", text_of(anomaly, "expected"), text_of(anomaly, "rule"));
        pen_text_printf(text, "      seen      %s\n", text_of(anomaly, "seen"));
        render_examples(anomaly, text);
        /* Neighbours of one feature share their change: it is shown once, after the last. */
        if (yaml[0] != '\0' && (next == NULL || strcmp(text_of(pen_json_get(next, "change"), "yaml"), yaml) != 0)) {
            render_change(yaml, text);
        }
    }
}

static void render_distances(const pen_json *list, struct pen_text *text)
{
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        const pen_json *item = pen_json_at(list, i);
        const pen_json *value = pen_json_get(item, "value");
        pen_text_printf(text, "  %-5s %s %s ", text_of(item, "kind"), text_of(item, "feature"),
                        text_of(item, "measure"));
        if (pen_json_is_number(value)) {
            pen_text_printf(text, "%.6g", pen_json_number_or(value, 0.0));
        } else {
            pen_text_printf(text, "not measured: %s", text_of(item, "note"));
        }
        pen_text_printf(text, " (threshold %.6g)%s\n", pen_json_number_or(pen_json_get(item, "threshold"), 0.0),
                        pen_json_bool_or(pen_json_get(item, "crossed"), false) ? " crossed" : "");
    }
}

pen_status pen_anomalies_render(const pen_json *anomalies, struct pen_text *text, struct pen_error *err)
{
    const pen_json *splits = NULL;
    const char *name = NULL;
    const pen_json *split = NULL;
    PEN_TRY(pen_json_need_object(anomalies, "splits", "anomalies.json", &splits, err));
    for (int64_t i = 0; pen_json_member(splits, i, &name, &split); i++) {
        const pen_json *list = pen_json_get(split, "anomalies");
        int64_t n = pen_json_size(list);
        const char *environment = text_of(split, "environment");
        pen_text_printf(text, "%s: %lld rows%s%s, %s", name, (long long)pen_json_int_or(pen_json_get(split, "rows"), 0),
                        environment[0] == '\0' ? "" : ", ", environment,
                        pen_json_bool_or(pen_json_get(split, "blessed"), false) ? "blessed" : "not blessed");
        if (n == 0) {
            pen_text_append(text, ", no anomalies\n");
        } else {
            pen_text_printf(text, ", %lld anomal%s\n", (long long)n, n == 1 ? "y" : "ies");
        }
        render_anomalies(list, text);
        render_distances(pen_json_get(split, "drift_skew"), text);
    }
    return pen_text_check(text, err);
}
