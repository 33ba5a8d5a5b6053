/* What the schema asks about, measured feature by feature. */
#include "components/example_validator/measure.h"

#include "components/example_validator/rows.h"

#include <string.h>

void pen_measured_add(struct pen_measured_rows *measured, int64_t row, const char *value)
{
    if (measured->n_examples < PEN_FINDING_ROWS) {
        measured->rows[measured->n_examples] = row;
        measured->values[measured->n_examples++] = value;
    }
    measured->n_rows++;
}

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: measuring rows");
}

static pen_status measure_derived(struct pen_measures *measures, const struct pen_schema *schema,
                                  const struct pen_statistics_source *rows, struct pen_arena *arena,
                                  struct pen_error *err)
{
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    const char **names = pen_arena_alloc(arena, schema->n_features + 1, sizeof *names);
    if (names == NULL) {
        return out_of_memory(err);
    }
    options.allowed = names;
    for (int64_t i = 0; i < schema->n_features; i++) {
        const struct pen_schema_feature *feature = &schema->features[i];
        if (feature->deriver != PEN_SCHEMA_DERIVER_NONE && pen_rows_find(rows, feature->name) >= 0) {
            names[options.n_allowed++] = feature->name;
        }
    }
    return options.n_allowed == 0 ? PEN_OK : pen_statistics_compute(&measures->derived, rows, 1, &options, err);
}

static pen_status measure_languages(struct pen_measures *measures, const struct pen_schema *schema,
                                    const struct pen_statistics_source *rows, struct pen_arena *arena,
                                    struct pen_error *err)
{
    struct pen_measured_language *languages = pen_arena_alloc(arena, schema->n_features + 1, sizeof *languages);
    if (languages == NULL) {
        return out_of_memory(err);
    }
    measures->languages = languages;
    for (int64_t i = 0; i < schema->n_features; i++) {
        const struct pen_schema_feature *feature = &schema->features[i];
        int64_t column = pen_rows_find(rows, feature->name);
        if (feature->language != NULL && pen_schema_is_checked(feature) && column >= 0 &&
            pen_type_is_string(rows->type(rows->user, column))) {
            PEN_TRY(pen_measure_language(&languages[measures->n_languages], schema, feature, rows, column, arena, err));
            measures->n_languages++;
        }
    }
    return PEN_OK;
}

static pen_status measure_compounds(struct pen_measures *measures, const struct pen_schema *schema,
                                    const struct pen_statistics_source *rows, struct pen_arena *arena,
                                    struct pen_error *err)
{
    for (int kind = 0; kind < PEN_SCHEMA_COMPOUND_KINDS; kind++) {
        const struct pen_schema_compounds *list = &schema->compounds[kind];
        struct pen_measured_compound *measured = pen_arena_alloc(arena, list->n_items + 1, sizeof *measured);
        if (measured == NULL) {
            return out_of_memory(err);
        }
        for (int64_t i = 0; i < list->n_items; i++) {
            if (pen_schema_stage_is_checked(list->items[i].stage)) {
                PEN_TRY(pen_measure_compound(&measured[i], &list->items[i], rows, arena, err));
            }
        }
        measures->compounds[kind] = measured;
    }
    return PEN_OK;
}

pen_status pen_measure(struct pen_measures *measures, const struct pen_schema *schema,
                       const struct pen_statistics_source *rows, struct pen_arena *arena, struct pen_error *err)
{
    memset(measures, 0, sizeof *measures);
    pen_status status = measure_derived(measures, schema, rows, arena, err);
    if (status == PEN_OK) {
        status = measure_languages(measures, schema, rows, arena, err);
    }
    if (status == PEN_OK) {
        status = measure_compounds(measures, schema, rows, arena, err);
    }
    if (status != PEN_OK) {
        pen_measures_deinit(measures);
    }
    return status;
}

void pen_measures_deinit(struct pen_measures *measures)
{
    pen_statistics_deinit(&measures->derived);
    memset(measures, 0, sizeof *measures);
}

const struct pen_feature_statistics *pen_measures_derived(const struct pen_measures *measures, const char *feature)
{
    return measures == NULL || measures->derived.n_splits == 0
               ? NULL
               : pen_statistics_find_feature(&measures->derived.splits[0], feature);
}

const struct pen_measured_language *pen_measures_language(const struct pen_measures *measures, const char *feature)
{
    for (int64_t i = 0; measures != NULL && i < measures->n_languages; i++) {
        if (strcmp(measures->languages[i].feature, feature) == 0) {
            return &measures->languages[i];
        }
    }
    return NULL;
}

const struct pen_measured_compound *pen_measures_compound(const struct pen_measures *measures,
                                                          enum pen_schema_compound_kind kind, int64_t index)
{
    return measures == NULL || measures->compounds[kind] == NULL ? NULL : &measures->compounds[kind][index];
}
