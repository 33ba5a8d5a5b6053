/* The list of targets, in the order of the help. */
#include "orchestrator/export/targets.h"

const struct pen_export_target *const pen_export_targets[] = {
    &pen_export_slurm,
    &pen_export_make,
    &pen_export_dvc,
    NULL,
};
