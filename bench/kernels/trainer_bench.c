/* The trainer's ops at the sizes of a wide & deep step: batch 1024, 26 ids of 16, 13 dense, hidden 128. */
#include "bench/kernels/op_bench.h"

#include "core/memory.h"
#include "core/rng.h"

enum {
    B = 1024,
    IDS = 26,
    DIM = 16,
    IN = 13 + IDS * DIM,
    OUT = 128,
    VALUES = 20000,
    PARAMS = 1 << 20,
    N_VALUES = IDS * VALUES * DIM
};

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
    float *values, *grad, *out;
    int32_t *ids, *slot, *touched;
};

static void tables_deinit(struct tables *t)
{
    pen_free(t->values);
    pen_free(t->grad);
    pen_free(t->out);
    pen_free(t->ids);
    pen_free(t->slot);
    pen_free(t->touched);
}

static pen_status tables_init(struct tables *t, struct pen_error *err)
{
    *t = (struct tables){.values = NULL};
    PEN_ALLOC(t->values, N_VALUES, err);
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
                                                        .offset = k * VALUES * DIM,
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
    struct pen_embedding e = {B, IDS, t.values, t.features, t.out, IDS * DIM, false};
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
    struct pen_step_sums sums = {.loss = 0};
    struct pen_loss l = {.kind = PEN_LOSS_SIGMOID,
                         .n_rows = B,
                         .n_outputs = 1,
                         .logits = all,
                         .label = all + B,
                         .label_scale = 1,
                         .scale = 1,
                         .gradient = all + 2 * B,
                         .sums = &sums};
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
    struct pen_training_step step = {.number = 1};
    struct pen_dropout d = {B * OUT, 0.1, 1, 2, B * OUT, &step, all, all};
    bench->bytes = 8.0 * B * OUT;
    while (pen_bench_next(bench)) {
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->dropout(bench->exec, &d, err));
    }
cleanup:
    pen_free(all);
    return status;
}
PEN_OP_BENCH(dropout, time_dropout);

static const struct pen_optimiser_rule adam = {
    .kind = PEN_OPTIMISER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};

static pen_status time_optimiser(struct pen_bench *bench, struct pen_error *err)
{
    pen_status status = PEN_OK;
    float *all = NULL;
    PEN_ALLOC_GOTO(cleanup, all, 4 * PARAMS, err);
    struct pen_training_step step = {.learning_rate = 1e-3};
    struct pen_optimiser o = {.rule = adam,
                              .step = &step,
                              .n = PARAMS,
                              .grad = all,
                              .param = all + PARAMS,
                              .state1 = all + 2 * PARAMS,
                              .state2 = all + 3 * PARAMS};
    bench->bytes = 28.0 * PARAMS;
    while (pen_bench_next(bench)) {
        step.number++;
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->optimiser(bench->exec, &o, err));
    }
cleanup:
    pen_free(all);
    return status;
}
PEN_OP_BENCH(optimiser, time_optimiser);

/* What a backward pass leaves: the distinct ids of a batch and their gradients. */
static pen_status touch(struct tables *t, struct pen_error *err)
{
    struct pen_embedding_grad g = {B, IDS, t->features, t->out, IDS * DIM};
    return pen_exec_cpu()->kernels->embedding_backward(pen_exec_cpu(), &g, err);
}

static double touched_values(const struct tables *t)
{
    double n = 0;
    for (int64_t k = 0; k < IDS; k++) {
        n += (double)(t->features[k].n_touched * DIM);
    }
    return n;
}

static pen_status time_optimiser_tables(struct pen_bench *bench, struct pen_error *err)
{
    struct tables t;
    float *states = NULL;
    struct pen_training_step step = {.learning_rate = 1e-3};
    pen_status status = tables_init(&t, err);
    if (status == PEN_OK) {
        status = touch(&t, err);
    }
    PEN_TRY_GOTO(cleanup, status);
    PEN_ALLOC_GOTO(cleanup, states, 2 * N_VALUES, err);
    struct pen_optimiser_tables o = {adam, &step, NULL, IDS, t.features, t.values, states, states + N_VALUES};
    bench->bytes = 28.0 * touched_values(&t);
    while (pen_bench_next(bench)) {
        step.number++;
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->optimiser_tables(bench->exec, &o, err));
    }
cleanup:
    pen_free(states);
    tables_deinit(&t);
    return status;
}
PEN_OP_BENCH(optimiser_tables, time_optimiser_tables);

static pen_status time_tables_norm(struct pen_bench *bench, struct pen_error *err)
{
    struct tables t;
    double sum = 0;
    pen_status status = tables_init(&t, err);
    if (status == PEN_OK) {
        status = touch(&t, err);
    }
    struct pen_tables_norm n = {IDS, t.features, &sum};
    bench->bytes = 4.0 * touched_values(&t);
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->tables_norm(bench->exec, &n, err);
    }
    tables_deinit(&t);
    return status;
}
PEN_OP_BENCH(tables_norm, time_tables_norm);

static pen_status time_clip_norm(struct pen_bench *bench, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_step_sums sums = {.squared_norm = 4};
    struct pen_clip_norm c = {1, &sums};
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->clip_norm(bench->exec, &c, err);
    }
    return status;
}
PEN_OP_BENCH(clip_norm, time_clip_norm);

static pen_status time_gather(struct pen_bench *bench, struct pen_error *err)
{
    enum { ROWS = 65536, DENSE = 13, WIDTH = DENSE + IDS };
    pen_status status = PEN_OK;
    float *all = NULL;
    int32_t *ids = NULL;
    struct pen_gather_from from[IDS];
    struct pen_gather_to to[IDS];
    PEN_ALLOC_GOTO(cleanup, all, (ROWS + B) * (DENSE + 2) + 2 * DENSE + 128, err);
    PEN_ALLOC_GOTO(cleanup, ids, (ROWS + B) * IDS, err);
    for (int64_t k = 0; k < IDS; k++) {
        from[k] = (struct pen_gather_from){ids + k, IDS, NULL};
        to[k] = (struct pen_gather_to){ids + ROWS * IDS + k, IDS, NULL};
    }
    float *next = all;
    struct pen_training_step step = {.order_seed = 1, .order_stream = 2, .n_order = ROWS};
    struct pen_gather g = {
        .n_rows = B, .step = &step, .n_dense = DENSE, .n_ids = IDS, .from = from, .to = to, .ld_x = DENSE};
    g.dense = cut(&next, ROWS * DENSE);
    g.shift = cut(&next, DENSE);
    g.scale = cut(&next, DENSE);
    g.from_label = cut(&next, ROWS);
    g.from_weight = cut(&next, ROWS);
    g.x = cut(&next, B * DENSE);
    g.label = cut(&next, B);
    g.weight = cut(&next, B);
    bench->bytes = 8.0 * B * (WIDTH + 2);
    while (pen_bench_next(bench)) {
        step.first_place = (step.first_place + B) % ROWS;
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->gather(bench->exec, &g, err));
    }
cleanup:
    pen_free(all);
    pen_free(ids);
    return status;
}
PEN_OP_BENCH(gather, time_gather);

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
    double sum = 0;
    struct pen_squared_norm n = {PARAMS, all, &sum};
    bench->bytes = 4.0 * PARAMS;
    while (pen_bench_next(bench)) {
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->squared_norm(bench->exec, &n, err));
    }
cleanup:
    pen_free(all);
    return status;
}
PEN_OP_BENCH(squared_norm, time_squared_norm);
