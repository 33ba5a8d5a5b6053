/* Calls on strings and tokens. */
#include "components/transform/language/calls.h"

#include <math.h>
#include <string.h>

/* concat and cross: strings joined from left to right, with nothing or with "_x_" between. */
pen_status pen_build_join(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    const char *between = call->detail == 1 ? "_x_" : "";
    PEN_TRY(pen_call_string(b, call, 0, out));
    for (int64_t i = -1; i < call->n_more; i++) {
        struct pen_node node = {.op = PEN_NODE_JOIN,
                                .type = PEN_VALUE_STRING,
                                .n_arguments = 2,
                                .arguments = {*out, 0},
                                .text = between,
                                .text_bytes = strlen(between)};
        if (i < 0) {
            PEN_TRY(pen_call_string(b, call, 1, &node.arguments[1]));
        } else {
            PEN_TRY(pen_builder_to_string(b, call->more[i], call->syntax, call->syntax->text, &node.arguments[1]));
        }
        PEN_TRY(pen_builder_add(b, &node, call->syntax, out));
    }
    return PEN_OK;
}

pen_status pen_build_tokens(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_TOKENS, .type = PEN_VALUE_TOKENS, .n_arguments = 1};
    PEN_TRY(pen_call_string(b, call, 0, &node.arguments[0]));
    if (call->arguments[1].integer != 0) {
        struct pen_node lower = {
            .op = PEN_NODE_LOWER, .type = PEN_VALUE_STRING, .n_arguments = 1, .arguments = {node.arguments[0]}};
        PEN_TRY(pen_builder_add(b, &lower, call->syntax, &node.arguments[0]));
    }
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_split(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_SPLIT,
                            .type = PEN_VALUE_TOKENS,
                            .n_arguments = 1,
                            .text = call->arguments[1].text,
                            .text_bytes = strlen(call->arguments[1].text)};
    if (node.text_bytes == 0) {
        return pen_call_wrong(b, call, 1, "a separator of one character or more");
    }
    PEN_TRY(pen_call_string(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_unique(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    if (pen_builder_type(b, call->arguments[0].node) != PEN_VALUE_TOKENS) {
        return pen_call_wrong_type(b, call, 0, "a list of tokens");
    }
    struct pen_node node = {
        .op = PEN_NODE_UNIQUE, .type = PEN_VALUE_TOKENS, .n_arguments = 1, .arguments = {call->arguments[0].node}};
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_ngrams(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    const struct pen_argument *sizes = &call->arguments[1];
    if (sizes->n_list != 2 || sizes->list[0] < 1 || sizes->list[1] > 10 || sizes->list[0] > sizes->list[1] ||
        floor(sizes->list[0]) != sizes->list[0] || floor(sizes->list[1]) != sizes->list[1]) {
        return pen_call_wrong(b, call, 1, "sizes as [low, high] with 1 <= low <= high <= 10");
    }
    if (pen_builder_type(b, call->arguments[0].node) != PEN_VALUE_TOKENS) {
        return pen_call_wrong_type(b, call, 0, "a list of tokens");
    }
    struct pen_node node = {.op = PEN_NODE_NGRAMS,
                            .type = PEN_VALUE_TOKENS,
                            .n_arguments = 1,
                            .arguments = {call->arguments[0].node},
                            .integer = {(int64_t)sizes->list[0], (int64_t)sizes->list[1]}};
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_entry(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = (enum pen_transform_op)call->detail, .type = PEN_VALUE_STRING, .n_arguments = 1};
    PEN_TRY(pen_call_string(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_contains(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = (enum pen_transform_op)call->detail,
                            .type = PEN_VALUE_BOOL,
                            .n_arguments = 1,
                            .text = call->arguments[1].text,
                            .text_bytes = strlen(call->arguments[1].text)};
    PEN_TRY(pen_call_string(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_length(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_LENGTH, .type = PEN_VALUE_INT, .n_arguments = 1};
    PEN_TRY(pen_call_string(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_amount(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    const char *decimal = call->arguments[1].text;
    if (strcmp(decimal, ".") != 0 && strcmp(decimal, ",") != 0) {
        return pen_call_wrong(b, call, 1, "decimal '.' or ','");
    }
    struct pen_node node = {.op = PEN_NODE_NUMBER, .type = PEN_VALUE_FLOAT, .n_arguments = 1, .integer = {decimal[0]}};
    if (pen_builder_type(b, call->arguments[0].node) <= PEN_VALUE_FLOAT) {
        return pen_call_number(b, call, 0, out);
    }
    PEN_TRY(pen_call_string(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_count_tokens(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    if (pen_builder_type(b, call->arguments[0].node) != PEN_VALUE_TOKENS) {
        return pen_call_wrong_type(b, call, 0, "a list of tokens");
    }
    struct pen_node node = {
        .op = PEN_NODE_COUNT_TOKENS, .type = PEN_VALUE_INT, .n_arguments = 1, .arguments = {call->arguments[0].node}};
    return pen_builder_add(b, &node, call->syntax, out);
}
