/* A run: what its nodes did, do and will do; and its artifacts a person would look at, a page each. */
#include "core/files.h"
#include "core/log.h"
#include "orchestrator/pipeline/pipeline.h"
#include "orchestrator/report/gather.h"
#include "orchestrator/report/html.h"
#include "orchestrator/run/live.h"
#include "orchestrator/ui/ui_internal.h"

#include <math.h>
#include <string.h>

static const struct section {
    const char *name, *title, *type;
} sections[] = {
    {"evaluation", "Evaluation", "ModelEvaluation"},
    {"training", "Training", "ModelRun"},
    {"anomalies", "Anomalies", "ExampleAnomalies"},
    {"statistics", "Statistics", "ExampleStatistics"},
    {"schema", "Schema", "Schema"},
};
enum { N_SECTIONS = sizeof sections / sizeof sections[0] };

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* ---- nodes that have not ended ---- */

static bool has_node(const struct pen_page_run *page, const char *name)
{
    for (int64_t i = 0; i < page->n_nodes; i++) {
        if (strcmp(page->nodes[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* What the graph needs of a node that has no record: whose outputs it takes. */
static pen_json *inputs_of(struct pen_page_run *page, const struct pen_pipeline *pipeline, const struct pen_node *node)
{
    pen_json *inputs = pen_json_object();
    for (int64_t i = 0; i < node->n_inputs; i++) {
        if (node->inputs[i].node >= 0) {
            const char *artifact = pen_arena_printf(&page->arena, "%s.%s", pipeline->nodes[node->inputs[i].node].name,
                                                    node->inputs[i].output);
            pen_json_set_string(inputs, node->inputs[i].port->key, artifact);
        }
    }
    return inputs;
}

/* Of a run that goes on: the node that runs, then those whose turn has not come. */
static void add_unfinished(struct pen_page_run *page, const struct pen_pipeline *pipeline, pen_json *all_inputs)
{
    char now[PEN_TIME_BYTES];
    const double began = pen_clock_utc_seconds(text_of(page->run, "time"));
    pen_json *started = pen_metadata_started(page->metadata);
    struct pen_page_node *nodes = pen_arena_alloc(&page->arena, page->n_nodes + pipeline->n_nodes, sizeof *nodes);
    int64_t n = page->n_nodes;
    for (int64_t i = 0; nodes != NULL && i < n; i++) {
        nodes[i] = page->nodes[i];
    }
    for (int64_t i = 0; nodes != NULL && i < pipeline->n_nodes; i++) {
        const struct pen_node *node = &pipeline->nodes[i];
        const bool is_running =
            strcmp(text_of(started, "run"), page->name) == 0 && strcmp(text_of(started, "node"), node->name) == 0;
        const double begin = pen_clock_utc_seconds(is_running ? text_of(started, "time") : pen_clock_utc(now));
        const char *name = pen_arena_strdup(&page->arena, node->name);
        if ((has_node(page, node->name) && !is_running) || name == NULL) {
            continue;
        }
        pen_json *inputs = inputs_of(page, pipeline, node);
        pen_json_push(all_inputs, inputs);
        nodes[n++] = (struct pen_page_node){.name = name,
                                            .status = is_running ? "running" : "pending",
                                            .message = "",
                                            .attempt = pen_json_int_or(pen_json_get(started, "attempt"), 1),
                                            .begin = fmax(0, begin - began),
                                            .seconds = fmax(0, pen_clock_utc_seconds(pen_clock_utc(now)) - begin),
                                            .inputs = inputs};
    }
    page->nodes = nodes == NULL ? page->nodes : nodes; /* without memory: what has ended */
    page->n_nodes = n;
    pen_json_free(started);
}

static void link_nodes(struct pen_ui_call *call, struct pen_page_run *page)
{
    for (int64_t i = 0; i < page->n_nodes; i++) {
        const char *name = NULL;
        if (pen_page_run_log(page, page->nodes[i].name, page->nodes[i].attempt, &name) != NULL) {
            page->nodes[i].link =
                pen_arena_printf(&page->arena, "/p/%s/run/%s/log/%s", call->pipeline->id, page->name, name);
        }
    }
}

/* ---- the pages ---- */

/* Tabs of what there is. current: "" for the run itself. */
static void tabs(struct pen_ui_call *call, struct pen_page_run *page, const char *current)
{
    struct pen_text *out = call->out;
    pen_text_append(out, "<nav class=\"tabs\" aria-label=\"this run\" id=\"tabs\" data-live><a href=\"/p/");
    pen_html_text(out, call->pipeline->id);
    pen_text_append(out, "/run/");
    pen_html_text(out, page->name);
    pen_text_append(out, current[0] == '\0' ? "\" aria-current=\"page\">nodes</a>" : "\">nodes</a>");
    for (int i = 0; i < N_SECTIONS; i++) {
        const char *folder = pen_page_run_folder(page, sections[i].type);
        if (folder != NULL && pen_page_has_artifact(sections[i].type, folder)) {
            pen_text_append(out, "<a href=\"/p/");
            pen_html_text(out, call->pipeline->id);
            pen_text_append(out, "/run/");
            pen_html_text(out, page->name);
            pen_text_printf(out, "/show/%s\"%s>%s</a>", sections[i].name,
                            strcmp(current, sections[i].name) == 0 ? " aria-current=\"page\"" : "", sections[i].name);
        }
    }
    pen_text_append(out, "</nav>\n");
}

static void say_state(struct pen_ui_call *call, const struct pen_page_run *page, const char *status)
{
    struct pen_text *out = call->out;
    pen_text_append(out, "<p id=\"say\" role=\"status\" data-live>");
    pen_ui_status(call, status);
    for (int64_t i = 0; i < page->n_nodes; i++) {
        const char *state = page->nodes[i].status;
        if (strcmp(state, "running") == 0 || strcmp(state, "failed") == 0) {
            pen_text_append(out, ": ");
            pen_html_text(out, page->nodes[i].name);
            pen_text_append(out, strcmp(state, "failed") == 0 ? " failed. " : "");
            pen_html_text(out, page->nodes[i].message);
        }
    }
    pen_text_append(out, "</p>\n");
}

/* How far the nodes that run are. */
static void show_live(struct pen_ui_call *call, const struct pen_page_run *page)
{
    struct pen_text *out = call->out;
    pen_json *live = pen_live_read(page->metadata->root, page->name);
    for (int64_t i = 0; i < pen_json_size(live); i++) {
        const pen_json *progress = pen_json_at(live, i), *percent = pen_json_get(progress, "percent");
        struct pen_text said = {0};
        pen_live_describe(progress, &said);
        pen_text_append(out, "<p class=\"live\">");
        if (percent != NULL) {
            pen_text_printf(out, "<progress max=\"100\" value=\"%.1f\" aria-label=\"", pen_json_number_or(percent, 0));
            pen_html_text(out, text_of(progress, "node"));
            pen_text_append(out, "\"></progress> ");
        }
        pen_html_text(out, text_of(progress, "node"));
        pen_text_append(out, said.size_bytes > 0 ? ": " : "");
        pen_html_text(out, pen_text_view(&said));
        pen_text_append(out, "</p>\n");
        pen_text_deinit(&said);
    }
    pen_json_free(live);
}

static void show_run(struct pen_ui_call *call, struct pen_page_run *page)
{
    struct pen_text *out = call->out;
    const char *status = pen_ui_run_status(call, page->run);
    const bool is_running = strcmp(status, "running") == 0;
    pen_json *inputs = pen_json_array();
    struct pen_pipeline pipeline;
    if (is_running && call->pipeline->file != NULL &&
        pen_pipeline_read(&pipeline, call->pipeline->file, NULL, 0, pen_components, NULL) == PEN_OK) {
        add_unfinished(page, &pipeline, inputs);
        pen_pipeline_deinit(&pipeline);
    }
    link_nodes(call, page);
    pen_ui_begin(call, page->name, NULL);
    say_state(call, page, status);
    tabs(call, page, "");
    pen_text_append(out, "<div id=\"run\" data-live>\n");
    if (is_running) {
        pen_ui_button(call, "stop", "stop");
        show_live(call, page);
    }
    pen_page_facts(out, page);
    pen_page_graph(out, page->nodes, page->n_nodes);
    pen_page_nodes(out, page->nodes, page->n_nodes);
    pen_text_append(out, "</div>\n<div id=\"made\" data-live>\n");
    const char *links = pen_arena_printf(&page->arena, "/p/%s/artifact/", call->pipeline->id);
    page->n_nodes = is_running ? page->n_nodes - pen_json_size(inputs) : page->n_nodes; /* those that made something */
    pen_page_artifacts(out, page, links);
    pen_text_append(out, "</div>\n");
    pen_ui_end(call);
    pen_json_free(inputs);
}

static void show_section(struct pen_ui_call *call, struct pen_page_run *page, const struct section *section,
                         const char *folder, pen_status *status, struct pen_error *err)
{
    pen_ui_begin(call, section->title, page->name);
    tabs(call, page, section->name);
    *status = pen_page_artifact(call->out, section->type, folder, err);
    pen_ui_end(call);
}

/* Opens the run that the address names and shows it, or one section of it. */
static pen_status with_run(struct pen_ui_call *call, const struct section *section, struct pen_error *err)
{
    struct pen_metadata metadata;
    struct pen_page_run page;
    PEN_TRY(pen_ui_look(call, &metadata, call->names[0], 0, err));
    pen_status status = pen_page_run_gather(&page, &metadata, call->names[0], err);
    if (status == PEN_OK && section == NULL) {
        show_run(call, &page);
    } else if (status == PEN_OK) {
        const char *folder = pen_page_run_folder(&page, section->type);
        if (folder == NULL || !pen_page_has_artifact(section->type, folder)) {
            status =
                pen_error_set(err, __FILE__, __LINE__, PEN_ERR_NOT_FOUND, "%s has no %s", page.name, section->name);
        } else {
            show_section(call, &page, section, folder, &status, err);
        }
    }
    pen_page_run_deinit(&page);
    pen_metadata_close(&metadata);
    return status;
}

pen_status pen_ui_run(struct pen_ui_call *call, struct pen_error *err)
{
    return with_run(call, NULL, err);
}

pen_status pen_ui_section(struct pen_ui_call *call, struct pen_error *err)
{
    for (int i = 0; i < N_SECTIONS; i++) {
        if (strcmp(sections[i].name, call->names[1]) == 0) {
            return with_run(call, &sections[i], err);
        }
    }
    PEN_FAIL(err, PEN_ERR_NOT_FOUND, "there is no such page");
}
