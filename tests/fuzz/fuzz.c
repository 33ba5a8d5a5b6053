/* What all targets share: libFuzzer's entry, and bytes as a file. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    pen_fuzz((const char *)bytes, size_bytes);
    return 0;
}

static char path[64];

static void remove_file(void)
{
    (void)unlink(path);
}

const char *pen_fuzz_file(const char *bytes, size_t size_bytes)
{
    if (path[0] == '\0') {
        (void)snprintf(path, sizeof path, "fuzz-input-%ld", (long)getpid());
        (void)atexit(remove_file);
    }
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(bytes, 1, size_bytes, file) != size_bytes || fclose(file) != 0) {
        perror(path);
        abort();
    }
    return path;
}
