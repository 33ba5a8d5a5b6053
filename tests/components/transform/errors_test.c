/* What a user sees for a wrong expression: file, line, column and the message, word for word. */
#include "components/transform/defaults.h"
#include "core/rng.h"
#include "tests/components/transform/rows.h"

#include <stdio.h>

struct error_case {
    const char *expression;
    const char *message; /* behind "p.yaml:3:", the column included */
};

static const struct error_case cases[] = {
#include "tests/components/transform/errors.inc"
};

static void every_wrong_expression_has_its_message(void)
{
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_transform_graph *graph = NULL;
        char expected[PEN_ERROR_MESSAGE_BYTES];
        (void)snprintf(expected, sizeof expected, "p.yaml:3:%s", cases[c].message);
        PEN_CHECK_STATUS(pen_test_compile(&graph, cases[c].expression, NULL, PEN_TASK_NONE, NULL, &err),
                         PEN_ERR_CONFIG);
        PEN_CHECK_EQ_STR(err.message, expected);
    }
}

static void nesting_and_chains_are_limited(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_transform_graph *graph = NULL;
    char text[4096] = "";
    memset(text, '(', 200);
    text[200] = 'x';
    memset(text + 201, ')', 200);
    text[401] = '\0';
    PEN_CHECK_STATUS(pen_test_compile(&graph, text, NULL, PEN_TASK_NONE, NULL, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "expected at most 64 levels of nesting");
    memset(text, '-', 1000);
    text[1000] = 'x';
    text[1001] = '\0';
    PEN_CHECK_STATUS(pen_test_compile(&graph, text, NULL, PEN_TASK_NONE, NULL, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "expected at most 64 levels of nesting");
    for (int i = 0; i < 600; i++) {
        memcpy(text + 2 * i, "x+", 3);
    }
    memcpy(text + 1200, "x", 2);
    PEN_CHECK_STATUS(pen_test_compile(&graph, text, NULL, PEN_TASK_NONE, NULL, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "expected at most 256 operators one after another");
}

/* Pieces of the language in random order, and random bytes: an error or a graph, never a crash. */
static void random_expressions_do_no_harm(void)
{
    static const char *const pieces[] = {
        "x",      "n",      "s",       "t",       "when",       "(",     ")",      ",",     "[",       "]",
        "1",      "2.5",    "-",       "+",       "*",          "/",     "%",      "==",    "<",       "and ",
        "or ",    "not ",   "if(",     "zscore(", "vocab(",     "fill(", "'mode'", "hash(", "tokens(", "onehot(",
        "top_k:", "cross(", "ngrams(", "[1,2]",   "bucketize(", "`x`",   "'",      "cast(", "int",     "1e308"};
    uint64_t index = 0;
    int64_t compiled = 0;
    for (int round = 0; round < 20000; round++) {
        char text[256] = "";
        size_t used = 0;
        int n = 1 + (int)pen_rng_below(20261124, 0, index++, 12);
        for (int i = 0; i < n; i++) {
            uint64_t draw = pen_rng_below(20261124, 0, index++, (uint64_t)1 << 40);
            if (draw % 50 == 0) {
                text[used++] = (char)(1 + (draw >> 8) % 255);
                text[used] = '\0';
                continue;
            }
            const char *piece = pieces[(draw >> 8) % (sizeof pieces / sizeof pieces[0])];
            memcpy(text + used, piece, strlen(piece) + 1);
            used += strlen(piece);
        }
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_transform_graph *graph = NULL;
        pen_status status = pen_test_compile(&graph, text, NULL, PEN_TASK_NONE, NULL, &err);
        PEN_CHECK_MSG(status == PEN_OK || strncmp(err.message, "p.yaml:3:", 9) == 0, "'%s': %s", text, err.message);
        compiled += status == PEN_OK;
        pen_transform_destroy(status == PEN_OK ? graph : NULL);
    }
    PEN_CHECK(compiled > 100);
}

static void columns_of_an_expression_are_listed(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    const char *const *columns = NULL;
    int64_t n = 0;
    PEN_CHECK_OK(pen_transform_expression_columns(&arena, "tips > 0.2 * fare and `a b` == 'tips' or tips < 1",
                                                  "--label", &columns, &n, &err),
                 &err);
    PEN_CHECK_EQ_I64(n, 3);
    PEN_CHECK_EQ_STR(columns[0], "tips");
    PEN_CHECK_EQ_STR(columns[1], "fare");
    PEN_CHECK_EQ_STR(columns[2], "a b");
    PEN_CHECK_STATUS(pen_transform_expression_columns(&arena, "tips >", "--label", &columns, &n, &err), PEN_ERR_CONFIG);
    PEN_CHECK_EQ_STR(err.message, "--label: label: expected a value, found the end (at the end of 'tips >')");
    PEN_CHECK_EQ_STR(pen_transform_quote_column(&arena, "education-num"), "`education-num`");
    PEN_CHECK_EQ_STR(pen_transform_quote_column(&arena, "a`b"), "`a``b`");
    PEN_CHECK_EQ_STR(pen_transform_quote_column(&arena, "and"), "`and`");
    PEN_CHECK_EQ_STR(pen_transform_quote_column(&arena, "x1"), "x1");
    pen_arena_deinit(&arena);
}

PEN_SUITE(transform_errors, PEN_CASE(every_wrong_expression_has_its_message), PEN_CASE(nesting_and_chains_are_limited),
          PEN_CASE(random_expressions_do_no_harm), PEN_CASE(columns_of_an_expression_are_listed));
