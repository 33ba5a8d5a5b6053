/* Two runs side by side: what the models came to, what was different, what their nodes did. */
#include "orchestrator/query/compare.h"
#include "orchestrator/report/html.h"
#include "orchestrator/ui/ui_internal.h"

#include <stdio.h>

enum { CHANGES_SHOWN = 40 };

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static void run_heads(struct pen_ui_call *call, const pen_json *document, const char *kind, const char *between)
{
    pen_text_printf(call->out, "<th%s>", kind);
    pen_ui_link(call, "run", text_of(pen_json_get(document, "a"), "run"));
    pen_text_printf(call->out, "</th>%s<th%s>", between, kind);
    pen_ui_link(call, "run", text_of(pen_json_get(document, "b"), "run"));
    pen_text_append(call->out, "</th>");
}

static void change_cell(struct pen_text *out, const pen_json *change)
{
    const double value = pen_json_number_or(change, 0);
    pen_text_append(out, "<td class=\"number\">");
    if (pen_json_is_number(change)) {
        pen_text_printf(out, value == 0 ? "%.4g" : "%+.4g", value);
    }
    pen_text_append(out, "</td>");
}

static void metrics(struct pen_ui_call *call, const pen_json *document)
{
    struct pen_text *out = call->out;
    const pen_json *list = pen_json_get(document, "metrics");
    if (pen_json_size(list) == 0) {
        return;
    }
    pen_html_section(out, "metrics", "Metrics");
    pen_text_append(out, "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>metric</th>");
    run_heads(call, document, " class=\"number\"", "");
    pen_text_append(out, "<th class=\"number\">difference</th></tr></thead><tbody>\n");
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        const pen_json *metric = pen_json_at(list, i);
        pen_text_append(out, "<tr>");
        pen_html_cell(out, text_of(metric, "metric"));
        pen_html_cell_number(out, pen_json_get(metric, "a"));
        pen_html_cell_number(out, pen_json_get(metric, "b"));
        change_cell(out, pen_json_get(metric, "change"));
        pen_text_append(out, "</tr>\n");
    }
    pen_text_append(out, "</tbody></table></div>\n");
    pen_html_section_end(out);
}

/* What the keys of the nodes were made of: options, data, versions. */
static void changes(struct pen_text *out, const pen_json *list)
{
    pen_html_section(out, "changes", "What changed");
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        const pen_json *differences = pen_json_get(pen_json_at(list, i), "differences");
        pen_text_append(out, "<h3>");
        pen_html_text(out, text_of(pen_json_at(list, i), "node"));
        pen_text_append(out, "</h3><ul>\n");
        for (int64_t k = 0; k < pen_json_size(differences) && k < CHANGES_SHOWN; k++) {
            pen_text_append(out, "<li>");
            pen_html_text(out, pen_json_string_or(pen_json_at(differences, k), ""));
            pen_text_append(out, "</li>\n");
        }
        pen_text_append(out, "</ul>\n");
    }
    pen_text_append(out, pen_json_size(list) == 0 ? "<p>Nothing that a node was made of.</p>\n" : "");
    pen_html_section_end(out);
}

static void node_cells(struct pen_ui_call *call, const pen_json *node)
{
    pen_text_append(call->out, "<td>");
    if (pen_json_is_object(node)) {
        pen_ui_status(call, text_of(node, "status"));
        pen_text_printf(call->out, "</td><td class=\"number\">%.3f</td>",
                        pen_json_number_or(pen_json_get(node, "seconds"), 0));
    } else {
        pen_text_append(call->out, "did not run</td><td></td>");
    }
}

static void nodes(struct pen_ui_call *call, const pen_json *document)
{
    const pen_json *list = pen_json_get(document, "nodes");
    pen_html_section(call->out, "times", "Nodes");
    pen_text_append(call->out, "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>node</th>");
    run_heads(call, document, "", "<th class=\"number\">seconds</th>");
    pen_text_append(call->out, "<th class=\"number\">seconds</th></tr></thead><tbody>\n");
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        pen_text_append(call->out, "<tr>");
        pen_html_cell(call->out, text_of(pen_json_at(list, i), "node"));
        node_cells(call, pen_json_get(pen_json_at(list, i), "a"));
        node_cells(call, pen_json_get(pen_json_at(list, i), "b"));
        pen_text_append(call->out, "</tr>\n");
    }
    pen_text_append(call->out, "</tbody></table></div>\n");
    pen_html_section_end(call->out);
}

static void show(struct pen_ui_call *call, const pen_json *document)
{
    char title[128];
    const pen_json *a = pen_json_get(document, "a"), *b = pen_json_get(document, "b");
    (void)snprintf(title, sizeof title, "%.60s and %.60s", text_of(a, "run"), text_of(b, "run"));
    pen_ui_begin(call, title, NULL);
    pen_text_append(call->out, "<p>");
    pen_ui_link(call, "run", text_of(a, "run"));
    pen_text_append(call->out, ": ");
    pen_ui_status(call, pen_ui_run_status(call, a));
    pen_text_append(call->out, ", ");
    pen_ui_link(call, "run", text_of(b, "run"));
    pen_text_append(call->out, ": ");
    pen_ui_status(call, pen_ui_run_status(call, b));
    pen_text_printf(call->out, "; %.3f and %.3f seconds</p>\n", pen_json_number_or(pen_json_get(a, "seconds"), 0),
                    pen_json_number_or(pen_json_get(b, "seconds"), 0));
    metrics(call, document);
    changes(call->out, pen_json_get(document, "changes"));
    nodes(call, document);
    pen_ui_end(call);
}

pen_status pen_ui_compare(struct pen_ui_call *call, struct pen_error *err)
{
    const char *names[2] = {pen_http_field(&call->query, "a"), pen_http_field(&call->query, "b")};
    struct pen_metadata metadata[2];
    pen_json *document = NULL;
    if (!pen_is_plain_name(names[0]) || !pen_is_plain_name(names[1])) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "expected two runs: compare?a=RUN&b=RUN");
    }
    PEN_TRY(pen_ui_look(call, &metadata[0], names[0], 0, err));
    pen_status status = pen_ui_look(call, &metadata[1], names[1], 0, err);
    if (status == PEN_OK) {
        const struct pen_compared a = {&metadata[0], names[0]}, b = {&metadata[1], names[1]};
        status = pen_runs_compare(&a, &b, &document, err);
        pen_metadata_close(&metadata[1]);
    }
    pen_metadata_close(&metadata[0]);
    if (status == PEN_OK) {
        show(call, document);
    }
    pen_json_free(document);
    return status;
}
