/* Memory: checked allocation and an arena whose blocks are freed together.
 *
 * PEN_ALLOC and PEN_GROW fill err with the bytes asked for. The arena suits everything that lives as long as one
 * object (a parsed file, a graph, a schema): its strings and nodes need no free of their own. */
#ifndef PEN_CORE_MEMORY_H
#define PEN_CORE_MEMORY_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* count * size bytes, zeroed, 64-byte aligned; NULL when memory is short or the product overflows. count = 0 gives
 * a valid pointer. Free with pen_free (NULL is fine). */
PEN_API void *pen_calloc(int64_t count, size_t size);
PEN_API void pen_free(void *memory);

/* The same, not zeroed: for large buffers that are written before they are read. */
PEN_API void *pen_malloc(int64_t count, size_t size);

/* Grows *memory to at least `needed` elements (doubling); *capacity is updated. New elements are not initialised. */
PEN_API PEN_MUST_USE pen_status pen_grow(void **memory, int64_t *capacity, int64_t needed, size_t size,
                                         struct pen_error *err);

#define PEN_ALLOC_GOTO(label, pointer, count, err)                                                                     \
    do {                                                                                                               \
        (pointer) = pen_calloc((int64_t)(count), sizeof *(pointer));                                                   \
        if ((pointer) == NULL) {                                                                                       \
            PEN_FAIL_GOTO(label, err, PEN_ERR_MEMORY, "out of memory: asked for %lld x %zu bytes", (long long)(count), \
                          sizeof *(pointer));                                                                          \
        }                                                                                                              \
    } while (0)

#define PEN_ALLOC(pointer, count, err)                                                                     \
    do {                                                                                                   \
        (pointer) = pen_calloc((int64_t)(count), sizeof *(pointer));                                       \
        if ((pointer) == NULL) {                                                                           \
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: asked for %lld x %zu bytes", (long long)(count), \
                     sizeof *(pointer));                                                                   \
        }                                                                                                  \
    } while (0)

struct pen_arena_block;

struct pen_arena {
    struct pen_arena_block *head; /* newest block; zero-initialise the struct */
};

/* Zeroed, 16-byte aligned; NULL when memory is short. Lives until pen_arena_deinit. */
PEN_API void *pen_arena_alloc(struct pen_arena *arena, int64_t count, size_t size);
PEN_API char *pen_arena_strdup(struct pen_arena *arena, const char *text);
PEN_API char *pen_arena_strndup(struct pen_arena *arena, const char *text, size_t size_bytes);
PEN_API char *pen_arena_printf(struct pen_arena *arena, const char *format, ...) PEN_PRINTF(2, 3);
PEN_API void pen_arena_deinit(struct pen_arena *arena);

#ifdef __cplusplus
}
#endif

#endif
