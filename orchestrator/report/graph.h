/* A directed graph as SVG: a column of boxes for each depth, edges from left to right. */
#ifndef PEN_ORCHESTRATOR_REPORT_GRAPH_H
#define PEN_ORCHESTRATOR_REPORT_GRAPH_H

#include "core/text.h"

enum { PEN_GRAPH_BOXES = 256 };

struct pen_graph_box {
    const char *title, *subtitle;
    const char *tone; /* good, bad, wait or soft: the colour of its edge; the subtitle says it in words */
    const char *link; /* where the box leads; NULL: nowhere */
    bool marked;      /* the box that the graph is about */
};

struct pen_graph_edge {
    int64_t from, to; /* boxes; from < to */
};

/* A <figure>; without boxes: nothing. At most PEN_GRAPH_BOXES are drawn. edges: those of a box after those of the boxes
 * before it; one that follows from others (a to c beside a to b and b to c) is not drawn. */
void pen_graph_draw(struct pen_text *out, const char *label, const struct pen_graph_box *boxes, int64_t n_boxes,
                    const struct pen_graph_edge *edges, int64_t n_edges);

#endif
