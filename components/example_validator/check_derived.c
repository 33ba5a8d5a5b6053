/* Derived features: in the right stage, and made of columns that are there and can be read. */
#include "components/example_validator/check.h"
#include "components/example_validator/derive.h"

#include <string.h>

static void check_stage(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    if (feature->stage != PEN_SCHEMA_STAGE_DERIVED && feature->stage != PEN_SCHEMA_STAGE_DISABLED) {
        pen_check_add(check, PEN_ANOMALY_DERIVED_FEATURE_BAD_LIFECYCLE, "stage", "stage: derived beside derived",
                      feature->stage == PEN_SCHEMA_STAGE_UNSET
                          ? "no stage"
                          : pen_check_text(check, "stage: %s", pen_schema_stage_name(feature->stage)));
        check->fixed.stage = PEN_SCHEMA_STAGE_DERIVED;
    }
}

static void make_plain(struct pen_schema_feature *feature, bool is_column)
{
    feature->stage = is_column ? PEN_SCHEMA_STAGE_UNSET : PEN_SCHEMA_STAGE_DISABLED;
    if (is_column) {
        feature->deriver = PEN_SCHEMA_DERIVER_NONE;
        feature->derived_from[0] = NULL;
        feature->derived_from[1] = NULL;
    }
}

static void check_source(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    const enum pen_anomaly type = PEN_ANOMALY_DERIVED_FEATURE_INVALID_SOURCE;
    const struct pen_feature_statistics *own = pen_statistics_find_feature(check->split, feature->name);
    if (own != NULL) {
        pen_check_add(check, type, "derived", "no column of this name in the data",
                      pen_check_text(check, "a column of type %s", pen_schema_type_name(pen_check_type_of(own->type))));
        make_plain(&check->fixed, true);
        return;
    }
    for (int i = 0; i < 2 && feature->derived_from[i] != NULL; i++) {
        const struct pen_feature_statistics *source =
            pen_statistics_find_feature(check->split, feature->derived_from[i]);
        if (source == NULL || !pen_deriver_reads(feature->deriver, source->type)) {
            const char *name = pen_check_quoted(check, feature->derived_from[i]);
            bool text =
                feature->deriver == PEN_SCHEMA_DERIVER_LENGTH || feature->deriver == PEN_SCHEMA_DERIVER_COUNT_TOKENS;
            pen_check_add(check, type, pen_check_text(check, "derived.%s", pen_schema_deriver_name(feature->deriver)),
                          pen_check_text(check, "a column %s of %s", name, text ? "strings" : "numbers"),
                          source == NULL ? "no such column"
                                         : pen_check_text(check, "values of type %s",
                                                          pen_schema_type_name(pen_check_type_of(source->type))));
            make_plain(&check->fixed, false);
            return;
        }
    }
}

bool pen_check_derived(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    int64_t before = check->findings->n_items;
    if (feature->deriver == PEN_SCHEMA_DERIVER_NONE) {
        if (feature->stage == PEN_SCHEMA_STAGE_DERIVED) {
            pen_check_add(check, PEN_ANOMALY_DERIVED_FEATURE_INVALID_SOURCE, "derived",
                          "what it is derived from: {ratio: [a, b]}", "nothing, with stage: derived");
            make_plain(&check->fixed, check->statistics != NULL);
        }
        return check->findings->n_items == before;
    }
    check_stage(check);
    check_source(check);
    if (check->findings->n_items == before && check->statistics == NULL) {
        pen_check_add(check, PEN_ANOMALY_STATS_NOT_AVAILABLE, "derived", "rows to derive it from",
                      "none: the examples are no input of this node");
        check->fixed.stage = PEN_SCHEMA_STAGE_DISABLED;
    }
    return check->findings->n_items == before;
}
