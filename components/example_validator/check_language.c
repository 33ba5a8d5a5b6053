/* natural_language: tokens of a text column against a vocabulary and against what is demanded of single tokens. */
#include "components/example_validator/check.h"

#include <inttypes.h>
#include <math.h>

struct language_check {
    struct pen_check *check;
    const struct pen_schema_language *language;
    const struct pen_measured_language *measured;
    struct pen_schema_language *fixed; /* as it would have to be, and its constraints */
    struct pen_schema_token *fixed_tokens;
};

/* A copy of the language to change, put into check->fixed. */
static bool copy_language(struct language_check *at)
{
    struct pen_arena *arena = at->check->findings->arena;
    at->fixed = pen_arena_alloc(arena, 1, sizeof *at->fixed);
    at->fixed_tokens = pen_arena_alloc(arena, at->language->n_constraints + 1, sizeof *at->fixed_tokens);
    if (at->fixed == NULL || at->fixed_tokens == NULL) {
        at->check->findings->failed = true;
        return false;
    }
    *at->fixed = *at->language;
    for (int64_t i = 0; i < at->language->n_constraints; i++) {
        at->fixed_tokens[i] = at->language->constraints[i];
    }
    at->fixed->constraints = at->fixed_tokens;
    at->check->fixed.language = at->fixed;
    return true;
}

/* ---- the schema's own part ---- */

static bool contradicts(const struct pen_schema_token *constraint)
{
    bool counts = constraint->min_per_sequence >= 0 && constraint->max_per_sequence >= 0 &&
                  constraint->min_per_sequence > constraint->max_per_sequence;
    bool shares = constraint->min_fraction_of_sequences >= 0.0 && constraint->max_fraction_of_sequences >= 0.0 &&
                  constraint->min_fraction_of_sequences > constraint->max_fraction_of_sequences;
    return counts || shares;
}

void pen_check_language_specification(struct pen_check *check)
{
    struct language_check at = {.check = check, .language = check->feature->language};
    const struct pen_schema_language *language = at.language;
    if (language == NULL || !copy_language(&at)) {
        return;
    }
    bool any_word = language->vocabulary_name == NULL && language->vocabulary_values.n_items == 0;
    if (language->min_coverage >= 0.0 && any_word && language->oov_tokens.n_items == 0) {
        pen_check_add(check, PEN_ANOMALY_INVALID_SCHEMA_SPECIFICATION, "natural_language.min_coverage",
                      "a vocabulary or oov_tokens beside min_coverage", "neither");
        at.fixed->min_coverage = -1.0;
    }
    for (int64_t i = 0; i < language->n_constraints; i++) {
        if (contradicts(&language->constraints[i])) {
            pen_check_add(
                check, PEN_ANOMALY_INVALID_SCHEMA_SPECIFICATION,
                pen_check_text(check, "natural_language.token_constraints.%s", language->constraints[i].token),
                "each minimum at most its maximum", "a minimum above its maximum");
            at.fixed_tokens[i] = (struct pen_schema_token){at.fixed_tokens[i].token, -1, -1, -1.0, -1.0};
        }
    }
}

/* ---- the data's part ---- */

static const char *percent(struct pen_check *check, int64_t part, int64_t whole)
{
    return pen_check_text(check, "%.6g %% (%" PRId64 " of %" PRId64 ")", 100.0 * (double)part / (double)whole, part,
                          whole);
}

static void check_coverage(const struct language_check *at)
{
    struct pen_check *check = at->check;
    double least = at->language->min_coverage;
    int64_t n_tokens = at->measured->n_tokens;
    if (least < 0.0 || n_tokens == 0 || (double)at->measured->n_covered / (double)n_tokens >= least) {
        return;
    }
    struct pen_finding *finding =
        pen_check_add(check, PEN_ANOMALY_FEATURE_COVERAGE_TOO_LOW,
                      pen_check_text(check, "natural_language.min_coverage: %s", pen_check_number(check, least)),
                      pen_check_text(check, "at least %.6g %% of tokens in the vocabulary", 100.0 * least),
                      percent(check, at->measured->n_covered, n_tokens));
    pen_check_measured(check, finding, &at->measured->uncovered);
    at->fixed->min_coverage = floor((double)at->measured->n_covered / (double)n_tokens * 1e4) / 1e4;
}

static void check_length(const struct language_check *at)
{
    struct pen_check *check = at->check;
    double least = at->language->min_avg_token_length;
    int64_t n_tokens = at->measured->n_measured;
    if (least < 0.0 || n_tokens == 0 || (double)at->measured->n_characters / (double)n_tokens >= least) {
        return;
    }
    double length = (double)at->measured->n_characters / (double)n_tokens;
    pen_check_add(check, PEN_ANOMALY_FEATURE_COVERAGE_TOO_SHORT_AVG_TOKEN_LENGTH,
                  pen_check_text(check, "natural_language.min_avg_token_length: %s", pen_check_number(check, least)),
                  pen_check_text(check, "tokens of at least %s characters on average", pen_check_number(check, least)),
                  pen_check_text(check, "%.6g in %s", length, pen_check_count(check, n_tokens, "token")));
    at->fixed->min_avg_token_length = floor(length * 1e4) / 1e4;
}

static const char *token_rule(struct pen_check *check, const char *token, const char *field, double limit)
{
    return pen_check_text(check, "natural_language.token_constraints.%s.%s: %s", token, field,
                          pen_check_number(check, limit));
}

static void check_occurrences(const struct language_check *at, int64_t i)
{
    struct pen_check *check = at->check;
    const struct pen_schema_token *constraint = &at->language->constraints[i];
    const struct pen_measured_token *seen = &at->measured->constraints[i];
    const char *token = pen_check_quoted(check, constraint->token);
    int64_t least = constraint->min_per_sequence;
    int64_t most = constraint->max_per_sequence;
    if (least >= 0 && seen->min_per_text < least) {
        struct pen_finding *finding = pen_check_add(
            check, PEN_ANOMALY_SEQUENCE_VALUE_TOO_FEW_OCCURRENCES,
            token_rule(check, constraint->token, "min_per_sequence", (double)least),
            pen_check_text(check, "%s at least %s in every text", token, pen_check_count(check, least, "time")),
            pen_check_text(check, "a text with %" PRId64, seen->min_per_text));
        pen_check_measured(check, finding, &seen->too_few);
        at->fixed_tokens[i].min_per_sequence = seen->min_per_text;
    }
    if (most >= 0 && seen->max_per_text > most) {
        struct pen_finding *finding = pen_check_add(
            check, PEN_ANOMALY_SEQUENCE_VALUE_TOO_MANY_OCCURRENCES,
            token_rule(check, constraint->token, "max_per_sequence", (double)most),
            pen_check_text(check, "%s at most %s in any text", token, pen_check_count(check, most, "time")),
            pen_check_text(check, "a text with %" PRId64, seen->max_per_text));
        pen_check_measured(check, finding, &seen->too_many);
        at->fixed_tokens[i].max_per_sequence = seen->max_per_text;
    }
}

static void check_share(const struct language_check *at, int64_t i)
{
    struct pen_check *check = at->check;
    const struct pen_schema_token *constraint = &at->language->constraints[i];
    const struct pen_measured_token *seen = &at->measured->constraints[i];
    const char *token = pen_check_quoted(check, constraint->token);
    int64_t n_texts = at->measured->n_texts;
    double share = (double)seen->with.n_rows / (double)n_texts;
    double least = constraint->min_fraction_of_sequences;
    double most = constraint->max_fraction_of_sequences;
    if (least >= 0.0 && share < least) {
        struct pen_finding *finding =
            pen_check_add(check, PEN_ANOMALY_SEQUENCE_VALUE_TOO_SMALL_FRACTION,
                          token_rule(check, constraint->token, "min_fraction_of_sequences", least),
                          pen_check_text(check, "%s in at least %.6g %% of texts", token, 100.0 * least),
                          percent(check, seen->with.n_rows, n_texts));
        pen_check_measured(check, finding, &seen->without);
        at->fixed_tokens[i].min_fraction_of_sequences = floor(share * 1e4) / 1e4;
    }
    if (most >= 0.0 && share > most) {
        struct pen_finding *finding =
            pen_check_add(check, PEN_ANOMALY_SEQUENCE_VALUE_TOO_LARGE_FRACTION,
                          token_rule(check, constraint->token, "max_fraction_of_sequences", most),
                          pen_check_text(check, "%s in at most %.6g %% of texts", token, 100.0 * most),
                          percent(check, seen->with.n_rows, n_texts));
        pen_check_measured(check, finding, &seen->with);
        at->fixed_tokens[i].max_fraction_of_sequences = fmin(ceil(share * 1e4) / 1e4, 1.0);
    }
}

void pen_check_language(struct pen_check *check)
{
    struct language_check at = {.check = check, .language = check->feature->language};
    if (at.language == NULL) {
        return;
    }
    at.measured = pen_measures_language(check->options->measures, check->feature->name);
    if (at.measured == NULL) {
        pen_check_add(check, PEN_ANOMALY_STATS_NOT_AVAILABLE, "natural_language", "rows to count tokens in",
                      "none: the examples are no input of this node");
        check->fixed.language = NULL;
        return;
    }
    if (!copy_language(&at)) {
        return;
    }
    check_coverage(&at);
    check_length(&at);
    for (int64_t i = 0; i < at.language->n_constraints && at.measured->n_texts > 0; i++) {
        check_occurrences(&at, i);
        check_share(&at, i);
    }
}
