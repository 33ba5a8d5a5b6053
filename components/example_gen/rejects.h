/* rejects.csv: the rows that could not be read, with file, line and reason, for whoever mends them. Written in
 * CSV itself; nothing is kept in memory. The file exists only when a row was set aside. */
#ifndef PEN_COMPONENTS_EXAMPLE_GEN_REJECTS_H
#define PEN_COMPONENTS_EXAMPLE_GEN_REJECTS_H

#include "datasets/csv/csv.h"

#include <stdio.h>

struct pen_rejects {
    const char *path;
    FILE *file; /* NULL until the first row */
    int64_t n_rows;
    bool failed;
    long first; /* where the first row begins */
    long start; /* where this input's rows begin: an input that restarts writes them again */
    int64_t n_before;
};

void pen_rejects_on_row(void *rejects, const struct pen_csv_reject *row); /* a pen_csv_reject_fn */
void pen_rejects_begin_input(struct pen_rejects *rejects);
void pen_rejects_rewind(struct pen_rejects *rejects); /* all inputs begin again */
void pen_rejects_restart_input(struct pen_rejects *rejects);
PEN_MUST_USE pen_status pen_rejects_close(struct pen_rejects *rejects, struct pen_error *err);

#endif
