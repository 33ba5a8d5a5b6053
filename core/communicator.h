/* Ranks: processes that work on parts of the same data, and what they tell each other.
 *
 * A component is given a communicator and runs the same code on one rank or on many; on one, a call is a copy or
 * nothing. All ranks make the same calls in the same order, with the same sizes where nothing else is said. Sums are
 * added up in the order of the ranks, so the same number of ranks gives the same bits.
 *
 * No wait is for ever: a call fails (PEN_ERR_FAILED) when a rank is gone, when one says that it gave up
 * (pen_communicator_abort), or when nothing has come for timeout_s, and the message names the ranks. Afterwards the
 * communicator is of no use and every call fails.
 *
 * What moves bytes is one function, exchange: between processes of one machine over sockets
 * (communicator_local.h), under mpirun and srun through MPI (penstock_mpi.so, opened by pen_communicator_open). */
#ifndef PEN_CORE_COMMUNICATOR_H
#define PEN_CORE_COMMUNICATOR_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_communicator;

/* What goes to one rank and comes from it. */
struct pen_parcel {
    const void *send;
    int64_t send_bytes;
    void *receive;
    int64_t receive_bytes;
};

struct pen_communicator_table {
    /* parcels: [size]; that of the own rank is not looked at. Returns when all has come and been sent. */
    pen_status (*exchange)(struct pen_communicator *communicator, const struct pen_parcel *parcels,
                           struct pen_error *err);
    /* As pen_communicator_look. NULL: only an exchange can tell. */
    pen_status (*look)(struct pen_communicator *communicator, struct pen_error *err);
    void (*abort)(struct pen_communicator *communicator, const char *message);
    void (*close)(struct pen_communicator *communicator);
};

struct pen_communicator {
    const struct pen_communicator_table *table; /* NULL: one rank */
    int rank, size;
    double timeout_s;
    int64_t n_calls;  /* exchanges so far */
    const char *what; /* the call that is under way, for messages */
    bool failed;
};

/* One rank: nothing to open, nothing to close. */
PEN_API struct pen_communicator *pen_communicator_one(void);

/* The communicator of the launcher that started this process (OMPI_COMM_WORLD_SIZE, PMI_RANK or SLURM_PROCID is set),
 * else one rank. PEN_ERR_UNSUPPORTED, with what to install, when started by one and penstock_mpi.so is not there. */
PEN_API PEN_MUST_USE pen_status pen_communicator_open(struct pen_communicator **communicator, double timeout_s,
                                                      struct pen_error *err);
PEN_API void pen_communicator_close(struct pen_communicator *communicator); /* NULL: nothing */

/* values[i] = sum over the ranks of their values[i], on every rank. */
PEN_API PEN_MUST_USE pen_status pen_communicator_sum_f64(struct pen_communicator *communicator, double *values,
                                                         int64_t n, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_communicator_sum_f32(struct pen_communicator *communicator, float *values,
                                                         int64_t n, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_communicator_sum_i64(struct pen_communicator *communicator, int64_t *values,
                                                         int64_t n, struct pen_error *err);

/* The root's bytes, on every rank. */
PEN_API PEN_MUST_USE pen_status pen_communicator_broadcast(struct pen_communicator *communicator, void *bytes,
                                                           int64_t size_bytes, int root, struct pen_error *err);

/* out: [size][size_bytes], the bytes of every rank in order. */
PEN_API PEN_MUST_USE pen_status pen_communicator_gather(struct pen_communicator *communicator, void *out,
                                                        const void *bytes, int64_t size_bytes, struct pen_error *err);

/* The same with a size of each rank's own. *out is made here and the caller's to free (pen_free); offsets: [size + 1],
 * rank r's bytes are [offsets[r], offsets[r + 1]). */
PEN_API PEN_MUST_USE pen_status pen_communicator_gather_all(struct pen_communicator *communicator, char **out,
                                                            int64_t *offsets, const void *bytes, int64_t size_bytes,
                                                            struct pen_error *err);

/* Returns when all ranks have called it. */
PEN_API PEN_MUST_USE pen_status pen_communicator_barrier(struct pen_communicator *communicator, struct pen_error *err);

/* For who waits for the ranks in another way: fails as a call would when one of them is gone or gave up, as far as can
 * be told without waiting. */
PEN_API PEN_MUST_USE pen_status pen_communicator_look(struct pen_communicator *communicator, struct pen_error *err);

/* Tells the others that this rank gives up: the call they wait in, or their next one, fails with the message. */
PEN_API void pen_communicator_abort(struct pen_communicator *communicator, const char *message);

/* This rank's part of n things: [*first, *end). */
PEN_API void pen_communicator_share(const struct pen_communicator *communicator, int64_t n, int64_t *first,
                                    int64_t *end);

#ifdef __cplusplus
}
#endif

#endif
