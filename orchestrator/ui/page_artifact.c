/* An artifact: what it was made of and what was made of it as a graph, and what it says itself. */
#include "core/files.h"
#include "orchestrator/report/graph.h"
#include "orchestrator/report/html.h"
#include "orchestrator/report/parts.h"
#include "orchestrator/ui/ui_internal.h"

#include <stdlib.h>
#include <string.h>

enum { LATER_RECORDS = 5000, MOST_EDGES = 2048 };

struct made {
    const pen_json *output, *producer;
    int64_t number; /* of the execution that made it: what it took has smaller ones */
};

struct family {
    struct pen_metadata *metadata;
    struct made made[PEN_GRAPH_BOXES];
    int64_t n;
    bool is_cut;
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static int64_t find(const struct family *family, const char *id)
{
    for (int64_t i = 0; i < family->n; i++) {
        if (strcmp(text_of(family->made[i].output, "id"), id) == 0) {
            return i;
        }
    }
    return -1;
}

static void add(struct family *family, const pen_json *output, const pen_json *producer)
{
    if (output == NULL || find(family, text_of(output, "id")) >= 0) {
        return;
    }
    if (family->n == PEN_GRAPH_BOXES) {
        family->is_cut = true;
        return;
    }
    family->made[family->n++] =
        (struct made){output, producer, pen_json_int_or(pen_json_get(producer, "execution"), 0)};
}

/* All that stands in the list is looked at once: what it adds comes behind it. */
static void add_earlier(struct family *family)
{
    for (int64_t i = 0; i < family->n; i++) {
        const char *port = NULL;
        const pen_json *input = NULL, *producer = NULL;
        const pen_json *inputs = pen_json_get(family->made[i].producer, "inputs");
        for (int64_t k = 0; pen_json_member(inputs, k, &port, &input); k++) {
            const char *id = pen_json_string_or(input, "");
            const pen_json *output = id[0] == '\0' ? NULL : pen_metadata_find_artifact(family->metadata, id, &producer);
            add(family, output, producer);
        }
    }
}

/* later[]: the artifact and what was made of it so far. Executions come in order, so one pass finds the rest. */
static void add_later(struct family *family, const char *id)
{
    static const struct pen_metadata_query made = {.has_outputs = true, .is_first_hand = true};
    struct family later = {.metadata = family->metadata};
    const pen_json *producer = NULL;
    const pen_json *output = pen_metadata_find_artifact(family->metadata, id, &producer);
    const int64_t number = pen_json_int_or(pen_json_get(producer, "execution"), 0);
    int64_t n_seen = 0;
    add(&later, output, producer);
    for (int64_t i = pen_metadata_seek(family->metadata, 0, 1, &made); i >= 0;
         i = pen_metadata_seek(family->metadata, i + 1, 1, &made)) {
        if (pen_metadata_number(family->metadata, i) <= number) {
            continue;
        }
        if (n_seen++ == LATER_RECORDS) {
            family->is_cut = true;
            break;
        }
        const pen_json *execution = pen_metadata_execution(family->metadata, i), *value = NULL;
        const char *port = NULL;
        bool uses = false;
        for (int64_t k = 0; pen_json_member(pen_json_get(execution, "inputs"), k, &port, &value); k++) {
            uses = uses || find(&later, pen_json_string_or(value, "")) >= 0;
        }
        for (int64_t k = 0; uses && pen_json_member(pen_json_get(execution, "outputs"), k, &port, &value); k++) {
            add(&later, value, execution);
        }
    }
    for (int64_t i = 0; i < later.n; i++) {
        add(family, later.made[i].output, later.made[i].producer);
    }
}

static int by_number(const void *a, const void *b)
{
    const struct made *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void draw(struct pen_ui_call *call, struct family *family, const char *id)
{
    struct pen_graph_box boxes[PEN_GRAPH_BOXES];
    struct pen_graph_edge edges[MOST_EDGES];
    int64_t n_edges = 0;
    qsort(family->made, (size_t)family->n, sizeof family->made[0], by_number);
    for (int64_t i = 0; i < family->n; i++) {
        const char *name = text_of(family->made[i].output, "id"), *port = NULL;
        const pen_json *input = NULL, *inputs = pen_json_get(family->made[i].producer, "inputs");
        const bool is_it = strcmp(name, id) == 0;
        boxes[i] = (struct pen_graph_box){
            .title = name,
            .subtitle =
                pen_arena_printf(&call->arena, "%s%s, %s", is_it ? "this " : "",
                                 text_of(family->made[i].output, "type"), text_of(family->made[i].producer, "run")),
            .tone = is_it ? "1" : "soft",
            .link = is_it ? NULL : pen_arena_printf(&call->arena, "/p/%s/artifact/%s", call->pipeline->id, name),
            .marked = is_it};
        boxes[i].subtitle = boxes[i].subtitle == NULL ? "" : boxes[i].subtitle;
        for (int64_t k = 0; n_edges < MOST_EDGES && pen_json_member(inputs, k, &port, &input); k++) {
            int64_t from = find(family, pen_json_string_or(input, ""));
            if (from >= 0) {
                edges[n_edges++] = (struct pen_graph_edge){from, i};
            }
        }
    }
    pen_html_section(call->out, "lineage", "Lineage");
    pen_graph_draw(call->out, "What it was made of, to the left, and what was made of it", boxes, family->n, edges,
                   n_edges);
    if (family->is_cut) {
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

static pen_status show(struct pen_ui_call *call, struct pen_metadata *metadata, const char *id, struct pen_error *err)
{
    struct family family = {.metadata = metadata};
    const pen_json *producer = NULL;
    const pen_json *output = pen_metadata_find_artifact(metadata, id, &producer);
    if (output == NULL || strcmp(text_of(output, "id"), id) != 0) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s has no artifact '%.80s'", metadata->root, id);
    }
    add(&family, output, producer);
    add_earlier(&family);
    add_later(&family, id);
    pen_ui_begin(call, id, NULL);
    facts(call, output, producer);
    draw(call, &family, id);
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

pen_status pen_ui_artifact(struct pen_ui_call *call, struct pen_error *err)
{
    struct pen_metadata metadata;
    PEN_TRY(pen_metadata_open(&metadata, call->pipeline->root, false, err));
    pen_status status = show(call, &metadata, call->names[0], err);
    pen_metadata_close(&metadata);
    return status;
}
