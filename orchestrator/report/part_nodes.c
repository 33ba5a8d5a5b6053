/* What the nodes of a run did: a table, a Gantt chart, their logs. */
#include "orchestrator/report/html.h"
#include "orchestrator/report/parts.h"

#include <math.h>
#include <string.h>

enum { NAME_WIDTH = 140, WIDTH = 700, ROW = 22, AFTER = 120, LOG_BYTES = 64 << 10 };

static void draw_gantt(struct pen_text *out, const struct pen_page_node *nodes, int64_t n_nodes)
{
    double end = 0;
    for (int64_t i = 0; i < n_nodes; i++) {
        end = fmax(end, nodes[i].begin + nodes[i].seconds);
    }
    if (n_nodes == 0 || end <= 0) {
        return;
    }
    const long long height = n_nodes * ROW + 18;
    pen_text_printf(out,
                    "<figure class=\"wide\" tabindex=\"0\"><svg width=\"%d\" height=\"%lld\" viewBox=\"0 0 %d %lld\" "
                    "role=\"img\" aria-label=\"When each node ran\">",
                    WIDTH + AFTER, height, WIDTH + AFTER, height);
    for (int64_t i = 0; i < n_nodes; i++) {
        const double left = NAME_WIDTH + nodes[i].begin / end * (WIDTH - NAME_WIDTH);
        const double width = fmax(2, nodes[i].seconds / end * (WIDTH - NAME_WIDTH));
        const long long y = i * ROW;
        pen_text_printf(out, "<text x=\"0\" y=\"%lld\">", y + 15);
        pen_html_text(out, nodes[i].name);
        pen_text_printf(out,
                        "</text><rect class=\"f%s\" x=\"%.1f\" y=\"%lld\" width=\"%.1f\" height=\"14\" rx=\"2\"/><text "
                        "class=\"soft\" x=\"%.1f\" y=\"%lld\">%.3f s",
                        pen_html_tone(nodes[i].status), left, y + 4, width, left + width + 4, y + 15, nodes[i].seconds);
        if (strcmp(pen_html_tone(nodes[i].status), "good") != 0) {
            pen_text_append(out, ", ");
            pen_html_text(out, nodes[i].status);
        }
        pen_text_append(out, "</text>");
    }
    pen_text_printf(out, "<path class=\"axis\" d=\"M%d %lldH%d\"/></svg></figure>\n", NAME_WIDTH,
                    (long long)n_nodes * ROW, WIDTH);
}

static void name_cell(struct pen_text *out, const struct pen_page_node *node)
{
    if (node->link == NULL) {
        pen_html_cell(out, node->name);
        return;
    }
    pen_text_append(out, "<td><a href=\"");
    pen_html_text(out, node->link);
    pen_text_append(out, "\">");
    pen_html_text(out, node->name);
    pen_text_append(out, "</a></td>");
}

void pen_page_nodes(struct pen_text *out, const struct pen_page_node *nodes, int64_t n_nodes)
{
    pen_html_section(out, "nodes", "Nodes");
    pen_text_append(out, "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>node</th><th>status</th><th "
                         "class=\"number\">seconds</th><th>message</th></tr></thead><tbody>\n");
    for (int64_t i = 0; i < n_nodes; i++) {
        pen_text_append(out, "<tr>");
        name_cell(out, &nodes[i]);
        pen_text_printf(out, "<td class=\"%s\">", pen_html_tone(nodes[i].status));
        pen_html_text(out, nodes[i].status);
        pen_text_printf(out, "</td><td class=\"number\">%.3f</td>", nodes[i].seconds);
        pen_html_cell(out, nodes[i].message);
        pen_text_append(out, "</tr>\n");
    }
    pen_text_append(out, "</tbody></table></div>\n");
    draw_gantt(out, nodes, n_nodes);
    pen_html_section_end(out);
}

void pen_page_logs(struct pen_text *out, const struct pen_page_node *nodes, int64_t n_nodes)
{
    pen_html_section(out, "logs", "Logs");
    for (int64_t i = 0; i < n_nodes; i++) {
        if (nodes[i].log == NULL || nodes[i].log[0] == '\0') {
            continue;
        }
        const size_t size = strlen(nodes[i].log);
        const char *tail = size > LOG_BYTES ? nodes[i].log + size - LOG_BYTES : nodes[i].log;
        pen_text_printf(out, "<details%s><summary>", strcmp(nodes[i].status, "failed") == 0 ? " open" : "");
        pen_html_text(out, nodes[i].name);
        pen_text_append(out, size > LOG_BYTES ? ", its end</summary><pre>" : "</summary><pre>");
        pen_html_text(out, tail);
        pen_text_append(out, "</pre></details>\n");
    }
    pen_html_section_end(out);
}
