/* Every op has a bench: the list is made from PEN_OP_LIST, so an op nobody times fails to link.
 *
 *   static pen_status time_average(struct pen_bench *bench, struct pen_error *err)
 *   {
 *       int64_t n = pen_bench_size(bench, 1 << 20, 1 << 26);    usual size, size that fills a GPU
 *       struct pen_average a = {.n = n, .rate = 0.1};
 *       PEN_BENCH_FLOATS(bench, a.param, n, err);               device memory, released by the caller
 *       PEN_BENCH_FLOATS(bench, a.mean, n, err);
 *       bench->bytes = 12.0 * (double)n;                        of one call, from the contract's cost line
 *       while (pen_bench_next(bench)) {
 *           PEN_TRY(bench->exec->kernels->average(bench->exec, &a, err));
 *       }
 *       return PEN_OK;                                          or a check of the result
 *   }
 *   PEN_OP_BENCH(average, time_average); */
#ifndef PEN_BENCH_KERNELS_OP_BENCH_H
#define PEN_BENCH_KERNELS_OP_BENCH_H

#include "kernels/backend.h"

enum { PEN_BENCH_PLACES = 256 };

struct pen_bench {
    struct pen_exec *exec;
    bool large;
    double bytes, flops; /* of one call; 0: not stated */
    double limit_s;      /* time to spend */

    int64_t n_calls, burst; /* calls between two waits for the device */
    double started, last, best_s, sum_s;
    int64_t n_bursts;
    pen_status failed;
    struct pen_error *err;
    void *places[PEN_BENCH_PLACES];
    int n_places;
};

/* True while another call is wanted. The first call warms up and is not counted; on a device with a queue, calls are
 * timed in bursts that are waited for. */
bool pen_bench_next(struct pen_bench *bench);

int64_t pen_bench_size(const struct pen_bench *bench, int64_t usual, int64_t large);

/* Device memory of the bench: n items, zeros or those of `host`. *place: a pointer. Arithmetic is timed on values
 * within [-1, 1): zeros need less power, and some devices run faster on them. */
pen_status pen_bench_place(struct pen_bench *bench, void *place, const void *host, int64_t n, size_t item_bytes,
                           struct pen_error *err);
#define PEN_BENCH_ZEROS(bench, pointer, n, err) \
    PEN_TRY(pen_bench_place((bench), &(pointer), NULL, (n), sizeof *(pointer), (err)))
#define PEN_BENCH_COPY(bench, pointer, host, n, err) \
    PEN_TRY(pen_bench_place((bench), &(pointer), (host), (n), sizeof *(pointer), (err)))

pen_status pen_bench_floats(struct pen_bench *bench, void *place, int64_t n, struct pen_error *err);
#define PEN_BENCH_FLOATS(bench, pointer, n, err) PEN_TRY(pen_bench_floats((bench), &(pointer), (n), (err)))

typedef pen_status pen_op_bench_fn(struct pen_bench *bench, struct pen_error *err);

struct pen_op_bench {
    const char *op;
    pen_op_bench_fn *run;
};

#define PEN_OP_BENCH(op, function)                      \
    extern const struct pen_op_bench pen_op_bench_##op; \
    const struct pen_op_bench pen_op_bench_##op = {#op, function}

#endif
