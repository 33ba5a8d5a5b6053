/* The compression function of SHA-256, for tests of both of its ways. */
#ifndef PEN_CORE_SHA256_INTERNAL_H
#define PEN_CORE_SHA256_INTERNAL_H

#include "core/hash.h"

/* n_blocks blocks of 64 bytes into the state; pen_sha256_rounds takes the processor's instructions where it has them.
 */
void pen_sha256_rounds(uint32_t state[8], const uint8_t *data, size_t n_blocks);
void pen_sha256_rounds_plain(uint32_t state[8], const uint8_t *data, size_t n_blocks);

#endif
