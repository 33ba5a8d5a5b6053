/* Nodes of a transform graph: adding, describing, and planning the order and buffers of an evaluation. */
#include "components/transform/program.h"

#include "core/hash.h"
#include "core/text.h"

#include <string.h>

const char *pen_value_type_name(enum pen_value_type type)
{
    static const char *const names[] = {
        [PEN_VALUE_INT] = "an integer",        [PEN_VALUE_FLOAT] = "a number", [PEN_VALUE_BOOL] = "a truth value",
        [PEN_VALUE_STRING] = "a string",       [PEN_VALUE_IDS] = "an id",      [PEN_VALUE_TOKENS] = "a list of tokens",
        [PEN_VALUE_ID_LIST] = "a list of ids", [PEN_VALUE_DENSE] = "a vector",
    };
    return names[type];
}

const char *pen_node_op_text(enum pen_transform_op op)
{
    static const char *const texts[] = {
#define PEN_TRANSFORM_OP_TEXT(name, text) [PEN_NODE_##name] = text,
        PEN_TRANSFORM_OP_LIST(PEN_TRANSFORM_OP_TEXT)
#undef PEN_TRANSFORM_OP_TEXT
    };
    return texts[op];
}

enum { ANALYZER = 1, CONSTANT = 2, SHARES_CODES = 4 };

static const uint8_t traits[PEN_NODE_OP_COUNT] = {
    [PEN_NODE_CONST_INT] = CONSTANT,
    [PEN_NODE_CONST_FLOAT] = CONSTANT,
    [PEN_NODE_CONST_BOOL] = CONSTANT,
    [PEN_NODE_CONST_STRING] = CONSTANT,
    [PEN_NODE_LOWER] = SHARES_CODES,
    [PEN_NODE_UPPER] = SHARES_CODES,
    [PEN_NODE_TRIM] = SHARES_CODES,
    [PEN_NODE_TOKENS] = SHARES_CODES,
    [PEN_NODE_SPLIT] = SHARES_CODES,
    [PEN_NODE_UNIQUE] = SHARES_CODES,
    [PEN_NODE_NGRAMS] = SHARES_CODES,
    [PEN_NODE_HASH_LIST] = SHARES_CODES,
    [PEN_NODE_VOCAB] = ANALYZER,
    [PEN_NODE_VOCAB_LIST] = ANALYZER | SHARES_CODES,
    [PEN_NODE_BUCKETIZE] = ANALYZER,
    [PEN_NODE_BUCKETIZE_BY] = ANALYZER,
    [PEN_NODE_RANK] = ANALYZER,
    [PEN_NODE_ZSCORE] = ANALYZER,
    [PEN_NODE_MINMAX] = ANALYZER,
    [PEN_NODE_ROBUST] = ANALYZER,
    [PEN_NODE_MEAN] = ANALYZER | CONSTANT,
    [PEN_NODE_STD] = ANALYZER | CONSTANT,
    [PEN_NODE_MEDIAN] = ANALYZER | CONSTANT,
    [PEN_NODE_VAR] = ANALYZER | CONSTANT,
    [PEN_NODE_MINIMUM] = ANALYZER | CONSTANT,
    [PEN_NODE_MAXIMUM] = ANALYZER | CONSTANT,
    [PEN_NODE_SUM] = ANALYZER | CONSTANT,
    [PEN_NODE_QUANTILE] = ANALYZER | CONSTANT,
    [PEN_NODE_STATISTIC_BY] = ANALYZER,
    [PEN_NODE_MODE] = ANALYZER | CONSTANT,
    [PEN_NODE_ONEHOT] = SHARES_CODES,
    [PEN_NODE_MULTIHOT] = SHARES_CODES,
    [PEN_NODE_TFIDF] = ANALYZER | SHARES_CODES,
    [PEN_NODE_CLASSES] = ANALYZER,
};

bool pen_node_is_analyzer(enum pen_transform_op op)
{
    return (traits[op] & ANALYZER) != 0;
}

/* Values that do not depend on the row; once analyzed, what lies below them is not evaluated. */
bool pen_node_is_constant(enum pen_transform_op op)
{
    return (traits[op] & CONSTANT) != 0;
}

bool pen_node_shares_codes(enum pen_transform_op op)
{
    return (traits[op] & SHARES_CODES) != 0;
}

const struct pen_analysis *pen_node_analysis(const struct pen_transform_graph *graph, const struct pen_node *node)
{
    static const struct pen_analysis none = {.done = false};
    return node->analysis >= 0 ? &graph->analyses[node->analysis] : &none;
}

int64_t pen_node_n_values(const struct pen_transform_graph *graph, int32_t index)
{
    const struct pen_node *node = &graph->nodes[index];
    const struct pen_analysis *found = pen_node_analysis(graph, node);
    switch ((int)node->op) {
    case PEN_NODE_HASH:
    case PEN_NODE_HASH_LIST:
    case PEN_NODE_INT_IDS:
        return node->integer[0];
    case PEN_NODE_VOCAB:
    case PEN_NODE_VOCAB_LIST: {
        int64_t n = pen_string_table_size(found->vocabulary) + node->integer[2];
        return n > 0 ? n : 1;
    }
    case PEN_NODE_BUCKETIZE:
        return found->n_edges + 1;
    case PEN_NODE_BUCKETIZE_BY: {
        int64_t most = 0;
        for (int64_t g = 0; g < found->n_groups; g++) {
            int64_t n = found->starts[g + 1] - found->starts[g];
            most = n > most ? n : most;
        }
        return most + 1;
    }
    case PEN_NODE_BUCKETS:
        return node->n_list + 1;
    case PEN_NODE_ONEHOT:
    case PEN_NODE_MULTIHOT:
    case PEN_NODE_TFIDF:
        return pen_node_n_values(graph, node->arguments[0]);
    default:
        return 0;
    }
}

/* ---- adding ---- */

static bool same_node(const struct pen_node *a, const struct pen_node *b)
{
    return a->op == b->op && a->type == b->type && a->n_arguments == b->n_arguments &&
           memcmp(a->arguments, b->arguments, sizeof a->arguments) == 0 &&
           memcmp(a->number, b->number, sizeof a->number) == 0 &&
           memcmp(a->integer, b->integer, sizeof a->integer) == 0 && a->text_bytes == b->text_bytes &&
           (a->text == NULL) == (b->text == NULL) &&
           (a->text == NULL || memcmp(a->text, b->text, a->text_bytes) == 0) && a->n_list == b->n_list &&
           (a->n_list == 0 || memcmp(a->list, b->list, (size_t)a->n_list * sizeof *a->list) == 0);
}

static uint64_t hash_node(const struct pen_node *node)
{
    uint64_t parts[] = {(uint64_t)node->op, pen_hash64(node->arguments, sizeof node->arguments),
                        pen_hash64(node->number, sizeof node->number), pen_hash64(node->integer, sizeof node->integer),
                        pen_hash64(node->text == NULL ? "" : node->text, node->text_bytes)};
    return pen_hash64(parts, sizeof parts);
}

static pen_status grow_node_table(struct pen_transform_graph *graph, struct pen_error *err)
{
    int64_t size = graph->node_table_size == 0 ? 256 : 2 * graph->node_table_size;
    int32_t *table = pen_malloc(size, sizeof *table);
    if (table == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a transform graph of %lld nodes", (long long)graph->n_nodes);
    }
    memset(table, 0xFF, (size_t)size * sizeof *table);
    for (int64_t i = 0; i < graph->n_nodes; i++) {
        uint64_t place = hash_node(&graph->nodes[i]) & (uint64_t)(size - 1);
        while (table[place] >= 0) {
            place = (place + 1) & (uint64_t)(size - 1);
        }
        table[place] = (int32_t)i;
    }
    pen_free(graph->node_table);
    graph->node_table = table;
    graph->node_table_size = size;
    return PEN_OK;
}

static pen_status add_analysis(struct pen_transform_graph *graph, int32_t node, struct pen_error *err)
{
    int64_t capacity = graph->analyses_capacity;
    PEN_TRY(pen_grow((void **)&graph->analyses, &capacity, graph->n_analyses + 1, sizeof *graph->analyses, err));
    PEN_TRY(pen_grow((void **)&graph->analysis_nodes, &graph->analyses_capacity, graph->n_analyses + 1,
                     sizeof *graph->analysis_nodes, err));
    graph->analyses[graph->n_analyses] = (struct pen_analysis){0};
    graph->analysis_nodes[graph->n_analyses] = node;
    graph->nodes[node].analysis = (int32_t)graph->n_analyses++;
    return PEN_OK;
}

pen_status pen_graph_add(struct pen_transform_graph *graph, const struct pen_node *node, int32_t *index,
                         struct pen_error *err)
{
    if (2 * (graph->n_nodes + 1) > graph->node_table_size) {
        PEN_TRY(grow_node_table(graph, err));
    }
    uint64_t place = hash_node(node) & (uint64_t)(graph->node_table_size - 1);
    for (; graph->node_table[place] >= 0; place = (place + 1) & (uint64_t)(graph->node_table_size - 1)) {
        if (same_node(&graph->nodes[graph->node_table[place]], node)) {
            *index = graph->node_table[place];
            return PEN_OK;
        }
    }
    if (graph->n_nodes == PEN_TRANSFORM_MAX_NODES) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "transform: expected at most %d nodes in all expressions together",
                 PEN_TRANSFORM_MAX_NODES);
    }
    PEN_TRY(pen_grow((void **)&graph->nodes, &graph->nodes_capacity, graph->n_nodes + 1, sizeof *graph->nodes, err));
    struct pen_node *added = &graph->nodes[graph->n_nodes];
    *added = *node;
    added->analysis = -1;
    added->pass = 0;
    for (int i = 0; i < node->n_arguments; i++) {
        const struct pen_node *argument = &graph->nodes[node->arguments[i]];
        int pass = argument->pass + (argument->analysis >= 0 ? 1 : 0);
        added->pass = pass > added->pass ? pass : added->pass;
    }
    graph->node_table[place] = (int32_t)graph->n_nodes;
    *index = (int32_t)graph->n_nodes++;
    return pen_node_is_analyzer(node->op) ? add_analysis(graph, *index, err) : PEN_OK;
}

void pen_graph_describe(const struct pen_transform_graph *graph, int32_t index, struct pen_text *text)
{
    enum { MOST = 400 };
    const struct pen_node *node = &graph->nodes[index];
    char number[PEN_NUMBER_BYTES], quoted[PEN_QUOTE_BYTES];
    if (text->size_bytes > MOST) {
        pen_text_append(text, "...");
        return;
    }
    switch ((int)node->op) {
    case PEN_NODE_COLUMN:
        pen_text_append(text, pen_quote(quoted, node->text, node->text_bytes));
        return;
    case PEN_NODE_CONST_STRING:
        pen_text_printf(text, "'%s'", pen_quote(quoted, node->text, node->text_bytes));
        return;
    case PEN_NODE_CONST_FLOAT:
        pen_text_append(text, pen_format_double(number, node->number[0]));
        return;
    case PEN_NODE_CONST_INT:
    case PEN_NODE_CONST_BOOL:
        pen_text_printf(text, "%lld", (long long)node->integer[0]);
        return;
    case PEN_NODE_TO_FLOAT:
    case PEN_NODE_TO_STRING:
        pen_graph_describe(graph, node->arguments[0], text);
        return;
    default:
        break;
    }
    pen_text_printf(text, "%s(", pen_node_op_text(node->op));
    for (int i = 0; i < node->n_arguments; i++) {
        pen_text_append(text, i == 0 ? "" : ", ");
        pen_graph_describe(graph, node->arguments[i], text);
    }
    for (int i = 0; i < 3; i++) {
        if (node->integer[i] != 0) {
            pen_text_printf(text, ", %lld", (long long)node->integer[i]);
        }
    }
    pen_text_append(text, ")");
}

/* ---- planning ---- */

struct planner {
    const struct pen_transform_graph *graph;
    struct pen_program *program;
    uint8_t *planned;
    int32_t *stack;
    int64_t *last_use; /* step that reads it last */
};

static int n_read_arguments(const struct pen_node *node)
{
    return pen_node_is_constant(node->op) ? 0 : node->n_arguments;
}

/* Depth first without recursion: arguments stand before users in node order, so a stack of unplanned nodes ends. */
static void plan_node(struct planner *p, int32_t root)
{
    int64_t depth = 0;
    p->stack[depth++] = root;
    while (depth > 0) {
        int32_t index = p->stack[depth - 1];
        const struct pen_node *node = &p->graph->nodes[index];
        int32_t waiting = -1;
        for (int i = 0; i < n_read_arguments(node) && waiting < 0; i++) {
            waiting = p->planned[node->arguments[i]] ? -1 : node->arguments[i];
        }
        if (waiting >= 0 && !p->planned[index]) {
            p->stack[depth++] = waiting;
            continue;
        }
        depth--;
        if (!p->planned[index]) {
            p->planned[index] = 1;
            p->program->steps[p->program->n_steps++] = (struct pen_step){.node = index, .sink = -1};
        }
    }
}

/* Backwards over the steps: the last reader of each value, codes passed through included. */
static void find_last_uses(struct planner *p)
{
    const struct pen_program *program = p->program;
    for (int64_t s = program->n_steps - 1; s >= 0; s--) {
        int32_t index = program->steps[s].node;
        const struct pen_node *node = &p->graph->nodes[index];
        int64_t reader = s;
        if (program->steps[s].sink >= 0) {
            p->last_use[index] = p->last_use[index] > s ? p->last_use[index] : s;
            continue;
        }
        if (pen_node_shares_codes(node->op) && p->last_use[index] > reader) {
            reader = p->last_use[index];
        }
        for (int i = 0; i < n_read_arguments(node); i++) {
            int64_t *last = &p->last_use[node->arguments[i]];
            *last = *last > reader ? *last : reader;
        }
    }
}

/* A slot is free again after the step of its node's last use. Constants are written once and keep theirs. */
static void assign_slots(struct planner *p, int32_t *free_slots, int32_t *ends_head, int32_t *ends_next)
{
    struct pen_program *program = p->program;
    int64_t n_free = 0;
    for (int64_t s = 0; s < program->n_steps; s++) {
        int32_t index = program->steps[s].node;
        const struct pen_node *node = &p->graph->nodes[index];
        if (program->steps[s].sink < 0 && !pen_node_shares_codes(node->op)) {
            bool keep = pen_node_is_constant(node->op);
            program->slots[index] = !keep && n_free > 0 ? free_slots[--n_free] : (int32_t)program->n_slots++;
            if (!keep) {
                int64_t end = p->last_use[index] > s ? p->last_use[index] : s;
                ends_next[index] = ends_head[end];
                ends_head[end] = index;
            }
        }
        for (int32_t ended = ends_head[s]; ended >= 0; ended = ends_next[ended]) {
            free_slots[n_free++] = program->slots[ended];
        }
    }
}

pen_status pen_program_plan(struct pen_arena *arena, const struct pen_transform_graph *graph, const int32_t *roots,
                            const int32_t *sinks, int64_t n_roots, struct pen_program *program, struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t n = graph->n_nodes, most = n + n_roots + 1;
    *program = (struct pen_program){.steps = pen_arena_alloc(arena, most, sizeof *program->steps),
                                    .slots = pen_arena_alloc(arena, n + 1, sizeof *program->slots)};
    struct planner p = {.graph = graph,
                        .program = program,
                        .planned = pen_calloc(n + 1, 1),
                        .stack = pen_calloc(n + 1, sizeof *p.stack),
                        .last_use = pen_calloc(n + 1, sizeof *p.last_use)};
    int32_t *free_slots = pen_calloc(most, sizeof *free_slots), *ends_head = pen_calloc(most, sizeof *ends_head);
    int32_t *ends_next = pen_calloc(most, sizeof *ends_next);
    if (program->steps == NULL || program->slots == NULL || p.planned == NULL || p.stack == NULL ||
        p.last_use == NULL || free_slots == NULL || ends_head == NULL || ends_next == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: planning a transform");
    }
    memset(program->slots, 0xFF, (size_t)n * sizeof *program->slots);
    memset(ends_head, 0xFF, (size_t)most * sizeof *ends_head);
    for (int64_t i = 0; i < n_roots; i++) {
        plan_node(&p, roots[i]);
        program->steps[program->n_steps++] = (struct pen_step){.node = roots[i], .sink = sinks[i]};
    }
    find_last_uses(&p);
    assign_slots(&p, free_slots, ends_head, ends_next);
cleanup:
    pen_free(p.planned);
    pen_free(p.stack);
    pen_free(p.last_use);
    pen_free(free_slots);
    pen_free(ends_head);
    pen_free(ends_next);
    return status;
}
