/* schema.yaml, what always holds: any schema read back from its text is equal field by field, and any text whatever is
 * either a schema or refused in one line with its place. Seeds are fixed, so a failure comes back. */
#include "core/rng.h"
#include "datasets/schema/schema.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_SCHEMAS = 400, MOST_FEATURES = 6, N_MUTATIONS = 12000, MOST_BYTES = 8192 };

/* ---- random schemas ---- */

struct dice {
    uint64_t seed, next;
    struct pen_arena *arena;
};

static int64_t roll(struct dice *dice, int64_t n)
{
    return (int64_t)pen_rng_below(dice->seed, 1, dice->next++, (uint64_t)n);
}

static bool heads(struct dice *dice)
{
    return roll(dice, 2) == 1;
}

/* Mostly odd numbers that a careless printer would round. */
static double any_number(struct dice *dice)
{
    static const double odd[] = {
        0.0, 0.1, -1.5, 1e-300, 1e300, 4503599627370497.5, 1.0 / 3.0, -2.2250738585072014e-308};
    int64_t at = roll(dice, 9);
    return at < 8 ? odd[at] : pen_rng_normal(dice->seed, 2, dice->next++) * 1e6;
}

static double any_share(struct dice *dice)
{
    int64_t at = roll(dice, 4);
    return at == 0 ? 0.0 : at == 1 ? 1.0 : pen_rng_uniform(dice->seed, 3, dice->next++);
}

static int64_t any_count(struct dice *dice)
{
    static const int64_t counts[] = {-1, 0, 1, 7, 1234567890123};
    return counts[roll(dice, 5)];
}

static const char *any_string(struct dice *dice)
{
    static const char *const parts[] = {"a",
                                        "Cash",
                                        " ",
                                        "null",
                                        "1",
                                        "-",
                                        ": ",
                                        "#",
                                        "[",
                                        "}",
                                        "\"",
                                        "'",
                                        "\\",
                                        "\t",
                                        "\xc3\xa9",
                                        "\xe2\x80\xa8",
                                        "no",
                                        "0.5",
                                        "\x7f",
                                        ",",
                                        "yes ",
                                        "| > ",
                                        "\xf0\x9f\x98\x80",
                                        "x: y"};
    struct pen_text text = {0};
    for (int64_t n = roll(dice, 4); n > 0; n--) {
        pen_text_append(&text, parts[roll(dice, 24)]);
    }
    const char *copy = pen_arena_strdup(dice->arena, pen_text_view(&text));
    pen_text_deinit(&text);
    return copy;
}

static struct pen_config_strings any_strings(struct dice *dice, int64_t least)
{
    int64_t n = least + roll(dice, 4);
    const char **items = pen_arena_alloc(dice->arena, n + 1, sizeof *items);
    for (int64_t i = 0; i < n; i++) {
        items[i] = any_string(dice);
    }
    return (struct pen_config_strings){items, n};
}

static struct pen_schema_comparator any_comparator(struct dice *dice)
{
    struct pen_schema_comparator comparator = {
        heads(dice) ? any_share(dice) : -1.0, heads(dice) ? any_share(dice) : -1.0,
        heads(dice) ? any_share(dice) : -1.0, (enum pen_schema_histogram)roll(dice, 2)};
    return comparator;
}

static struct pen_schema_severities any_severities(struct dice *dice)
{
    struct pen_schema_severity *items = pen_arena_alloc(dice->arena, 3, sizeof *items);
    int64_t first = roll(dice, PEN_ANOMALY_COUNT - 2);
    for (int64_t i = 0; i < 3; i++) {
        items[i] = (struct pen_schema_severity){(enum pen_anomaly)(first + i), (enum pen_severity)roll(dice, 2)};
    }
    return (struct pen_schema_severities){roll(dice, 4), items};
}

static void any_domain(struct dice *dice, const struct pen_schema *schema, struct pen_schema_feature *feature)
{
    feature->domain = (enum pen_schema_domain)roll(dice, 5);
    switch (feature->domain) {
    case PEN_SCHEMA_DOMAIN_INT:
        feature->min_int = heads(dice) ? -roll(dice, 1LL << 62) : INT64_MIN;
        feature->max_int = heads(dice) ? roll(dice, 1LL << 62) : INT64_MAX;
        break;
    case PEN_SCHEMA_DOMAIN_FLOAT:
        feature->min = heads(dice) ? any_number(dice) : -(double)INFINITY;
        feature->max = heads(dice) ? any_number(dice) : (double)INFINITY;
        feature->disallow_nan = heads(dice);
        feature->disallow_inf = heads(dice);
        break;
    case PEN_SCHEMA_DOMAIN_STRINGS:
        if (schema->n_domains > 0 && heads(dice)) {
            feature->domain_name = schema->domains[0].name;
        } else {
            feature->domain_values = any_strings(dice, 0);
        }
        break;
    case PEN_SCHEMA_DOMAIN_BOOL:
    case PEN_SCHEMA_DOMAIN_NONE:
    default:
        break;
    }
    feature->true_value = heads(dice) ? any_string(dice) : NULL;
    feature->false_value = heads(dice) ? any_string(dice) : NULL;
    feature->min_domain_mass = heads(dice) ? any_share(dice) : 1.0;
}

static const struct pen_schema_language *any_language(struct dice *dice, const struct pen_schema *schema)
{
    struct pen_schema_language *language = pen_arena_alloc(dice->arena, 1, sizeof *language);
    language->lower = heads(dice);
    if (schema->n_domains > 0 && heads(dice)) {
        language->vocabulary_name = schema->domains[0].name;
    } else {
        language->vocabulary_values = any_strings(dice, 0);
    }
    language->min_coverage = heads(dice) ? any_share(dice) : -1.0;
    language->min_avg_token_length = heads(dice) ? 1.0 + any_share(dice) : -1.0;
    language->excluded_tokens = any_strings(dice, 0);
    language->oov_tokens = any_strings(dice, 0);
    struct pen_schema_token *constraints = pen_arena_alloc(dice->arena, 3, sizeof *constraints);
    language->n_constraints = roll(dice, 3);
    for (int64_t i = 0; i < language->n_constraints; i++) {
        constraints[i] = (struct pen_schema_token){
            pen_arena_printf(dice->arena, "%s%d", any_string(dice), (int)i), any_count(dice), any_count(dice),
            heads(dice) ? any_share(dice) : -1.0, heads(dice) ? any_share(dice) : -1.0};
    }
    language->constraints = constraints;
    return language;
}

static void any_feature(struct dice *dice, const struct pen_schema *schema, int64_t number,
                        struct pen_schema_feature *feature)
{
    const char *name = number == 0 ? "" : pen_arena_printf(dice->arena, "%s%d", any_string(dice), (int)number);
    pen_schema_feature_init(feature, name, (enum pen_schema_type)roll(dice, 5));
    feature->min_count = heads(dice) ? roll(dice, 3) : roll(dice, 1LL << 40);
    feature->min_fraction = any_share(dice);
    feature->has_shape = heads(dice);
    if (feature->has_shape) {
        int64_t *dimensions = pen_arena_alloc(dice->arena, 3, sizeof *dimensions);
        feature->n_dimensions = roll(dice, 4);
        for (int i = 0; i < 3; i++) {
            dimensions[i] = 1 + roll(dice, 1000);
        }
        feature->dimensions = dimensions;
    }
    feature->min_values = any_count(dice);
    feature->max_values = any_count(dice);
    any_domain(dice, schema, feature);
    feature->is_categorical = heads(dice);
    feature->stage = (enum pen_schema_stage)roll(dice, PEN_SCHEMA_STAGE_DERIVED + 1);
    feature->in_environment = any_strings(dice, 0);
    feature->not_in_environment = any_strings(dice, 0);
    feature->has_unique = heads(dice);
    feature->unique_min = feature->has_unique ? any_count(dice) : -1;
    feature->unique_max = feature->has_unique ? any_count(dice) : -1;
    feature->drift = any_comparator(dice);
    feature->skew = any_comparator(dice);
    feature->severities = any_severities(dice);
    feature->language = heads(dice) ? any_language(dice, schema) : NULL;
    feature->deriver = (enum pen_schema_deriver)roll(dice, PEN_SCHEMA_DERIVER_RATIO + 1);
    if (feature->deriver != PEN_SCHEMA_DERIVER_NONE) {
        feature->derived_from[0] = any_string(dice);
    }
    if (feature->deriver >= PEN_SCHEMA_DERIVER_DIFFERENCE) {
        feature->derived_from[1] = any_string(dice);
    }
    feature->tags = any_strings(dice, 0);
    feature->comment = heads(dice) ? any_string(dice) : NULL;
}

static struct pen_schema_compounds any_compounds(struct dice *dice, const struct pen_schema *schema,
                                                 enum pen_schema_compound_kind kind)
{
    struct pen_schema_compound *items = pen_arena_alloc(dice->arena, 2, sizeof *items);
    int64_t n = roll(dice, 3);
    for (int64_t i = 0; i < n; i++) {
        const char **parts = pen_arena_alloc(dice->arena, 3, sizeof *parts);
        int64_t n_parts = kind == PEN_SCHEMA_SPARSE ? 1 + roll(dice, 3) : 1;
        for (int64_t j = 0; j < n_parts; j++) {
            parts[j] = schema->features[roll(dice, schema->n_features)].name;
        }
        items[i] = (struct pen_schema_compound){pen_arena_printf(dice->arena, "%s%d", any_string(dice), (int)i),
                                                {parts, n_parts},
                                                schema->features[roll(dice, schema->n_features)].name,
                                                heads(dice) ? "|" : NULL,
                                                (enum pen_schema_stage)roll(dice, PEN_SCHEMA_STAGE_DERIVED + 1)};
    }
    return (struct pen_schema_compounds){n, items};
}

static struct pen_schema_ratio any_ratio(struct dice *dice)
{
    return (struct pen_schema_ratio){heads(dice) ? any_share(dice) : -1.0, heads(dice) ? fabs(any_number(dice)) : -1.0};
}

static void any_schema(uint64_t seed, struct pen_schema *schema)
{
    struct dice dice = {seed, 0, &schema->arena};
    pen_schema_init(schema);
    schema->default_environment = any_strings(&dice, 0);
    schema->dataset =
        (struct pen_schema_dataset){any_count(&dice), any_count(&dice), any_ratio(&dice), any_ratio(&dice)};
    schema->severities = any_severities(&dice);
    struct pen_schema_shared_domain *domains = pen_arena_alloc(dice.arena, 2, sizeof *domains);
    schema->n_domains = roll(&dice, 3);
    for (int64_t i = 0; i < schema->n_domains; i++) {
        domains[i].name = pen_arena_printf(dice.arena, "%s%d", any_string(&dice), (int)i);
        domains[i].values = any_strings(&dice, 0);
    }
    schema->domains = domains;
    struct pen_schema_feature *features = pen_arena_alloc(dice.arena, MOST_FEATURES, sizeof *features);
    int64_t n = 1 + roll(&dice, MOST_FEATURES);
    for (int64_t i = 0; i < n; i++) {
        any_feature(&dice, schema, i, &features[i]);
    }
    schema->features = features;
    schema->n_features = n;
    for (int kind = 0; kind < PEN_SCHEMA_COMPOUND_KINDS; kind++) {
        schema->compounds[kind] = any_compounds(&dice, schema, (enum pen_schema_compound_kind)kind);
    }
}

/* ---- equality ---- */

static bool same_string(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_strings(const struct pen_config_strings *a, const struct pen_config_strings *b)
{
    bool same = a->n_items == b->n_items;
    for (int64_t i = 0; same && i < a->n_items; i++) {
        same = same_string(a->items[i], b->items[i]);
    }
    return same;
}

static bool same_severities(const struct pen_schema_severities *a, const struct pen_schema_severities *b)
{
    bool same = a->n_items == b->n_items;
    for (int64_t i = 0; same && i < a->n_items; i++) {
        same = a->items[i].anomaly == b->items[i].anomaly && a->items[i].severity == b->items[i].severity;
    }
    return same;
}

static bool same_comparator(const struct pen_schema_comparator *a, const struct pen_schema_comparator *b)
{
    return a->infinity_norm == b->infinity_norm && a->jensen_shannon == b->jensen_shannon &&
           a->normalized_abs_difference == b->normalized_abs_difference && a->source == b->source;
}

static bool same_language(const struct pen_schema_language *a, const struct pen_schema_language *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    bool same = a->lower == b->lower && same_string(a->vocabulary_name, b->vocabulary_name) &&
                same_strings(&a->vocabulary_values, &b->vocabulary_values) && a->min_coverage == b->min_coverage &&
                a->min_avg_token_length == b->min_avg_token_length &&
                same_strings(&a->excluded_tokens, &b->excluded_tokens) &&
                same_strings(&a->oov_tokens, &b->oov_tokens) && a->n_constraints == b->n_constraints;
    for (int64_t i = 0; same && i < a->n_constraints; i++) {
        const struct pen_schema_token *x = &a->constraints[i];
        const struct pen_schema_token *y = &b->constraints[i];
        same = same_string(x->token, y->token) && x->min_per_sequence == y->min_per_sequence &&
               x->max_per_sequence == y->max_per_sequence &&
               x->min_fraction_of_sequences == y->min_fraction_of_sequences &&
               x->max_fraction_of_sequences == y->max_fraction_of_sequences;
    }
    return same;
}

static bool same_domain(const struct pen_schema_feature *a, const struct pen_schema_feature *b)
{
    return a->domain == b->domain && a->min_int == b->min_int && a->max_int == b->max_int && a->min == b->min &&
           a->max == b->max && a->disallow_nan == b->disallow_nan && a->disallow_inf == b->disallow_inf &&
           same_string(a->domain_name, b->domain_name) && same_strings(&a->domain_values, &b->domain_values) &&
           same_string(a->true_value, b->true_value) && same_string(a->false_value, b->false_value) &&
           a->min_domain_mass == b->min_domain_mass;
}

static bool same_feature(const struct pen_schema_feature *a, const struct pen_schema_feature *b)
{
    bool same = same_string(a->name, b->name) && a->type == b->type && a->min_count == b->min_count &&
                a->min_fraction == b->min_fraction && a->has_shape == b->has_shape &&
                a->n_dimensions == b->n_dimensions && a->min_values == b->min_values &&
                a->max_values == b->max_values && same_domain(a, b) && a->is_categorical == b->is_categorical &&
                a->stage == b->stage && same_strings(&a->in_environment, &b->in_environment) &&
                same_strings(&a->not_in_environment, &b->not_in_environment) && a->has_unique == b->has_unique &&
                a->unique_min == b->unique_min && a->unique_max == b->unique_max &&
                same_comparator(&a->drift, &b->drift) && same_comparator(&a->skew, &b->skew) &&
                same_severities(&a->severities, &b->severities) && same_language(a->language, b->language) &&
                a->deriver == b->deriver && same_string(a->derived_from[0], b->derived_from[0]) &&
                same_string(a->derived_from[1], b->derived_from[1]) && same_strings(&a->tags, &b->tags) &&
                same_string(a->comment, b->comment);
    for (int64_t i = 0; same && i < a->n_dimensions; i++) {
        same = a->dimensions[i] == b->dimensions[i];
    }
    return same;
}

static bool same_compounds(const struct pen_schema_compounds *a, const struct pen_schema_compounds *b)
{
    bool same = a->n_items == b->n_items;
    for (int64_t i = 0; same && i < a->n_items; i++) {
        const struct pen_schema_compound *x = &a->items[i];
        const struct pen_schema_compound *y = &b->items[i];
        same = same_string(x->name, y->name) && same_strings(&x->parts, &y->parts) && same_string(x->value, y->value) &&
               same_string(x->separator, y->separator) && x->stage == y->stage;
    }
    return same;
}

static bool same_schema(const struct pen_schema *a, const struct pen_schema *b)
{
    const struct pen_schema_dataset *x = &a->dataset;
    const struct pen_schema_dataset *y = &b->dataset;
    bool same = same_strings(&a->default_environment, &b->default_environment) && x->min_examples == y->min_examples &&
                x->max_examples == y->max_examples && x->drift.min_ratio == y->drift.min_ratio &&
                x->drift.max_ratio == y->drift.max_ratio && x->version.min_ratio == y->version.min_ratio &&
                x->version.max_ratio == y->version.max_ratio && same_severities(&a->severities, &b->severities) &&
                a->n_domains == b->n_domains && a->n_features == b->n_features &&
                same_compounds(&a->compounds[0], &b->compounds[0]) &&
                same_compounds(&a->compounds[1], &b->compounds[1]);
    for (int64_t i = 0; same && i < a->n_domains; i++) {
        same = same_string(a->domains[i].name, b->domains[i].name) &&
               same_strings(&a->domains[i].values, &b->domains[i].values);
    }
    for (int64_t i = 0; same && i < a->n_features; i++) {
        same = same_feature(&a->features[i], &b->features[i]);
    }
    return same;
}

static void any_schema_comes_back(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text text = {0};
    struct pen_text again = {0};
    for (uint64_t seed = 0; seed < N_SCHEMAS; seed++) {
        struct pen_schema schema;
        struct pen_schema read;
        any_schema(seed, &schema);
        pen_text_reset(&text);
        pen_text_reset(&again);
        PEN_REQUIRE_OK(pen_schema_print(&schema, seed % 2 == 0, &text, &err), &err);
        pen_status status = pen_schema_parse(pen_text_view(&text), text.size_bytes, "printed", &read, &err);
        PEN_CHECK_MSG(status == PEN_OK, "seed %llu: %s in\n%s", (unsigned long long)seed, err.message,
                      pen_text_view(&text));
        if (status == PEN_OK) {
            PEN_CHECK_MSG(same_schema(&schema, &read), "seed %llu: another schema came back from\n%s",
                          (unsigned long long)seed, pen_text_view(&text));
            PEN_CHECK_OK(pen_schema_print(&read, seed % 2 == 0, &again, &err), &err);
            PEN_CHECK_EQ_STR(pen_text_view(&again), pen_text_view(&text));
            pen_schema_deinit(&read);
        }
        pen_schema_deinit(&schema);
    }
    pen_text_deinit(&text);
    pen_text_deinit(&again);
}

/* ---- mutated text ---- */

/* One mutation of text[0 .. size): bytes changed, cut out, doubled, put in; lines taken out or swapped. */
static size_t mutate(struct dice *dice, char *text, size_t size)
{
    static const char *const pieces[] = {
        "{",   "}",     "[",     "]",    ": ",   ", ",    "\n",  "\n  ",   "- ",   "#",           "\"", "'",
        "&a ", "*a",    "!!x ",  "null", "1e99", "-1",    "\t",  "\\u",    "\xff", "|",           ">",  "%",
        "@",   "---\n", "...\n", "? ",   "type", "drift", "nan", "domain", "~",    "min_coverag", "0x", "\r"};
    size_t at = size == 0 ? 0 : (size_t)roll(dice, (int64_t)size);
    size_t n = 1 + (size_t)roll(dice, 12);
    const char *piece = pieces[roll(dice, (int64_t)(sizeof pieces / sizeof pieces[0]))];
    size_t length = strlen(piece);
    switch (roll(dice, 4)) {
    case 0: /* change a byte */
        if (size > 0) {
            text[at] = (char)(1 + roll(dice, 255));
        }
        return size;
    case 1: /* cut some out */
        n = n > size - at ? size - at : n;
        memmove(text + at, text + at + n, size - at - n);
        return size - n;
    case 2: /* double some */
        n = n > size - at ? size - at : n;
        if (size + n >= MOST_BYTES) {
            return size;
        }
        memmove(text + at + n, text + at, size - at);
        return size + n;
    default: /* put a piece in */
        if (size + length >= MOST_BYTES) {
            return size;
        }
        memmove(text + at + length, text + at, size - at);
        memcpy(text + at, piece, length);
        return size + length;
    }
}

/* "mutated:LINE:COLUMN: WHAT" in one line. */
static bool is_placed(const char *message)
{
    static const char prefix[] = "mutated:";
    if (strncmp(message, prefix, strlen(prefix)) != 0 || strpbrk(message, "\n\r") != NULL) {
        return false;
    }
    char *end = NULL;
    long line = strtol(message + strlen(prefix), &end, 10);
    if (line < 1 || *end != ':') {
        return false;
    }
    long column = strtol(end + 1, &end, 10);
    return column >= 1 && strncmp(end, ": ", 2) == 0 && strlen(end) > 10;
}

static void any_text_is_a_schema_or_refused_in_its_place(void)
{
    static char text[MOST_BYTES];
    struct pen_text printed = {0};
    struct pen_text again = {0};
    int64_t n_accepted = 0;
    for (uint64_t seed = 0; seed < N_MUTATIONS; seed++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_schema schema;
        struct pen_arena arena = {0};
        struct dice dice = {seed, 1000000, &arena};
        any_schema(seed % 40, &schema);
        pen_text_reset(&printed);
        PEN_REQUIRE_OK(pen_schema_print(&schema, false, &printed, &err), &err);
        pen_schema_deinit(&schema);
        size_t size = printed.size_bytes < MOST_BYTES ? printed.size_bytes : MOST_BYTES - 1;
        memcpy(text, pen_text_view(&printed), size);
        for (int64_t n = 1 + roll(&dice, 4); n > 0; n--) {
            size = mutate(&dice, text, size);
        }
        pen_status status = pen_schema_parse(text, size, "mutated", &schema, &err);
        if (status != PEN_OK) {
            PEN_CHECK_MSG(status == PEN_ERR_CONFIG && is_placed(err.message), "seed %llu: %s: %s",
                          (unsigned long long)seed, pen_status_name(status), err.message);
        } else {
            n_accepted++;
            pen_text_reset(&printed);
            pen_text_reset(&again);
            PEN_CHECK_OK(pen_schema_print(&schema, false, &printed, &err), &err);
            pen_schema_deinit(&schema);
            status = pen_schema_parse(pen_text_view(&printed), printed.size_bytes, "printed", &schema, &err);
            PEN_CHECK_MSG(status == PEN_OK, "seed %llu: %s", (unsigned long long)seed, err.message);
            if (status == PEN_OK) {
                PEN_CHECK_OK(pen_schema_print(&schema, false, &again, &err), &err);
                PEN_CHECK_EQ_STR(pen_text_view(&again), pen_text_view(&printed));
                pen_schema_deinit(&schema);
            }
        }
        pen_arena_deinit(&arena);
    }
    /* Both ways are taken often, or the mutations say nothing. */
    PEN_CHECK(n_accepted > N_MUTATIONS / 50 && n_accepted < N_MUTATIONS / 2);
    pen_text_deinit(&printed);
    pen_text_deinit(&again);
}

PEN_SUITE(schema_property, PEN_CASE(any_schema_comes_back), PEN_CASE(any_text_is_a_schema_or_refused_in_its_place));
