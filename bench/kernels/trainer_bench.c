/* The trainer's ops at the sizes of a wide & deep step: 26 ids of 16, 13 dense, hidden 128; batch 1024, on a GPU
 * 65,536. */
#include "bench/kernels/op_bench.h"

#include "core/memory.h"
#include "core/rng.h"

enum { IDS = 26, DIM = 16, DENSE = 13, IN = DENSE + IDS * DIM, OUT = 128 };

static int64_t batch_of(const struct pen_bench *bench)
{
    return pen_bench_size(bench, 1024, 65536);
}

static int64_t parameters_of(const struct pen_bench *bench)
{
    return pen_bench_size(bench, 1 << 20, 1 << 26);
}

static pen_status time_dense_forward(struct pen_bench *bench, struct pen_error *err)
{
    const int64_t b = batch_of(bench);
    struct pen_dense d = {
        .n_rows = b, .n_in = IN, .n_out = OUT, .activation = PEN_ACTIVATION_RELU, .ld_x = IN, .ld_y = OUT};
    PEN_BENCH_FLOATS(bench, d.x, b * IN, err);
    PEN_BENCH_FLOATS(bench, d.w, IN * OUT, err);
    PEN_BENCH_FLOATS(bench, d.bias, OUT, err);
    PEN_BENCH_ZEROS(bench, d.y, b * OUT, err);
    bench->flops = 2.0 * (double)(b * IN * OUT);
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->dense_forward(bench->exec, &d, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(dense_forward, time_dense_forward);

static pen_status time_dense_backward(struct pen_bench *bench, struct pen_error *err)
{
    const int64_t b = batch_of(bench);
    struct pen_dense_grad d = {.n_rows = b,
                               .n_in = IN,
                               .n_out = OUT,
                               .n_dx = IN,
                               .activation = PEN_ACTIVATION_RELU,
                               .ld_x = IN,
                               .ld_y = OUT,
                               .ld_dy = OUT,
                               .ld_dx = IN};
    PEN_BENCH_FLOATS(bench, d.x, b * IN, err);
    PEN_BENCH_FLOATS(bench, d.w, IN * OUT, err);
    PEN_BENCH_FLOATS(bench, d.y, b * OUT, err);
    PEN_BENCH_FLOATS(bench, d.dy, b * OUT, err);
    PEN_BENCH_ZEROS(bench, d.dw, IN * OUT, err);
    PEN_BENCH_ZEROS(bench, d.dbias, OUT, err);
    PEN_BENCH_ZEROS(bench, d.dx, b * IN, err);
    PEN_BENCH_ZEROS(bench, d.workspace, (b + 63) / 64 * OUT, err);
    bench->flops = 4.0 * (double)(b * IN * OUT);
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->dense_backward(bench->exec, &d, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(dense_backward, time_dense_backward);

/* Tables of a batch, all in device memory. */
struct tables {
    int64_t batch, values, n_values; /* rows of a table, values of all */
    struct pen_embedding_feature *features;
    float *table, *out;
};

static pen_status make_ids(struct pen_bench *bench, const struct tables *t, int32_t **ids, struct pen_error *err)
{
    int32_t *host = NULL;
    PEN_ALLOC(host, t->batch * IDS, err);
    for (int64_t i = 0; i < t->batch * IDS; i++) {
        host[i] = (int32_t)pen_rng_below(1, 2, (uint64_t)i, (uint64_t)t->values);
    }
    pen_status status = pen_bench_place(bench, ids, host, t->batch * IDS, sizeof *host, err);
    pen_free(host);
    return status;
}

static pen_status make_tables(struct pen_bench *bench, struct tables *t, struct pen_error *err)
{
    const int64_t b = batch_of(bench), v = pen_bench_size(bench, 20000, 200000);
    struct pen_embedding_feature features[IDS];
    int32_t *ids = NULL, *slot = NULL, *touched = NULL;
    float *grad = NULL;
    *t = (struct tables){.batch = b, .values = v, .n_values = IDS * v * DIM};
    PEN_TRY(make_ids(bench, t, &ids, err));
    PEN_BENCH_FLOATS(bench, t->table, t->n_values, err);
    PEN_BENCH_FLOATS(bench, t->out, b * IDS * DIM, err);
    PEN_BENCH_ZEROS(bench, grad, b * IDS * DIM, err);
    PEN_BENCH_ZEROS(bench, touched, b * IDS, err);
    PEN_BENCH_ZEROS(bench, slot, v * IDS, err);
    PEN_TRY(pen_device_fill(bench->exec, slot, 0xff, (size_t)(v * IDS) * sizeof *slot, err));
    for (int64_t k = 0; k < IDS; k++) {
        features[k] = (struct pen_embedding_feature){.n_values = v,
                                                     .dim = DIM,
                                                     .offset = k * v * DIM,
                                                     .ids = ids + k,
                                                     .id_stride = IDS,
                                                     .column = k * DIM,
                                                     .slot = slot + k * v,
                                                     .touched = touched + k * b,
                                                     .grad = grad + k * b * DIM};
    }
    PEN_BENCH_COPY(bench, t->features, features, IDS, err);
    return PEN_OK;
}

static pen_status time_embedding_forward(struct pen_bench *bench, struct pen_error *err)
{
    struct tables t;
    PEN_TRY(make_tables(bench, &t, err));
    struct pen_embedding e = {t.batch, IDS, t.table, t.features, t.out, IDS * DIM, false};
    bench->bytes = 8.0 * (double)(t.batch * IDS * DIM);
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->embedding_forward(bench->exec, &e, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(embedding_forward, time_embedding_forward);

static struct pen_embedding_grad backward_of(const struct tables *t)
{
    return (struct pen_embedding_grad){.n_rows = t->batch,
                                       .n_features = IDS,
                                       .features = t->features,
                                       .dout = t->out,
                                       .ld_dout = IDS * DIM,
                                       .most_ids = t->batch * IDS,
                                       .n_values = t->values * IDS,
                                       .most_dim = DIM};
}

static pen_status time_embedding_backward(struct pen_bench *bench, struct pen_error *err)
{
    struct tables t;
    PEN_TRY(make_tables(bench, &t, err));
    struct pen_embedding_grad g = backward_of(&t);
    bench->bytes = 8.0 * (double)(t.batch * IDS * DIM);
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->embedding_backward(bench->exec, &g, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(embedding_backward, time_embedding_backward);

static pen_status time_loss(struct pen_bench *bench, struct pen_error *err)
{
    const int64_t b = batch_of(bench);
    struct pen_loss l = {.kind = PEN_LOSS_SIGMOID, .n_rows = b, .n_outputs = 1, .label_scale = 1, .scale = 1};
    PEN_BENCH_FLOATS(bench, l.logits, b, err);
    PEN_BENCH_ZEROS(bench, l.label, b, err);
    PEN_BENCH_ZEROS(bench, l.gradient, b, err);
    PEN_BENCH_ZEROS(bench, l.sums, 1, err);
    bench->bytes = 12.0 * (double)b;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->loss(bench->exec, &l, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(loss, time_loss);

static pen_status time_link(struct pen_bench *bench, struct pen_error *err)
{
    const int64_t b = batch_of(bench);
    struct pen_link l = {.kind = PEN_LOSS_SIGMOID, .n_rows = b, .n_outputs = 1, .label_scale = 1};
    PEN_BENCH_FLOATS(bench, l.logits, b, err);
    PEN_BENCH_ZEROS(bench, l.out, b, err);
    bench->bytes = 8.0 * (double)b;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->link(bench->exec, &l, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(link, time_link);

static pen_status time_dropout(struct pen_bench *bench, struct pen_error *err)
{
    const int64_t n = batch_of(bench) * OUT;
    const struct pen_training_step step = {.number = 1};
    struct pen_dropout d = {.n = n, .rate = 0.1, .seed = 1, .stream = 2, .stride = (uint64_t)n};
    PEN_BENCH_COPY(bench, d.step, &step, 1, err);
    PEN_BENCH_FLOATS(bench, d.x, n, err);
    PEN_BENCH_ZEROS(bench, d.y, n, err);
    bench->bytes = 8.0 * (double)n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->dropout(bench->exec, &d, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(dropout, time_dropout);

static pen_status time_norm_forward(struct pen_bench *bench, struct pen_error *err)
{
    const int64_t b = batch_of(bench);
    struct pen_norm l = {.kind = PEN_NORM_BATCH, .n_rows = b, .dim = OUT, .epsilon = 1e-5, .momentum = 0.1};
    PEN_BENCH_FLOATS(bench, l.x, b * OUT, err);
    PEN_BENCH_FLOATS(bench, l.gamma, OUT, err);
    PEN_BENCH_FLOATS(bench, l.beta, OUT, err);
    PEN_BENCH_ZEROS(bench, l.y, b * OUT, err);
    PEN_BENCH_ZEROS(bench, l.mean, OUT, err);
    PEN_BENCH_ZEROS(bench, l.rstd, OUT, err);
    PEN_BENCH_ZEROS(bench, l.running_mean, OUT, err);
    PEN_BENCH_ZEROS(bench, l.running_variance, OUT, err);
    bench->bytes = 12.0 * (double)(b * OUT);
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->norm_forward(bench->exec, &l, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(norm_forward, time_norm_forward);

static pen_status time_norm_backward(struct pen_bench *bench, struct pen_error *err)
{
    const int64_t b = batch_of(bench);
    struct pen_norm_grad g = {.kind = PEN_NORM_BATCH, .n_rows = b, .dim = OUT};
    PEN_BENCH_FLOATS(bench, g.x, b * OUT, err);
    PEN_BENCH_FLOATS(bench, g.gamma, OUT, err);
    PEN_BENCH_FLOATS(bench, g.mean, OUT, err);
    PEN_BENCH_FLOATS(bench, g.rstd, OUT, err);
    PEN_BENCH_FLOATS(bench, g.dy, b * OUT, err);
    PEN_BENCH_ZEROS(bench, g.dx, b * OUT, err);
    PEN_BENCH_ZEROS(bench, g.dgamma, OUT, err);
    PEN_BENCH_ZEROS(bench, g.dbeta, OUT, err);
    bench->bytes = 20.0 * (double)(b * OUT);
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->norm_backward(bench->exec, &g, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(norm_backward, time_norm_backward);

static const struct pen_optimiser_rule adam = {
    .kind = PEN_OPTIMISER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
static const struct pen_training_step tenth_step = {.number = 10, .learning_rate = 1e-3};

static pen_status time_optimiser(struct pen_bench *bench, struct pen_error *err)
{
    struct pen_optimiser o = {.rule = adam, .n = parameters_of(bench)};
    PEN_BENCH_COPY(bench, o.step, &tenth_step, 1, err);
    PEN_BENCH_FLOATS(bench, o.grad, o.n, err);
    PEN_BENCH_FLOATS(bench, o.param, o.n, err);
    PEN_BENCH_ZEROS(bench, o.state1, o.n, err);
    PEN_BENCH_ZEROS(bench, o.state2, o.n, err);
    bench->bytes = 28.0 * (double)o.n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->optimiser(bench->exec, &o, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(optimiser, time_optimiser);

/* What a backward pass leaves: the distinct ids of a batch and their gradients. *values: of all of them. */
static pen_status touch(struct pen_bench *bench, const struct tables *t, double *values, struct pen_error *err)
{
    struct pen_embedding_grad g = backward_of(t);
    struct pen_embedding_feature features[IDS];
    PEN_TRY(bench->exec->kernels->embedding_backward(bench->exec, &g, err));
    PEN_TRY(pen_device_download(bench->exec, features, t->features, sizeof features, err));
    *values = 0;
    for (int64_t k = 0; k < IDS; k++) {
        *values += (double)(features[k].n_touched * DIM);
    }
    return PEN_OK;
}

static pen_status time_optimiser_tables(struct pen_bench *bench, struct pen_error *err)
{
    struct tables t;
    double values = 0;
    PEN_TRY(make_tables(bench, &t, err));
    PEN_TRY(touch(bench, &t, &values, err));
    struct pen_optimiser_tables o = {.rule = adam, .n_features = IDS, .features = t.features, .values = t.table};
    PEN_BENCH_COPY(bench, o.step, &tenth_step, 1, err);
    PEN_BENCH_ZEROS(bench, o.state1, t.n_values, err);
    PEN_BENCH_ZEROS(bench, o.state2, t.n_values, err);
    bench->bytes = 28.0 * values;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->optimiser_tables(bench->exec, &o, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(optimiser_tables, time_optimiser_tables);

static pen_status time_tables_norm(struct pen_bench *bench, struct pen_error *err)
{
    struct tables t;
    double values = 0;
    PEN_TRY(make_tables(bench, &t, err));
    PEN_TRY(touch(bench, &t, &values, err));
    struct pen_tables_norm n = {.n_features = IDS, .features = t.features};
    PEN_BENCH_ZEROS(bench, n.sum, 1, err);
    bench->bytes = 4.0 * values;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->tables_norm(bench->exec, &n, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(tables_norm, time_tables_norm);

static pen_status time_clip_norm(struct pen_bench *bench, struct pen_error *err)
{
    const struct pen_step_sums sums = {.squared_norm = 4};
    struct pen_clip_norm c = {.limit = 1};
    PEN_BENCH_COPY(bench, c.sums, &sums, 1, err);
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->clip_norm(bench->exec, &c, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(clip_norm, time_clip_norm);

static pen_status time_gather(struct pen_bench *bench, struct pen_error *err)
{
    const int64_t b = batch_of(bench), rows = pen_bench_size(bench, 65536, 1 << 22);
    struct pen_training_step step = {.order_seed = 1, .order_stream = 2, .n_order = rows};
    struct pen_gather g = {.n_rows = b, .n_dense = DENSE, .n_ids = IDS, .ld_x = DENSE};
    struct pen_gather_from from[IDS];
    struct pen_gather_to to[IDS];
    int32_t *from_ids = NULL, *to_ids = NULL;
    struct pen_training_step *placed = NULL;
    PEN_BENCH_ZEROS(bench, from_ids, rows * IDS, err);
    PEN_BENCH_ZEROS(bench, to_ids, b * IDS, err);
    for (int64_t k = 0; k < IDS; k++) {
        from[k] = (struct pen_gather_from){from_ids + k, IDS, NULL};
        to[k] = (struct pen_gather_to){to_ids + k, IDS, NULL};
    }
    PEN_BENCH_COPY(bench, g.from, from, IDS, err);
    PEN_BENCH_COPY(bench, g.to, to, IDS, err);
    PEN_BENCH_COPY(bench, placed, &step, 1, err);
    PEN_BENCH_FLOATS(bench, g.dense, rows * DENSE, err);
    PEN_BENCH_FLOATS(bench, g.shift, DENSE, err);
    PEN_BENCH_FLOATS(bench, g.scale, DENSE, err);
    PEN_BENCH_FLOATS(bench, g.from_label, rows, err);
    PEN_BENCH_FLOATS(bench, g.from_weight, rows, err);
    PEN_BENCH_ZEROS(bench, g.x, b * DENSE, err);
    PEN_BENCH_ZEROS(bench, g.label, b, err);
    PEN_BENCH_ZEROS(bench, g.weight, b, err);
    g.step = placed;
    bench->bytes = 8.0 * (double)(b * (DENSE + IDS + 2));
    while (pen_bench_next(bench)) {
        step.first_place = (step.first_place + b) % rows;
        PEN_TRY(pen_device_upload(bench->exec, placed, &step, sizeof step, err));
        PEN_TRY(bench->exec->kernels->gather(bench->exec, &g, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(gather, time_gather);

static pen_status time_average(struct pen_bench *bench, struct pen_error *err)
{
    struct pen_average a = {.n = parameters_of(bench), .rate = 0.1};
    PEN_BENCH_FLOATS(bench, a.param, a.n, err);
    PEN_BENCH_FLOATS(bench, a.mean, a.n, err);
    bench->bytes = 12.0 * (double)a.n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->average(bench->exec, &a, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(average, time_average);

static pen_status time_squared_norm(struct pen_bench *bench, struct pen_error *err)
{
    struct pen_squared_norm n = {.n = parameters_of(bench)};
    PEN_BENCH_FLOATS(bench, n.x, n.n, err);
    PEN_BENCH_ZEROS(bench, n.sum, 1, err);
    bench->bytes = 4.0 * (double)n.n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->squared_norm(bench->exec, &n, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(squared_norm, time_squared_norm);
