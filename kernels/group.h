/* A group: the execs of several ranks, which add up and share what lies in the memory of their devices.
 *
 * On CUDA devices the bytes go from device to device through NCCL, on a queue of their own: a call takes up when the
 * work that the exec was asked for before it has finished, and the exec goes on with what it is asked for after it,
 * until pen_group_join says that it needs the results. Ranks on the CPU, and on other devices when that is asked for,
 * send them through the host's memory over the communicator; there a call has finished when it returns.
 *
 * All ranks make the same calls in the same order with the same sizes. Through the host sums are added up in the order
 * of the ranks; through NCCL in an order that depends on the number of ranks, the machine and NCCL's version. Both give
 * all ranks the same bits.
 *
 * No wait is for ever: as long as the group is open, every wait for the exec (synchronise, download) fails with a
 * message that names the rank when one is gone or gave up, and when nothing has come for the communicator's timeout_s.
 * Afterwards the group is of no use, and what was computed since the last wait that succeeded is worth nothing. */
#ifndef PEN_KERNELS_GROUP_H
#define PEN_KERNELS_GROUP_H

#include "core/communicator.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What one rank gives to all. */
struct pen_group_piece {
    void *out; /* [size][size_bytes], those of every rank in order */
    const void *own;
    int64_t size_bytes;
};

/* All required. */
struct pen_group_table {
    pen_status (*add_up)(struct pen_group *group, float *values, int64_t n, bool mean, struct pen_error *err);
    pen_status (*gather)(struct pen_group *group, const struct pen_group_piece *pieces, int64_t n_pieces,
                         struct pen_error *err);
    pen_status (*join)(struct pen_group *group, struct pen_error *err);
    pen_status (*finish)(struct pen_group *group, struct pen_error *err);
    void (*close)(struct pen_group *group);
};

struct pen_group {
    const struct pen_group_table *table;
    struct pen_exec *exec;
};

/* What a device makes a group of. */
struct pen_group_place {
    char id[PEN_GROUP_ID_BYTES]; /* the same on all ranks */
    int rank, size;
    double timeout_s;
    /* Fails when a rank is gone or gave up; late: nothing came for long, so that it may wait itself to find out who is
     * missing. */
    pen_status (*look)(void *user, bool late, struct pen_error *err);
    void *user;
};

/* through_host: asked for. The communicator and the exec outlive the group. PEN_ERR_UNSUPPORTED: the device's own way
 * is not there; the message says how to get it or do without. */
PEN_API PEN_MUST_USE pen_status pen_group_open(struct pen_group **group, struct pen_exec *exec,
                                               struct pen_communicator *communicator, bool through_host,
                                               struct pen_error *err);

/* values[i] = sum over the ranks of their values[i], or mean; device memory, until the join. */
PEN_API PEN_MUST_USE pen_status pen_group_sum(struct pen_group *group, float *values, int64_t n, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_group_mean(struct pen_group *group, float *values, int64_t n,
                                               struct pen_error *err);

/* Device memory, until the join. Many pieces in one call cost little more than one. */
PEN_API PEN_MUST_USE pen_status pen_group_gather(struct pen_group *group, const struct pen_group_piece *pieces,
                                                 int64_t n_pieces, struct pen_error *err);

/* What the exec is asked for from now on comes after all calls so far. */
PEN_API PEN_MUST_USE pen_status pen_group_join(struct pen_group *group, struct pen_error *err);

/* The end of the ranks' common work, on all of them: waits for it. Then, or when something failed, close. */
PEN_API PEN_MUST_USE pen_status pen_group_finish(struct pen_group *group, struct pen_error *err);
PEN_API void pen_group_close(struct pen_group *group); /* NULL: nothing */

/* group_host.c: over the communicator. */
PEN_MUST_USE pen_status pen_group_open_host(struct pen_group **group, struct pen_exec *exec,
                                            struct pen_communicator *communicator, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
