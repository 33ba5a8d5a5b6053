/* The list of targets, in the order of the help. */
#include "orchestrator/export/targets.h"

const struct pen_export_target *const pen_export_targets[] = {
    &pen_export_airflow, &pen_export_kubeflow, &pen_export_vertex, &pen_export_beam, &pen_export_argo,
    &pen_export_mpijob,  &pen_export_slurm,    &pen_export_make,   &pen_export_dvc,  NULL,
};
