/* Calls on numbers that learn from the data: statistics, scaling, buckets, ranks; each also group by group (`by:`).
 *
 * A group is an id; strings and whole numbers get theirs from a vocabulary of all their values. What a call learns of
 * each group is a column of its own, looked up by id, so scaling by group is arithmetic on columns:
 * zscore(x, by: g) = (x - mean of g) * (1 / std of g), with 0 and 1 for a group that is unknown. */
#include "components/transform/language/calls.h"

#include "kernels/columns/columns.h"

#include <math.h>

/* The ids of `by`; -1 when the argument is left out. */
static pen_status groups_of(struct pen_builder *b, const struct pen_call *call, int argument, int32_t *ids)
{
    const struct pen_argument *by = &call->arguments[argument];
    *ids = -1;
    if (by->syntax == NULL) {
        return PEN_OK;
    }
    *ids = by->node;
    enum pen_value_type type = pen_builder_type(b, by->node);
    if (type == PEN_VALUE_IDS) {
        return PEN_OK;
    }
    if (type != PEN_VALUE_INT && type != PEN_VALUE_BOOL && type != PEN_VALUE_STRING) {
        return pen_call_wrong_type(b, call, argument,
                                   "by as a string, an integer, a truth value or ids (bucketize a number first)");
    }
    if (pen_node_is_constant(b->graph->nodes[by->node].op)) {
        return pen_call_wrong(b, call, argument, "by as values of the rows, found a constant");
    }
    struct pen_node vocabulary = {.op = PEN_NODE_VOCAB, .type = PEN_VALUE_IDS, .n_arguments = 1, .integer = {0, 1, 0}};
    PEN_TRY(pen_call_string(b, call, argument, &vocabulary.arguments[0]));
    return pen_builder_add(b, &vocabulary, call->syntax, ids);
}

static pen_status statistic_by(struct pen_builder *b, const struct pen_call *call, enum pen_statistic statistic,
                               int32_t x, int32_t ids, double unknown, double share, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_STATISTIC_BY,
                            .type = PEN_VALUE_FLOAT,
                            .n_arguments = 2,
                            .arguments = {x, ids},
                            .integer = {statistic},
                            .number = {unknown, share}};
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status statistic_of(struct pen_builder *b, const struct pen_call *call, enum pen_statistic statistic,
                               int32_t x, int32_t ids, double share, int32_t *out)
{
    static const enum pen_transform_op ops[] = {
        [PEN_STATISTIC_MEAN] = PEN_NODE_MEAN,     [PEN_STATISTIC_STD] = PEN_NODE_STD,
        [PEN_STATISTIC_VAR] = PEN_NODE_VAR,       [PEN_STATISTIC_MIN] = PEN_NODE_MINIMUM,
        [PEN_STATISTIC_MAX] = PEN_NODE_MAXIMUM,   [PEN_STATISTIC_SUM] = PEN_NODE_SUM,
        [PEN_STATISTIC_MEDIAN] = PEN_NODE_MEDIAN, [PEN_STATISTIC_QUANTILE] = PEN_NODE_QUANTILE,
    };
    if (ids >= 0) {
        return statistic_by(b, call, statistic, x, ids, (double)NAN, share, out);
    }
    struct pen_node node = {
        .op = ops[statistic], .type = PEN_VALUE_FLOAT, .n_arguments = 1, .arguments = {x}, .number = {share}};
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_statistic(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t x = 0, ids = 0;
    PEN_TRY(pen_call_number(b, call, 0, &x));
    PEN_TRY(groups_of(b, call, 1, &ids));
    return statistic_of(b, call, (enum pen_statistic)call->detail, x, ids, 0, out);
}

pen_status pen_build_quantile(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t x = 0, ids = 0;
    double share = call->arguments[1].number;
    if (!(share >= 0 && share <= 1)) {
        return pen_call_wrong(b, call, 1, "share from 0 to 1");
    }
    PEN_TRY(pen_call_number(b, call, 0, &x));
    PEN_TRY(groups_of(b, call, 2, &ids));
    return statistic_of(b, call, PEN_STATISTIC_QUANTILE, x, ids, share, out);
}

/* count(x): the sum of "is there". */
pen_status pen_build_count(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_call is_missing = *call;
    int32_t x = 0, ids = 0;
    PEN_TRY(pen_build_is_missing(b, &is_missing, &x));
    struct pen_node there = {.op = PEN_NODE_NOT, .type = PEN_VALUE_BOOL, .n_arguments = 1, .arguments = {x}};
    PEN_TRY(pen_builder_add(b, &there, call->syntax, &x));
    PEN_TRY(pen_builder_to_float(b, x, call->syntax, "count", &x));
    PEN_TRY(groups_of(b, call, 1, &ids));
    return statistic_of(b, call, PEN_STATISTIC_SUM, x, ids, 0, out);
}

static pen_status map(struct pen_builder *b, const struct pen_call *call, enum pen_map what, int32_t x, int32_t y,
                      double s, double t, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MAP,
                            .type = PEN_VALUE_FLOAT,
                            .n_arguments = y < 0 ? 1 : 2,
                            .arguments = {x, y < 0 ? 0 : y},
                            .integer = {what},
                            .number = {s, t}};
    return pen_builder_add(b, &node, call->syntax, out);
}

/* (x - where the group lies) * 1 / how far it spreads */
static pen_status scale_by(struct pen_builder *b, const struct pen_call *call, enum pen_statistic where,
                           enum pen_statistic spread, double unknown_spread, int32_t x, int32_t ids, int32_t *out)
{
    int32_t middle = 0, inverse = 0, difference = 0;
    PEN_TRY(statistic_by(b, call, where, x, ids, 0, 0, &middle));
    PEN_TRY(statistic_by(b, call, spread, x, ids, unknown_spread, 0, &inverse));
    PEN_TRY(map(b, call, PEN_MAP_SUB, x, middle, 0, 0, &difference));
    return map(b, call, PEN_MAP_MUL, difference, inverse, 0, 0, out);
}

pen_status pen_build_scale(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = (enum pen_transform_op)call->detail, .type = PEN_VALUE_FLOAT, .n_arguments = 1};
    int32_t ids = 0;
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    PEN_TRY(groups_of(b, call, 1, &ids));
    if (ids < 0) {
        return pen_builder_add(b, &node, call->syntax, out);
    }
    return node.op == PEN_NODE_ZSCORE
               ? scale_by(b, call, PEN_STATISTIC_MEAN, PEN_STATISTIC_INVERSE_STD, 1, node.arguments[0], ids, out)
               : scale_by(b, call, PEN_STATISTIC_MEDIAN, PEN_STATISTIC_INVERSE_QUARTILES, 1, node.arguments[0], ids,
                          out);
}

/* A group that is unknown or constant: sigmoid(x), as for a constant column. */
static pen_status minmax_by(struct pen_builder *b, const struct pen_call *call, const struct pen_node *minmax,
                            int32_t ids, int32_t *out)
{
    int32_t x = minmax->arguments[0], scaled = 0, inverse = 0, zero = 0, varies = 0, other = 0, unit = 0;
    double low = minmax->number[0], range = minmax->number[1] - minmax->number[0];
    struct pen_node none = {.op = PEN_NODE_CONST_FLOAT, .type = PEN_VALUE_FLOAT};
    PEN_TRY(scale_by(b, call, PEN_STATISTIC_MIN, PEN_STATISTIC_INVERSE_RANGE, 0, x, ids, &scaled));
    PEN_TRY(statistic_by(b, call, PEN_STATISTIC_INVERSE_RANGE, x, ids, 0, 0, &inverse));
    PEN_TRY(pen_builder_add(b, &none, call->syntax, &zero));
    struct pen_node compare = {.op = PEN_NODE_COMPARE,
                               .type = PEN_VALUE_BOOL,
                               .n_arguments = 2,
                               .arguments = {inverse, zero},
                               .integer = {PEN_GT}};
    PEN_TRY(pen_builder_add(b, &compare, call->syntax, &varies));
    PEN_TRY(map(b, call, PEN_MAP_SIGMOID, x, -1, 0, 0, &other));
    struct pen_node choose = {
        .op = PEN_NODE_IF, .type = PEN_VALUE_FLOAT, .n_arguments = 3, .arguments = {varies, scaled, other}};
    PEN_TRY(pen_builder_add(b, &choose, call->syntax, &unit));
    return map(b, call, PEN_MAP_AFFINE, unit, -1, -low / range, range, out);
}

pen_status pen_build_minmax(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MINMAX,
                            .type = PEN_VALUE_FLOAT,
                            .n_arguments = 1,
                            .number = {call->arguments[1].number, call->arguments[2].number}};
    int32_t ids = 0;
    if (!(node.number[0] < node.number[1])) {
        return pen_call_wrong(b, call, call->arguments[2].syntax != NULL ? 2 : 1, "low < high");
    }
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    PEN_TRY(groups_of(b, call, 3, &ids));
    return ids < 0 ? pen_builder_add(b, &node, call->syntax, out) : minmax_by(b, call, &node, ids, out);
}

pen_status pen_build_bucketize(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int64_t n = call->arguments[1].integer;
    int32_t ids = 0;
    if (n < 2 || n > 65536) {
        return pen_call_wrong(b, call, 1, "2 to 65536 buckets");
    }
    struct pen_node node = {.op = PEN_NODE_BUCKETIZE, .type = PEN_VALUE_IDS, .n_arguments = 1, .integer = {n}};
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    PEN_TRY(groups_of(b, call, 2, &ids));
    if (ids >= 0) {
        node.op = PEN_NODE_BUCKETIZE_BY;
        node.n_arguments = 2;
        node.arguments[1] = ids;
    }
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_rank(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int64_t n = call->arguments[1].integer;
    if (n < 1 || n > 65536) {
        return pen_call_wrong(b, call, 1, "1 to 65536 quantiles");
    }
    struct pen_node node = {.op = PEN_NODE_RANK, .type = PEN_VALUE_FLOAT, .n_arguments = 1, .integer = {n}};
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

/* buckets and interpolate: edges written down, not learned. */
pen_status pen_build_buckets(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    const struct pen_argument *edges = &call->arguments[1];
    enum pen_transform_op op = (enum pen_transform_op)call->detail;
    for (int64_t i = 1; i < edges->n_list; i++) {
        if (!(edges->list[i - 1] < edges->list[i])) {
            return pen_syntax_error(b->source, edges->syntax->children[i]->offset, b->err,
                                    "%s: expected edges that grow from left to right", call->syntax->text);
        }
    }
    if (op == PEN_NODE_INTERPOLATE && edges->n_list < 2) {
        return pen_call_wrong(b, call, 1, "two edges or more");
    }
    struct pen_node node = {.op = op,
                            .type = op == PEN_NODE_BUCKETS ? PEN_VALUE_IDS : PEN_VALUE_FLOAT,
                            .n_arguments = 1,
                            .list = edges->list,
                            .n_list = edges->n_list};
    PEN_TRY(pen_call_number(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}
