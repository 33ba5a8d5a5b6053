/* The real program on a device of the shim (tests/shim), started in the folder of the case. */
#ifndef PEN_TESTS_DEVICE_SHIM_RUN_H
#define PEN_TESTS_DEVICE_SHIM_RUN_H

#include "tests/orchestrator/program.h"

bool shim_is_built(void);

/* Sets what a program on the device is told by, for one that the test starts itself. */
void shim_environment(int order);

/* Runs the line on the device in an order of blocks and threads, or on the CPU (order 0). One thread: the others of
 * Transform would open queues of their own, and the shim serves one thread. */
void shim_run(struct program_result *result, int order, const char *line);

/* pattern: the line, with @ for the device (also the names of what it writes). */
void shim_expect_success(int order, const char *pattern, const char *device);

struct shim_metric {
    const char *name;
    double bound;
};

/* Of the last evaluations below two roots. metrics: ends with a NULL name. fields: what an evaluation has of a metric,
 * ends with NULL. */
void shim_compare_evaluations(const char *cpu_root, const char *cuda_root, const struct shim_metric *metrics,
                              const char *const *fields);

/* A file of the newest artifact of a port ("trainer/model") under a root of the case's folder. */
void shim_read_output(const char *root, const char *port, const char *file, struct pen_text *text);

/* Whether it is there under both roots, and the same. */
bool shim_same_outputs(const char *a_root, const char *b_root, const char *port, const char *file);

#endif
