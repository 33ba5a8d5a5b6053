/* Published test vectors, and every length through both halves of the buffer. */
#include "core/sha256_internal.h"
#include "tests/pen_test.h"

#include <stdlib.h>

static void sha256_matches_fips_180_4(void)
{
    char hex[PEN_SHA256_HEX_BYTES];
    pen_sha256_of("", 0, hex);
    PEN_CHECK_EQ_STR(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    pen_sha256_of("abc", 3, hex);
    PEN_CHECK_EQ_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    pen_sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hex);
    PEN_CHECK_EQ_STR(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = malloc(1000000);
    PEN_REQUIRE(million != NULL);
    memset(million, 'a', 1000000);
    pen_sha256_of(million, 1000000, hex);
    PEN_CHECK_EQ_STR(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void sha256_in_pieces_equals_sha256_at_once(void)
{
    uint8_t data[300];
    for (int i = 0; i < 300; i++) {
        data[i] = (uint8_t)(i * 7 + 3);
    }
    for (size_t size = 0; size < sizeof data; size += 13) {
        char whole[PEN_SHA256_HEX_BYTES];
        pen_sha256_of(data, size, whole);
        for (size_t cut = 0; cut <= size; cut += 11) {
            struct pen_sha256 hash;
            uint8_t digest[PEN_SHA256_BYTES];
            char pieces[PEN_SHA256_HEX_BYTES];
            pen_sha256_init(&hash);
            pen_sha256_update(&hash, data, cut);
            pen_sha256_update(&hash, data + cut, size - cut);
            pen_sha256_final(&hash, digest);
            pen_sha256_hex(digest, pieces);
            PEN_CHECK_EQ_STR(pieces, whole);
        }
    }
}

/* One block, already padded: "abc". */
static void both_ways_of_sha256_agree(void)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    static const uint32_t digest_of_abc[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                              0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
    uint8_t blocks[64 * 8] = {'a', 'b', 'c', 0x80};
    uint32_t plain[8], best[8];
    blocks[63] = 24;
    memcpy(plain, start, sizeof plain);
    memcpy(best, start, sizeof best);
    pen_sha256_rounds_plain(plain, blocks, 1);
    pen_sha256_rounds(best, blocks, 1);
    PEN_CHECK(memcmp(plain, digest_of_abc, sizeof plain) == 0);
    PEN_CHECK(memcmp(best, digest_of_abc, sizeof best) == 0);
    for (int i = 0; i < 64 * 8; i++) {
        blocks[i] = (uint8_t)(i * 37 + i / 64);
    }
    for (size_t n = 0; n <= 8; n++) {
        pen_sha256_rounds_plain(plain, blocks, n);
        pen_sha256_rounds(best, blocks, n);
        PEN_CHECK(memcmp(plain, best, sizeof plain) == 0);
    }
}

static void sha256_of_two_equals_sha256_of_each(void)
{
    uint8_t data[400];
    for (int i = 0; i < 400; i++) {
        data[i] = (uint8_t)(i * 11 + 5);
    }
    for (size_t a = 0; a < 200; a += 7) {
        for (size_t b = 0; b < 200; b += 9) {
            const void *const messages[2] = {data, data + 200};
            const size_t sizes[2] = {a, b};
            uint8_t digests[2][PEN_SHA256_BYTES];
            pen_sha256_pair(messages, sizes, digests);
            for (int m = 0; m < 2; m++) {
                char one[PEN_SHA256_HEX_BYTES], pair[PEN_SHA256_HEX_BYTES];
                pen_sha256_of(messages[m], sizes[m], one);
                pen_sha256_hex(digests[m], pair);
                PEN_CHECK_EQ_STR(pair, one);
            }
        }
    }
}

static void crc32c_matches_rfc_3720(void)
{
    uint8_t block[32] = {0};
    PEN_CHECK_EQ_I64(pen_crc32c(0, block, 32), 0x8a9136aa);
    memset(block, 0xff, 32);
    PEN_CHECK_EQ_I64(pen_crc32c(0, block, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++) {
        block[i] = (uint8_t)i;
    }
    PEN_CHECK_EQ_I64(pen_crc32c(0, block, 32), 0x46dd794e);
    PEN_CHECK_EQ_I64(pen_crc32c(pen_crc32c(0, block, 13), block + 13, 19), 0x46dd794e);
}

static void murmur3_matches_its_published_vectors(void)
{
    static const struct {
        const char *text;
        uint32_t seed;
        uint32_t hash;
    } vectors[] = {
        {"", 0, 0x00000000},
        {"", 1, 0x514e28b7},
        {"abc", 0, 0xb3dd93fa},
        {"Hello, world!", 0, 0xc0363e43},
        {"aaaa", 0x9747b28c, 0x5a97808a},
        {"\xc3\xbc", 0, 0x7840e6aa},
        {"\xe6\x9d\xb1\xe4\xba\xac", 0, 0x96bf1142},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        PEN_CHECK_EQ_I64(pen_murmur3_32(vectors[i].text, strlen(vectors[i].text), vectors[i].seed), vectors[i].hash);
    }
}

PEN_SUITE(hash, PEN_CASE(sha256_matches_fips_180_4), PEN_CASE(sha256_in_pieces_equals_sha256_at_once),
          PEN_CASE(both_ways_of_sha256_agree), PEN_CASE(sha256_of_two_equals_sha256_of_each),
          PEN_CASE(crc32c_matches_rfc_3720), PEN_CASE(murmur3_matches_its_published_vectors));
