/* schema.yaml as text, in a fixed order: one feature on one line where it fits in 100 columns, else one field a line.
 *
 * The text is the identity of a schema (its digest is taken of it), so two schemas that are equal print the same. What
 * is at its default is not printed, except presence, which everybody looks for. Strings are quoted whenever YAML could
 * read them as anything but themselves. */
#include "datasets/schema/schema.h"

#include "core/files.h"
#include "datasets/schema/schema_internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LINE_COLUMNS = 100, MAX_FIELDS = 32 };
#define SOFT_BREAK '\x01' /* where a list may go on on the next line; a space otherwise */

static const char explanation[] =
    "# The schema of the data: what columns there are and what their values may be. Edit it: it is yours.\n"
    "#\n"
    "# A feature's fields (what is left out is not checked):\n"
    "#   type: int | float | string | none (no value was ever seen)\n"
    "#   presence: required (in every row) | some (in at least one row) | optional | {min_count: 10, min_fraction: "
    "0.9}\n"
    "#   shape: [1] (one value in every row), values: {min: 1, max: 1} (in every row that has any)\n"
    "#   min, max, disallow_nan: true, disallow_inf: true   limits of numbers\n"
    "#   domain: [a, b] | a name from `domains` | bool | int | float   (true_value, false_value: bool as strings)\n"
    "#   min_domain_mass: 0.99 (share of values that must be in the domain), categorical: true, unique: {min: 1, max: "
    "9}\n"
    "#   in_environment: [TRAINING], not_in_environment: [SERVING]\n"
    "#   stage: planned | alpha | beta | production | deprecated | debug_only | disabled\n"
    "#   drift, skew: {infinity_norm: 0.1, jensen_shannon: 0.1, source: standard | quantiles,\n"
    "#                 normalized_abs_difference: 0.1}\n"
    "#   severities: {SCHEMA_NEW_COLUMN: warning}\n"
    "# Beside `features`: domains: {name: [a, b]}, default_environment: [TRAINING, SERVING], severities: {...},\n"
    "# dataset: {min_examples: 1, max_examples: 9, drift: {min_ratio: 0.5, max_ratio: 2}, version: {...}}\n";

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

/* ---- scalars ---- */

static bool is_reserved(const char *text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no",  "on",
                                        "off",  "y",    "n",     "nan", "inf", "infinity"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_plain(const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || !(isalpha((unsigned char)text[0]) || text[0] == '_') || text[n - 1] == ' ' || is_reserved(text)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("_ ./+-", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* Decodes one character of valid UTF-8. */
static uint32_t decode(const unsigned char *at, int *size_bytes)
{
    if (at[0] < 0x80) {
        *size_bytes = 1;
        return at[0];
    }
    int n = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    uint32_t code = at[0] & (0xFFU >> (n + 1));
    for (int i = 1; i < n; i++) {
        code = (code << 6) | (at[i] & 0x3FU);
    }
    *size_bytes = n;
    return code;
}

/* Characters YAML forbids, folds or takes for line breaks. */
static bool needs_escape(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA1) || code == 0x2028 || code == 0x2029 || code == 0xFEFF ||
           code == 0xFFFE || code == 0xFFFF;
}

void pen_schema_print_scalar(const char *text, struct pen_text *out)
{
    if (is_plain(text)) {
        pen_text_append(out, text);
        return;
    }
    size_t n = strlen(text);
    pen_text_append_char(out, '"');
    for (size_t i = 0; i < n;) {
        if (pen_utf8_valid_prefix(text + i, n - i) == 0) {
            pen_text_append(out, "\\uFFFD"); /* names of columns may hold any byte; YAML cannot */
            i++;
            continue;
        }
        int size_bytes = 1;
        uint32_t code = decode((const unsigned char *)text + i, &size_bytes);
        if (code == '"' || code == '\\') {
            pen_text_printf(out, "\\%c", (int)code);
        } else if (needs_escape(code)) {
            pen_text_printf(out, "\\u%04X", code);
        } else {
            pen_text_append_bytes(out, text + i, (size_t)size_bytes);
        }
        i += (size_t)size_bytes;
    }
    pen_text_append_char(out, '"');
}

static void print_double(struct pen_text *out, double value)
{
    char number[PEN_NUMBER_BYTES];
    pen_text_append(out, pen_format_double(number, value));
}

static void print_strings(struct pen_text *out, const struct pen_config_strings *list)
{
    pen_text_append_char(out, '[');
    for (int64_t i = 0; i < list->n_items; i++) {
        if (i > 0) {
            pen_text_append_char(out, ',');
            pen_text_append_char(out, SOFT_BREAK);
        }
        pen_schema_print_scalar(list->items[i], out);
    }
    pen_text_append_char(out, ']');
}

static void print_severities(struct pen_text *out, const struct pen_schema_severities *list)
{
    pen_text_append_char(out, '{');
    for (int64_t i = 0; i < list->n_items; i++) {
        if (i > 0) {
            pen_text_append_char(out, ',');
            pen_text_append_char(out, SOFT_BREAK);
        }
        pen_text_printf(out, "%s: %s", pen_anomaly_types[list->items[i].anomaly].name,
                        pen_severity_name(list->items[i].severity));
    }
    pen_text_append_char(out, '}');
}

/* ---- fields ---- */

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

/* ", key: " inside a flow map that began at `start`. */
static struct pen_text *member(struct pen_text *out, size_t start, const char *key)
{
    pen_text_printf(out, "%s%s: ", out->size_bytes > start ? ", " : "", key);
    return out;
}

static void add_int_range(struct fields *fields, const char *key, int64_t low, int64_t high, const char *note)
{
    struct pen_text *out = add(fields, key, note);
    pen_text_append_char(out, '{');
    size_t start = out->size_bytes;
    if (low >= 0) {
        pen_text_printf(member(out, start, "min"), "%" PRId64, low);
    }
    if (high >= 0) {
        pen_text_printf(member(out, start, "max"), "%" PRId64, high);
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
            pen_text_printf(member(out, start, "min_count"), "%" PRId64, feature->min_count);
        }
        if (feature->min_fraction != 0.0) {
            print_double(member(out, start, "min_fraction"), feature->min_fraction);
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
        print_double(add(fields, "min", note), feature->min);
        note = NULL;
    }
    if (isfinite(feature->max)) {
        print_double(add(fields, "max", note), feature->max);
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
            print_strings(add(fields, "domain", note), &feature->domain_values);
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
        print_double(add(fields, "min_domain_mass", NULL), feature->min_domain_mass);
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
        print_double(member(out, start, "infinity_norm"), comparator->infinity_norm);
    }
    if (comparator->jensen_shannon >= 0) {
        print_double(member(out, start, "jensen_shannon"), comparator->jensen_shannon);
    }
    if (quantiles) {
        pen_text_append(member(out, start, "source"), "quantiles");
    }
    if (comparator->normalized_abs_difference >= 0) {
        print_double(member(out, start, "normalized_abs_difference"), comparator->normalized_abs_difference);
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
        print_strings(add(fields, "in_environment", NULL), &feature->in_environment);
    }
    if (feature->not_in_environment.n_items > 0) {
        print_strings(add(fields, "not_in_environment", NULL), &feature->not_in_environment);
    }
    add_comparator(fields, "drift", &feature->drift);
    add_comparator(fields, "skew", &feature->skew);
    if (feature->severities.n_items > 0) {
        print_severities(add(fields, "severities", NULL), &feature->severities);
    }
    for (int i = 0; i < fields->n; i++) {
        fields->items[i].size_bytes = field_end(fields, i) - fields->items[i].offset;
    }
}

/* ---- layout ---- */

/* Appends `text`, breaking the line at its soft breaks where the next item would pass column 100. */
static void append_wrapped(struct pen_text *out, const char *text, size_t size_bytes, int indent)
{
    size_t line = out->size_bytes;
    while (line > 0 && out->data[line - 1] != '\n') {
        line--;
    }
    for (size_t i = 0; i < size_bytes; i++) {
        if (text[i] != SOFT_BREAK) {
            pen_text_append_char(out, text[i]);
            continue;
        }
        const char *next = memchr(text + i + 1, SOFT_BREAK, size_bytes - i - 1);
        size_t item = next == NULL ? size_bytes - i : (size_t)(next - (text + i));
        if (out->size_bytes - line + item > LINE_COLUMNS) {
            pen_text_printf(out, "\n%*s", indent, "");
            line = out->size_bytes - (size_t)indent;
        } else {
            pen_text_append_char(out, ' ');
        }
    }
}

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
    bool flow = one_line <= LINE_COLUMNS;
    bool noted = false;
    pen_text_append(out, flow ? " {" : "\n");
    for (int i = 0; i < fields.n; i++) {
        const struct field *field = &fields.items[i];
        if (flow) {
            pen_text_printf(out, "%s%s: ", i > 0 ? ", " : "", field->key);
        } else {
            pen_text_printf(out, "%*s%s: ", indent + 2, "", field->key);
        }
        append_wrapped(out, pen_text_view(&fields.text) + field->offset, field->size_bytes, indent + 6);
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

static void print_ratio(struct pen_text *out, size_t start, const char *key, const struct pen_schema_ratio *ratio)
{
    if (!(ratio->min_ratio >= 0) && !(ratio->max_ratio >= 0)) {
        return;
    }
    pen_text_append_char(member(out, start, key), '{');
    size_t inner = out->size_bytes;
    if (ratio->min_ratio >= 0) {
        print_double(member(out, inner, "min_ratio"), ratio->min_ratio);
    }
    if (ratio->max_ratio >= 0) {
        print_double(member(out, inner, "max_ratio"), ratio->max_ratio);
    }
    pen_text_append_char(out, '}');
}

static void print_dataset(const struct pen_schema_dataset *dataset, struct pen_text *out)
{
    bool any = dataset->min_examples >= 0 || dataset->max_examples >= 0 || dataset->drift.min_ratio >= 0 ||
               dataset->drift.max_ratio >= 0 || dataset->version.min_ratio >= 0 || dataset->version.max_ratio >= 0;
    if (!any) {
        return;
    }
    pen_text_append(out, "dataset: {");
    size_t start = out->size_bytes;
    if (dataset->min_examples >= 0) {
        pen_text_printf(member(out, start, "min_examples"), "%" PRId64, dataset->min_examples);
    }
    if (dataset->max_examples >= 0) {
        pen_text_printf(member(out, start, "max_examples"), "%" PRId64, dataset->max_examples);
    }
    print_ratio(out, start, "drift", &dataset->drift);
    print_ratio(out, start, "version", &dataset->version);
    pen_text_append(out, "}\n");
}

static void print_list(struct pen_text *out, int indent, const char *key, const struct pen_config_strings *list)
{
    struct pen_text text = {0};
    print_strings(&text, list);
    pen_text_printf(out, "%*s", indent, "");
    pen_schema_print_scalar(key, out);
    pen_text_append(out, ": ");
    append_wrapped(out, pen_text_view(&text), text.size_bytes, indent + 4);
    pen_text_append_char(out, '\n');
    out->failed = out->failed || text.failed;
    pen_text_deinit(&text);
}

pen_status pen_schema_print(const struct pen_schema *schema, bool with_comments, struct pen_text *out,
                            struct pen_error *err)
{
    if (with_comments) {
        pen_text_append(out, explanation);
    }
    pen_text_append(out, "schema: 1\n");
    if (schema->default_environment.n_items > 0) {
        print_list(out, 0, "default_environment", &schema->default_environment);
    }
    print_dataset(&schema->dataset, out);
    if (schema->severities.n_items > 0) {
        struct pen_text text = {0};
        print_severities(&text, &schema->severities);
        pen_text_append(out, "severities: ");
        append_wrapped(out, pen_text_view(&text), text.size_bytes, 4);
        pen_text_append_char(out, '\n');
        out->failed = out->failed || text.failed;
        pen_text_deinit(&text);
    }
    if (schema->n_domains > 0) {
        pen_text_append(out, "domains:\n");
    }
    for (int64_t i = 0; i < schema->n_domains; i++) {
        print_list(out, 2, schema->domains[i].name, &schema->domains[i].values);
    }
    pen_text_append(out, schema->n_features > 0 ? "features:\n" : "features: {}\n");
    for (int64_t i = 0; i < schema->n_features; i++) {
        pen_schema_print_feature(&schema->features[i], 2, with_comments, out);
    }
    return pen_text_check(out, err);
}

pen_status pen_schema_write(const struct pen_schema *schema, const char *path, struct pen_error *err)
{
    struct pen_text text = {0};
    pen_status status = pen_schema_print(schema, true, &text, err);
    if (status == PEN_OK) {
        status = pen_file_write_atomic(path, pen_text_view(&text), text.size_bytes, err);
    }
    pen_text_deinit(&text);
    return status;
}

pen_status pen_schema_digest(const struct pen_schema *schema, char hex[PEN_SHA256_HEX_BYTES], struct pen_error *err)
{
    struct pen_text text = {0};
    pen_status status = pen_schema_print(schema, false, &text, err);
    if (status == PEN_OK) {
        pen_sha256_of(pen_text_view(&text), text.size_bytes, hex);
    }
    pen_text_deinit(&text);
    return status;
}
