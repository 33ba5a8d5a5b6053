/* Published test vectors, and every length through both halves of the buffer. */
#include "core/hash.h"
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
          PEN_CASE(crc32c_matches_rfc_3720), PEN_CASE(murmur3_matches_its_published_vectors));
