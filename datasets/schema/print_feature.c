/* One feature of schema.yaml as text: on one line where it fits in 100 columns, else one field a line. */
#include "datasets/schema/print_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MAX_FIELDS = 32 };

struct field {
    const char *key;
    size_t offset, size_bytes; /* of its text */
    const char *note;
};

struct fields {
    struct pen_text text;
    struct field items[MAX_FIELDS];
    int n;
};

/* Opens a field; its text is what is appended to fields->text until the next one. */
static struct pen_text *add(struct fields *fields, const char *key, const char *note)
{
    PEN_ASSERT(fields->n < MAX_FIELDS);
    fields->items[fields->n++] = (struct field){key, fields->text.size_bytes, 0, note};
    return &fields->text;
}

static size_t field_end(const struct fields *fields, int i)
{
    return i + 1 < fields->n ? fields->items[i + 1].offset : fields->text.size_bytes;
}

static void add_int_range(struct fields *fields, const char *key, int64_t low, int64_t high, const char *note)
{
    struct pen_text *out = add(fields, key, note);
    pen_text_append_char(out, '{');
    size_t start = out->size_bytes;
    if (low >= 0) {
        pen_text_printf(pen_schema_member(out, start, "min"), "%" PRId64, low);
    }
    if (high >= 0) {
        pen_text_printf(pen_schema_member(out, start, "max"), "%" PRId64, high);
    }
    pen_text_append_char(out, '}');
}

static void add_presence(struct fields *fields, const struct pen_schema_feature *feature)
{
    struct pen_text *out = add(fields, "presence", feature->notes[PEN_SCHEMA_NOTE_PRESENCE]);
    if (feature->min_count == 1 && feature->min_fraction == 1.0) {
        pen_text_append(out, "required");
    } else if (feature->min_count == 1 && feature->min_fraction == 0.0) {
        pen_text_append(out, "some");
    } else if (feature->min_count == 0 && feature->min_fraction == 0.0) {
        pen_text_append(out, "optional");
    } else {
        pen_text_append_char(out, '{');
        size_t start = out->size_bytes;
        if (feature->min_count != 0) {
            pen_text_printf(pen_schema_member(out, start, "min_count"), "%" PRId64, feature->min_count);
        }
        if (feature->min_fraction != 0.0) {
            pen_schema_print_double(pen_schema_member(out, start, "min_fraction"), feature->min_fraction);
        }
        pen_text_append_char(out, '}');
    }
}

static void add_int_domain(struct fields *fields, const struct pen_schema_feature *feature, const char *note)
{
    bool limited = feature->min_int != INT64_MIN || feature->max_int != INT64_MAX;
    if (feature->type != PEN_SCHEMA_TYPE_INT || !limited) {
        pen_text_append(add(fields, "domain", note), "int");
        note = NULL;
    }
    if (feature->min_int != INT64_MIN) {
        pen_text_printf(add(fields, "min", note), "%" PRId64, feature->min_int);
        note = NULL;
    }
    if (feature->max_int != INT64_MAX) {
        pen_text_printf(add(fields, "max", note), "%" PRId64, feature->max_int);
    }
}

static void add_float_domain(struct fields *fields, const struct pen_schema_feature *feature, const char *note)
{
    bool limited = isfinite(feature->min) || isfinite(feature->max) || feature->disallow_nan || feature->disallow_inf;
    if (feature->type != PEN_SCHEMA_TYPE_FLOAT || !limited) {
        pen_text_append(add(fields, "domain", note), "float");
        note = NULL;
    }
    if (isfinite(feature->min)) {
        pen_schema_print_double(add(fields, "min", note), feature->min);
        note = NULL;
    }
    if (isfinite(feature->max)) {
        pen_schema_print_double(add(fields, "max", note), feature->max);
    }
    if (feature->disallow_nan) {
        pen_text_append(add(fields, "disallow_nan", NULL), "true");
    }
    if (feature->disallow_inf) {
        pen_text_append(add(fields, "disallow_inf", NULL), "true");
    }
}

static void add_domain(struct fields *fields, const struct pen_schema_feature *feature)
{
    const char *note = feature->notes[PEN_SCHEMA_NOTE_DOMAIN];
    switch (feature->domain) {
    case PEN_SCHEMA_DOMAIN_INT:
        add_int_domain(fields, feature, note);
        break;
    case PEN_SCHEMA_DOMAIN_FLOAT:
        add_float_domain(fields, feature, note);
        break;
    case PEN_SCHEMA_DOMAIN_BOOL:
        pen_text_append(add(fields, "domain", note), "bool");
        break;
    case PEN_SCHEMA_DOMAIN_STRINGS:
        if (feature->domain_name != NULL) {
            pen_schema_print_scalar(feature->domain_name, add(fields, "domain", note));
        } else {
            pen_schema_print_strings(add(fields, "domain", note), &feature->domain_values);
        }
        break;
    case PEN_SCHEMA_DOMAIN_NONE:
    default:
        break;
    }
    if (feature->true_value != NULL) {
        pen_schema_print_scalar(feature->true_value, add(fields, "true_value", NULL));
    }
    if (feature->false_value != NULL) {
        pen_schema_print_scalar(feature->false_value, add(fields, "false_value", NULL));
    }
    if (feature->min_domain_mass != 1.0) {
        pen_schema_print_double(add(fields, "min_domain_mass", NULL), feature->min_domain_mass);
    }
}

static void add_comparator(struct fields *fields, const char *key, const struct pen_schema_comparator *comparator)
{
    bool quantiles = comparator->source == PEN_SCHEMA_HISTOGRAM_QUANTILES;
    if (!(comparator->infinity_norm >= 0) && !(comparator->jensen_shannon >= 0) &&
        !(comparator->normalized_abs_difference >= 0) && !quantiles) {
        return;
    }
    struct pen_text *out = add(fields, key, NULL);
    pen_text_append_char(out, '{');
    size_t start = out->size_bytes;
    if (comparator->infinity_norm >= 0) {
        pen_schema_print_double(pen_schema_member(out, start, "infinity_norm"), comparator->infinity_norm);
    }
    if (comparator->jensen_shannon >= 0) {
        pen_schema_print_double(pen_schema_member(out, start, "jensen_shannon"), comparator->jensen_shannon);
    }
    if (quantiles) {
        pen_text_append(pen_schema_member(out, start, "source"), "quantiles");
    }
    if (comparator->normalized_abs_difference >= 0) {
        pen_schema_print_double(pen_schema_member(out, start, "normalized_abs_difference"),
                                comparator->normalized_abs_difference);
    }
    pen_text_append_char(out, '}');
}

static void add_shape(struct fields *fields, const struct pen_schema_feature *feature)
{
    struct pen_text *out = add(fields, "shape", feature->notes[PEN_SCHEMA_NOTE_SHAPE]);
    pen_text_append_char(out, '[');
    for (int64_t i = 0; i < feature->n_dimensions; i++) {
        pen_text_printf(out, "%s%" PRId64, i > 0 ? ", " : "", feature->dimensions[i]);
    }
    pen_text_append_char(out, ']');
}

static void add_derived(struct fields *fields, const struct pen_schema_feature *feature)
{
    struct pen_text *out = add(fields, "derived", NULL);
    bool two = feature->derived_from[1] != NULL;
    pen_text_printf(out, "{%s: %s", pen_schema_deriver_name(feature->deriver), two ? "[" : "");
    pen_schema_print_scalar(feature->derived_from[0], out);
    if (two) {
        pen_text_append(out, ", ");
        pen_schema_print_scalar(feature->derived_from[1], out);
    }
    pen_text_append(out, two ? "]}" : "}");
}

static void collect(const struct pen_schema_feature *feature, struct fields *fields)
{
    if (feature->type != PEN_SCHEMA_TYPE_UNSET) {
        pen_text_append(add(fields, "type", feature->notes[PEN_SCHEMA_NOTE_TYPE]), pen_schema_type_name(feature->type));
    }
    add_presence(fields, feature);
    if (feature->has_shape) {
        add_shape(fields, feature);
    }
    if (feature->min_values >= 0 || feature->max_values >= 0) {
        add_int_range(fields, "values", feature->min_values, feature->max_values,
                      feature->notes[PEN_SCHEMA_NOTE_VALUES]);
    }
    add_domain(fields, feature);
    if (feature->is_categorical) {
        pen_text_append(add(fields, "categorical", NULL), "true");
    }
    if (feature->has_unique) {
        add_int_range(fields, "unique", feature->unique_min, feature->unique_max, NULL);
    }
    if (feature->stage != PEN_SCHEMA_STAGE_UNSET) {
        pen_text_append(add(fields, "stage", NULL), pen_schema_stage_name(feature->stage));
    }
    if (feature->in_environment.n_items > 0) {
        pen_schema_print_strings(add(fields, "in_environment", NULL), &feature->in_environment);
    }
    if (feature->not_in_environment.n_items > 0) {
        pen_schema_print_strings(add(fields, "not_in_environment", NULL), &feature->not_in_environment);
    }
    add_comparator(fields, "drift", &feature->drift);
    add_comparator(fields, "skew", &feature->skew);
    if (feature->severities.n_items > 0) {
        pen_schema_print_severities(add(fields, "severities", NULL), &feature->severities);
    }
    if (feature->language != NULL) {
        pen_schema_print_language(feature->language, add(fields, "natural_language", NULL));
    }
    if (feature->deriver != PEN_SCHEMA_DERIVER_NONE) {
        add_derived(fields, feature);
    }
    if (feature->tags.n_items > 0) {
        pen_schema_print_strings(add(fields, "tags", NULL), &feature->tags);
    }
    if (feature->comment != NULL) {
        pen_schema_print_scalar(feature->comment, add(fields, "comment", NULL));
    }
    for (int i = 0; i < fields->n; i++) {
        fields->items[i].size_bytes = field_end(fields, i) - fields->items[i].offset;
    }
}

/* ---- layout ---- */

static void append_note(struct pen_text *out, const char *note, bool first)
{
    pen_text_append(out, first ? "  # " : "; ");
    for (const char *at = note; *at != '\0'; at++) {
        pen_text_append_char(out, (unsigned char)*at < 0x20 ? ' ' : *at);
    }
}

void pen_schema_print_feature(const struct pen_schema_feature *feature, int indent, bool with_comments,
                              struct pen_text *out)
{
    struct fields fields = {0};
    collect(feature, &fields);
    size_t start = out->size_bytes;
    pen_text_printf(out, "%*s", indent, "");
    pen_schema_print_scalar(feature->name, out);
    pen_text_append(out, ":");
    size_t one_line = out->size_bytes - start + 3 + fields.text.size_bytes;
    for (int i = 0; i < fields.n; i++) {
        one_line += strlen(fields.items[i].key) + 4;
    }
    bool flow = one_line <= PEN_SCHEMA_LINE_COLUMNS;
    bool noted = false;
    pen_text_append(out, flow ? " {" : "\n");
    for (int i = 0; i < fields.n; i++) {
        const struct field *field = &fields.items[i];
        if (flow) {
            pen_text_printf(out, "%s%s: ", i > 0 ? ", " : "", field->key);
        } else {
            pen_text_printf(out, "%*s%s: ", indent + 2, "", field->key);
        }
        pen_schema_append_wrapped(out, pen_text_view(&fields.text) + field->offset, field->size_bytes, indent + 6);
        if (!flow) {
            if (with_comments && field->note != NULL) {
                append_note(out, field->note, true);
            }
            pen_text_append_char(out, '\n');
        }
    }
    if (flow) {
        pen_text_append_char(out, '}');
        for (int i = 0; i < fields.n && with_comments; i++) {
            if (fields.items[i].note != NULL) {
                append_note(out, fields.items[i].note, !noted);
                noted = true;
            }
        }
        pen_text_append_char(out, '\n');
    }
    out->failed = out->failed || fields.text.failed;
    pen_text_deinit(&fields.text);
}
