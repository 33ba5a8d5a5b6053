/* Depth is the column, the order within a depth the row; a box is as wide as the longest title. A box that depends on
 * nothing stands right before the first that takes from it. An edge over several columns goes between two rows, not
 * behind boxes. */
#include "orchestrator/report/graph.h"

#include "orchestrator/report/html.h"

#include <string.h>

enum { LEAST_WIDTH = 132, LETTER_WIDTH = 6, BOX_HEIGHT = 34, GAP_X = 30, GAP_Y = 16 };

struct box_set {
    uint64_t bits[PEN_GRAPH_BOXES / 64];
};

struct layout {
    const struct pen_graph_box *boxes;
    int64_t n_boxes, n_edges;
    const struct pen_graph_edge *edges;
    struct box_set before[PEN_GRAPH_BOXES]; /* all that a box depends on, at first or second hand */
    int column[PEN_GRAPH_BOXES], row[PEN_GRAPH_BOXES];
    int n_columns, n_rows, width;
};

static bool has(const struct box_set *set, int64_t i)
{
    return (set->bits[i / 64] >> (i % 64) & 1) != 0;
}

static bool is_edge(const struct layout *l, const struct pen_graph_edge *edge)
{
    return edge->from >= 0 && edge->from < edge->to && edge->to < l->n_boxes;
}

/* Boxes come after what they depend on, so one pass finds all that stands before each. */
static void find_depths(struct layout *l)
{
    for (int64_t i = 0; i < l->n_edges; i++) {
        const struct pen_graph_edge *edge = &l->edges[i];
        if (!is_edge(l, edge)) {
            continue;
        }
        struct box_set *set = &l->before[edge->to];
        set->bits[edge->from / 64] |= (uint64_t)1 << (edge->from % 64);
        for (size_t k = 0; k < PEN_GRAPH_BOXES / 64; k++) {
            set->bits[k] |= l->before[edge->from].bits[k];
        }
        if (l->column[edge->from] + 1 > l->column[edge->to]) {
            l->column[edge->to] = l->column[edge->from] + 1;
        }
    }
}

/* Does it not follow from other edges? Those of a box come one after the other. */
static bool is_drawn(const struct layout *l, int64_t i)
{
    const struct pen_graph_edge *edge = &l->edges[i];
    bool is_implied = false;
    for (int64_t k = 0; k < l->n_edges && is_edge(l, edge) && !is_implied; k++) {
        const struct pen_graph_edge *other = &l->edges[k];
        is_implied = is_edge(l, other) && other->to == edge->to &&
                     (has(&l->before[other->from], edge->from) || (k < i && other->from == edge->from));
    }
    return is_edge(l, edge) && !is_implied;
}

static void move_near(struct layout *l, int64_t source)
{
    int column = PEN_GRAPH_BOXES;
    for (int64_t i = 0; i < l->n_edges; i++) {
        if (is_edge(l, &l->edges[i]) && l->edges[i].to == source) {
            return;
        }
        if (is_edge(l, &l->edges[i]) && l->edges[i].from == source && l->column[l->edges[i].to] < column) {
            column = l->column[l->edges[i].to];
        }
    }
    l->column[source] = column < PEN_GRAPH_BOXES ? column - 1 : 0;
}

static void place(struct layout *l)
{
    int filled[PEN_GRAPH_BOXES] = {0};
    find_depths(l);
    for (int64_t i = 0; i < l->n_boxes; i++) {
        move_near(l, i);
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

static void curve(struct pen_text *out, int x1, int y1, int x2, int y2)
{
    pen_text_printf(out, "C%d %d %d %d %d %d", (x1 + x2) / 2, y1, (x1 + x2) / 2, y2, x2, y2);
}

static void draw_edge(struct pen_text *out, const struct layout *l, const struct pen_graph_edge *edge)
{
    int x1 = left_of(l, edge->from) + l->width, y1 = top_of(l, edge->from) + BOX_HEIGHT / 2;
    int x2 = left_of(l, edge->to), y2 = top_of(l, edge->to) + BOX_HEIGHT / 2;
    pen_text_printf(out, "<path class=\"edge\" d=\"M%d %d", x1, y1);
    if (l->column[edge->to] - l->column[edge->from] > 1) {
        int between = (y1 > y2 ? y1 : y2) + (BOX_HEIGHT + GAP_Y) / 2;
        curve(out, x1, y1, x1 + GAP_X, between);
        pen_text_printf(out, "H%d", x2 - GAP_X);
        x1 = x2 - GAP_X;
        y1 = between;
    }
    curve(out, x1, y1, x2, y2);
    pen_text_append(out, "\"/>");
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
    struct layout l = {.boxes = boxes,
                       .n_boxes = n_boxes < PEN_GRAPH_BOXES ? n_boxes : PEN_GRAPH_BOXES,
                       .edges = edges,
                       .n_edges = n_edges,
                       .width = LEAST_WIDTH};
    if (n_boxes == 0) {
        return;
    }
    place(&l);
    int width = l.n_columns * (l.width + GAP_X) - GAP_X + 4, height = l.n_rows * (BOX_HEIGHT + GAP_Y) + 4;
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
        if (is_drawn(&l, i)) {
            draw_edge(out, &l, &edges[i]);
        }
    }
    for (int64_t i = 0; i < l.n_boxes; i++) {
        draw_box(out, &l, i);
    }
    pen_text_append(out, "</svg></figure>\n");
}
