/* Checked allocation and the arena. Arena blocks double up to 1 MiB; a larger request gets a block of its own. */
#include "core/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, ARENA_ALIGNMENT = 16, ARENA_FIRST_BYTES = 4096, ARENA_MOST_BYTES = 1 << 20 };

struct pen_arena_block {
    struct pen_arena_block *next;
    size_t size_bytes;
    size_t used_bytes;
    size_t padding; /* keeps data[] 16-byte aligned */
};

static bool product(int64_t count, size_t size, size_t *bytes)
{
    if (count < 0 || size == 0 || (uint64_t)count > (SIZE_MAX - ALIGNMENT) / size) {
        return false;
    }
    size_t exact = (size_t)count * size;
    *bytes = (exact + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (*bytes == 0) {
        *bytes = ALIGNMENT;
    }
    return true;
}

void *pen_malloc(int64_t count, size_t size)
{
    size_t bytes = 0;
    return product(count, size, &bytes) ? aligned_alloc(ALIGNMENT, bytes) : NULL;
}

void *pen_calloc(int64_t count, size_t size)
{
    size_t bytes = 0;
    void *memory = pen_malloc(count, size);
    if (memory != NULL && product(count, size, &bytes)) {
        memset(memory, 0, bytes);
    }
    return memory;
}

void pen_free(void *memory)
{
    free(memory);
}

pen_status pen_grow(void **memory, int64_t *capacity, int64_t needed, size_t size, struct pen_error *err)
{
    if (needed <= *capacity) {
        return PEN_OK;
    }
    int64_t wanted = *capacity < 8 ? 8 : *capacity;
    while (wanted < needed) {
        wanted = wanted > INT64_MAX / 2 ? needed : wanted * 2;
    }
    void *larger = pen_malloc(wanted, size);
    if (larger == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: asked for %lld x %zu bytes", (long long)wanted, size);
    }
    if (*capacity > 0) {
        memcpy(larger, *memory, (size_t)*capacity * size);
    }
    free(*memory);
    *memory = larger;
    *capacity = wanted;
    return PEN_OK;
}

static struct pen_arena_block *arena_block(struct pen_arena *arena, size_t needed)
{
    size_t size = ARENA_FIRST_BYTES;
    if (arena->head != NULL) {
        size = arena->head->size_bytes * 2;
    }
    if (size > ARENA_MOST_BYTES) {
        size = ARENA_MOST_BYTES;
    }
    if (size < needed) {
        size = needed;
    }
    struct pen_arena_block *block = malloc(sizeof *block + size);
    if (block != NULL) {
        *block = (struct pen_arena_block){.next = arena->head, .size_bytes = size};
        arena->head = block;
    }
    return block;
}

void *pen_arena_alloc(struct pen_arena *arena, int64_t count, size_t size)
{
    size_t bytes = 0;
    if (!product(count, size, &bytes)) {
        return NULL;
    }
    bytes = ((size_t)count * size + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    struct pen_arena_block *block = arena->head;
    if (block == NULL || block->size_bytes - block->used_bytes < bytes) {
        block = arena_block(arena, bytes);
        if (block == NULL) {
            return NULL;
        }
    }
    char *memory = (char *)(block + 1) + block->used_bytes;
    block->used_bytes += bytes;
    memset(memory, 0, bytes);
    return memory;
}

char *pen_arena_strndup(struct pen_arena *arena, const char *text, size_t size_bytes)
{
    char *copy = pen_arena_alloc(arena, (int64_t)size_bytes + 1, 1);
    if (copy != NULL && size_bytes > 0) {
        memcpy(copy, text, size_bytes);
    }
    return copy;
}

char *pen_arena_strdup(struct pen_arena *arena, const char *text)
{
    return pen_arena_strndup(arena, text, strlen(text));
}

char *pen_arena_printf(struct pen_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return NULL;
    }
    char *text = pen_arena_alloc(arena, (int64_t)length + 1, 1);
    if (text == NULL) {
        return NULL;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void pen_arena_deinit(struct pen_arena *arena)
{
    struct pen_arena_block *block = arena->head;
    while (block != NULL) {
        struct pen_arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->head = NULL;
}
