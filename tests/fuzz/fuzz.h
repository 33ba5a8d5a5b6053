/* A fuzz target: one file that defines pen_fuzz, which gives bytes to a parser and must return, whatever they are.
 *
 * Built by clang with PEN_FUZZ=ON (`./dev fuzz`) libFuzzer makes the bytes; in every other build replay.c runs the
 * target over the stored ones in seeds/, as a test. */
#ifndef PEN_TESTS_FUZZ_FUZZ_H
#define PEN_TESTS_FUZZ_FUZZ_H

#include "core/files.h"

void pen_fuzz(const char *bytes, size_t size_bytes);

/* The bytes as a file of this process's own, for what reads paths; the same path every time. */
const char *pen_fuzz_file(const char *bytes, size_t size_bytes);

#endif
