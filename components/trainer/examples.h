/* Training rows in the memory of the device: the validation share, and the rows to train on, whole or a window at a
 * time.
 *
 * A row belongs to validation by the hash of (seed, row number), so the share is the same in every run. One scan of
 * the data measures it (class shares, label mean, dense columns) and keeps the validation rows. When all training
 * rows fit the memory limit the scan keeps them too; else an epoch visits blocks of rows in a permuted order, as many
 * at a time as fit twice (a window, and the next one on its way: windows.h), and batches are drawn at random within the
 * window. Memory: the limit, or two blocks where that is more, plus the validation rows (at most
 * PEN_EXAMPLES_VALIDATION_MAX); on a device of its own, two blocks of pinned host memory, too. */
#ifndef PEN_COMPONENTS_TRAINER_EXAMPLES_H
#define PEN_COMPONENTS_TRAINER_EXAMPLES_H

#include "components/trainer/rows.h"

enum { PEN_EXAMPLES_BLOCK_ROWS = 65536, PEN_EXAMPLES_VALIDATION_MAX = 65536 };

/* Where rows come from: the tensor store of a split, or arrays of a test. */
struct pen_examples_source {
    void *user;
    int64_t n_rows;
    const struct pen_tensor_spec *spec;
    const char *name; /* for messages */
    pen_status (*read)(void *user, int64_t first_row, int64_t n_rows, struct pen_tensor_batch *batch,
                       struct pen_error *err);
};

struct pen_examples {
    struct pen_examples_source source;
    struct pen_exec *exec;
    uint64_t seed;
    double validation_share;
    bool resident;
    int64_t window_blocks, n_blocks;

    struct pen_device_rows validation, resident_rows;
    struct pen_row_block for_validation, for_training; /* rows of one read on their way there */
    struct pen_windows *windows;                       /* NULL: resident */
    const struct pen_device_rows *window;              /* rows to train on */
    int which;                                         /* of the two places where windows lie */

    /* Measured by the scan, over the training rows. */
    int64_t n_train, n_labelled;
    int64_t max_ids_a_row; /* over all rows */
    int64_t *most_ids;     /* [n_ids] of a ragged feature in a block */
    double mean_weight;    /* of labelled rows, 0 counting rows without a label */
    double label_mean, label_std;
    double *class_shares; /* [n_classes]; NULL for regression */
    double *dense_mean, *dense_std;
};

PEN_MUST_USE pen_status pen_examples_create(struct pen_examples **examples, const struct pen_examples_source *source,
                                            double validation_share, int64_t memory_bytes, uint64_t seed,
                                            struct pen_exec *exec, struct pen_error *err);
void pen_examples_destroy(struct pen_examples *examples);

/* By the hash. */
bool pen_examples_is_validation(const struct pen_examples *examples, int64_t row);

/* Windows of an epoch, and one of them, the first one asked for or that which follows the one before: its rows are in
 * examples->window afterwards. */
int64_t pen_examples_n_windows(const struct pen_examples *examples);
PEN_MUST_USE pen_status pen_examples_load_window(struct pen_examples *examples, int64_t epoch, int64_t window,
                                                 struct pen_error *err);

/* Between steps: brings the next window nearer. Waits for nothing. */
PEN_MUST_USE pen_status pen_examples_go_on(struct pen_examples *examples, struct pen_error *err);

#endif
