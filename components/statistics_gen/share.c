/* Which features are whose, and one document out of those of all ranks. */
#include "components/statistics_gen/share.h"

#include <stdio.h>
#include <string.h>

static bool is_among(const char *name, const char *const *names, int64_t n_names)
{
    for (int64_t i = 0; i < n_names; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Those of this rank's features, but that of a label feature, which all ranks have, is rank 0's alone; so is what is
 * nobody's, to say so. */
static pen_status share_vocabularies(struct pen_arena *arena, const struct pen_communicator *ranks,
                                     const char *const *all, int64_t n_all, struct pen_statistics_options *options,
                                     struct pen_error *err)
{
    const char **own = pen_arena_alloc(arena, options->n_vocabularies + 1, sizeof(*own));
    int64_t n = 0;
    if (own == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld vocabularies", (long long)options->n_vocabularies);
    }
    for (int64_t i = 0; i < options->n_vocabularies; i++) {
        const char *name = options->vocabularies[i];
        bool is_shared = options->label_feature != NULL && strcmp(name, options->label_feature) == 0;
        bool is_own = !is_shared && is_among(name, options->allowed, options->n_allowed);
        if (is_own || (ranks->rank == 0 && (is_shared || !is_among(name, all, n_all)))) {
            own[n++] = name;
        }
    }
    options->n_vocabularies = n;
    options->vocabularies = own;
    return PEN_OK;
}

pen_status pen_statistics_share(struct pen_arena *arena, const struct pen_communicator *ranks,
                                const struct pen_statistics_source *source, struct pen_statistics_options *options,
                                bool *none, struct pen_error *err)
{
    int64_t n_all = options->n_allowed > 0 ? options->n_allowed : source->n_columns, n = 0;
    const char **all = pen_arena_alloc(arena, n_all + 1, sizeof(*all));
    const char **own = pen_arena_alloc(arena, n_all + 1, sizeof(*own));
    if (all == NULL || own == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld features", (long long)n_all);
    }
    for (int64_t i = 0; i < n_all; i++) {
        all[i] = options->n_allowed > 0 ? options->allowed[i] : source->name(source->user, i);
        bool is_label = options->label_feature != NULL && strcmp(all[i], options->label_feature) == 0;
        if (i % ranks->size == ranks->rank || is_label) { /* what a feature tells about the label needs both */
            own[n++] = all[i];
        }
    }
    options->n_allowed = n;
    options->allowed = own;
    *none = n == 0 && ranks->rank > 0;
    return share_vocabularies(arena, ranks, all, n_all, options, err);
}

/* The split or slice of a document that is at the same place as this one. */
static const pen_json *twin(const pen_json *document, const char *split, int64_t slice)
{
    return split != NULL ? pen_json_get(pen_json_get(document, "splits"), split)
                         : pen_json_at(pen_json_get(document, "slices"), slice);
}

/* What every rank has of one split or slice. */
static pen_json *join_features(pen_json *const *documents, int n_documents, const char *split, int64_t slice,
                               const struct pen_statistics_source *source)
{
    pen_json *features = pen_json_object();
    for (int64_t i = 0; i < source->n_columns; i++) {
        const char *name = source->name(source->user, i);
        for (int r = 0; r < n_documents; r++) {
            const pen_json *found = pen_json_get(pen_json_get(twin(documents[r], split, slice), "features"), name);
            if (found != NULL) {
                pen_json_set(features, name, pen_json_copy(found));
            }
        }
    }
    return features;
}

static void join(pen_json *document, pen_json *const *documents, int n_documents,
                 const struct pen_statistics_source *source)
{
    const pen_json *splits = pen_json_get(document, "splits");
    const char *split = NULL;
    const pen_json *value = NULL;
    for (int64_t i = 0; pen_json_member(splits, i, &split, &value); i++) {
        pen_json *features = join_features(documents, n_documents, split, 0, source);
        pen_json_set(pen_json_edit(pen_json_edit(document, "splits"), split), "features", features);
    }
    pen_json *slices = pen_json_array();
    const pen_json *before = pen_json_get(document, "slices");
    for (int64_t i = 0; i < pen_json_size(before); i++) {
        pen_json *slice = pen_json_copy(pen_json_at(before, i));
        pen_json_set(slice, "features", join_features(documents, n_documents, NULL, i, source));
        pen_json_push(slices, slice);
    }
    pen_json_set(document, "slices", slices);
}

static pen_status parse_all(struct pen_communicator *ranks, const char *texts, const int64_t *offsets,
                            pen_json **documents, struct pen_error *err)
{
    for (int r = 0; r < ranks->size; r++) {
        char where[64];
        (void)snprintf(where, sizeof where, "statistics of rank %d", r);
        PEN_TRY(pen_json_parse(texts + offsets[r], (size_t)(offsets[r + 1] - offsets[r]), where, &documents[r], err));
    }
    return PEN_OK;
}

pen_status pen_statistics_join(struct pen_communicator *ranks, pen_json *document,
                               const struct pen_statistics_source *source, struct pen_error *err)
{
    struct pen_text text = {0};
    char *texts = NULL;
    int64_t *offsets = NULL;
    pen_json **documents = NULL;
    pen_status status = PEN_OK;
    if (ranks->size == 1) {
        return PEN_OK;
    }
    PEN_ALLOC_GOTO(cleanup, offsets, ranks->size + 1, err);
    PEN_ALLOC_GOTO(cleanup, documents, ranks->size, err);
    PEN_TRY_GOTO(cleanup, pen_json_print(document, PEN_JSON_COMPACT, &text, err));
    PEN_TRY_GOTO(cleanup,
                 pen_communicator_gather_all(ranks, &texts, offsets, text.data, (int64_t)text.size_bytes, err));
    if (ranks->rank == 0) {
        PEN_TRY_GOTO(cleanup, parse_all(ranks, texts, offsets, documents, err));
        join(document, documents, ranks->size, source);
    }
cleanup:
    for (int r = 0; documents != NULL && r < ranks->size; r++) {
        pen_json_free(documents[r]);
    }
    pen_free(documents);
    pen_free(offsets);
    pen_free(texts);
    pen_text_deinit(&text);
    return status;
}
