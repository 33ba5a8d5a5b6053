/* The last runs at a glance: a row for each node, a column for each run, the newest to the right. */
#include "orchestrator/report/html.h"
#include "orchestrator/ui/ui_internal.h"

#include <string.h>

enum { MOST_RUNS = 40, MOST_NODES = 64 };

struct grid {
    int64_t n_runs, n_nodes;
    const char *runs[MOST_RUNS], *nodes[MOST_NODES];
    const char *states[MOST_NODES][MOST_RUNS]; /* NULL: not that node in that run */
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static int64_t find(const char *const *names, int64_t n_names, const char *name)
{
    int64_t i = 0;
    while (i < n_names && strcmp(names[i], name) != 0) {
        i++;
    }
    return i;
}

/* The last record of a node is the one that counts. */
static void gather(struct grid *grid, struct pen_metadata *metadata)
{
    const int64_t first = metadata->n_runs > MOST_RUNS ? metadata->n_runs - MOST_RUNS : 0;
    const struct pen_metadata_query any = {0};
    for (int64_t i = first; i < metadata->n_runs; i++) {
        grid->runs[grid->n_runs++] = text_of(pen_metadata_run(metadata, i), "run");
    }
    for (int64_t i = pen_metadata_seek(metadata, 0, 1, &any); i >= 0; i = pen_metadata_seek(metadata, i + 1, 1, &any)) {
        const pen_json *execution = pen_metadata_execution(metadata, i);
        const int64_t run = find(grid->runs, grid->n_runs, text_of(execution, "run"));
        const char *name = text_of(execution, "node");
        const int64_t node = find(grid->nodes, grid->n_nodes, name);
        if (run == grid->n_runs || node == MOST_NODES) {
            continue;
        }
        grid->nodes[node] = name;
        grid->n_nodes = node < grid->n_nodes ? grid->n_nodes : node + 1;
        grid->states[node][run] = text_of(execution, "status");
    }
}

/* The state is in the cell's form and colour, in words for who hovers or does not see. */
static void draw_row(struct pen_text *out, const struct grid *grid, int64_t node)
{
    pen_text_append(out, "<tr><th scope=\"row\">");
    pen_html_text(out, grid->nodes[node]);
    pen_text_append(out, "</th>");
    for (int64_t i = 0; i < grid->n_runs; i++) {
        const char *state = grid->states[node][i] == NULL ? "not run" : grid->states[node][i];
        pen_text_printf(out, "<td><span class=\"state %s%s\" title=\"", pen_html_tone(state),
                        strcmp(state, "cached") == 0    ? " hollow"
                        : strcmp(state, "not run") == 0 ? " none"
                                                        : "");
        pen_html_text(out, state);
        pen_text_append(out, "\"><span class=\"unseen\">");
        pen_html_text(out, state);
        pen_text_append(out, "</span></span></td>");
    }
    pen_text_append(out, "</tr>\n");
}

void pen_ui_grid(struct pen_ui_call *call, struct pen_metadata *metadata)
{
    struct pen_text *out = call->out;
    struct grid grid = {0};
    gather(&grid, metadata);
    if (grid.n_nodes == 0) {
        return;
    }
    pen_html_section(out, "grid", "Nodes of the last runs");
    pen_text_append(out, "<div class=\"wide\" tabindex=\"0\"><table class=\"grid\"><thead><tr><td></td>");
    for (int64_t i = 0; i < grid.n_runs; i++) {
        pen_text_append(out, "<th scope=\"col\">");
        pen_ui_link(call, "run", grid.runs[i]);
        pen_text_append(out, "</th>");
    }
    pen_text_append(out, "</tr></thead><tbody>\n");
    for (int64_t i = 0; i < grid.n_nodes; i++) {
        draw_row(out, &grid, i);
    }
    pen_text_append(out,
                    "</tbody></table></div>\n<p class=\"soft\"><span class=\"state good\"></span> ran &ensp; "
                    "<span class=\"state good hollow\"></span> from the cache &ensp; <span class=\"state bad\">"
                    "</span> failed &ensp; <span class=\"state soft\"></span> another end, told by hovering</p>\n");
    pen_html_section_end(out);
}
