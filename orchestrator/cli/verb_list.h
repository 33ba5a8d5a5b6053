/* Every verb, once, in the order of `penstock --help`. X(name): the verb is pen_verb_<name>, in a file of its own or
 * with its like (history.c). */
#ifndef PEN_ORCHESTRATOR_CLI_VERB_LIST_H
#define PEN_ORCHESTRATOR_CLI_VERB_LIST_H

/* clang-format off */
#define PEN_VERB_LIST(X) \
    X(train) \
    X(init) \
    X(plan) \
    X(run) \
    X(step) \
    X(show) \
    X(report) \
    X(component) \
    X(export) \
    X(predict) \
    X(runs) \
    X(status) \
    X(logs) \
    X(note) \
    X(why) \
    X(diff) \
    X(artifacts) \
    X(lineage) \
    X(metadata) \
    X(gc) \
    X(schedule) \
    X(ui) \
    X(doctor) \
    X(generate) \
    X(rank) \
    X(version)
/* clang-format on */

#endif
