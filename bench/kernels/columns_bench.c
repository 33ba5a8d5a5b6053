/* Column ops on a tile of 1024 values, the size Transform hands over. */
#include "bench/kernels/op_bench.h"

#include "core/memory.h"

enum { N = 1024, WIDTH = 8, N_EDGES = 9 };

struct arrays {
    double x[N], y[N], edges[N_EDGES];
    int32_t ids[N];
    float out[N * WIDTH];
    int64_t starts[N + 1];
    char bytes[8 * N];
};

static pen_status make(struct arrays **arrays, struct pen_error *err)
{
    PEN_ALLOC(*arrays, 1, err);
    struct arrays *a = *arrays;
    for (int i = 0; i < N; i++) {
        a->x[i] = (i * 37 % N) / 100.0;
        a->ids[i] = i % WIDTH;
        a->starts[i + 1] = 8 * (i + 1);
    }
    for (int i = 0; i < N_EDGES; i++) {
        a->edges[i] = i + 1;
    }
    for (int i = 0; i < 8 * N; i++) {
        a->bytes[i] = (char)('a' + i % 26);
    }
    return PEN_OK;
}

static pen_status time_map(struct pen_bench *bench, struct pen_error *err)
{
    struct arrays *a = NULL;
    PEN_TRY(make(&a, err));
    const struct pen_columns_map op = {.map = PEN_MAP_AFFINE, .n = N, .a = a->x, .s = 5, .t = 0.5, .y = a->y};
    bench->bytes = 16.0 * N;
    pen_status status = PEN_OK;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->columns_map(bench->exec, &op, err);
    }
    pen_free(a);
    return status;
}
PEN_OP_BENCH(columns_map, time_map);

static pen_status time_moments(struct pen_bench *bench, struct pen_error *err)
{
    struct arrays *a = NULL;
    struct pen_column_moments out;
    PEN_TRY(make(&a, err));
    const struct pen_columns_moments op = {.n = N, .x = a->x, .out = &out};
    bench->bytes = 8.0 * N;
    pen_status status = PEN_OK;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->columns_moments(bench->exec, &op, err);
    }
    pen_free(a);
    return status;
}
PEN_OP_BENCH(columns_moments, time_moments);

static pen_status time_store(struct pen_bench *bench, struct pen_error *err)
{
    struct arrays *a = NULL;
    int64_t replaced = 0;
    PEN_TRY(make(&a, err));
    const struct pen_columns_store op = {.n = N, .x = a->x, .y = a->out, .stride = WIDTH, .n_replaced = &replaced};
    bench->bytes = 12.0 * N;
    pen_status status = PEN_OK;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->columns_store(bench->exec, &op, err);
    }
    pen_free(a);
    return status;
}
PEN_OP_BENCH(columns_store, time_store);

static pen_status time_bucketize(struct pen_bench *bench, struct pen_error *err)
{
    struct arrays *a = NULL;
    PEN_TRY(make(&a, err));
    const struct pen_columns_bucketize op = {.n = N, .x = a->x, .edges = a->edges, .n_edges = N_EDGES, .ids = a->ids};
    bench->bytes = 12.0 * N;
    pen_status status = PEN_OK;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->columns_bucketize(bench->exec, &op, err);
    }
    pen_free(a);
    return status;
}
PEN_OP_BENCH(columns_bucketize, time_bucketize);

static pen_status time_lookup(struct pen_bench *bench, struct pen_error *err)
{
    struct arrays *a = NULL;
    const double missing = 0;
    PEN_TRY(make(&a, err));
    const struct pen_columns_lookup op = {
        .n = N, .codes = a->ids, .table = a->x, .item_bytes = 8, .missing = &missing, .y = a->y};
    bench->bytes = 12.0 * N;
    pen_status status = PEN_OK;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->columns_lookup(bench->exec, &op, err);
    }
    pen_free(a);
    return status;
}
PEN_OP_BENCH(columns_lookup, time_lookup);

static pen_status time_onehot(struct pen_bench *bench, struct pen_error *err)
{
    struct arrays *a = NULL;
    PEN_TRY(make(&a, err));
    const struct pen_columns_onehot op = {.n = N, .ids = a->ids, .width = WIDTH, .y = a->out, .stride = WIDTH};
    bench->bytes = (4.0 + 4.0 * WIDTH) * N;
    pen_status status = PEN_OK;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->columns_onehot(bench->exec, &op, err);
    }
    pen_free(a);
    return status;
}
PEN_OP_BENCH(columns_onehot, time_onehot);

static pen_status time_hash(struct pen_bench *bench, struct pen_error *err)
{
    struct arrays *a = NULL;
    PEN_TRY(make(&a, err));
    const struct pen_hash_strings op = {
        .n = N, .starts = a->starts, .bytes = a->bytes, .n_buckets = 10000, .ids = a->ids};
    bench->bytes = 8.0 * N;
    pen_status status = PEN_OK;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->hash_strings(bench->exec, &op, err);
    }
    pen_free(a);
    return status;
}
PEN_OP_BENCH(hash_strings, time_hash);
