/* A checkpoint on disk: arrays of device memory and a JSON object that says what they are; nothing to execute.
 *
 *   8 bytes   "PENCHK01"
 *   8 bytes   length of the header, little-endian
 *   header    JSON: the caller's object, and arrays: [{name, bytes}, ...]
 *   arrays    one after the other, as they lie in memory
 *   4 bytes   CRC-32C of all before, little-endian
 *
 * Checking trusts nothing: the header's length against the file and 64 MiB, the checksum before the header is parsed,
 * the arrays' sizes against the file. Memory for them is the reader's, sized before the file was opened. */
#ifndef PEN_COMPONENTS_TRAINER_CHECKPOINT_FILE_H
#define PEN_COMPONENTS_TRAINER_CHECKPOINT_FILE_H

#include "core/json.h"
#include "kernels/exec.h"

struct pen_checkpoint_array {
    const char *name;
    void *memory; /* of the device */
    int64_t size_bytes;
};

/* Creates or overwrites path and syncs it. */
PEN_MUST_USE pen_status pen_checkpoint_file_write(const char *path, const pen_json *about,
                                                  const struct pen_checkpoint_array *arrays, int64_t n_arrays,
                                                  struct pen_exec *exec, struct pen_error *err);

/* Reads every byte once; *about is the header, the caller's to free. PEN_ERR_DATA: cut short, or damaged. */
PEN_MUST_USE pen_status pen_checkpoint_file_check(const char *path, pen_json **about, struct pen_error *err);

/* Fills the arrays from a file that was checked, whose header is `about`; it must hold these arrays and no others. */
PEN_MUST_USE pen_status pen_checkpoint_file_read(const char *path, const pen_json *about,
                                                 const struct pen_checkpoint_array *arrays, int64_t n_arrays,
                                                 struct pen_exec *exec, struct pen_error *err);

#endif
