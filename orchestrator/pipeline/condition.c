/* A descent over the text makes a tree; holding is a walk over it. */
#include "orchestrator/pipeline/condition.h"

#include <ctype.h>
#include <string.h>

enum kind { OR, AND, NOT, EQUAL, UNEQUAL, LESS, LESS_EQUAL, MORE, MORE_EQUAL, NAME, NUMBER, TEXT, TRUTH };

struct pen_condition_node {
    enum kind kind;
    const struct pen_condition_node *left, *right; /* NOT: left */
    const char *text;                              /* NAME, TEXT */
    double number;                                 /* NUMBER; TRUTH: 0 or 1 */
};

/* ---- parsing ---- */

struct parser {
    struct pen_arena *arena;
    struct pen_condition *condition;
    const char *at;
    int depth;
    struct pen_error *err;
};

static pen_status expected(const struct parser *parser, const char *what)
{
    char quoted[PEN_QUOTE_BYTES];
    char rest[PEN_QUOTE_BYTES];
    const char *text = parser->condition->text;
    if (*parser->at == '\0') {
        PEN_FAIL(parser->err, PEN_ERR_CONFIG, "condition '%s': expected %s at the end",
                 pen_quote(quoted, text, strlen(text)), what);
    }
    PEN_FAIL(parser->err, PEN_ERR_CONFIG, "condition '%s': expected %s at character %lld, '%s'",
             pen_quote(quoted, text, strlen(text)), what, (long long)(parser->at - text + 1),
             pen_quote(rest, parser->at, strlen(parser->at)));
}

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) != 0 || c == '_' || c == '.' || c == '-' || c == '+';
}

static void skip_spaces(struct parser *parser)
{
    parser->at += strspn(parser->at, " \t\n");
}

static bool take_word(struct parser *parser, const char *word)
{
    size_t size = strlen(word);
    skip_spaces(parser);
    bool found = strncmp(parser->at, word, size) == 0 &&
                 !(isalpha((unsigned char)word[0]) != 0 && is_name_byte(parser->at[size]));
    parser->at += found ? size : 0;
    return found;
}

static pen_status make(struct parser *parser, struct pen_condition_node value, const struct pen_condition_node **node)
{
    struct pen_condition_node *made = pen_arena_alloc(parser->arena, 1, sizeof *made);
    if (made == NULL) {
        PEN_FAIL(parser->err, PEN_ERR_MEMORY, "out of memory: reading a condition");
    }
    *made = value;
    *node = made;
    return PEN_OK;
}

static pen_status parse_or(struct parser *parser, const struct pen_condition_node **node);

static pen_status parse_quoted(struct parser *parser, const struct pen_condition_node **node)
{
    const char *end = strchr(parser->at + 1, *parser->at);
    if (end == NULL) {
        return expected(parser, "the text's closing quote");
    }
    const char *text = pen_arena_strndup(parser->arena, parser->at + 1, (size_t)(end - parser->at - 1));
    parser->at = end + 1;
    return make(parser, (struct pen_condition_node){.kind = TEXT, .text = text == NULL ? "" : text}, node);
}

static pen_status parse_value(struct parser *parser, const struct pen_condition_node **node)
{
    skip_spaces(parser);
    if (*parser->at == '\'' || *parser->at == '"') {
        return parse_quoted(parser, node);
    }
    if (*parser->at == '(') {
        if (++parser->depth > PEN_CONDITION_DEPTH) {
            return expected(parser, "nesting at most 32 deep");
        }
        parser->at++;
        PEN_TRY(parse_or(parser, node));
        parser->depth--;
        return take_word(parser, ")") ? PEN_OK : expected(parser, "')'");
    }
    size_t size = 0;
    while (is_name_byte(parser->at[size])) {
        size++;
    }
    char *word = pen_arena_strndup(parser->arena, parser->at, size);
    struct pen_condition_node value = {.kind = NAME, .text = word};
    if (word == NULL) {
        PEN_FAIL(parser->err, PEN_ERR_MEMORY, "out of memory: reading a condition");
    }
    static const char *const words[] = {"and", "or", "not"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size = strcmp(word, words[i]) == 0 ? 0 : size;
    }
    if (size == 0) {
        return expected(parser, "a value");
    }
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
        value = (struct pen_condition_node){.kind = TRUTH, .number = word[0] == 't'};
    } else if (pen_parse_double(word, size, &value.number)) {
        value.kind = NUMBER;
    } else if (isalpha((unsigned char)word[0]) == 0 && word[0] != '_') {
        return expected(parser, "a value");
    } else if (parser->condition->n_names == PEN_CONDITION_NAMES) {
        return expected(parser, "at most 64 names");
    } else {
        parser->condition->name_at[parser->condition->n_names] = parser->at - parser->condition->text + 1;
        parser->condition->names[parser->condition->n_names++] = word;
    }
    parser->at += size;
    return make(parser, value, node);
}

static pen_status parse_comparison(struct parser *parser, const struct pen_condition_node **node)
{
    static const struct {
        const char *sign;
        enum kind kind;
    } signs[] = {{"==", EQUAL}, {"!=", UNEQUAL}, {"<=", LESS_EQUAL}, {"<", LESS}, {">=", MORE_EQUAL}, {">", MORE}};
    PEN_TRY(parse_value(parser, node));
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (take_word(parser, signs[i].sign)) {
            const struct pen_condition_node *right = NULL;
            PEN_TRY(parse_value(parser, &right));
            return make(parser, (struct pen_condition_node){.kind = signs[i].kind, .left = *node, .right = right},
                        node);
        }
    }
    return PEN_OK;
}

static pen_status parse_not(struct parser *parser, const struct pen_condition_node **node)
{
    int n_not = 0;
    while (take_word(parser, "not")) {
        n_not++;
    }
    PEN_TRY(parse_comparison(parser, node));
    return n_not % 2 == 0 ? PEN_OK : make(parser, (struct pen_condition_node){.kind = NOT, .left = *node}, node);
}

static pen_status parse_and(struct parser *parser, const struct pen_condition_node **node)
{
    PEN_TRY(parse_not(parser, node));
    while (take_word(parser, "and")) {
        const struct pen_condition_node *right = NULL;
        PEN_TRY(parse_not(parser, &right));
        PEN_TRY(make(parser, (struct pen_condition_node){.kind = AND, .left = *node, .right = right}, node));
    }
    return PEN_OK;
}

static pen_status parse_or(struct parser *parser, const struct pen_condition_node **node)
{
    PEN_TRY(parse_and(parser, node));
    while (take_word(parser, "or")) {
        const struct pen_condition_node *right = NULL;
        PEN_TRY(parse_and(parser, &right));
        PEN_TRY(make(parser, (struct pen_condition_node){.kind = OR, .left = *node, .right = right}, node));
    }
    return PEN_OK;
}

pen_status pen_condition_parse(struct pen_arena *arena, const char *text, struct pen_condition *condition,
                               struct pen_error *err)
{
    *condition = (struct pen_condition){.text = pen_arena_strdup(arena, text)};
    if (condition->text == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading a condition");
    }
    struct parser parser = {arena, condition, condition->text, 0, err};
    PEN_TRY(parse_or(&parser, &condition->top));
    skip_spaces(&parser);
    return *parser.at == '\0' ? PEN_OK : expected(&parser, "and, or, or the end");
}

/* ---- holding ---- */

struct walk {
    const struct pen_condition *condition;
    pen_condition_lookup *lookup;
    void *user;
    struct pen_error *err;
};

/* A value with a text or a number; what a name stands for has the kind of its JSON. */
static pen_status value_of(const struct walk *walk, const struct pen_condition_node *node,
                           struct pen_condition_node *value);

static pen_status truth_of(const struct walk *walk, const struct pen_condition_node *node, bool *truth)
{
    struct pen_condition_node value;
    PEN_TRY(value_of(walk, node, &value));
    if (value.kind != TRUTH) {
        PEN_FAIL(walk->err, PEN_ERR_DATA, "condition '%.200s': expected true or false, found a %s%s%.80s",
                 walk->condition->text, value.kind == NUMBER ? "number" : "text", node->kind == NAME ? " in " : "",
                 node->kind == NAME ? node->text : "");
    }
    *truth = value.number != 0;
    return PEN_OK;
}

static pen_status compare(const struct walk *walk, const struct pen_condition_node *node, bool *truth)
{
    struct pen_condition_node left;
    struct pen_condition_node right;
    PEN_TRY(value_of(walk, node->left, &left));
    PEN_TRY(value_of(walk, node->right, &right));
    bool for_equality = node->kind == EQUAL || node->kind == UNEQUAL;
    if (left.kind != right.kind || (left.kind == TRUTH && !for_equality)) {
        static const char *const names[] = {"a number", "a text", "a truth value"};
        PEN_FAIL(walk->err, PEN_ERR_DATA, "condition '%.200s': cannot compare %s with %s", walk->condition->text,
                 names[left.kind - NUMBER], names[right.kind - NUMBER]);
    }
    double difference = left.number < right.number ? -1 : left.number > right.number ? 1 : 0;
    bool is_nan = left.number != left.number || right.number != right.number;
    if (left.kind == TEXT) {
        int order = strcmp(left.text, right.text);
        difference = order < 0 ? -1 : order > 0;
    }
    *truth = node->kind == EQUAL        ? difference == 0 && !is_nan
             : node->kind == UNEQUAL    ? difference != 0 || is_nan
             : node->kind == LESS       ? difference < 0
             : node->kind == LESS_EQUAL ? difference <= 0 && !is_nan
             : node->kind == MORE       ? difference > 0
                                        : difference >= 0 && !is_nan;
    return PEN_OK;
}

static pen_status look_up(const struct walk *walk, const char *name, struct pen_condition_node *value)
{
    const pen_json *found = walk->lookup(walk->user, name);
    if (pen_json_is_bool(found)) {
        *value = (struct pen_condition_node){.kind = TRUTH, .number = pen_json_bool_or(found, false)};
    } else if (pen_json_is_number(found)) {
        *value = (struct pen_condition_node){.kind = NUMBER, .number = pen_json_number_or(found, 0)};
    } else if (pen_json_is_string(found)) {
        *value = (struct pen_condition_node){.kind = TEXT, .text = pen_json_string_or(found, "")};
    } else {
        PEN_FAIL(walk->err, PEN_ERR_NOT_FOUND, "condition '%.200s': '%.80s' has no value", walk->condition->text, name);
    }
    return PEN_OK;
}

/* One side may decide alone: true of `or`, false of `and`, also beside a name without a value. */
static pen_status either(const struct walk *walk, const struct pen_condition_node *node, bool *truth)
{
    const bool deciding = node->kind == OR;
    pen_status left = truth_of(walk, node->left, truth);
    if (left != PEN_ERR_NOT_FOUND && (left != PEN_OK || *truth == deciding)) {
        return left;
    }
    PEN_TRY(truth_of(walk, node->right, truth));
    if (left == PEN_ERR_NOT_FOUND && *truth != deciding) {
        return truth_of(walk, node->left, truth); /* for its message */
    }
    return PEN_OK;
}

static pen_status value_of(const struct walk *walk, const struct pen_condition_node *node,
                           struct pen_condition_node *value)
{
    bool truth = false;
    if (node->kind == NAME) {
        return look_up(walk, node->text, value);
    }
    if (node->kind == NUMBER || node->kind == TEXT || node->kind == TRUTH) {
        *value = *node;
        return PEN_OK;
    }
    if (node->kind == OR || node->kind == AND) {
        PEN_TRY(either(walk, node, &truth));
    } else if (node->kind == NOT) {
        PEN_TRY(truth_of(walk, node->left, &truth));
        truth = !truth;
    } else {
        PEN_TRY(compare(walk, node, &truth));
    }
    *value = (struct pen_condition_node){.kind = TRUTH, .number = truth};
    return PEN_OK;
}

pen_status pen_condition_holds(const struct pen_condition *condition, pen_condition_lookup *lookup, void *user,
                               bool *holds, struct pen_error *err)
{
    const struct walk walk = {condition, lookup, user, err};
    return truth_of(&walk, condition->top, holds);
}
