/* The graph of a run: a column of boxes for each depth, edges from the node that made an artifact to those that took
 * it. */
#include "orchestrator/report/html.h"
#include "orchestrator/report/parts.h"

#include <string.h>

enum { BOX_WIDTH = 132, BOX_HEIGHT = 34, GAP_X = 46, GAP_Y = 16, MOST_NODES = 256 };

struct layout {
    int64_t n_nodes;
    const struct pen_page_node *nodes;
    int column[MOST_NODES], row[MOST_NODES];
    int n_columns, n_rows;
};

/* "trainer.model.6" was made by trainer. */
static int64_t maker_of(const struct layout *l, const char *artifact)
{
    for (int64_t i = 0; i < l->n_nodes; i++) {
        size_t size = strlen(l->nodes[i].name);
        if (strncmp(l->nodes[i].name, artifact, size) == 0 && artifact[size] == '.') {
            return i;
        }
    }
    return -1;
}

/* Nodes come after what they depend on, so one pass finds the depths. */
static void place(struct layout *l)
{
    int filled[MOST_NODES] = {0};
    for (int64_t i = 0; i < l->n_nodes; i++) {
        const char *port = NULL;
        const pen_json *artifact = NULL;
        l->column[i] = 0;
        for (int64_t k = 0; pen_json_member(l->nodes[i].inputs, k, &port, &artifact); k++) {
            int64_t maker = maker_of(l, pen_json_string_or(artifact, ""));
            if (maker >= 0 && maker < i && l->column[maker] + 1 > l->column[i]) {
                l->column[i] = l->column[maker] + 1;
            }
        }
        l->row[i] = filled[l->column[i]]++;
        l->n_columns = l->column[i] + 1 > l->n_columns ? l->column[i] + 1 : l->n_columns;
        l->n_rows = l->row[i] + 1 > l->n_rows ? l->row[i] + 1 : l->n_rows;
    }
}

static int left_of(const struct layout *l, int64_t i)
{
    return 2 + l->column[i] * (BOX_WIDTH + GAP_X);
}

static int top_of(const struct layout *l, int64_t i)
{
    return 2 + l->row[i] * (BOX_HEIGHT + GAP_Y);
}

static void draw_edges(struct pen_text *out, const struct layout *l, int64_t i)
{
    const char *port = NULL;
    const pen_json *artifact = NULL;
    for (int64_t k = 0; pen_json_member(l->nodes[i].inputs, k, &port, &artifact); k++) {
        int64_t maker = maker_of(l, pen_json_string_or(artifact, ""));
        if (maker < 0 || maker >= i) {
            continue;
        }
        int x1 = left_of(l, maker) + BOX_WIDTH, y1 = top_of(l, maker) + BOX_HEIGHT / 2;
        int x2 = left_of(l, i), y2 = top_of(l, i) + BOX_HEIGHT / 2;
        pen_text_printf(out, "<path class=\"edge\" d=\"M%d %dC%d %d %d %d %d %d\"/>", x1, y1, x1 + GAP_X / 2, y1,
                        x2 - GAP_X / 2, y2, x2, y2);
    }
}

static void draw_box(struct pen_text *out, const struct layout *l, int64_t i)
{
    const char *status = l->nodes[i].status;
    const char *tone = strcmp(status, "failed") == 0                                       ? "bad"
                       : strcmp(status, "succeeded") == 0 || strcmp(status, "cached") == 0 ? "good"
                       : strcmp(status, "running") == 0                                    ? "wait"
                                                                                           : "soft";
    int x = left_of(l, i), y = top_of(l, i);
    pen_text_printf(out, "<rect class=\"box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/>", x, y, BOX_WIDTH,
                    BOX_HEIGHT);
    pen_text_printf(out, "<rect class=\"f%s\" x=\"%d\" y=\"%d\" width=\"4\" height=\"%d\"/>", tone, x, y, BOX_HEIGHT);
    pen_text_printf(out, "<text x=\"%d\" y=\"%d\">", x + 12, y + 15);
    pen_html_text(out, l->nodes[i].name);
    pen_text_printf(out, "</text><text class=\"soft\" x=\"%d\" y=\"%d\">", x + 12, y + 28);
    pen_html_text(out, status);
    pen_text_append(out, "</text>");
}

void pen_page_graph(struct pen_text *out, const struct pen_page_node *nodes, int64_t n_nodes)
{
    struct layout l = {.n_nodes = n_nodes < MOST_NODES ? n_nodes : MOST_NODES, .nodes = nodes};
    if (n_nodes == 0) {
        return;
    }
    place(&l);
    int width = l.n_columns * (BOX_WIDTH + GAP_X) - GAP_X + 4, height = l.n_rows * (BOX_HEIGHT + GAP_Y) - GAP_Y + 4;
    pen_html_section(out, "graph", "Graph");
    pen_text_printf(out,
                    "<figure class=\"wide\" tabindex=\"0\"><svg style=\"max-width:none\" width=\"%d\" height=\"%d\" "
                    "viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Which node takes what from which\">",
                    width, height, width, height);
    for (int64_t i = 0; i < l.n_nodes; i++) {
        draw_edges(out, &l, i);
    }
    for (int64_t i = 0; i < l.n_nodes; i++) {
        draw_box(out, &l, i);
    }
    pen_text_append(out, "</svg></figure>\n");
    pen_html_section_end(out);
}
