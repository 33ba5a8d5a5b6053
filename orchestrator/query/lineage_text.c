/* A lineage as a tree for people, in DOT for Graphviz, as a document. */
#include "orchestrator/query/lineage.h"

#include <string.h>

/* Which artifacts were told already. */
struct telling {
    const struct pen_lineage *lineage;
    bool *told; /* [n_artifacts] */
    bool up;    /* along the edges, or against them */
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* The end of an edge that is not `artifact`; -1: it is none of its edges in this direction. */
static int64_t next_along(const struct telling *telling, int64_t edge, int64_t artifact)
{
    const struct pen_lineage_edge *e = &telling->lineage->edges[edge];
    return telling->up ? (e->to == artifact ? e->from : -1) : (e->from == artifact ? e->to : -1);
}

/* As deep as the pipeline is long: every edge leads to an artifact of another age. */
static void tell(struct telling *telling, int64_t artifact, int depth, struct pen_text *out)
{
    const struct pen_lineage *lineage = telling->lineage;
    const struct pen_lineage_artifact *it = &lineage->artifacts[artifact];
    bool leads_on = false;
    for (int64_t i = 0; i < lineage->n_edges; i++) {
        leads_on = leads_on || next_along(telling, i, artifact) >= 0;
    }
    bool is_above = telling->told[artifact];
    telling->told[artifact] = true;
    pen_text_printf(out, "%*s%s  %s%s\n", 2 * depth, "", text_of(it->output, "id"), text_of(it->output, "type"),
                    is_above && leads_on ? "  (above)" : "");
    for (int64_t i = 0; i < lineage->n_edges && !is_above; i++) {
        int64_t next = next_along(telling, i, artifact);
        if (next >= 0) {
            tell(telling, next, depth + 1, out);
        }
    }
}

pen_status pen_lineage_tree(const struct pen_lineage *lineage, const struct pen_lineage_reach *reach,
                            struct pen_text *out, struct pen_error *err)
{
    struct telling telling = {.lineage = lineage};
    PEN_ALLOC(telling.told, lineage->n_artifacts, err);
    if (reach->up) {
        telling.up = true;
        pen_text_append(out, "made of\n");
        tell(&telling, lineage->subject, 1, out);
        memset(telling.told, 0, (size_t)lineage->n_artifacts * sizeof *telling.told);
    }
    if (reach->down) {
        telling.up = false;
        pen_text_append(out, "used for\n");
        for (int64_t i = 0; i < lineage->n_edges; i++) {
            if (lineage->edges[i].from == lineage->subject) {
                tell(&telling, lineage->edges[i].to, 1, out);
            }
        }
    }
    if (lineage->is_cut) {
        pen_text_printf(out, "and more than these %lld artifacts\n", (long long)lineage->n_artifacts);
    }
    pen_free(telling.told);
    return PEN_OK;
}

/* ---- DOT ---- */

static void quote(struct pen_text *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            pen_text_append_char(out, '\\');
        }
        pen_text_append_char(out, *text);
    }
}

static void draw_execution(const struct pen_lineage *lineage, int64_t first, struct pen_text *out)
{
    const struct pen_lineage_artifact *it = &lineage->artifacts[first];
    pen_text_printf(out, "  e%lld [shape=ellipse, label=\"", (long long)it->number);
    quote(out, text_of(it->producer, "node"));
    pen_text_append(out, "\\n");
    quote(out, text_of(it->producer, "run"));
    pen_text_append(out, "\"];\n");
    for (int64_t i = 0; i < lineage->n_edges; i++) {
        if (lineage->edges[i].to == first) {
            pen_text_append(out, "  \"");
            quote(out, text_of(lineage->artifacts[lineage->edges[i].from].output, "id"));
            pen_text_printf(out, "\" -> e%lld;\n", (long long)it->number);
        }
    }
}

void pen_lineage_dot(const struct pen_lineage *lineage, struct pen_text *out)
{
    pen_text_append(out, "digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n");
    for (int64_t i = 0; i < lineage->n_artifacts; i++) {
        const struct pen_lineage_artifact *it = &lineage->artifacts[i];
        if (i == 0 || it[-1].number != it->number) { /* outputs of one execution stand together, with equal edges */
            draw_execution(lineage, i, out);
        }
        pen_text_append(out, "  \"");
        quote(out, text_of(it->output, "id"));
        pen_text_append(out, "\" [label=\"");
        quote(out, text_of(it->output, "id"));
        pen_text_append(out, "\\n");
        quote(out, text_of(it->output, "type"));
        pen_text_printf(out, "\"%s];\n  e%lld -> \"", i == lineage->subject ? ", style=bold" : "",
                        (long long)it->number);
        quote(out, text_of(it->output, "id"));
        pen_text_append(out, "\";\n");
    }
    pen_text_append(out, "}\n");
}

/* ---- JSON ---- */

static pen_json *describe(struct telling *telling, int64_t artifact)
{
    const struct pen_lineage *lineage = telling->lineage;
    const struct pen_lineage_artifact *it = &lineage->artifacts[artifact];
    pen_json *tree = pen_json_object();
    pen_json_set_string(tree, "id", text_of(it->output, "id"));
    pen_json_set_string(tree, "type", text_of(it->output, "type"));
    pen_json_set_string(tree, "uri", text_of(it->output, "uri"));
    pen_json_set_string(tree, "run", text_of(it->producer, "run"));
    if (telling->told[artifact]) {
        return tree;
    }
    telling->told[artifact] = true;
    pen_json *made_of = pen_json_array();
    for (int64_t i = 0; i < lineage->n_edges && telling->up; i++) {
        if (lineage->edges[i].to == artifact) {
            pen_json_push(made_of, describe(telling, lineage->edges[i].from));
        }
    }
    pen_json_set(tree, "made_of", made_of);
    return tree;
}

static pen_json *list_artifacts(const struct pen_lineage *lineage)
{
    pen_json *list = pen_json_array();
    for (int64_t i = 0; i < lineage->n_artifacts; i++) {
        const struct pen_lineage_artifact *it = &lineage->artifacts[i];
        pen_json *entry = pen_json_copy(it->output);
        pen_json_set_string(entry, "node", text_of(it->producer, "node"));
        pen_json_set_string(entry, "run", text_of(it->producer, "run"));
        pen_json_push(list, entry);
    }
    return list;
}

static pen_json *list_edges(const struct pen_lineage *lineage)
{
    pen_json *list = pen_json_array();
    for (int64_t i = 0; i < lineage->n_edges; i++) {
        const struct pen_lineage_artifact *from = &lineage->artifacts[lineage->edges[i].from];
        const struct pen_lineage_artifact *to = &lineage->artifacts[lineage->edges[i].to];
        pen_json *edge = pen_json_object();
        pen_json_set_string(edge, "from", text_of(from->output, "id"));
        pen_json_set_string(edge, "to", text_of(to->output, "id"));
        pen_json_set_int(edge, "execution", to->number);
        pen_json_push(list, edge);
    }
    return list;
}

pen_status pen_lineage_document(const struct pen_lineage *lineage, const struct pen_lineage_reach *reach,
                                pen_json **document, struct pen_error *err)
{
    struct telling telling = {.lineage = lineage, .up = reach->up};
    PEN_ALLOC(telling.told, lineage->n_artifacts, err);
    pen_json *all = pen_json_object();
    pen_json_set_int(all, "schema", 1);
    pen_json_set(all, "artifact", describe(&telling, lineage->subject));
    pen_json *used_for = pen_json_array();
    for (int64_t i = 0; i < lineage->n_edges; i++) {
        if (lineage->edges[i].from == lineage->subject) {
            pen_json_push(used_for, pen_json_string(text_of(lineage->artifacts[lineage->edges[i].to].output, "id")));
        }
    }
    pen_json_set(all, "used_for", used_for);
    pen_json_set(all, "artifacts", list_artifacts(lineage));
    pen_json_set(all, "edges", list_edges(lineage));
    pen_json_set_bool(all, "complete", !lineage->is_cut);
    pen_free(telling.told);
    *document = all;
    return PEN_OK;
}
