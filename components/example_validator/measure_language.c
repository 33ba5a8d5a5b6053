/* The tokens of a text column: how many the vocabulary covers, how long they are, how often some occur in a text. */
#include "components/example_validator/measure.h"
#include "components/example_validator/rows.h"
#include "components/example_validator/tokens.h"
#include "core/log.h"

#include <stdlib.h>
#include <string.h>

struct words {
    int64_t n;
    const char **items; /* sorted */
};

struct sweep {
    const struct pen_schema_language *language;
    struct words vocabulary, excluded, oov;
    const char **constrained; /* tokens of the constraints */
    int64_t *counts;          /* of these, in the text at hand */
    struct pen_measured_token *tokens;
    struct pen_measured_language *measured;
    struct pen_text token;
    struct pen_arena *arena;
    bool any_word; /* no vocabulary: every token is in it */
    bool failed;
};

static int by_bytes(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void lower(char *text)
{
    for (; *text != '\0'; text++) {
        *text = *text >= 'A' && *text <= 'Z' ? (char)(*text + 'a' - 'A') : *text;
    }
}

/* A copy of a word as tokens are compared. */
static const char *prepare_word(struct sweep *sweep, const char *word)
{
    char *copy = pen_arena_strdup(sweep->arena, word);
    if (copy == NULL) {
        sweep->failed = true;
        return "";
    }
    if (sweep->language->lower) {
        lower(copy);
    }
    return copy;
}

static struct words prepare_words(struct sweep *sweep, struct pen_config_strings list)
{
    struct words words = {list.n_items, pen_arena_alloc(sweep->arena, list.n_items + 1, sizeof *words.items)};
    if (words.items == NULL) {
        sweep->failed = true;
        words.n = 0;
        return words;
    }
    for (int64_t i = 0; i < words.n; i++) {
        words.items[i] = prepare_word(sweep, list.items[i]);
    }
    if (words.n > 1) {
        qsort(words.items, (size_t)words.n, sizeof *words.items, by_bytes);
    }
    return words;
}

static bool holds(const struct words *words, const char *token)
{
    return words->n > 0 && bsearch(&token, words->items, (size_t)words->n, sizeof *words->items, by_bytes) != NULL;
}

/* False when the token is outside the vocabulary. */
static bool count_token(struct sweep *sweep, const char *text, size_t size_bytes)
{
    struct pen_measured_language *measured = sweep->measured;
    pen_text_reset(&sweep->token);
    pen_text_append_bytes(&sweep->token, text, size_bytes);
    if (sweep->token.failed) {
        sweep->failed = true;
        return true;
    }
    if (sweep->language->lower) {
        lower(sweep->token.data);
    }
    const char *token = pen_text_view(&sweep->token);
    for (int64_t i = 0; i < sweep->language->n_constraints; i++) {
        sweep->counts[i] += strcmp(sweep->constrained[i], token) == 0;
    }
    if (holds(&sweep->excluded, token)) {
        return true;
    }
    bool is_oov = holds(&sweep->oov, token);
    bool covered = !is_oov && (sweep->any_word || holds(&sweep->vocabulary, token));
    measured->n_tokens++;
    measured->n_covered += covered;
    if (!is_oov) {
        measured->n_measured++;
        measured->n_characters += pen_count_characters(token, size_bytes);
    }
    return covered;
}

static const char *example(struct sweep *sweep, const struct pen_measured_rows *measured,
                           const struct pen_column *column, int64_t chunk_row)
{
    if (!pen_measured_is_example(measured)) {
        return NULL;
    }
    const char *text = pen_cell_text(sweep->arena, column, chunk_row);
    sweep->failed = sweep->failed || text == NULL;
    return text;
}

static void add(struct sweep *sweep, struct pen_measured_rows *measured, const struct pen_column *column,
                int64_t chunk_row, int64_t row)
{
    pen_measured_add(measured, row, example(sweep, measured, column, chunk_row));
}

static void look_at(struct sweep *sweep, const struct pen_column *column, int64_t chunk_row, int64_t row)
{
    struct pen_measured_language *measured = sweep->measured;
    const struct pen_schema_language *language = sweep->language;
    struct pen_tokens tokens = {.at = 0};
    const char *token = NULL;
    size_t size_bytes = 0;
    bool covered = true;
    tokens.text = pen_column_string(column, chunk_row, &tokens.size_bytes);
    memset(sweep->counts, 0, (size_t)language->n_constraints * sizeof *sweep->counts);
    while (pen_tokens_next(&tokens, &token, &size_bytes)) {
        covered = count_token(sweep, token, size_bytes) && covered;
    }
    if (!covered) {
        add(sweep, &measured->uncovered, column, chunk_row, row);
    }
    for (int64_t i = 0; i < language->n_constraints; i++) {
        const struct pen_schema_token *constraint = &language->constraints[i];
        struct pen_measured_token *seen = &sweep->tokens[i];
        int64_t n = sweep->counts[i];
        seen->min_per_text = measured->n_texts == 0 || n < seen->min_per_text ? n : seen->min_per_text;
        seen->max_per_text = n > seen->max_per_text ? n : seen->max_per_text;
        add(sweep, n > 0 ? &seen->with : &seen->without, column, chunk_row, row);
        if (constraint->min_per_sequence >= 0 && n < constraint->min_per_sequence) {
            add(sweep, &seen->too_few, column, chunk_row, row);
        }
        if (constraint->max_per_sequence >= 0 && n > constraint->max_per_sequence) {
            add(sweep, &seen->too_many, column, chunk_row, row);
        }
    }
    measured->n_texts++;
}

static pen_status run(struct sweep *sweep, const struct pen_statistics_source *rows, int64_t index,
                      struct pen_store_buffer *buffer, struct pen_error *err)
{
    int64_t first_row = 0;
    for (int64_t chunk = 0; chunk < rows->n_chunks; chunk++) {
        struct pen_column column;
        PEN_TRY(pen_cancel_check(err));
        PEN_TRY(rows->read(rows->user, index, chunk, buffer, &column, err));
        for (int64_t row = 0; row < column.n_rows; row++) {
            if (pen_is_valid(column.validity, row)) {
                look_at(sweep, &column, row, first_row + row);
            }
        }
        first_row += column.n_rows;
    }
    return PEN_OK;
}

pen_status pen_measure_language(struct pen_measured_language *measured, const struct pen_schema *schema,
                                const struct pen_schema_feature *feature, const struct pen_statistics_source *rows,
                                int64_t column, struct pen_arena *arena, struct pen_error *err)
{
    const struct pen_schema_language *language = feature->language;
    struct sweep sweep = {.language = language, .measured = measured, .arena = arena};
    struct pen_store_buffer buffer = {0};
    measured->feature = feature->name;
    sweep.any_word = language->vocabulary_name == NULL && language->vocabulary_values.n_items == 0;
    sweep.vocabulary = prepare_words(&sweep, pen_schema_vocabulary(schema, language));
    sweep.excluded = prepare_words(&sweep, language->excluded_tokens);
    sweep.oov = prepare_words(&sweep, language->oov_tokens);
    sweep.constrained = pen_arena_alloc(arena, language->n_constraints + 1, sizeof *sweep.constrained);
    sweep.counts = pen_arena_alloc(arena, language->n_constraints + 1, sizeof *sweep.counts);
    sweep.tokens = pen_arena_alloc(arena, language->n_constraints + 1, sizeof *sweep.tokens);
    sweep.failed = sweep.failed || sweep.constrained == NULL || sweep.counts == NULL || sweep.tokens == NULL;
    for (int64_t i = 0; !sweep.failed && i < language->n_constraints; i++) {
        sweep.constrained[i] = prepare_word(&sweep, language->constraints[i].token);
    }
    measured->constraints = sweep.tokens;
    pen_status status = sweep.failed ? PEN_OK : run(&sweep, rows, column, &buffer, err);
    pen_store_buffer_deinit(&buffer);
    pen_text_deinit(&sweep.token);
    if (status == PEN_OK && sweep.failed) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: tokens of feature %s", feature->name);
    }
    return status;
}
