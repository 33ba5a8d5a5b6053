/* Op tests on any device: arrays of a job are copied into guarded memory of the exec under test, and back.
 *
 *   float *x = pen_test_floats(n, 1, -1, 1);               host arrays, as ever
 *   struct pen_average job = {n, 0.125, x, mean};
 *   struct pen_mirror m = PEN_MIRROR_INIT;
 *   PEN_MIRROR_IN(&m, job.param, n);                       read only: must come back unchanged
 *   PEN_MIRROR_INOUT(&m, job.mean, n);                     copied back into the host array
 *   PEN_CHECK_OK(m.exec->kernels->average(m.exec, &job, &err), &err);
 *   pen_mirror_end(&m);                                    job points at the host arrays again
 *   ... compare mean with the float64 reference ...
 *
 * Between the two the job's pointers are device memory, which the test must not touch. Each array lies between guard
 * zones that pen_mirror_end checks, and NULL stays NULL. An array of structs that point to arrays: mirror the inner
 * arrays first, then the array of structs; the end goes backwards and mends both. */
#ifndef PEN_TESTS_KERNELS_MIRROR_H
#define PEN_TESTS_KERNELS_MIRROR_H

#include "kernels/backend.h"

/* The exec under test: the CPU's, or that of the device PEN_TEST_DEVICE names. test_exec.c */
struct pen_exec *pen_test_exec(void);

enum { PEN_MIRROR_MAX = 512 };

struct pen_mirrored {
    void *place;         /* where the job keeps its pointer */
    void *host, *device; /* device: guard, array, guard */
    size_t bytes;
    bool written;
    const char *name, *file;
    int line;
};

struct pen_mirror {
    struct pen_exec *exec;
    int n;
    struct pen_mirrored arrays[PEN_MIRROR_MAX];
};

#define PEN_MIRROR_INIT         \
    {                           \
        .exec = pen_test_exec() \
    }

#define PEN_MIRROR_IN(mirror, pointer, n_items) PEN_MIRROR_ADD(mirror, pointer, n_items, false)
#define PEN_MIRROR_INOUT(mirror, pointer, n_items) PEN_MIRROR_ADD(mirror, pointer, n_items, true)
#define PEN_MIRROR_ADD(mirror, pointer, n_items, written)                                 \
    pen_mirror_add((mirror),                                                              \
                   &(struct pen_mirrored){.place = (void *)&(pointer),                    \
                                          .bytes = (size_t)(n_items) * sizeof *(pointer), \
                                          .name = #pointer,                               \
                                          .file = __FILE__,                               \
                                          .line = __LINE__},                              \
                   (written))

void pen_mirror_add(struct pen_mirror *mirror, const struct pen_mirrored *array, bool written);

/* Waits for the device, checks guards and what was only to be read, copies back, puts the pointers back. */
void pen_mirror_end(struct pen_mirror *mirror);

#endif
