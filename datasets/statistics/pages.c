/* Pages from the system for what is large, the heap for the rest (pages.h). */
#include "datasets/statistics/pages.h"

#include "core/memory.h"

#include <sys/mman.h>

enum { LEAST_BYTES = 1 << 20 }; /* smaller arrays would only use up the system's list of mappings */

pen_status pen_pages_alloc(void **memory, int64_t size_bytes, struct pen_error *err)
{
    if (size_bytes < LEAST_BYTES) {
        char *bytes = NULL;
        PEN_ALLOC(bytes, size_bytes, err);
        *memory = bytes;
        return PEN_OK;
    }
    void *pages = mmap(NULL, (size_t)size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: asked for %lld bytes", (long long)size_bytes);
    }
    *memory = pages;
    return PEN_OK;
}

void pen_pages_free(void *memory, int64_t size_bytes)
{
    if (memory == NULL || size_bytes < LEAST_BYTES) {
        pen_free(memory);
    } else {
        (void)munmap(memory, (size_t)size_bytes);
    }
}
