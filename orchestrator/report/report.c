/* The page of a run, section by section. */
#include "orchestrator/report/report.h"

#include "core/files.h"
#include "orchestrator/report/gather.h"
#include "orchestrator/report/html.h"

#include <stdio.h>
#include <string.h>

enum { LOG_LIMIT_BYTES = 64 << 20 };

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static const char *read_log(struct pen_page_run *page, const struct pen_page_node *node)
{
    const char *name = NULL;
    const char *path = pen_page_run_log(page, node->name, node->attempt, &name);
    struct pen_text text = {0};
    const char *log = NULL;
    if (path != NULL && pen_file_read(path, LOG_LIMIT_BYTES, &text, NULL) == PEN_OK) {
        log = pen_arena_strdup(&page->arena, pen_text_view(&text));
    }
    pen_text_deinit(&text);
    return log;
}

static void write_head(const struct pen_page_run *page, struct pen_text *out)
{
    const char *pipeline = text_of(page->run, "pipeline"), *status = text_of(page->run, "status");
    char title[256];
    (void)snprintf(title, sizeof title, "%s %s", pipeline, page->name);
    pen_html_page(out, title);
    pen_text_append(out, "<a class=\"skip\" href=\"#main\">to the content</a>\n<header><h1>");
    pen_html_text(out, pipeline);
    pen_text_append(out, " <span class=\"soft\">");
    pen_html_text(out, page->name);
    pen_text_printf(out, "</span> <span class=\"%s\">", pen_html_tone(status));
    pen_html_text(out, status);
    pen_text_append(out, "</span></h1>\n");
    pen_page_facts(out, page);
}

/* Links to the sections that the body turned out to have. */
static void write_links(const char *body, struct pen_text *out)
{
    static const char *const ids[] = {"nodes",      "graph",  "evaluation", "training", "anomalies",
                                      "statistics", "schema", "artifacts",  "logs"};
    pen_text_append(out, "<nav aria-label=\"sections\">");
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char section[64];
        (void)snprintf(section, sizeof section, "<section id=\"%s\"", ids[i]);
        if (strstr(body, section) != NULL) {
            pen_text_printf(out, "<a href=\"#%s\">%s</a>", ids[i], ids[i]);
        }
    }
    pen_text_append(out, "</nav></header>\n<main id=\"main\">\n");
}

static pen_status write_body(struct pen_page_run *page, struct pen_text *out, struct pen_error *err)
{
    pen_page_nodes(out, page->nodes, page->n_nodes);
    pen_page_graph(out, page->nodes, page->n_nodes);
    static const char *const shown[] = {"ModelEvaluation", "ModelRun", "ExampleAnomalies", "ExampleStatistics",
                                        "Schema"};
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        const char *folder = pen_page_run_folder(page, shown[i]);
        if (folder != NULL && pen_page_has_artifact(shown[i], folder)) {
            PEN_TRY(pen_page_artifact(out, shown[i], folder, err));
        }
    }
    pen_page_artifacts(out, page, NULL);
    pen_page_logs(out, page->nodes, page->n_nodes);
    return pen_text_check(out, err);
}

pen_status pen_report_run(struct pen_metadata *metadata, const char *run, struct pen_text *out, struct pen_error *err)
{
    struct pen_page_run page;
    struct pen_text body = {0};
    pen_status status = pen_page_run_gather(&page, metadata, run, err);
    for (int64_t i = 0; status == PEN_OK && i < page.n_nodes; i++) {
        page.nodes[i].log = read_log(&page, &page.nodes[i]);
    }
    if (status == PEN_OK) {
        status = write_body(&page, &body, err);
    }
    if (status == PEN_OK) {
        write_head(&page, out);
        write_links(pen_text_view(&body), out);
        pen_text_append(out, pen_text_view(&body));
        pen_text_append(out, "</main>");
        pen_html_page_end(out);
        status = pen_text_check(out, err);
    }
    pen_text_deinit(&body);
    pen_page_run_deinit(&page);
    return status;
}
