/* From data to a drafted pipeline: inspect, choose columns, ask Transform for default features, write. */
#include "orchestrator/pipeline/init.h"

#include "core/files.h"
#include "orchestrator/pipeline/draft.h"
#include "orchestrator/pipeline/inspect.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: drafting the pipeline");
}

/* Letters, digits and underscores of a path's last part up to its first dot. */
static char *plain_name(struct pen_arena *arena, const char *part, size_t size)
{
    char *name = pen_arena_strndup(arena, part, size);
    for (char *c = name; c != NULL && *c != '\0'; c++) {
        if (*c == '.' && c != name) {
            *c = '\0';
            break;
        }
        if (!isalnum((unsigned char)*c) || (unsigned char)*c >= 0x80) {
            *c = '_';
        }
    }
    return name;
}

/* "data/trips-2026.csv.gz" -> "trips_2026"; the folder's name when the file's says nothing: "chicago/data.csv". */
static const char *name_from_path(struct pen_arena *arena, const char *path)
{
    static const char *const empty[] = {"data", "train", "test", "dataset"};
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    char *name = plain_name(arena, base, strlen(base));
    for (size_t i = 0; name != NULL && slash != NULL && i < sizeof empty / sizeof empty[0]; i++) {
        const char *folder = slash;
        while (folder > path && folder[-1] != '/') {
            folder--;
        }
        if (strcmp(name, empty[i]) == 0 && folder < slash && folder[0] != '.') {
            return plain_name(arena, folder, (size_t)(slash - folder));
        }
    }
    return name != NULL && name[0] == '\0' ? "pipeline" : name;
}

/* The path as the pipeline file, which may lie in another folder, is to name it. */
static const char *path_for_file(struct pen_arena *arena, const char *path, const char *output)
{
    const char *slash = output == NULL ? NULL : strrchr(output, '/');
    if (path[0] == '/' || slash == NULL) {
        return path;
    }
    char *here = realpath(".", NULL);
    const char *absolute = here == NULL ? NULL : pen_arena_printf(arena, "%s/%s", here, path);
    free(here);
    return absolute;
}

static bool contains(const char *const *names, int64_t n_names, const char *name)
{
    for (int64_t i = 0; i < n_names; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* With the nearest name, or the first of those there are. */
static pen_status no_such_column(const char *what, const char *name, const char *const *known, int64_t n_known,
                                 struct pen_error *err)
{
    enum { SHOWN = 8 };
    const char *near = pen_nearest_name(name, known, n_known);
    char quoted[PEN_QUOTE_BYTES];
    struct pen_text list = {0};
    if (near != NULL) {
        pen_text_printf(&list, "; did you mean '%s'?", near);
    }
    for (int64_t i = 0; near == NULL && i < n_known && i < SHOWN; i++) {
        char column[PEN_QUOTE_BYTES];
        pen_text_printf(&list, "%s%s", i == 0 ? "; they have " : ", ", pen_quote(column, known[i], strlen(known[i])));
    }
    pen_text_append(&list, near == NULL && n_known > SHOWN ? ", ..." : "");
    pen_status status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_CONFIG, "%s: the data have no column '%s'%s",
                                      what, pen_quote(quoted, name, strlen(name)), pen_text_view(&list));
    pen_text_deinit(&list);
    return status;
}

static pen_status check_columns(const struct pen_split_statistics *table, const char *what, const char *const *names,
                                int64_t n_names, struct pen_error *err)
{
    const char **known = pen_calloc(table->n_features, sizeof *known);
    if (known == NULL) {
        return out_of_memory(err);
    }
    for (int64_t i = 0; i < table->n_features; i++) {
        known[i] = table->features[i].name;
    }
    pen_status status = PEN_OK;
    for (int64_t i = 0; i < n_names && status == PEN_OK; i++) {
        if (!contains(known, table->n_features, names[i])) {
            status = no_such_column(what, names[i], known, table->n_features, err);
        }
    }
    pen_free(known);
    return status;
}

/* Columns that are no features: the label's, the excluded ones, and all others when --features names some. */
static pen_status excluded_columns(struct pen_arena *arena, const struct pen_init_request *request,
                                   const struct pen_split_statistics *table, const char *const *label_columns,
                                   int64_t n_label_columns, const char ***excluded, int64_t *n_excluded,
                                   struct pen_error *err)
{
    PEN_TRY(check_columns(table, "--label", label_columns, n_label_columns, err));
    PEN_TRY(check_columns(table, "--features", request->features.items, request->features.n_items, err));
    PEN_TRY(check_columns(table, "--exclude", request->exclude.items, request->exclude.n_items, err));
    const char **names = pen_arena_alloc(arena, table->n_features, sizeof *names);
    if (names == NULL) {
        return out_of_memory(err);
    }
    int64_t n = 0;
    for (int64_t i = 0; i < table->n_features; i++) {
        const char *name = table->features[i].name;
        bool chosen =
            request->features.n_items == 0 || contains(request->features.items, request->features.n_items, name);
        if (!chosen || contains(label_columns, n_label_columns, name) ||
            contains(request->exclude.items, request->exclude.n_items, name)) {
            names[n++] = name;
        }
    }
    *excluded = names;
    *n_excluded = n;
    return PEN_OK;
}

/* What the label's columns would be as features: shown as comments. */
static pen_status label_features(struct pen_arena *arena, struct pen_draft *draft, struct pen_error *err)
{
    const struct pen_split_statistics *table = &draft->statistics->splits[0];
    const char **others = pen_arena_alloc(arena, table->n_features, sizeof *others);
    if (others == NULL) {
        return out_of_memory(err);
    }
    int64_t n = 0;
    for (int64_t i = 0; i < table->n_features; i++) {
        if (!contains(draft->label_columns, draft->n_label_columns, table->features[i].name)) {
            others[n++] = table->features[i].name;
        }
    }
    struct pen_transform_default *features = NULL;
    PEN_TRY(pen_transform_default_features(arena, draft->statistics, NULL, others, n, &features,
                                           &draft->n_label_features, err));
    draft->label_features = features;
    return PEN_OK;
}

/* The label as it is to stand in the file: a column whose name is no plain word in backquotes, and a column of texts
 * that are numbers ("1,234 EUR") as number(column). Texts that hardly repeat are no classes. */
static pen_status label_expression(struct pen_arena *arena, const struct pen_split_statistics *table, const char *asked,
                                   const char **label, bool *is_column, struct pen_error *err)
{
    enum { FEW_TEXTS = 100, NEARLY_ALL = 90 };
    *label = asked;
    *is_column = false;
    for (int64_t i = 0; i < table->n_features; i++) {
        const struct pen_feature_statistics *column = &table->features[i];
        const char *quoted = pen_transform_quote_column(arena, column->name);
        if (quoted == NULL) {
            return out_of_memory(err);
        }
        if (strcmp(asked, column->name) != 0 && strcmp(asked, quoted) != 0) {
            continue;
        }
        const char *number = pen_transform_number_of_text(arena, column);
        *label = number == NULL ? quoted : number;
        *is_column = true;
        int64_t n_texts = number == NULL && column->has_string ? column->string.n_unique : 0;
        if (n_texts > FEW_TEXTS && 100 * n_texts > NEARLY_ALL * column->n_present) {
            PEN_FAIL(err, PEN_ERR_CONFIG,
                     "--label: expected classes or numbers, found %lld texts in the %lld rows of '%s' that have one",
                     (long long)n_texts, (long long)column->n_present, column->name);
        }
        return PEN_OK;
    }
    return PEN_OK;
}

static pen_status draft_from(struct pen_inspection *inspection, const struct pen_init_request *request,
                             struct pen_text *out, struct pen_error *err)
{
    struct pen_arena *arena = &inspection->arena;
    const char *name = request->name == NULL ? name_from_path(arena, request->csv) : request->name;
    struct pen_draft draft = {
        .name = name,
        .root = request->root == NULL ? pen_arena_printf(arena, "out/%s", name) : request->root,
        .csv = path_for_file(arena, request->csv, request->output),
        .split = request->split,
        .dialect = inspection->dialect,
        .statistics = &inspection->statistics,
        .rows_were_sampled = inspection->sampled,
    };
    if (draft.name == NULL || draft.root == NULL || draft.csv == NULL) {
        return out_of_memory(err);
    }
    bool label_is_column = false;
    PEN_TRY(label_expression(arena, &draft.statistics->splits[0], request->label, &draft.label, &label_is_column, err));
    PEN_TRY(pen_transform_expression_columns(arena, draft.label, "--label", &draft.label_columns,
                                             &draft.n_label_columns, err));
    const char **excluded = NULL;
    int64_t n_excluded = 0;
    PEN_TRY(excluded_columns(arena, request, &draft.statistics->splits[0], draft.label_columns, draft.n_label_columns,
                             &excluded, &n_excluded, err));
    struct pen_transform_default *features = NULL;
    PEN_TRY(pen_transform_default_features(arena, draft.statistics, NULL, excluded, n_excluded, &features,
                                           &draft.n_features, err));
    draft.features = features;
    if (!label_is_column) {
        PEN_TRY(label_features(arena, &draft, err));
    }
    return pen_draft_write(&draft, out, err);
}

pen_status pen_init_pipeline(const struct pen_init_request *request, struct pen_text *out, struct pen_error *err)
{
    struct pen_inspection inspection;
    pen_status status =
        pen_inspect_csv(&inspection, request->csv, request->columns.items, request->columns.n_items, err);
    if (status == PEN_OK && (inspection.statistics.n_splits == 0 || inspection.statistics.splits[0].n_rows == 0)) {
        status =
            pen_error_set(err, __FILE__, __LINE__, PEN_ERR_DATA, "%s: expected rows of data, found none", request->csv);
    }
    if (status == PEN_OK) {
        status = draft_from(&inspection, request, out, err);
    }
    pen_inspection_deinit(&inspection);
    return status;
}
