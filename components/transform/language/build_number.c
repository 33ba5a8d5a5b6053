/* Calls on numbers: arithmetic, scaling by what an analyzer finds, buckets. */
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

pen_status pen_build_map2(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MAP, .type = PEN_VALUE_FLOAT, .n_arguments = 2, .integer = {call->detail}};
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

pen_status pen_build_analyzer(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = (enum pen_transform_op)call->detail, .type = PEN_VALUE_FLOAT, .n_arguments = 1};
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_minmax(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MINMAX,
                            .type = PEN_VALUE_FLOAT,
                            .n_arguments = 1,
                            .number = {call->arguments[1].number, call->arguments[2].number}};
    if (!(node.number[0] < node.number[1])) {
        return pen_call_wrong(b, call, call->arguments[2].syntax != NULL ? 2 : 1, "low < high");
    }
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_bucketize(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int64_t n = call->arguments[1].integer;
    if (n < 2 || n > 65536) {
        return pen_call_wrong(b, call, 1, "2 to 65536 buckets");
    }
    struct pen_node node = {.op = PEN_NODE_BUCKETIZE, .type = PEN_VALUE_IDS, .n_arguments = 1, .integer = {n}};
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_buckets(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    const struct pen_argument *edges = &call->arguments[1];
    for (int64_t i = 1; i < edges->n_list; i++) {
        if (!(edges->list[i - 1] < edges->list[i])) {
            return pen_syntax_error(b->source, edges->syntax->children[i]->offset, b->err,
                                    "buckets: expected edges that grow from left to right");
        }
    }
    struct pen_node node = {
        .op = PEN_NODE_BUCKETS, .type = PEN_VALUE_IDS, .n_arguments = 1, .list = edges->list, .n_list = edges->n_list};
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}
