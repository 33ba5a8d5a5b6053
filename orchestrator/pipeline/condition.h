/* Conditions over named values: `when:` of a node, `--where` of a query.
 *
 *   evaluator.blessed          auc > 0.8 and not (rows < 1000 or split == 'eval')
 *
 * A name is letters, digits, '_', '-' and '.'; a value is a number, a text in '...' or "...", true or false. From weak
 * to strong: or, and, not, then == != < <= > >=. Only equal kinds compare, truth values for equality alone; what stands
 * by itself has to be a truth value. One side of `and` or `or` may decide alone, whatever the other one lacks. */
#ifndef PEN_ORCHESTRATOR_PIPELINE_CONDITION_H
#define PEN_ORCHESTRATOR_PIPELINE_CONDITION_H

#include "core/json.h"
#include "core/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_CONDITION_DEPTH = 32, PEN_CONDITION_NAMES = 64 };

struct pen_condition_node;

struct pen_condition {
    const char *text;
    const struct pen_condition_node *top;
    int64_t n_names;
    const char *names[PEN_CONDITION_NAMES]; /* that it reads, in order, each as often as it stands there */
    int64_t name_at[PEN_CONDITION_NAMES];   /* its first character in the text, counted from 1 */
};

/* PEN_ERR_CONFIG: "condition 'auc > or b': expected a value at character 7, 'or b'". All is in the arena. */
PEN_MUST_USE pen_status pen_condition_parse(struct pen_arena *arena, const char *text, struct pen_condition *condition,
                                            struct pen_error *err);

/* The value of a name, borrowed; NULL: there is none. */
typedef const pen_json *pen_condition_lookup(void *user, const char *name);

/* PEN_ERR_NOT_FOUND: a name that decides has no value. PEN_ERR_DATA: two values that do not compare. */
PEN_MUST_USE pen_status pen_condition_holds(const struct pen_condition *condition, pen_condition_lookup *lookup,
                                            void *user, bool *holds, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
