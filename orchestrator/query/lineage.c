/* Two walks from one artifact. Up: the inputs of what is in the list, each looked at once. Down: executions come in
 * order, so one pass over the later ones finds all that was made of what was found so far. */
#include "orchestrator/query/lineage.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* The number at the end of an id: of the execution that made it. */
static int64_t number_of(const char *id)
{
    const char *dot = strrchr(id, '.');
    int64_t number = -1;
    return dot != NULL && pen_parse_int64(dot + 1, strlen(dot + 1), &number) ? number : -1;
}

static int64_t find(const struct pen_lineage *lineage, const char *id)
{
    const int64_t number = number_of(id);
    for (int64_t i = 0; number >= 0 && i < lineage->n_artifacts; i++) {
        if (lineage->artifacts[i].number == number && strcmp(text_of(lineage->artifacts[i].output, "id"), id) == 0) {
            return i;
        }
    }
    return -1;
}

static pen_status add(struct pen_lineage *lineage, const pen_json *output, const pen_json *producer, int64_t most,
                      struct pen_error *err)
{
    if (output == NULL || find(lineage, text_of(output, "id")) >= 0) {
        return PEN_OK;
    }
    if (lineage->n_artifacts == most) {
        lineage->is_cut = true;
        return PEN_OK;
    }
    PEN_TRY(pen_grow((void **)&lineage->artifacts, &lineage->artifacts_capacity, lineage->n_artifacts + 1,
                     sizeof *lineage->artifacts, err));
    lineage->artifacts[lineage->n_artifacts++] =
        (struct pen_lineage_artifact){output, producer, pen_json_int_or(pen_json_get(producer, "execution"), 0)};
    return PEN_OK;
}

/* What it adds comes behind what is looked at. */
static pen_status add_earlier(struct pen_lineage *lineage, struct pen_metadata *metadata, int64_t most,
                              struct pen_error *err)
{
    for (int64_t i = 0; i < lineage->n_artifacts; i++) {
        const char *port = NULL;
        const pen_json *input = NULL, *inputs = pen_json_get(lineage->artifacts[i].producer, "inputs");
        for (int64_t k = 0; pen_json_member(inputs, k, &port, &input); k++) {
            const pen_json *producer = NULL;
            const char *id = pen_json_string_or(input, "");
            const pen_json *output = id[0] == '\0' ? NULL : pen_metadata_find_artifact(metadata, id, &producer);
            PEN_TRY(add(lineage, output, producer, most, err));
        }
    }
    return PEN_OK;
}

static bool uses(const struct pen_lineage *lineage, const pen_json *execution)
{
    const char *port = NULL;
    const pen_json *input = NULL, *inputs = pen_json_get(execution, "inputs");
    for (int64_t k = 0; pen_json_member(inputs, k, &port, &input); k++) {
        if (find(lineage, pen_json_string_or(input, "")) >= 0) {
            return true;
        }
    }
    return false;
}

/* lineage: the subject alone, then what was made of it. */
static pen_status add_later(struct pen_lineage *lineage, struct pen_metadata *metadata,
                            const struct pen_lineage_reach *reach, struct pen_error *err)
{
    static const struct pen_metadata_query made = {.has_outputs = true, .is_first_hand = true};
    PEN_ASSERT(lineage->n_artifacts > 0);
    const int64_t number = lineage->artifacts[0].number;
    int64_t n_seen = 0;
    for (int64_t i = pen_metadata_seek(metadata, 0, 1, &made); i >= 0 && !lineage->is_cut;
         i = pen_metadata_seek(metadata, i + 1, 1, &made)) {
        if (pen_metadata_number(metadata, i) <= number) {
            continue;
        }
        if (reach->most_records > 0 && n_seen++ == reach->most_records) {
            lineage->is_cut = true;
            break;
        }
        const pen_json *execution = pen_metadata_execution(metadata, i), *output = NULL;
        const char *port = NULL;
        bool is_later = uses(lineage, execution);
        for (int64_t k = 0; is_later && pen_json_member(pen_json_get(execution, "outputs"), k, &port, &output); k++) {
            PEN_TRY(add(lineage, output, execution, reach->most_artifacts, err));
        }
    }
    return PEN_OK;
}

/* By number, then by id: outputs of one execution stand together. */
static int by_age(const void *a, const void *b)
{
    const struct pen_lineage_artifact *x = a, *y = b;
    return x->number != y->number ? (x->number < y->number ? -1 : 1)
                                  : strcmp(text_of(x->output, "id"), text_of(y->output, "id"));
}

static int by_ends(const void *a, const void *b)
{
    const struct pen_lineage_edge *x = a, *y = b;
    return x->to != y->to ? (x->to < y->to ? -1 : 1) : x->from < y->from ? -1 : x->from > y->from;
}

static pen_status connect(struct pen_lineage *lineage, struct pen_error *err)
{
    for (int64_t i = 0; i < lineage->n_artifacts; i++) {
        const char *port = NULL;
        const pen_json *input = NULL, *inputs = pen_json_get(lineage->artifacts[i].producer, "inputs");
        for (int64_t k = 0; pen_json_member(inputs, k, &port, &input); k++) {
            int64_t from = find(lineage, pen_json_string_or(input, ""));
            if (from < 0 || lineage->artifacts[from].number >= lineage->artifacts[i].number) {
                continue;
            }
            PEN_TRY(pen_grow((void **)&lineage->edges, &lineage->edges_capacity, lineage->n_edges + 1,
                             sizeof *lineage->edges, err));
            lineage->edges[lineage->n_edges++] = (struct pen_lineage_edge){from, i};
        }
    }
    if (lineage->n_edges > 0) {
        qsort(lineage->edges, (size_t)lineage->n_edges, sizeof lineage->edges[0], by_ends);
    }
    return PEN_OK;
}

pen_status pen_lineage_gather(struct pen_lineage *lineage, struct pen_metadata *metadata, const char *id,
                              const struct pen_lineage_reach *reach, struct pen_error *err)
{
    const pen_json *producer = NULL;
    *lineage = (struct pen_lineage){.n_artifacts = 0};
    const pen_json *output = pen_metadata_find_artifact(metadata, id, &producer);
    if (output == NULL) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s has no artifact '%.80s'; penstock artifacts lists what there is",
                 metadata->root, id);
    }
    struct pen_lineage later = {.n_artifacts = 0};
    pen_status status = add(lineage, output, producer, reach->most_artifacts, err);
    PEN_TRY_GOTO(cleanup, status);
    PEN_TRY_GOTO(cleanup, add(&later, output, producer, reach->most_artifacts, err));
    if (reach->up) {
        PEN_TRY_GOTO(cleanup, add_earlier(lineage, metadata, reach->most_artifacts, err));
    }
    if (reach->down) {
        PEN_TRY_GOTO(cleanup, add_later(&later, metadata, reach, err));
    }
    for (int64_t i = 1; i < later.n_artifacts; i++) {
        PEN_TRY_GOTO(cleanup,
                     add(lineage, later.artifacts[i].output, later.artifacts[i].producer, reach->most_artifacts, err));
    }
    lineage->is_cut = lineage->is_cut || later.is_cut;
    qsort(lineage->artifacts, (size_t)lineage->n_artifacts, sizeof lineage->artifacts[0], by_age);
    lineage->subject = find(lineage, text_of(output, "id"));
    PEN_TRY_GOTO(cleanup, connect(lineage, err));
    status = pen_metadata_check(metadata, err);
cleanup:
    pen_lineage_deinit(&later);
    return status;
}

void pen_lineage_deinit(struct pen_lineage *lineage)
{
    pen_free(lineage->artifacts);
    pen_free(lineage->edges);
    *lineage = (struct pen_lineage){.n_artifacts = 0};
}
