/* Text convolution at the sizes of short messages: 20 tokens, embeddings of 16, 64 filters each of 3, 4 and 5 tokens;
 * batch 256, on a GPU 16,384. */
#include "bench/kernels/op_bench.h"

#include "core/memory.h"
#include "core/rng.h"

enum { LENGTH = 20, DIM = 16, FILTERS = 64, WIDTHS = 3, VALUES = 10000, WIDEST = 5, ALL_WIDTHS = 12 };

static const struct pen_text_conv_shape shape = {WIDTHS, FILTERS, {3, 4, 5}, DIM, 256};

static pen_status make_ids(struct pen_bench *bench, struct pen_text_conv *c, struct pen_error *err)
{
    int32_t *ids = NULL;
    int64_t *offsets = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC(ids, c->n_rows * LENGTH, err);
    PEN_ALLOC_GOTO(cleanup, offsets, c->n_rows + 1, err);
    for (int64_t i = 0; i < c->n_rows * LENGTH; i++) {
        ids[i] = (int32_t)pen_rng_below(1, 2, (uint64_t)i, VALUES);
    }
    for (int64_t row = 0; row <= c->n_rows; row++) {
        offsets[row] = row * LENGTH;
    }
    PEN_TRY_GOTO(cleanup, pen_bench_place(bench, &c->ids, ids, c->n_rows * LENGTH, sizeof *ids, err));
    status = pen_bench_place(bench, &c->row_offsets, offsets, c->n_rows + 1, sizeof *offsets, err);
cleanup:
    pen_free(ids);
    pen_free(offsets);
    return status;
}

static pen_status make_text(struct pen_bench *bench, struct pen_text_conv *c, struct pen_error *err)
{
    const int64_t b = pen_bench_size(bench, 256, 16384), n_channels = WIDTHS * FILTERS;
    *c = (struct pen_text_conv){
        .shape = shape, .n_rows = b, .n_values = VALUES, .ld_y = n_channels, .n_positions = b * (LENGTH + WIDEST - 1)};
    PEN_TRY(make_ids(bench, c, err));
    PEN_BENCH_FLOATS(bench, c->table, VALUES * DIM, err);
    PEN_BENCH_FLOATS(bench, c->filters, FILTERS * ALL_WIDTHS * DIM, err);
    PEN_BENCH_FLOATS(bench, c->bias, n_channels, err);
    PEN_BENCH_ZEROS(bench, c->y, b * n_channels, err);
    PEN_BENCH_ZEROS(bench, c->best, b * n_channels, err);
    PEN_BENCH_ZEROS(bench, c->starts, b + 1, err);
    PEN_BENCH_ZEROS(bench, c->positions, c->n_positions * DIM, err);
    PEN_BENCH_ZEROS(bench, c->position_ids, c->n_positions, err);
    return PEN_OK;
}

static pen_status time_text_conv_forward(struct pen_bench *bench, struct pen_error *err)
{
    struct pen_text_conv c;
    PEN_TRY(make_text(bench, &c, err));
    bench->flops = 2.0 * (double)(c.n_rows * LENGTH * DIM * FILTERS * ALL_WIDTHS);
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->text_conv_forward(bench->exec, &c, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(text_conv_forward, time_text_conv_forward);

static pen_status time_text_conv_backward(struct pen_bench *bench, struct pen_error *err)
{
    struct pen_text_conv c;
    PEN_TRY(make_text(bench, &c, err));
    PEN_TRY(bench->exec->kernels->text_conv_forward(bench->exec, &c, err));
    struct pen_text_conv_grad g = {.shape = shape,
                                   .n_rows = c.n_rows,
                                   .filters = c.filters,
                                   .starts = c.starts,
                                   .positions = c.positions,
                                   .best = c.best,
                                   .ld_dy = WIDTHS * FILTERS};
    PEN_BENCH_FLOATS(bench, g.dy, c.n_rows * WIDTHS * FILTERS, err);
    PEN_BENCH_ZEROS(bench, g.dfilters, FILTERS * ALL_WIDTHS * DIM, err);
    PEN_BENCH_ZEROS(bench, g.dbias, WIDTHS * FILTERS, err);
    PEN_BENCH_ZEROS(bench, g.d_positions, c.n_positions * DIM, err);
    bench->flops = 4.0 * (double)(c.n_rows * DIM * FILTERS * ALL_WIDTHS);
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->text_conv_backward(bench->exec, &g, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(text_conv_backward, time_text_conv_backward);
