/* Guarded device copies of a job's arrays. */
#include "tests/kernels/mirror.h"

#include "core/memory.h"
#include "tests/pen_test.h"

enum { GUARD_BYTES = 256, GUARD_BYTE = 0xA5 };

static void guarded_image(const struct pen_mirrored *a, uint8_t *image)
{
    memset(image, GUARD_BYTE, a->bytes + 2 * GUARD_BYTES);
    if (a->bytes > 0) {
        memcpy(image + GUARD_BYTES, a->host, a->bytes);
    }
}

void pen_mirror_add(struct pen_mirror *m, const struct pen_mirrored *array, bool written)
{
    struct pen_mirrored a = *array;
    struct pen_error err = PEN_ERROR_INIT;
    memcpy(&a.host, a.place, sizeof a.host);
    if (a.host == NULL) {
        return;
    }
    size_t whole = a.bytes + 2 * GUARD_BYTES;
    a.written = written;
    uint8_t *image = pen_malloc((int64_t)whole, 1);
    PEN_ASSERT(m->n < PEN_MIRROR_MAX && image != NULL);
    guarded_image(&a, image);
    PEN_CHECK_OK(pen_device_allocate(m->exec, &a.device, (int64_t)whole, 1, a.name, &err), &err);
    PEN_CHECK_OK(pen_device_upload(m->exec, a.device, image, whole, &err), &err);
    PEN_CHECK_OK(pen_device_synchronise(m->exec, &err), &err);
    pen_free(image);
    void *inside = (uint8_t *)a.device + GUARD_BYTES;
    memcpy(a.place, &inside, sizeof inside);
    m->arrays[m->n++] = a;
}

static bool is_guard(const uint8_t *bytes)
{
    for (int i = 0; i < GUARD_BYTES; i++) {
        if (bytes[i] != GUARD_BYTE) {
            return false;
        }
    }
    return true;
}

static void bring_back(struct pen_exec *exec, const struct pen_mirrored *a)
{
    struct pen_error err = PEN_ERROR_INIT;
    size_t whole = a->bytes + 2 * GUARD_BYTES;
    uint8_t *image = pen_malloc((int64_t)whole, 1);
    PEN_ASSERT(image != NULL);
    memset(image, 0, whole);
    if (pen_device_download(exec, image, a->device, whole, &err) != PEN_OK) {
        pen_test_fail(a->file, a->line, "%s: %s", a->name, err.message);
    } else if (!is_guard(image) || !is_guard(image + GUARD_BYTES + a->bytes)) {
        pen_test_fail(a->file, a->line, "%s: written %s its %zu bytes", a->name,
                      is_guard(image) ? "behind" : "in front of", a->bytes);
    }
    if (a->bytes > 0 && a->written) {
        memcpy(a->host, image + GUARD_BYTES, a->bytes);
    } else if (a->bytes > 0 && memcmp(a->host, image + GUARD_BYTES, a->bytes) != 0) {
        pen_test_fail(a->file, a->line, "%s: expected to be read only, found it changed", a->name);
    }
    pen_free(image);
}

void pen_mirror_end(struct pen_mirror *m)
{
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(pen_device_synchronise(m->exec, &err), &err);
    while (m->n > 0) {
        const struct pen_mirrored *a = &m->arrays[--m->n];
        bring_back(m->exec, a);
        pen_device_release(m->exec, a->device);
        memcpy(a->place, &a->host, sizeof a->host);
    }
}
