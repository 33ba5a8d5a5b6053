/* The targets, one file each; the list is in export.c. */
#ifndef PEN_ORCHESTRATOR_EXPORT_TARGETS_H
#define PEN_ORCHESTRATOR_EXPORT_TARGETS_H

#include "orchestrator/export/export.h"

extern const struct pen_export_target pen_export_airflow, pen_export_kubeflow, pen_export_vertex, pen_export_beam,
    pen_export_argo, pen_export_mpijob, pen_export_slurm, pen_export_make, pen_export_dvc;

#endif
