/* From the metadata to what pages show. */
#include "orchestrator/report/gather.h"

#include "core/files.h"
#include "core/log.h"
#include "orchestrator/metadata/notes.h"
#include "orchestrator/report/html.h"

#include <stdio.h>
#include <string.h>

enum { MOST_NODES = 4096 };

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

const char *pen_page_run_log(struct pen_page_run *page, const char *node, int64_t attempt, const char **name)
{
    const char *folder = pen_arena_printf(&page->arena, "%s/runs/%s", page->metadata->root, page->name);
    const char *tried = pen_arena_printf(&page->arena, "%s.try-%lld", node, (long long)attempt);
    if (folder == NULL || tried == NULL) {
        return NULL;
    }
    const char *path = pen_arena_printf(&page->arena, "%s/%s.log", folder, tried);
    *name = tried;
    if (path != NULL && !pen_path_exists(path)) { /* its last attempt */
        path = pen_arena_printf(&page->arena, "%s/%s.log", folder, node);
        *name = node;
    }
    return path != NULL && pen_path_exists(path) ? path : NULL;
}

/* "attempt 2, crash: the node's process died ..." */
static const char *message_of(struct pen_page_run *page, const pen_json *execution, int64_t attempt)
{
    const char *failure = text_of(execution, "failure"), *message = text_of(execution, "message");
    const char *which = attempt == 1 ? "" : pen_arena_printf(&page->arena, "attempt %lld", (long long)attempt);
    if (which == NULL) {
        return NULL;
    }
    return pen_arena_printf(&page->arena, "%s%s%s%s%s", which, which[0] != '\0' && failure[0] != '\0' ? ", " : "",
                            failure, (which[0] != '\0' || failure[0] != '\0') && message[0] != '\0' ? ": " : "",
                            message);
}

static pen_status gather_nodes(struct pen_page_run *page, struct pen_error *err)
{
    const struct pen_metadata_query query = {.run = page->name};
    const double began = pen_clock_utc_seconds(text_of(page->run, "time"));
    page->nodes = pen_arena_alloc(&page->arena, MOST_NODES, sizeof *page->nodes);
    page->executions = pen_arena_alloc(&page->arena, MOST_NODES, sizeof *page->executions);
    if (page->nodes == NULL || page->executions == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: the nodes of a run");
    }
    for (int64_t i = pen_metadata_seek(page->metadata, 0, 1, &query); i >= 0 && page->n_nodes < MOST_NODES;
         i = pen_metadata_seek(page->metadata, i + 1, 1, &query)) {
        const pen_json *execution = pen_metadata_execution(page->metadata, i);
        const double seconds = pen_json_number_or(pen_json_get(execution, "seconds"), 0);
        const double begin = pen_clock_utc_seconds(text_of(execution, "time")) - seconds - began;
        page->executions[page->n_nodes] = execution;
        const int64_t attempt = pen_json_int_or(pen_json_get(execution, "attempt"), 1);
        const char *message = message_of(page, execution, attempt);
        page->nodes[page->n_nodes++] = (struct pen_page_node){.name = text_of(execution, "node"),
                                                              .status = text_of(execution, "status"),
                                                              .message = message == NULL ? "" : message,
                                                              .attempt = attempt,
                                                              .begin = begin > 0 ? begin : 0,
                                                              .seconds = seconds,
                                                              .inputs = pen_json_get(execution, "inputs")};
    }
    return pen_metadata_check(page->metadata, err);
}

pen_status pen_page_run_gather(struct pen_page_run *page, struct pen_metadata *metadata, const char *run,
                               struct pen_error *err)
{
    *page = (struct pen_page_run){.metadata = metadata};
    PEN_TRY(pen_metadata_choose_run(metadata, run, &page->run, err));
    page->name = text_of(page->run, "run");
    return gather_nodes(page, err);
}

void pen_page_run_deinit(struct pen_page_run *page)
{
    pen_arena_deinit(&page->arena);
}

const char *pen_page_run_folder(struct pen_page_run *page, const char *type)
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

/* What people say of it. */
static void say(struct pen_text *out, const pen_json *run)
{
    const pen_json *tags = pen_json_get(run, "tags"), *notes = pen_json_get(run, "notes");
    fact(out, "name", text_of(run, "name"));
    if (pen_json_size(tags) > 0) {
        pen_text_append(out, "<dt>tags</dt><dd>");
        pen_html_tags(out, tags);
        pen_text_append(out, "</dd>");
    }
    for (int64_t i = 0; i < pen_json_size(notes); i++) {
        fact(out, "note", text_of(pen_json_at(notes, i), "text"));
    }
}

void pen_page_facts(struct pen_text *out, const struct pen_page_run *page)
{
    char seconds[32];
    const pen_json *took = pen_json_get(page->run, "seconds");
    (void)snprintf(seconds, sizeof seconds, "%.3f s", pen_json_number_or(took, 0));
    pen_text_append(out, "<dl>");
    say(out, page->run);
    pen_text_append(out, "<dt>began</dt><dd>");
    pen_html_time(out, text_of(page->run, "time"));
    pen_text_append(out, " UTC</dd>");
    fact(out, "took", took == NULL ? "" : seconds);
    fact(out, "device", text_of(page->run, "device"));
    fact(out, "because", text_of(page->run, "device_reason"));
    fact(out, "pipeline file", text_of(page->run, "file"));
    fact(out, "root", page->metadata->root);
    fact(out, "pushed", text_of(page->run, "pushed"));
    pen_text_append(out, "</dl>\n");
}

static void artifact_name(struct pen_text *out, const char *id, const char *links)
{
    if (links != NULL && id[0] != '\0') {
        pen_text_append(out, "<a href=\"");
        pen_html_text(out, links);
        pen_html_text(out, id);
        pen_text_append(out, "\">");
    }
    pen_html_text(out, id);
    pen_text_append(out, links != NULL && id[0] != '\0' ? "</a>" : "");
}

void pen_page_artifacts(struct pen_text *out, struct pen_page_run *page, const char *links)
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
            pen_text_append(out, "<tr><td>");
            artifact_name(out, text_of(output, "id"), links);
            pen_text_append(out, "</td>");
            pen_html_cell(out, text_of(output, "type"));
            pen_html_cell(out, text_of(output, "uri"));
            pen_text_append(out, "<td>");
            for (int64_t j = 0; pen_json_member(page->nodes[i].inputs, j, &from, &input); j++) {
                pen_text_append(out, j > 0 ? ", " : "");
                artifact_name(out, pen_json_string_or(input, ""), links);
            }
            pen_text_append(out, "</td></tr>\n");
        }
    }
    pen_text_append(out, "</tbody></table></div>\n");
    pen_html_section_end(out);
}
