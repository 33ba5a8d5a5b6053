/* natural_language of a feature as a flow map. */
#include "datasets/schema/print_internal.h"

#include <inttypes.h>

static void print_constraint(const struct pen_schema_token *constraint, struct pen_text *out)
{
    pen_text_append_char(out, '{');
    size_t start = out->size_bytes;
    if (constraint->min_per_sequence >= 0) {
        pen_text_printf(pen_schema_member(out, start, "min_per_sequence"), "%" PRId64, constraint->min_per_sequence);
    }
    if (constraint->max_per_sequence >= 0) {
        pen_text_printf(pen_schema_member(out, start, "max_per_sequence"), "%" PRId64, constraint->max_per_sequence);
    }
    if (constraint->min_fraction_of_sequences >= 0.0) {
        pen_schema_print_double(pen_schema_member(out, start, "min_fraction_of_sequences"),
                                constraint->min_fraction_of_sequences);
    }
    if (constraint->max_fraction_of_sequences >= 0.0) {
        pen_schema_print_double(pen_schema_member(out, start, "max_fraction_of_sequences"),
                                constraint->max_fraction_of_sequences);
    }
    pen_text_append_char(out, '}');
}

static void print_constraints(const struct pen_schema_language *language, struct pen_text *out)
{
    pen_text_append_char(out, '{');
    for (int64_t i = 0; i < language->n_constraints; i++) {
        if (i > 0) {
            pen_text_append_char(out, ',');
            pen_text_append_char(out, PEN_SCHEMA_SOFT_BREAK);
        }
        pen_schema_print_scalar(language->constraints[i].token, out);
        pen_text_append(out, ": ");
        print_constraint(&language->constraints[i], out);
    }
    pen_text_append_char(out, '}');
}

void pen_schema_print_language(const struct pen_schema_language *language, struct pen_text *out)
{
    pen_text_append_char(out, '{');
    size_t start = out->size_bytes;
    if (language->lower) {
        pen_text_append(pen_schema_member(out, start, "lower"), "true");
    }
    if (language->vocabulary_name != NULL) {
        pen_schema_print_scalar(language->vocabulary_name, pen_schema_member(out, start, "vocabulary"));
    } else if (language->vocabulary_values.n_items > 0) {
        pen_schema_print_strings(pen_schema_member(out, start, "vocabulary"), &language->vocabulary_values);
    }
    if (language->min_coverage >= 0.0) {
        pen_schema_print_double(pen_schema_member(out, start, "min_coverage"), language->min_coverage);
    }
    if (language->min_avg_token_length >= 0.0) {
        pen_schema_print_double(pen_schema_member(out, start, "min_avg_token_length"), language->min_avg_token_length);
    }
    if (language->excluded_tokens.n_items > 0) {
        pen_schema_print_strings(pen_schema_member(out, start, "excluded_tokens"), &language->excluded_tokens);
    }
    if (language->oov_tokens.n_items > 0) {
        pen_schema_print_strings(pen_schema_member(out, start, "oov_tokens"), &language->oov_tokens);
    }
    if (language->n_constraints > 0) {
        print_constraints(language, pen_schema_member(out, start, "token_constraints"));
    }
    pen_text_append_char(out, '}');
}
