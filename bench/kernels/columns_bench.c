/* Column ops on a tile of 1024 values, the size Transform hands over on the CPU; on a GPU on 2^24 values, so that the
 * memory is timed and not the launch. */
#include "bench/kernels/op_bench.h"

#include "core/memory.h"

enum { TILE = 1024, LARGE = 1 << 24, WIDTH = 8, N_EDGES = 9, STRING_BYTES = 8 };

/* 0 to 10.23, in an order that no branch can learn. */
static pen_status place_numbers(struct pen_bench *bench, const double **numbers, int64_t n, struct pen_error *err)
{
    double *host = NULL;
    PEN_ALLOC(host, n, err);
    for (int64_t i = 0; i < n; i++) {
        host[i] = (double)(i * 37 % TILE) / 100.0;
    }
    pen_status status = pen_bench_place(bench, numbers, host, n, sizeof *host, err);
    pen_free(host);
    return status;
}

static pen_status place_ids(struct pen_bench *bench, const int32_t **ids, int64_t n, struct pen_error *err)
{
    int32_t *host = NULL;
    PEN_ALLOC(host, n, err);
    for (int64_t i = 0; i < n; i++) {
        host[i] = (int32_t)(i % WIDTH);
    }
    pen_status status = pen_bench_place(bench, ids, host, n, sizeof *host, err);
    pen_free(host);
    return status;
}

static pen_status time_map(struct pen_bench *bench, struct pen_error *err)
{
    int64_t n = pen_bench_size(bench, TILE, LARGE);
    struct pen_columns_map op = {.map = PEN_MAP_AFFINE, .n = n, .s = 5, .t = 0.5};
    PEN_TRY(place_numbers(bench, &op.a, n, err));
    PEN_BENCH_ZEROS(bench, op.y, n, err);
    bench->bytes = 16.0 * (double)n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->columns_map(bench->exec, &op, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(columns_map, time_map);

static pen_status time_moments(struct pen_bench *bench, struct pen_error *err)
{
    int64_t n = pen_bench_size(bench, TILE, LARGE);
    struct pen_columns_moments op = {.n = n};
    PEN_TRY(place_numbers(bench, &op.x, n, err));
    PEN_BENCH_ZEROS(bench, op.out, 1, err);
    bench->bytes = 8.0 * (double)n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->columns_moments(bench->exec, &op, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(columns_moments, time_moments);

static pen_status time_store(struct pen_bench *bench, struct pen_error *err)
{
    int64_t n = pen_bench_size(bench, TILE, LARGE);
    struct pen_columns_store op = {.n = n, .stride = WIDTH};
    PEN_TRY(place_numbers(bench, &op.x, n, err));
    PEN_BENCH_ZEROS(bench, op.y, n * WIDTH, err);
    PEN_BENCH_ZEROS(bench, op.n_replaced, 1, err);
    bench->bytes = 12.0 * (double)n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->columns_store(bench->exec, &op, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(columns_store, time_store);

static pen_status time_bucketize(struct pen_bench *bench, struct pen_error *err)
{
    static const double edges[N_EDGES] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    int64_t n = pen_bench_size(bench, TILE, LARGE);
    struct pen_columns_bucketize op = {.n = n, .n_edges = N_EDGES};
    PEN_TRY(place_numbers(bench, &op.x, n, err));
    PEN_BENCH_COPY(bench, op.edges, edges, N_EDGES, err);
    PEN_BENCH_ZEROS(bench, op.ids, n, err);
    bench->bytes = 12.0 * (double)n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->columns_bucketize(bench->exec, &op, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(columns_bucketize, time_bucketize);

static pen_status time_lookup(struct pen_bench *bench, struct pen_error *err)
{
    static const double table[WIDTH] = {1, 2, 3, 4, 5, 6, 7, 8}, missing = 0;
    int64_t n = pen_bench_size(bench, TILE, LARGE);
    const double *on_device = NULL;
    double *y = NULL;
    struct pen_columns_lookup op = {.n = n, .item_bytes = sizeof *y, .missing = &missing};
    PEN_TRY(place_ids(bench, &op.codes, n, err));
    PEN_BENCH_COPY(bench, on_device, table, WIDTH, err);
    PEN_BENCH_ZEROS(bench, y, n, err);
    op.table = on_device;
    op.y = y;
    bench->bytes = 12.0 * (double)n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->columns_lookup(bench->exec, &op, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(columns_lookup, time_lookup);

static pen_status time_onehot(struct pen_bench *bench, struct pen_error *err)
{
    int64_t n = pen_bench_size(bench, TILE, LARGE);
    struct pen_columns_onehot op = {.n = n, .width = WIDTH, .stride = WIDTH};
    PEN_TRY(place_ids(bench, &op.ids, n, err));
    PEN_BENCH_ZEROS(bench, op.y, n * WIDTH, err);
    bench->bytes = (4.0 + 4.0 * WIDTH) * (double)n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->columns_onehot(bench->exec, &op, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(columns_onehot, time_onehot);

static pen_status place_strings(struct pen_bench *bench, struct pen_hash_strings *op, struct pen_error *err)
{
    int64_t *starts = NULL, n = op->n;
    char *bytes = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, starts, n + 1, err);
    PEN_ALLOC_GOTO(cleanup, bytes, n * STRING_BYTES, err);
    for (int64_t i = 0; i < n * STRING_BYTES; i++) {
        bytes[i] = (char)('a' + i % 26);
        starts[i / STRING_BYTES + 1] = i + 1;
    }
    PEN_TRY_GOTO(cleanup, pen_bench_place(bench, &op->starts, starts, n + 1, sizeof *starts, err));
    status = pen_bench_place(bench, &op->bytes, bytes, n * STRING_BYTES, 1, err);
cleanup:
    pen_free(starts);
    pen_free(bytes);
    return status;
}

static pen_status time_hash(struct pen_bench *bench, struct pen_error *err)
{
    int64_t n = pen_bench_size(bench, TILE, LARGE / 4);
    struct pen_hash_strings op = {.n = n, .n_buckets = 10000};
    PEN_TRY(place_strings(bench, &op, err));
    PEN_BENCH_ZEROS(bench, op.ids, n, err);
    bench->bytes = (12.0 + STRING_BYTES) * (double)n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->hash_strings(bench->exec, &op, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(hash_strings, time_hash);
