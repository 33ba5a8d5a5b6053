/* Depth is the column, the order within a depth the row; a box is as wide as the longest title. */
#include "orchestrator/report/graph.h"

#include "orchestrator/report/html.h"

#include <string.h>

enum { LEAST_WIDTH = 132, LETTER_WIDTH = 6, BOX_HEIGHT = 34, GAP_X = 30, GAP_Y = 16 };

struct layout {
    const struct pen_graph_box *boxes;
    int64_t n_boxes;
    int column[PEN_GRAPH_BOXES], row[PEN_GRAPH_BOXES];
    int n_columns, n_rows, width;
};

static bool is_drawn(const struct layout *l, const struct pen_graph_edge *edge)
{
    return edge->from >= 0 && edge->from < edge->to && edge->to < l->n_boxes;
}

/* Boxes come after what they depend on, so one pass finds the depths. */
static void place(struct layout *l, const struct pen_graph_edge *edges, int64_t n_edges)
{
    int filled[PEN_GRAPH_BOXES] = {0};
    for (int64_t i = 0; i < n_edges; i++) {
        if (is_drawn(l, &edges[i]) && l->column[edges[i].from] + 1 > l->column[edges[i].to]) {
            l->column[edges[i].to] = l->column[edges[i].from] + 1;
        }
    }
    for (int64_t i = 0; i < l->n_boxes; i++) {
        int width = (int)strlen(l->boxes[i].title) * LETTER_WIDTH + 24;
        l->width = width > l->width ? width : l->width;
        l->row[i] = filled[l->column[i]]++;
        l->n_columns = l->column[i] + 1 > l->n_columns ? l->column[i] + 1 : l->n_columns;
        l->n_rows = l->row[i] + 1 > l->n_rows ? l->row[i] + 1 : l->n_rows;
    }
}

static int left_of(const struct layout *l, int64_t i)
{
    return 2 + l->column[i] * (l->width + GAP_X);
}

static int top_of(const struct layout *l, int64_t i)
{
    return 2 + l->row[i] * (BOX_HEIGHT + GAP_Y);
}

static void draw_edge(struct pen_text *out, const struct layout *l, const struct pen_graph_edge *edge)
{
    int x1 = left_of(l, edge->from) + l->width, y1 = top_of(l, edge->from) + BOX_HEIGHT / 2;
    int x2 = left_of(l, edge->to), y2 = top_of(l, edge->to) + BOX_HEIGHT / 2;
    pen_text_printf(out, "<path class=\"edge\" d=\"M%d %dC%d %d %d %d %d %d\"/>", x1, y1, x1 + GAP_X / 2, y1,
                    x2 - GAP_X / 2, y2, x2, y2);
}

static void draw_box(struct pen_text *out, const struct layout *l, int64_t i)
{
    const struct pen_graph_box *box = &l->boxes[i];
    int x = left_of(l, i), y = top_of(l, i);
    if (box->link != NULL) {
        pen_text_append(out, "<a href=\"");
        pen_html_text(out, box->link);
        pen_text_append(out, "\">");
    }
    pen_text_printf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/>",
                    box->marked ? "box marked" : "box", x, y, l->width, BOX_HEIGHT);
    pen_text_printf(out, "<rect class=\"f%s\" x=\"%d\" y=\"%d\" width=\"4\" height=\"%d\"/>", box->tone, x, y,
                    BOX_HEIGHT);
    pen_text_printf(out, "<text x=\"%d\" y=\"%d\">", x + 12, y + 15);
    pen_html_text(out, box->title);
    pen_text_printf(out, "</text><text class=\"soft\" x=\"%d\" y=\"%d\">", x + 12, y + 28);
    pen_html_text(out, box->subtitle);
    pen_text_append(out, box->link != NULL ? "</text></a>" : "</text>");
}

/* A picture is one thing to a screen reader; one with links is a group of them. */
void pen_graph_draw(struct pen_text *out, const char *label, const struct pen_graph_box *boxes, int64_t n_boxes,
                    const struct pen_graph_edge *edges, int64_t n_edges)
{
    struct layout l = {.boxes = boxes, .n_boxes = n_boxes < PEN_GRAPH_BOXES ? n_boxes : PEN_GRAPH_BOXES};
    if (n_boxes == 0) {
        return;
    }
    l.width = LEAST_WIDTH;
    place(&l, edges, n_edges);
    int width = l.n_columns * (l.width + GAP_X) - GAP_X + 4, height = l.n_rows * (BOX_HEIGHT + GAP_Y) - GAP_Y + 4;
    bool has_links = false;
    for (int64_t i = 0; i < l.n_boxes; i++) {
        has_links = has_links || boxes[i].link != NULL;
    }
    pen_text_printf(out,
                    "<figure class=\"wide\" tabindex=\"0\"><svg class=\"full\" width=\"%d\" height=\"%d\" "
                    "viewBox=\"0 0 %d %d\" role=\"%s\" aria-label=\"",
                    width, height, width, height, has_links ? "group" : "img");
    pen_html_text(out, label);
    pen_text_append(out, "\">");
    for (int64_t i = 0; i < n_edges; i++) {
        if (is_drawn(&l, &edges[i])) {
            draw_edge(out, &l, &edges[i]);
        }
    }
    for (int64_t i = 0; i < l.n_boxes; i++) {
        draw_box(out, &l, i);
    }
    pen_text_append(out, "</svg></figure>\n");
}
