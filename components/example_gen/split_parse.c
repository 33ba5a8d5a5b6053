/* Reads the `split` option. */
#include "components/example_gen/split_rule.h"
#include "core/memory.h"
#include "core/text.h"

#include <string.h>

enum { MAX_BUCKETS = 1 << 30 };

static const char *const default_names[] = {"train", "eval"};
static const int64_t default_buckets[] = {2, 1};

struct split_options {
    int by;
    const char *column;
    const struct pen_config_node *buckets;
    const char *before;
    int64_t every, index;
};

static const char *const by_names[] = {"hash", "column", "time", "row", "stratified", NULL};

static const struct pen_option table[] = {
    {"by", PEN_OPTION_ENUM, offsetof(struct split_options, by), "hash", 0, 0, by_names, "how rows are assigned"},
    {"column", PEN_OPTION_STRING, offsetof(struct split_options, column), NULL, 0, 0, NULL, "the deciding column"},
    {"buckets", PEN_OPTION_NODE, offsetof(struct split_options, buckets), NULL, 0, 0, NULL, "split: size"},
    {"before", PEN_OPTION_STRING, offsetof(struct split_options, before), NULL, 0, 0, NULL,
     "by time: rows below go to train"},
    {"every", PEN_OPTION_INT, offsetof(struct split_options, every), "5", 2, 1 << 30, NULL,
     "by row: one row in so many goes to eval"},
    {"index", PEN_OPTION_INT, offsetof(struct split_options, index), "0", 0, 1 << 30, NULL,
     "by row: row i goes to eval when i % every == index"},
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL},
};

static pen_status parse_buckets(struct pen_arena *arena, const struct pen_config_node *map, struct pen_split_rule *rule,
                                struct pen_error *err)
{
    if (map == NULL || map->kind != PEN_CONFIG_MAP || map->n_children == 0) {
        return pen_config_error(map != NULL ? map : rule->node, err,
                                "option split: expected buckets such as {train: 2, eval: 1}");
    }
    const char **names = pen_arena_alloc(arena, map->n_children, sizeof *names);
    int64_t *buckets = pen_arena_alloc(arena, map->n_children, sizeof *buckets);
    if (names == NULL || buckets == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading option split");
    }
    rule->n_buckets = 0;
    for (int64_t i = 0; i < map->n_children; i++) {
        names[i] = map->keys[i];
        if (!pen_is_plain_name(names[i])) {
            return pen_config_error(map->children[i], err,
                                    "option split: expected a split name of letters, digits, '_', '.' and '-', found "
                                    "'%.60s'",
                                    names[i]);
        }
        PEN_TRY(pen_config_int(map->children[i], names[i], &buckets[i], err));
        if (buckets[i] < 1 || buckets[i] > MAX_BUCKETS - rule->n_buckets) {
            return pen_config_error(map->children[i], err,
                                    "option split: expected bucket sizes from 1 that sum to at most 2^30, found %s",
                                    map->children[i]->scalar);
        }
        rule->n_buckets += buckets[i];
    }
    rule->names = names;
    rule->buckets = buckets;
    rule->n_splits = map->n_children;
    return PEN_OK;
}

static void use_train_and_eval(struct pen_split_rule *rule)
{
    rule->names = default_names;
    rule->buckets = default_buckets;
    rule->n_splits = 2;
    rule->n_buckets = 3;
}

static pen_status need_column(const struct split_options *options, struct pen_split_rule *rule, struct pen_error *err)
{
    if (options->column == NULL) {
        return pen_config_error(rule->node, err, "option split: by %s: expected `column:`, found none",
                                by_names[options->by]);
    }
    rule->column = options->column;
    rule->column_node = pen_config_get(rule->node, "column");
    return PEN_OK;
}

/* Keys that another way of splitting uses would be silently ignored: refuse them. */
static pen_status refuse_foreign_keys(const struct split_options *options, const struct pen_config_node *node,
                                      struct pen_error *err)
{
    static const struct {
        const char *key;
        bool used[5]; /* by enum pen_split_by */
    } uses[] = {
        {"column", {false, true, true, false, true}},   {"buckets", {true, true, false, false, true}},
        {"before", {false, false, true, false, false}}, {"every", {false, false, false, true, false}},
        {"index", {false, false, false, true, false}},
    };
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        const struct pen_config_node *found = pen_config_get(node, uses[i].key);
        if (found != NULL && !uses[i].used[options->by]) {
            return pen_config_error(found, err, "option split: by %s does not use `%s`", by_names[options->by],
                                    uses[i].key);
        }
    }
    return PEN_OK;
}

static pen_status parse_by(struct pen_arena *arena, const struct pen_config_node *node, struct pen_split_rule *rule,
                           struct pen_error *err)
{
    struct split_options options;
    PEN_TRY(pen_config_options(arena, &options, sizeof options, table, node, "split", err));
    PEN_TRY(refuse_foreign_keys(&options, node, err));
    rule->by = (enum pen_split_by)options.by;
    if (options.buckets != NULL) {
        PEN_TRY(parse_buckets(arena, options.buckets, rule, err));
    }
    switch (rule->by) {
    case PEN_SPLIT_HASH:
        return PEN_OK;
    case PEN_SPLIT_COLUMN:
    case PEN_SPLIT_STRATIFIED:
        return need_column(&options, rule, err);
    case PEN_SPLIT_TIME:
        if (options.before == NULL) {
            return pen_config_error(node, err, "option split: by time: expected `before:`, found none");
        }
        rule->before = options.before;
        rule->before_is_number = pen_parse_double(options.before, strlen(options.before), &rule->before_number);
        return need_column(&options, rule, err);
    case PEN_SPLIT_ROW:
        if (options.index >= options.every) {
            return pen_config_error(node, err, "option split: expected index below every (%lld), found %lld",
                                    (long long)options.every, (long long)options.index);
        }
        rule->every = options.every;
        rule->index = options.index;
        return PEN_OK;
    }
    return PEN_OK;
}

pen_status pen_split_rule_parse(struct pen_arena *arena, const struct pen_config_node *node,
                                struct pen_split_rule *rule, struct pen_error *err)
{
    *rule = (struct pen_split_rule){.by = PEN_SPLIT_HASH, .node = node};
    use_train_and_eval(rule);
    if (node == NULL || node->kind == PEN_CONFIG_NULL) {
        return PEN_OK;
    }
    if (node->kind != PEN_CONFIG_MAP) {
        return pen_config_error(node, err,
                                "option split: expected a map such as {train: 2, eval: 1} or {by: column, column: "
                                "user_id, buckets: {train: 2, eval: 1}}");
    }
    return pen_config_get(node, "by") != NULL ? parse_by(arena, node, rule, err)
                                              : parse_buckets(arena, node, rule, err);
}
