/* weights.bin: named float32 arrays in a container with nothing to execute.
 *
 *   8 bytes   length of the header, little-endian
 *   header    JSON {name: {dtype: "F32", shape: [rows, dim], offset, crc32c}}; offset counts from the header's end
 *   data      raw little-endian float32, one array after the other
 *
 * Reading trusts nothing: the header's length against the file and 16 MiB, names against those expected (the model's
 * own parameters: no more, no fewer), shapes against the model's, ranges contiguous without hole or overlap and ending
 * with the file, and each array's CRC-32C. Memory was sized by the model, never by the file. */
#ifndef PEN_COMPONENTS_TRAINER_WEIGHTS_FILE_H
#define PEN_COMPONENTS_TRAINER_WEIGHTS_FILE_H

#include "core/status.h"

struct pen_weights_entry {
    const char *name;
    int64_t n_rows, dim;
    float *values;
};

PEN_MUST_USE pen_status pen_weights_write(const char *path, const struct pen_weights_entry *entries, int64_t n_entries,
                                          struct pen_error *err);
PEN_MUST_USE pen_status pen_weights_read(const char *path, const struct pen_weights_entry *entries, int64_t n_entries,
                                         struct pen_error *err);

#endif
