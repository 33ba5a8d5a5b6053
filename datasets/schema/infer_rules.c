/* The rules of inference, applied to one feature's merged statistics (infer.h). */
#include "datasets/schema/infer_internal.h"

#include <inttypes.h>
#include <string.h>

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: inferring a schema");
}

static bool is_one_of(const char *value, const char *const *words)
{
    for (int64_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], value) == 0) {
            return true;
        }
    }
    return false;
}

/* At most one word for true and at most one for false, and nothing else. */
static bool strings_are_bool(const struct pen_schema_merged *merged, const char **true_value, const char **false_value)
{
    static const char *const true_words[] = {"TRUE", "true", "SET", "set", "1", "", NULL};
    static const char *const false_words[] = {"FALSE", "false", "CLEAR", "clear", "0", NULL};
    *true_value = NULL;
    *false_value = NULL;
    for (int64_t i = 0; i < merged->n_values; i++) {
        const char **slot = is_one_of(merged->values[i], true_words)    ? true_value
                            : is_one_of(merged->values[i], false_words) ? false_value
                                                                        : NULL;
        if (slot == NULL || *slot != NULL) {
            return false;
        }
        *slot = merged->values[i];
    }
    return merged->n_values > 0 && merged->all_values;
}

static bool strings_are_ints(const struct pen_schema_merged *merged)
{
    for (int64_t i = 0; i < merged->n_values; i++) {
        int64_t value = 0;
        if (!pen_parse_int64(merged->values[i], strlen(merged->values[i]), &value)) {
            return false;
        }
    }
    return merged->n_values > 0;
}

static pen_status infer_string_domain(const struct pen_schema_merged *merged,
                                      const struct pen_schema_infer_options *options, struct pen_arena *arena,
                                      struct pen_schema_feature *feature, struct pen_error *err)
{
    const char **note = &feature->notes[PEN_SCHEMA_NOTE_DOMAIN];
    const char *true_value = NULL;
    const char *false_value = NULL;
    if (merged->has_unlisted) {
        *note = "no domain: a split holds numbers";
    } else if (merged->has_bytes_only) {
        *note = "no domain: some values are no valid UTF-8";
    } else if (strings_are_bool(merged, &true_value, &false_value)) {
        feature->domain = PEN_SCHEMA_DOMAIN_BOOL;
        feature->true_value = true_value == NULL ? NULL : pen_arena_strdup(arena, true_value);
        feature->false_value = false_value == NULL ? NULL : pen_arena_strdup(arena, false_value);
        *note = "only words for true and false";
    } else if (strings_are_ints(merged)) {
        feature->domain = PEN_SCHEMA_DOMAIN_INT;
        *note = merged->all_values ? "every string is an integer" : "each of the most frequent strings is an integer";
    } else if (merged->all_values && merged->n_values > 0 && merged->n_values <= options->max_string_domain_size) {
        const char **values = pen_arena_alloc(arena, merged->n_values, sizeof *values);
        for (int64_t i = 0; values != NULL && i < merged->n_values; i++) {
            values[i] = pen_arena_strdup(arena, merged->values[i]);
            if (values[i] == NULL) {
                values = NULL;
            }
        }
        if (values == NULL) {
            return out_of_memory(err);
        }
        feature->domain = PEN_SCHEMA_DOMAIN_STRINGS;
        feature->domain_values = (struct pen_config_strings){values, merged->n_values};
        *note = pen_arena_printf(arena, "all %" PRId64 " values seen", merged->n_values);
    } else if (merged->n_unique > options->max_string_domain_size) {
        *note = pen_arena_printf(arena, "no domain: %" PRId64 " distinct values, more than %" PRId64, merged->n_unique,
                                 options->max_string_domain_size);
    } else if (!merged->all_values) {
        *note = pen_arena_printf(arena, "no domain: the statistics list only some of %" PRId64 " distinct values",
                                 merged->n_unique);
    }
    return PEN_OK;
}

static void infer_presence(const struct pen_schema_merged *merged, struct pen_arena *arena,
                           struct pen_schema_feature *feature)
{
    const char **note = &feature->notes[PEN_SCHEMA_NOTE_PRESENCE];
    if (merged->n_present == 0) {
        *note = "never present";
        return;
    }
    if (merged->absent_somewhere) {
        *note = pen_arena_printf(arena, "never present in split %s", merged->absent_split);
        return;
    }
    feature->min_count = 1;
    feature->min_fraction = merged->n_present == merged->n_rows ? 1.0 : 0.0;
    *note = merged->n_present == merged->n_rows ? "never missing"
                                                : pen_arena_printf(arena, "missing in %" PRId64 " of %" PRId64 " rows",
                                                                   merged->n_rows - merged->n_present, merged->n_rows);
}

static pen_status infer_shape(const struct pen_schema_merged *merged, bool wanted, struct pen_arena *arena,
                              struct pen_schema_feature *feature, struct pen_error *err)
{
    bool same = merged->min_values == merged->max_values && merged->min_values > 0;
    if (wanted && same && merged->n_present == merged->n_rows && merged->n_present > 0) {
        int64_t *dimensions = pen_arena_alloc(arena, 1, sizeof *dimensions);
        if (dimensions == NULL) {
            return out_of_memory(err);
        }
        dimensions[0] = merged->min_values;
        feature->has_shape = true;
        feature->n_dimensions = 1;
        feature->dimensions = dimensions;
        feature->notes[PEN_SCHEMA_NOTE_SHAPE] =
            merged->min_values == 1 ? "one value in every row" : "as many in every row";
    } else if (merged->n_present > 0 && same) {
        feature->min_values = merged->min_values;
        feature->max_values = merged->max_values;
        feature->notes[PEN_SCHEMA_NOTE_VALUES] =
            merged->min_values == 1 ? "one value wherever present" : "as many wherever present";
    } else if (merged->n_present > 0 && merged->min_values > 0) {
        feature->min_values = 1;
        feature->notes[PEN_SCHEMA_NOTE_VALUES] = "a value wherever present";
    }
    return PEN_OK;
}

pen_status pen_schema_infer_merged(const struct pen_schema_merged *merged,
                                   const struct pen_schema_infer_options *options, bool with_domain,
                                   struct pen_arena *arena, struct pen_schema_feature *feature, struct pen_error *err)
{
    feature->type = merged->type;
    feature->notes[PEN_SCHEMA_NOTE_TYPE] =
        pen_arena_printf(arena, "%" PRId64 " values%s%s", merged->n_present, merged->splits == NULL ? "" : " in ",
                         merged->splits == NULL ? "" : merged->splits);
    infer_presence(merged, arena, feature);
    PEN_TRY(infer_shape(merged, options->infer_feature_shape, arena, feature, err));
    if (!with_domain || merged->n_present == 0) {
        return PEN_OK;
    }
    if (merged->type == PEN_SCHEMA_TYPE_STRING) {
        return infer_string_domain(merged, options, arena, feature, err);
    }
    if (merged->type == PEN_SCHEMA_TYPE_INT && merged->has_range && merged->min >= 0.0 && merged->max == 1.0) {
        feature->domain = PEN_SCHEMA_DOMAIN_BOOL;
        feature->notes[PEN_SCHEMA_NOTE_DOMAIN] = "only 0 and 1";
    }
    return PEN_OK;
}
