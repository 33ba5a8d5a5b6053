/* The real program as a test sees it: started in a folder, its two streams and its exit code taken. */
#ifndef PEN_TESTS_ORCHESTRATOR_PROGRAM_H
#define PEN_TESTS_ORCHESTRATOR_PROGRAM_H

#include "core/text.h"

#include <sys/types.h>

struct program_result {
    int exit_code; /* 128 + number when a signal ended it */
    struct pen_text out, err;
};

/* Starts `penstock LINE` in the folder; the line is split at spaces, but for what stands in '...'. Its streams go to
 * files called said.out and said.err there. */
pid_t program_start(const char *folder, const char *line);
/* Waits for it and reads the streams. */
void program_finish(const char *folder, pid_t child, struct program_result *result);
/* Both in one. */
void program_run(const char *folder, const char *line, struct program_result *result);
void program_deinit(struct program_result *result);

/* Whether ranks can be started by mpirun; sets what OpenMPI wants of the environment. */
bool program_has_mpirun(void);

/* The text with the folder's path as DIR, UTC times as TIME, and measured numbers (two or more digits after the point)
 * as #. */
void program_mask(const struct pen_text *text, const char *folder, struct pen_text *masked);

#endif
