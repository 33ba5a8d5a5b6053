/* Hashes, each for one purpose.
 *
 *   SHA-256             identity of content: artifacts, cache keys, TFX's split rule (FIPS 180-4)
 *   CRC-32C             accidents in journal and checkpoint (Castagnoli polynomial, RFC 3720)
 *   MurmurHash3_x86_32  the transform language's hash(), because ONNX Runtime has the same (Appleby, public domain)
 *   pen_hash64          in-memory tables only; never stored (its value may change between versions) */
#ifndef PEN_CORE_HASH_H
#define PEN_CORE_HASH_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_SHA256_BYTES = 32, PEN_SHA256_HEX_BYTES = 65 };

struct pen_sha256 {
    uint32_t state[8];
    uint64_t size_bytes;
    uint8_t block[64];
};

PEN_API void pen_sha256_init(struct pen_sha256 *hash);
PEN_API void pen_sha256_update(struct pen_sha256 *hash, const void *bytes, size_t size_bytes);
PEN_API void pen_sha256_final(struct pen_sha256 *hash, uint8_t digest[PEN_SHA256_BYTES]);
/* Digests of two messages, in little more than the time of one where the processor has SHA instructions. */
PEN_API void pen_sha256_pair(const void *const messages[2], const size_t sizes[2],
                             uint8_t digests[2][PEN_SHA256_BYTES]);
PEN_API void pen_sha256_hex(const uint8_t digest[PEN_SHA256_BYTES], char hex[PEN_SHA256_HEX_BYTES]);
PEN_API void pen_sha256_of(const void *bytes, size_t size_bytes, char hex[PEN_SHA256_HEX_BYTES]);
/* From where fd stands to its end; with copy_to >= 0 what is hashed is written there too. The paths are for messages.
 */
PEN_API PEN_MUST_USE pen_status pen_sha256_fd(int fd, const char *path, int copy_to, const char *copy_path,
                                              char hex[PEN_SHA256_HEX_BYTES], struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_sha256_file(const char *path, char hex[PEN_SHA256_HEX_BYTES],
                                                struct pen_error *err);

PEN_API uint32_t pen_crc32c(uint32_t previous, const void *bytes, size_t size_bytes); /* start with 0 */
PEN_API uint32_t pen_murmur3_32(const void *bytes, size_t size_bytes, uint32_t seed);
PEN_API uint64_t pen_hash64(const void *bytes, size_t size_bytes);

#ifdef __cplusplus
}
#endif

#endif
