/* The trainer's ops at the sizes of a wide & deep step: batch 1024, 26 ids of 16, 13 dense, hidden 128. */
#include "bench/kernels/op_bench.h"

#include "core/memory.h"
#include "core/rng.h"

enum { B = 1024, IDS = 26, DIM = 16, IN = 13 + IDS * DIM, OUT = 128, VALUES = 100000, PARAMS = 1 << 20 };

/* One zeroed block cut into pieces: a bench has one thing to free. */
static float *cut(float **next, int64_t n)
{
    float *piece = *next;
    *next += (n + 15) / 16 * 16;
    return piece;
}

static pen_status time_dense_forward(struct pen_bench *bench, struct pen_error *err)
{
    pen_status status = PEN_OK;
    float *all = NULL;
    PEN_ALLOC_GOTO(cleanup, all, B * IN + IN * OUT + B * OUT + 64, err);
    float *next = all;
    struct pen_dense d = {B,     IN,
                          OUT,   PEN_ACTIVATION_RELU,
                          false, cut(&next, B * IN),
                          IN,    cut(&next, IN * OUT),
                          NULL,  cut(&next, B * OUT),
                          OUT};
    bench->flops = 2.0 * B * IN * OUT;
    while (pen_bench_next(bench)) {
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->dense_forward(bench->exec, &d, err));
    }
cleanup:
    pen_free(all);
    return status;
}
PEN_OP_BENCH(dense_forward, time_dense_forward);

static pen_status time_dense_backward(struct pen_bench *bench, struct pen_error *err)
{
    pen_status status = PEN_OK;
    float *all = NULL;
    PEN_ALLOC_GOTO(cleanup, all, 2 * B * IN + 2 * IN * OUT + 2 * B * OUT + OUT + B / 64 * OUT + 256, err);
    float *next = all;
    struct pen_dense_grad d = {.n_rows = B,
                               .n_in = IN,
                               .n_out = OUT,
                               .n_dx = IN,
                               .activation = PEN_ACTIVATION_RELU,
                               .ld_x = IN,
                               .ld_y = OUT,
                               .ld_dy = OUT,
                               .ld_dx = IN};
    d.x = cut(&next, B * IN);
    d.w = cut(&next, IN * OUT);
    d.y = cut(&next, B * OUT);
    d.dy = cut(&next, B * OUT);
    d.dw = cut(&next, IN * OUT);
    d.dbias = cut(&next, OUT);
    d.dx = cut(&next, B * IN);
    d.workspace = cut(&next, B / 64 * OUT);
    bench->flops = 4.0 * B * IN * OUT;
    while (pen_bench_next(bench)) {
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->dense_backward(bench->exec, &d, err));
    }
cleanup:
    pen_free(all);
    return status;
}
PEN_OP_BENCH(dense_backward, time_dense_backward);

struct tables {
    struct pen_embedding_feature features[IDS];
    float *table, *grad, *out;
    int32_t *ids, *slot, *touched;
};

static void tables_deinit(struct tables *t)
{
    pen_free(t->table);
    pen_free(t->grad);
    pen_free(t->out);
    pen_free(t->ids);
    pen_free(t->slot);
    pen_free(t->touched);
}

static pen_status tables_init(struct tables *t, struct pen_error *err)
{
    *t = (struct tables){.table = NULL};
    PEN_ALLOC(t->table, (int64_t)VALUES * DIM, err);
    PEN_ALLOC(t->grad, B * IDS * DIM, err);
    PEN_ALLOC(t->out, B * IDS * DIM, err);
    PEN_ALLOC(t->ids, B * IDS, err);
    PEN_ALLOC(t->slot, (int64_t)VALUES * IDS, err);
    PEN_ALLOC(t->touched, B * IDS, err);
    for (int64_t i = 0; i < B * IDS; i++) {
        t->ids[i] = (int32_t)pen_rng_below(1, 2, (uint64_t)i, VALUES);
    }
    for (int64_t i = 0; i < (int64_t)VALUES * IDS; i++) {
        t->slot[i] = -1;
    }
    for (int64_t k = 0; k < IDS; k++) {
        t->features[k] = (struct pen_embedding_feature){.n_values = VALUES,
                                                        .dim = DIM,
                                                        .table = t->table,
                                                        .ids = t->ids + k,
                                                        .id_stride = IDS,
                                                        .column = k * DIM,
                                                        .slot = t->slot + k * VALUES,
                                                        .touched = t->touched + k * B,
                                                        .grad = t->grad + k * B * DIM};
    }
    return PEN_OK;
}

static pen_status time_embedding_forward(struct pen_bench *bench, struct pen_error *err)
{
    struct tables t;
    pen_status status = tables_init(&t, err);
    struct pen_embedding e = {B, IDS, t.features, t.out, IDS * DIM, false};
    bench->bytes = 8.0 * B * IDS * DIM;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->embedding_forward(bench->exec, &e, err);
    }
    tables_deinit(&t);
    return status;
}
PEN_OP_BENCH(embedding_forward, time_embedding_forward);

static pen_status time_embedding_backward(struct pen_bench *bench, struct pen_error *err)
{
    struct tables t;
    pen_status status = tables_init(&t, err);
    struct pen_embedding_grad g = {B, IDS, t.features, t.out, IDS * DIM};
    bench->bytes = 8.0 * B * IDS * DIM;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->embedding_backward(bench->exec, &g, err);
    }
    tables_deinit(&t);
    return status;
}
PEN_OP_BENCH(embedding_backward, time_embedding_backward);

static pen_status time_loss(struct pen_bench *bench, struct pen_error *err)
{
    pen_status status = PEN_OK;
    float *all = NULL;
    PEN_ALLOC_GOTO(cleanup, all, 3 * B, err);
    struct pen_loss l = {.kind = PEN_LOSS_SIGMOID,
                         .n_rows = B,
                         .n_outputs = 1,
                         .logits = all,
                         .label = all + B,
                         .label_scale = 1,
                         .scale = 1,
                         .gradient = all + 2 * B};
    bench->bytes = 12.0 * B;
    while (pen_bench_next(bench)) {
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->loss(bench->exec, &l, err));
    }
cleanup:
    pen_free(all);
    return status;
}
PEN_OP_BENCH(loss, time_loss);

static pen_status time_link(struct pen_bench *bench, struct pen_error *err)
{
    pen_status status = PEN_OK;
    float *all = NULL;
    PEN_ALLOC_GOTO(cleanup, all, 2 * B, err);
    struct pen_link l = {PEN_LOSS_SIGMOID, B, 1, all, 0, 1, all + B};
    bench->bytes = 8.0 * B;
    while (pen_bench_next(bench)) {
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->link(bench->exec, &l, err));
    }
cleanup:
    pen_free(all);
    return status;
}
PEN_OP_BENCH(link, time_link);

static pen_status time_dropout(struct pen_bench *bench, struct pen_error *err)
{
    pen_status status = PEN_OK;
    float *all = NULL;
    PEN_ALLOC_GOTO(cleanup, all, B * OUT, err);
    struct pen_dropout d = {B * OUT, 0.1, 1, 2, 0, all};
    bench->bytes = 8.0 * B * OUT;
    while (pen_bench_next(bench)) {
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->dropout(bench->exec, &d, err));
    }
cleanup:
    pen_free(all);
    return status;
}
PEN_OP_BENCH(dropout, time_dropout);

static pen_status time_optimiser(struct pen_bench *bench, struct pen_error *err)
{
    pen_status status = PEN_OK;
    float *all = NULL;
    PEN_ALLOC_GOTO(cleanup, all, 4 * PARAMS, err);
    struct pen_optimiser o = {.kind = PEN_OPTIMISER_ADAM,
                              .learning_rate = 1e-3,
                              .beta1 = 0.9,
                              .beta2 = 0.999,
                              .epsilon = 1e-8,
                              .grad_scale = 1,
                              .n_rows = PARAMS,
                              .dim = 1,
                              .grad = all,
                              .param = all + PARAMS,
                              .state1 = all + 2 * PARAMS,
                              .state2 = all + 3 * PARAMS};
    bench->bytes = 28.0 * PARAMS;
    while (pen_bench_next(bench)) {
        o.step++;
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->optimiser(bench->exec, &o, err));
    }
cleanup:
    pen_free(all);
    return status;
}
PEN_OP_BENCH(optimiser, time_optimiser);

static pen_status time_average(struct pen_bench *bench, struct pen_error *err)
{
    pen_status status = PEN_OK;
    float *all = NULL;
    PEN_ALLOC_GOTO(cleanup, all, 2 * PARAMS, err);
    struct pen_average a = {PARAMS, 0.1, all, all + PARAMS};
    bench->bytes = 12.0 * PARAMS;
    while (pen_bench_next(bench)) {
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->average(bench->exec, &a, err));
    }
cleanup:
    pen_free(all);
    return status;
}
PEN_OP_BENCH(average, time_average);

static pen_status time_squared_norm(struct pen_bench *bench, struct pen_error *err)
{
    pen_status status = PEN_OK;
    float *all = NULL;
    PEN_ALLOC_GOTO(cleanup, all, PARAMS, err);
    struct pen_squared_norm n = {PARAMS, all, 0};
    bench->bytes = 4.0 * PARAMS;
    while (pen_bench_next(bench)) {
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->squared_norm(bench->exec, &n, err));
    }
cleanup:
    pen_free(all);
    return status;
}
PEN_OP_BENCH(squared_norm, time_squared_norm);
