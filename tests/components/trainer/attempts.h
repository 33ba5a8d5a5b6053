/* Trainings in processes of their own, which may die: what they come to lies in files of the case's folder. */
#ifndef PEN_TESTS_COMPONENTS_TRAINER_ATTEMPTS_H
#define PEN_TESTS_COMPONENTS_TRAINER_ATTEMPTS_H

#include "tests/components/trainer/arrays.h"

#include <sys/types.h>

enum death { DEATH_NONE, DEATH_KILL, DEATH_STOP };

/* Dies after some steps of the process: kills itself, or is asked to stop. */
struct dying {
    enum death death;
    int64_t after;
};

struct bench {
    struct arrays arrays;
    struct pen_training_options options;
    struct pen_training_checkpoints checkpoints;
    char folder[4096];
    pen_json *configuration;
};

/* Dropout, batch normalisation, averaged weights, validation and early stopping: everything that has a state.
 * Checkpoints at every step when options.checkpoints is set. */
void bench_init(struct bench *bench, int64_t n_rows, int64_t steps);
void bench_deinit(struct bench *bench);

/* What the training comes to goes into the file `to`: steps, best step, validation loss, weights. On several ranks rank
 * 0 is the one that dies, and rank r writes `to`.r. Returns the exit status of rank 0, or minus the signal. */
pid_t attempt_start(struct bench *bench, struct dying dying, const char *to);
int attempt_finish(pid_t attempt);
int attempt_once(struct bench *bench, struct dying dying, const char *to);
int attempt_on_ranks(struct bench *bench, int n_ranks, struct dying dying, const char *to);

/* A file of the case's folder; owned by the caller. */
void attempt_read(const char *name, struct pen_text *bytes);
/* Both are there and equal. */
void attempts_agree(const char *one, const char *other);

#endif
