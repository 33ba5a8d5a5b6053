/* CRC-32C, MurmurHash3_x86_32, the table hash, and SHA-256 conveniences (its rounds: sha256.c). */
#include "core/hash.h"

#include "core/files.h"
#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* ---- CRC-32C ---- */

static uint32_t crc32c_bytewise(uint32_t crc, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0x82F63B78U & (0U - (crc & 1U)));
        }
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse(uint32_t crc, const uint8_t *bytes, size_t size)
{
    uint64_t wide = crc;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    for (; i < size; i++) {
        narrow = _mm_crc32_u8(narrow, bytes[i]);
    }
    return narrow;
}
#endif

uint32_t pen_crc32c(uint32_t previous, const void *bytes, size_t size_bytes)
{
    uint32_t crc = ~previous;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return ~crc32c_sse(crc, bytes, size_bytes);
    }
#endif
    return ~crc32c_bytewise(crc, bytes, size_bytes);
}

/* ---- MurmurHash3_x86_32 (Appleby; definition in the public domain) ---- */

static uint32_t rotate_left(uint32_t x, int r)
{
    return (x << r) | (x >> (32 - r));
}

uint32_t pen_murmur3_32(const void *bytes, size_t size_bytes, uint32_t seed)
{
    const uint8_t *data = bytes;
    const uint32_t c1 = 0xcc9e2d51U;
    const uint32_t c2 = 0x1b873593U;
    uint32_t h = seed;
    size_t i = 0;
    for (; i + 4 <= size_bytes; i += 4) {
        uint32_t k =
            (uint32_t)data[i] | (uint32_t)data[i + 1] << 8 | (uint32_t)data[i + 2] << 16 | (uint32_t)data[i + 3] << 24;
        h ^= rotate_left(k * c1, 15) * c2;
        h = rotate_left(h, 13) * 5 + 0xe6546b64U;
    }
    uint32_t tail = 0;
    for (size_t j = size_bytes; j > i; j--) {
        tail = tail << 8 | data[j - 1];
    }
    if (i < size_bytes) {
        h ^= rotate_left(tail * c1, 15) * c2;
    }
    h ^= (uint32_t)size_bytes;
    h = (h ^ (h >> 16)) * 0x85ebca6bU;
    h = (h ^ (h >> 13)) * 0xc2b2ae35U;
    return h ^ (h >> 16);
}

/* ---- table hash: eight bytes a step, folded by a 128-bit product ---- */

__extension__ typedef unsigned __int128 uint128;

static uint64_t fold(uint64_t a, uint64_t b)
{
    uint128 product = (uint128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The last left < 8 of size bytes by loads of fixed size, which may overlap what came before. */
static uint64_t tail(const uint8_t *at, size_t left, size_t size)
{
    uint64_t word = 0;
    if (size >= 8) {
        memcpy(&word, at + left - 8, 8);
    } else if (left >= 4) {
        uint32_t first = 0, last = 0;
        memcpy(&first, at, 4);
        memcpy(&last, at + left - 4, 4);
        word = (uint64_t)first << 32 | last;
    } else {
        word = (uint64_t)at[0] << 16 | (uint64_t)at[left / 2] << 8 | at[left - 1];
    }
    return word;
}

uint64_t pen_hash64(const void *bytes, size_t size_bytes)
{
    const uint8_t *data = bytes;
    uint64_t h = 0x9E3779B97F4A7C15ULL ^ size_bytes;
    size_t i = 0;
    uint64_t word = 0;
    for (; i + 8 <= size_bytes; i += 8) {
        memcpy(&word, data + i, 8);
        h = fold(h ^ word, 0xD6E8FEB86659FD93ULL);
    }
    if (i < size_bytes) {
        h = fold(h ^ tail(data + i, size_bytes - i, size_bytes), 0xD6E8FEB86659FD93ULL);
    }
    return fold(h ^ 0xA0761D6478BD642FULL, 0xE7037ED1A0B428DBULL);
}

/* ---- SHA-256 conveniences ---- */

void pen_sha256_hex(const uint8_t digest[PEN_SHA256_BYTES], char hex[PEN_SHA256_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < PEN_SHA256_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * PEN_SHA256_BYTES] = '\0';
}

void pen_sha256_of(const void *bytes, size_t size_bytes, char hex[PEN_SHA256_HEX_BYTES])
{
    struct pen_sha256 hash;
    uint8_t digest[PEN_SHA256_BYTES];
    pen_sha256_init(&hash);
    pen_sha256_update(&hash, bytes, size_bytes);
    pen_sha256_final(&hash, digest);
    pen_sha256_hex(digest, hex);
}

pen_status pen_sha256_fd(int fd, const char *path, int copy_to, const char *copy_path, char hex[PEN_SHA256_HEX_BYTES],
                         struct pen_error *err)
{
    enum { PIECE = 1 << 18 };
    pen_status status = PEN_OK;
    struct pen_sha256 hash;
    uint8_t digest[PEN_SHA256_BYTES];
    char *piece = pen_malloc(PIECE, 1);
    if (piece == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: hashing %s", path);
    }
    pen_sha256_init(&hash);
    for (;;) {
        ssize_t got = read(fd, piece, PIECE);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
        }
        if (got == 0) {
            break;
        }
        pen_sha256_update(&hash, piece, (size_t)got);
        if (copy_to >= 0) {
            PEN_TRY_GOTO(cleanup, pen_fd_write(copy_to, piece, (size_t)got, copy_path, err));
        }
    }
    pen_sha256_final(&hash, digest);
    pen_sha256_hex(digest, hex);
cleanup:
    pen_free(piece);
    return status;
}

pen_status pen_sha256_file(const char *path, char hex[PEN_SHA256_HEX_BYTES], struct pen_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        PEN_FAIL(err, pen_status_from_errno(errno), "%s: cannot open: %s", path, strerror(errno));
    }
    pen_status status = pen_sha256_fd(fd, path, -1, NULL, hex, err);
    (void)close(fd);
    return status;
}
