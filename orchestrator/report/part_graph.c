/* The graph of a run: an edge from the node that made an artifact to each that took it. */
#include "orchestrator/report/graph.h"
#include "orchestrator/report/html.h"
#include "orchestrator/report/parts.h"

#include <string.h>

enum { MOST_EDGES = 4096 };

/* "trainer.model.6" was made by trainer. */
static int64_t maker_of(const struct pen_page_node *nodes, int64_t n_nodes, const char *artifact)
{
    for (int64_t i = 0; i < n_nodes; i++) {
        size_t size = strlen(nodes[i].name);
        if (strncmp(nodes[i].name, artifact, size) == 0 && artifact[size] == '.') {
            return i;
        }
    }
    return -1;
}

/* The last execution of each node: the one that counts. */
static int64_t take_last(const struct pen_page_node *nodes, int64_t n_nodes, struct pen_page_node *last)
{
    int64_t n = 0;
    for (int64_t i = 0; i < n_nodes; i++) {
        bool is_last = true;
        for (int64_t k = i + 1; k < n_nodes && is_last; k++) {
            is_last = strcmp(nodes[i].name, nodes[k].name) != 0;
        }
        if (is_last && n < PEN_GRAPH_BOXES) {
            last[n++] = nodes[i];
        }
    }
    return n;
}

void pen_page_graph(struct pen_text *out, const struct pen_page_node *executions, int64_t n_executions)
{
    struct pen_page_node nodes[PEN_GRAPH_BOXES];
    struct pen_graph_box boxes[PEN_GRAPH_BOXES];
    struct pen_graph_edge edges[MOST_EDGES];
    int64_t n_edges = 0;
    const int64_t n_boxes = take_last(executions, n_executions, nodes);
    if (n_boxes == 0) {
        return;
    }
    for (int64_t i = 0; i < n_boxes; i++) {
        const char *port = NULL;
        const pen_json *artifact = NULL;
        boxes[i] = (struct pen_graph_box){.title = nodes[i].name,
                                          .subtitle = nodes[i].status,
                                          .tone = pen_html_tone(nodes[i].status),
                                          .link = nodes[i].link};
        for (int64_t k = 0; n_edges < MOST_EDGES && pen_json_member(nodes[i].inputs, k, &port, &artifact); k++) {
            int64_t maker = maker_of(nodes, n_boxes, pen_json_string_or(artifact, ""));
            if (maker >= 0) {
                edges[n_edges++] = (struct pen_graph_edge){maker, i};
            }
        }
    }
    pen_html_section(out, "graph", "Graph");
    pen_graph_draw(out, "Which node takes what from which", boxes, n_boxes, edges, n_edges);
    pen_html_section_end(out);
}
