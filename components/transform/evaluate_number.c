/* Evaluation of nodes on numbers, truth values and ids; the arithmetic on doubles is the kernels'. */
#include "components/transform/evaluate.h"

#include <math.h>
#include <string.h>

static int64_t int_map(char symbol, int64_t a, int64_t b)
{
    int64_t y = 0;
    bool overflow = false;
    switch (symbol) {
    case '+':
        overflow = __builtin_add_overflow(a, b, &y);
        break;
    case '-':
        overflow = __builtin_sub_overflow(a, b, &y);
        break;
    case '*':
        overflow = __builtin_mul_overflow(a, b, &y);
        break;
    case '%':
        if (b == 0) {
            return PEN_MISSING_INT;
        }
        y = b == -1 ? 0 : a % b;
        return y != 0 && (y < 0) != (b < 0) ? y + b : y;
    case 'n':
        return -a;
    default: /* 'a' */
        return a < 0 ? -a : a;
    }
    return overflow ? PEN_MISSING_INT : y;
}

static void evaluate_int_map(const struct pen_node *node, const int64_t *a, const int64_t *b, int64_t *y, int64_t n)
{
    char symbol = (char)node->integer[0];
    for (int64_t i = 0; i < n; i++) {
        bool missing = a[i] == PEN_MISSING_INT || (b != NULL && b[i] == PEN_MISSING_INT);
        y[i] = missing ? PEN_MISSING_INT : int_map(symbol, a[i], b == NULL ? 0 : b[i]);
    }
}

#define COMPARE(test)                                                                \
    for (int64_t i = 0; i < n; i++) {                                                \
        y[i] = IS_MISSING(a[i]) || IS_MISSING(b[i]) ? -1 : (int8_t)(a[i] test b[i]); \
    }                                                                                \
    break
#define COMPARE_ALL(comparison) \
    switch (comparison) {       \
    case PEN_EQ:                \
        COMPARE(==);            \
    case PEN_NE:                \
        COMPARE(!=);            \
    case PEN_LT:                \
        COMPARE(<);             \
    case PEN_LE:                \
        COMPARE(<=);            \
    case PEN_GT:                \
        COMPARE(>);             \
    case PEN_GE:                \
        COMPARE(>=);            \
    }

static void compare_floats(enum pen_comparison comparison, const double *a, const double *b, int8_t *y, int64_t n)
{
#define IS_MISSING(x) ((x) != (x))
    COMPARE_ALL(comparison)
#undef IS_MISSING
}

static void compare_ints(enum pen_comparison comparison, const int64_t *a, const int64_t *b, int8_t *y, int64_t n)
{
#define IS_MISSING(x) ((x) == PEN_MISSING_INT)
    COMPARE_ALL(comparison)
#undef IS_MISSING
}

static bool compares(int order, enum pen_comparison comparison)
{
    const bool results[] = {order == 0, order != 0, order<0, order <= 0, order> 0, order >= 0};
    return results[comparison];
}

static void compare_strings(const struct pen_node *node, const struct pen_value *a, const struct pen_value *b,
                            int8_t *y, int64_t n)
{
    const int32_t *codes_a = a->data, *codes_b = b->data;
    for (int64_t i = 0; i < n; i++) {
        if (codes_a[i] < 0 || codes_b[i] < 0) {
            y[i] = -1;
            continue;
        }
        size_t size_a = 0, size_b = 0;
        const char *text_a = pen_entry(a->entries, codes_a[i], &size_a);
        const char *text_b = pen_entry(b->entries, codes_b[i], &size_b);
        size_t common = size_a < size_b ? size_a : size_b;
        int order = common == 0 ? 0 : memcmp(text_a, text_b, common);
        order = order != 0 ? order : (size_a > size_b) - (size_a < size_b);
        y[i] = compares(order, (enum pen_comparison)node->integer[0]);
    }
}

static void is_missing(enum pen_value_type type, const void *x, int8_t *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = type == PEN_VALUE_FLOAT  ? ((const double *)x)[i] != ((const double *)x)[i]
               : type == PEN_VALUE_INT  ? ((const int64_t *)x)[i] == PEN_MISSING_INT
               : type == PEN_VALUE_BOOL ? ((const int8_t *)x)[i] < 0
                                        : ((const int32_t *)x)[i] < 0;
    }
}

static void fill(enum pen_value_type type, const void *a, const void *b, void *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (type == PEN_VALUE_FLOAT) {
            double x = ((const double *)a)[i];
            ((double *)y)[i] = x != x ? ((const double *)b)[i] : x;
        } else if (type == PEN_VALUE_INT) {
            int64_t x = ((const int64_t *)a)[i];
            ((int64_t *)y)[i] = x == PEN_MISSING_INT ? ((const int64_t *)b)[i] : x;
        } else {
            int8_t x = ((const int8_t *)a)[i];
            ((int8_t *)y)[i] = x < 0 ? ((const int8_t *)b)[i] : x;
        }
    }
}

static void choose(enum pen_value_type type, const int8_t *condition, const void *a, const void *b, void *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int8_t c = condition[i];
        const void *from = c != 0 ? a : b;
        if (type == PEN_VALUE_FLOAT) {
            ((double *)y)[i] = c < 0 ? (double)NAN : ((const double *)from)[i];
        } else if (type == PEN_VALUE_INT) {
            ((int64_t *)y)[i] = c < 0 ? PEN_MISSING_INT : ((const int64_t *)from)[i];
        } else {
            ((int8_t *)y)[i] = c < 0 ? -1 : ((const int8_t *)from)[i];
        }
    }
}

static void to_float(enum pen_value_type type, const void *x, double *y, int64_t n)
{
    if (type == PEN_VALUE_INT) {
        const int64_t *in = x;
        for (int64_t i = 0; i < n; i++) {
            y[i] = in[i] == PEN_MISSING_INT ? (double)NAN : (double)in[i];
        }
        return;
    }
    const int8_t *in = x;
    for (int64_t i = 0; i < n; i++) {
        y[i] = in[i] < 0 ? (double)NAN : (double)in[i];
    }
}

static void to_int(enum pen_value_type type, const void *x, int64_t *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (type == PEN_VALUE_BOOL) {
            int8_t in = ((const int8_t *)x)[i];
            y[i] = in < 0 ? PEN_MISSING_INT : in;
        } else {
            double in = ((const double *)x)[i];
            y[i] = in > -0x1p63 && in < 0x1p63 ? (int64_t)in : PEN_MISSING_INT;
        }
    }
}

static void logic(enum pen_transform_op op, const int8_t *a, const int8_t *b, int8_t *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (op == PEN_NODE_NOT) {
            y[i] = a[i] < 0 ? -1 : !a[i];
        } else if (op == PEN_NODE_AND) {
            y[i] = a[i] == 0 || b[i] == 0 ? 0 : a[i] < 0 || b[i] < 0 ? -1 : 1;
        } else {
            y[i] = a[i] == 1 || b[i] == 1 ? 1 : a[i] < 0 || b[i] < 0 ? -1 : 0;
        }
    }
}

static void int_ids(const int64_t *x, int64_t n_values, int32_t *ids, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        ids[i] = x[i] >= 0 && x[i] < n_values ? (int32_t)x[i] : -1;
    }
}

pen_status pen_evaluate_number(struct pen_evaluator *e, int32_t index, int64_t n, struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    const void *a = pen_evaluator_argument(e, index, 0), *b = pen_evaluator_argument(e, index, 1);
    enum pen_value_type type = e->graph->nodes[node->arguments[0]].type;
    void *y = pen_evaluator_slot(e, index);
    const struct pen_columns_map map = {.map = (enum pen_map)node->integer[0],
                                        .n = n,
                                        .a = a,
                                        .b = b,
                                        .s = node->number[0],
                                        .t = node->number[1],
                                        .y = y};
    switch ((int)node->op) {
    case PEN_NODE_MAP:
        return e->exec->kernels->columns_map(e->exec, &map, err);
    case PEN_NODE_INT_MAP:
        evaluate_int_map(node, a, b, y, n);
        return PEN_OK;
    case PEN_NODE_COMPARE:
        compare_floats((enum pen_comparison)node->integer[0], a, b, y, n);
        return PEN_OK;
    case PEN_NODE_COMPARE_INT:
        compare_ints((enum pen_comparison)node->integer[0], a, b, y, n);
        return PEN_OK;
    case PEN_NODE_COMPARE_STRING:
        compare_strings(node, &e->values[node->arguments[0]], &e->values[node->arguments[1]], y, n);
        return PEN_OK;
    case PEN_NODE_AND:
    case PEN_NODE_OR:
    case PEN_NODE_NOT:
        logic(node->op, a, b, y, n);
        return PEN_OK;
    case PEN_NODE_IF:
        choose(node->type, a, b, pen_evaluator_argument(e, index, 2), y, n);
        return PEN_OK;
    case PEN_NODE_IS_MISSING:
        is_missing(type, a, y, n);
        return PEN_OK;
    case PEN_NODE_FILL:
        fill(node->type, a, b, y, n);
        return PEN_OK;
    case PEN_NODE_TO_FLOAT:
        to_float(type, a, y, n);
        return PEN_OK;
    case PEN_NODE_TO_INT:
        to_int(type, a, y, n);
        return PEN_OK;
    case PEN_NODE_DATE: {
        const int64_t *x = a;
        for (int64_t i = 0; i < n; i++) {
            ((int64_t *)y)[i] = x[i] == PEN_MISSING_INT ? PEN_MISSING_INT
                                                        : pen_date_part_of(x[i], (enum pen_date_part)node->integer[0]);
        }
        return PEN_OK;
    }
    case PEN_NODE_INT_IDS:
        int_ids(a, node->integer[0], y, n);
        return PEN_OK;
    default:
        return pen_evaluate_learned(e, index, n, err);
    }
}
