/* The checkpoints of one training: a folder of files step-<12 digits>.checkpoint, complete or absent.
 *
 * One is written under another name, synced, read back and checked, and only then renamed into place and older ones
 * removed, but for the newest `keep`. The newest that is whole is where training goes on: one that is damaged gets the
 * suffix .damaged and a warning that names it and the one used in its place. A checkpoint belongs to a configuration,
 * everything the result depends on (options, data, device, version), so that going on gives the same bits as never
 * having stopped; one of another configuration is an error that says what differs when the user asked to resume, else
 * it is removed with a warning. */
#ifndef PEN_COMPONENTS_TRAINER_CHECKPOINT_H
#define PEN_COMPONENTS_TRAINER_CHECKPOINT_H

#include "components/trainer/checkpoint_file.h"

struct pen_checkpoints {
    const char *folder; /* need not exist yet */
    const pen_json *configuration;
    int64_t keep; /* at least 1 */
    bool resume;
};

PEN_MUST_USE pen_status pen_checkpoints_save(const struct pen_checkpoints *checkpoints, int64_t step,
                                             const pen_json *state, const struct pen_checkpoint_array *arrays,
                                             int64_t n_arrays, struct pen_exec *exec, struct pen_error *err);

/* *state (the caller's to free) is that of the newest whole one, whose arrays are filled; NULL: none, arrays as they
 * were. */
PEN_MUST_USE pen_status pen_checkpoints_load(const struct pen_checkpoints *checkpoints, pen_json **state,
                                             const struct pen_checkpoint_array *arrays, int64_t n_arrays,
                                             struct pen_exec *exec, struct pen_error *err);

#endif
