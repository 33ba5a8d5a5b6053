/* From a syntax tree to typed nodes: operators, columns, literals, conversions. Calls are functions.c.
 *
 * Integers stay integers through + - * % and comparison; `/` always gives a number with fraction; mixed operands
 * become FLOAT; a truth value counts as 0 or 1. */
#include "components/transform/language/functions.h"

#include "core/text.h"
#include "kernels/columns/columns.h"

#include <string.h>

enum pen_value_type pen_builder_type(const struct pen_builder *b, int32_t node)
{
    return b->graph->nodes[node].type;
}

pen_status pen_builder_add(struct pen_builder *b, const struct pen_node *node, const struct pen_syntax *at,
                           int32_t *out)
{
    struct pen_node placed = *node;
    placed.offset = at->offset;
    placed.source = b->source;
    return pen_graph_add(b->graph, &placed, out, b->err);
}

static pen_status no_conversion(struct pen_builder *b, int32_t x, const struct pen_syntax *at, const char *who,
                                const char *wanted)
{
    return pen_syntax_error(b->source, at->offset, b->err, "%s: expected %s, found %s", who, wanted,
                            pen_value_type_name(pen_builder_type(b, x)));
}

static pen_status convert(struct pen_builder *b, enum pen_transform_op op, enum pen_value_type type, int32_t x,
                          const struct pen_syntax *at, int32_t *out)
{
    struct pen_node node = {.op = op, .type = type, .n_arguments = 1, .arguments = {x}};
    return pen_builder_add(b, &node, at, out);
}

pen_status pen_builder_to_float(struct pen_builder *b, int32_t x, const struct pen_syntax *at, const char *who,
                                int32_t *out)
{
    const struct pen_node *node = &b->graph->nodes[x];
    if (node->type == PEN_VALUE_FLOAT) {
        *out = x;
        return PEN_OK;
    }
    if (node->op == PEN_NODE_CONST_INT) {
        struct pen_node constant = {
            .op = PEN_NODE_CONST_FLOAT, .type = PEN_VALUE_FLOAT, .number = {(double)node->integer[0]}};
        return pen_builder_add(b, &constant, at, out);
    }
    if (node->type != PEN_VALUE_INT && node->type != PEN_VALUE_BOOL) {
        return no_conversion(b, x, at, who, "a number");
    }
    return convert(b, PEN_NODE_TO_FLOAT, PEN_VALUE_FLOAT, x, at, out);
}

pen_status pen_builder_to_int(struct pen_builder *b, int32_t x, const struct pen_syntax *at, const char *who,
                              int32_t *out)
{
    enum pen_value_type type = pen_builder_type(b, x);
    if (type == PEN_VALUE_INT) {
        *out = x;
        return PEN_OK;
    }
    if (type != PEN_VALUE_FLOAT && type != PEN_VALUE_BOOL) {
        return no_conversion(b, x, at, who, "a number");
    }
    return convert(b, PEN_NODE_TO_INT, PEN_VALUE_INT, x, at, out);
}

pen_status pen_builder_to_string(struct pen_builder *b, int32_t x, const struct pen_syntax *at, const char *who,
                                 int32_t *out)
{
    enum pen_value_type type = pen_builder_type(b, x);
    if (type == PEN_VALUE_STRING) {
        *out = x;
        return PEN_OK;
    }
    if (type > PEN_VALUE_STRING) {
        return no_conversion(b, x, at, who, "a string or a number");
    }
    return convert(b, PEN_NODE_TO_STRING, PEN_VALUE_STRING, x, at, out);
}

static bool is_numeric(enum pen_value_type type)
{
    return type == PEN_VALUE_INT || type == PEN_VALUE_FLOAT || type == PEN_VALUE_BOOL;
}

pen_status pen_builder_unify(struct pen_builder *b, int32_t *x, int32_t *y, const struct pen_syntax *at_x,
                             const struct pen_syntax *at_y, const char *who)
{
    enum pen_value_type a = pen_builder_type(b, *x), c = pen_builder_type(b, *y);
    if (a > PEN_VALUE_STRING || c > PEN_VALUE_STRING) {
        return no_conversion(b, a > PEN_VALUE_STRING ? *x : *y, a > PEN_VALUE_STRING ? at_x : at_y, who,
                             "a number, a string or a truth value");
    }
    if (a == c) {
        return PEN_OK;
    }
    if (!is_numeric(a) || !is_numeric(c)) {
        return pen_syntax_error(b->source, at_y->offset, b->err, "%s: expected two values of one kind, found %s and %s",
                                who, pen_value_type_name(a), pen_value_type_name(c));
    }
    PEN_TRY(pen_builder_to_float(b, *x, at_x, who, x));
    return pen_builder_to_float(b, *y, at_y, who, y);
}

/* ---- leaves ---- */

static pen_status input_of(struct pen_builder *b, const struct pen_transform_raw_column *column, int32_t *input)
{
    struct pen_transform_graph *graph = b->graph;
    for (int64_t i = 0; i < graph->n_inputs; i++) {
        if (strcmp(graph->inputs[i].name, column->name) == 0) {
            graph->inputs[i].in_features = graph->inputs[i].in_features || b->in_features;
            *input = (int32_t)i;
            return PEN_OK;
        }
    }
    PEN_TRY(
        pen_grow((void **)&graph->inputs, &graph->inputs_capacity, graph->n_inputs + 1, sizeof *graph->inputs, b->err));
    const char *name = pen_arena_strdup(&graph->arena, column->name);
    if (name == NULL) {
        PEN_FAIL(b->err, PEN_ERR_MEMORY, "out of memory: compiling an expression");
    }
    graph->inputs[graph->n_inputs] =
        (struct pen_transform_input){.name = name, .type = column->type, .in_features = b->in_features};
    *input = (int32_t)graph->n_inputs++;
    return PEN_OK;
}

static pen_status compile_column(struct pen_builder *b, const struct pen_syntax *syntax, int32_t *out)
{
    const struct pen_transform_raw_column *column = NULL;
    for (int64_t i = 0; i < b->n_columns && column == NULL; i++) {
        column = strcmp(b->columns[i].name, syntax->text) == 0 ? &b->columns[i] : NULL;
    }
    if (column == NULL) {
        char quoted[PEN_QUOTE_BYTES], quoted_near[PEN_QUOTE_BYTES];
        const char **names = pen_arena_alloc(&b->graph->arena, b->n_columns + 1, sizeof *names);
        for (int64_t i = 0; names != NULL && i < b->n_columns; i++) {
            names[i] = b->columns[i].name;
        }
        const char *near = names == NULL ? NULL : pen_nearest_name(syntax->text, names, b->n_columns);
        return pen_syntax_error(
            b->source, syntax->offset, b->err, "unknown column '%s'%s%s%s",
            pen_quote(quoted, syntax->text, strlen(syntax->text)), near == NULL ? "" : "; did you mean '",
            near == NULL ? "" : pen_quote(quoted_near, near, strlen(near)), near == NULL ? "" : "'?");
    }
    struct pen_node node = {.op = PEN_NODE_COLUMN};
    PEN_TRY(input_of(b, column, &node.input));
    node.text = b->graph->inputs[node.input].name;
    node.text_bytes = strlen(node.text);
    node.type = pen_type_is_string(column->type) ? PEN_VALUE_STRING
                : column->type == PEN_TYPE_INT64 ? PEN_VALUE_INT
                                                 : PEN_VALUE_FLOAT;
    return pen_builder_add(b, &node, syntax, out);
}

/* ---- operators ---- */

static pen_status compile_unary(struct pen_builder *b, const struct pen_syntax *syntax, int32_t *out)
{
    int32_t x = 0;
    const struct pen_syntax *child = syntax->children[0];
    PEN_TRY(pen_builder_compile(b, child, &x));
    const struct pen_node *node = &b->graph->nodes[x];
    if (syntax->text[0] == 'n') {
        if (node->type != PEN_VALUE_BOOL) {
            return no_conversion(b, x, child, "not", "a truth value such as x > 0");
        }
        return convert(b, PEN_NODE_NOT, PEN_VALUE_BOOL, x, syntax, out);
    }
    struct pen_node negated = {.n_arguments = 0, .type = node->type, .op = node->op};
    if (node->op == PEN_NODE_CONST_INT) {
        negated.integer[0] = -node->integer[0];
        return pen_builder_add(b, &negated, syntax, out);
    }
    if (node->op == PEN_NODE_CONST_FLOAT) {
        negated.number[0] = -node->number[0];
        return pen_builder_add(b, &negated, syntax, out);
    }
    negated.n_arguments = 1;
    negated.op = node->type == PEN_VALUE_INT ? PEN_NODE_INT_MAP : PEN_NODE_MAP;
    negated.integer[0] = node->type == PEN_VALUE_INT ? 'n' : PEN_MAP_NEG;
    negated.type = node->type == PEN_VALUE_INT ? PEN_VALUE_INT : PEN_VALUE_FLOAT;
    negated.arguments[0] = x;
    if (node->type != PEN_VALUE_INT) {
        PEN_TRY(pen_builder_to_float(b, x, child, "-", &negated.arguments[0]));
    }
    return pen_builder_add(b, &negated, syntax, out);
}

static pen_status compile_arithmetic(struct pen_builder *b, const struct pen_syntax *syntax, int32_t x, int32_t y,
                                     int32_t *out)
{
    char symbol = syntax->text[0];
    const struct pen_syntax *const *sides = syntax->children;
    struct pen_node node = {.n_arguments = 2, .arguments = {x, y}};
    if (pen_builder_type(b, x) == PEN_VALUE_INT && pen_builder_type(b, y) == PEN_VALUE_INT && symbol != '/') {
        node.op = PEN_NODE_INT_MAP;
        node.type = PEN_VALUE_INT;
        node.integer[0] = (unsigned char)symbol;
        return pen_builder_add(b, &node, syntax, out);
    }
    if (symbol == '+' && (pen_builder_type(b, x) == PEN_VALUE_STRING || pen_builder_type(b, y) == PEN_VALUE_STRING)) {
        return pen_syntax_error(b->source, syntax->offset, b->err,
                                "+: expected numbers, found a string; use concat(a, b)");
    }
    node.op = PEN_NODE_MAP;
    node.type = PEN_VALUE_FLOAT;
    node.integer[0] = symbol == '+'   ? PEN_MAP_ADD
                      : symbol == '-' ? PEN_MAP_SUB
                      : symbol == '*' ? PEN_MAP_MUL
                      : symbol == '/' ? PEN_MAP_DIV
                                      : PEN_MAP_MOD;
    PEN_TRY(pen_builder_to_float(b, x, sides[0], syntax->text, &node.arguments[0]));
    PEN_TRY(pen_builder_to_float(b, y, sides[1], syntax->text, &node.arguments[1]));
    return pen_builder_add(b, &node, syntax, out);
}

static enum pen_comparison comparison_of(const char *text)
{
    if (text[0] == '=') {
        return PEN_EQ;
    }
    if (text[0] == '!') {
        return PEN_NE;
    }
    return text[0] == '<' ? (text[1] == '=' ? PEN_LE : PEN_LT) : (text[1] == '=' ? PEN_GE : PEN_GT);
}

static enum pen_comparison mirrored(enum pen_comparison c)
{
    static const enum pen_comparison mirror[] = {PEN_EQ, PEN_NE, PEN_GT, PEN_GE, PEN_LT, PEN_LE};
    return mirror[c];
}

static pen_status compile_comparison(struct pen_builder *b, const struct pen_syntax *syntax, int32_t x, int32_t y,
                                     int32_t *out)
{
    const struct pen_syntax *const *sides = syntax->children;
    enum pen_comparison comparison = comparison_of(syntax->text);
    PEN_TRY(pen_builder_unify(b, &x, &y, sides[0], sides[1], syntax->text));
    struct pen_node node = {.type = PEN_VALUE_BOOL, .n_arguments = 2, .integer = {comparison}};
    if (pen_builder_type(b, x) == PEN_VALUE_STRING) {
        const struct pen_node *left = &b->graph->nodes[x], *right = &b->graph->nodes[y];
        const struct pen_node *constant = right->op == PEN_NODE_CONST_STRING  ? right
                                          : left->op == PEN_NODE_CONST_STRING ? left
                                                                              : NULL;
        node.op = constant == NULL ? PEN_NODE_COMPARE_STRING : PEN_NODE_STRING_IS;
        if (constant != NULL) {
            node.n_arguments = 1;
            node.text = constant->text;
            node.text_bytes = constant->text_bytes;
            node.integer[0] = constant == right ? comparison : mirrored(comparison);
            x = constant == right ? x : y;
        }
    } else if (pen_builder_type(b, x) == PEN_VALUE_INT) {
        node.op = PEN_NODE_COMPARE_INT;
    } else {
        node.op = PEN_NODE_COMPARE;
        PEN_TRY(pen_builder_to_float(b, x, sides[0], syntax->text, &x));
        PEN_TRY(pen_builder_to_float(b, y, sides[1], syntax->text, &y));
    }
    node.arguments[0] = x;
    node.arguments[1] = node.n_arguments == 2 ? y : 0;
    return pen_builder_add(b, &node, syntax, out);
}

static pen_status compile_binary(struct pen_builder *b, const struct pen_syntax *syntax, int32_t *out)
{
    int32_t sides[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        PEN_TRY(pen_builder_compile(b, syntax->children[i], &sides[i]));
    }
    if (syntax->text[0] == 'a' || syntax->text[0] == 'o') {
        for (int i = 0; i < 2; i++) {
            if (pen_builder_type(b, sides[i]) != PEN_VALUE_BOOL) {
                return no_conversion(b, sides[i], syntax->children[i], syntax->text, "a truth value such as x > 0");
            }
        }
        struct pen_node node = {.op = syntax->text[0] == 'a' ? PEN_NODE_AND : PEN_NODE_OR,
                                .type = PEN_VALUE_BOOL,
                                .n_arguments = 2,
                                .arguments = {sides[0], sides[1]}};
        return pen_builder_add(b, &node, syntax, out);
    }
    bool compares =
        syntax->text[0] == '=' || syntax->text[0] == '!' || syntax->text[0] == '<' || syntax->text[0] == '>';
    return compares ? compile_comparison(b, syntax, sides[0], sides[1], out)
                    : compile_arithmetic(b, syntax, sides[0], sides[1], out);
}

pen_status pen_builder_compile(struct pen_builder *b, const struct pen_syntax *syntax, int32_t *out)
{
    struct pen_node node = {.n_arguments = 0};
    switch (syntax->kind) {
    case PEN_SYNTAX_INT:
        node.op = PEN_NODE_CONST_INT;
        node.type = PEN_VALUE_INT;
        node.integer[0] = syntax->integer;
        break;
    case PEN_SYNTAX_FLOAT:
        node.op = PEN_NODE_CONST_FLOAT;
        node.type = PEN_VALUE_FLOAT;
        node.number[0] = syntax->number;
        break;
    case PEN_SYNTAX_BOOL:
        node.op = PEN_NODE_CONST_BOOL;
        node.type = PEN_VALUE_BOOL;
        node.integer[0] = syntax->integer;
        break;
    case PEN_SYNTAX_STRING:
        node.op = PEN_NODE_CONST_STRING;
        node.type = PEN_VALUE_STRING;
        node.text = syntax->text;
        node.text_bytes = strlen(syntax->text);
        break;
    case PEN_SYNTAX_COLUMN:
        return compile_column(b, syntax, out);
    case PEN_SYNTAX_UNARY:
        return compile_unary(b, syntax, out);
    case PEN_SYNTAX_BINARY:
        return compile_binary(b, syntax, out);
    case PEN_SYNTAX_CALL:
        return pen_function_build(b, syntax, out);
    case PEN_SYNTAX_LIST:
        return pen_syntax_error(b->source, syntax->offset, b->err, "expected a value, found a list");
    }
    return pen_builder_add(b, &node, syntax, out);
}

pen_status pen_graph_compile(struct pen_transform_graph *graph, const struct pen_syntax_source *source,
                             const struct pen_transform_raw_column *columns, int64_t n_columns, bool in_features,
                             int32_t *node, struct pen_error *err)
{
    const struct pen_syntax *root = NULL;
    PEN_TRY(pen_syntax_parse(&graph->arena, source, &root, err));
    struct pen_builder b = {.graph = graph,
                            .source = source,
                            .columns = columns,
                            .n_columns = n_columns,
                            .in_features = in_features,
                            .err = err};
    return pen_builder_compile(&b, root, node);
}
