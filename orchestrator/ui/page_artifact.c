/* An artifact: what it was made of and what was made of it as a graph, and what it says itself. */
#include "core/files.h"
#include "orchestrator/query/lineage.h"
#include "orchestrator/report/graph.h"
#include "orchestrator/report/html.h"
#include "orchestrator/report/parts.h"
#include "orchestrator/ui/ui_internal.h"

#include <string.h>

enum { LATER_RECORDS = 5000 };

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static void draw(struct pen_ui_call *call, const struct pen_lineage *lineage)
{
    struct pen_graph_box boxes[PEN_GRAPH_BOXES];
    struct pen_graph_edge *edges = pen_arena_alloc(&call->arena, lineage->n_edges, sizeof *edges);
    for (int64_t i = 0; edges != NULL && i < lineage->n_edges; i++) {
        edges[i] = (struct pen_graph_edge){lineage->edges[i].from, lineage->edges[i].to};
    }
    for (int64_t i = 0; i < lineage->n_artifacts; i++) {
        const struct pen_lineage_artifact *it = &lineage->artifacts[i];
        const char *id = text_of(it->output, "id");
        const bool is_subject = i == lineage->subject;
        boxes[i] = (struct pen_graph_box){
            .title = id,
            .subtitle = pen_arena_printf(&call->arena, "%s%s, %s", is_subject ? "this " : "",
                                         text_of(it->output, "type"), text_of(it->producer, "run")),
            .tone = is_subject ? "1" : "soft",
            .link = is_subject ? NULL : pen_arena_printf(&call->arena, "/p/%s/artifact/%s", call->pipeline->id, id),
            .marked = is_subject};
        boxes[i].subtitle = boxes[i].subtitle == NULL ? "" : boxes[i].subtitle;
    }
    pen_html_section(call->out, "lineage", "Lineage");
    pen_graph_draw(call->out, "What it was made of, to the left, and what was made of it", boxes, lineage->n_artifacts,
                   edges, edges == NULL ? 0 : lineage->n_edges);
    if (lineage->is_cut) {
        pen_text_append(call->out, "<p class=\"soft\">there is more than is drawn: penstock lineage</p>\n");
    }
    pen_html_section_end(call->out);
}

static void facts(struct pen_ui_call *call, const pen_json *output, const pen_json *producer)
{
    struct pen_text *out = call->out;
    pen_text_append(out, "<dl><dt>type</dt><dd>");
    pen_html_text(out, text_of(output, "type"));
    pen_text_append(out, "</dd><dt>made in</dt><dd>");
    pen_ui_link(call, "run", text_of(producer, "run"));
    pen_text_append(out, "</dd><dt>by</dt><dd>");
    pen_html_text(out, text_of(producer, "node"));
    pen_text_append(out, "</dd><dt>at</dt><dd>");
    pen_html_time(out, text_of(producer, "time"));
    pen_text_append(out, " UTC</dd><dt>folder</dt><dd>");
    pen_html_text(out, text_of(output, "uri"));
    pen_text_append(out, "</dd><dt>hash</dt><dd>");
    pen_html_text(out, text_of(output, "hash"));
    pen_text_append(out, "</dd></dl>\n");
}

static pen_status show(struct pen_ui_call *call, struct pen_metadata *metadata, const struct pen_lineage *lineage,
                       struct pen_error *err)
{
    const struct pen_lineage_artifact *subject = &lineage->artifacts[lineage->subject];
    const pen_json *output = subject->output;
    pen_ui_begin(call, text_of(output, "id"), NULL);
    facts(call, output, subject->producer);
    draw(call, lineage);
    const char *type = text_of(output, "type");
    const char *folder = pen_arena_printf(&call->arena, "%s/%s", metadata->root, text_of(output, "uri"));
    if (folder != NULL && pen_page_has_artifact(type, folder)) {
        PEN_TRY(pen_page_artifact(call->out, type, folder, err));
    } else if (folder != NULL && !pen_path_is_directory(folder)) {
        pen_text_append(call->out, "<p class=\"soft\">its folder is no longer there</p>\n");
    }
    pen_ui_end(call);
    return pen_metadata_check(metadata, err);
}

/* Its address holds an id, not what lineage takes as well: the newest of a type. */
static pen_status check_id(struct pen_metadata *metadata, const char *id, struct pen_error *err)
{
    const pen_json *producer = NULL;
    if (strcmp(text_of(pen_metadata_find_artifact(metadata, id, &producer), "id"), id) != 0) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s has no artifact '%.80s'", metadata->root, id);
    }
    return PEN_OK;
}

pen_status pen_ui_artifact(struct pen_ui_call *call, struct pen_error *err)
{
    static const struct pen_lineage_reach reach = {
        .up = true, .down = true, .most_artifacts = PEN_GRAPH_BOXES, .most_records = LATER_RECORDS};
    struct pen_metadata metadata;
    struct pen_lineage lineage = {.n_artifacts = 0};
    PEN_TRY(pen_metadata_open(&metadata, call->pipeline->root, false, err));
    pen_status status = check_id(&metadata, call->names[0], err);
    status = status == PEN_OK ? pen_lineage_gather(&lineage, &metadata, call->names[0], &reach, err) : status;
    status = status == PEN_OK ? show(call, &metadata, &lineage, err) : status;
    pen_lineage_deinit(&lineage);
    pen_metadata_close(&metadata);
    return status;
}
