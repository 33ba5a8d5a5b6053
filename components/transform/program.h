/* A transform graph inside: typed nodes, the state its analyzers found, the order in which they are evaluated.
 *
 * Expressions compile to nodes in topological order (an argument stands before its user), equal nodes are one node.
 * How a value of each type is held, and what missing is:
 *
 *   INT      int64, missing INT64_MIN               BOOL    int8 0 or 1, missing -1
 *   FLOAT    double, missing NaN                    IDS     int32 in [0, n_values), missing (none) -1
 *   STRING   int32 codes into entries, missing -1   TOKENS  int32 codes into lists of strings, missing: no tokens
 *   ID_LIST  int32 codes into lists of ids          DENSE   a one-hot or multi-hot view of its argument
 *
 * Functions of one string are computed once for each dictionary entry that occurs and looked up by code. */
#ifndef PEN_COMPONENTS_TRANSFORM_PROGRAM_H
#define PEN_COMPONENTS_TRANSFORM_PROGRAM_H

#include "components/transform/compile.h"
#include "components/transform/language/syntax.h"
#include "components/transform/strings.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PEN_TRANSFORM_TILE = 1024,     /* rows evaluated at a time: a node's values stay in the cache */
    PEN_TRANSFORM_SEGMENT = 16384, /* rows of one task, a multiple of TILE and of 8 */
    PEN_TRANSFORM_MAX_NODES = 1 << 20,
    PEN_TRANSFORM_MAX_DENSE = 1 << 16, /* numbers a row */
    PEN_TRANSFORM_MAX_ONEHOT = 4096,   /* columns of one onehot or multihot */
    PEN_TRANSFORM_MAX_CLASSES = 1000,
    PEN_TRANSFORM_MAX_DISTINCT = 10000000, /* values of one vocabulary */
    PEN_TRANSFORM_MAX_GROUPS = 100000,     /* groups of one `by:` */
    PEN_TRANSFORM_MAX_SKETCHES = 4096      /* groups where each needs quantiles */
};

enum pen_value_type {
    PEN_VALUE_INT,
    PEN_VALUE_FLOAT,
    PEN_VALUE_BOOL,
    PEN_VALUE_STRING,
    PEN_VALUE_IDS,
    PEN_VALUE_TOKENS,
    PEN_VALUE_ID_LIST,
    PEN_VALUE_DENSE
};
const char *pen_value_type_name(enum pen_value_type type); /* "a number", "a string", ... */

/* X(name, text): text is how the node is written in graph.json and in messages. */
/* clang-format off */
#define PEN_TRANSFORM_OP_LIST(X) \
    X(COLUMN, "column") \
    X(CONST_INT, "int") \
    X(CONST_FLOAT, "float") \
    X(CONST_BOOL, "bool") \
    X(CONST_STRING, "string") \
    X(TO_FLOAT, "to_float")         /* INT, BOOL */ \
    X(TO_INT, "to_int")             /* FLOAT towards zero, BOOL */ \
    X(TO_STRING, "to_string")       /* INT, FLOAT, BOOL */ \
    X(PARSE_INT, "parse_int")       /* STRING */ \
    X(PARSE_FLOAT, "parse_float") \
    X(NUMBER, "number")             /* STRING as people write numbers; integer[0]: the decimal separator */ \
    X(MAP, "map")                   /* integer[0]: enum pen_map */ \
    X(INT_MAP, "int_map")           /* integer[0]: the operator's character */ \
    X(COMPARE, "compare")           /* FLOAT, FLOAT; integer[0]: enum pen_comparison */ \
    X(COMPARE_INT, "compare_int") \
    X(COMPARE_STRING, "compare_string") \
    X(STRING_IS, "string_is")       /* STRING against text */ \
    X(AND, "and") \
    X(OR, "or") \
    X(NOT, "not") \
    X(IF, "if") \
    X(IS_MISSING, "is_missing") \
    X(FILL, "fill")                 /* argument 1 where argument 0 is missing */ \
    X(SECONDS, "seconds")           /* STRING to seconds since 1970; integer[0]: enum pen_date_order */ \
    X(DATE, "date")                 /* integer[0]: enum pen_date_part */ \
    X(LOWER, "lower") \
    X(UPPER, "upper") \
    X(LENGTH, "length") \
    X(CONTAINS, "contains") \
    X(STARTS_WITH, "starts_with") \
    X(JOIN, "join")                 /* STRING, STRING with text between */ \
    X(TRIM, "trim") \
    X(TOKENS, "tokens") \
    X(SPLIT, "split")               /* STRING at text */ \
    X(UNIQUE, "unique")             /* TOKENS, each once */ \
    X(NGRAMS, "ngrams")             /* integer[0], integer[1]: sizes */ \
    X(COUNT_TOKENS, "count_tokens") \
    X(HASH, "hash")                 /* STRING; integer[0]: buckets, integer[1]: seed */ \
    X(HASH_LIST, "hash_list") \
    X(VOCAB, "vocab")               /* analyzer; integer: top_k, min_count, oov */ \
    X(VOCAB_LIST, "vocab_list") \
    X(BUCKETIZE, "bucketize")       /* analyzer; integer[0]: buckets */ \
    X(BUCKETIZE_BY, "bucketize_by") /* analyzer of FLOAT, IDS */ \
    X(BUCKETS, "buckets")           /* list: edges */ \
    X(RANK, "rank")                 /* analyzer; integer[0]: quantiles between the ends */ \
    X(INTERPOLATE, "interpolate")   /* list: edges */ \
    X(ZSCORE, "zscore")             /* analyzers of FLOAT */ \
    X(MINMAX, "minmax")             /* number: low, high */ \
    X(ROBUST, "robust") \
    X(MEAN, "mean") \
    X(STD, "std") \
    X(MEDIAN, "median") \
    X(VAR, "var") \
    X(MINIMUM, "minimum") \
    X(MAXIMUM, "maximum") \
    X(SUM, "sum") \
    X(QUANTILE, "quantile")         /* number[0]: share of rows below */ \
    X(STATISTIC_BY, "statistic_by") /* analyzer of FLOAT, IDS; integer[0]: enum pen_statistic, number[0]: where the group
                                       is unknown or has no values, number[1]: QUANTILE's share */ \
    X(MODE, "mode")                 /* of any type: a value that does not depend on the row */ \
    X(INT_IDS, "int_ids")           /* INT in [0, integer[0]) */ \
    X(ONEHOT, "onehot") \
    X(MULTIHOT, "multihot") \
    X(TFIDF, "tfidf")               /* analyzer of ID_LIST; integer[0]: smooth */ \
    X(CLASSES, "classes")           /* analyzer of the label: its distinct values */
/* clang-format on */

enum pen_transform_op {
#define PEN_TRANSFORM_OP_ENUM(name, text) PEN_NODE_##name,
    PEN_TRANSFORM_OP_LIST(PEN_TRANSFORM_OP_ENUM)
#undef PEN_TRANSFORM_OP_ENUM
        PEN_NODE_OP_COUNT
};

enum pen_comparison { PEN_EQ, PEN_NE, PEN_LT, PEN_LE, PEN_GT, PEN_GE };
/* Of one group's finite values. An inverse is what a difference is multiplied by: 1 over the deviation, the range, the
 * range of the quartiles; where that is not finite, 1, 0 and 1. */
enum pen_statistic {
    PEN_STATISTIC_MEAN,
    PEN_STATISTIC_STD,
    PEN_STATISTIC_VAR,
    PEN_STATISTIC_MIN,
    PEN_STATISTIC_MAX,
    PEN_STATISTIC_SUM,
    PEN_STATISTIC_INVERSE_STD,
    PEN_STATISTIC_INVERSE_RANGE,
    PEN_STATISTIC_MEDIAN, /* from here on by a sketch */
    PEN_STATISTIC_QUANTILE,
    PEN_STATISTIC_INVERSE_QUARTILES
};
enum pen_date_part { PEN_DATE_YEAR, PEN_DATE_MONTH, PEN_DATE_DAY, PEN_DATE_WEEKDAY, PEN_DATE_HOUR, PEN_DATE_MINUTE };

/* What an analyzer found. */
struct pen_analysis {
    bool done;
    double number[2];    /* ZSCORE: mean, scale; MINMAX: min, max; ROBUST: median, scale; constants: [0] */
    int64_t integer;     /* MODE of INT and BOOL */
    const char *text;    /* MODE of STRING; NULL: missing */
    const double *edges; /* BUCKETIZE, RANK; STATISTIC_BY, TFIDF: the value of each id; CLASSES of numbers */
    int64_t n_edges;
    const int64_t *starts; /* BUCKETIZE_BY: [n_groups + 1], the edges of each group */
    int64_t n_groups;
    struct pen_string_table *vocabulary; /* VOCAB: index = id; CLASSES: index = class, in order */
    bool many;                           /* CLASSES: more than PEN_TRANSFORM_MAX_CLASSES distinct values */
};

struct pen_node {
    enum pen_transform_op op;
    enum pen_value_type type;
    int n_arguments;
    int32_t arguments[3];
    double number[2];
    int64_t integer[3];
    const char *text; /* COLUMN's name, strings; NUL-terminated */
    size_t text_bytes;
    const double *list;
    int64_t n_list;
    int32_t input;    /* COLUMN: index among the graph's inputs */
    int32_t analysis; /* analyzers: index among the graph's analyses, else -1 */
    int pass;         /* analysis passes needed before its value is known: 0 without analyzers below */
    int64_t offset;   /* in the expression it was first seen in, for messages */
    const struct pen_syntax_source *source;
};

struct pen_transform_input {
    const char *name;
    enum pen_type type;
    bool in_features; /* false: the label or the weight alone reads it */
    bool fillable;    /* every use is by fill or is_missing */
};

enum pen_output_kind { PEN_OUTPUT_DENSE, PEN_OUTPUT_IDS, PEN_OUTPUT_RAGGED, PEN_OUTPUT_LABEL, PEN_OUTPUT_WEIGHT };

struct pen_transform_output {
    enum pen_output_kind kind;
    const char *name;
    int32_t node;
    int64_t first; /* DENSE: first column; IDS, RAGGED: index among ids */
    int64_t width; /* DENSE: columns */
};

struct pen_transform_feature {
    const char *name;
    const char *expression;
    struct pen_syntax_source source;
    int32_t node;
};

/* Evaluate a node, or hand it to an output (sink >= 0). */
struct pen_step {
    int32_t node;
    int32_t sink;
};

struct pen_program {
    struct pen_step *steps;
    int64_t n_steps;
    int32_t *slots; /* [n_nodes] buffer of the node's values, -1: it has none of its own */
    int64_t n_slots;
};

struct pen_transform_graph {
    struct pen_arena arena;
    struct pen_node *nodes;
    int64_t n_nodes, nodes_capacity;
    int32_t *node_table; /* open addressing over equal nodes */
    int64_t node_table_size;
    struct pen_transform_input *inputs;
    int64_t n_inputs, inputs_capacity;
    struct pen_analysis *analyses;
    int32_t *analysis_nodes;
    int64_t n_analyses, analyses_capacity;
    struct pen_transform_feature *features;
    int64_t n_features;
    struct pen_transform_feature label, weight; /* expression NULL: none */
    enum pen_task task_asked;                   /* NONE: auto */
    const char *positive;                       /* NULL: none given */
    int32_t label_number;                       /* the label as a number, -1: it is a string */
    int32_t classes_node;                       /* CLASSES analyzer of the label, or -1 */
    struct pen_transform_output *outputs;       /* features first, then label, then weight */
    int64_t n_outputs, n_feature_outputs;
    struct pen_tensor_spec spec;
    struct pen_program apply[2]; /* without and with label and weight */
};

/* What the node's analyzer found; an empty one for a node that is no analyzer. */
const struct pen_analysis *pen_node_analysis(const struct pen_transform_graph *graph, const struct pen_node *node);

bool pen_node_is_analyzer(enum pen_transform_op op);
bool pen_node_is_constant(enum pen_transform_op op);
const char *pen_node_op_text(enum pen_transform_op op);
/* Does it pass its first argument's codes through (so that buffer must live as long). */
bool pen_node_shares_codes(enum pen_transform_op op);
/* Ids of an IDS or ID_LIST node lie below this, columns of a DENSE node number this; after its analysis. */
int64_t pen_node_n_values(const struct pen_transform_graph *graph, int32_t node);

/* Adds a node, or finds its equal. On success *index is its number. */
PEN_MUST_USE pen_status pen_graph_add(struct pen_transform_graph *graph, const struct pen_node *node, int32_t *index,
                                      struct pen_error *err);
/* The node as text: "zscore(map(log1p, trip_miles))"; at most a few hundred bytes. */
void pen_graph_describe(const struct pen_transform_graph *graph, int32_t node, struct pen_text *text);

/* The steps that evaluate the given outputs (nodes and their sinks), arguments first, and a buffer for each value,
 * reused once its last reader ran. sinks[i] belongs to roots[i]. Lives in the arena. */
PEN_MUST_USE pen_status pen_program_plan(struct pen_arena *arena, const struct pen_transform_graph *graph,
                                         const int32_t *roots, const int32_t *sinks, int64_t n_roots,
                                         struct pen_program *program, struct pen_error *err);

/* Compiles one expression to a node. columns: what may be named. */
PEN_MUST_USE pen_status pen_graph_compile(struct pen_transform_graph *graph, const struct pen_syntax_source *source,
                                          const struct pen_transform_raw_column *columns, int64_t n_columns,
                                          bool in_features, int32_t *node, struct pen_error *err);

/* All expressions of a request, without analysis: features, label, weight. */
PEN_MUST_USE pen_status pen_graph_build(struct pen_transform_graph **graph, const struct pen_transform_request *request,
                                        struct pen_error *err);
/* Outputs, tensor spec, task and classes, once all analyses are done. */
PEN_MUST_USE pen_status pen_graph_finish(struct pen_transform_graph *graph, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
