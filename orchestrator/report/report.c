/* Gathers what a run left and writes the page. */
#include "orchestrator/report/report.h"

#include "core/files.h"
#include "orchestrator/report/html.h"
#include "orchestrator/report/parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MOST_NODES = 4096, LOG_LIMIT_BYTES = 64 << 20 };

struct page {
    struct pen_metadata *metadata;
    struct pen_arena arena;
    const pen_json *run;
    const char *name;
    int64_t n_nodes;
    struct pen_page_node *nodes;
    const pen_json **executions; /* [n_nodes] */
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* Seconds since 1970 of "2026-11-26T01:43:23.138Z"; NaN: not such a text. */
static double seconds_of(const char *time)
{
    struct tm tm = {.tm_isdst = 0};
    double fraction = 0;
    const char *rest = strptime(time, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL || !pen_parse_double(rest, strcspn(rest, "Z"), &fraction)) {
        return NAN;
    }
    return (double)timegm(&tm) + fraction;
}

static const char *read_log(struct page *page, const char *node)
{
    const char *path = pen_arena_printf(&page->arena, "%s/runs/%s/%s.log", page->metadata->root, page->name, node);
    struct pen_text text = {0};
    const char *log = NULL;
    if (path != NULL && pen_path_exists(path) && pen_file_read(path, LOG_LIMIT_BYTES, &text, NULL) == PEN_OK) {
        log = pen_arena_strdup(&page->arena, pen_text_view(&text));
    }
    pen_text_deinit(&text);
    return log;
}

static pen_status gather_nodes(struct page *page, struct pen_error *err)
{
    const struct pen_metadata_query query = {.run = page->name};
    const double began = seconds_of(text_of(page->run, "time"));
    page->nodes = pen_arena_alloc(&page->arena, MOST_NODES, sizeof *page->nodes);
    page->executions = pen_arena_alloc(&page->arena, MOST_NODES, sizeof *page->executions);
    if (page->nodes == NULL || page->executions == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a report");
    }
    for (int64_t i = pen_metadata_seek(page->metadata, 0, 1, &query); i >= 0 && page->n_nodes < MOST_NODES;
         i = pen_metadata_seek(page->metadata, i + 1, 1, &query)) {
        const pen_json *execution = pen_metadata_execution(page->metadata, i);
        const double seconds = pen_json_number_or(pen_json_get(execution, "seconds"), 0);
        const double begin = seconds_of(text_of(execution, "time")) - seconds - began;
        page->executions[page->n_nodes] = execution;
        page->nodes[page->n_nodes++] = (struct pen_page_node){.name = text_of(execution, "node"),
                                                              .status = text_of(execution, "status"),
                                                              .message = text_of(execution, "message"),
                                                              .begin = begin > 0 ? begin : 0,
                                                              .seconds = seconds,
                                                              .inputs = pen_json_get(execution, "inputs"),
                                                              .log = read_log(page, text_of(execution, "node"))};
    }
    return pen_metadata_check(page->metadata, err);
}

/* Folder of the run's newest artifact of this type; of one that a failed node left half made, when there is such a
 * thing; NULL. */
static const char *find_folder(struct page *page, const char *type)
{
    for (int64_t i = page->n_nodes - 1; i >= 0; i--) {
        const pen_json *outputs = pen_metadata_member(page->metadata, page->executions[i], "outputs");
        const char *port = NULL;
        const pen_json *output = NULL;
        for (int64_t k = 0; pen_json_member(outputs, k, &port, &output); k++) {
            const char *path = pen_arena_printf(&page->arena, "%s/%s", page->metadata->root, text_of(output, "uri"));
            if (strcmp(text_of(output, "type"), type) == 0 && path != NULL && pen_path_is_directory(path)) {
                return path;
            }
        }
    }
    if (strcmp(type, "ExampleAnomalies") == 0) {
        const char *path =
            pen_arena_printf(&page->arena, "%s/runs/%s/example_validator/anomalies", page->metadata->root, page->name);
        return path != NULL && pen_path_is_directory(path) ? path : NULL;
    }
    return NULL;
}

static void fact(struct pen_text *out, const char *name, const char *value)
{
    if (value[0] != '\0') {
        pen_text_printf(out, "<dt>%s</dt><dd>", name);
        pen_html_text(out, value);
        pen_text_append(out, "</dd>");
    }
}

static void write_head(const struct page *page, struct pen_text *out)
{
    const char *pipeline = text_of(page->run, "pipeline"), *status = text_of(page->run, "status");
    char title[256];
    (void)snprintf(title, sizeof title, "%s %s", pipeline, page->name);
    pen_html_page(out, title);
    pen_text_append(out, "<a class=\"skip\" href=\"#main\">to the content</a>\n<header><h1>");
    pen_html_text(out, pipeline);
    pen_text_append(out, " <span class=\"soft\">");
    pen_html_text(out, page->name);
    bool good = strcmp(status, "succeeded") == 0 || strcmp(status, "cached") == 0;
    pen_text_printf(out, "</span> <span class=\"%s\">", good ? "good" : "bad");
    pen_html_text(out, status);
    pen_text_append(out, "</span></h1>\n<dl>");
    char seconds[32];
    (void)snprintf(seconds, sizeof seconds, "%.3f s", pen_json_number_or(pen_json_get(page->run, "seconds"), 0));
    fact(out, "began", text_of(page->run, "time"));
    fact(out, "took", seconds);
    fact(out, "device", text_of(page->run, "device"));
    fact(out, "because", text_of(page->run, "device_reason"));
    fact(out, "pipeline file", text_of(page->run, "file"));
    fact(out, "root", page->metadata->root);
    fact(out, "pushed", text_of(page->run, "pushed"));
    pen_text_append(out, "</dl>\n");
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

static void artifacts_part(struct page *page, struct pen_text *out)
{
    pen_html_section(out, "artifacts", "Artifacts");
    pen_text_append(out, "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>artifact</th><th>type</th><th>folder"
                         "</th><th>made of</th></tr></thead><tbody>\n");
    for (int64_t i = 0; i < page->n_nodes; i++) {
        const pen_json *outputs = pen_metadata_member(page->metadata, page->executions[i], "outputs");
        const char *port = NULL;
        const pen_json *output = NULL;
        for (int64_t k = 0; pen_json_member(outputs, k, &port, &output); k++) {
            const char *from = NULL;
            const pen_json *input = NULL;
            pen_text_append(out, "<tr>");
            pen_html_cell(out, text_of(output, "id"));
            pen_html_cell(out, text_of(output, "type"));
            pen_html_cell(out, text_of(output, "uri"));
            pen_text_append(out, "<td>");
            for (int64_t j = 0; pen_json_member(page->nodes[i].inputs, j, &from, &input); j++) {
                pen_text_append(out, j > 0 ? ", " : "");
                pen_html_text(out, pen_json_string_or(input, ""));
            }
            pen_text_append(out, "</td></tr>\n");
        }
    }
    pen_text_append(out, "</tbody></table></div>\n");
    pen_html_section_end(out);
}

static pen_status write_body(struct page *page, struct pen_text *out, struct pen_error *err)
{
    pen_page_nodes(out, page->nodes, page->n_nodes);
    pen_page_graph(out, page->nodes, page->n_nodes);
    static const char *const shown[] = {"ModelEvaluation", "ModelRun", "ExampleAnomalies", "ExampleStatistics",
                                        "Schema"};
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        const char *folder = find_folder(page, shown[i]);
        if (folder != NULL && pen_page_has_artifact(shown[i], folder)) {
            PEN_TRY(pen_page_artifact(out, shown[i], folder, err));
        }
    }
    artifacts_part(page, out);
    pen_page_logs(out, page->nodes, page->n_nodes);
    return pen_text_check(out, err);
}

pen_status pen_report_run(struct pen_metadata *metadata, const char *run, struct pen_text *out, struct pen_error *err)
{
    struct page page = {.metadata = metadata, .run = pen_metadata_find_run(metadata, run)};
    struct pen_text body = {0};
    if (page.run == NULL) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s has no run '%.80s'; penstock runs lists them", metadata->root,
                 run == NULL ? "(any)" : run);
    }
    page.name = text_of(page.run, "run");
    pen_status status = gather_nodes(&page, err);
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
    pen_arena_deinit(&page.arena);
    return status;
}
