/* Bytes made ahead of their reader by a thread of their own: a decompressor works while rows are parsed. */
#ifndef PEN_DATASETS_CSV_AHEAD_H
#define PEN_DATASETS_CSV_AHEAD_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills buffer up to size unless the bytes end; with an error, *got bytes before it count. */
typedef pen_status pen_csv_make_fn(void *user, char *buffer, int64_t size, int64_t *got, struct pen_error *err);

/* At most PEN_CSV_AHEAD_BUFFERS * PEN_CSV_AHEAD_BYTES are made and not yet read. */
enum { PEN_CSV_AHEAD_BUFFERS = 3, PEN_CSV_AHEAD_BYTES = 1 << 20 };

struct pen_csv_ahead;
/* Starts the thread; until the close nobody else may use what `user` stands for. */
PEN_MUST_USE pen_status pen_csv_ahead_open(struct pen_csv_ahead **ahead, pen_csv_make_fn *make, void *user,
                                           struct pen_error *err);
/* Fills buffer up to size; fewer bytes only at the end. An error of `make` comes when the bytes before it are read. */
PEN_MUST_USE pen_status pen_csv_ahead_read(struct pen_csv_ahead *ahead, char *buffer, int64_t size, int64_t *got,
                                           struct pen_error *err);
void pen_csv_ahead_close(struct pen_csv_ahead *ahead); /* NULL: nothing. Waits for the buffer being made, no more */

#ifdef __cplusplus
}
#endif

#endif
