/* natural_language of a feature: what its tokens must be like. */
#include "datasets/schema/read_internal.h"

#include <stdio.h>
#include <string.h>

struct language_fields {
    bool lower;
    const struct pen_config_node *vocabulary, *min_coverage, *constraints;
    double min_avg_token_length;
    struct pen_config_strings excluded, oov;
};

static const struct pen_option language_table[] = {
    {"lower", PEN_OPTION_BOOL, offsetof(struct language_fields, lower), "false", 0, 0, NULL, "compare in lower case"},
    {"vocabulary", PEN_OPTION_NODE, offsetof(struct language_fields, vocabulary), NULL, 0, 0, NULL,
     "a list of tokens, or the name of one under domains"},
    {"min_coverage", PEN_OPTION_NODE, offsetof(struct language_fields, min_coverage), NULL, 0, 0, NULL,
     "share of tokens in the vocabulary"},
    {"min_avg_token_length", PEN_OPTION_DOUBLE, offsetof(struct language_fields, min_avg_token_length), "-1", -1, 1e9,
     NULL, "characters"},
    {"excluded_tokens", PEN_OPTION_STRINGS, offsetof(struct language_fields, excluded), NULL, 0, 0, NULL,
     "not looked at"},
    {"oov_tokens", PEN_OPTION_STRINGS, offsetof(struct language_fields, oov), NULL, 0, 0, NULL,
     "outside the vocabulary"},
    {"token_constraints", PEN_OPTION_NODE, offsetof(struct language_fields, constraints), NULL, 0, 0, NULL,
     "how often a token may occur"},
    {.name = NULL},
};

static pen_status read_vocabulary(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                  struct pen_schema_language *language)
{
    if (node->kind == PEN_CONFIG_LIST) {
        return pen_schema_read_strings(reader, node, "vocabulary", &language->vocabulary_values);
    }
    if (node->kind != PEN_CONFIG_SCALAR) {
        return pen_schema_expected(reader, node, "vocabulary", "a list of tokens, or a name defined under domains");
    }
    language->vocabulary_name = node->scalar;
    if (pen_schema_find_domain(reader->schema, node->scalar) != NULL) {
        return PEN_OK;
    }
    int64_t n = reader->schema->n_domains;
    const char **names = pen_arena_alloc(reader->arena, n + 1, sizeof *names);
    if (names == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    for (int64_t i = 0; i < n; i++) {
        names[i] = reader->schema->domains[i].name;
    }
    return pen_schema_unknown_name(reader, node, "vocabulary", "a list of tokens, or a name defined under domains",
                                   names, n);
}

static pen_status read_constraint(struct pen_schema_reader *reader, const char *token,
                                  const struct pen_config_node *node, struct pen_schema_token *constraint)
{
    struct constraint_fields {
        int64_t min_per_sequence, max_per_sequence;
        const struct pen_config_node *min_fraction, *max_fraction;
    } fields;
    static const struct pen_option table[] = {
        {"min_per_sequence", PEN_OPTION_INT, offsetof(struct constraint_fields, min_per_sequence), "-1", -1, 9.2e18,
         NULL, "times in every text, at least"},
        {"max_per_sequence", PEN_OPTION_INT, offsetof(struct constraint_fields, max_per_sequence), "-1", -1, 9.2e18,
         NULL, "times in any text, at most"},
        {"min_fraction_of_sequences", PEN_OPTION_NODE, offsetof(struct constraint_fields, min_fraction), NULL, 0, 0,
         NULL, "share of texts with it, at least"},
        {"max_fraction_of_sequences", PEN_OPTION_NODE, offsetof(struct constraint_fields, max_fraction), NULL, 0, 0,
         NULL, "share of texts with it, at most"},
        {.name = NULL},
    };
    char section[PEN_QUOTE_BYTES + 16];
    char quoted[PEN_QUOTE_BYTES];
    (void)snprintf(section, sizeof section, "token '%.356s'", pen_quote(quoted, token, strlen(token)));
    PEN_TRY(pen_config_options(reader->arena, &fields, sizeof fields, table, node, section, reader->err));
    constraint->token = token;
    constraint->min_per_sequence = fields.min_per_sequence;
    constraint->max_per_sequence = fields.max_per_sequence;
    PEN_TRY(pen_schema_read_threshold(reader, fields.min_fraction, "min_fraction_of_sequences",
                                      &constraint->min_fraction_of_sequences));
    return pen_schema_read_threshold(reader, fields.max_fraction, "max_fraction_of_sequences",
                                     &constraint->max_fraction_of_sequences);
}

static pen_status read_constraints(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                   struct pen_schema_language *language)
{
    if (node->kind != PEN_CONFIG_MAP) {
        return pen_schema_expected(reader, node, "token_constraints",
                                   "a map of tokens such as {urgent: {max_per_sequence: 1}}");
    }
    struct pen_schema_token *items = pen_arena_alloc(reader->arena, node->n_children + 1, sizeof *items);
    if (items == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        PEN_TRY(read_constraint(reader, node->keys[i], node->children[i], &items[i]));
    }
    language->n_constraints = node->n_children;
    language->constraints = items;
    return PEN_OK;
}

pen_status pen_schema_read_language(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                    const struct pen_schema_language **language)
{
    struct language_fields fields;
    struct pen_schema_language *read = pen_arena_alloc(reader->arena, 1, sizeof *read);
    if (read == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    PEN_TRY(pen_config_options(reader->arena, &fields, sizeof fields, language_table, node, "natural_language",
                               reader->err));
    read->lower = fields.lower;
    read->min_avg_token_length = fields.min_avg_token_length;
    read->excluded_tokens = fields.excluded;
    read->oov_tokens = fields.oov;
    PEN_TRY(pen_schema_read_threshold(reader, fields.min_coverage, "min_coverage", &read->min_coverage));
    if (pen_schema_given(fields.vocabulary)) {
        PEN_TRY(read_vocabulary(reader, fields.vocabulary, read));
    }
    if (pen_schema_given(fields.constraints)) {
        PEN_TRY(read_constraints(reader, fields.constraints, read));
    }
    *language = read;
    return PEN_OK;
}
