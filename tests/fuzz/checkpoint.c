/* Checkpoints: refused, or read. The bytes are tried as they are, and as what stands before a checksum that fits: else
 * nothing made up would get past it. */
#include "components/trainer/checkpoint_file.h"

#include "core/hash.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { MOST_BYTES = 1 << 20, MOST_ARRAYS = 8 };

static void try_file(const char *bytes, size_t size_bytes)
{
    const char *path = pen_fuzz_file(bytes, size_bytes);
    struct pen_checkpoint_array arrays[MOST_ARRAYS];
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *about = NULL;
    if (pen_checkpoint_file_check(path, &about, &err) != PEN_OK) {
        PEN_ASSERT(err.message[0] != '\0' && strchr(err.message, '\n') == NULL);
        return;
    }
    const pen_json *list = pen_json_get(about, "arrays");
    char *memory = pen_calloc(MOST_BYTES, 1);
    int64_t n = 0;
    for (; n < pen_json_size(list) && n < MOST_ARRAYS; n++) {
        const pen_json *entry = pen_json_at(list, n);
        arrays[n] = (struct pen_checkpoint_array){pen_json_string_or(pen_json_get(entry, "name"), ""), memory,
                                                  pen_json_int_or(pen_json_get(entry, "bytes"), 0)};
        PEN_ASSERT(arrays[n].size_bytes <= (int64_t)size_bytes);
    }
    if (size_bytes <= MOST_BYTES && n == pen_json_size(list)) {
        PEN_ASSERT(pen_checkpoint_file_read(path, about, arrays, n, pen_exec_cpu(), &err) == PEN_OK);
    }
    pen_free(memory);
    pen_json_free(about);
}

void pen_fuzz(const char *bytes, size_t size_bytes)
{
    uint32_t sum = pen_crc32c(0, bytes, size_bytes);
    char *summed = pen_malloc((int64_t)size_bytes + 4, 1);
    PEN_ASSERT(summed != NULL);
    memcpy(summed, bytes, size_bytes);
    for (int i = 0; i < 4; i++) {
        summed[size_bytes + (size_t)i] = (char)(uint8_t)(sum >> (8 * i));
    }
    try_file(bytes, size_bytes);
    try_file(summed, size_bytes + 4);
    pen_free(summed);
}
