/* The functions of the language: names, parameters, and how a call becomes nodes.
 *
 * A parameter is written as a word: "x" an expression; "n#" a whole number, "low~" a number, "text$" a string,
 * "edges@" a list of numbers, "flag?" true or false: literals. "=..." gives a default, "more*" any number of
 * further expressions. Positional arguments fill them in order, named ones by name. */
#include "components/transform/language/functions.h"

#include "core/text.h"
#include "kernels/columns/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef pen_status build_fn(struct pen_builder *b, const struct pen_call *call, int32_t *out);

struct function {
    const char *name;
    const char *parameters[5];
    build_fn *build;
    int detail; /* which of its siblings */
};

static build_fn build_map, build_map2, build_clip, build_analyzer, build_minmax, build_buckets, build_bucketize,
    build_fill, build_vocab, build_hash, build_join, build_onehot, build_multihot, build_tokens, build_ngrams,
    build_entry, build_contains, build_length, build_count, build_date, build_cast, build_if, build_is_missing,
    build_abs;

/* clang-format off */
static const struct function functions[] = {
    {"abs", {"x"}, build_abs, 0},
    {"bucketize", {"x", "n#"}, build_bucketize, 0},
    {"buckets", {"x", "edges@"}, build_buckets, 0},
    {"cast", {"x", "type$"}, build_cast, 0},
    {"ceil", {"x"}, build_map, PEN_MAP_CEIL},
    {"clip", {"x", "low~", "high~"}, build_clip, 0},
    {"concat", {"a", "b", "more*"}, build_join, 0},
    {"contains", {"x", "text$"}, build_contains, PEN_NODE_CONTAINS},
    {"count_tokens", {"x"}, build_count, 0},
    {"cross", {"a", "b", "more*"}, build_join, 1},
    {"day", {"x"}, build_date, PEN_DATE_DAY},
    {"exp", {"x"}, build_map, PEN_MAP_EXP},
    {"fill", {"x", "value"}, build_fill, 0},
    {"floor", {"x"}, build_map, PEN_MAP_FLOOR},
    {"hash", {"x", "n#", "seed#=0"}, build_hash, 0},
    {"hour", {"x"}, build_date, PEN_DATE_HOUR},
    {"if", {"condition", "a", "b"}, build_if, 0},
    {"is_missing", {"x"}, build_is_missing, 0},
    {"length", {"x"}, build_length, 0},
    {"log", {"x"}, build_map, PEN_MAP_LOG},
    {"log1p", {"x"}, build_map, PEN_MAP_LOG1P},
    {"lower", {"x"}, build_entry, PEN_NODE_LOWER},
    {"max", {"a", "b"}, build_map2, PEN_MAP_MAX},
    {"mean", {"x"}, build_analyzer, PEN_NODE_MEAN},
    {"median", {"x"}, build_analyzer, PEN_NODE_MEDIAN},
    {"min", {"a", "b"}, build_map2, PEN_MAP_MIN},
    {"minmax", {"x", "low~=0", "high~=1"}, build_minmax, 0},
    {"minute", {"x"}, build_date, PEN_DATE_MINUTE},
    {"month", {"x"}, build_date, PEN_DATE_MONTH},
    {"multihot", {"x"}, build_multihot, 0},
    {"ngrams", {"x", "sizes@"}, build_ngrams, 0},
    {"onehot", {"x", "n#=0"}, build_onehot, 0},
    {"robust", {"x"}, build_analyzer, PEN_NODE_ROBUST},
    {"round", {"x"}, build_map, PEN_MAP_ROUND},
    {"sigmoid", {"x"}, build_map, PEN_MAP_SIGMOID},
    {"sqrt", {"x"}, build_map, PEN_MAP_SQRT},
    {"starts_with", {"x", "text$"}, build_contains, PEN_NODE_STARTS_WITH},
    {"std", {"x"}, build_analyzer, PEN_NODE_STD},
    {"tokens", {"x", "lower?=false"}, build_tokens, 0},
    {"upper", {"x"}, build_entry, PEN_NODE_UPPER},
    {"vocab", {"x", "top_k#=0", "min_count#=1", "oov#=0"}, build_vocab, 0},
    {"weekday", {"x"}, build_date, PEN_DATE_WEEKDAY},
    {"year", {"x"}, build_date, PEN_DATE_YEAR},
    {"zscore", {"x"}, build_analyzer, PEN_NODE_ZSCORE},
};
/* clang-format on */
enum { N_FUNCTIONS = sizeof functions / sizeof functions[0] };

/* ---- binding arguments to parameters ---- */

static size_t name_length(const char *parameter)
{
    return strcspn(parameter, "#~$@?*=");
}

static int count_parameters(const struct function *f)
{
    int n = 0;
    while (n < 5 && f->parameters[n] != NULL) {
        n++;
    }
    return n;
}

/* "clip(x, low, high)" for messages. */
static const char *usage(struct pen_builder *b, const struct function *f)
{
    struct pen_text text = {0};
    pen_text_printf(&text, "%s(", f->name);
    for (int i = 0; i < count_parameters(f); i++) {
        const char *p = f->parameters[i];
        const char *value = strchr(p, '=');
        pen_text_append(&text, i == 0 ? "" : ", ");
        pen_text_append_bytes(&text, p, name_length(p));
        pen_text_append(&text, p[name_length(p)] == '*' ? "..." : "");
        if (value != NULL) {
            pen_text_printf(&text, ": %s", value + 1);
        }
    }
    pen_text_append(&text, ")");
    const char *copy = pen_arena_strdup(&b->graph->arena, pen_text_view(&text));
    pen_text_deinit(&text);
    return copy == NULL ? f->name : copy;
}

static bool literal_number(const struct pen_syntax *node, double *number, int64_t *integer, bool *whole)
{
    double sign = 1;
    if (node->kind == PEN_SYNTAX_UNARY && node->text[0] == '-') {
        sign = -1;
        node = node->children[0];
    }
    if (node->kind != PEN_SYNTAX_INT && node->kind != PEN_SYNTAX_FLOAT) {
        return false;
    }
    *whole = node->kind == PEN_SYNTAX_INT;
    *integer = (int64_t)sign * node->integer;
    *number = sign * node->number;
    return true;
}

static pen_status bind_list(struct pen_builder *b, const struct function *f, const struct pen_syntax *node,
                            const char *name, struct pen_argument *out)
{
    if (node->kind != PEN_SYNTAX_LIST || node->n_children == 0) {
        return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s as a list of numbers such as [1, 2]",
                                f->name, name);
    }
    double *list = pen_arena_alloc(&b->graph->arena, node->n_children, sizeof *list);
    if (list == NULL) {
        PEN_FAIL(b->err, PEN_ERR_MEMORY, "out of memory: compiling an expression");
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        int64_t integer = 0;
        bool whole = false;
        if (!literal_number(node->children[i], &list[i], &integer, &whole)) {
            return pen_syntax_error(b->source, node->children[i]->offset, b->err, "%s: expected a number in %s",
                                    f->name, name);
        }
    }
    out->list = list;
    out->n_list = node->n_children;
    return PEN_OK;
}

static pen_status bind_one(struct pen_builder *b, const struct function *f, const char *parameter,
                           const struct pen_syntax *node, struct pen_argument *out)
{
    size_t length = name_length(parameter);
    char kind = parameter[length];
    char name[32];
    memcpy(name, parameter, length);
    name[length] = '\0';
    out->syntax = node;
    bool whole = false;
    switch (kind) {
    case '#':
        if (!literal_number(node, &out->number, &out->integer, &whole) || !whole) {
            return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s as a whole number", f->name,
                                    name);
        }
        return PEN_OK;
    case '~':
        if (!literal_number(node, &out->number, &out->integer, &whole)) {
            return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s as a number", f->name, name);
        }
        return PEN_OK;
    case '$':
        if (node->kind != PEN_SYNTAX_STRING && !(node->kind == PEN_SYNTAX_COLUMN && strcmp(f->name, "cast") == 0)) {
            return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s as a string in quotes", f->name,
                                    name);
        }
        out->text = node->text;
        return PEN_OK;
    case '?':
        if (node->kind != PEN_SYNTAX_BOOL) {
            return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s as true or false", f->name, name);
        }
        out->integer = node->integer;
        return PEN_OK;
    case '@':
        return bind_list(b, f, node, name, out);
    default:
        return pen_builder_compile(b, node, &out->node);
    }
}

static int find_parameter(const struct function *f, const char *name)
{
    for (int i = 0; i < count_parameters(f); i++) {
        size_t length = name_length(f->parameters[i]);
        if (strlen(name) == length && memcmp(name, f->parameters[i], length) == 0) {
            return i;
        }
    }
    return -1;
}

static void take_default(const char *parameter, struct pen_argument *out)
{
    const char *value = strchr(parameter, '=') + 1;
    out->integer = strcmp(value, "true") == 0 ? 1 : strtoll(value, NULL, 10);
    out->number = strtod(value, NULL);
}

/* The parameter that an argument fills: by name, or the next one. */
static pen_status choose_parameter(struct pen_builder *b, const struct function *f, const struct pen_syntax *call,
                                   int64_t argument, const bool *filled, int *position, int *parameter)
{
    const struct pen_syntax *node = call->children[argument];
    const char *name = call->options[argument];
    int n = count_parameters(f);
    if (name != NULL) {
        *parameter = find_parameter(f, name);
        if (*parameter < 0) {
            return pen_syntax_error(b->source, node->offset, b->err, "%s has no option '%.40s'; it is %s", f->name,
                                    name, usage(b, f));
        }
        *position = n;
    } else if (*position < n) {
        *parameter = (*position)++;
        if (strchr(f->parameters[*parameter], '*') != NULL) {
            (*position)--;
        }
    } else {
        const char *why =
            argument > 0 && call->options[argument - 1] != NULL ? "no further unnamed arguments" : "fewer arguments";
        return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s; it is %s", f->name, why,
                                usage(b, f));
    }
    if (filled[*parameter]) {
        return pen_syntax_error(b->source, node->offset, b->err, "%s: %.*s is given twice", f->name,
                                (int)name_length(f->parameters[*parameter]), f->parameters[*parameter]);
    }
    return PEN_OK;
}

static pen_status bind(struct pen_builder *b, const struct function *f, struct pen_call *bound)
{
    const struct pen_syntax *call = bound->syntax;
    bool filled[5] = {false};
    int position = 0, n = count_parameters(f);
    bound->more = pen_arena_alloc(&b->graph->arena, call->n_children + 1, sizeof *bound->more);
    if (bound->more == NULL) {
        PEN_FAIL(b->err, PEN_ERR_MEMORY, "out of memory: compiling an expression");
    }
    for (int64_t i = 0; i < call->n_children; i++) {
        int parameter = 0;
        PEN_TRY(choose_parameter(b, f, call, i, filled, &position, &parameter));
        if (strchr(f->parameters[parameter], '*') != NULL) {
            PEN_TRY(pen_builder_compile(b, call->children[i], &bound->more[bound->n_more++]));
            continue;
        }
        filled[parameter] = true;
        PEN_TRY(bind_one(b, f, f->parameters[parameter], call->children[i], &bound->arguments[parameter]));
    }
    for (int i = 0; i < n; i++) {
        const char *p = f->parameters[i];
        if (!filled[i] && strchr(p, '=') != NULL) {
            take_default(p, &bound->arguments[i]);
        } else if (!filled[i] && strchr(p, '*') == NULL) {
            return pen_syntax_error(b->source, call->offset, b->err, "%s: expected %.*s, found none; it is %s", f->name,
                                    (int)name_length(p), p, usage(b, f));
        }
    }
    return PEN_OK;
}

pen_status pen_function_build(struct pen_builder *b, const struct pen_syntax *syntax, int32_t *out)
{
    const char *names[N_FUNCTIONS];
    for (int i = 0; i < N_FUNCTIONS; i++) {
        names[i] = functions[i].name;
        if (strcmp(names[i], syntax->text) == 0) {
            struct pen_call call = {.syntax = syntax, .detail = functions[i].detail};
            PEN_TRY(bind(b, &functions[i], &call));
            return functions[i].build(b, &call, out);
        }
    }
    char quoted[PEN_QUOTE_BYTES];
    const char *near = pen_nearest_name(syntax->text, names, N_FUNCTIONS);
    return pen_syntax_error(b->source, syntax->offset, b->err, "unknown function '%s'%s%s%s",
                            pen_quote(quoted, syntax->text, strlen(syntax->text)),
                            near == NULL ? "" : "; did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?");
}

/* ---- building ---- */

static pen_status wrong(struct pen_builder *b, const struct pen_call *call, int argument, const char *wanted)
{
    const struct pen_syntax *at = call->arguments[argument].syntax;
    return pen_syntax_error(b->source, at == NULL ? call->syntax->offset : at->offset, b->err, "%s: expected %s",
                            call->syntax->text, wanted);
}

static pen_status wrong_type(struct pen_builder *b, const struct pen_call *call, int argument, const char *wanted)
{
    const struct pen_syntax *at = call->arguments[argument].syntax;
    return pen_syntax_error(b->source, at->offset, b->err, "%s: expected %s, found %s", call->syntax->text, wanted,
                            pen_value_type_name(pen_builder_type(b, call->arguments[argument].node)));
}

static pen_status number_argument(struct pen_builder *b, const struct pen_call *call, int argument, int32_t *out)
{
    return pen_builder_to_float(b, call->arguments[argument].node, call->arguments[argument].syntax, call->syntax->text,
                                out);
}

static pen_status string_argument(struct pen_builder *b, const struct pen_call *call, int argument, int32_t *out)
{
    const struct pen_argument *a = &call->arguments[argument];
    return pen_builder_to_string(b, a->node, a->syntax, call->syntax->text, out);
}

static pen_status build_map(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MAP, .type = PEN_VALUE_FLOAT, .n_arguments = 1, .integer = {call->detail}};
    PEN_TRY(number_argument(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_abs(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    if (pen_builder_type(b, call->arguments[0].node) == PEN_VALUE_INT) {
        struct pen_node node = {.op = PEN_NODE_INT_MAP, .type = PEN_VALUE_INT, .n_arguments = 1, .integer = {'a'}};
        node.arguments[0] = call->arguments[0].node;
        return pen_builder_add(b, &node, call->syntax, out);
    }
    struct pen_call again = *call;
    again.detail = PEN_MAP_ABS;
    return build_map(b, &again, out);
}

static pen_status build_map2(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MAP, .type = PEN_VALUE_FLOAT, .n_arguments = 2, .integer = {call->detail}};
    PEN_TRY(number_argument(b, call, 0, &node.arguments[0]));
    PEN_TRY(number_argument(b, call, 1, &node.arguments[1]));
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_clip(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MAP,
                            .type = PEN_VALUE_FLOAT,
                            .n_arguments = 1,
                            .integer = {PEN_MAP_CLIP},
                            .number = {call->arguments[1].number, call->arguments[2].number}};
    if (!(node.number[0] <= node.number[1])) {
        return wrong(b, call, 2, "low <= high");
    }
    PEN_TRY(number_argument(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_analyzer(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = (enum pen_transform_op)call->detail, .type = PEN_VALUE_FLOAT, .n_arguments = 1};
    PEN_TRY(number_argument(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_minmax(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_MINMAX,
                            .type = PEN_VALUE_FLOAT,
                            .n_arguments = 1,
                            .number = {call->arguments[1].number, call->arguments[2].number}};
    if (!(node.number[0] < node.number[1])) {
        return wrong(b, call, call->arguments[2].syntax != NULL ? 2 : 1, "low < high");
    }
    PEN_TRY(number_argument(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_bucketize(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int64_t n = call->arguments[1].integer;
    if (n < 2 || n > 65536) {
        return wrong(b, call, 1, "2 to 65536 buckets");
    }
    struct pen_node node = {.op = PEN_NODE_BUCKETIZE, .type = PEN_VALUE_IDS, .n_arguments = 1, .integer = {n}};
    PEN_TRY(number_argument(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_buckets(struct pen_builder *b, const struct pen_call *call, int32_t *out)
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
    PEN_TRY(number_argument(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

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
        PEN_TRY(number_argument(b, call, 0, x));
    } else {
        return wrong(b, call, 1, "a value, or one of 'mean', 'median', 'mode'");
    }
    node.arguments[0] = *x;
    return pen_builder_add(b, &node, call->syntax, value);
}

static pen_status build_fill(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t x = call->arguments[0].node, value = call->arguments[1].node;
    const struct pen_syntax *syntax = call->arguments[1].syntax;
    enum pen_value_type type = pen_builder_type(b, x);
    if (type > PEN_VALUE_STRING) {
        return wrong_type(b, call, 0, "a number, a string or a truth value");
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

static pen_status build_vocab(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    static const char *const wanted[] = {"", "top_k of 0 (all) to 10000000", "min_count of 1 or more",
                                         "oov of 0 to 1000000 buckets"};
    static const int64_t low[] = {0, 0, 1, 0}, high[] = {0, 10000000, INT64_MAX, 1000000};
    struct pen_node node = {.op = PEN_NODE_VOCAB, .type = PEN_VALUE_IDS, .n_arguments = 1};
    for (int i = 1; i < 4; i++) {
        node.integer[i - 1] = call->arguments[i].integer;
        if (node.integer[i - 1] < low[i] || node.integer[i - 1] > high[i]) {
            return wrong(b, call, i, wanted[i]);
        }
    }
    if (pen_builder_type(b, call->arguments[0].node) == PEN_VALUE_TOKENS) {
        node.op = PEN_NODE_VOCAB_LIST;
        node.type = PEN_VALUE_ID_LIST;
        node.arguments[0] = call->arguments[0].node;
    } else {
        PEN_TRY(string_argument(b, call, 0, &node.arguments[0]));
    }
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_hash(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int64_t n = call->arguments[1].integer, seed = call->arguments[2].integer;
    if (n < 1 || n > INT32_MAX) {
        return wrong(b, call, 1, "1 to 2147483647 buckets");
    }
    if (seed < 0 || seed > UINT32_MAX) {
        return wrong(b, call, 2, "a seed of 0 to 4294967295");
    }
    struct pen_node node = {.op = PEN_NODE_HASH, .type = PEN_VALUE_IDS, .n_arguments = 1, .integer = {n, seed}};
    if (pen_builder_type(b, call->arguments[0].node) == PEN_VALUE_TOKENS) {
        node.op = PEN_NODE_HASH_LIST;
        node.type = PEN_VALUE_ID_LIST;
        node.arguments[0] = call->arguments[0].node;
    } else {
        PEN_TRY(string_argument(b, call, 0, &node.arguments[0]));
    }
    return pen_builder_add(b, &node, call->syntax, out);
}

/* concat and cross: strings joined from left to right, with nothing or with "_x_" between. */
static pen_status build_join(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    const char *between = call->detail == 1 ? "_x_" : "";
    PEN_TRY(string_argument(b, call, 0, out));
    for (int64_t i = -1; i < call->n_more; i++) {
        struct pen_node node = {.op = PEN_NODE_JOIN,
                                .type = PEN_VALUE_STRING,
                                .n_arguments = 2,
                                .arguments = {*out, 0},
                                .text = between,
                                .text_bytes = strlen(between)};
        if (i < 0) {
            PEN_TRY(string_argument(b, call, 1, &node.arguments[1]));
        } else {
            PEN_TRY(pen_builder_to_string(b, call->more[i], call->syntax, call->syntax->text, &node.arguments[1]));
        }
        PEN_TRY(pen_builder_add(b, &node, call->syntax, out));
    }
    return PEN_OK;
}

static pen_status build_onehot(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t x = call->arguments[0].node;
    int64_t n = call->arguments[1].integer;
    enum pen_value_type type = pen_builder_type(b, x);
    if (call->arguments[1].syntax != NULL && (n < 1 || n > PEN_TRANSFORM_MAX_ONEHOT)) {
        return wrong(b, call, 1, "1 to 4096 columns");
    }
    if (type == PEN_VALUE_TOKENS || type == PEN_VALUE_ID_LIST) {
        return wrong_type(b, call, 0, "one value a row (multihot takes lists)");
    }
    if (type == PEN_VALUE_DENSE || (type == PEN_VALUE_FLOAT && n == 0)) {
        return wrong_type(b, call, 0, "an integer, a string or an id (bucketize a number first)");
    }
    if (type == PEN_VALUE_IDS && n > 0) {
        return wrong(b, call, 1, "no n, as ids know their own number");
    }
    if (type != PEN_VALUE_IDS && n > 0 && type != PEN_VALUE_STRING) {
        struct pen_node ids = {.op = PEN_NODE_INT_IDS, .type = PEN_VALUE_IDS, .n_arguments = 1, .integer = {n}};
        PEN_TRY(pen_builder_to_int(b, x, call->syntax, "onehot", &ids.arguments[0]));
        PEN_TRY(pen_builder_add(b, &ids, call->syntax, &x));
    } else if (type != PEN_VALUE_IDS) {
        struct pen_node ids = {.op = PEN_NODE_VOCAB, .type = PEN_VALUE_IDS, .n_arguments = 1, .integer = {n, 1, 0}};
        PEN_TRY(string_argument(b, call, 0, &ids.arguments[0]));
        PEN_TRY(pen_builder_add(b, &ids, call->syntax, &x));
    }
    struct pen_node node = {.op = PEN_NODE_ONEHOT, .type = PEN_VALUE_DENSE, .n_arguments = 1, .arguments = {x}};
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_multihot(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t x = call->arguments[0].node;
    if (pen_builder_type(b, x) == PEN_VALUE_TOKENS) {
        struct pen_node ids = {.op = PEN_NODE_VOCAB_LIST,
                               .type = PEN_VALUE_ID_LIST,
                               .n_arguments = 1,
                               .arguments = {x},
                               .integer = {PEN_TRANSFORM_MAX_ONEHOT, 1, 0}};
        PEN_TRY(pen_builder_add(b, &ids, call->syntax, &x));
    } else if (pen_builder_type(b, x) != PEN_VALUE_ID_LIST) {
        return wrong_type(b, call, 0, "a list of ids or of tokens");
    }
    struct pen_node node = {.op = PEN_NODE_MULTIHOT, .type = PEN_VALUE_DENSE, .n_arguments = 1, .arguments = {x}};
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_tokens(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_TOKENS, .type = PEN_VALUE_TOKENS, .n_arguments = 1};
    PEN_TRY(string_argument(b, call, 0, &node.arguments[0]));
    if (call->arguments[1].integer != 0) {
        struct pen_node lower = {
            .op = PEN_NODE_LOWER, .type = PEN_VALUE_STRING, .n_arguments = 1, .arguments = {node.arguments[0]}};
        PEN_TRY(pen_builder_add(b, &lower, call->syntax, &node.arguments[0]));
    }
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_ngrams(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    const struct pen_argument *sizes = &call->arguments[1];
    if (sizes->n_list != 2 || sizes->list[0] < 1 || sizes->list[1] > 10 || sizes->list[0] > sizes->list[1] ||
        floor(sizes->list[0]) != sizes->list[0] || floor(sizes->list[1]) != sizes->list[1]) {
        return wrong(b, call, 1, "sizes as [low, high] with 1 <= low <= high <= 10");
    }
    if (pen_builder_type(b, call->arguments[0].node) != PEN_VALUE_TOKENS) {
        return wrong_type(b, call, 0, "a list of tokens");
    }
    struct pen_node node = {.op = PEN_NODE_NGRAMS,
                            .type = PEN_VALUE_TOKENS,
                            .n_arguments = 1,
                            .arguments = {call->arguments[0].node},
                            .integer = {(int64_t)sizes->list[0], (int64_t)sizes->list[1]}};
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_entry(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = (enum pen_transform_op)call->detail, .type = PEN_VALUE_STRING, .n_arguments = 1};
    PEN_TRY(string_argument(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_contains(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = (enum pen_transform_op)call->detail,
                            .type = PEN_VALUE_BOOL,
                            .n_arguments = 1,
                            .text = call->arguments[1].text,
                            .text_bytes = strlen(call->arguments[1].text)};
    PEN_TRY(string_argument(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_length(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    struct pen_node node = {.op = PEN_NODE_LENGTH, .type = PEN_VALUE_INT, .n_arguments = 1};
    PEN_TRY(string_argument(b, call, 0, &node.arguments[0]));
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_count(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    if (pen_builder_type(b, call->arguments[0].node) != PEN_VALUE_TOKENS) {
        return wrong_type(b, call, 0, "a list of tokens");
    }
    struct pen_node node = {
        .op = PEN_NODE_COUNT_TOKENS, .type = PEN_VALUE_INT, .n_arguments = 1, .arguments = {call->arguments[0].node}};
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_date(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t seconds = call->arguments[0].node;
    if (pen_builder_type(b, seconds) == PEN_VALUE_STRING) {
        struct pen_node parse = {
            .op = PEN_NODE_SECONDS, .type = PEN_VALUE_INT, .n_arguments = 1, .arguments = {seconds}};
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

static pen_status build_cast(struct pen_builder *b, const struct pen_call *call, int32_t *out)
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
    return wrong(b, call, 1, "the type int, float or string");
}

static pen_status build_if(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t x = call->arguments[1].node, y = call->arguments[2].node;
    if (pen_builder_type(b, call->arguments[0].node) != PEN_VALUE_BOOL) {
        return wrong_type(b, call, 0, "a truth value such as x > 0");
    }
    PEN_TRY(pen_builder_unify(b, &x, &y, call->arguments[1].syntax, call->arguments[2].syntax, "if"));
    struct pen_node node = {.op = PEN_NODE_IF,
                            .type = pen_builder_type(b, x),
                            .n_arguments = 3,
                            .arguments = {call->arguments[0].node, x, y}};
    return pen_builder_add(b, &node, call->syntax, out);
}

static pen_status build_is_missing(struct pen_builder *b, const struct pen_call *call, int32_t *out)
{
    int32_t x = call->arguments[0].node;
    if (pen_builder_type(b, x) > PEN_VALUE_IDS) {
        return wrong_type(b, call, 0, "a number, a string, a truth value or an id");
    }
    struct pen_node node = {.op = PEN_NODE_IS_MISSING, .type = PEN_VALUE_BOOL, .n_arguments = 1, .arguments = {x}};
    return pen_builder_add(b, &node, call->syntax, out);
}
