/* Calls on values of any kind: missing ones, choices, types, dates. */
#include "components/transform/dates.h"
#include "components/transform/language/calls.h"

#include <string.h>

/* fill(x, 'mean' | 'median' | 'mode') of numbers, fill(x, 'mode') of anything: a constant found by an analyzer. */
static pen_status fill_statistic(struct pen_builder *b, const struct pen_call *call, const char *word, int32_t *x,
                                 int32_t *value)
{
    struct pen_node node = {.n_arguments = 1};
    if (strcmp(word, "mode") == 0) {
        node.op = PEN_NODE_MODE;
        node.type = pen_builder_type(b, *x);
    } else if (strcmp(word, "mean") == 0 || strcmp(word, "median") == 0) {
        node.op = strcmp(word, "mean") == 0 ? PEN_NODE_MEAN : PEN_NODE_MEDIAN;
        node.type = PEN_VALUE_FLOAT;
        PEN_TRY(pen_call_number(b, call, 0, x));
    } else {
        return pen_call_wrong(b, call, 1, "a value, or one of 'mean', 'median', 'mode'");
    }
    node.arguments[0] = *x;
    return pen_builder_add(b, &node, call->syntax, value);
}

pen_status pen_build_fill(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t x = call->arguments[0].node, value = call->arguments[1].node;
    const struct pen_syntax *syntax = call->arguments[1].syntax;
    enum pen_value_type type = pen_builder_type(b, x);
    if (type > PEN_VALUE_STRING) {
        return pen_call_wrong_type(b, call, 0, "a number, a string or a truth value");
    }
    bool is_word = syntax->kind == PEN_SYNTAX_STRING && (type != PEN_VALUE_STRING || strcmp(syntax->text, "mode") == 0);
    if (is_word) {
        PEN_TRY(fill_statistic(b, call, syntax->text, &x, &value));
    }
    PEN_TRY(pen_builder_unify(b, &x, &value, call->arguments[0].syntax, syntax, "fill"));
    struct pen_node node = {
        .op = PEN_NODE_FILL, .type = pen_builder_type(b, x), .n_arguments = 2, .arguments = {x, value}};
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_date(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    static const char *const orders[] = {[PEN_DATE_YMD] = "ymd", [PEN_DATE_DMY] = "dmy", [PEN_DATE_MDY] = "mdy"};
    enum { N_ORDERS = sizeof orders / sizeof orders[0] };
    int32_t seconds = call->arguments[0].node;
    int order = 0;
    while (order < N_ORDERS && strcmp(call->arguments[1].text, orders[order]) != 0) {
        order++;
    }
    if (order == N_ORDERS) {
        return pen_call_wrong(b, call, 1, "order 'ymd', 'dmy' or 'mdy'");
    }
    if (order != PEN_DATE_YMD && pen_builder_type(b, seconds) != PEN_VALUE_STRING) {
        return pen_call_wrong(b, call, 1, "no order, as only texts have one");
    }
    if (pen_builder_type(b, seconds) == PEN_VALUE_STRING) {
        struct pen_node parse = {.op = PEN_NODE_SECONDS,
                                 .type = PEN_VALUE_INT,
                                 .n_arguments = 1,
                                 .arguments = {seconds},
                                 .integer = {order}};
        PEN_TRY(pen_builder_add(b, &parse, call->syntax, &seconds));
    } else {
        PEN_TRY(pen_builder_to_int(b, seconds, call->arguments[0].syntax, call->syntax->text, &seconds));
    }
    struct pen_node node = {.op = PEN_NODE_DATE,
                            .type = PEN_VALUE_INT,
                            .n_arguments = 1,
                            .arguments = {seconds},
                            .integer = {call->detail}};
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_cast(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    const struct pen_argument *x = &call->arguments[0];
    const char *type = call->arguments[1].text;
    bool is_string = pen_builder_type(b, x->node) == PEN_VALUE_STRING;
    struct pen_node node = {.n_arguments = 1, .arguments = {x->node}};
    if (strcmp(type, "string") == 0) {
        return pen_builder_to_string(b, x->node, x->syntax, "cast", out);
    }
    if (strcmp(type, "int") == 0) {
        node.op = PEN_NODE_PARSE_INT;
        node.type = PEN_VALUE_INT;
        return is_string ? pen_builder_add(b, &node, call->syntax, out)
                         : pen_builder_to_int(b, x->node, x->syntax, "cast", out);
    }
    if (strcmp(type, "float") == 0) {
        node.op = PEN_NODE_PARSE_FLOAT;
        node.type = PEN_VALUE_FLOAT;
        return is_string ? pen_builder_add(b, &node, call->syntax, out)
                         : pen_builder_to_float(b, x->node, x->syntax, "cast", out);
    }
    return pen_call_wrong(b, call, 1, "the type int, float or string");
}

pen_status pen_build_if(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t x = call->arguments[1].node, y = call->arguments[2].node;
    if (pen_builder_type(b, call->arguments[0].node) != PEN_VALUE_BOOL) {
        return pen_call_wrong_type(b, call, 0, "a truth value such as x > 0");
    }
    PEN_TRY(pen_builder_unify(b, &x, &y, call->arguments[1].syntax, call->arguments[2].syntax, "if"));
    struct pen_node node = {.op = PEN_NODE_IF,
                            .type = pen_builder_type(b, x),
                            .n_arguments = 3,
                            .arguments = {call->arguments[0].node, x, y}};
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_is_missing(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t x = call->arguments[0].node;
    if (pen_builder_type(b, x) > PEN_VALUE_IDS) {
        return pen_call_wrong_type(b, call, 0, "a number, a string, a truth value or an id");
    }
    struct pen_node node = {.op = PEN_NODE_IS_MISSING, .type = PEN_VALUE_BOOL, .n_arguments = 1, .arguments = {x}};
    return pen_builder_add(b, &node, call->syntax, out);
}
