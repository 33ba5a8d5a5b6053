/* What a run left, gathered for the pages that show it. */
#ifndef PEN_ORCHESTRATOR_REPORT_GATHER_H
#define PEN_ORCHESTRATOR_REPORT_GATHER_H

#include "core/memory.h"
#include "orchestrator/metadata/metadata.h"
#include "orchestrator/report/parts.h"

/* Texts are borrowed from the metadata, or live in the arena. */
struct pen_page_run {
    struct pen_metadata *metadata;
    struct pen_arena arena;
    const pen_json *run;
    const char *name;
    int64_t n_nodes;
    struct pen_page_node *nodes; /* without logs and links */
    const pen_json **executions; /* [n_nodes] */
};

/* run: its name, or NULL for the newest; PEN_ERR_NOT_FOUND. To be let go of in either case. */
PEN_MUST_USE pen_status pen_page_run_gather(struct pen_page_run *page, struct pen_metadata *metadata, const char *run,
                                            struct pen_error *err);
void pen_page_run_deinit(struct pen_page_run *page);

/* Folder of the run's newest artifact of this type; of one that a failed node left half made, when there is such a
 * thing; NULL. */
const char *pen_page_run_folder(struct pen_page_run *page, const char *type);
/* Path of what a node said in an attempt, and its file's name without .log; NULL: there is none. */
const char *pen_page_run_log(struct pen_page_run *page, const char *node, int64_t attempt, const char **name);

/* When it began, how long it took, on which device, ...: a <dl>. */
void pen_page_facts(struct pen_text *out, const struct pen_page_run *page);
/* links: a prefix of the address of each artifact's page; NULL: no links. */
void pen_page_artifacts(struct pen_text *out, struct pen_page_run *page, const char *links);

#endif
