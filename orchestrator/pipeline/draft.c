/* The text of a drafted pipeline file, section by section. */
#include "orchestrator/pipeline/draft.h"

#include <stdio.h>
#include <string.h>

enum { SLICE_MOST_VALUES = 20 };

/* A value in quotes when YAML would read it as something else. */
static void append_yaml_value(const char *value, struct pen_text *out)
{
    bool plain = value[0] != '\0' && strchr("\"'[]{}|>&*!%@#,?:-`", value[0]) == NULL && strstr(value, " #") == NULL &&
                 value[strlen(value) - 1] != ' ' && value[strlen(value) - 1] != ':' &&
                 (strstr(value, ": ") == NULL || strchr(value, '(') != NULL);
    if (plain || value[0] == '`') {
        pen_text_append(out, value);
        return;
    }
    pen_text_append_char(out, '\'');
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\'') {
            pen_text_append_char(out, '\'');
        }
        pen_text_append_char(out, *c);
    }
    pen_text_append_char(out, '\'');
}

static void write_features(const struct pen_draft *draft, struct pen_text *out)
{
    pen_text_append(out, "  features:\n");
    for (int64_t i = 0; i < draft->n_features; i++) {
        const struct pen_transform_default *feature = &draft->features[i];
        if (feature->expression == NULL) {
            pen_text_printf(out, "    # %s: %s\n", feature->name, feature->note);
            continue;
        }
        pen_text_printf(out, "    %s: ", feature->name);
        append_yaml_value(feature->expression, out);
        pen_text_printf(out, "%s%s\n", feature->note[0] == '\0' ? "" : "   # ", feature->note);
    }
    for (int64_t i = 0; i < draft->n_label_features; i++) {
        const struct pen_transform_default *feature = &draft->label_features[i];
        if (feature->expression != NULL) {
            pen_text_printf(out, "    # %s: ", feature->name);
            append_yaml_value(feature->expression, out);
            pen_text_append(out, "   # the label reads it; take the # away to train on it\n");
        }
    }
}

static bool has_words(const struct pen_draft *draft)
{
    for (int64_t i = 0; i < draft->n_features; i++) {
        const char *expression = draft->features[i].expression;
        if (expression != NULL && strstr(expression, "ngrams(") != NULL) {
            return true;
        }
    }
    return false;
}

static bool is_label_column(const struct pen_draft *draft, const char *name)
{
    for (int64_t i = 0; i < draft->n_label_columns; i++) {
        if (strcmp(draft->label_columns[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The first column that people would slice by: a few different texts. */
static const char *slice_column(const struct pen_draft *draft)
{
    const struct pen_split_statistics *split = &draft->statistics->splits[0];
    for (int64_t i = 0; i < split->n_features; i++) {
        const struct pen_feature_statistics *feature = &split->features[i];
        if (feature->type == PEN_TYPE_CODES && feature->has_string && feature->string.n_unique >= 2 &&
            feature->string.n_unique <= SLICE_MOST_VALUES && !is_label_column(draft, feature->name)) {
            return feature->name;
        }
    }
    return NULL;
}

pen_status pen_draft_write(const struct pen_draft *draft, struct pen_text *out, struct pen_error *err)
{
    const struct pen_split_statistics *table = &draft->statistics->splits[0];
    pen_text_printf(out,
                    "# Written by penstock init after a look at %s%lld rows and %lld columns of\n# %s\n"
                    "# Edit what you like; a section or option left out means its default.\n",
                    draft->rows_were_sampled ? "the first " : "", (long long)table->n_rows,
                    (long long)table->n_features, draft->csv);
    pen_text_printf(out, "pipeline: %s\nroot: ", draft->name);
    append_yaml_value(draft->root, out);
    pen_text_append(out, "\n\nexample_gen:\n  csv: ");
    append_yaml_value(draft->csv, out);
    pen_text_printf(out, "\n%s  split: %s\n", draft->dialect,
                    draft->split == NULL
                        ? "{train: 2, eval: 1}   # hash buckets of the row; or by a column, time, files, row"
                        : draft->split);
    pen_text_append(out, "\nexample_validator:\n  on_anomaly: stop   # or warn\n\ntransform:\n  label: ");
    append_yaml_value(draft->label, out);
    pen_text_append_char(out, '\n');
    write_features(draft, out);
    pen_text_append(out, "\ntrainer:\n  model: wide_deep   # or linear, dnn\n  hidden: [128, 64]\n");
    if (has_words(draft)) {
        pen_text_append(out, "  l2: 0.001   # there are more different words than rows\n");
    }
    const char *slice = slice_column(draft);
    pen_text_append(out, "\nevaluator:\n  slices: [[]");
    if (slice != NULL) {
        pen_text_append(out, ", [");
        append_yaml_value(slice, out);
        pen_text_append(out, "]");
    }
    pen_text_printf(out, "]\n\npusher:\n  directory: serving/%s\n", draft->name);
    return pen_text_check(out, err);
}
