/* Domains of string columns, judged by the rank histogram (the 1000 most frequent values). */
#include "components/example_validator/check.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* A suggested domain is no longer than this; TFDV's own updater draws the line there, too. */
enum { DOMAIN_LIMIT = 400, SHOWN_VALUES = 3 };

/* A few values and their counts: "'Crypto' (12), 'Barter' (1) and 5 more". */
struct listing {
    struct pen_check *check;
    const char *text;
    int64_t n;
    double n_rows;
};

static void list_value(struct listing *listing, const struct pen_value_count *item)
{
    struct pen_check *check = listing->check;
    if (listing->n < SHOWN_VALUES) {
        listing->text = pen_check_text(check, "%s%s%s (%.15g)", listing->text, listing->n > 0 ? ", " : "",
                                       pen_check_quoted(check, item->value), item->count);
    }
    listing->n++;
    listing->n_rows += item->count;
}

static const char *listed(const struct listing *listing)
{
    if (listing->n <= SHOWN_VALUES) {
        return listing->text;
    }
    return pen_check_text(listing->check, "%s and %" PRId64 " more", listing->text, listing->n - SHOWN_VALUES);
}

static bool holds(const struct pen_config_strings *values, const char *value)
{
    for (int64_t i = 0; i < values->n_items; i++) {
        if (strcmp(values->items[i], value) == 0) {
            return true;
        }
    }
    return false;
}

/* domain followed by the values of ranks it lacks; n_items 0 when that gets too long. */
static struct pen_config_strings extended(struct pen_check *check, const struct pen_config_strings *domain,
                                          const struct pen_value_counts *ranks)
{
    struct pen_config_strings list = {NULL, 0};
    const char **all = pen_arena_alloc(check->findings->arena, domain->n_items + ranks->n_items + 1, sizeof *all);
    if (all == NULL) {
        check->findings->failed = true;
        return list;
    }
    for (int64_t i = 0; i < domain->n_items; i++) {
        all[list.n_items++] = domain->items[i];
    }
    for (int64_t i = 0; i < ranks->n_items; i++) {
        if (!holds(domain, ranks->items[i].value)) {
            all[list.n_items++] = ranks->items[i].value;
        }
    }
    list.items = all;
    bool complete = ranks->n_items >= check->statistics->string.n_unique;
    if (!complete || list.n_items > DOMAIN_LIMIT) {
        list.n_items = 0;
    }
    return list;
}

static void fix_listed(struct pen_check *check, const struct pen_config_strings *domain)
{
    struct pen_config_strings values = extended(check, domain, pen_check_ranks(check->statistics));
    check->fixed.true_value = NULL;
    check->fixed.false_value = NULL;
    if (values.n_items == 0) {
        pen_check_drop_domain(&check->fixed);
        check->fixed.min_domain_mass = 1.0;
    } else if (check->feature->domain_name != NULL) {
        check->domain_changed = true;
        check->shared_values = values;
    } else {
        check->fixed.domain = PEN_SCHEMA_DOMAIN_STRINGS;
        check->fixed.domain_values = values;
    }
}

static void check_enum(struct pen_check *check)
{
    const struct pen_feature_statistics *statistics = check->statistics;
    const struct pen_value_counts *ranks = pen_check_ranks(statistics);
    struct pen_config_strings domain = pen_schema_domain_values(check->schema, check->feature);
    if (statistics->string.n_invalid_utf8 > 0) {
        struct pen_finding *finding = pen_check_add(
            check, PEN_ANOMALY_ENUM_TYPE_INVALID_UTF8, "domain", "text in valid UTF-8",
            pen_check_text(check, "%s that %s not", pen_check_count(check, statistics->string.n_invalid_utf8, "value"),
                           statistics->string.n_invalid_utf8 == 1 ? "is" : "are"));
        pen_check_rows(check, finding, (double)statistics->string.n_invalid_utf8);
        finding->rows.kind = PEN_ROW_NOT_UTF8;
        pen_check_drop_domain(&check->fixed);
        check->fixed.min_domain_mass = 1.0;
        return; /* the broken values stand as placeholders among the ranks */
    }
    struct listing outside = {check, "", 0, 0.0};
    for (int64_t i = 0; i < ranks->n_items; i++) {
        if (!holds(&domain, ranks->items[i].value)) {
            list_value(&outside, &ranks->items[i]);
        }
    }
    double total = pen_check_present(statistics);
    double share = total > 0.0 ? outside.n_rows / total : 0.0;
    double mass = check->feature->min_domain_mass;
    /* With more distinct values than the domain has, some value is outside even if no rank shows it. */
    bool hidden = statistics->string.n_unique > domain.n_items && statistics->string.exact_unique;
    if (mass == 1.0 ? outside.n == 0 && !hidden : share <= 1.0 - mass) {
        return;
    }
    struct pen_finding *finding = pen_check_add(
        check, PEN_ANOMALY_ENUM_TYPE_UNEXPECTED_STRING_VALUES,
        mass == 1.0 ? "domain" : pen_check_text(check, "min_domain_mass: %s", pen_check_number(check, mass)),
        mass == 1.0 ? pen_check_text(check, "one of %" PRId64 " values", domain.n_items)
                    : pen_check_text(check, "at least %.6g %% of values in the domain", 100.0 * mass),
        outside.n > 0 ? listed(&outside)
                      : pen_check_text(check, "%" PRId64 " distinct values", statistics->string.n_unique));
    if (outside.n > 0) {
        pen_check_rows(check, finding, outside.n_rows);
    }
    finding->rows = (struct pen_row_rule){.kind = PEN_ROW_NOT_LISTED, .values = domain};
    fix_listed(check, &domain);
}

static void check_bool(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    const struct pen_value_counts *ranks = pen_check_ranks(check->statistics);
    const char **words = pen_arena_alloc(check->findings->arena, 2, sizeof *words);
    struct pen_config_strings both = {words, 0};
    if (words == NULL) {
        check->findings->failed = true;
        return;
    }
    if (feature->true_value != NULL) {
        words[both.n_items++] = feature->true_value;
    }
    if (feature->false_value != NULL) {
        words[both.n_items++] = feature->false_value;
    }
    struct listing outside = {check, "", 0, 0.0};
    for (int64_t i = 0; i < ranks->n_items; i++) {
        if (!holds(&both, ranks->items[i].value)) {
            list_value(&outside, &ranks->items[i]);
        }
    }
    if (outside.n == 0) {
        return;
    }
    struct pen_finding *finding =
        pen_check_add(check, PEN_ANOMALY_BOOL_TYPE_UNEXPECTED_STRING, "domain: bool",
                      pen_check_text(check, "%s%s%s", pen_check_quoted(check, words[0]), both.n_items > 1 ? " or " : "",
                                     both.n_items > 1 ? pen_check_quoted(check, words[1]) : ""),
                      listed(&outside));
    pen_check_rows(check, finding, outside.n_rows);
    finding->rows = (struct pen_row_rule){.kind = PEN_ROW_NOT_LISTED, .values = both};
    fix_listed(check, &both);
}

/* What the strings of a numeric domain are as numbers. */
struct numbers {
    struct listing wrong; /* no numbers */
    double min, max, n_nan, n_infinite;
};

static struct numbers parse_ranks(struct pen_check *check, bool as_int)
{
    const struct pen_value_counts *ranks = pen_check_ranks(check->statistics);
    struct numbers numbers = {{check, "", 0, 0.0}, INFINITY, -INFINITY, 0.0, 0.0};
    for (int64_t i = 0; i < ranks->n_items; i++) {
        const char *text = ranks->items[i].value;
        int64_t integer = 0;
        double value = 0.0;
        bool good =
            as_int ? pen_parse_int64(text, strlen(text), &integer) : pen_parse_double(text, strlen(text), &value);
        value = as_int ? (double)integer : value;
        if (!good) {
            list_value(&numbers.wrong, &ranks->items[i]);
            continue;
        }
        numbers.n_nan += isnan(value) ? ranks->items[i].count : 0.0;
        numbers.n_infinite += isinf(value) ? ranks->items[i].count : 0.0;
        numbers.min = value < numbers.min ? value : numbers.min;
        numbers.max = value > numbers.max ? value : numbers.max;
    }
    return numbers;
}

static void report_limit(struct pen_check *check, enum pen_anomaly type, const char *field, const char *word,
                         double limit, double seen, enum pen_row_kind kind)
{
    const char *number = pen_check_number(check, limit);
    struct pen_finding *finding =
        pen_check_add(check, type, pen_check_text(check, "%s: %s", field, number),
                      pen_check_text(check, "%s %s", word, number), pen_check_number(check, seen));
    finding->rows = (struct pen_row_rule){.kind = kind, .limit = limit};
}

static void check_numeric_strings(struct pen_check *check, bool as_int)
{
    const struct pen_schema_feature *feature = check->feature;
    struct pen_schema_feature *fixed = &check->fixed;
    struct numbers numbers = parse_ranks(check, as_int);
    if (numbers.wrong.n > 0) {
        struct pen_finding *finding =
            pen_check_add(check, as_int ? PEN_ANOMALY_INT_TYPE_NOT_INT_STRING : PEN_ANOMALY_FLOAT_TYPE_STRING_NOT_FLOAT,
                          as_int ? "domain: int" : "domain: float",
                          as_int ? "strings that are integers" : "strings that are numbers", listed(&numbers.wrong));
        pen_check_rows(check, finding, numbers.wrong.n_rows);
        finding->rows.kind = as_int ? PEN_ROW_NOT_INT : PEN_ROW_NOT_FLOAT;
        pen_check_drop_domain(fixed);
    }
    double low = as_int ? (double)feature->min_int : feature->min;
    double high = as_int ? (double)feature->max_int : feature->max;
    if ((as_int ? feature->max_int != INT64_MAX : isfinite(high)) && numbers.max > high) {
        report_limit(check, as_int ? PEN_ANOMALY_INT_TYPE_BIG_INT : PEN_ANOMALY_FLOAT_TYPE_BIG_FLOAT, "max", "at most",
                     high, numbers.max, PEN_ROW_ABOVE);
        fixed->max = as_int ? (double)INFINITY : numbers.max;
        fixed->max_int = as_int ? (int64_t)numbers.max : INT64_MAX;
    }
    if ((as_int ? feature->min_int != INT64_MIN : isfinite(low)) && numbers.min < low) {
        report_limit(check, as_int ? PEN_ANOMALY_INT_TYPE_SMALL_INT : PEN_ANOMALY_FLOAT_TYPE_SMALL_FLOAT, "min",
                     "at least", low, numbers.min, PEN_ROW_BELOW);
        fixed->min = as_int ? -(double)INFINITY : numbers.min;
        fixed->min_int = as_int ? (int64_t)numbers.min : INT64_MIN;
    }
    if (feature->disallow_nan && numbers.n_nan > 0.0) {
        struct pen_finding *finding = pen_check_add(check, PEN_ANOMALY_FLOAT_TYPE_HAS_NAN, "disallow_nan: true",
                                                    "no NaN", pen_check_number(check, numbers.n_nan));
        pen_check_rows(check, finding, numbers.n_nan);
        finding->rows.kind = PEN_ROW_NAN;
        fixed->disallow_nan = false;
    }
    if (feature->disallow_inf && numbers.n_infinite > 0.0) {
        struct pen_finding *finding = pen_check_add(check, PEN_ANOMALY_FLOAT_TYPE_HAS_INF, "disallow_inf: true",
                                                    "no infinity", pen_check_number(check, numbers.n_infinite));
        pen_check_rows(check, finding, numbers.n_infinite);
        finding->rows.kind = PEN_ROW_INFINITE;
        fixed->disallow_inf = false;
    }
    if (numbers.wrong.n > 0) {
        pen_check_drop_domain(fixed);
    }
}

void pen_check_strings(struct pen_check *check)
{
    switch (check->feature->domain) {
    case PEN_SCHEMA_DOMAIN_INT:
    case PEN_SCHEMA_DOMAIN_FLOAT:
        check_numeric_strings(check, check->feature->domain == PEN_SCHEMA_DOMAIN_INT);
        break;
    case PEN_SCHEMA_DOMAIN_BOOL:
        check_bool(check);
        break;
    case PEN_SCHEMA_DOMAIN_STRINGS:
        check_enum(check);
        break;
    case PEN_SCHEMA_DOMAIN_NONE:
    default:
        break;
    }
}
