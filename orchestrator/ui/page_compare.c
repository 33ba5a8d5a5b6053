/* Two runs side by side: what their nodes did, what was different, and what the models came to. */
#include "core/files.h"
#include "orchestrator/report/gather.h"
#include "orchestrator/report/html.h"
#include "orchestrator/ui/ui_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHANGES_SHOWN = 40 };

struct pair {
    struct pen_page_run a, b;
};

static int64_t find_node(const struct pen_page_run *page, const char *name)
{
    for (int64_t i = page->n_nodes - 1; i >= 0; i--) {
        if (strcmp(page->nodes[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static void node_cells(struct pen_ui_call *call, const struct pen_page_run *page, int64_t i)
{
    pen_text_append(call->out, "<td>");
    if (i >= 0) {
        pen_ui_status(call, page->nodes[i].status);
        pen_text_printf(call->out, "</td><td class=\"number\">%.3f</td>", page->nodes[i].seconds);
    } else {
        pen_text_append(call->out, "did not run</td><td></td>");
    }
}

static void node_row(struct pen_ui_call *call, const struct pair *pair, const char *name)
{
    pen_text_append(call->out, "<tr>");
    pen_html_cell(call->out, name);
    node_cells(call, &pair->a, find_node(&pair->a, name));
    node_cells(call, &pair->b, find_node(&pair->b, name));
    pen_text_append(call->out, "</tr>\n");
}

static void run_heads(struct pen_ui_call *call, const struct pair *pair, const char *between)
{
    pen_text_append(call->out, "<th>");
    pen_ui_link(call, "run", pair->a.name);
    pen_text_printf(call->out, "</th>%s<th>", between);
    pen_ui_link(call, "run", pair->b.name);
    pen_text_append(call->out, "</th>");
}

static void nodes_table(struct pen_ui_call *call, const struct pair *pair)
{
    pen_html_section(call->out, "times", "Nodes");
    pen_text_append(call->out, "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>node</th>");
    run_heads(call, pair, "<th class=\"number\">seconds</th>");
    pen_text_append(call->out, "<th class=\"number\">seconds</th></tr></thead><tbody>\n");
    for (int64_t i = 0; i < pair->a.n_nodes; i++) {
        if (find_node(&pair->a, pair->a.nodes[i].name) == i) {
            node_row(call, pair, pair->a.nodes[i].name);
        }
    }
    for (int64_t i = 0; i < pair->b.n_nodes; i++) {
        if (find_node(&pair->a, pair->b.nodes[i].name) < 0 && find_node(&pair->b, pair->b.nodes[i].name) == i) {
            node_row(call, pair, pair->b.nodes[i].name);
        }
    }
    pen_text_append(call->out, "</tbody></table></div>\n");
    pen_html_section_end(call->out);
}

/* What the keys of the nodes were made of: options, data, versions. */
static void changes(struct pen_ui_call *call, struct pair *pair)
{
    struct pen_text *out = call->out;
    int64_t n_shown = 0;
    pen_html_section(out, "changes", "What changed");
    for (int64_t i = 0; i < pair->a.n_nodes; i++) {
        const char *name = pair->a.nodes[i].name;
        const int64_t k = find_node(&pair->b, name);
        if (k < 0 || find_node(&pair->a, name) != i) {
            continue;
        }
        pen_json *list = pen_json_differences(pen_metadata_member(pair->a.metadata, pair->a.executions[i], "parts"),
                                              pen_metadata_member(pair->b.metadata, pair->b.executions[k], "parts"));
        const int64_t n = pen_json_size(list);
        if (n > 0) {
            pen_text_append(out, "<h3>");
            pen_html_text(out, name);
            pen_text_append(out, "</h3><ul>\n");
        }
        for (int64_t c = 0; c < n && c < CHANGES_SHOWN; c++) {
            pen_text_append(out, "<li>");
            pen_html_text(out, pen_json_string_or(pen_json_at(list, c), ""));
            pen_text_append(out, "</li>\n");
        }
        pen_text_append(out, n > 0 ? "</ul>\n" : "");
        n_shown += n;
        pen_json_free(list);
    }
    pen_text_append(out, n_shown == 0 ? "<p>Nothing that a node was made of.</p>\n" : "");
    pen_html_section_end(out);
}

static pen_json *read_evaluation(struct pen_page_run *page)
{
    const char *folder = pen_page_run_folder(page, "ModelEvaluation");
    char path[PEN_PATH_BYTES];
    pen_json *evaluation = NULL;
    if (folder != NULL && pen_path_join(path, folder, "evaluation.json", NULL) == PEN_OK &&
        pen_json_read_file(path, &evaluation, NULL) == PEN_OK) {
        return evaluation;
    }
    return NULL;
}

static const pen_json *overall(const pen_json *evaluation)
{
    return pen_json_get(pen_json_at(pen_json_get(evaluation, "slices"), 0), "metrics");
}

static void metrics(struct pen_ui_call *call, struct pair *pair)
{
    struct pen_text *out = call->out;
    pen_json *a = read_evaluation(&pair->a), *b = read_evaluation(&pair->b);
    const char *name = NULL;
    const pen_json *metric = NULL;
    if (a != NULL && b != NULL) {
        pen_html_section(out, "metrics", "Metrics");
        pen_text_append(out, "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>metric</th>");
        run_heads(call, pair, "");
        pen_text_append(out, "<th class=\"number\">difference</th></tr></thead><tbody>\n");
        for (int64_t i = 0; pen_json_member(overall(b), i, &name, &metric); i++) {
            const pen_json *before = pen_json_get(pen_json_get(overall(a), name), "value");
            const pen_json *after = pen_json_get(metric, "value");
            const double change = pen_json_number_or(after, NAN) - pen_json_number_or(before, NAN);
            pen_text_append(out, "<tr>");
            pen_html_cell(out, name);
            pen_html_cell_number(out, before);
            pen_html_cell_number(out, after);
            pen_text_append(out, "<td class=\"number\">");
            if (isfinite(change)) {
                pen_text_printf(out, "%+.4g", change);
            }
            pen_text_append(out, "</td></tr>\n");
        }
        pen_text_append(out, "</tbody></table></div>\n");
        pen_html_section_end(out);
    }
    pen_json_free(a);
    pen_json_free(b);
}

static void show(struct pen_ui_call *call, struct pair *pair)
{
    char title[128];
    (void)snprintf(title, sizeof title, "%s and %s", pair->a.name, pair->b.name);
    pen_ui_begin(call, title, NULL);
    pen_text_append(call->out, "<p>");
    pen_ui_link(call, "run", pair->a.name);
    pen_text_append(call->out, ": ");
    pen_ui_status(call, pen_ui_run_status(call, pair->a.run));
    pen_text_append(call->out, ", ");
    pen_ui_link(call, "run", pair->b.name);
    pen_text_append(call->out, ": ");
    pen_ui_status(call, pen_ui_run_status(call, pair->b.run));
    pen_text_printf(call->out, "; %.3f and %.3f seconds</p>\n",
                    pen_json_number_or(pen_json_get(pair->a.run, "seconds"), 0),
                    pen_json_number_or(pen_json_get(pair->b.run, "seconds"), 0));
    metrics(call, pair);
    changes(call, pair);
    nodes_table(call, pair);
    pen_ui_end(call);
}

pen_status pen_ui_compare(struct pen_ui_call *call, struct pen_error *err)
{
    const char *names[2] = {pen_http_field(&call->query, "a"), pen_http_field(&call->query, "b")};
    struct pen_metadata metadata[2];
    struct pair pair = {0};
    if (!pen_is_plain_name(names[0]) || !pen_is_plain_name(names[1])) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "expected two runs: compare?a=RUN&b=RUN");
    }
    PEN_TRY(pen_ui_look(call, &metadata[0], names[0], 0, err));
    pen_status status = pen_ui_look(call, &metadata[1], names[1], 0, err);
    if (status == PEN_OK) {
        status = pen_page_run_gather(&pair.a, &metadata[0], names[0], err);
        if (status == PEN_OK) {
            status = pen_page_run_gather(&pair.b, &metadata[1], names[1], err);
        }
        if (status == PEN_OK) {
            show(call, &pair);
        }
        pen_page_run_deinit(&pair.a);
        pen_page_run_deinit(&pair.b);
        pen_metadata_close(&metadata[1]);
    }
    pen_metadata_close(&metadata[0]);
    return status;
}
