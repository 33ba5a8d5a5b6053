/* Calls on numbers: arithmetic. What is learned from the data is in build_learned.c. */
#include "components/transform/language/calls.h"

#include "kernels/columns/columns.h"

pen_status pen_build_map(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MAP, .type = PEN_VALUE_FLOAT, .n_arguments = 1, .integer = {call->detail}};
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_abs(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    if (pen_builder_type(b, call->arguments[0].node) == PEN_VALUE_INT) {
        struct pen_node node = {.op = PEN_NODE_INT_MAP, .type = PEN_VALUE_INT, .n_arguments = 1, .integer = {'a'}};
        node.arguments[0] = call->arguments[0].node;
        return pen_builder_add(b, &node, call->syntax, out);
    }
    struct pen_call again = *call;
    again.detail = PEN_MAP_ABS;
    return pen_build_map(b, &again, out);
}

/* min and max: of two values of a row, or with one argument the smallest and largest of all rows. */
pen_status pen_build_map2(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MAP, .type = PEN_VALUE_FLOAT, .n_arguments = 2, .integer = {call->detail}};
    if (call->arguments[1].syntax == NULL) {
        struct pen_call statistic = *call;
        statistic.detail = call->detail == PEN_MAP_MIN ? PEN_STATISTIC_MIN : PEN_STATISTIC_MAX;
        statistic.arguments[1] = call->arguments[2];
        return pen_build_statistic(b, &statistic, out);
    }
    if (call->arguments[2].syntax != NULL) {
        return pen_call_wrong(b, call, 2, "no by, as two values of a row are compared");
    }
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    PEN_TRY(pen_call_number(b, call, 1, &node.arguments[1]));
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_clip(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MAP,
                            .type = PEN_VALUE_FLOAT,
                            .n_arguments = 1,
                            .integer = {PEN_MAP_CLIP},
                            .number = {call->arguments[1].number, call->arguments[2].number}};
    if (!(node.number[0] <= node.number[1])) {
        return pen_call_wrong(b, call, 2, "low <= high");
    }
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}
