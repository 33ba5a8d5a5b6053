/* Whose analyzer is whose, and what they found from rank to rank: the entries of graph.json (graph_file.h). */
#include "components/transform/share.h"

#include "components/transform/graph_file.h"
#include "core/memory.h"

#include <stdio.h>

bool pen_analysis_is_own(const struct pen_communicator *ranks, int64_t analysis)
{
    return analysis % ranks->size == ranks->rank;
}

static pen_status write_own(const struct pen_transform_graph *graph, const struct pen_communicator *ranks,
                            const char *folder, int pass, struct pen_text *text, struct pen_error *err)
{
    pen_json *list = pen_json_array();
    pen_status status = PEN_OK;
    for (int64_t a = 0; a < graph->n_analyses && status == PEN_OK; a++) {
        if (graph->nodes[graph->analysis_nodes[a]].pass == pass && pen_analysis_is_own(ranks, a)) {
            pen_json *entry = pen_json_object();
            status = pen_analysis_to_json(graph, a, folder, entry, err);
            pen_json_set_int(entry, "analysis", a);
            pen_json_push(list, entry);
        }
    }
    status = status == PEN_OK ? pen_json_print(list, PEN_JSON_COMPACT, text, err) : status;
    pen_json_free(list);
    return status;
}

static pen_status read_other(struct pen_transform_graph *graph, int rank, const char *folder, const char *text,
                             int64_t size_bytes, struct pen_error *err)
{
    char where[64];
    pen_json *list = NULL;
    pen_status status = PEN_OK;
    (void)snprintf(where, sizeof where, "analyses of rank %d", rank);
    PEN_TRY(pen_json_parse(text, (size_t)size_bytes, where, &list, err));
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        const pen_json *entry = pen_json_at(list, i);
        int64_t a = -1;
        PEN_TRY_GOTO(cleanup, pen_json_need_int(entry, "analysis", where, &a, err));
        if (a < 0 || a >= graph->n_analyses) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_DATA, "%s: expected an analysis below %lld, found %lld", where,
                          (long long)graph->n_analyses, (long long)a);
        }
        PEN_TRY_GOTO(cleanup, pen_analysis_from_json(graph, a, folder, entry, where, err));
    }
cleanup:
    pen_json_free(list);
    return status;
}

pen_status pen_analyses_share(struct pen_transform_graph *graph, struct pen_communicator *ranks, const char *folder,
                              int pass, struct pen_error *err)
{
    struct pen_text text = {0};
    char *texts = NULL;
    int64_t *offsets = NULL;
    pen_status status = PEN_OK;
    if (ranks->size == 1) {
        return PEN_OK;
    }
    PEN_ALLOC_GOTO(cleanup, offsets, ranks->size + 1, err);
    PEN_TRY_GOTO(cleanup, write_own(graph, ranks, folder, pass, &text, err));
    PEN_TRY_GOTO(cleanup,
                 pen_communicator_gather_all(ranks, &texts, offsets, text.data, (int64_t)text.size_bytes, err));
    for (int r = 0; r < ranks->size; r++) {
        if (r != ranks->rank) {
            PEN_TRY_GOTO(cleanup, read_other(graph, r, folder, texts + offsets[r], offsets[r + 1] - offsets[r], err));
        }
    }
cleanup:
    pen_free(offsets);
    pen_free(texts);
    pen_text_deinit(&text);
    return status;
}
