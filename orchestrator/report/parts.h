/* The sections of a report, each from the document it shows. Members that are not there are left out of the page. */
#ifndef PEN_ORCHESTRATOR_REPORT_PARTS_H
#define PEN_ORCHESTRATOR_REPORT_PARTS_H

#include "core/json.h"
#include "core/text.h"

/* One execution of the run, in the order they ended. */
struct pen_page_node {
    const char *name, *status, *message;
    int64_t attempt;        /* at the node, from 1 */
    double begin, seconds;  /* begin: from the start of the run */
    const pen_json *inputs; /* {port: artifact id} */
    const char *log;        /* text; NULL: none */
    const char *link;       /* where its name leads; NULL: nowhere */
};

/* What the nodes did and when (a table and a Gantt chart); who depends on whom (a graph of the
 * last execution of each). */
void pen_page_nodes(struct pen_text *out, const struct pen_page_node *nodes, int64_t n_nodes);
void pen_page_graph(struct pen_text *out, const struct pen_page_node *executions, int64_t n_executions);
void pen_page_logs(struct pen_text *out, const struct pen_page_node *nodes, int64_t n_nodes);

void pen_page_statistics(struct pen_text *out, const pen_json *statistics);
void pen_page_schema(struct pen_text *out, const char *yaml);
void pen_page_anomalies(struct pen_text *out, const pen_json *anomalies);
PEN_MUST_USE pen_status pen_page_curves(struct pen_text *out, const pen_json *curves, struct pen_error *err);
PEN_MUST_USE pen_status pen_page_evaluation(struct pen_text *out, const pen_json *evaluation, struct pen_error *err);

/* ---- artifact.c: an artifact by its type (components/component.h) and folder ---- */

/* Is its file there? */
bool pen_page_has_artifact(const char *type, const char *folder);
/* Its section, from the file that says what it is: charts and tables, or the document itself. PEN_ERR_NOT_FOUND for a
 * type of a component that is not ours. */
PEN_MUST_USE pen_status pen_page_artifact(struct pen_text *out, const char *type, const char *folder,
                                          struct pen_error *err);

#endif
