/* Calls that give ids and vectors of ids. */
#include "components/transform/language/calls.h"

pen_status pen_build_vocab(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    static const char *const wanted[] = {"", "top_k of 0 (all) to 10000000", "min_count of 1 or more",
                                         "oov of 0 to 1000000 buckets"};
    static const int64_t low[] = {0, 0, 1, 0}, high[] = {0, 10000000, INT64_MAX, 1000000};
    struct pen_node node = {.op = PEN_NODE_VOCAB, .type = PEN_VALUE_IDS, .n_arguments = 1};
    for (int i = 1; i < 4; i++) {
        node.integer[i - 1] = call->arguments[i].integer;
        if (node.integer[i - 1] < low[i] || node.integer[i - 1] > high[i]) {
            return pen_call_wrong(b, call, i, wanted[i]);
        }
    }
    if (pen_builder_type(b, call->arguments[0].node) == PEN_VALUE_TOKENS) {
        node.op = PEN_NODE_VOCAB_LIST;
        node.type = PEN_VALUE_ID_LIST;
        node.arguments[0] = call->arguments[0].node;
    } else {
        PEN_TRY(pen_call_string(b, call, 0, &node.arguments[0]));
    }
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_hash(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int64_t n = call->arguments[1].integer, seed = call->arguments[2].integer;
    if (n < 1 || n > INT32_MAX) {
        return pen_call_wrong(b, call, 1, "1 to 2147483647 buckets");
    }
    if (seed < 0 || seed > UINT32_MAX) {
        return pen_call_wrong(b, call, 2, "a seed of 0 to 4294967295");
    }
    struct pen_node node = {.op = PEN_NODE_HASH, .type = PEN_VALUE_IDS, .n_arguments = 1, .integer = {n, seed}};
    if (pen_builder_type(b, call->arguments[0].node) == PEN_VALUE_TOKENS) {
        node.op = PEN_NODE_HASH_LIST;
        node.type = PEN_VALUE_ID_LIST;
        node.arguments[0] = call->arguments[0].node;
    } else {
        PEN_TRY(pen_call_string(b, call, 0, &node.arguments[0]));
    }
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_onehot(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t x = call->arguments[0].node;
    int64_t n = call->arguments[1].integer;
    enum pen_value_type type = pen_builder_type(b, x);
    if (call->arguments[1].syntax != NULL && (n < 1 || n > PEN_TRANSFORM_MAX_ONEHOT)) {
        return pen_call_wrong(b, call, 1, "1 to 4096 columns");
    }
    if (type == PEN_VALUE_TOKENS || type == PEN_VALUE_ID_LIST) {
        return pen_call_wrong_type(b, call, 0, "one value a row (multihot takes lists)");
    }
    if (type == PEN_VALUE_DENSE || (type == PEN_VALUE_FLOAT && n == 0)) {
        return pen_call_wrong_type(b, call, 0, "an integer, a string or an id (bucketize a number first)");
    }
    if (type == PEN_VALUE_IDS && n > 0) {
        return pen_call_wrong(b, call, 1, "no n, as ids know their own number");
    }
    if (type != PEN_VALUE_IDS && n > 0 && type != PEN_VALUE_STRING) {
        struct pen_node ids = {.op = PEN_NODE_INT_IDS, .type = PEN_VALUE_IDS, .n_arguments = 1, .integer = {n}};
        PEN_TRY(pen_builder_to_int(b, x, call->syntax, "onehot", &ids.arguments[0]));
        PEN_TRY(pen_builder_add(b, &ids, call->syntax, &x));
    } else if (type != PEN_VALUE_IDS) {
        struct pen_node ids = {.op = PEN_NODE_VOCAB, .type = PEN_VALUE_IDS, .n_arguments = 1, .integer = {n, 1, 0}};
        PEN_TRY(pen_call_string(b, call, 0, &ids.arguments[0]));
        PEN_TRY(pen_builder_add(b, &ids, call->syntax, &x));
    }
    struct pen_node node = {.op = PEN_NODE_ONEHOT, .type = PEN_VALUE_DENSE, .n_arguments = 1, .arguments = {x}};
    return pen_builder_add(b, &node, call->syntax, out);
}

/* Ids of tokens through a vocabulary, or a list of ids as it is. */
static pen_status id_list(struct pen_builder *b, const struct pen_call *call, int64_t top_k, int32_t *x)
{
    *x = call->arguments[0].node;
    if (pen_builder_type(b, *x) == PEN_VALUE_TOKENS) {
        struct pen_node ids = {.op = PEN_NODE_VOCAB_LIST,
                               .type = PEN_VALUE_ID_LIST,
                               .n_arguments = 1,
                               .arguments = {*x},
                               .integer = {top_k, 1, 0}};
        return pen_builder_add(b, &ids, call->syntax, x);
    }
    return pen_builder_type(b, *x) == PEN_VALUE_ID_LIST ? PEN_OK
                                                        : pen_call_wrong_type(b, call, 0, "a list of ids or of tokens");
}

pen_status pen_build_multihot(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MULTIHOT, .type = PEN_VALUE_DENSE, .n_arguments = 1};
    PEN_TRY(id_list(b, call, PEN_TRANSFORM_MAX_ONEHOT, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

pen_status pen_build_tfidf(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    const struct pen_argument *top_k = &call->arguments[1];
    if (top_k->integer < 1 || top_k->integer > PEN_TRANSFORM_MAX_ONEHOT) {
        return pen_call_wrong(b, call, 1, "top_k of 1 to 4096");
    }
    if (top_k->syntax != NULL && pen_builder_type(b, call->arguments[0].node) != PEN_VALUE_TOKENS) {
        return pen_call_wrong(b, call, 1, "no top_k, as ids know their own number");
    }
    struct pen_node node = {
        .op = PEN_NODE_TFIDF, .type = PEN_VALUE_DENSE, .n_arguments = 1, .integer = {call->arguments[2].integer}};
    PEN_TRY(id_list(b, call, top_k->integer, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}
