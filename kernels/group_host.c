/* A group over the communicator. The CPU's device memory is the host's, and sums are made in place; another device's
 * comes to the host and goes back. The pieces of a gather travel as one message. */
#include "kernels/group.h"

#include "core/memory.h"

#include <string.h>

struct host_group {
    struct pen_group base;
    struct pen_communicator *communicator;
    char *own, *all; /* what goes out, [size] of what comes in; at least own_bytes, all_bytes */
    int64_t own_bytes, all_bytes;
};

static pen_status reserve(char **memory, int64_t *capacity, int64_t bytes, struct pen_error *err)
{
    void *grown = *memory;
    PEN_TRY(pen_grow(&grown, capacity, bytes, 1, err));
    *memory = grown;
    return PEN_OK;
}

static pen_status host_add_up(struct pen_group *group, float *values, int64_t n, bool mean, struct pen_error *err)
{
    struct host_group *g = (struct host_group *)group;
    struct pen_exec *exec = group->exec;
    size_t bytes = (size_t)n * sizeof *values;
    float *here = values;
    bool elsewhere = exec != pen_exec_cpu();
    if (elsewhere) {
        PEN_TRY(reserve(&g->own, &g->own_bytes, (int64_t)bytes, err));
        here = (float *)(void *)g->own;
        PEN_TRY(pen_device_download(exec, here, values, bytes, err));
    }
    PEN_TRY(pen_communicator_sum_f32(g->communicator, here, n, err));
    for (int64_t i = 0; mean && i < n; i++) {
        here[i] /= (float)g->communicator->size;
    }
    if (elsewhere) {
        PEN_TRY(pen_device_upload(exec, values, here, bytes, err));
        PEN_TRY(pen_device_synchronise(exec, err)); /* `own` is used again */
    }
    return PEN_OK;
}

static pen_status host_gather(struct pen_group *group, const struct pen_group_piece *pieces, int64_t n_pieces,
                              struct pen_error *err)
{
    struct host_group *g = (struct host_group *)group;
    int size = g->communicator->size;
    int64_t bytes = 0, at = 0;
    for (int64_t i = 0; i < n_pieces; i++) {
        bytes += pieces[i].size_bytes;
    }
    PEN_TRY(reserve(&g->own, &g->own_bytes, bytes, err));
    PEN_TRY(reserve(&g->all, &g->all_bytes, bytes * size, err));
    for (int64_t i = 0; i < n_pieces; at += pieces[i++].size_bytes) {
        PEN_TRY(pen_device_download(group->exec, g->own + at, pieces[i].own, (size_t)pieces[i].size_bytes, err));
    }
    PEN_TRY(pen_communicator_gather(g->communicator, g->all, g->own, bytes, err));
    for (int r = 0; r < size; r++) {
        const char *from = g->all + r * bytes;
        for (int64_t i = 0; i < n_pieces; from += pieces[i++].size_bytes) {
            PEN_TRY(pen_device_upload(group->exec, (char *)pieces[i].out + r * pieces[i].size_bytes, from,
                                      (size_t)pieces[i].size_bytes, err));
        }
    }
    return pen_device_synchronise(group->exec, err); /* `all` is used again */
}

static pen_status host_join(struct pen_group *group, struct pen_error *err)
{
    (void)group;
    (void)err;
    return PEN_OK;
}

static pen_status host_finish(struct pen_group *group, struct pen_error *err)
{
    return pen_device_synchronise(group->exec, err);
}

static void host_close(struct pen_group *group)
{
    struct host_group *g = (struct host_group *)group;
    pen_free(g->own);
    pen_free(g->all);
    pen_free(g);
}

static const struct pen_group_table host_table = {host_add_up, host_gather, host_join, host_finish, host_close};

pen_status pen_group_open_host(struct pen_group **group, struct pen_exec *exec, struct pen_communicator *communicator,
                               struct pen_error *err)
{
    struct host_group *g = NULL;
    PEN_ALLOC(g, 1, err);
    g->base = (struct pen_group){&host_table, exec};
    g->communicator = communicator;
    *group = &g->base;
    return PEN_OK;
}
