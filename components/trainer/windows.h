/* Windows over rows that do not fit the memory of the device: one is trained on while the next one is read and copied.
 *
 * An epoch visits blocks of PEN_EXAMPLES_BLOCK_ROWS rows in a permuted order, as many at a time as a window holds. A
 * thread reads blocks ahead into pinned host memory, two of them in turn; the thread that trains hands each one to a
 * queue of its own on the device (pen_exec_second), where it is copied beside the steps, into the window that is not
 * trained on. So which rows a window has, and where, depends on the seed and the epoch alone. */
#ifndef PEN_COMPONENTS_TRAINER_WINDOWS_H
#define PEN_COMPONENTS_TRAINER_WINDOWS_H

#include "components/trainer/examples.h"

struct pen_windows;

/* Memory of the device and the host is taken here, for good. `examples` has been scanned, and outlives the windows; its
 * source is read by the windows alone from now on. */
PEN_MUST_USE pen_status pen_windows_open(struct pen_windows **windows, const struct pen_examples *examples,
                                         struct pen_error *err);
void pen_windows_close(struct pen_windows *windows); /* NULL: nothing */

/* Waits for a window of an epoch, the first one or that which follows the one before; the next one begins to come. Ends
 * with the work on the window before. *which: 0 or 1, where its rows lie. */
PEN_MUST_USE pen_status pen_windows_next(struct pen_windows *windows, const struct pen_device_rows **rows, int *which,
                                         int64_t epoch, int64_t window, struct pen_error *err);

/* Hands over what was read meanwhile. Waits for nothing. */
PEN_MUST_USE pen_status pen_windows_go_on(struct pen_windows *windows, struct pen_error *err);

#endif
