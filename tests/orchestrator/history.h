/* Made-up histories of a root, of the shape and size real ones have: for tests and for bench/journal. */
#ifndef PEN_TESTS_ORCHESTRATOR_HISTORY_H
#define PEN_TESTS_ORCHESTRATOR_HISTORY_H

#include "orchestrator/metadata/metadata.h"

enum { HISTORY_NODES = 9 };

/* n_runs more runs of HISTORY_NODES nodes each, through the journal, each record synced. */
pen_status history_write(struct pen_metadata *metadata, int64_t n_runs, struct pen_error *err);

/* A root with n_runs runs in one segment, written in one go: for histories of 100,000 executions. */
pen_status history_write_fast(const char *root, int64_t n_runs, struct pen_error *err);

/* Every run's executions are there without a gap, but for a run that was cut short. */
pen_status history_check(struct pen_metadata *metadata, struct pen_error *err);

#endif
