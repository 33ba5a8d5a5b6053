/* Downstream of --from and upstream of --to, along inputs and conditions. Nodes are sorted, so one sweep each way
 * suffices. */
#include "orchestrator/run/selection.h"

#include "core/memory.h"

static void mark_downstream(const struct pen_pipeline *pipeline, int64_t start, bool *marked)
{
    marked[start] = true;
    for (int64_t i = start + 1; i < pipeline->n_nodes; i++) {
        for (int64_t k = 0; k < pipeline->nodes[i].n_inputs; k++) {
            int64_t producer = pipeline->nodes[i].inputs[k].node;
            marked[i] = marked[i] || (producer >= 0 && marked[producer]);
        }
        for (int64_t k = 0; k < pipeline->nodes[i].n_after; k++) {
            marked[i] = marked[i] || marked[pipeline->nodes[i].after[k]];
        }
    }
}

static void mark_upstream(const struct pen_pipeline *pipeline, int64_t end, bool *marked)
{
    marked[end] = true;
    for (int64_t i = end; i >= 0; i--) {
        for (int64_t k = 0; marked[i] && k < pipeline->nodes[i].n_inputs; k++) {
            int64_t producer = pipeline->nodes[i].inputs[k].node;
            if (producer >= 0) {
                marked[producer] = true;
            }
        }
        for (int64_t k = 0; marked[i] && k < pipeline->nodes[i].n_after; k++) {
            marked[pipeline->nodes[i].after[k]] = true;
        }
    }
}

pen_status pen_select_nodes(const struct pen_pipeline *pipeline, const struct pen_run_options *options, bool *selected,
                            struct pen_error *err)
{
    int64_t n = pipeline->n_nodes;
    int64_t only = -1;
    int64_t from = -1;
    int64_t to = -1;
    if (options->only != NULL) {
        PEN_TRY(pen_pipeline_find(pipeline, options->only, &only, err));
    }
    if (options->from != NULL) {
        PEN_TRY(pen_pipeline_find(pipeline, options->from, &from, err));
    }
    if (options->to != NULL) {
        PEN_TRY(pen_pipeline_find(pipeline, options->to, &to, err));
    }
    if (only >= 0 && (from >= 0 || to >= 0)) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected --only alone, or --from and --to; found both");
    }
    bool *below = pen_calloc(2 * n, sizeof *below);
    if (below == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: choosing nodes");
    }
    bool *above = below + n;
    if (from >= 0) {
        mark_downstream(pipeline, from, below);
    }
    if (to >= 0) {
        mark_upstream(pipeline, to, above);
    }
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        selected[i] = only >= 0 ? i == only : (from < 0 || below[i]) && (to < 0 || above[i]);
        count += selected[i];
    }
    pen_free(below);
    if (count == 0) {
        PEN_FAIL(err, PEN_ERR_USAGE, "no node lies downstream of --from %s and upstream of --to %s", options->from,
                 options->to);
    }
    return PEN_OK;
}
